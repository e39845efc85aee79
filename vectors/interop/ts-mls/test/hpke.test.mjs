// The HPKE suites against the published vectors, which stay outside the project.
// HPKE_PQ_VECTORS names the file of draft-ietf-hpke-pq; XWING_VECTORS that of
// draft-connolly-cfrg-xwing-kem.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import test from "node:test"
import { makeKem } from "../kem.mjs"
import { makeHpkeSuite } from "../suite.mjs"

const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"))
const buffer = (text) => bytes(text).buffer
const hex = (value) => Buffer.from(value).toString("hex")

function load(variable) {
  const path = process.env[variable]
  return path ? JSON.parse(readFileSync(path, "utf8")) : undefined
}

const isOurs = (v) => [0x41, 0x42, 0x50, 0x51, 0x647a].includes(v.kem_id) && v.kdf_id <= 3
const pq = load("HPKE_PQ_VECTORS")

test("draft-ietf-hpke-pq", { skip: pq ? false : "HPKE_PQ_VECTORS is unset" }, async (t) => {
  const cases = pq.filter(isOurs)
  assert.ok(cases.length > 0)
  for (const v of cases) {
    await t.test(`kem ${v.kem_id} kdf ${v.kdf_id} aead ${v.aead_id}`, async () => {
      const suite = await makeHpkeSuite({ kem: v.kem_id, kdf: v.kdf_id, aead: v.aead_id }, "hpke-pq")
      const pair = await suite.kem.deriveKeyPair(buffer(v.ikmR))
      assert.equal(hex(await suite.kem.serializePrivateKey(pair.privateKey)), v.skRm)
      assert.equal(hex(await suite.kem.serializePublicKey(pair.publicKey)), v.pkRm)

      const recipientKey = await suite.kem.deserializePrivateKey(buffer(v.skRm))
      const enc = buffer(v.enc)
      assert.equal(hex(await suite.kem.decap({ recipientKey, enc })), v.shared_secret)

      const context = await suite.createRecipientContext({ recipientKey, enc, info: buffer(v.info) })
      for (const e of v.encryptions) {
        assert.equal(hex(await context.open(buffer(e.ct), buffer(e.aad))), e.pt)
      }
      for (const e of v.exports) {
        const exported = await context.export(buffer(e.exporter_context), e.L)
        assert.equal(hex(exported), e.exported_value)
      }

      const info = buffer(v.info)
      const sealed = await suite.seal({ recipientPublicKey: pair.publicKey, info }, buffer("0102"))
      assert.equal(hex(await suite.open({ recipientKey, enc: sealed.enc, info }, sealed.ct)), "0102")
    })
  }
})

const xwing = load("XWING_VECTORS")

test("X-Wing", { skip: xwing ? false : "XWING_VECTORS is unset" }, async () => {
  const kem = makeKem(0x647a, "hpke-pq")
  for (const v of xwing) {
    const recipientKey = await kem.deserializePrivateKey(buffer(v.sk))
    assert.equal(hex(await kem.decap({ recipientKey, enc: buffer(v.ct) })), v.ss)
    const recipientPublicKey = await kem.deserializePublicKey(buffer(v.pk))
    const { enc, sharedSecret } = await kem.encap({ recipientPublicKey })
    assert.deepEqual(await kem.decap({ recipientKey, enc }), sharedSecret)
  }
})

test("a sealed message comes back for every KEM, with either derivation", async () => {
  for (const kem of [0x41, 0x42, 0x50, 0x51, 0x647a]) {
    for (const derivation of ["hpke-pq", "unlabelled"]) {
      const suite = await makeHpkeSuite({ kem, kdf: 2, aead: 2 }, derivation)
      const pair = await suite.kem.deriveKeyPair(new Uint8Array(48).fill(7).buffer)
      const sealed = await suite.seal({ recipientPublicKey: pair.publicKey }, buffer("00ff"))
      const opened = await suite.open({ recipientKey: pair.privateKey, enc: sealed.enc }, sealed.ct)
      assert.equal(hex(opened), "00ff")
    }
  }
})

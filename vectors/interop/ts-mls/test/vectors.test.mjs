// The checks themselves, on the MLS working group's vectors for suites 1 to 7.
// MLS_VECTORS names the folder that holds them.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import test, { after } from "node:test"
import { startPeer } from "../support/peer.mjs"

const folder = process.env.MLS_VECTORS
const skip = folder ? false : "MLS_VECTORS is unset"
const load = (name) => JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"))
const suiteOf = (vector) => ({ code_point: vector.cipher_suite })
const derivation = "hpke-pq"

const peer = startPeer()
after(() => peer.close())
const { call, request } = peer

const kinds = [
  "crypto-basics", "key-schedule", "secret-tree", "psk_secret", "transcript-hashes",
  "message-protection", "welcome", "treekem", "tree-validation", "tree-operations",
]

for (const kind of kinds) {
  test(kind, { skip }, async () => {
    for (const [i, vector] of load(kind).entries()) {
      const { error } = await request("check", { kind, suite: suiteOf(vector), derivation, vector })
      assert.equal(error, undefined, `${kind}[${i}], suite ${vector.cipher_suite}: ${error}`)
    }
  })
}

for (const name of ["passive-client-welcome", "passive-client-handling-commit"]) {
  test(name, { skip }, async () => {
    for (const [i, vector] of load(name).entries()) {
      const at = `${name}[${i}], suite ${vector.cipher_suite}`
      const client = at
      try {
        await follow(client, vector)
      } catch (error) {
        assert.fail(`${at}: ${error.message}`)
      }
    }
  })
}

async function follow(client, vector) {
  const authenticator = async () => (await call("state", { client })).epoch_authenticator
  await call("import", {
    client,
    suite: suiteOf(vector),
    derivation,
    key_package: vector.key_package,
    init_priv: vector.init_priv,
    encryption_priv: vector.encryption_priv,
    signature_priv: vector.signature_priv,
    psks: vector.external_psks,
  })
  await call("join", { client, welcome: vector.welcome, ratchet_tree: vector.ratchet_tree })
  assert.equal(await authenticator(), vector.initial_epoch_authenticator)
  for (const epoch of vector.epochs) {
    for (const message of epoch.proposals) await call("process", { client, message })
    await call("process", { client, message: epoch.commit })
    assert.equal(await authenticator(), epoch.epoch_authenticator)
  }
}

test("a wrong value is named", { skip }, async () => {
  const [vector] = load("key-schedule")
  vector.epochs[1].init_secret = "00".repeat(32)
  const { error } = await request("check", { kind: "key-schedule", suite: suiteOf(vector), derivation, vector })
  assert.match(error, /epochs\[1\]\.init_secret: expected 0000.*, computed /)
})

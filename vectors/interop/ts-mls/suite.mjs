// A ts-mls CiphersuiteImpl from the numbers a request carries. Everything but the
// KEM and the signature scheme comes from ts-mls and @hpke/core.
import { CipherSuite } from "@hpke/core"
import { defaultCryptoProvider } from "ts-mls"
import { internal } from "./internal.mjs"
import { makeKem } from "./kem.mjs"
import { makeSignature } from "./signature.mjs"

const { makeAead } = await internal("crypto/implementation/default/makeAead.js")
const { makeHashImpl } = await internal("crypto/implementation/default/makeHashImpl.js")
const { makeKdf, makeKdfImpl } = await internal("crypto/implementation/default/makeKdfImpl.js")
const { makeGenericHpke } = await internal("crypto/implementation/hpke.js")
const { defaultRng } = await internal("crypto/implementation/default/rng.js")

const kdfs = { 1: "HKDF-SHA256", 2: "HKDF-SHA384", 3: "HKDF-SHA512" }
const aeads = { 1: "AES128GCM", 2: "AES256GCM", 3: "CHACHA20POLY1305" }
const hashes = ["SHA-256", "SHA-384", "SHA-512"]
// RFC 9420 section 17.1: suites ts-mls sets up by itself.
const isClassical = (codePoint) => codePoint >= 1 && codePoint <= 7

function known(table, id, what) {
  if (table[id] === undefined) throw new Error(`unknown ${what} ${id}`)
  return table[id]
}

/** The HPKE suite alone, base mode. */
export async function makeHpkeSuite(suite, derivation) {
  const [, aead] = await makeAead(known(aeads, suite.aead, "AEAD"))
  const kdf = makeKdf(known(kdfs, suite.kdf, "KDF"))
  return new CipherSuite({ kem: makeKem(suite.kem, derivation), kdf, aead })
}

const cache = new Map()

/** The CiphersuiteImpl for a request's `suite` and `derivation`. */
export async function makeSuite(suite, derivation) {
  if (isClassical(suite.code_point)) return defaultCryptoProvider.getCiphersuiteImpl(suite.code_point)
  const key = JSON.stringify([suite, derivation])
  if (!cache.has(key)) cache.set(key, await build(suite, derivation))
  return cache.get(key)
}

async function build(suite, derivation) {
  if (!Number.isInteger(suite.code_point)) throw new Error("no code point")
  if (!hashes.includes(suite.hash)) throw new Error(`unknown hash ${suite.hash}`)
  const [aead] = await makeAead(known(aeads, suite.aead, "AEAD"))
  const hpke = await makeHpkeSuite(suite, derivation)
  return {
    id: suite.code_point,
    hash: makeHashImpl(crypto.subtle, suite.hash),
    kdf: makeKdfImpl(makeKdf(known(kdfs, suite.kdf, "KDF"))),
    signature: makeSignature(suite.signature),
    hpke: await makeGenericHpke({ kem: "" }, aead, hpke),
    rng: defaultRng,
  }
}

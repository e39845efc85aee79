// The KEMs of draft-ietf-hpke-pq as KEM objects for @hpke/core. A private key is
// the seed everywhere: 64 bytes d || z for ML-KEM (FIPS 203), 32 for a hybrid.
import { x25519 } from "@noble/curves/ed25519.js"
import { p256, p384 } from "@noble/curves/nist.js"
import { sha3_256, shake256 } from "@noble/hashes/sha3.js"
import { concatBytes, randomBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import { ml_kem768, ml_kem1024 } from "@noble/post-quantum/ml-kem.js"

const ML_KEM_SEED = 64

function pureMlKem(kem) {
  return {
    seedSize: ML_KEM_SEED,
    publicKeySize: kem.lengths.publicKey,
    encSize: kem.lengths.cipherText,
    publicKey: (seed) => kem.keygen(seed).publicKey,
    encapsulate(publicKey) {
      const { cipherText, sharedSecret } = kem.encapsulate(publicKey)
      return { enc: cipherText, sharedSecret }
    },
    decapsulate: (seed, enc) => kem.decapsulate(enc, kem.keygen(seed).secretKey),
  }
}

// A prime-order curve as the group of a hybrid. Its scalar is the first of the
// successive big-endian strings of the seed that lies in [1, order).
function nistGroup(curve, seedSize) {
  const size = curve.lengths.secretKey
  const order = curve.Point.Fn.ORDER
  return {
    seedSize,
    elementSize: 1 + 2 * size,
    scalar(seed) {
      for (let at = 0; at + size <= seed.length; at += size) {
        const candidate = seed.slice(at, at + size)
        const value = BigInt("0x" + Buffer.from(candidate).toString("hex"))
        if (value > 0n && value < order) return candidate
      }
      throw new Error("no scalar in the seed")
    },
    element: (scalar) => curve.getPublicKey(scalar, false),
    // The x coordinate alone: the compressed point without its prefix.
    shared: (scalar, element) => curve.getSharedSecret(scalar, element, true).subarray(1),
  }
}

const x25519Group = {
  seedSize: 32,
  elementSize: 32,
  scalar: (seed) => seed,
  element: (scalar) => x25519.getPublicKey(scalar),
  shared: (scalar, element) => x25519.getSharedSecret(scalar, element),
}

// Post-quantum part first in keys and ciphertexts. The combiner binds the group's
// ciphertext and key only (draft-irtf-cfrg-hybrid-kems; for X25519 it is X-Wing,
// draft-connolly-cfrg-xwing-kem section 5.3).
function hybrid(kem, group, label) {
  const { publicKey: ekSize, cipherText: ctSize } = kem.lengths
  const publicKeySize = ekSize + group.elementSize
  const encSize = ctSize + group.elementSize
  const split = (bytes, at, size) => {
    if (bytes.length !== size) throw new Error("wrong length")
    return [bytes.subarray(0, at), bytes.subarray(at)]
  }
  const expand = (seed) => {
    const bytes = shake256(seed, { dkLen: ML_KEM_SEED + group.seedSize })
    const keys = kem.keygen(bytes.subarray(0, ML_KEM_SEED))
    const scalar = group.scalar(bytes.subarray(ML_KEM_SEED))
    return { ...keys, scalar, element: group.element(scalar) }
  }
  const combine = (ss, ssGroup, ctGroup, ekGroup) =>
    sha3_256(concatBytes(ss, ssGroup, ctGroup, ekGroup, label))
  return {
    seedSize: 32,
    publicKeySize,
    encSize,
    publicKey(seed) {
      const { publicKey, element } = expand(seed)
      return concatBytes(publicKey, element)
    },
    encapsulate(publicKey) {
      const [ek, ekGroup] = split(publicKey, ekSize, publicKeySize)
      const ephemeral = group.scalar(randomBytes(group.seedSize))
      const ctGroup = group.element(ephemeral)
      const { cipherText, sharedSecret } = kem.encapsulate(ek)
      return {
        enc: concatBytes(cipherText, ctGroup),
        sharedSecret: combine(sharedSecret, group.shared(ephemeral, ekGroup), ctGroup, ekGroup),
      }
    },
    decapsulate(seed, enc) {
      const [ct, ctGroup] = split(enc, ctSize, encSize)
      const key = expand(seed)
      const ss = kem.decapsulate(ct, key.secretKey)
      return combine(ss, group.shared(key.scalar, ctGroup), ctGroup, key.element)
    },
  }
}

const primitives = {
  0x0041: () => pureMlKem(ml_kem768),
  0x0042: () => pureMlKem(ml_kem1024),
  0x0050: () => hybrid(ml_kem768, nistGroup(p256, 128), utf8ToBytes("MLKEM768-P256")),
  0x0051: () => hybrid(ml_kem1024, nistGroup(p384, 48), utf8ToBytes("MLKEM1024-P384")),
  0x647a: () => hybrid(ml_kem768, x25519Group, utf8ToBytes("\\.//^\\")),
}

const uint16 = (n) => new Uint8Array([n >> 8, n & 0xff])

// DeriveKeyPair: with the labels of draft-ietf-hpke-pq (one-stage, so ikm comes
// first, unprefixed; the 13 is the length of the label), or without any.
function deriveSeed(id, size, derivation, ikm) {
  switch (derivation) {
    case "hpke-pq": {
      const label = utf8ToBytes("DeriveKeyPair")
      const suiteId = concatBytes(utf8ToBytes("KEM"), uint16(id))
      const labelled = [ikm, utf8ToBytes("HPKE-v1"), suiteId, uint16(label.length), label, uint16(size)]
      return shake256(concatBytes(...labelled), { dkLen: size })
    }
    case "unlabelled":
      return shake256(ikm, { dkLen: size })
    default:
      throw new Error(`unknown derivation ${derivation}`)
  }
}

const toBuffer = (bytes) => Uint8Array.from(bytes).buffer
const toBytes = (buffer) => new Uint8Array(buffer).slice()

/** The KEM with registry number `id`, as @hpke/core's CipherSuite takes it. */
export function makeKem(id, derivation) {
  const make = primitives[id]
  if (make === undefined) throw new Error(`unknown KEM ${id}`)
  const kem = make()
  const sized = (bytes, size, what) => {
    if (bytes.length !== size) throw new Error(`${what} has ${bytes.length} bytes, not ${size}`)
    return bytes
  }
  const pairOf = (seed) => ({
    privateKey: { type: "private", seed },
    publicKey: { type: "public", raw: kem.publicKey(seed) },
  })
  return {
    id,
    secretSize: 32,
    encSize: kem.encSize,
    publicKeySize: kem.publicKeySize,
    privateKeySize: kem.seedSize,
    async init() {},
    async serializePublicKey(key) {
      return toBuffer(key.raw)
    },
    async deserializePublicKey(key) {
      return { type: "public", raw: sized(toBytes(key), kem.publicKeySize, "public key") }
    },
    async serializePrivateKey(key) {
      return toBuffer(key.seed)
    },
    async deserializePrivateKey(key) {
      return { type: "private", seed: sized(toBytes(key), kem.seedSize, "private key") }
    },
    async generateKeyPair() {
      return pairOf(randomBytes(kem.seedSize))
    },
    async deriveKeyPair(ikm) {
      return pairOf(deriveSeed(id, kem.seedSize, derivation, toBytes(ikm)))
    },
    async encap({ recipientPublicKey }) {
      const { enc, sharedSecret } = kem.encapsulate(recipientPublicKey.raw)
      return { enc: toBuffer(enc), sharedSecret: toBuffer(sharedSecret) }
    },
    async decap({ recipientKey, enc }) {
      const ciphertext = sized(toBytes(enc), kem.encSize, "KEM output")
      return toBuffer(kem.decapsulate(recipientKey.seed, ciphertext))
    },
  }
}

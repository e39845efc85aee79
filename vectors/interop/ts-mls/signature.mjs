// Signature schemes by their TLS number (RFC 8446 section 4.2.3 and, for ML-DSA,
// draft-ietf-tls-mldsa), in the shape ts-mls expects. ts-mls brings Ed25519,
// ECDSA and ML-DSA-87 of its own, but its key generation gives compressed ECDSA
// points (RFC 9420 section 5.1.1 wants uncompressed ones), expanded ML-DSA keys
// and PKCS #8 Ed25519 keys, so all are set up here.
import { ed25519 } from "@noble/curves/ed25519.js"
import { p256, p384 } from "@noble/curves/nist.js"
import { randomBytes } from "@noble/hashes/utils.js"
import { ml_dsa44, ml_dsa65, ml_dsa87 } from "@noble/post-quantum/ml-dsa.js"

const eddsa = {
  sign: (key, message) => ed25519.sign(message, key),
  verify: (key, message, signature) => ed25519.verify(signature, message, key),
  keygen() {
    const signKey = ed25519.utils.randomSecretKey()
    return { signKey, publicKey: ed25519.getPublicKey(signKey) }
  },
}

function ecdsa(curve) {
  // RFC 9420 section 5.1.2 puts no bound on s, so high values pass.
  const options = { prehash: true, format: "der", lowS: false }
  return {
    sign: (key, message) => curve.sign(message, key, options),
    verify: (key, message, signature) => curve.verify(signature, message, key, options),
    keygen() {
      const signKey = curve.utils.randomSecretKey()
      return { signKey, publicKey: curve.getPublicKey(signKey, false) }
    },
  }
}

// The signing key is the seed xi of FIPS 204 algorithm 1; empty context.
function mlDsa(scheme) {
  return {
    sign: (key, message) => scheme.sign(message, scheme.keygen(key).secretKey),
    verify: (key, message, signature) => scheme.verify(signature, message, key),
    keygen() {
      const signKey = randomBytes(32)
      return { signKey, publicKey: scheme.keygen(signKey).publicKey }
    },
  }
}

const schemes = {
  0x0403: () => ecdsa(p256),
  0x0503: () => ecdsa(p384),
  0x0807: () => eddsa,
  0x0904: () => mlDsa(ml_dsa44),
  0x0905: () => mlDsa(ml_dsa65),
  0x0906: () => mlDsa(ml_dsa87),
}

/** The signature scheme with TLS number `id`. */
export function makeSignature(id) {
  const make = schemes[id]
  if (make === undefined) throw new Error(`unknown signature scheme ${id}`)
  const scheme = make()
  return {
    sign: async (key, message) => scheme.sign(key, message),
    // noble throws on malformed keys and signatures; to MLS these are invalid.
    async verify(key, message, signature) {
      try {
        return scheme.verify(key, message, signature)
      } catch {
        return false
      }
    },
    keygen: async () => scheme.keygen(),
  }
}

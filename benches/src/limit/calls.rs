//! Which primitives a call needs at least.
//!
//! Counted is what has to be computed for each call by someone who knows everything that can be
//! known before: HPKE's `psk_id_hash` is the same for all (RFC 9180, section 5.1), and an `info`
//! that was just hashed need not be hashed again.

use trellis_ciphersuites::CipherSuite;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::symmetric::HashAlgorithm;

use super::costs::Primitive;
use crate::meter::{Call, Info};

/// `"HPKE-v1"` and the suite identifier of HPKE, which begin what is extracted, and a length what is
/// expanded (RFC 9180, section 4).
const LABELED: usize = 7 + 10;

/// The suite identifier of a KEM is shorter: `"KEM"` and two bytes.
const KEM_LABELED: usize = 7 + 5;

/// The primitives of a call on a suite. None for the storage.
pub(super) fn primitives(suite: CipherSuite, call: Call) -> Vec<Primitive> {
    let (hash, aead, scheme) = (suite.hash(), suite.aead(), suite.signature());
    match call {
        Call::Hash { data } => vec![Primitive::Hash(hash, data)],
        Call::Hmac { message } => vec![Primitive::Hmac(hash, message)],
        Call::HkdfExtract { ikm } => vec![Primitive::Hmac(hash, ikm)],
        Call::HkdfExpand { info, okm } => expand(hash, info, okm),
        Call::AeadEncrypt { data, aad } => vec![Primitive::Seal(aead, data + aad)],
        Call::AeadDecrypt { data, aad } => vec![Primitive::Open(aead, data + aad)],
        Call::SignatureKeyGen => vec![Primitive::Random(32), Primitive::SignatureKey(scheme)],
        Call::Sign { data } => vec![Primitive::Sign(scheme, data)],
        Call::VerifySignature { data } => vec![Primitive::Verify(scheme, data)],
        Call::HpkeSeal { info, aad, plaintext } => {
            let sealed = [Primitive::Seal(suite.hpke().aead, aad + plaintext)];
            [encapsulate(suite), secret(suite, info), key(suite), sealed.into()].concat()
        }
        Call::HpkeOpen { info, aad, plaintext } => {
            let opened = [Primitive::Open(suite.hpke().aead, aad + plaintext)];
            [decapsulate(suite), secret(suite, info), key(suite), opened.into()].concat()
        }
        Call::HpkeSetupSenderAndExport { info, context, length } => {
            [encapsulate(suite), secret(suite, info), export(suite, context, length)].concat()
        }
        Call::HpkeSetupReceiverAndExport { info, context, length } => {
            [decapsulate(suite), secret(suite, info), export(suite, context, length)].concat()
        }
        Call::DeriveHpkeKeypair { ikm } => derive(suite, ikm),
        Call::Random { length } => vec![Primitive::Random(length)],
        Call::Supports | Call::Storage(_) => Vec::new(),
    }
}

/// HKDF-Expand makes an HMAC for each block, of the block before, `info` and a counter (RFC 5869,
/// section 2.3).
fn expand(hash: HashAlgorithm, info: usize, okm: usize) -> Vec<Primitive> {
    let blocks = okm.div_ceil(hash.len()).max(1);
    let length = |block| info + 1 + if block == 0 { 0 } else { hash.len() };
    (0..blocks).map(|block| Primitive::Hmac(hash, length(block))).collect()
}

/// Both parts of a hybrid, and its combiner.
const X_WING: [Primitive; 3] = [Primitive::X25519Public, Primitive::X25519Shared, Primitive::Sha3];

/// A private key of 32 bytes is expanded with SHAKE256 where it is used.
const EXPAND_SEED: Primitive = Primitive::Shake256;

fn encapsulate(suite: CipherSuite) -> Vec<Primitive> {
    let mut all = match suite.hpke().kem {
        KemAlgorithm::MlKem768X25519 => {
            [&X_WING[..], &[Primitive::MlKemEncapsulate(KemAlgorithm::MlKem768)]].concat()
        }
        KemAlgorithm::DhKemX25519 => dh(),
        kem => vec![Primitive::MlKemEncapsulate(kem)],
    };
    all.push(Primitive::Random(suite.hpke().kem.randomness_len()));
    all
}

fn decapsulate(suite: CipherSuite) -> Vec<Primitive> {
    match suite.hpke().kem {
        KemAlgorithm::MlKem768X25519 => {
            let decapsulate = Primitive::MlKemDecapsulate(KemAlgorithm::MlKem768);
            [&X_WING[..], &[EXPAND_SEED, decapsulate]].concat()
        }
        // The public key, which the secret depends on, is not given with the private one.
        KemAlgorithm::DhKemX25519 => dh(),
        kem => vec![Primitive::MlKemDecapsulate(kem)],
    }
}

/// DHKEM: a public key, a shared secret, and ExtractAndExpand with HKDF-SHA256 (RFC 9180,
/// section 4.1).
fn dh() -> Vec<Primitive> {
    let hmac = |length| Primitive::Hmac(HashAlgorithm::Sha256, length);
    vec![
        Primitive::X25519Public,
        Primitive::X25519Shared,
        hmac(KEM_LABELED + "eae_prk".len() + 32),
        hmac(2 + KEM_LABELED + "shared_secret".len() + 64 + 1),
    ]
}

fn derive(suite: CipherSuite, ikm: usize) -> Vec<Primitive> {
    let key_gen = Primitive::MlKemKeyGen;
    match suite.hpke().kem {
        // draft-ietf-hpke-pq: SHAKE256 makes the seed, and another one expands it.
        KemAlgorithm::MlKem768X25519 => vec![
            Primitive::Shake256,
            EXPAND_SEED,
            key_gen(KemAlgorithm::MlKem768),
            Primitive::X25519Public,
        ],
        // RFC 9180, section 7.1.3.
        KemAlgorithm::DhKemX25519 => {
            let hmac = |length| Primitive::Hmac(HashAlgorithm::Sha256, length);
            vec![
                hmac(KEM_LABELED + "dkp_prk".len() + ikm),
                hmac(2 + KEM_LABELED + "sk".len() + 1),
                Primitive::X25519Public,
            ]
        }
        kem => vec![Primitive::Shake256, key_gen(kem)],
    }
}

/// The key schedule up to its secret (RFC 9180, section 5.1).
fn secret(suite: CipherSuite, info: Info) -> Vec<Primitive> {
    let hash = suite.hash();
    let secret = Primitive::Hmac(hash, LABELED + "secret".len());
    if info.again {
        return vec![secret];
    }
    vec![Primitive::Hmac(hash, LABELED + "info_hash".len() + info.length), secret]
}

/// Key and nonce. Both fit into a block.
fn key(suite: CipherSuite) -> Vec<Primitive> {
    let hash = suite.hash();
    let context = 1 + 2 * hash.len();
    ["key", "base_nonce"]
        .map(|label| Primitive::Hmac(hash, 2 + LABELED + label.len() + context + 1))
        .into()
}

/// The exporter secret, and what is exported from it (RFC 9180, section 5.3).
fn export(suite: CipherSuite, context: usize, length: usize) -> Vec<Primitive> {
    let hash = suite.hash();
    let exporter = 2 + LABELED + "exp".len() + 1 + 2 * hash.len() + 1;
    let mut all = vec![Primitive::Hmac(hash, exporter)];
    all.extend(expand(hash, 2 + LABELED + "sec".len() + context, length));
    all
}

//! Which primitives a call needs at least.
//!
//! Counted is what has to be computed for each call by someone who knows everything that can be
//! known before: HPKE's `psk_id_hash` of no key is the same for all (RFC 9180, section 5.1), and an
//! `info` that was just hashed need not be hashed again. Each HMAC is counted with the set-up of its
//! key, though two of a key schedule have the same one.

use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::SignatureScheme;
use trellis_ciphersuites::symmetric::HashAlgorithm;
use trellis_ciphersuites::{CipherSuite, Protection};

use super::costs::{MEASURED_AAD, Primitive};
use crate::meter::{Call, Info, Psk};

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
        Call::AeadEncrypt { data, aad: more } => vec![Primitive::Seal(aead, text(data, more))],
        Call::AeadDecrypt { data, aad: more } => vec![Primitive::Open(aead, text(data, more))],
        Call::SignatureKeyGen => vec![Primitive::Random(32), Primitive::SignatureKey(scheme)],
        Call::Sign { data } => sign(scheme, data),
        Call::VerifySignature { data } => vec![Primitive::Verify(scheme, data)],
        Call::HpkeSeal { info, aad, plaintext } => seal(suite, info, BASE, aad, plaintext),
        Call::HpkeOpen { info, aad, plaintext } => open(suite, info, BASE, aad, plaintext),
        Call::HpkeSealPsk { info, psk, aad, plaintext } => seal(suite, info, psk, aad, plaintext),
        Call::HpkeOpenPsk { info, psk, aad, plaintext } => open(suite, info, psk, aad, plaintext),
        Call::HpkeSetupSenderAndExport { info, context, length } => {
            [encapsulate(suite), secret(suite, info, BASE), export(suite, context, length)].concat()
        }
        Call::HpkeSetupReceiverAndExport { info, context, length } => {
            [decapsulate(suite), secret(suite, info, BASE), export(suite, context, length)].concat()
        }
        Call::DeriveHpkeKeypair { ikm } => derive(suite, ikm),
        Call::Random { length } => vec![Primitive::Random(length)],
        Call::Supports | Call::Storage(_) => Vec::new(),
    }
}

/// The length of text that costs as much as this text and its additional data: the AEADs were
/// measured with some.
fn text(text: usize, aad: usize) -> usize {
    (text + aad).saturating_sub(MEASURED_AAD)
}

/// ML-DSA is hedged with 32 random bytes (FIPS 204, section 3.4).
fn sign(scheme: SignatureScheme, data: usize) -> Vec<Primitive> {
    let hedge = scheme.protection() == Protection::PostQuantum;
    hedge
        .then_some(Primitive::Random(32))
        .into_iter()
        .chain([Primitive::Sign(scheme, data)])
        .collect()
}

/// No pre-shared key: mode base of HPKE.
const BASE: Psk = Psk { key: 0, id: 0 };

/// `SealBase` or `SealPSK` (RFC 9180, section 6.1).
fn seal(suite: CipherSuite, info: Info, psk: Psk, aad: usize, plaintext: usize) -> Vec<Primitive> {
    let sealed = vec![Primitive::Seal(suite.hpke().aead, text(plaintext, aad))];
    [encapsulate(suite), secret(suite, info, psk), key(suite), sealed].concat()
}

/// `OpenBase` or `OpenPSK`.
fn open(suite: CipherSuite, info: Info, psk: Psk, aad: usize, plaintext: usize) -> Vec<Primitive> {
    let opened = vec![Primitive::Open(suite.hpke().aead, text(plaintext, aad))];
    [decapsulate(suite), secret(suite, info, psk), key(suite), opened].concat()
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
fn secret(suite: CipherSuite, info: Info, psk: Psk) -> Vec<Primitive> {
    let extract = |label: &str, ikm| Primitive::Hmac(suite.hash(), LABELED + label.len() + ikm);
    let mut all = vec![extract("secret", psk.key)];
    if !info.again {
        all.push(extract("info_hash", info.length));
    }
    if psk != BASE {
        all.push(extract("psk_id_hash", psk.id));
    }
    all
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

//! What primitives cost, from the tables that the same run measured.

use std::collections::HashMap;

use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::SignatureScheme;
use trellis_ciphersuites::symmetric::{AeadAlgorithm, HashAlgorithm};

use crate::report::data::Table;

/// A primitive that the limit needs and that was not measured.
#[derive(Debug, thiserror::Error)]
#[error("{title}: {operation} was not measured with {libraries:?}")]
pub struct Missing {
    title: &'static str,
    operation: String,
    libraries: &'static [&'static str],
}

/// A primitive, or several that are measured together. Lengths are in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Primitive {
    X25519Public,
    X25519Shared,
    /// ML-KEM from the seed, with the checks of FIPS 203.
    MlKemKeyGen(KemAlgorithm),
    MlKemEncapsulate(KemAlgorithm),
    MlKemDecapsulate(KemAlgorithm),
    /// What the combiner of a hybrid hashes.
    Sha3,
    /// 64 bytes or fewer to 96 or fewer.
    Shake256,
    Hash(HashAlgorithm, usize),
    Hmac(HashAlgorithm, usize),
    Seal(AeadAlgorithm, usize),
    Open(AeadAlgorithm, usize),
    Sign(SignatureScheme, usize),
    Verify(SignatureScheme, usize),
    /// A seed to a public key.
    SignatureKey(SignatureScheme),
    Random(usize),
}

/// Where a cost is found: the table, the row, and the libraries that the native backend runs on,
/// of which the fastest counts.
type Place = (&'static str, &'static str, &'static [&'static str]);

const GRAVIOLA: &[&str] = &["graviola"];
const LIBCRUX: &[&str] = &["libcrux", "libcrux unpacked"];
const RUST_CRYPTO: &[&str] = &["RustCrypto"];
const GCM: &[&str] = &["graviola", "RustCrypto"];
const ED25519: &[&str] = &["graviola", "dalek"];
const RANDOM: &[&str] = &["chacha20, fast key erasure"];

const ML_KEM: [&str; 3] =
    ["key generation from seed", "encapsulate to encoded key", "seed and ciphertext to secret"];
const ED25519_ROWS: [&str; 3] =
    ["public key from seed", "sign with expanded key", "decode key and verify"];
const ML_DSA: [&str; 3] =
    ["key generation from seed", "sign, hedged, kept key", "decode key and verify"];

// An algorithm that is not in these has no cost, and whoever asks for it hears of that.

/// KEMs: the libraries. The name is the title of the table.
const KEMS: [(KemAlgorithm, &[&str]); 2] =
    [(KemAlgorithm::MlKem768, GRAVIOLA), (KemAlgorithm::MlKem1024, LIBCRUX)];

/// AEADs: their name in the rows, and the libraries.
const AEADS: [(AeadAlgorithm, &str, &[&str]); 3] = [
    (AeadAlgorithm::Aes128Gcm, "AES-128-GCM", GCM),
    (AeadAlgorithm::Aes256Gcm, "AES-256-GCM", GCM),
    (AeadAlgorithm::ChaCha20Poly1305, "ChaCha20-Poly1305", GRAVIOLA),
];

/// What hashes the message of Ed25519 (RFC 8032, section 5.1) and of ML-DSA (FIPS 204, algorithm 7,
/// line 6).
const SHA_512: Place = ("SHA-2", "SHA-512 of 64 KiB", RUST_CRYPTO);
const SHAKE_256: Place = ("SHA-3", "SHAKE256 of 64 KiB to 32 B", LIBCRUX);

/// Where a signature scheme is found. Its name is the title of the table.
struct Signatures {
    scheme: SignatureScheme,
    /// Of key, signature and verification.
    rows: [&'static str; 3],
    libraries: &'static [&'static str],
    /// What hashes the message.
    hash: Place,
    /// How often, to sign; once to verify.
    passes: f64,
}

/// Ed25519 hashes the message twice to sign it (RFC 8032, section 5.1.6).
#[rustfmt::skip]
const SIGNATURES: [Signatures; 4] = [
    Signatures { scheme: SignatureScheme::Ed25519, rows: ED25519_ROWS, libraries: ED25519, hash: SHA_512,   passes: 2.0 },
    Signatures { scheme: SignatureScheme::MlDsa44, rows: ML_DSA,       libraries: LIBCRUX, hash: SHAKE_256, passes: 1.0 },
    Signatures { scheme: SignatureScheme::MlDsa65, rows: ML_DSA,       libraries: LIBCRUX, hash: SHAKE_256, passes: 1.0 },
    Signatures { scheme: SignatureScheme::MlDsa87, rows: ML_DSA,       libraries: LIBCRUX, hash: SHAKE_256, passes: 1.0 },
];

/// Lengths at which what grows with length is measured, and their names in the rows.
const LENGTHS: [(usize, &str); 3] = [(64, "64 B"), (1 << 10, "1 KiB"), (1 << 16, "64 KiB")];

/// The length of the additional data with which the AEADs are measured.
pub(super) const MEASURED_AAD: usize = 32;

/// The length of message for which signatures are measured.
const SIGNED: usize = 256;

/// Costs of primitives, in microseconds.
#[derive(Debug)]
pub struct Costs(HashMap<(String, String), Vec<(String, f64)>>);

impl Costs {
    /// From measured tables.
    ///
    /// # Errors
    ///
    /// If one of the primitives that any suite needs is missing.
    pub fn new(tables: &[Table]) -> Result<Self, Missing> {
        let rows = tables.iter().flat_map(|table| {
            table.rows.iter().map(|row| {
                let times = row.times.iter().map(|(name, time)| (name.clone(), time.median));
                ((table.title.clone(), row.operation.clone()), times.collect())
            })
        });
        let costs = Self(rows.collect());
        for primitive in every_primitive() {
            costs.of(primitive)?;
        }
        Ok(costs)
    }

    /// What a primitive costs.
    pub(super) fn of(&self, primitive: Primitive) -> Result<f64, Missing> {
        let [generate, encapsulate, decapsulate] = ML_KEM;
        match primitive {
            Primitive::X25519Public => self.at(("X25519", "public key from private key", GRAVIOLA)),
            Primitive::X25519Shared => self.at(("X25519", "shared secret", GRAVIOLA)),
            Primitive::MlKemKeyGen(kem) => self.ml_kem(kem, generate),
            Primitive::MlKemEncapsulate(kem) => self.ml_kem(kem, encapsulate),
            Primitive::MlKemDecapsulate(kem) => self.ml_kem(kem, decapsulate),
            Primitive::Sha3 => self.at(("SHA-3", "SHA3-256 of 134 B", GRAVIOLA)),
            Primitive::Shake256 => self.at(("SHA-3", "SHAKE256 of 32 B to 96 B", GRAVIOLA)),
            Primitive::Hash(hash, length) => {
                self.growing("SHA-2", &format!("{} of", hash.name()), RUST_CRYPTO, length)
            }
            Primitive::Hmac(hash, length) => {
                self.growing("HMAC", &format!("HMAC-{} of", hash.name()), RUST_CRYPTO, length)
            }
            Primitive::Seal(aead, length) => self.aead(aead, "seal", length),
            Primitive::Open(aead, length) => self.aead(aead, "open", length),
            Primitive::SignatureKey(scheme) => self.signature(scheme, 0, 0),
            Primitive::Sign(scheme, length) => self.signature(scheme, 1, length),
            Primitive::Verify(scheme, length) => self.signature(scheme, 2, length),
            Primitive::Random(length) => {
                let blocks = length.div_ceil(64).max(1) as f64;
                Ok(self.at(("Randomness", "64 random bytes", RANDOM))? * blocks)
            }
        }
    }

    fn ml_kem(&self, kem: KemAlgorithm, operation: &'static str) -> Result<f64, Missing> {
        let known = KEMS.iter().find(|(known, _)| *known == kem);
        let (_, libraries) = known.ok_or_else(|| unknown(kem.name()))?;
        self.at((kem.name(), operation, libraries))
    }

    fn aead(&self, aead: AeadAlgorithm, operation: &str, length: usize) -> Result<f64, Missing> {
        let known = AEADS.iter().find(|(known, ..)| *known == aead);
        let (_, name, libraries) = known.ok_or_else(|| unknown(aead.name()))?;
        self.growing("AEAD", &format!("{name} {operation}"), libraries, length)
    }

    /// A row of a scheme, and the bytes of the message beyond those that were measured.
    fn signature(
        &self,
        scheme: SignatureScheme,
        row: usize,
        length: usize,
    ) -> Result<f64, Missing> {
        let known = SIGNATURES.iter().find(|known| known.scheme == scheme);
        let known = known.ok_or_else(|| unknown(scheme.name()))?;
        let passes = [0.0, known.passes, 1.0][row];
        let longer = length.saturating_sub(SIGNED) as f64 * passes * self.at(known.hash)? / 65536.0;
        Ok(self.at((scheme.name(), known.rows[row], known.libraries))? + longer)
    }

    fn at(&self, (title, operation, libraries): Place) -> Result<f64, Missing> {
        self.find(title, operation, libraries)
    }

    fn find(
        &self,
        title: &'static str,
        operation: &str,
        libraries: &'static [&'static str],
    ) -> Result<f64, Missing> {
        let missing = || Missing { title, operation: operation.to_owned(), libraries };
        let row = self.0.get(&(title.to_owned(), operation.to_owned())).ok_or_else(missing)?;
        let times = row.iter().filter(|(library, _)| libraries.contains(&library.as_str()));
        times.map(|(_, time)| *time).min_by(f64::total_cmp).ok_or_else(missing)
    }

    /// Linear between the lengths that were measured, and on from the last two; what is shorter
    /// than the shortest costs as much.
    fn growing(
        &self,
        title: &'static str,
        operation: &str,
        libraries: &'static [&'static str],
        length: usize,
    ) -> Result<f64, Missing> {
        let at = |(length, name): (usize, &str)| {
            let time = self.find(title, &format!("{operation} {name}"), libraries)?;
            Ok((length as f64, time))
        };
        let [short, middle, long] = LENGTHS;
        let (from, to) = if length <= middle.0 { (short, middle) } else { (middle, long) };
        let ((from, cost), (to, more)) = (at(from)?, at(to)?);
        let further = (length as f64 - from).max(0.0) / (to - from);
        Ok(cost + (more - cost).max(0.0) * further)
    }
}

fn unknown(algorithm: &'static str) -> Missing {
    Missing { title: algorithm, operation: "the algorithm".into(), libraries: &[] }
}

/// Each primitive that a suite of the report needs, at some length.
fn every_primitive() -> Vec<Primitive> {
    let mut all = vec![
        Primitive::X25519Public,
        Primitive::X25519Shared,
        Primitive::Sha3,
        Primitive::Shake256,
        Primitive::Random(32),
    ];
    for (kem, _) in KEMS {
        all.extend([
            Primitive::MlKemKeyGen(kem),
            Primitive::MlKemEncapsulate(kem),
            Primitive::MlKemDecapsulate(kem),
        ]);
    }
    for length in LENGTHS.map(|(length, _)| length) {
        for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sha384] {
            all.extend([Primitive::Hash(hash, length), Primitive::Hmac(hash, length)]);
        }
        for (aead, ..) in AEADS {
            all.extend([Primitive::Seal(aead, length), Primitive::Open(aead, length)]);
        }
    }
    for Signatures { scheme, .. } in SIGNATURES {
        all.extend([
            Primitive::SignatureKey(scheme),
            Primitive::Sign(scheme, SIGNED + 1),
            Primitive::Verify(scheme, SIGNED + 1),
        ]);
    }
    all
}

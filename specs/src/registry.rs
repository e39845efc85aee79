//! What the registry of cipher suites holds.

use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::SignatureScheme;
use trellis_ciphersuites::{CipherSuite, Ecosystem, Protection};

use crate::Error;
use crate::table::{number, table};

/// The suites that the draft is about: X25519 and ML-KEM.
pub(crate) fn hybrids() -> impl Iterator<Item = CipherSuite> {
    CipherSuite::all().filter(|suite| suite.kem() == KemAlgorithm::MlKem768X25519)
}

fn post_quantum() -> impl Iterator<Item = CipherSuite> {
    CipherSuite::all().filter(|suite| suite.confidentiality() != Protection::Classical)
}

/// What a suite is called in tables whose columns are narrow.
pub(crate) fn short(suite: CipherSuite) -> String {
    suite.row().map_or_else(|| legacy(suite), |row| row.to_string())
}

fn legacy(suite: CipherSuite) -> String {
    let old = suite.code_point(Ecosystem::OpenMls).map(number).unwrap_or_default();
    format!("legacy {old}")
}

fn others() -> impl Iterator<Item = CipherSuite> {
    post_quantum().filter(|suite| suite.kem() != KemAlgorithm::MlKem768X25519)
}

fn names(suites: impl Iterator<Item = CipherSuite>, anchor: &str, title: &str) -> String {
    let rows = suites.map(|suite| vec![short(suite), suite.name().to_string()]);
    table(anchor, title, &["Row", "Name"], rows)
}

fn parts(suites: impl Iterator<Item = CipherSuite>, anchor: &str, title: &str) -> String {
    let rows = suites.map(|suite| {
        vec![
            short(suite),
            number(suite.kem().id()),
            number(suite.kdf().id()),
            number(suite.aead().id()),
            suite.hash().name().to_string(),
            format!("{} ({})", suite.signature().name(), number(suite.signature().id())),
        ]
    });
    table(anchor, title, &["Row", "KEM", "KDF", "AEAD", "Hash", "Signature"], rows)
}

pub(crate) fn hybrid_suites() -> Result<String, Error> {
    Ok(names(hybrids(), "suites", "The cipher suites with X25519 and ML-KEM-768"))
}

pub(crate) fn hybrid_components() -> Result<String, Error> {
    Ok(parts(hybrids(), "components", "Components of these suites"))
}

pub(crate) fn other_suites() -> Result<String, Error> {
    Ok(names(others(), "other-suites", "The other post-quantum cipher suites"))
}

pub(crate) fn other_components() -> Result<String, Error> {
    Ok(parts(others(), "other-components", "Components of the other suites"))
}

pub(crate) fn protection() -> Result<String, Error> {
    let rows = post_quantum().map(|suite| {
        vec![short(suite), suite.confidentiality().to_string(), suite.authenticity().to_string()]
    });
    let head = ["Row", "Confidentiality", "Authenticity"];
    Ok(table("levels", "The protection levels of the cipher suites", &head, rows))
}

pub(crate) fn kems() -> Result<String, Error> {
    let rows = KemAlgorithm::ALL
        .iter()
        .filter(|kem| kem.protection() != Protection::Classical)
        .map(|kem| {
            let lengths = [
                kem.private_key_len(),
                kem.public_key_len(),
                kem.enc_len(),
                kem.secret_len(),
                kem.randomness_len(),
            ];
            let mut row = vec![kem.name().to_string(), number(kem.id())];
            row.extend(lengths.map(|length| length.to_string()));
            row
        });
    let head = ["KEM", "Identifier", "Nsk#", "Npk#", "Nenc#", "Nsecret#", "Nrandom#"];
    Ok(table("kems", "KEMs and their lengths in bytes", &head, rows))
}

pub(crate) fn signatures() -> Result<String, Error> {
    let used = |scheme: &&SignatureScheme| post_quantum().any(|s| s.signature() == **scheme);
    let rows = SignatureScheme::ALL.iter().filter(used).map(|scheme| {
        let lengths = [scheme.private_key_len(), scheme.public_key_len(), scheme.signature_len()];
        let mut row = vec![scheme.name().to_string(), number(scheme.id())];
        row.extend(lengths.map(|length| length.to_string()));
        row
    });
    let head = ["Scheme", "Identifier", "Private key#", "Public key#", "Signature, at most#"];
    Ok(table("schemes", "Signature schemes and their lengths in bytes", &head, rows))
}

pub(crate) fn code_points() -> Result<String, Error> {
    let ecosystems = [Ecosystem::OpenMls, Ecosystem::Mlspp, Ecosystem::Proposed];
    let rows = post_quantum().map(|suite| {
        let mut row = vec![short(suite)];
        row.extend(ecosystems.map(|e| suite.code_point(e).map_or("-".into(), number)));
        row
    });
    let head = ["Row", "OpenMLS 0.9", "mlspp", "Trellis, where OpenMLS has none"];
    Ok(table("code-points", "Provisional code points", &head, rows))
}

/// The values of MLKEM768-X25519, and what of them is ML-KEM's.
pub(crate) fn kem_values() -> Result<String, Error> {
    let (hybrid, part) = (KemAlgorithm::MlKem768X25519, KemAlgorithm::MlKem768);
    let split = |whole: usize, first: usize, what: [&str; 2]| {
        format!("{} ({first}), then {} ({})", what[0], what[1], whole - first)
    };
    let rows = [
        ("decapsulation key", hybrid.private_key_len(), "a seed".to_string()),
        (
            "encapsulation key",
            hybrid.public_key_len(),
            split(
                hybrid.public_key_len(),
                part.public_key_len(),
                ["ML-KEM-768 key", "X25519 public key"],
            ),
        ),
        (
            "encapsulated secret",
            hybrid.enc_len(),
            split(hybrid.enc_len(), part.enc_len(), ["ML-KEM-768 ciphertext", "X25519 public key"]),
        ),
        ("shared secret", hybrid.secret_len(), "output of the combiner".into()),
        (
            "randomness of Encap",
            hybrid.randomness_len(),
            split(
                hybrid.randomness_len(),
                part.randomness_len(),
                ["m of ML-KEM", "an X25519 scalar"],
            ),
        ),
    ];
    let rows = rows.map(|(name, length, what)| vec![name.into(), length.to_string(), what]);
    Ok(table("kem-values", "Values of MLKEM768-X25519", &["Value", "Length#", "Contents"], rows))
}

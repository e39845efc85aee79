//! The registry: every cipher suite, in one table.
//!
//! A suite is data. What it does is found by following its algorithms to [`crate::kem`],
//! [`crate::symmetric`] and [`crate::signature`]; nothing anywhere asks "which suite is this?".

use std::fmt;
use std::str::FromStr;

use crate::Error;
use crate::Protection;
use crate::hpke::HpkeSuite;
use crate::kem::KemAlgorithm::{self, *};
use crate::signature::SignatureScheme::{self, *};
use crate::symmetric::AeadAlgorithm::{self, *};
use crate::symmetric::HashAlgorithm::{self, *};
use crate::symmetric::KdfAlgorithm::{self, *};

/// Who has given numbers to cipher suites.
///
/// draft-ietf-mls-pq-ciphersuites-06 still says "TBD" for its eleven rows. The provisional numbers
/// of the implementations differ and collide, so a code point is looked up here and never written
/// into code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ecosystem {
    /// The IANA registry "MLS Cipher Suites" (RFC 9420, section 17.1).
    Iana,
    /// `openmls_traits` 0.6.
    OpenMls,
    /// mlspp.
    Mlspp,
    /// Where OpenMLS has none: what Trellis proposes, next to OpenMLS's numbers.
    Proposed,
}

/// A cipher suite of MLS.
///
/// ```
/// use trellis_ciphersuites::{CipherSuite, Ecosystem, Protection};
///
/// let suite: CipherSuite = "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519".parse()?;
/// assert_eq!(suite.row(), Some(2));
/// assert_eq!(suite.code_point(Ecosystem::OpenMls), Some(0x004E));
/// assert_eq!(suite.confidentiality(), Protection::Hybrid);
/// assert_eq!(suite.authenticity(), Protection::Classical);
/// assert_eq!(CipherSuite::all().count(), 18);
/// # Ok::<(), trellis_ciphersuites::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct CipherSuite(&'static Row);

struct Row {
    name: &'static str,
    row: Option<u8>,
    iana: Option<u16>,
    openmls: Option<u16>,
    mlspp: Option<u16>,
    proposed: Option<u16>,
    kem: KemAlgorithm,
    kdf: KdfAlgorithm,
    aead: AeadAlgorithm,
    hash: HashAlgorithm,
    signature: SignatureScheme,
}

/// A suite of RFC 9420, whose number every implementation shares.
const fn rfc9420(
    name: &'static str,
    number: u16,
    (kem, kdf, aead, hash, signature): (
        KemAlgorithm,
        KdfAlgorithm,
        AeadAlgorithm,
        HashAlgorithm,
        SignatureScheme,
    ),
) -> Row {
    let number = Some(number);
    Row {
        name,
        row: None,
        iana: number,
        openmls: number,
        mlspp: number,
        proposed: None,
        kem,
        kdf,
        aead,
        hash,
        signature,
    }
}

/// A row of draft-ietf-mls-pq-ciphersuites-06, table 1.
const fn draft(
    row: u8,
    name: &'static str,
    openmls: Option<u16>,
    mlspp: Option<u16>,
    proposed: Option<u16>,
    (kem, kdf, aead, hash, signature): (
        KemAlgorithm,
        KdfAlgorithm,
        AeadAlgorithm,
        HashAlgorithm,
        SignatureScheme,
    ),
) -> Row {
    Row {
        name,
        row: Some(row),
        iana: None,
        openmls,
        mlspp,
        proposed,
        kem,
        kdf,
        aead,
        hash,
        signature,
    }
}

/// A suite that OpenMLS had before the draft, kept for the groups that use it.
const fn legacy(
    name: &'static str,
    openmls: u16,
    (kem, kdf, aead, hash, signature): (
        KemAlgorithm,
        KdfAlgorithm,
        AeadAlgorithm,
        HashAlgorithm,
        SignatureScheme,
    ),
) -> Row {
    Row {
        name,
        row: None,
        iana: None,
        openmls: Some(openmls),
        mlspp: None,
        proposed: None,
        kem,
        kdf,
        aead,
        hash,
        signature,
    }
}

#[rustfmt::skip]
static TABLE: [Row; 18] = [
    rfc9420("MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",        0x0001, (DhKemX25519, HkdfSha256, Aes128Gcm,        Sha256, Ed25519)),
    rfc9420("MLS_128_DHKEMP256_AES128GCM_SHA256_P256",             0x0002, (DhKemP256,   HkdfSha256, Aes128Gcm,        Sha256, EcdsaP256Sha256)),
    rfc9420("MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519", 0x0003, (DhKemX25519, HkdfSha256, ChaCha20Poly1305, Sha256, Ed25519)),
    rfc9420("MLS_256_DHKEMP521_AES256GCM_SHA512_P521",             0x0005, (DhKemP521,   HkdfSha512, Aes256Gcm,        Sha512, EcdsaP521Sha512)),
    rfc9420("MLS_256_DHKEMP384_AES256GCM_SHA384_P384",             0x0007, (DhKemP384,   HkdfSha384, Aes256Gcm,        Sha384, EcdsaP384Sha384)),

    draft(1,  "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519",        Some(0x004F), None,         None,         (MlKem768X25519, HkdfSha256, Aes128Gcm,        Sha256, Ed25519)),
    draft(2,  "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",        Some(0x004E), Some(0x0008), None,         (MlKem768X25519, HkdfSha384, Aes256Gcm,        Sha384, Ed25519)),
    draft(3,  "MLS_128_MLKEM768P256_AES128GCM_SHA256_P256",             None,         None,         Some(0x0053), (MlKem768P256,   HkdfSha256, Aes128Gcm,        Sha256, EcdsaP256Sha256)),
    draft(4,  "MLS_128_MLKEM768P256_AES256GCM_SHA384_P256",             None,         Some(0x0009), Some(0x0054), (MlKem768P256,   HkdfSha384, Aes256Gcm,        Sha384, EcdsaP256Sha256)),
    draft(5,  "MLS_192_MLKEM1024P384_AES256GCM_SHA384_P384",            None,         Some(0x000A), Some(0x0055), (MlKem1024P384,  HkdfSha384, Aes256Gcm,        Sha384, EcdsaP384Sha384)),
    draft(6,  "MLS_128_MLKEM768_AES256GCM_SHA384_Ed25519",              Some(0xF042), None,         None,         (MlKem768,       HkdfSha384, Aes256Gcm,        Sha384, Ed25519)),
    draft(7,  "MLS_128_MLKEM768_AES256GCM_SHA384_P256",                 Some(0x0050), None,         None,         (MlKem768,       HkdfSha384, Aes256Gcm,        Sha384, EcdsaP256Sha256)),
    draft(8,  "MLS_192_MLKEM1024_AES256GCM_SHA384_P384",                Some(0x0042), None,         None,         (MlKem1024,      HkdfSha384, Aes256Gcm,        Sha384, EcdsaP384Sha384)),
    draft(9,  "MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44", Some(0x0052), None,         None,         (MlKem768X25519, HkdfSha384, ChaCha20Poly1305, Sha384, MlDsa44)),
    draft(10, "MLS_192_MLKEM768_AES256GCM_SHA384_MLDSA65",              Some(0x0051), None,         None,         (MlKem768,       HkdfSha384, Aes256Gcm,        Sha384, MlDsa65)),
    draft(11, "MLS_256_MLKEM1024_AES256GCM_SHA384_MLDSA87",             Some(0x0907), None,         None,         (MlKem1024,      HkdfSha384, Aes256Gcm,        Sha384, MlDsa87)),

    legacy("MLS_256_XWING_CHACHA20POLY1305_SHA256_Ed25519", 0x004D, (MlKem768X25519, HkdfSha256, ChaCha20Poly1305, Sha256, Ed25519)),
    legacy("MLS_256_MLKEM1024_AES256GCM_SHA512_MLDSA87",    0x0906, (MlKem1024,      HkdfSha512, Aes256Gcm,        Sha512, MlDsa87)),
];

impl CipherSuite {
    /// Every suite: RFC 9420's, then the rows of the draft, then the legacy ones of OpenMLS.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        TABLE.iter().map(Self)
    }

    /// The suite with this number in an ecosystem.
    ///
    /// # Errors
    ///
    /// [`Error::Unknown`].
    pub fn from_code_point(ecosystem: Ecosystem, number: u16) -> Result<Self, Error> {
        Self::all().find(|suite| suite.code_point(ecosystem) == Some(number)).ok_or(Error::Unknown)
    }

    /// The name, as RFC 9420 and the draft write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// The row of draft-ietf-mls-pq-ciphersuites-06: `n` for its `TBDn`.
    #[must_use]
    pub const fn row(self) -> Option<u8> {
        self.0.row
    }

    /// The number in an ecosystem, if it has given one.
    #[must_use]
    pub const fn code_point(self, ecosystem: Ecosystem) -> Option<u16> {
        match ecosystem {
            Ecosystem::Iana => self.0.iana,
            Ecosystem::OpenMls => self.0.openmls,
            Ecosystem::Mlspp => self.0.mlspp,
            Ecosystem::Proposed => self.0.proposed,
        }
    }

    /// KEM, KDF and AEAD.
    #[must_use]
    pub const fn hpke(self) -> HpkeSuite {
        HpkeSuite { kem: self.0.kem, kdf: self.0.kdf, aead: self.0.aead }
    }

    /// The key encapsulation mechanism.
    #[must_use]
    pub const fn kem(self) -> KemAlgorithm {
        self.0.kem
    }

    /// The KDF of HPKE.
    #[must_use]
    pub const fn kdf(self) -> KdfAlgorithm {
        self.0.kdf
    }

    /// The AEAD.
    #[must_use]
    pub const fn aead(self) -> AeadAlgorithm {
        self.0.aead
    }

    /// The hash of the key schedule, the tree and the transcript.
    #[must_use]
    pub const fn hash(self) -> HashAlgorithm {
        self.0.hash
    }

    /// The signature scheme.
    #[must_use]
    pub const fn signature(self) -> SignatureScheme {
        self.0.signature
    }

    /// What protects the content: the KEM.
    #[must_use]
    pub const fn confidentiality(self) -> Protection {
        self.0.kem.protection()
    }

    /// What protects the origin: the signature. No suite has hybrid signatures.
    #[must_use]
    pub const fn authenticity(self) -> Protection {
        self.0.signature.protection()
    }

    /// Every size in bytes.
    #[must_use]
    pub const fn sizes(self) -> Sizes {
        let Row { kem, aead, hash, signature, .. } = self.0;
        Sizes {
            kem_public_key: kem.public_key_len(),
            kem_private_key: kem.private_key_len(),
            kem_enc: kem.enc_len(),
            kem_secret: kem.secret_len(),
            aead_key: aead.key_len(),
            aead_nonce: aead.nonce_len(),
            aead_tag: aead.tag_len(),
            hash: hash.len(),
            signature_public_key: signature.public_key_len(),
            signature_private_key: signature.private_key_len(),
            signature: signature.signature_len(),
        }
    }
}

/// The sizes of a suite, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Encapsulation key, `Npk`.
    pub kem_public_key: usize,
    /// Decapsulation key in its serialised form, `Nsk`.
    pub kem_private_key: usize,
    /// Encapsulated secret, `Nenc`.
    pub kem_enc: usize,
    /// Shared secret, `Nsecret`.
    pub kem_secret: usize,
    /// AEAD key, `Nk`.
    pub aead_key: usize,
    /// AEAD nonce, `Nn`.
    pub aead_nonce: usize,
    /// AEAD tag, `Nt`.
    pub aead_tag: usize,
    /// Hash, `Nh`.
    pub hash: usize,
    /// Verification key.
    pub signature_public_key: usize,
    /// Signing key in its serialised form.
    pub signature_private_key: usize,
    /// The longest signature.
    pub signature: usize,
}

impl PartialEq for CipherSuite {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for CipherSuite {}

impl std::hash::Hash for CipherSuite {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl fmt::Debug for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for CipherSuite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for CipherSuite {
    type Err = Error;

    /// Finds a suite by its name, upper or lower case, with or without the leading `MLS_`.
    fn from_str(name: &str) -> Result<Self, Error> {
        let bare = |name: &str| {
            let name = name.to_ascii_uppercase();
            name.strip_prefix("MLS_").map(str::to_owned).unwrap_or(name)
        };
        let wanted = bare(name);
        Self::all().find(|suite| bare(suite.name()) == wanted).ok_or(Error::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_and_numbers_are_unique_and_lead_back() {
        let names: HashSet<_> = CipherSuite::all().map(CipherSuite::name).collect();
        assert_eq!(names.len(), 18);
        for suite in CipherSuite::all() {
            assert_eq!(suite.to_string().parse(), Ok(suite));
            assert_eq!(suite.name()[4..].to_lowercase().parse(), Ok(suite));
            for ecosystem in
                [Ecosystem::Iana, Ecosystem::OpenMls, Ecosystem::Mlspp, Ecosystem::Proposed]
            {
                if let Some(number) = suite.code_point(ecosystem) {
                    assert_eq!(CipherSuite::from_code_point(ecosystem, number), Ok(suite));
                }
            }
        }
        assert_eq!(
            format!("MLS_{}", CipherSuite(&TABLE[0])).parse::<CipherSuite>(),
            Err(Error::Unknown)
        );
        assert_eq!("MLS_128_NOTHING".parse::<CipherSuite>(), Err(Error::Unknown));
        assert_eq!(CipherSuite::from_code_point(Ecosystem::Iana, 0x004E), Err(Error::Unknown));
    }

    #[test]
    fn the_name_says_what_the_suite_is_made_of() {
        for suite in CipherSuite::all()
            .filter(|suite| suite.row().is_some() || suite.code_point(Ecosystem::Iana).is_some())
        {
            let squeeze = |name: &str| name.replace(['-', '_'], "").to_uppercase();
            let kem = squeeze(suite.kem().name()).replace("DHKEM(", "DHKEM");
            let kem = kem.split(',').next().unwrap_or_default();
            let parts: Vec<_> = suite.name().split('_').collect();
            assert_eq!(squeeze(parts[2]), kem, "{suite}");
            assert_eq!(squeeze(parts[3]), squeeze(suite.aead().name()), "{suite}");
            assert_eq!(squeeze(parts[4]), squeeze(suite.hash().name()), "{suite}");
            assert!(squeeze(suite.signature().name()).contains(&squeeze(parts[5])), "{suite}");
            assert_eq!(suite.kdf().len(), suite.hash().len(), "{suite}");
        }
    }

    #[test]
    fn the_rows_of_the_draft_are_complete() {
        let rows: Vec<_> = CipherSuite::all().filter_map(CipherSuite::row).collect();
        assert_eq!(rows, (1..=11).collect::<Vec<_>>());
    }
}

//! The two ways to derive an HPKE key pair.

use trellis_ciphersuites::kem::{KemAlgorithm, KeyPair};
use trellis_ciphersuites::symmetric::shake256;
use trellis_ciphersuites::{Backend, Error, Protection};

/// How `DeriveKeyPair` makes the seed of an ML-KEM or hybrid key from its input `ikm`.
///
/// All members of a group must use the same: MLS derives the key pairs of a commit's path on the
/// sender's and on the receivers' side, and they must come out equal. Between members with
/// different derivations key packages, Welcomes without a path and messages pass. The first commit
/// with a path then fails with OpenMLS's `UpdatePathError(PathMismatch)`, an external commit
/// likewise, and a Welcome that carries a path secret (OpenMLS's `add_members` makes such) with
/// `PublicTreeError(PublicKeyMismatch)`.
///
/// Classical suites have one derivation (RFC 9180), so this makes no difference to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyDerivation {
    /// As drafted: `SHAKE256.LabeledDerive(ikm, "DeriveKeyPair", "", L)` (draft-ietf-hpke-pq,
    /// sections 3 and 4). The default, and what other MLS stacks do.
    #[default]
    HpkePq,
    /// As OpenMLS's own providers up to `openmls_rust_crypto` 0.6 and `openmls_libcrux_crypto` 0.4
    /// do through `hpke-rs` 0.7: `SHAKE256(ikm, L)` without a label. For groups that have such
    /// members.
    OpenMls09,
}

impl KeyDerivation {
    /// `DeriveKeyPair(ikm)` of a KEM in this way.
    ///
    /// # Errors
    ///
    /// Those of [`KemAlgorithm::derive_key_pair`].
    pub fn derive(self, kem: KemAlgorithm, backend: Backend, ikm: &[u8]) -> Result<KeyPair, Error> {
        if self == Self::HpkePq || kem.protection() == Protection::Classical {
            return kem.derive_key_pair(backend, ikm);
        }
        let private = shake256(backend, ikm, kem.private_key_len());
        let public = kem.public_key(backend, &private)?;
        Ok(KeyPair { private, public })
    }
}

//! Accounts: two signature keys, both of which have to sign.

use std::fmt;

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::signatures::Signer;
use openmls_traits::types::{HashType, SignatureScheme};
use openmls_trellis_crypto::{TrellisCrypto, TrellisSigner};
use zeroize::Zeroizing;

use super::IdentityError;
use super::codec::{Malformed, Reader, put_opaque};
use crate::Address;

/// The two schemes: one that is old and trusted, one that a quantum computer does not break. A
/// statement holds only if both do, so it takes breaking both to forge one.
const CLASSICAL: SignatureScheme = SignatureScheme::ED25519;
const POST_QUANTUM: SignatureScheme = SignatureScheme::MLDSA65;

const ED25519_KEY: usize = 32;
const ED25519_SIGNATURE: usize = 64;
const ML_DSA_KEY: usize = 1952;
const ML_DSA_SIGNATURE: usize = 3309;
const SEED: usize = 32;

/// SHA-256.
pub(super) fn sha256(crypto: &TrellisCrypto, bytes: &[u8]) -> [u8; 32] {
    let digest = crypto.hash(HashType::Sha2_256, bytes);
    digest.ok().and_then(|digest| digest.try_into().ok()).expect("SHA-256 takes all and gives 32")
}

/// What is hashed or signed: a label, of which one is never the other's, then the content.
pub(super) fn labelled(label: &str, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 + label.len() + content.len());
    put_opaque(&mut out, label.as_bytes());
    out.extend_from_slice(content);
    out
}

/// The public keys of an account, 1984 bytes: Ed25519 (32) and ML-DSA-65 (1952).
#[derive(Clone, PartialEq, Eq)]
pub struct AccountPublic {
    ed25519: [u8; ED25519_KEY],
    ml_dsa: Box<[u8; ML_DSA_KEY]>,
}

impl AccountPublic {
    /// How many bytes it has.
    pub const LENGTH: usize = ED25519_KEY + ML_DSA_KEY;

    /// The address: SHA-256 of `opaque label<V> = "trellis account v1"`, then both keys.
    #[must_use]
    pub fn address(&self, crypto: &TrellisCrypto) -> Address {
        let mut keys = Vec::with_capacity(Self::LENGTH);
        self.write(&mut keys);
        Address(sha256(crypto, &labelled("trellis account v1", &keys)))
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ed25519);
        out.extend_from_slice(&self.ml_dsa[..]);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { ed25519: reader.array()?, ml_dsa: Box::new(reader.array()?) })
    }

    /// Whether both keys signed.
    pub(super) fn verify(
        &self,
        crypto: &TrellisCrypto,
        statement: &[u8],
        signatures: &Signatures,
    ) -> bool {
        [
            (CLASSICAL, &self.ed25519[..], &signatures.ed25519[..]),
            (POST_QUANTUM, &self.ml_dsa[..], &signatures.ml_dsa[..]),
        ]
        .into_iter()
        .all(|(scheme, key, signature)| {
            crypto.verify_signature(scheme, statement, key, signature).is_ok()
        })
    }
}

/// Prints nothing of the keys, by which an account could be followed.
impl fmt::Debug for AccountPublic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountPublic(..)")
    }
}

/// The signatures of both keys, 3373 bytes: Ed25519 (64) and ML-DSA-65 (3309).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Signatures {
    ed25519: [u8; ED25519_SIGNATURE],
    ml_dsa: Box<[u8; ML_DSA_SIGNATURE]>,
}

impl Signatures {
    pub(super) const LENGTH: usize = ED25519_SIGNATURE + ML_DSA_SIGNATURE;

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ed25519);
        out.extend_from_slice(&self.ml_dsa[..]);
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { ed25519: reader.array()?, ml_dsa: Box::new(reader.array()?) })
    }
}

impl fmt::Debug for Signatures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signatures(..)")
    }
}

/// The private keys of an account. They sign what devices belong to the account, and nothing else:
/// a person can keep them offline.
///
/// Wiped when dropped.
#[derive(Clone)]
pub struct AccountKeys {
    seeds: Zeroizing<Vec<u8>>,
    ed25519: TrellisSigner,
    ml_dsa: TrellisSigner,
    public: AccountPublic,
}

impl AccountKeys {
    /// How many bytes [`to_bytes`](Self::to_bytes) gives: two seeds of 32.
    pub const LENGTH: usize = 2 * SEED;

    /// A new account.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Crypto`] if there is no randomness to be had.
    pub fn generate(crypto: &TrellisCrypto) -> Result<Self, IdentityError> {
        let mut seeds = Zeroizing::new(Vec::with_capacity(Self::LENGTH));
        for scheme in [CLASSICAL, POST_QUANTUM] {
            let (private, _) = crypto.signature_key_gen(scheme).map_err(IdentityError::Crypto)?;
            seeds.extend_from_slice(&Zeroizing::new(private));
        }
        Self::from_bytes(crypto, &seeds)
    }

    /// The account of two seeds: 32 bytes for Ed25519, 32 for ML-DSA-65.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Malformed`] for any other number of bytes.
    pub fn from_bytes(crypto: &TrellisCrypto, seeds: &[u8]) -> Result<Self, IdentityError> {
        let malformed = IdentityError::Malformed("pair of account seeds");
        let (first, second) = seeds.split_at_checked(SEED).ok_or(malformed)?;
        if second.len() != SEED {
            return Err(malformed);
        }
        let signer = |scheme, seed| {
            TrellisSigner::from_seed(scheme, seed)
                .and_then(|signer| signer.hedged_by(crypto))
                .map_err(IdentityError::Crypto)
        };
        let (ed25519, ml_dsa) = (signer(CLASSICAL, first)?, signer(POST_QUANTUM, second)?);
        let keys = [ed25519.public_key(), ml_dsa.public_key()].concat();
        let public = AccountPublic::read(&mut Reader::new(&keys)).map_err(|_| malformed)?;
        Ok(Self { seeds: Zeroizing::new(seeds.to_vec()), ed25519, ml_dsa, public })
    }

    /// The two seeds, 64 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        self.seeds.clone()
    }

    /// The public keys.
    #[must_use]
    pub fn public(&self) -> &AccountPublic {
        &self.public
    }

    /// Signs with both keys.
    pub(super) fn sign(&self, statement: &[u8]) -> Result<Signatures, IdentityError> {
        // ML-DSA with the empty context, as MLS has it: what it is about, the statement says.
        let failed = |_| IdentityError::Crypto(openmls_traits::types::CryptoError::SigningError);
        let both = [
            self.ed25519.sign(statement).map_err(failed)?,
            self.ml_dsa.sign(statement).map_err(failed)?,
        ]
        .concat();
        Signatures::read(&mut Reader::new(&both))
            .map_err(IdentityError::malformed("pair of signatures"))
    }
}

impl fmt::Debug for AccountKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountKeys(***)")
    }
}

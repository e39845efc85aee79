//! Signatures: Ed25519 (RFC 8032), ECDSA (FIPS 186-5, nonces of RFC 6979) and ML-DSA (FIPS 204).

use ed25519_dalek::Signer as _;
use ml_dsa::{ExpandedSigningKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use trellis_ciphersuites::signature::SignatureScheme;

use super::source::fresh;
use super::{Of, invalid};
use crate::Refusal;

/// A signature scheme.
pub(super) trait Scheme {
    fn verification_key(&self, private: &[u8]) -> Result<Vec<u8>, Refusal>;
    fn sign(
        &self,
        private: &[u8],
        message: &[u8],
        randomness: Option<&[u8; 32]>,
    ) -> Result<Vec<u8>, Refusal>;
    fn verify(&self, public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refusal>;
}

/// The implementation of a scheme.
pub(super) fn scheme(scheme: SignatureScheme) -> &'static dyn Scheme {
    match scheme {
        SignatureScheme::EcdsaP256Sha256 => &EcdsaP256,
        SignatureScheme::EcdsaP384Sha384 => &EcdsaP384,
        SignatureScheme::EcdsaP521Sha512 => &EcdsaP521,
        SignatureScheme::Ed25519 => &Ed25519,
        SignatureScheme::MlDsa44 => &Of::<MlDsa44>::NEW,
        SignatureScheme::MlDsa65 => &Of::<MlDsa65>::NEW,
        SignatureScheme::MlDsa87 => &Of::<MlDsa87>::NEW,
    }
}

struct Ed25519;

impl Ed25519 {
    fn key(private: &[u8]) -> Result<ed25519_dalek::SigningKey, Refusal> {
        let seed = private.try_into().map_err(invalid("invalid-private-key"))?;
        Ok(ed25519_dalek::SigningKey::from_bytes(seed))
    }
}

impl Scheme for Ed25519 {
    fn verification_key(&self, private: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(Self::key(private)?.verifying_key().to_bytes().to_vec())
    }

    fn sign(
        &self,
        private: &[u8],
        message: &[u8],
        _: Option<&[u8; 32]>,
    ) -> Result<Vec<u8>, Refusal> {
        Ok(Self::key(private)?.sign(message).to_bytes().to_vec())
    }

    /// Strict: a key of small order or that is not the canonical encoding of its point is none.
    fn verify(&self, public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let bytes: &[u8; 32] = public.try_into().map_err(invalid("invalid-public-key"))?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .map_err(invalid("invalid-public-key"))?;
        if key.is_weak() || key.to_edwards().compress().as_bytes() != bytes {
            return Err(Refusal::Invalid("invalid-public-key"));
        }
        let signature = ed25519_dalek::Signature::from_slice(signature)
            .map_err(invalid("invalid-signature"))?;
        key.verify_strict(message, &signature).map_err(invalid("invalid-signature"))
    }
}

macro_rules! ecdsa {
    ($name:ident, $curve:ident, $scheme:ident) => {
        struct $name;

        impl $name {
            fn key(private: &[u8]) -> Result<$curve::ecdsa::SigningKey, Refusal> {
                // `from_slice` would take a shorter scalar, too.
                if private.len() != SignatureScheme::$scheme.private_key_len() {
                    return Err(Refusal::Invalid("invalid-private-key"));
                }
                $curve::ecdsa::SigningKey::from_slice(private)
                    .map_err(invalid("invalid-private-key"))
            }
        }

        impl Scheme for $name {
            fn verification_key(&self, private: &[u8]) -> Result<Vec<u8>, Refusal> {
                Ok(Self::key(private)?.verifying_key().to_sec1_point(false).as_bytes().to_vec())
            }

            fn sign(
                &self,
                private: &[u8],
                message: &[u8],
                _: Option<&[u8; 32]>,
            ) -> Result<Vec<u8>, Refusal> {
                let signature: $curve::ecdsa::DerSignature =
                    Self::key(private)?.try_sign(message).map_err(invalid("signing-failed"))?;
                Ok(signature.as_bytes().to_vec())
            }

            /// Uncompressed points and DER (RFC 9420, sections 5.1.1 and 5.1.2).
            fn verify(
                &self,
                public: &[u8],
                message: &[u8],
                signature: &[u8],
            ) -> Result<(), Refusal> {
                use $curve::ecdsa::signature::Verifier;
                // The length leaves only the uncompressed form.
                if public.len() != SignatureScheme::$scheme.public_key_len() {
                    return Err(Refusal::Invalid("invalid-public-key"));
                }
                let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(public)
                    .map_err(invalid("invalid-public-key"))?;
                let signature = $curve::ecdsa::DerSignature::from_bytes(signature)
                    .map_err(invalid("invalid-signature"))?;
                key.verify(message, &signature).map_err(invalid("invalid-signature"))
            }
        }
    };
}

ecdsa!(EcdsaP256, p256, EcdsaP256Sha256);
ecdsa!(EcdsaP384, p384, EcdsaP384Sha384);
ecdsa!(EcdsaP521, p521, EcdsaP521Sha512);

/// What precedes the message if the context string is empty and nothing is hashed ahead
/// (FIPS 204, algorithm 2).
const PURE: &[u8] = &[0, 0];

impl<P: MlDsaParams> Of<P> {
    fn key(private: &[u8]) -> Result<ExpandedSigningKey<P>, Refusal> {
        let seed = private.try_into().map_err(invalid("invalid-private-key"))?;
        Ok(ExpandedSigningKey::from_seed(seed))
    }
}

/// A parameter set of ML-DSA, pure and with the empty context string (draft-ietf-tls-mldsa).
impl<P: MlDsaParams> Scheme for Of<P> {
    fn verification_key(&self, private: &[u8]) -> Result<Vec<u8>, Refusal> {
        Ok(Self::key(private)?.verifying_key().encode().to_vec())
    }

    fn sign(
        &self,
        private: &[u8],
        message: &[u8],
        randomness: Option<&[u8; 32]>,
    ) -> Result<Vec<u8>, Refusal> {
        let key = Self::key(private)?;
        let randomness = randomness.map_or_else(|| fresh(32), |bytes| Ok(bytes.to_vec()))?;
        let randomness = randomness[..].try_into().map_err(invalid("invalid-length"))?;
        Ok(key.sign_internal(&[PURE, message], randomness).encode().to_vec())
    }

    fn verify(&self, public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Refusal> {
        let public = public.try_into().map_err(invalid("invalid-public-key"))?;
        let key = ml_dsa::VerifyingKey::<P>::decode(public);
        let encoded = signature.try_into().map_err(invalid("invalid-signature"))?;
        ml_dsa::Signature::<P>::decode(encoded)
            .filter(|signature| key.verify_with_context(message, b"", signature))
            .map(drop)
            .ok_or(Refusal::Invalid("invalid-signature"))
    }
}

//! P-256, P-384 and P-521 by RustCrypto: Diffie-Hellman (SP 800-56A) and ECDSA (FIPS 186-5).
//!
//! Points are uncompressed (RFC 9180, section 7.1.1; RFC 9420, section 5.1.1), signatures are DER.
//! ECDSA nonces are deterministic (RFC 6979).

use crate::Error;
use crate::backend::{Group, Scheme, Sign, Verify};

/// The first byte of an uncompressed point (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;

macro_rules! curve {
    ($name:ident, $library:ident) => {
        pub(crate) struct $name;

        impl $name {
            fn public(bytes: &[u8]) -> Result<$library::PublicKey, Error> {
                match bytes.first() {
                    Some(&UNCOMPRESSED) => $library::PublicKey::from_sec1_bytes(bytes)
                        .map_err(|_| Error::InvalidPublicKey),
                    _ => Err(Error::InvalidPublicKey),
                }
            }

            fn secret(bytes: &[u8]) -> Result<$library::SecretKey, Error> {
                let bytes = bytes.try_into().map_err(|_| Error::InvalidPrivateKey)?;
                $library::SecretKey::from_bytes(bytes).map_err(|_| Error::InvalidPrivateKey)
            }
        }

        impl Group for $name {
            fn public_key(&self, private: &[u8], public: &mut [u8]) -> Result<(), Error> {
                public.copy_from_slice(&Self::secret(private)?.public_key().to_sec1_bytes());
                Ok(())
            }

            fn shared_secret(
                &self,
                private: &[u8],
                public: &[u8],
                out: &mut [u8],
            ) -> Result<(), Error> {
                let shared = Self::secret(private)?.diffie_hellman(&Self::public(public)?);
                out.copy_from_slice(shared.raw_secret_bytes());
                Ok(())
            }

            fn check_public_key(&self, public: &[u8]) -> Result<(), Error> {
                Self::public(public).map(drop)
            }

            fn check_private_key(&self, private: &[u8]) -> Result<(), Error> {
                Self::secret(private).map(drop)
            }
        }

        impl Scheme for $name {
            fn signing_key(&self, private: &[u8]) -> Result<Box<dyn Sign>, Error> {
                Ok(Box::new($library::ecdsa::SigningKey::from(Self::secret(private)?)))
            }

            fn verifying_key(&self, public: &[u8]) -> Result<Box<dyn Verify>, Error> {
                Ok(Box::new($library::ecdsa::VerifyingKey::from(Self::public(public)?)))
            }
        }

        impl Sign for $library::ecdsa::SigningKey {
            fn public_key(&self) -> Vec<u8> {
                self.verifying_key().to_sec1_point(false).as_bytes().to_vec()
            }

            fn sign(&self, message: &[u8], _: &[u8; 32]) -> Result<Vec<u8>, Error> {
                use $library::ecdsa::signature::Signer;
                let signature: $library::ecdsa::DerSignature =
                    self.try_sign(message).map_err(|_| Error::SigningFailed)?;
                Ok(signature.as_bytes().to_vec())
            }
        }

        impl Verify for $library::ecdsa::VerifyingKey {
            fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
                use $library::ecdsa::signature::Verifier;
                let signature = $library::ecdsa::DerSignature::from_bytes(signature)
                    .map_err(|_| Error::InvalidSignature)?;
                Verifier::verify(self, message, &signature).map_err(|_| Error::InvalidSignature)
            }
        }
    };
}

curve!(P256, p256);
curve!(P384, p384);
curve!(P521, p521);

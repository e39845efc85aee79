//! X25519, P-256 and P-384, and ECDSA on the latter two.

use graviola::hashing;
use graviola::key_agreement::{p256, p384, x25519};
use graviola::signing::ecdsa;

use crate::Error;
use crate::backend::{Group, Scheme, Sign, Verify};

pub(super) struct X25519;

impl X25519 {
    fn secret(private: &[u8]) -> Result<x25519::StaticPrivateKey, Error> {
        x25519::StaticPrivateKey::try_from_slice(private).map_err(|_| Error::InvalidPrivateKey)
    }
}

impl Group for X25519 {
    fn public_key(&self, private: &[u8], public: &mut [u8]) -> Result<(), Error> {
        public.copy_from_slice(&Self::secret(private)?.public_key().as_bytes());
        Ok(())
    }

    /// graviola answers an all-zero result with an error of its own.
    fn shared_secret(&self, private: &[u8], public: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let public =
            x25519::PublicKey::try_from_slice(public).map_err(|_| Error::InvalidPublicKey)?;
        let shared =
            Self::secret(private)?.diffie_hellman(&public).map_err(|_| Error::InvalidPublicKey)?;
        out.copy_from_slice(&shared.0);
        Ok(())
    }

    fn check_public_key(&self, public: &[u8]) -> Result<(), Error> {
        self.shared_secret(&[1; 32], public, &mut [0; 32])
    }

    fn check_private_key(&self, private: &[u8]) -> Result<(), Error> {
        Self::secret(private).map(drop)
    }
}

/// Diffie-Hellman and ECDSA on one curve.
macro_rules! curve {
    ($name:ident, $module:ident, $hash:ident, $scalar:literal) => {
        pub(super) struct $name;

        impl $name {
            fn secret(private: &[u8]) -> Result<$module::StaticPrivateKey, Error> {
                if private.len() != $scalar {
                    return Err(Error::InvalidPrivateKey);
                }
                $module::StaticPrivateKey::from_bytes(private).map_err(|_| Error::InvalidPrivateKey)
            }

            fn public(public: &[u8]) -> Result<$module::PublicKey, Error> {
                $module::PublicKey::from_x962_uncompressed(public)
                    .map_err(|_| Error::InvalidPublicKey)
            }
        }

        impl Group for $name {
            fn public_key(&self, private: &[u8], public: &mut [u8]) -> Result<(), Error> {
                public.copy_from_slice(&Self::secret(private)?.public_key_uncompressed());
                Ok(())
            }

            fn shared_secret(
                &self,
                private: &[u8],
                public: &[u8],
                out: &mut [u8],
            ) -> Result<(), Error> {
                let shared = Self::secret(private)?
                    .diffie_hellman(&Self::public(public)?)
                    .map_err(|_| Error::InvalidPublicKey)?;
                out.copy_from_slice(&shared.0);
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
                let private_key = Self::secret(private)?;
                Ok(Box::new(ecdsa::SigningKey::<ecdsa::$name> { private_key }))
            }

            fn verifying_key(&self, public: &[u8]) -> Result<Box<dyn Verify>, Error> {
                let public_key = Self::public(public)?;
                Ok(Box::new(ecdsa::VerifyingKey::<ecdsa::$name> { public_key }))
            }
        }

        impl Sign for ecdsa::SigningKey<ecdsa::$name> {
            fn public_key(&self) -> Vec<u8> {
                self.private_key.public_key_uncompressed().to_vec()
            }

            /// RFC 6979 with added randomness (its section 3.6).
            fn sign(&self, message: &[u8], _: &[u8; 32]) -> Result<Vec<u8>, Error> {
                // A sequence of two integers, each a byte longer than the scalar at most; the
                // three have headers of two bytes.
                let mut out = [0; 2 + 2 * (2 + $scalar + 1)];
                self.sign_asn1::<hashing::$hash>(&[message], &mut out)
                    .map(|signature| signature.to_vec())
                    .map_err(|_| Error::SigningFailed)
            }
        }

        impl Verify for ecdsa::VerifyingKey<ecdsa::$name> {
            fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
                self.verify_asn1::<hashing::$hash>(&[message], signature)
                    .map_err(|_| Error::InvalidSignature)
            }
        }
    };
}

curve!(P256, p256, Sha256, 32);
curve!(P384, p384, Sha384, 48);

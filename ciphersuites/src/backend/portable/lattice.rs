//! ML-KEM (FIPS 203) and ML-DSA (FIPS 204) by libcrux.

use zeroize::Zeroize;

use crate::Error;
use crate::backend::{MlKem, Scheme, Sign, Verify};

macro_rules! ml_kem {
    ($name:ident, $library:ident) => {
        pub(crate) struct $name;

        impl MlKem for $name {
            fn encapsulation_key(&self, seed: &[u8; 64], key: &mut [u8]) -> Result<(), Error> {
                let pair = libcrux_ml_kem::$library::generate_key_pair(*seed);
                key.copy_from_slice(pair.pk());
                wipe(pair);
                Ok(())
            }

            fn encapsulate(
                &self,
                key: &[u8],
                m: &[u8; 32],
                ciphertext: &mut [u8],
                secret: &mut [u8; 32],
            ) -> Result<(), Error> {
                let key = key.try_into().map_err(|_| Error::InvalidPublicKey)?;
                if !libcrux_ml_kem::$library::validate_public_key(&key) {
                    return Err(Error::InvalidPublicKey);
                }
                let (encapsulated, mut shared) = libcrux_ml_kem::$library::encapsulate(&key, *m);
                ciphertext.copy_from_slice(encapsulated.as_slice());
                secret.copy_from_slice(&shared);
                shared.zeroize();
                Ok(())
            }

            fn decapsulate(
                &self,
                seed: &[u8; 64],
                ciphertext: &[u8],
                secret: &mut [u8; 32],
            ) -> Result<(), Error> {
                let ciphertext = ciphertext.try_into().map_err(|_| Error::InvalidEncapsulation)?;
                let pair = libcrux_ml_kem::$library::generate_key_pair(*seed);
                let mut shared =
                    libcrux_ml_kem::$library::decapsulate(pair.private_key(), &ciphertext);
                wipe(pair);
                secret.copy_from_slice(&shared);
                shared.zeroize();
                Ok(())
            }

            fn check_encapsulation_key(&self, key: &[u8]) -> Result<(), Error> {
                let key = key.try_into().map_err(|_| Error::InvalidPublicKey)?;
                if libcrux_ml_kem::$library::validate_public_key(&key) {
                    Ok(())
                } else {
                    Err(Error::InvalidPublicKey)
                }
            }
        }
    };
}

/// Wipes the private half of a key pair; libcrux leaves that to its callers.
fn wipe<const PRIVATE: usize, const PUBLIC: usize>(
    pair: libcrux_ml_kem::MlKemKeyPair<PRIVATE, PUBLIC>,
) {
    let (mut private, _) = pair.into_parts();
    private[0..].zeroize();
}

ml_kem!(MlKem768, mlkem768);
ml_kem!(MlKem1024, mlkem1024);

/// ML-DSA is used pure, with the empty context string (draft-ietf-tls-mldsa).
const CONTEXT: &[u8] = b"";

macro_rules! ml_dsa {
    ($name:ident, $sign:ident, $verify:ident, $library:ident, $signing:ident, $verifying:ident) => {
        pub(crate) struct $name;

        /// The expanded private key beside its public key.
        struct $sign {
            private: libcrux_ml_dsa::$library::$signing,
            public: libcrux_ml_dsa::$library::$verifying,
        }

        struct $verify(libcrux_ml_dsa::$library::$verifying);

        impl Scheme for $name {
            fn signing_key(&self, private: &[u8]) -> Result<Box<dyn Sign>, Error> {
                let seed = private.try_into().map_err(|_| Error::InvalidPrivateKey)?;
                let mut pair = libcrux_ml_dsa::$library::generate_key_pair(seed);
                let key = Box::new($sign {
                    private: pair.signing_key.clone(),
                    public: pair.verification_key,
                });
                pair.signing_key.as_mut_slice().zeroize();
                Ok(key)
            }

            fn verifying_key(&self, public: &[u8]) -> Result<Box<dyn Verify>, Error> {
                let bytes = public.try_into().map_err(|_| Error::InvalidPublicKey)?;
                Ok(Box::new($verify(libcrux_ml_dsa::MLDSAVerificationKey::new(bytes))))
            }
        }

        impl Sign for $sign {
            fn public_key(&self) -> Vec<u8> {
                self.public.as_slice().to_vec()
            }

            fn sign(&self, message: &[u8], randomness: &[u8; 32]) -> Result<Vec<u8>, Error> {
                libcrux_ml_dsa::$library::sign(&self.private, message, CONTEXT, *randomness)
                    .map(|signature| signature.as_slice().to_vec())
                    .map_err(|_| Error::SigningFailed)
            }
        }

        impl Drop for $sign {
            fn drop(&mut self) {
                self.private.as_mut_slice().zeroize();
            }
        }

        impl Verify for $verify {
            fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Error> {
                let bytes = signature.try_into().map_err(|_| Error::InvalidSignature)?;
                let signature = libcrux_ml_dsa::MLDSASignature::new(bytes);
                libcrux_ml_dsa::$library::verify(&self.0, message, CONTEXT, &signature)
                    .map_err(|_| Error::InvalidSignature)
            }
        }
    };
}

ml_dsa!(MlDsa44, Sign44, Verify44, ml_dsa_44, MLDSA44SigningKey, MLDSA44VerificationKey);
ml_dsa!(MlDsa65, Sign65, Verify65, ml_dsa_65, MLDSA65SigningKey, MLDSA65VerificationKey);
ml_dsa!(MlDsa87, Sign87, Verify87, ml_dsa_87, MLDSA87SigningKey, MLDSA87VerificationKey);

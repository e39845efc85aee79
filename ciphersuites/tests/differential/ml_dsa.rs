//! ML-DSA against RustCrypto's `ml-dsa`.

use ::ml_dsa::{ExpandedSigningKey, Signature, VerifyingKey as Oracle};
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey, VerifyingKey};
use trellis_ciphersuites::{Backend, Error};

use crate::cases::each;

/// What precedes the message when the context string is empty and nothing is hashed ahead
/// (FIPS 204, algorithm 2).
const PURE: &[u8] = &[0, 0];

macro_rules! parameter_set {
    ($name:ident, $scheme:expr, $set:ty) => {
        mod $name {
            use super::*;

            const SCHEME: SignatureScheme = $scheme;

            fn verify(public: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Error> {
                let key = Oracle::<$set>::decode(&public.try_into().unwrap());
                let oracle = signature
                    .try_into()
                    .ok()
                    .and_then(|bytes| Signature::<$set>::decode(&bytes))
                    .filter(|signature| key.verify_with_context(message, b"", signature))
                    .map(drop)
                    .ok_or(Error::InvalidSignature);
                for backend in Backend::available() {
                    let ours = VerifyingKey::from_bytes(SCHEME, backend, public).unwrap();
                    assert_eq!(ours.verify(message, signature), oracle);
                }
                oracle
            }

            #[test]
            fn keys_and_signatures_are_equal() {
                each(16, |case| {
                    let (seed, randomness) = (case.array::<32>(), case.array::<32>());
                    let message = case.text(1000);
                    let oracle = ExpandedSigningKey::<$set>::from_seed(&seed.into());
                    let public = oracle.verifying_key().encode();
                    let signature =
                        oracle.sign_internal(&[PURE, &message], &randomness.into()).encode();
                    for backend in Backend::available() {
                        let ours = SigningKey::from_bytes(SCHEME, backend, &seed).unwrap();
                        assert_eq!(ours.public_key(), &public[..]);
                        let sign = ours.sign_derandomized(&message, &randomness).unwrap();
                        assert_eq!(sign, signature[..]);
                        let hedged = ours.sign(&message).unwrap();
                        assert_eq!(verify(&public, &message, &hedged), Ok(()));
                    }
                    assert_eq!(verify(&public, &message, &signature), Ok(()));
                });
            }

            #[test]
            fn altered_signatures_keys_and_messages_are_refused_alike() {
                each(8, |case| {
                    let message = case.text(200);
                    let seed = case.array::<32>();
                    let ours = SigningKey::from_bytes(SCHEME, Backend::portable(), &seed).unwrap();
                    let (public, signature) = (ours.public_key(), ours.sign(&message).unwrap());
                    let refused = Err(Error::InvalidSignature);

                    assert_eq!(verify(public, &message, &case.altered(&signature)), refused);
                    // The hints at the end have the only encoding that can be malformed.
                    let hints = signature.len() - 84;
                    let tail = case.altered(&signature[hints..]);
                    let altered = [&signature[..hints], &tail].concat();
                    assert_eq!(verify(public, &message, &altered), refused);
                    let _ = verify(public, &message, &case.mangled(&signature));
                    assert_eq!(verify(&case.altered(public), &message, &signature), refused);
                    let other = [&message[..], b"!"].concat();
                    assert_eq!(verify(public, &other, &signature), refused);
                });
            }
        }
    };
}

parameter_set!(ml_dsa_44, SignatureScheme::MlDsa44, ::ml_dsa::MlDsa44);
parameter_set!(ml_dsa_65, SignatureScheme::MlDsa65, ::ml_dsa::MlDsa65);
parameter_set!(ml_dsa_87, SignatureScheme::MlDsa87, ::ml_dsa::MlDsa87);

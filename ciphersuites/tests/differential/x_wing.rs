//! MLKEM768-X25519 against RustCrypto's `x-wing`.

use ::x_wing::{
    Decapsulate, DecapsulationKey, DecapsulationKeyRejectNonContrib, Decapsulator,
    EncapsulationKey, KeyExport, TryDecapsulate,
};
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::{Backend, Error};

use crate::cases::each;

const KEM: KemAlgorithm = KemAlgorithm::MlKem768X25519;
/// Bytes of the ML-KEM part of an encapsulation.
const ML_KEM: usize = 1088;

/// What both of our backends and the oracle find in `enc`.
fn decapsulate(seed: [u8; 32], enc: &[u8]) -> Result<Vec<u8>, Error> {
    let enc_array = enc.try_into().unwrap();
    let oracle = DecapsulationKeyRejectNonContrib::from(seed)
        .try_decapsulate(&enc_array)
        .map(|secret| secret.to_vec())
        .map_err(|_| Error::InvalidEncapsulation);
    if let Ok(secret) = &oracle {
        assert_eq!(DecapsulationKey::from(seed).decapsulate(&enc_array)[..], secret[..]);
    }
    for backend in Backend::available() {
        let ours = KEM.decapsulate(backend, &seed, enc);
        assert_eq!(ours.map(|secret| secret.into_inner()), oracle);
    }
    oracle
}

#[test]
fn keys_encapsulations_and_rejections_are_equal() {
    each(8, |case| {
        let (seed, randomness) = (case.array::<32>(), case.array::<64>());
        let key = DecapsulationKey::from(seed);
        let public = key.encapsulation_key().to_bytes().to_vec();
        let (enc, secret) = key.encapsulation_key().encapsulate_deterministic(&randomness.into());
        for backend in Backend::available() {
            assert_eq!(KEM.public_key(backend, &seed).unwrap(), public);
            let ours = KEM.encapsulate_derandomized(backend, &public, &randomness).unwrap();
            assert_eq!((&ours.0[..], &ours.1[..]), (&enc[..], &secret[..]));
        }
        assert_eq!(decapsulate(seed, &enc).unwrap(), secret.to_vec());

        let (ml_kem, x25519) = enc.split_at(ML_KEM);
        let rejected = [case.altered(ml_kem), x25519.to_vec()].concat();
        assert_ne!(decapsulate(seed, &rejected).unwrap(), secret.to_vec());
        let other_point = [ml_kem.to_vec(), case.altered(x25519)].concat();
        assert_ne!(decapsulate(seed, &other_point).unwrap(), secret.to_vec());
        let no_point = [ml_kem, &[0; 32]].concat();
        assert_eq!(decapsulate(seed, &no_point), Err(Error::InvalidEncapsulation));
    });
}

#[test]
fn randomised_encapsulations_open_on_both_sides() {
    each(8, |case| {
        let seed = case.array::<32>();
        let key = DecapsulationKey::from(seed);
        for backend in Backend::available() {
            let public = KEM.public_key(backend, &seed).unwrap();
            let (enc, secret) = KEM.encapsulate(backend, &public).unwrap();
            let theirs = key.decapsulate(&enc[..].try_into().unwrap());
            assert_eq!(theirs[..], secret[..]);

            let public = EncapsulationKey::try_from(&public[..]).unwrap();
            let (enc, theirs) = public.encapsulate_deterministic(&case.array::<64>().into());
            assert_eq!(KEM.decapsulate(backend, &seed, &enc).unwrap()[..], theirs[..]);
        }
    });
}

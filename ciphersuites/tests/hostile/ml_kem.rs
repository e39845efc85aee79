//! ML-KEM.

use trellis_ciphersuites::Error;

use crate::common::*;

/// FIPS 203, section 7.2: every coefficient of the key below 3329.
#[test]
fn ml_kem_coefficients_out_of_range() {
    for (kem, backend) in kems().filter(|&(kem, _)| post_quantum(kem).0 != 0) {
        // Without the seed that follows the coefficients.
        let coefficients = (post_quantum(kem).0 - 32) * 2 / 3;
        for at in [0, 1, 255, 256, coefficients / 2, coefficients - 2, coefficients - 1] {
            for (value, expected) in [
                (0, Ok(())),
                (3328, Ok(())),
                (3329, Err(Error::InvalidPublicKey)),
                (3330, Err(Error::InvalidPublicKey)),
                (4095, Err(Error::InvalidPublicKey)),
            ] {
                let mut public = pair(kem).public.clone();
                let bytes = &mut public[at / 2 * 3..][..3];
                let packed = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]);
                let shift = at % 2 * 12;
                let packed = packed & !(0xFFF << shift) | value << shift;
                bytes.copy_from_slice(&packed.to_le_bytes()[..3]);
                let checked = kem.check_public_key(backend, &public);
                assert_eq!(checked, expected, "{kem} {backend:?}: coefficient {at} = {value}");
                assert_eq!(kem.encapsulate(backend, &public).map(drop), expected);
            }
        }
    }
}

//! What draft-ietf-mls-virtual-clients asks of a provider besides storage.
#![cfg(feature = "virtual-clients-draft")]

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_trellis_crypto::TrellisCrypto;

#[test]
fn ff1_agrees_with_the_published_provider() {
    use openmls_rust_crypto::RustCrypto;

    let (ours, theirs) = (TrellisCrypto::default(), RustCrypto::default());
    for number in [0, 1, 0xFF, 0x0102_0304, 0xDEAD_BEEF, u32::MAX] {
        let key = number.to_le_bytes().repeat(4).try_into().unwrap();
        let permuted = ours.ff1_aes128_encrypt(&key, number).unwrap();
        assert_eq!(permuted, theirs.ff1_aes128_encrypt(&key, number).unwrap());
        assert_eq!(ours.ff1_aes128_decrypt(&key, permuted).unwrap(), number);
    }
}

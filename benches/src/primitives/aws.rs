//! What several tables need of AWS-LC.

use aws_lc_rs::agreement;

/// The public key of a private key.
pub(super) fn public_key(
    algorithm: &'static agreement::Algorithm,
    private: &[u8],
) -> agreement::PublicKey {
    let private = agreement::PrivateKey::from_private_key(algorithm, private).unwrap();
    private.compute_public_key().unwrap()
}

/// Diffie-Hellman.
pub(super) fn shared_secret<const N: usize>(
    algorithm: &'static agreement::Algorithm,
    private: &[u8],
    public: &[u8],
) -> [u8; N] {
    let private = agreement::PrivateKey::from_private_key(algorithm, private).unwrap();
    let public = agreement::UnparsedPublicKey::new(algorithm, public);
    agreement::agree(&private, public, (), |secret| secret.try_into().map_err(drop)).unwrap()
}

//! The portable backend: RustCrypto, the dalek crates and libcrux.
//!
//! Each of these picks SIMD by itself where the processor has it and falls back to plain Rust.

mod curve25519;
mod lattice;
mod nist;
mod symmetric;

use super::Primitives;

#[cfg(all(feature = "native", any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) use {curve25519::Ed25519, lattice::MlKem1024};

pub(super) static PRIMITIVES: Primitives = Primitives {
    name: "portable",
    x25519: &curve25519::X25519,
    p256: &nist::P256,
    p384: &nist::P384,
    p521: &nist::P521,
    ml_kem_768: &lattice::MlKem768,
    ml_kem_1024: &lattice::MlKem1024,
    ed25519: &curve25519::Ed25519,
    ecdsa_p256: &nist::P256,
    ecdsa_p384: &nist::P384,
    ecdsa_p521: &nist::P521,
    ml_dsa_44: &lattice::MlDsa44,
    ml_dsa_65: &lattice::MlDsa65,
    ml_dsa_87: &lattice::MlDsa87,
    aes_128_gcm: &symmetric::RustCryptoAead::<aes_gcm::Aes128Gcm>::NEW,
    aes_256_gcm: &symmetric::RustCryptoAead::<aes_gcm::Aes256Gcm>::NEW,
    chacha20_poly1305: &symmetric::RustCryptoAead::<chacha20poly1305::ChaCha20Poly1305>::NEW,
    sha256: &symmetric::Sha2::<sha2::Sha256>::NEW,
    sha384: &symmetric::Sha2::<sha2::Sha384>::NEW,
    sha512: &symmetric::Sha2::<sha2::Sha512>::NEW,
    sha3_256: &symmetric::Sha3_256,
    shake128: &symmetric::RustCryptoShake::<168>,
    shake256: &symmetric::RustCryptoShake::<136>,
};

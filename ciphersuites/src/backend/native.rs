//! The native backend: graviola (assembly of s2n-bignum and SIMD, no C compiler) where it was
//! measured to be the fastest, and what the portable backend uses for the rest.
//!
//! Whoever reaches this table has asked [`is_supported`]; graviola would otherwise panic.

mod curves;
mod ed25519;
mod kem;
mod symmetric;

use super::{Primitives, portable};

/// Whether this processor has the instructions.
pub(super) fn is_supported() -> bool {
    graviola::util::is_cpu_supported()
}

pub(super) static PRIMITIVES: Primitives = Primitives {
    name: "native",
    x25519: &curves::X25519,
    p256: &curves::P256,
    p384: &curves::P384,
    p521: portable::PRIMITIVES.p521,
    ml_kem_768: &kem::MlKem768,
    ml_kem_1024: &kem::MlKem1024,
    ed25519: &ed25519::Ed25519,
    ecdsa_p256: &curves::P256,
    ecdsa_p384: &curves::P384,
    ecdsa_p521: portable::PRIMITIVES.ecdsa_p521,
    ml_dsa_44: portable::PRIMITIVES.ml_dsa_44,
    ml_dsa_65: portable::PRIMITIVES.ml_dsa_65,
    ml_dsa_87: portable::PRIMITIVES.ml_dsa_87,
    aes_128_gcm: &symmetric::Gcm::<16>(portable::PRIMITIVES.aes_128_gcm),
    aes_256_gcm: &symmetric::Gcm::<32>(portable::PRIMITIVES.aes_256_gcm),
    chacha20_poly1305: &symmetric::ChaChaPoly,
    sha256: portable::PRIMITIVES.sha256,
    sha384: portable::PRIMITIVES.sha384,
    sha512: portable::PRIMITIVES.sha512,
    sha3_256: &symmetric::Sha3_256,
    shake128: &symmetric::Shake128,
    shake256: &symmetric::Shake256,
};

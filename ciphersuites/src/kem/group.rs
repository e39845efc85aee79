//! The groups of DHKEM and of the hybrids: sizes, and how a seed becomes a scalar.

use crate::Error;
use crate::backend::{Group as Engine, Primitives};
use crate::symmetric::HashAlgorithm;

/// A nominal group (draft-irtf-cfrg-hybrid-kems, section 4.2) that is also one of DHKEM.
pub(super) struct Group {
    pub(super) engine: fn(&'static Primitives) -> &'static dyn Engine,
    /// The hash of `DHKEM(group, HKDF-hash)`.
    pub(super) hash: HashAlgorithm,
    /// Bytes of an element and of a serialised public key, `Nelem` and `Npk`.
    pub(super) element: usize,
    /// Bytes of a scalar, `Nscalar` and `Nsk`.
    pub(super) scalar: usize,
    /// Bytes of the x coordinate, `Ndh` and `Nss`.
    pub(super) shared: usize,
    /// Bytes of the input of [`random_scalar`](Self::random_scalar), `Nseed`.
    pub(super) seed: usize,
    /// The `bitmask` for the first byte of a candidate scalar (RFC 9180, section 7.1.3), where
    /// candidates can be out of range; X25519 takes any 32 bytes.
    pub(super) bitmask: Option<u8>,
}

#[rustfmt::skip]
pub(super) static X25519: Group = Group { engine: |p| p.x25519, hash: HashAlgorithm::Sha256, element: 32,  scalar: 32, shared: 32, seed: 32,  bitmask: None };
#[rustfmt::skip]
pub(super) static P256: Group   = Group { engine: |p| p.p256,   hash: HashAlgorithm::Sha256, element: 65,  scalar: 32, shared: 32, seed: 128, bitmask: Some(0xFF) };
#[rustfmt::skip]
pub(super) static P384: Group   = Group { engine: |p| p.p384,   hash: HashAlgorithm::Sha384, element: 97,  scalar: 48, shared: 48, seed: 48,  bitmask: Some(0xFF) };
#[rustfmt::skip]
pub(super) static P521: Group   = Group { engine: |p| p.p521,   hash: HashAlgorithm::Sha512, element: 133, scalar: 66, shared: 66, seed: 66,  bitmask: Some(0x01) };

/// The most bytes that an element has (P-521).
pub(super) const MAX_ELEMENT: usize = 133;
/// The most bytes that a scalar or an x coordinate has (P-521).
pub(super) const MAX_SCALAR: usize = 66;
/// The most bytes that a seed has (P-256).
pub(super) const MAX_SEED: usize = 128;

impl Group {
    pub(super) fn on(&self, p: &'static Primitives) -> &'static dyn Engine {
        (self.engine)(p)
    }

    /// `RandomScalar(seed)` of draft-irtf-cfrg-concrete-hybrid-kems: the first piece of the seed,
    /// of the length of a scalar, that is in range. P-256 has four pieces, so that the chance to
    /// find none is 2^-128; the order of P-384 begins with 190 ones, so that one is enough; X25519
    /// takes any piece.
    ///
    /// The loop ends at a piece that was rejected before; rejected pieces are independent of the
    /// scalar, so its length tells nothing about it.
    pub(super) fn random_scalar<'s>(
        &self,
        p: &'static Primitives,
        seed: &'s [u8],
    ) -> Result<&'s [u8], Error> {
        seed.chunks_exact(self.scalar)
            .find(|scalar| self.on(p).check_private_key(scalar).is_ok())
            .ok_or(Error::InvalidPrivateKey)
    }
}

//! Where the arithmetic comes from.
//!
//! A [`Backend`] is a value: a table of references to implementations. [`native`] and
//! [`portable`] are the only files of the project that name a library of primitives; which one
//! stands in which row was decided by measurement, see `PRIMITIVES.md`.

#[cfg(all(feature = "native", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod native;
mod portable;
mod traits;

use std::fmt;

pub(crate) use traits::{Aead, Group, Hash, MlKem, Scheme, Sign, Verify, Xof};

/// One implementation of every primitive that the registry needs.
pub(crate) struct Primitives {
    pub(crate) name: &'static str,
    pub(crate) x25519: &'static dyn Group,
    pub(crate) p256: &'static dyn Group,
    pub(crate) p384: &'static dyn Group,
    pub(crate) p521: &'static dyn Group,
    pub(crate) ml_kem_768: &'static dyn MlKem,
    pub(crate) ml_kem_1024: &'static dyn MlKem,
    pub(crate) ed25519: &'static dyn Scheme,
    pub(crate) ecdsa_p256: &'static dyn Scheme,
    pub(crate) ecdsa_p384: &'static dyn Scheme,
    pub(crate) ecdsa_p521: &'static dyn Scheme,
    pub(crate) ml_dsa_44: &'static dyn Scheme,
    pub(crate) ml_dsa_65: &'static dyn Scheme,
    pub(crate) ml_dsa_87: &'static dyn Scheme,
    pub(crate) aes_128_gcm: &'static dyn Aead,
    pub(crate) aes_256_gcm: &'static dyn Aead,
    pub(crate) chacha20_poly1305: &'static dyn Aead,
    pub(crate) sha256: &'static dyn Hash,
    pub(crate) sha384: &'static dyn Hash,
    pub(crate) sha512: &'static dyn Hash,
    pub(crate) sha3_256: &'static dyn Xof,
    pub(crate) shake128: &'static dyn Xof,
    pub(crate) shake256: &'static dyn Xof,
}

/// The implementation of the primitives that an operation runs on.
///
/// Both backends compute the same function of the same bytes; they differ in speed and in where
/// they run. [`Backend::default`] is the fastest one that this processor supports, found at run
/// time.
///
/// ```
/// use trellis_ciphersuites::Backend;
///
/// let fastest = Backend::default();
/// assert!(Backend::available().any(|backend| backend == fastest));
/// assert_eq!(Backend::portable().name(), "portable");
/// ```
#[derive(Clone, Copy)]
pub struct Backend(&'static Primitives);

impl Backend {
    /// The native backend: hand-written assembly and SIMD.
    ///
    /// `None` without the feature `native`, on other architectures than x86-64 and AArch64, and
    /// on a processor that lacks the instructions (AVX2, AES, PCLMULQDQ, BMI2 and ADX on x86-64).
    #[must_use]
    pub fn native() -> Option<Self> {
        #[cfg(all(feature = "native", any(target_arch = "x86_64", target_arch = "aarch64")))]
        if native::is_supported() {
            return Some(Self(&native::PRIMITIVES));
        }
        None
    }

    /// The portable backend: runs wherever Rust's standard library does, WebAssembly included.
    #[must_use]
    pub const fn portable() -> Self {
        Self(&portable::PRIMITIVES)
    }

    /// Every backend that this build and this processor offer, the fastest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::native().into_iter().chain([Self::portable()])
    }

    /// `"native"` or `"portable"`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.0.name
    }

    pub(crate) const fn primitives(self) -> &'static Primitives {
        self.0
    }
}

impl Default for Backend {
    fn default() -> Self {
        Self::native().unwrap_or(Self::portable())
    }
}

impl PartialEq for Backend {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Backend {}

impl fmt::Debug for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Backend({})", self.name())
    }
}

//! Where randomness comes from: the generator of the calling thread, or a seed.

use trellis_ciphersuites::hpke::Info;
use trellis_ciphersuites::kem::KemAlgorithm;
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey};
use trellis_ciphersuites::{Backend, Error, Secret, random};

#[cfg(feature = "hazmat")]
use crate::seed::Seed;

/// A source of randomness, cheap to clone. Without the feature `hazmat` there is one, see
/// [`trellis_ciphersuites::random`], and this is empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Source {
    #[cfg(feature = "hazmat")]
    pub(crate) seed: Option<std::sync::Arc<Seed>>,
}

/// Each operation that takes randomness. From a seed, those that OpenMLS makes on several threads
/// draw what their inputs say, and the others what comes next.
impl Source {
    pub(crate) fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        #[cfg(feature = "hazmat")]
        if let Some(seed) = &self.seed {
            seed.fill(out);
            return Ok(());
        }
        random::fill(out)
    }

    pub(crate) fn generate(
        &self,
        scheme: SignatureScheme,
        backend: Backend,
    ) -> Result<SigningKey, Error> {
        #[cfg(feature = "hazmat")]
        if let Some(seed) = &self.seed {
            return seed.generate(scheme, backend);
        }
        SigningKey::generate(scheme, backend)
    }

    /// The backend that signs with a scheme, where `backend` does all else.
    pub(crate) fn signing_backend(&self, scheme: SignatureScheme, backend: Backend) -> Backend {
        #[cfg(feature = "hazmat")]
        if self.seed.is_some() {
            return Seed::signing_backend(scheme, backend);
        }
        let _ = scheme;
        backend
    }

    pub(crate) fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<Vec<u8>, Error> {
        #[cfg(feature = "hazmat")]
        if let Some(seed) = &self.seed {
            return seed.sign(key, message);
        }
        key.sign(message)
    }

    pub(crate) fn seal(
        &self,
        kem: KemAlgorithm,
        info: &Info<'_>,
        public: &[u8],
        aad: &[u8],
        text: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        #[cfg(feature = "hazmat")]
        if let Some(seed) = &self.seed {
            let (enc, mut context) = seed.sender(kem, info, public, None, &[aad, text])?;
            return Ok((enc, context.seal(aad, text)?));
        }
        let _ = kem;
        info.seal(public, aad, text)
    }

    pub(crate) fn send_export(
        &self,
        kem: KemAlgorithm,
        info: &Info<'_>,
        public: &[u8],
        exporter_context: &[u8],
        length: usize,
    ) -> Result<(Vec<u8>, Secret), Error> {
        #[cfg(feature = "hazmat")]
        if let Some(seed) = &self.seed {
            let (enc, context) = seed.sender(kem, info, public, None, &[exporter_context])?;
            return Ok((enc, context.export(exporter_context, length)?));
        }
        let _ = kem;
        info.send_export(public, exporter_context, length)
    }

    #[cfg(feature = "targeted-messages-draft")]
    pub(crate) fn setup_sender_psk(
        &self,
        kem: KemAlgorithm,
        info: &Info<'_>,
        public: &[u8],
        psk: &[u8],
        psk_id: &[u8],
        text: &[u8],
    ) -> Result<(Vec<u8>, trellis_ciphersuites::hpke::SenderContext), Error> {
        #[cfg(feature = "hazmat")]
        if let Some(seed) = &self.seed {
            return seed.sender(kem, info, public, Some((psk, psk_id)), &[psk_id, text]);
        }
        let _ = (kem, text);
        info.setup_sender_psk(public, psk, psk_id)
    }
}

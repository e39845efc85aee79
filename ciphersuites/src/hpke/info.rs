//! The operations of HPKE for one `info` string.

use super::Hpke;
use super::context::{ReceiverContext, SenderContext};
use super::schedule::{Prepared, Psk, Schedule, export};
use crate::{Error, Secret};

/// An [`Hpke`] with the `info` of an application: all that there is to do with a peer.
///
/// `info` is hashed when this is made (with a two-stage KDF), so sealing to n recipients hashes it
/// once. Keep the value for as long as the string stays the same; [`into_owned`](Self::into_owned)
/// parts it from the string.
#[derive(Clone)]
pub struct Info<'a> {
    hpke: Hpke,
    prepared: Prepared<'a>,
}

impl<'a> Info<'a> {
    pub(super) fn new(hpke: Hpke, info: &'a [u8]) -> Self {
        Self { hpke, prepared: Prepared::new(&hpke, info) }
    }

    /// Parts this from the string it was made of; `None` where the KDF has one stage and needs the
    /// string later.
    #[must_use]
    pub fn into_owned(self) -> Option<Info<'static>> {
        match self.prepared {
            Prepared::Hashed { base_psk_id_hash, info_hash } => Some(Info {
                hpke: self.hpke,
                prepared: Prepared::Hashed { base_psk_id_hash, info_hash },
            }),
            Prepared::Plain(_) => None,
        }
    }

    fn encapsulate(&self, public: &[u8], psk: Psk<'_>) -> Result<(Vec<u8>, Schedule), Error> {
        let (enc, secret) = self.hpke.suite.kem.encapsulate(self.hpke.backend, public)?;
        Ok((enc, Schedule::new(&self.hpke, &self.prepared, &secret, psk)?))
    }

    fn decapsulate(&self, enc: &[u8], private: &[u8], psk: Psk<'_>) -> Result<Schedule, Error> {
        let secret = self.hpke.suite.kem.decapsulate(self.hpke.backend, private, enc)?;
        Schedule::new(&self.hpke, &self.prepared, &secret, psk)
    }

    /// `SetupBaseS`: the encapsulated secret for the peer and a context to seal with.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPublicKey`], [`Error::NoEntropy`]; [`Error::InputTooLong`] for an `info`
    /// beyond 65,535 bytes with a one-stage KDF.
    pub fn setup_sender(&self, public: &[u8]) -> Result<(Vec<u8>, SenderContext), Error> {
        let (enc, schedule) = self.encapsulate(public, Psk::NONE)?;
        Ok((enc, SenderContext::new(self.hpke, &schedule)?))
    }

    /// `SetupPSKS`.
    ///
    /// # Errors
    ///
    /// As [`setup_sender`](Self::setup_sender), and [`Error::InvalidPsk`].
    pub fn setup_sender_psk(
        &self,
        public: &[u8],
        psk: &[u8],
        psk_id: &[u8],
    ) -> Result<(Vec<u8>, SenderContext), Error> {
        let (enc, schedule) = self.encapsulate(public, Psk::new(psk, psk_id)?)?;
        Ok((enc, SenderContext::new(self.hpke, &schedule)?))
    }

    /// [`setup_sender`](Self::setup_sender) with given randomness,
    /// [`KemAlgorithm::randomness_len`](crate::kem::KemAlgorithm::randomness_len) bytes, and in
    /// PSK mode if a key and its identifier are given.
    ///
    /// # Errors
    ///
    /// As [`setup_sender_psk`](Self::setup_sender_psk), and [`Error::InvalidLength`].
    #[cfg(feature = "hazmat")]
    pub fn setup_sender_derandomized(
        &self,
        public: &[u8],
        psk: Option<(&[u8], &[u8])>,
        randomness: &[u8],
    ) -> Result<(Vec<u8>, SenderContext), Error> {
        let psk = psk.map_or(Ok(Psk::NONE), |(key, id)| Psk::new(key, id))?;
        let kem = self.hpke.suite.kem;
        let (enc, secret) = kem.encapsulate_derandomized(self.hpke.backend, public, randomness)?;
        let schedule = Schedule::new(&self.hpke, &self.prepared, &secret, psk)?;
        Ok((enc, SenderContext::new(self.hpke, &schedule)?))
    }

    /// `SetupBaseR`: the context of the receiver.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPrivateKey`], [`Error::InvalidEncapsulation`]; [`Error::InputTooLong`] as
    /// [`setup_sender`](Self::setup_sender).
    pub fn setup_receiver(&self, enc: &[u8], private: &[u8]) -> Result<ReceiverContext, Error> {
        ReceiverContext::new(self.hpke, &self.decapsulate(enc, private, Psk::NONE)?)
    }

    /// `SetupPSKR`.
    ///
    /// # Errors
    ///
    /// As [`setup_receiver`](Self::setup_receiver), and [`Error::InvalidPsk`].
    pub fn setup_receiver_psk(
        &self,
        enc: &[u8],
        private: &[u8],
        psk: &[u8],
        psk_id: &[u8],
    ) -> Result<ReceiverContext, Error> {
        ReceiverContext::new(self.hpke, &self.decapsulate(enc, private, Psk::new(psk, psk_id)?)?)
    }

    /// Encrypts one message for one recipient (`SealBase`, RFC 9180, section 6.1): the
    /// encapsulated secret, then the ciphertext with its tag.
    ///
    /// # Errors
    ///
    /// As [`setup_sender`](Self::setup_sender) and [`SenderContext::seal`].
    pub fn seal(
        &self,
        public: &[u8],
        aad: &[u8],
        text: &[u8],
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        let (enc, schedule) = self.encapsulate(public, Psk::NONE)?;
        let (key, nonce) = schedule.key_and_nonce(&self.hpke)?;
        Ok((enc, self.hpke.suite.aead.seal(self.hpke.backend, &key, &nonce, aad, text)?))
    }

    /// Decrypts one message (`OpenBase`).
    ///
    /// # Errors
    ///
    /// As [`setup_receiver`](Self::setup_receiver) and [`ReceiverContext::open`].
    pub fn open(
        &self,
        enc: &[u8],
        private: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> Result<Secret, Error> {
        let schedule = self.decapsulate(enc, private, Psk::NONE)?;
        let (key, nonce) = schedule.key_and_nonce(&self.hpke)?;
        self.hpke.suite.aead.open(self.hpke.backend, &key, &nonce, aad, sealed)
    }

    /// A fresh secret of `length` bytes for one recipient (`SendExportBase`, RFC 9180, section
    /// 6.2): the encapsulated secret, then the exported one.
    ///
    /// # Errors
    ///
    /// As [`setup_sender`](Self::setup_sender) and [`SenderContext::export`].
    pub fn send_export(
        &self,
        public: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<(Vec<u8>, Secret), Error> {
        let (enc, schedule) = self.encapsulate(public, Psk::NONE)?;
        let exporter_secret = schedule.exporter_secret(&self.hpke)?;
        Ok((enc, export(&self.hpke, &exporter_secret, context, length)?))
    }

    /// The secret that a sender exported (`ReceiveExportBase`).
    ///
    /// # Errors
    ///
    /// As [`setup_receiver`](Self::setup_receiver) and [`ReceiverContext::export`].
    pub fn receive_export(
        &self,
        enc: &[u8],
        private: &[u8],
        context: &[u8],
        length: usize,
    ) -> Result<Secret, Error> {
        let schedule = self.decapsulate(enc, private, Psk::NONE)?;
        export(&self.hpke, &schedule.exporter_secret(&self.hpke)?, context, length)
    }
}

impl std::fmt::Debug for Info<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Info({:?})", self.hpke)
    }
}

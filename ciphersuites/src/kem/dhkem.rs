//! DHKEM (RFC 9180, section 4.1).

use zeroize::Zeroizing;

use super::Kem;
use super::group::{Group, MAX_ELEMENT, MAX_SCALAR};
use crate::Error;
use crate::backend::Primitives;
use crate::symmetric::Labeled;

pub(super) struct DhKem {
    pub(super) id: u16,
    pub(super) group: &'static Group,
}

/// The longest hash, of SHA-512.
const MAX_HASH: usize = 64;

/// `concat("KEM", I2OSP(kem_id, 2))` (RFC 9180, section 4.1).
pub(super) fn suite_id(kem_id: u16) -> [u8; 5] {
    let [high, low] = kem_id.to_be_bytes();
    [b'K', b'E', b'M', high, low]
}

impl DhKem {
    fn labeled<'a>(&self, p: &'static Primitives, suite_id: &'a [u8]) -> Labeled<'a> {
        Labeled { hash: self.group.hash.engine(p), suite_id }
    }

    /// `ExtractAndExpand(dh, kem_context)` with `kem_context = enc ‖ pkRm`.
    fn extract_and_expand(
        &self,
        p: &'static Primitives,
        dh: &[u8],
        enc: &[u8],
        public: &[u8],
        secret: &mut [u8],
    ) -> Result<(), Error> {
        let suite_id = suite_id(self.id);
        let kdf = self.labeled(p, &suite_id);
        let mut prk = Zeroizing::new([0; MAX_HASH]);
        let prk = &mut prk[..self.group.hash.len()];
        kdf.extract(b"", b"eae_prk", dh, prk);
        kdf.expand(prk, b"shared_secret", [enc, public], secret)
    }
}

impl Kem for DhKem {
    /// RFC 9180, section 7.1.3.
    fn derive(&self, p: &'static Primitives, ikm: &[u8], private: &mut [u8]) -> Result<(), Error> {
        let suite_id = suite_id(self.id);
        let kdf = self.labeled(p, &suite_id);
        let mut prk = Zeroizing::new([0; MAX_HASH]);
        let prk = &mut prk[..self.group.hash.len()];
        kdf.extract(b"", b"dkp_prk", ikm, prk);
        let Some(bitmask) = self.group.bitmask else {
            return kdf.expand(prk, b"sk", [b"", b""], private);
        };
        for counter in 0..=255 {
            kdf.expand(prk, b"candidate", [&[counter], b""], private)?;
            private[0] &= bitmask;
            if self.group.on(p).check_private_key(private).is_ok() {
                return Ok(());
            }
        }
        Err(Error::InvalidPrivateKey)
    }

    fn public_key(
        &self,
        p: &'static Primitives,
        private: &[u8],
        public: &mut [u8],
    ) -> Result<(), Error> {
        self.group.on(p).public_key(private, public)
    }

    fn check_public_key(&self, p: &'static Primitives, public: &[u8]) -> Result<(), Error> {
        self.group.on(p).check_public_key(public)
    }

    fn encapsulate(
        &self,
        p: &'static Primitives,
        public: &[u8],
        randomness: &[u8],
        enc: &mut [u8],
        secret: &mut [u8],
    ) -> Result<(), Error> {
        let group = self.group.on(p);
        let mut ephemeral = Zeroizing::new([0; MAX_SCALAR]);
        let ephemeral = &mut ephemeral[..self.group.scalar];
        self.derive(p, randomness, ephemeral)?;
        group.public_key(ephemeral, enc)?;
        let mut dh = Zeroizing::new([0; MAX_SCALAR]);
        let dh = &mut dh[..self.group.shared];
        group.shared_secret(ephemeral, public, dh)?;
        self.extract_and_expand(p, dh, enc, public, secret)
    }

    fn decapsulate(
        &self,
        p: &'static Primitives,
        private: &[u8],
        enc: &[u8],
        secret: &mut [u8],
    ) -> Result<(), Error> {
        let group = self.group.on(p);
        let mut public = [0; MAX_ELEMENT];
        let public = &mut public[..self.group.element];
        group.public_key(private, public)?;
        let mut dh = Zeroizing::new([0; MAX_SCALAR]);
        let dh = &mut dh[..self.group.shared];
        group.shared_secret(private, enc, dh).map_err(of_peer)?;
        self.extract_and_expand(p, dh, enc, public, secret)
    }
}

/// In a decapsulation the public key of the Diffie-Hellman is the peer's encapsulation.
pub(super) fn of_peer(error: Error) -> Error {
    match error {
        Error::InvalidPublicKey => Error::InvalidEncapsulation,
        other => other,
    }
}

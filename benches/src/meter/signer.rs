//! The signer, timed.

use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;

use super::ledger::{Call, Ledger};

/// A signer that enters each signature into a ledger.
#[derive(Debug)]
pub struct MeteredSigner<S> {
    inner: S,
    ledger: Ledger,
}

impl<S> MeteredSigner<S> {
    /// This signer with this ledger.
    pub fn new(inner: S, ledger: &Ledger) -> Self {
        Self { inner, ledger: ledger.clone() }
    }
}

impl<S: Signer> Signer for MeteredSigner<S> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.ledger.time(Call::Sign { data: payload.len() }, || self.inner.sign(payload))
    }

    fn signature_scheme(&self) -> SignatureScheme {
        self.inner.signature_scheme()
    }
}

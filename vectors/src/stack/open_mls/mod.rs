//! Our stack: OpenMLS on our provider.

mod client;
mod provider;

use std::sync::Arc;

use openmls_trellis_crypto::Backend;

pub(crate) use self::client::OpenMlsClient;
use super::{Client, Imported, Settings, Stack, StackError};
use crate::Randomness;

/// OpenMLS with `openmls_trellis_crypto`.
#[derive(Clone, Debug, Default)]
pub struct OpenMls {
    /// On what the provider runs.
    pub backend: Backend,
    /// Where randomness comes from; from the system if there is none.
    pub seed: Option<Arc<Randomness>>,
}

impl OpenMls {
    /// A client of this stack, with what only the generator asks of it.
    pub(crate) fn own_client(&self, settings: &Settings) -> Result<OpenMlsClient, StackError> {
        let seed = self.seed.as_ref().map(|seed| {
            let name = hex::encode(&settings.identity);
            Arc::new(seed.part(&name))
        });
        OpenMlsClient::new(self.backend, seed, settings)
    }
}

impl Stack for OpenMls {
    fn name(&self) -> String {
        format!("OpenMLS 0.9 with Trellis, {}", self.backend.name())
    }

    fn client(&self, settings: &Settings) -> Result<Box<dyn Client>, StackError> {
        Ok(Box::new(self.own_client(settings)?))
    }

    fn import(&self, settings: &Settings, keys: &Imported) -> Result<Box<dyn Client>, StackError> {
        Ok(Box::new(OpenMlsClient::import(self.backend, settings, keys)?))
    }
}

//! mls-rs, in this process, on primitives of the caller's choice.
//!
//! mls-rs knows no post-quantum suites; it needs none. A suite is to it a number and a
//! `CipherSuiteProvider`, and `provider.rs` makes one of any [`Settings`].
//!
//! Where mls-rs goes its own way:
//!
//! - Identities must be unique in a group (its `BasicIdentityProvider`; RFC 9420, section 5.3.1
//!   leaves that to the application), so two clients of a group need two identities.
//! - Who commits to an Add compares its lifetime with the clock; who receives the commit or joins by
//!   the Welcome compares it with the time that the caller names, and none is named here. So a
//!   client made of imported keys follows a group of any age. (RFC 9420, section 7.3 requires the
//!   check of what is sent and recommends it for what is received.)
//! - Who has seen a proposal must commit before sending application data (RFC 9420, section 12.4).
//!   mls-rs enforces this, so `send` fails until then.
//! - Proposals that came in but cannot be committed are left out silently (RFC 9420, section 12.4
//!   wants the valid ones included). Here that is an error.
//! - A member that is removed keeps its last epoch. Here it then has no group.

mod client;
mod provider;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use ::mls_rs::client_builder::{
    BaseConfig, WithCryptoProvider, WithIdentityProvider, WithMlsRules,
};
use ::mls_rs::identity::SigningIdentity;
use ::mls_rs::identity::basic::{BasicCredential, BasicIdentityProvider};
use ::mls_rs::{CipherSuiteProvider, MlsMessage};
use mls_rs_core::crypto::{CipherSuite, SignatureSecretKey};
use mls_rs_core::key_package::KeyPackageData;

use self::client::MlsRsClient;
use self::provider::{Provider, SuiteProvider};
use self::rules::Rules;
use super::{Client, Imported, Settings, Stack, StackError};
use crate::Primitives;
use crate::oracle::RustCrypto;

/// mls-rs.
#[derive(Clone)]
pub struct MlsRs {
    primitives: Arc<dyn Primitives>,
}

impl MlsRs {
    /// mls-rs on these primitives.
    #[must_use]
    pub fn new(primitives: Arc<dyn Primitives>) -> Self {
        Self { primitives }
    }

    fn suite(&self, settings: &Settings) -> SuiteProvider {
        SuiteProvider::new(self.primitives.clone(), settings)
    }

    /// A client without key packages.
    fn build(
        &self,
        settings: &Settings,
        identity: SigningIdentity,
        signer: SignatureSecretKey,
    ) -> MlsRsClient {
        let rules = Rules::new(settings.wire);
        let client = ::mls_rs::Client::builder()
            .crypto_provider(Provider(self.suite(settings)))
            .identity_provider(BasicIdentityProvider)
            .mls_rules(rules.clone())
            .key_package_lifetime(LIFETIME)
            .signing_identity(identity, signer, CipherSuite::new(settings.code_point))
            .build();
        MlsRsClient::new(client, rules)
    }
}

/// On the oracle's primitives.
impl Default for MlsRs {
    fn default() -> Self {
        Self::new(Arc::new(RustCrypto))
    }
}

/// The configuration of a client.
type Config = WithMlsRules<
    Rules,
    WithIdentityProvider<BasicIdentityProvider, WithCryptoProvider<Provider, BaseConfig>>,
>;

/// How long a key package is valid. The default of mls-rs is a year; OpenMLS takes no more than
/// about three months.
const LIFETIME: Duration = Duration::from_secs(60 * 24 * 60 * 60);

impl Stack for MlsRs {
    fn name(&self) -> String {
        format!("mls-rs 0.57 on {}", self.primitives.name())
    }

    fn client(&self, settings: &Settings) -> Result<Box<dyn Client>, StackError> {
        let (signer, public) =
            self.suite(settings).signature_key_generate().map_err(StackError::new)?;
        let credential = BasicCredential::new(settings.identity.clone()).into_credential();
        let identity = SigningIdentity::new(credential, public);
        Ok(Box::new(self.build(settings, identity, signer)))
    }

    fn import(&self, settings: &Settings, keys: &Imported) -> Result<Box<dyn Client>, StackError> {
        let key_package = MlsMessage::from_bytes(&keys.key_package)
            .map_err(StackError::new)?
            .into_key_package()
            .ok_or_else(|| StackError::Failed("not a KeyPackage".into()))?;
        let reference = key_package.to_reference(&self.suite(settings)).map_err(StackError::new)?;
        let signer = keys.signature_priv.clone().into();
        let client = self.build(settings, key_package.signing_identity().clone(), signer);
        let data = KeyPackageData::new(
            ::mls_rs::mls_rs_codec::MlsEncode::mls_encode_to_vec(&key_package)
                .map_err(StackError::new)?,
            keys.init_priv.clone().into(),
            keys.encryption_priv.clone().into(),
            key_package.expiration().map_err(StackError::new)?.seconds_since_epoch(),
        );
        client.keep(reference.to_vec(), data);
        Ok(Box::new(client))
    }
}

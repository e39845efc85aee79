//! The provider over the memory storage that OpenMLS publishes.
//!
//! ```text
//! cargo run -p openmls_trellis_crypto --example memory_storage
//! ```

use openmls::prelude::*;
use openmls_memory_storage::MemoryStorage;
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{TrellisProvider, TrellisSigner};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let provider = TrellisProvider::new(MemoryStorage::default());
    let suite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
    let signer = TrellisSigner::generate(suite)?;
    signer.store(provider.storage())?;

    let credential = CredentialWithKey {
        credential: BasicCredential::new(b"alice".to_vec()).into(),
        signature_key: signer.public_key().into(),
    };
    let group = MlsGroup::builder().ciphersuite(suite).build(&provider, &signer, credential)?;

    let loaded =
        MlsGroup::load(provider.storage(), group.group_id())?.ok_or("the group is gone")?;
    println!("group {:?} in epoch {}", loaded.group_id().as_slice(), loaded.epoch().as_u64());
    Ok(())
}

//! The provider over OpenMLS's SQLite storage: a group that survives the program.
//!
//! ```text
//! cargo run -p openmls_trellis_crypto --example sqlite_storage
//! ```

use openmls::prelude::*;
use openmls_sqlite_storage::{Codec, Connection, SqliteStorageProvider};
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{TrellisProvider, TrellisSigner};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How values become blobs, which the storage leaves to its user. The format has to describe itself:
/// OpenMLS's join configuration cannot be read back from one that does not.
#[derive(Default)]
struct Json;

impl Codec for Json {
    type Error = serde_json::Error;

    fn to_vec<T: Serialize>(value: &T) -> Result<Vec<u8>, Self::Error> {
        serde_json::to_vec(value)
    }

    fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Self::Error> {
        serde_json::from_slice(bytes)
    }
}

type Provider = TrellisProvider<SqliteStorageProvider<Json, Connection>>;

fn open(path: &std::path::Path) -> Result<Provider, Box<dyn std::error::Error>> {
    let mut storage = SqliteStorageProvider::new(Connection::open(path)?);
    storage.run_migrations()?;
    Ok(TrellisProvider::new(storage))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::temp_dir().join(format!("trellis-example-{}.db", std::process::id()));
    let suite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

    // One run of the program: make a group.
    let provider = open(&path)?;
    let signer = TrellisSigner::generate(suite)?;
    signer.store(provider.storage())?;
    let credential = CredentialWithKey {
        credential: BasicCredential::new(b"alice".to_vec()).into(),
        signature_key: signer.public_key().into(),
    };
    let group = MlsGroup::builder().ciphersuite(suite).build(&provider, &signer, credential)?;
    let (id, public_key) = (group.group_id().clone(), signer.public_key().to_vec());
    drop((provider, signer, group));

    // The next run: find signer and group where they were left, and go on.
    let provider = open(&path)?;
    let signer =
        TrellisSigner::read(provider.storage(), &public_key, suite.into()).ok_or("no signer")?;
    let mut group = MlsGroup::load(provider.storage(), &id)?.ok_or("no group")?;
    group.self_update(&provider, &signer, LeafNodeParameters::default())?;
    group.merge_pending_commit(&provider)?;
    println!("group loaded from {} and now in epoch {}", path.display(), group.epoch().as_u64());

    std::fs::remove_file(&path)?;
    Ok(())
}

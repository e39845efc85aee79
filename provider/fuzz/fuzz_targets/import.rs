//! Arbitrary bytes as the export of a storage, and as an entry of the storage of a real group.
//!
//! An odd first byte: the rest is an export. An even one: it chooses an entry of a real group's
//! storage, and the rest becomes its value, so that the codec and OpenMLS's types behind it are
//! reached.
//!
//! `cargo +nightly fuzz run import`

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use openmls::prelude::*;
use openmls_trellis_crypto::{TrellisProvider, TrellisSigner, TrellisStorage};

/// Magic number and format of an export.
const PREFIX: usize = 10;

struct Real {
    prefix: Vec<u8>,
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    group: GroupId,
}

fn number(bytes: &mut &[u8]) -> usize {
    let (head, rest) = bytes.split_first_chunk().unwrap();
    *bytes = rest;
    u64::from_be_bytes(*head).try_into().unwrap()
}

static REAL: LazyLock<Real> = LazyLock::new(|| {
    let provider = TrellisProvider::default();
    let suite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
    let signer = TrellisSigner::generate(suite).unwrap();
    signer.store(provider.storage()).unwrap();
    let credential = CredentialWithKey {
        credential: BasicCredential::new(b"fuzz".to_vec()).into(),
        signature_key: signer.public_key().into(),
    };
    let group =
        MlsGroup::builder().ciphersuite(suite).build(&provider, &signer, credential).unwrap();

    let export = provider.storage().export();
    let (prefix, mut rest) = export.split_at(PREFIX);
    let entries = (0..number(&mut rest))
        .map(|_| {
            let (key, value) = (number(&mut rest), number(&mut rest));
            let (entry, after) = rest.split_at(key + value);
            rest = after;
            (entry[..key].to_vec(), entry[key..].to_vec())
        })
        .collect();
    Real { prefix: prefix.to_vec(), entries, group: group.group_id().clone() }
});

fuzz_target!(|data: &[u8]| {
    let [first, rest @ ..] = data else { return };
    let chosen = usize::from(first / 2) % REAL.entries.len();
    let bytes = if first % 2 == 1 {
        rest.to_vec()
    } else {
        let mut bytes = REAL.prefix.clone();
        bytes.extend((REAL.entries.len() as u64).to_be_bytes());
        for (index, (key, value)) in REAL.entries.iter().enumerate() {
            let value = if index == chosen { rest } else { value };
            bytes.extend((key.len() as u64).to_be_bytes());
            bytes.extend((value.len() as u64).to_be_bytes());
            bytes.extend(key);
            bytes.extend(value);
        }
        bytes
    };
    if let Ok(storage) = TrellisStorage::import(&bytes) {
        assert_eq!(storage.export()[..], bytes, "an export is the only one of its content");
        let _ = MlsGroup::load(&storage, &REAL.group);
    }
});

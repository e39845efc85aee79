//! What the SDK costs: its figures, and the file that holds them.
//!
//! Times are told as ratios to raw OpenMLS, which has the same cryptography, a database of the same
//! kind with the same settings, and nothing of what the SDK adds. Counts and sizes are told as they
//! are.
//!
//! | file | figure |
//! |---|---|
//! | `message` | a message of 1 KiB, sent and received |
//! | `commit` | a commit with its snapshots, made and applied |
//! | `growth` | what a message and an epoch add to the store, and where it ends |
//! | `opening` | opening a client with many groups, in a process of its own |
//! | `convergence` | how a group finds together that was in three parts |
//!
//! | file | what they share |
//! |---|---|
//! | `town` | clients on a network in memory, in virtual time |
//! | `grown` | groups in which everyone has committed |
//! | `raw` | raw OpenMLS on SQLCipher |
//! | `contest` | the SDK and raw OpenMLS in turns |
//! | `data`, `plan`, `run`, `targets`, `markdown` | the run and how it is written |

mod commit;
pub mod contest;
mod convergence;
pub mod data;
pub(crate) mod files;
mod grown;
mod growth;
pub mod markdown;
mod message;
pub mod opening;
pub mod plan;
mod raw;
pub mod run;
pub mod targets;
mod town;

use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::TrellisCrypto;
use trellis_sdk::engine::{Config, Engine};
use trellis_sdk::store::{Key, Store, StoreOptions};
use trellis_sdk::{Floor, Policy, Time};

/// What the SDK founds groups with, unless told otherwise.
const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

/// The cheapest suite, where only decisions are counted.
const CLASSICAL: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;

/// The key of all files here. A key of full strength opens a file at once, so that no figure holds
/// the deliberate slowness of a passphrase.
fn key() -> Key {
    Key::raw(RAW_KEY)
}

const RAW_KEY: [u8; 32] = [0x42; 32];

/// A client's engine on a store.
fn engine(store: Store, suite: Ciphersuite, now: Time) -> Engine {
    let mut config = Config::default();
    config.suites = vec![suite];
    // OpenMLS compares lifetimes with the system's clock, and time here runs ahead of it.
    config.lifetime = (1 << 30, 1 << 30);
    Engine::open(store, TrellisCrypto::default(), now, config).expect("an engine")
}

/// One that is gone in the end.
fn in_memory(suite: Ciphersuite, now: Time) -> Engine {
    engine(Store::in_memory().expect("a store in memory"), suite, now)
}

/// One in a file.
fn in_file(file: &std::path::Path, now: Time) -> Engine {
    let store = Store::open(file, &key(), StoreOptions::default()).expect("a store in a file");
    engine(store, SUITE, now)
}

/// The default rules, for a group of this suite.
fn policy(suite: Ciphersuite) -> Policy {
    let mut policy = Policy::default();
    if !Floor::of(suite).covers(policy.floor) {
        policy.floor = Floor::of(suite);
    }
    policy
}

//! The states of groups in the store: what comes back, what is shared, what it takes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use openmls::prelude::*;
use openmls_traits::OpenMlsProvider;
use openmls_trellis_crypto::storage::Entry;
use openmls_trellis_crypto::{TrellisProvider, TrellisSigner, TrellisStorage};
use proptest::collection::vec;
use proptest::prelude::*;
use trellis_sdk::store::{SnapshotSize, Store, StoreError};
use trellis_sdk::{GroupId as Group, StateId};

const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

const GROUP: Group = Group([1; 32]);

fn state(number: u8) -> StateId {
    StateId([number; 16])
}

fn store() -> Store {
    let mut store = Store::in_memory().unwrap();
    store.begin().unwrap();
    store
}

fn load(store: &Store, number: u8) -> TrellisStorage {
    store.state_load(GROUP, state(number)).unwrap().unwrap()
}

// Made-up storages

/// The first byte of the key of a ratchet tree and of a secret.
const PUBLIC: u8 = 0x01;
const SECRET: u8 = 0x14;

fn storage(entries: &[(u8, u8, Vec<u8>)]) -> TrellisStorage {
    TrellisStorage::from_entries(
        entries.iter().map(|(label, key, value)| Entry {
            key: vec![*label, *key],
            value: value.clone().into(),
        }),
    )
}

fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..length)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        })
        .collect()
}

/// Entries of which many are alike.
fn entries() -> impl Strategy<Value = Vec<(u8, u8, Vec<u8>)>> {
    let value = (0..3u64, 0..30_000usize, 0..3000usize).prop_map(|(seed, length, at)| {
        let mut value = noise(seed, length);
        let end = (at + 10).min(length);
        value[at.min(end)..end].fill(0);
        value
    });
    vec((prop_oneof![Just(PUBLIC), Just(SECRET)], 0..3u8, value), 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn states_come_back_and_leave_nothing(
        operations in vec((0..4u8, 0..4u8, entries()), 1..20),
    ) {
        let mut store = store();
        let mut model = BTreeMap::new();
        for (what, name, entries) in operations {
            let name = state(name);
            let storage = storage(&entries);
            // Not tracked, so that an update replaces everything.
            let untracked = TrellisStorage::import(&storage.export()).unwrap();
            match what {
                0 | 1 => {
                    store.state_create(GROUP, name, None, &storage).unwrap();
                    model.insert(name, storage.export());
                }
                2 if model.contains_key(&name) => {
                    store.state_update(GROUP, name, &untracked).unwrap();
                    model.insert(name, storage.export());
                }
                _ => {
                    let was = model.remove(&name).is_some();
                    prop_assert_eq!(store.state_delete(GROUP, name), Ok(was));
                }
            }
            for (name, export) in &model {
                let loaded = store.state_load(GROUP, *name).unwrap().unwrap();
                prop_assert!(loaded.export() == *export);
            }
            let mut names = store.states(GROUP).unwrap();
            names.sort();
            prop_assert_eq!(names, model.keys().copied().collect::<Vec<_>>());
        }
        for name in model.keys() {
            store.state_delete(GROUP, *name).unwrap();
        }
        prop_assert_eq!(store.snapshot_size().unwrap(), SnapshotSize::default());
    }
}

#[test]
fn a_large_public_value_is_stored_once_and_a_secret_one_each_time() {
    let mut store = store();
    let tree = noise(1, 500_000);
    let same = storage(&[(PUBLIC, 0, tree.clone()), (SECRET, 0, noise(2, 5000))]);
    store.state_create(GROUP, state(0), None, &same).unwrap();
    let one = store.snapshot_size().unwrap();
    store.state_create(GROUP, state(1), Some(state(0)), &same).unwrap();
    let two = store.snapshot_size().unwrap();
    assert!((5000..8000).contains(&(two.bytes - one.bytes)), "{one:?} {two:?}");
    assert_eq!(two.rows - one.rows, 3);
    // Another group shares it too.
    store.state_create(Group([2; 32]), state(1), None, &storage(&[(PUBLIC, 7, tree)])).unwrap();
    assert!(store.snapshot_size().unwrap().bytes - two.bytes < 3000);
    store.drop_all_states().unwrap();
    assert_eq!(store.snapshot_size(), Ok(SnapshotSize::default()));
}

#[test]
fn groups_and_parents_are_kept_apart() {
    let mut store = store();
    let empty = storage(&[]);
    store.state_create(GROUP, state(2), None, &empty).unwrap();
    store.state_create(GROUP, state(1), Some(state(2)), &empty).unwrap();
    store.state_create(Group([2; 32]), state(3), None, &empty).unwrap();
    assert_eq!(store.states(GROUP), Ok(vec![state(2), state(1)]));
    assert_eq!(store.states(Group([3; 32])), Ok(vec![]));
    assert_eq!(store.state_parent(GROUP, state(1)), Ok(Some(state(2))));
    assert_eq!(store.state_parent(GROUP, state(2)), Ok(None));
    assert_eq!(store.state_parent(GROUP, state(3)), Ok(None));
    assert!(store.state_load(GROUP, state(3)).unwrap().is_none());
    assert_eq!(store.state_update(GROUP, state(3), &empty), Err(StoreError::NoState));
}

// Groups of OpenMLS

struct Member {
    provider: TrellisProvider,
    signer: TrellisSigner,
    credential: CredentialWithKey,
}

impl Member {
    fn new(name: &str) -> Self {
        let signer = TrellisSigner::generate(SUITE).unwrap();
        let credential = CredentialWithKey {
            credential: BasicCredential::new(name.as_bytes().to_vec()).into(),
            signature_key: signer.public_key().into(),
        };
        Self { provider: TrellisProvider::new(TrellisStorage::tracked()), signer, credential }
    }

    fn package(&self) -> KeyPackage {
        KeyPackage::builder()
            .leaf_node_capabilities(Capabilities::new(None, Some(&[SUITE]), None, None, None))
            .build(SUITE, &self.provider, &self.signer, self.credential.clone())
            .unwrap()
            .key_package()
            .clone()
    }

    fn group(&self, others: usize) -> MlsGroup {
        let mut group = MlsGroup::builder()
            .ciphersuite(SUITE)
            .with_capabilities(Capabilities::new(None, Some(&[SUITE]), None, None, None))
            .build(&self.provider, &self.signer, self.credential.clone())
            .unwrap();
        let packages: Vec<_> =
            (0..others).map(|number| Self::new(&number.to_string()).package()).collect();
        group.add_members(&self.provider, &self.signer, &packages).unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
        group
    }

    fn update(&self, group: &mut MlsGroup) {
        group.self_update(&self.provider, &self.signer, LeafNodeParameters::default()).unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
    }
}

#[test]
fn a_group_goes_on_from_each_of_its_states() {
    let mut store = store();
    let alice = Member::new("Alice");
    let mut group = alice.group(3);
    let id = group.group_id().clone();
    let storage = alice.provider.storage();
    let mut seen = Vec::new();
    for number in 0..5_u8 {
        let parent = number.checked_sub(1).map(state);
        store.state_create(GROUP, state(number), parent, storage).unwrap();
        for _ in 0..3 {
            group.create_message(&alice.provider, &alice.signer, b"text").unwrap();
            store.state_update(GROUP, state(number), storage).unwrap();
            assert_eq!(load(&store, number).export(), storage.export());
        }
        seen.push((storage.export(), group.epoch_authenticator().as_slice().to_vec()));
        alice.update(&mut group);
    }
    for (number, (export, authenticator)) in (0_u8..).zip(&seen) {
        let loaded = load(&store, number);
        assert_eq!(loaded.export(), *export);
        let provider = TrellisProvider::new(loaded);
        let mut group = MlsGroup::load(provider.storage(), &id).unwrap().unwrap();
        assert_eq!(group.epoch_authenticator().as_slice(), authenticator);
        // Another branch.
        let member =
            Member { provider, signer: alice.signer.clone(), credential: alice.credential.clone() };
        member.update(&mut group);
        let storage = member.provider.storage();
        store.state_create(GROUP, state(100 + number), Some(state(number)), storage).unwrap();
        assert_eq!(load(&store, 100 + number).export(), storage.export());
        assert_eq!(load(&store, number).export(), *export);
    }
}

#[test]
fn a_storage_that_was_loaded_updates_its_state() {
    let mut store = store();
    let alice = Member::new("Alice");
    let id = alice.group(1).group_id().clone();
    store.state_create(GROUP, state(0), None, alice.provider.storage()).unwrap();
    let provider = TrellisProvider::new(load(&store, 0));
    let mut group = MlsGroup::load(provider.storage(), &id).unwrap().unwrap();
    group.create_message(&provider, &alice.signer, b"text").unwrap();
    store.state_update(GROUP, state(0), provider.storage()).unwrap();
    assert_eq!(load(&store, 0).export(), provider.storage().export());
    assert_ne!(load(&store, 0).export(), alice.provider.storage().export());
}

/// How many commits the growth is averaged over. Where the chunks of a tree are cut is chance, since
/// its keys are random: in 200 runs a commit added 29 to 51 % at 32 members and 7 to 11 % at 256. The
/// bounds lie far above that, and far below a tree that is stored anew.
const COMMITS: u8 = 16;

/// What a commit and a message take, in groups of several sizes.
#[test]
fn a_commit_adds_what_it_changes() {
    for (members, bound) in [(2, 130), (32, 75), (256, 20)] {
        let mut store = store();
        let alice = Member::new("Alice");
        let mut group = alice.group(members - 1);
        alice.update(&mut group);
        let storage = alice.provider.storage();
        let start = Instant::now();
        store.state_create(GROUP, state(0), None, storage).unwrap();
        let first = start.elapsed();
        let whole = store.snapshot_size().unwrap();

        let mut next = Duration::ZERO;
        for number in 1..=COMMITS {
            alice.update(&mut group);
            let start = Instant::now();
            store.state_create(GROUP, state(number), Some(state(number - 1)), storage).unwrap();
            next += start.elapsed();
        }
        let all = store.snapshot_size().unwrap();
        let commits = u64::from(COMMITS);
        let added = SnapshotSize {
            rows: (all.rows - whole.rows) / commits,
            bytes: (all.bytes - whole.bytes) / commits,
        };

        group.create_message(&alice.provider, &alice.signer, b"text").unwrap();
        let changed = storage.clone();
        let start = Instant::now();
        store.state_update(GROUP, state(COMMITS), storage).unwrap();
        let message = start.elapsed();
        assert_eq!(load(&store, COMMITS).export(), changed.export());
        let start = Instant::now();
        let loaded = load(&store, COMMITS);
        let loading = start.elapsed();
        let largest_secret = loaded
            .entries()
            .iter()
            .filter(|entry| !Entry::is_public(&entry.key))
            .map(|entry| entry.value.len())
            .max()
            .unwrap();
        let percent = added.bytes * 100 / whole.bytes;
        println!(
            "{members} members: whole {whole:?} in {first:?}; a commit adds {added:?} on average, \
             {percent} %, in {:?}; update after a message {message:?}; load {loading:?}; \
             largest secret entry {largest_secret}",
            next / u32::from(COMMITS)
        );
        assert!(percent < bound, "{members} members: {percent} %");
    }
}

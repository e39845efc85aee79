//! The published set: every byte of it comes from the seed, nothing else is there, and the walks
//! have in them what they are for.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use openmls_trellis_crypto::KeyDerivation;
use trellis_ciphersuites::symmetric::HashAlgorithm;
use trellis_ciphersuites::{Backend, CipherSuite};
use trellis_vectors::generate::{File, Part, SEED, Scale, parts, suites, sums};
use trellis_vectors::kinds::mls::passive_client::{Epoch, PassiveClient};
use trellis_vectors::mls::wire::{
    Body, Commit, Content, MlsMessage, Proposal, ProposalOrRef, Sender, decode,
};
use trellis_vectors::stack::open_mls::OpenMls;
use trellis_vectors::stack::{Client, Imported, Settings, Stack, Wire};

/// What a clone of the repository should not exceed.
const MAX_SIZE: usize = 25_000_000;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// The set, made again.
static MADE: LazyLock<BTreeMap<String, Vec<u8>>> =
    LazyLock::new(|| parts().into_iter().flat_map(|part| made(part, SEED)).collect());

fn made(part: Part, seed: &[u8]) -> Vec<File> {
    part.generate(seed, Scale::Published).unwrap_or_else(|error| panic!("{error}"))
}

/// The files below a folder, by their paths with slashes.
fn committed(folder: &Path, inside: &str, found: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{inside}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            committed(&path, &format!("{name}/"), found);
        } else {
            found.insert(name, fs::read(path).unwrap());
        }
    }
}

fn all_committed() -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    committed(&data(), "", &mut found);
    found
}

#[test]
fn the_seed_gives_the_committed_bytes_and_nothing_else_is_there() {
    let mut committed = all_committed();
    for (path, made) in &*MADE {
        let committed = committed.remove(path).unwrap_or_else(|| panic!("{path} is missing"));
        // The bytes themselves are too many to be printed.
        assert!(committed == *made, "{path} differs from what the seed gives");
    }
    let others: Vec<&str> = committed.keys().map(String::as_str).collect();
    assert!(others.iter().all(|it| ["README.md", "SHA256SUMS"].contains(it)), "{others:?}");
}

#[test]
fn the_sums_are_those_of_the_files() {
    let hash = |bytes: &[u8]| -> [u8; 32] {
        HashAlgorithm::Sha256.hash(Backend::portable(), bytes).try_into().unwrap()
    };
    let files: Vec<_> = all_committed()
        .into_iter()
        .filter(|(path, _)| path.ends_with(".json"))
        .map(|(path, bytes)| (path, hash(&bytes)))
        .collect();
    assert_eq!(fs::read_to_string(data().join("SHA256SUMS")).unwrap(), sums(&files));
}

#[test]
fn the_set_is_not_too_large() {
    let size: usize = all_committed().values().map(Vec::len).sum();
    println!("{size} bytes");
    assert!(size < MAX_SIZE, "{size} bytes");
}

/// Of every part but the walks, which take long; they draw from the same source.
#[test]
fn another_seed_gives_other_bytes() {
    for part in parts() {
        if matches!(part, Part::Mls(_, "passive-client-random" | "tree-validation" | "treekem")) {
            continue;
        }
        for (path, bytes) in made(part, b"another") {
            assert!(MADE[&path] != bytes, "{path} does not depend on the seed");
        }
    }
}

fn walk(suite: CipherSuite) -> Option<PassiveClient> {
    let bytes = fs::read(data().join(format!("mls/{suite}/passive-client-random.json"))).ok()?;
    let [vector] = serde_json::from_slice::<[PassiveClient; 1]>(&bytes).unwrap();
    Some(vector)
}

/// What happens in the epochs of a walk. What is encrypted shows in who is there afterwards.
#[derive(Default)]
struct Seen {
    proposals: BTreeSet<&'static str>,
    by_reference: usize,
    with_path: usize,
    without_path: usize,
    encrypted_proposals: usize,
    encrypted_commits: usize,
}

impl Seen {
    fn message(&mut self, message: &[u8]) {
        match decode::<MlsMessage>(message).unwrap().body {
            Body::PublicMessage(message) => match message.content.content {
                Content::Proposal(proposal) => self.proposal(&proposal),
                Content::Commit(commit) => self.commit(&commit),
                Content::Application(_) => panic!("application data in the clear"),
            },
            // The content type stands outside of what is encrypted.
            Body::PrivateMessage(message) => match message.content_type {
                2 => self.encrypted_proposals += 1,
                3 => self.encrypted_commits += 1,
                other => panic!("content type {other}"),
            },
            other => panic!("{other:?}"),
        }
    }

    fn proposal(&mut self, proposal: &Proposal) {
        self.proposals.insert(match proposal {
            Proposal::Add(_) => "Add",
            Proposal::Update(_) => "Update",
            Proposal::Remove(_) => "Remove",
            Proposal::PreSharedKey(_) => "PreSharedKey",
            Proposal::ExternalInit(_) => "ExternalInit",
            other => panic!("{other:?}"),
        });
    }

    fn commit(&mut self, commit: &Commit) {
        *if commit.path.is_some() { &mut self.with_path } else { &mut self.without_path } += 1;
        for proposal in &commit.proposals {
            match proposal {
                ProposalOrRef::Proposal(proposal) => self.proposal(proposal),
                ProposalOrRef::Reference(_) => self.by_reference += 1,
            }
        }
    }

    fn epoch(&mut self, epoch: &Epoch, client: &mut dyn Client) {
        let before = client.state().unwrap();
        for message in epoch.proposals.iter().chain([&epoch.commit]) {
            self.message(message);
            client.process(message).unwrap();
        }
        let after = client.state().unwrap();
        assert_eq!(after.epoch, before.epoch + 1);
        match after.members.cmp(&before.members) {
            Ordering::Less => drop(self.proposals.insert("Remove")),
            Ordering::Greater if !is_external(&epoch.commit) => {
                self.proposals.insert("Add");
            }
            _ => {}
        }
    }
}

fn is_external(commit: &[u8]) -> bool {
    match decode::<MlsMessage>(commit).unwrap().body {
        Body::PublicMessage(message) => message.content.sender == Sender::NewMemberCommit,
        _ => false,
    }
}

/// The client of a walk, which has joined.
fn client(suite: CipherSuite, vector: &PassiveClient) -> Box<dyn Client> {
    let settings = Settings {
        suite,
        code_point: vector.cipher_suite,
        derivation: KeyDerivation::HpkePq,
        identity: Vec::new(),
        wire: Wire::Private,
    };
    let keys = Imported {
        key_package: vector.key_package.0.clone(),
        init_priv: vector.init_priv.0.clone(),
        encryption_priv: vector.encryption_priv.0.clone(),
        signature_priv: vector.signature_priv.0.clone(),
    };
    let mut client = OpenMls::default().import(&settings, &keys).unwrap();
    for psk in &vector.external_psks {
        client.add_psk(&psk.psk_id, &psk.psk).unwrap();
    }
    client.join(&vector.welcome, None).unwrap();
    client
}

#[test]
fn a_walk_has_every_sort_of_change_in_it() {
    let mut walks = 0;
    for suite in suites() {
        let Some(vector) = walk(suite) else { continue };
        walks += 1;
        assert!(vector.epochs.len() >= 100, "{suite}: {} epochs", vector.epochs.len());
        let mut client = client(suite, &vector);
        let mut seen = Seen::default();
        for epoch in &vector.epochs {
            seen.epoch(epoch, &mut *client);
        }
        let proposals: Vec<_> = seen.proposals.iter().copied().collect();
        let all = ["Add", "ExternalInit", "PreSharedKey", "Remove", "Update"];
        assert_eq!(proposals, all, "{suite}");
        for (what, number) in [
            ("proposals by reference", seen.by_reference),
            ("commits with a path", seen.with_path),
            ("commits without a path", seen.without_path),
            ("encrypted proposals", seen.encrypted_proposals),
            ("encrypted commits", seen.encrypted_commits),
        ] {
            assert!(number > 0, "{suite}: no {what}");
        }
    }
    assert_eq!(walks, 10, "a walk for each suite that OpenMLS has");
}

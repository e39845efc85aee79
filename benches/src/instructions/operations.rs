//! What is counted.
//!
//! Keys, messages and the randomness of ML-DSA are constants, and of those operations the counts are
//! the same in every run. Groups draw random bytes and iterate over hash maps with random seeds;
//! their counts differ from run to run by less than half a percent.

use std::hint::black_box;

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{AeadType, Ciphersuite, SignatureScheme as OpenMlsScheme};
use openmls_trellis_crypto::TrellisCrypto;
use trellis_ciphersuites::Backend;
use trellis_ciphersuites::hpke::Hpke;
use trellis_ciphersuites::kem::{KemAlgorithm, KeyPair};
use trellis_ciphersuites::signature::{SignatureScheme, SigningKey};

use super::group;
use crate::suites::Suite;

/// An operation after its set-up.
pub type Work = Box<dyn FnMut()>;

/// An operation: how it is called, what it is, and its set-up.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The name in the table, in the baseline and on the command line.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    set_up: fn() -> Work,
}

/// All, in the order of the table. HPKE is that of row 2 where nothing else is said, the groups have
/// 32 members and the suite of row 1.
#[rustfmt::skip]
pub const OPERATIONS: &[Operation] = &[
    Operation { name: "hpke-derive-key-pair", about: "DeriveKeyPair",                                      set_up: derive_key_pair },
    Operation { name: "hpke-seal",            about: "seal 32 bytes for one recipient",                    set_up: || seal("row 2") },
    Operation { name: "hpke-open",            about: "open them",                                          set_up: open },
    Operation { name: "hpke-seal-classical",  about: "seal 32 bytes with DHKEM(X25519)",                   set_up: || seal("classical") },
    Operation { name: "hpke-seal-16",         about: "seal for 16 recipients, 64 KiB of info",             set_up: seal_16 },
    Operation { name: "kem-encapsulate",      about: "MLKEM768-X25519",                                    set_up: encapsulate },
    Operation { name: "kem-decapsulate",      about: "MLKEM768-X25519",                                    set_up: decapsulate },
    Operation { name: "ed25519-sign",         about: "with an expanded key",                               set_up: || sign(SignatureScheme::Ed25519) },
    Operation { name: "ed25519-verify",       about: "as OpenMLS does",                                    set_up: || verify(OpenMlsScheme::ED25519) },
    Operation { name: "ml-dsa-44-sign",       about: "with an expanded key, fixed randomness",             set_up: || sign(SignatureScheme::MlDsa44) },
    Operation { name: "ml-dsa-44-verify",     about: "as OpenMLS does",                                    set_up: || verify(OpenMlsScheme::MLDSA44) },
    Operation { name: "aes-256-gcm-seal",     about: "1 KiB, as OpenMLS does",                             set_up: aead_seal },
    Operation { name: "storage-write-tree",   about: "encode and store the tree of a group, 16 times",     set_up: group::write_tree },
    Operation { name: "storage-load-group",   about: "read and decode all of a group, 16 times",           set_up: group::load },
    Operation { name: "group-key-package",    about: "make 16 key packages",                               set_up: group::key_package },
    Operation { name: "group-add",            about: "add 31 members in one commit",                       set_up: group::add },
    Operation { name: "group-join",           about: "join from the Welcome",                              set_up: group::join },
    Operation { name: "group-update",         about: "update the own leaf, in a fresh tree",               set_up: group::update },
    Operation { name: "group-process-update", about: "process that commit",                                set_up: group::process_update },
    Operation { name: "group-send",           about: "encrypt 16 messages of 1 KiB",                       set_up: group::send },
    Operation { name: "group-receive",        about: "decrypt them",                                       set_up: group::receive },
];

impl Operation {
    /// The operation of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        OPERATIONS.iter().copied().find(|operation| operation.name == name)
    }

    /// Sets it up and does it once.
    pub fn run(self) {
        let mut work = (self.set_up)();
        measured(&mut work);
    }
}

/// What is counted is this function and all it calls: callgrind finds it by its name, which is why
/// it is not generic and never inlined.
#[inline(never)]
fn measured(work: &mut Work) {
    work();
}

/// The pattern that finds the function to count, and nothing else.
pub const MEASURED: &str = "*instructions::operations::measured*";

/// Dropping the result is counted. Dropping what the set-up made is not.
pub(super) fn work<T>(mut act: impl FnMut() -> T + 'static) -> Work {
    Box::new(move || {
        black_box(act());
    })
}

const IKM: [u8; 64] = [0x42; 64];
const TEXT: [u8; 32] = [0x17; 32];
const KEM: KemAlgorithm = KemAlgorithm::MlKem768X25519;

fn open_mls(short: &str) -> Ciphersuite {
    suite(short).open_mls()
}

fn suite(short: &str) -> Suite {
    Suite::find(short).expect("a suite of the table")
}

/// A recipient whose keys do not change from run to run.
fn recipient(short: &str, index: u8) -> KeyPair {
    let ikm = [IKM.as_slice(), &[index]].concat();
    Hpke::new(suite(short).registered().hpke(), Backend::default())
        .derive_key_pair(&ikm)
        .expect("a key pair")
}

fn derive_key_pair() -> Work {
    let (crypto, suite) = (TrellisCrypto::default(), open_mls("row 2"));
    work(move || crypto.derive_hpke_keypair(suite.hpke_config(), &IKM).expect("a key pair"))
}

fn seal(short: &'static str) -> Work {
    let (crypto, suite, peer) = (TrellisCrypto::default(), open_mls(short), recipient(short, 0));
    work(move || {
        crypto.hpke_seal(suite.hpke_config(), &peer.public, b"info", b"aad", &TEXT).expect("a seal")
    })
}

fn open() -> Work {
    let (crypto, suite, pair) =
        (TrellisCrypto::default(), open_mls("row 2"), recipient("row 2", 0));
    let sealed = crypto
        .hpke_seal(suite.hpke_config(), &pair.public, b"info", b"aad", &TEXT)
        .expect("a seal");
    work(move || {
        crypto
            .hpke_open(suite.hpke_config(), &sealed, &pair.private, b"info", b"aad")
            .expect("what was sealed")
    })
}

/// As a commit that adds members seals the GroupInfo's secret. Were the digest of `info` not
/// remembered between the seals, this would take a multiple.
fn seal_16() -> Work {
    let (crypto, suite) = (TrellisCrypto::default(), open_mls("row 2"));
    let info = vec![0x23; 1 << 16];
    let peers: Vec<_> = (0..16).map(|index| recipient("row 2", index)).collect();
    work(move || {
        let seal =
            |peer: &KeyPair| crypto.hpke_seal(suite.hpke_config(), &peer.public, &info, b"", &TEXT);
        peers.iter().map(seal).collect::<Result<Vec<_>, _>>().expect("seals")
    })
}

fn encapsulate() -> Work {
    let peer = recipient("row 2", 0);
    let randomness = vec![0x99; KEM.randomness_len()];
    work(move || {
        KEM.encapsulate_derandomized(Backend::default(), &peer.public, &randomness)
            .expect("an encapsulation")
    })
}

fn decapsulate() -> Work {
    let pair = recipient("row 2", 0);
    let randomness = vec![0x99; KEM.randomness_len()];
    let (enc, _) = KEM
        .encapsulate_derandomized(Backend::default(), &pair.public, &randomness)
        .expect("an encapsulation");
    work(move || KEM.decapsulate(Backend::default(), &pair.private, &enc).expect("a secret"))
}

fn signing_key(scheme: SignatureScheme) -> SigningKey {
    SigningKey::from_bytes(scheme, Backend::default(), &IKM[..32]).expect("a seed")
}

fn sign(scheme: SignatureScheme) -> Work {
    let key = signing_key(scheme);
    // How often ML-DSA starts again depends on its randomness.
    work(move || key.sign_derandomized(&TEXT, &[0; 32]).expect("a signature"))
}

fn verify(scheme: OpenMlsScheme) -> Work {
    let crypto = TrellisCrypto::default();
    let key = signing_key(SignatureScheme::from_id(scheme as u16).expect("a known scheme"));
    let signature = key.sign_derandomized(&TEXT, &[0; 32]).expect("a signature");
    work(move || {
        crypto
            .verify_signature(scheme, &TEXT, key.public_key(), &signature)
            .expect("a valid signature");
    })
}

fn aead_seal() -> Work {
    let crypto = TrellisCrypto::default();
    let text = vec![b'x'; 1 << 10];
    work(move || {
        crypto
            .aead_encrypt(AeadType::Aes256Gcm, &IKM[..32], &text, &IKM[..12], b"aad")
            .expect("a ciphertext")
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_runs_and_has_a_name_of_its_own() {
        let names: BTreeSet<_> = OPERATIONS.iter().map(|operation| operation.name).collect();
        assert_eq!(names.len(), OPERATIONS.len());
        for operation in OPERATIONS {
            assert_eq!(
                Operation::find(operation.name).map(|found| found.about),
                Some(operation.about)
            );
            operation.run();
        }
    }
}

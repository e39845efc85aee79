//! Real bytes for the specification: what a reader's code has to give, too.

use openmls_traits::signatures::Signer;
use openmls_traits::types::{Ciphersuite, SignatureScheme};
use openmls_trellis_crypto::{Backend, HYBRID_POLICY, KeyDerivation, TrellisCrypto, TrellisSigner};

use super::rules::{EXTENSION_TYPE, GroupRules, Successor};
use super::stay;
use crate::policy::{Policy, Role};
use crate::wire::{self, Kind, Leave};
use crate::{Address, DeviceId, GroupId, StateId, Topic};

/// A name and its bytes.
pub type Field = (&'static str, Vec<u8>);

const GROUP: GroupId = GroupId([0x11; 32]);
const TOPIC: Topic = Topic([0x22; 32]);
const DEVICE: DeviceId = DeviceId([0x33; 32]);
const TIP: StateId = StateId([0x44; 16]);
const KEY: [u8; 32] = [0x55; 32];
const OWNER: Address = Address([0x66; 32]);
const NEXT: GroupId = GroupId([0x77; 32]);
const SEED: [u8; 32] = [0x88; 32];

fn seeded() -> TrellisCrypto {
    TrellisCrypto::seeded(Backend::portable(), KeyDerivation::HpkePq, SEED)
}

/// The word of a device that leaves, and the envelope that it travels in.
#[must_use]
pub fn envelope() -> Vec<Field> {
    let crypto = seeded();
    let signer = TrellisSigner::from_seed(SignatureScheme::ED25519, &SEED).expect("a seed");
    let text = stay::text(GROUP, 7);
    let signature = signer.sign(&text).expect("Ed25519 signs everything");
    let leave = Leave { device: DEVICE, upto: 7, signature: signature.into() };
    let payload = wire::encode(&leave);
    let sealed = wire::seal(&crypto, &KEY, &TOPIC, Kind::Leave, TIP, &payload);
    let sealed = sealed.expect("a short payload");
    assert!(wire::open(&crypto, &KEY, &TOPIC, &sealed).is_some_and(|it| it.payload == payload));
    vec![
        ("topic", TOPIC.0.to_vec()),
        ("key", KEY.to_vec()),
        ("state", TIP.0.to_vec()),
        ("group", GROUP.0.to_vec()),
        ("device", DEVICE.0.to_vec()),
        ("signature_key_seed", SEED.to_vec()),
        ("signature_key", signer.public_key().to_vec()),
        ("signed", text),
        ("payload", payload),
        ("nonce", sealed[..12].to_vec()),
        ("envelope", sealed),
    ]
}

/// The extensions of a GroupContext: of a group that is about to move, with a group before it.
#[must_use]
pub fn extensions() -> Vec<Field> {
    let mut rules = GroupRules::new(TOPIC, "garden", Policy::default(), OWNER);
    rules.set_role(Address([0x99; 32]), Role::Admin);
    let suite = Ciphersuite::MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44;
    rules.successor = Some(Successor { group: NEXT, suite: suite.into() });
    rules.predecessors = vec![GROUP];
    let extensions = rules.to_extensions().expect("they fit");
    let content = |number| extensions.unknown(number).map(|it| it.0.clone()).unwrap_or_default();
    vec![("group_rules", content(EXTENSION_TYPE)), ("hybrid_policy", content(HYBRID_POLICY))]
}

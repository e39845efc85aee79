//! What the fuzz targets call: each decoder that bytes from outside reach, with what must hold of it.
//! It is compiled under `cfg(fuzzing)` alone, and panics where something does not hold.
//!
//! In most targets the first byte chooses among several decoders.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::{AeadType, Ciphersuite, SignatureScheme};
use openmls_trellis_crypto::{HYBRID_POLICY, TrellisCrypto};
use tls_codec::{DeserializeBytes, Serialize};

use super::parts::Parts;
use super::rules::{EXTENSION_TYPE, GroupRules};
use super::{Config, Engine, Linking, mls};
use crate::identity::{
    AccountKeys, Binding, DeviceKeys, IdentityError, LeafIdentity, LinkRequest, Revocation,
};
use crate::message::Message;
use crate::policy::Policy;
use crate::store::{Key, Space, Store, StoreOptions};
use crate::wire::{
    self, Answer, Beacon, Body, Bundle, Inbox, Kind, Leave, MAX_ENVELOPE, Note, Part, Question,
    Rejoin, Request, Run, Signed,
};
use crate::{Address, GroupId, StateId, Time, Topic};

#[cfg(feature = "mailbox")]
pub use crate::mailbox::fuzzing::mailbox_frames as mailbox;

const KEY: [u8; 32] = [1; 32];
const TOPIC: Topic = Topic([2; 32]);
const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;

/// What decodes has these bytes and no others.
fn again<T: DeserializeBytes + Serialize>(bytes: &[u8]) -> Option<T> {
    let value: T = wire::decode(bytes)?;
    assert_eq!(wire::encode(&value), bytes);
    Some(value)
}

/// The same for what an identity says.
fn same<T>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<T, IdentityError>,
    encode: impl Fn(&T) -> Vec<u8>,
) -> Option<T> {
    let value = decode(bytes).ok()?;
    assert_eq!(encode(&value), bytes);
    Some(value)
}

/// An envelope: as it comes in, and, if the first byte is odd, as a member who has the key could make
/// it, with any content at all.
pub fn envelope(data: &[u8]) {
    let Some((how, bytes)) = data.split_first() else { return };
    let crypto = TrellisCrypto::default();
    let sealed = if how % 2 == 0 {
        bytes.to_vec()
    } else {
        let nonce = [3; 12];
        let sealed = crypto.aead_encrypt(AeadType::Aes256Gcm, &KEY, bytes, &nonce, &TOPIC.0);
        [&nonce[..], &sealed.expect("any content can be sealed")].concat()
    };
    let Some(opened) = wire::open(&crypto, &KEY, &TOPIC, &sealed) else { return };
    assert!(sealed.len() <= MAX_ENVELOPE && opened.payload.len() < bytes.len());
    inside(opened.kind, &opened.payload);
}

/// What an envelope of a kind holds.
fn inside(kind: Kind, payload: &[u8]) {
    match kind {
        Kind::Commit => drop(again::<Bundle>(payload)),
        Kind::Application => {
            if let Some(body) = again::<Body>(payload) {
                message(body.message.as_slice());
            }
        }
        Kind::Part => drop(again::<Part>(payload)),
        Kind::Binding => drop(same(payload, Binding::decode, Binding::encode)),
        Kind::Beacon => {
            signed::<Beacon>(payload);
            let beacon = wire::decode::<Signed>(payload)
                .and_then(|signed| wire::decode::<Beacon>(signed.body.as_slice()));
            // A chain that is taken is in order.
            if let Some(places) = beacon.and_then(|beacon| super::past::places(&beacon.chain)) {
                assert!(places.is_sorted_by(|one, next| one.0 < next.0));
            }
        }
        Kind::Request => signed::<Request>(payload),
        Kind::Rejoin => signed::<Rejoin>(payload),
        Kind::Note => signed::<Note>(payload),
        Kind::Leave => drop(again::<Leave>(payload)),
        // OpenMLS reads it.
        Kind::Tree => {}
    }
}

fn signed<T: DeserializeBytes + Serialize>(payload: &[u8]) {
    // With a signature, as it comes in, and without, as whoever has the key could sign it.
    if let Some(signed) = again::<Signed>(payload) {
        again::<T>(signed.body.as_slice());
    }
    again::<T>(payload);
}

/// What comes in on the topic of an account, is asked there, or answered.
pub fn account(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    let crypto = TrellisCrypto::default();
    match which % 3 {
        0 => match again::<Inbox>(bytes) {
            Some(Inbox::Revocation(bytes)) => {
                same(bytes.as_slice(), Revocation::decode, Revocation::encode);
            }
            Some(Inbox::Device(bytes)) => {
                same(bytes.as_slice(), Binding::decode, Binding::encode);
            }
            Some(Inbox::Restored(restored)) => {
                same(restored.binding.as_slice(), Binding::decode, Binding::encode);
            }
            Some(Inbox::Welcome(_)) | None => {}
        },
        1 => drop(again::<Question>(bytes)),
        _ => match again::<Answer>(bytes) {
            Some(Answer::KeyPackage(package, binding)) => {
                let _ = mls::check_key_package(&crypto, SUITE, package.as_slice());
                same(binding.as_slice(), Binding::decode, Binding::encode);
            }
            Some(Answer::Binding(bytes)) => {
                same(bytes.as_slice(), Binding::decode, Binding::encode);
            }
            Some(Answer::Revocation(bytes)) => {
                same(bytes.as_slice(), Revocation::decode, Revocation::encode);
            }
            None => {}
        },
    }
}

/// A message.
pub fn message(data: &[u8]) {
    if let Ok(message) = Message::decode(data) {
        assert_eq!(message.encode(), data);
        assert_eq!(message.check(), Ok(()));
    }
}

/// What accounts and devices say, and what people type.
pub fn identity(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    let crypto = TrellisCrypto::default();
    let text = std::str::from_utf8(bytes);
    match which % 7 {
        0 => {
            if let Some(binding) = same(bytes, Binding::decode, Binding::encode) {
                let _ = binding.verify(&crypto);
            }
        }
        1 => {
            if let Some(revocation) = same(bytes, Revocation::decode, Revocation::encode) {
                let _ = revocation.verify(&crypto);
            }
        }
        2 => {
            if let Some(request) = same(bytes, LinkRequest::decode, LinkRequest::encode) {
                let _ = request.verify(&crypto);
                assert_eq!(LinkRequest::from_text(&request.text()).as_ref(), Ok(&request));
                assert_eq!(request.comparison_code(&crypto).len(), 23);
            }
        }
        3 => drop(same(bytes, LeafIdentity::decode, |leaf| leaf.encode().to_vec())),
        4 => {
            if let Some(Ok(address)) = text.ok().map(str::parse::<Address>) {
                assert!(text.is_ok_and(|text| text.eq_ignore_ascii_case(&address.to_string())));
            }
        }
        5 => {
            if let Some(Ok(request)) = text.ok().map(LinkRequest::from_text) {
                assert!(text.is_ok_and(|text| text.eq_ignore_ascii_case(&request.text())));
            }
        }
        _ => approval(bytes),
    }
}

thread_local! {
    static LINKING: RefCell<Linking> = RefCell::new({
        let store = Store::in_memory().expect("there is memory");
        Linking::open(store, TrellisCrypto::default(), Config::default()).expect("it is new")
    });
}

/// What an account's first device answers a new one. Nobody can make a right one here.
fn approval(bytes: &[u8]) {
    LINKING.with_borrow(|linking| assert!(linking.account(bytes).is_err()));
}

/// The rules of a group, and a policy.
pub fn rules(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    if which % 2 == 0 {
        again::<Policy>(bytes);
        return;
    }
    let Some((length, bytes)) = bytes.split_first() else { return };
    let (policy, bytes) = bytes.split_at(bytes.len().min(usize::from(*length)));
    let Some(rules) = GroupRules::of_contents(bytes, policy) else { return };
    let extensions = rules.to_extensions().expect("they fit");
    for (number, content) in [(EXTENSION_TYPE, bytes), (HYBRID_POLICY, policy)] {
        assert_eq!(extensions.unknown(number).map(|found| &found.0[..]), Some(content));
    }
    assert_eq!(GroupRules::from_extensions(&extensions).as_ref(), Some(&rules));
    assert!(rules.roles().all(|(address, role)| rules.role(&address) == role));
}

/// Parts in any order, of a few things at once: seven bytes say which, and how long it is.
pub fn parts(data: &[u8]) {
    let mut parts = Parts::default();
    for piece in data.chunks_exact(7) {
        let [name, kind, index, count, high, low, fill] = piece else { continue };
        let kind = if kind % 2 == 0 { Kind::Tree } else { Kind::Commit };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        // More than there can be, now and then.
        let (index, count) = (u16::from(*index) * 3, u16::from(*count) * 3);
        let (whole, bytes) = ([name % 5; 32], vec![*fill; length].into());
        if let Some((_, whole)) = parts.add(Part { kind, whole, index, count, bytes }) {
            assert!(whole.len() <= super::MAX_WHOLE);
        }
        parts.check();
    }
}

/// A file, with what is in it.
struct Template {
    directory: PathBuf,
    bytes: Vec<u8>,
    group: GroupId,
}

impl Drop for Template {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn store_key() -> Key {
    Key::raw(KEY)
}

thread_local! {
    static TEMPLATE: Template = {
        let directory = std::env::temp_dir().join(format!("trellis-fuzz-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("there is a directory for what is temporary");
        let (crypto, now) = (TrellisCrypto::default(), Time::from_system());
        let store = Store::in_memory().expect("there is memory");
        let mut engine =
            Engine::open(store, crypto, now, Config::default()).expect("it is new");
        let group = engine.create_group(now, "garden", SUITE, Policy::default());
        let group = group.expect("anybody can found one");
        let file = directory.join("template");
        engine.store_mut().backup(&file, &store_key()).expect("there is room");
        let bytes = fs::read(&file).expect("it was written");
        Template { directory, bytes, group }
    };
}

/// A backup: with an even first byte, one whose bytes are changed, at a place that the next four say;
/// with an odd one, one that was made by who has its key, with anything in one of its records.
pub fn backup(data: &[u8]) {
    let [how, rest @ ..] = data else { return };
    TEMPLATE.with(|template| {
        let file = template.directory.join("backup");
        let mut bytes = template.bytes.clone();
        if how % 2 == 0 {
            let Some((place, changes)) = rest.split_first_chunk() else { return };
            let place = u32::from_be_bytes(*place) as usize % bytes.len();
            bytes.iter_mut().skip(place).zip(changes).for_each(|(byte, change)| *byte ^= change);
            // The file may also end early, or late.
            if how % 4 == 2 {
                bytes.truncate(place);
                bytes.extend_from_slice(changes);
            }
        }
        fs::write(&file, &bytes).expect("there is room");
        let Ok(mut store) = Store::open(&file, &store_key(), StoreOptions::default()) else {
            return;
        };
        if how % 2 == 1 {
            change(&mut store, template.group, how / 2, rest);
        }
        let now = Time::from_system();
        let restored = Engine::restore(store, TrellisCrypto::default(), now, Config::default());
        if let Ok(mut engine) = restored {
            engine.tick(now).expect("the store works");
            assert!(
                engine.store_mut().states(template.group).is_ok_and(|states| states.is_empty())
            );
        }
    });
}

/// Puts something into one of the records.
fn change(store: &mut Store, group: GroupId, which: u8, value: &[u8]) {
    let records: [(Space, &[u8], &[u8]); 7] = [
        (Space::Account, &[], b"keys"),
        (Space::Account, &[], b"call"),
        (Space::Device, &[], b"binding"),
        (Space::Device, &[], b"keys"),
        (Space::Group, &[], &group.0),
        (Space::Peer, &group.0, &[4; 32]),
        (Space::Account, b"former", &[5; 32]),
    ];
    let (space, scope, key) = records[usize::from(which) % records.len()];
    store.begin().expect("there is no transaction");
    store.put(space, scope, key, value).expect("there is room");
    store.commit().expect("there is room");
}

/// Inputs to begin with, each for one of the targets.
#[must_use]
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let (crypto, now) = (TrellisCrypto::default(), Time(1));
    let account = AccountKeys::generate(&crypto).expect("there is randomness");
    let schemes = [SignatureScheme::ED25519, SignatureScheme::MLDSA44];
    let device = DeviceKeys::generate(&crypto, &schemes).expect("there is randomness");
    let request = LinkRequest::new(&crypto, &device).expect("there is randomness");
    let binding = account.bind(device.public(), now).expect("there is randomness");
    let address = account.public().address(&crypto);
    let name = binding.device_id(&crypto);
    let revocation = account.revoke(name, now).expect("there is randomness").encode();
    let leaf = LeafIdentity { address, device: name }.encode();
    let binding = binding.encode();
    let to = crate::MessageId([6; 16]);
    let messages = [
        Message::text("frost"),
        Message::reply(to, "frost"),
        Message::reaction(to, "brr"),
        Message::edit(to, "thaw"),
        Message::delete(to),
        Message::receipt([to]),
        Message::custom("a/b", [9]),
    ];
    let stay = wire::Stay { name: [1; 16], number: 2 };
    let restored = wire::Restored {
        revocations: vec![revocation.clone().into()],
        binding: binding.clone().into(),
        groups: vec![[7; 32]],
    };
    let body = |message: Message| Body {
        nonce: to.0,
        number: 1,
        written: now,
        message: message.encode().into(),
    };
    let beacon = Beacon {
        count: 1,
        sent: 2,
        window: 1,
        chain: vec![Run { top: 9, states: vec![StateId([8; 16])] }],
        got: vec![wire::Got { device: name, upto: 3 }],
    };
    let signed =
        |body: Vec<u8>| Signed { device: name, body: body.into(), signature: vec![9; 64].into() };
    let part = Part { kind: Kind::Tree, whole: [1; 32], index: 0, count: 1, bytes: vec![2].into() };
    let state = StateId([8; 16]);
    let bundle = Bundle { parent: state, class: 1, leaf: 2, commit: vec![4].into() };
    let rejoin = Rejoin { count: 1, side: vec![state; 2], key_package: vec![5].into() };
    let leave = Leave { device: name, upto: 6, signature: vec![7].into() };
    let payloads = [
        (Kind::Commit, wire::encode(&bundle)),
        (Kind::Application, wire::encode(&body(Message::text("frost")))),
        (Kind::Beacon, wire::encode(&signed(wire::encode(&beacon)))),
        (Kind::Request, wire::encode(&signed(wire::encode(&Request::Messages(name, 1, 2))))),
        (Kind::Part, wire::encode(&part)),
        (Kind::Binding, binding.clone()),
        (Kind::Rejoin, wire::encode(&signed(wire::encode(&rejoin)))),
        (Kind::Leave, wire::encode(&leave)),
        (Kind::Note, wire::encode(&signed(wire::encode(&Note::Floor(name, 1))))),
    ];
    let mut rules = GroupRules::new(TOPIC, "garden", Policy::default(), address);
    rules.predecessors = vec![GroupId([3; 32])];
    let extensions = rules.to_extensions().expect("they fit");
    let content =
        |number| extensions.unknown(number).map(|found| found.0.clone()).unwrap_or_default();
    let (rules, policy) = (content(EXTENSION_TYPE), content(HYBRID_POLICY));

    let with = |first: u8, rest: &[u8]| [&[first], rest].concat();
    let plain = |kind: Kind, payload: &[u8]| {
        let length = u32::try_from(payload.len()).expect("they are short").to_be_bytes();
        with(1, &[&[1, kind as u8], &state.0[..], &length, payload].concat())
    };
    let mut seeds: Vec<_> = messages.iter().map(|message| ("message", message.encode())).collect();
    seeds.extend(payloads.iter().map(|(kind, payload)| ("envelope", plain(*kind, payload))));
    seeds.extend([
        ("account", with(0, &wire::encode(&Inbox::Welcome(vec![1].into())))),
        ("account", with(0, &wire::encode(&Inbox::Revocation(revocation.clone().into())))),
        ("account", with(0, &wire::encode(&Inbox::Restored(restored)))),
        ("account", with(0, &wire::encode(&Inbox::Device(binding.clone().into())))),
        ("account", with(1, &wire::encode(&Question::KeyPackage(SUITE.into())))),
        ("account", with(1, &wire::encode(&Question::Account))),
        ("account", with(1, &wire::encode(&Question::Again(SUITE.into(), vec![stay])))),
        ("account", with(2, &wire::encode(&Answer::Binding(binding.clone().into())))),
        ("account", with(2, &wire::encode(&Answer::Revocation(revocation.clone().into())))),
        ("identity", with(0, &binding)),
        ("identity", with(1, &revocation)),
        ("identity", with(2, &request.encode())),
        ("identity", with(3, &leaf)),
        ("identity", with(4, address.to_string().as_bytes())),
        ("identity", with(5, request.text().as_bytes())),
        ("rules", with(0, &wire::encode(&Policy::default()))),
        ("rules", [&[1, policy.len() as u8], &policy[..], &rules].concat()),
        (
            "parts",
            [[1, 0, 0, 1, 0, 9, 7], [1, 0, 1, 1, 1, 0, 8], [2, 1, 0, 9, 0x80, 0, 1]].concat(),
        ),
        ("backup", vec![0, 0, 0, 16, 0, 1]),
        ("backup", with(5, &binding)),
    ]);
    #[cfg(feature = "mailbox")]
    seeds.extend(crate::mailbox::fuzzing::seeds());
    seeds
}

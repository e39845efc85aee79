//! Nodes around the place of a record that lie about it: all give one of before, a forged one, or none.

#![cfg(feature = "libp2p")]

mod nodes;
mod offices;

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use libp2p::identity::Keypair;
use libp2p::kad::{KBucketKey, RecordKey};
use nodes::{address, builder, settled, soon};
use offices::{Anything, Device, Office, ask, office};
use trellis_sdk::directory::{self, BoxAt};
use trellis_sdk::transport::Transport;
use trellis_sdk::transport::libp2p::{Libp2p, Records};
use trellis_sdk::{Time, Topic};

/// Among how many names the liars choose theirs: one in a hundred is close to the place.
const NAMES: u32 = 3000;

/// How many times the liars are given their records, until one who looks finds them there.
const PATIENCE: usize = 5;

/// Keeps this and nothing else, whatever comes later.
struct Liar(Vec<u8>);

impl Records for Liar {
    fn accept(&self, _: &[u8], value: &[u8], _: Option<&[u8]>) -> bool {
        value == self.0
    }
}

/// The seeds of the names that are closest to a place.
fn close_to(place: &[u8], number: usize) -> Vec<[u8; 32]> {
    let place = KBucketKey::new(RecordKey::new(&place));
    let mut seeds: Vec<_> = (0..NAMES)
        .map(|number| {
            let mut seed = [7; 32];
            seed[..4].copy_from_slice(&number.to_be_bytes());
            let name = Keypair::ed25519_from_bytes(seed).unwrap().public().to_peer_id();
            (KBucketKey::from(name).distance(&place), seed)
        })
        .collect();
    seeds.sort_by_key(|(distance, _)| *distance);
    seeds.into_iter().take(number).map(|(_, seed)| seed).collect()
}

struct Scene {
    office: Office,
    bob: Device,
    /// Where his record is to be.
    key: [u8; 32],
    /// A box of before, and the one of now.
    boxes: [BoxAt; 2],
    stale: Vec<u8>,
    forged: Vec<u8>,
    _liars: Vec<Libp2p>,
}

impl Scene {
    /// The nodes that are closest to the first place of Bob's device lie, a third of them in each way.
    async fn new(liars: usize) -> Self {
        let office = office().await;
        let bob = Device::of(&office, None).await;
        let slot = directory::choices(&bob.id())[0];
        let key = directory::key(&bob.crypto, &bob.topic(), slot);
        let mut boxes = Vec::new();
        for (secret, text) in [([2; 32], &b"old"[..]), ([3; 32], b"new")] {
            let session = bob.deposit(&office, secret, vec![bob.package(text)], None).await;
            boxes.push(office.at(&session).await);
        }
        let boxes: [BoxAt; 2] = boxes.try_into().unwrap();
        let stale = bob.record(vec![boxes[0].clone()], Time(Time::from_system().0 - 60_000));
        let mut forged = bob.record(vec![boxes[0].clone()], Time::from_system());
        *forged.last_mut().unwrap() ^= 1;

        let bootstrap = address(&office.node).await;
        let lies = [stale.clone(), forged.clone(), Vec::new()];
        let open = close_to(&key, liars).into_iter().zip(lies.iter().cycle());
        let open = open.map(|(seed, lie)| {
            let builder = builder().serve(true).bootstrap(bootstrap.clone()).identity(seed);
            builder.records(Arc::new(Liar(lie.clone()))).open()
        });
        let liars: Vec<_> = join_all(open).await.into_iter().map(Result::unwrap).collect();
        let known = liars.len().saturating_sub(2).min(20);
        for liar in &liars {
            settled(liar, |status| status.table >= known).await;
        }
        let mallory = office.guest().await;
        let scene = Self { office, bob, key, boxes, stale, forged, _liars: liars };
        for _ in 0..PATIENCE {
            // Where a put or a look ends before it has asked all that are close, it is done again.
            for lie in [&scene.stale, &scene.forged] {
                let _ = soon(mallory.put_record(&key, lie)).await;
            }
            if scene.is_there(&scene.stale).await && scene.is_there(&scene.forged).await {
                return scene;
            }
        }
        panic!("the liars do not show what they were given");
    }

    async fn is_there(&self, record: &[u8]) -> bool {
        self.there().await.iter().any(|found| found == record)
    }

    /// The same, looking more than once.
    async fn stays(&self, record: &[u8]) -> bool {
        for _ in 0..PATIENCE {
            if self.is_there(record).await {
                return true;
            }
        }
        false
    }

    /// What is there, whether it is a record or not.
    async fn there(&self) -> Vec<Vec<u8>> {
        let reader = builder().bootstrap(address(&self.office.node).await);
        let reader = reader.records(Arc::new(Anything)).open().await.unwrap();
        settled(&reader, |status| status.table > 0).await;
        soon(reader.get_record(&self.key)).await.unwrap()
    }

    fn topic(&self) -> Topic {
        self.bob.topic()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_record_is_found_among_old_and_forged_ones() {
    let scene = Scene::new(12).await;
    let boxes = vec![scene.boxes[1].clone()];
    scene.bob.publish(boxes).await;
    assert!(scene.stays(&scene.stale).await, "they do not take the new one");

    let alice = scene.office.guest().await;
    let found = soon(alice.get_record(&scene.key)).await.unwrap();
    assert!(!found.contains(&scene.forged));
    assert_eq!(ask(&alice, scene.topic()).await, scene.bob.package(b"new"));
}

/// Who has all nodes around a place can hide what is new there, and forge nothing; and whoever the record
/// is of is not told that it is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_have_the_whole_place_forge_nothing_and_the_device_sees_that_it_is_hidden() {
    let scene = Scene::new(27).await;
    let (bob, topic) = (&scene.bob, scene.topic());
    let boxes = vec![scene.boxes[1].clone()];
    bob.node.publish_boxes(topic, boxes.clone()).await.unwrap();
    for _ in 0..2 {
        // It is asked for again, since it is not found where it was put.
        let wanted = nodes::boxes(&bob.node).await;
        assert!(!bob.node.status().await.unwrap().announced);
        bob.node.announce(bob.record(wanted.boxes, Time::from_system())).await.unwrap();
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!bob.node.status().await.unwrap().announced);
    assert!(scene.stays(&scene.forged).await);
    let alice = scene.office.guest().await;
    for _ in 0..PATIENCE {
        let Ok(found) = soon(alice.get_record(&scene.key)).await else { continue };
        assert!(
            found.iter().all(|record| *record == scene.stale),
            "of the lies only the old one is of his hand"
        );
        if !found.is_empty() {
            return;
        }
    }
    panic!("the old one is not found");
}

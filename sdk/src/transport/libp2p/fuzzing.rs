//! What the fuzz targets call: each decoder of the network that bytes from outside reach, with what must
//! hold of it. It is compiled under `cfg(fuzzing)` and for tests, and panics where something does not hold.

use std::time::Duration;

use libp2p::PeerId;
use tokio::time::Instant;

use super::content::{Chunks, Manifest};
use super::fetch::{Fetches, Request};
use super::frame::{self, Ask, Gossip, MAX_WHOLE};
use super::limits::{CHUNK, Limits, MAX_CONTENT};
use crate::Topic;

const TOPIC: Topic = Topic([2; 32]);

/// A gossip message, and the name of its topic. What decodes has these bytes and no others.
pub fn gossip(data: &[u8]) {
    if let Some(gossip) = Gossip::decode(data, MAX_CONTENT) {
        let random = data[1..9].try_into().expect("it has them");
        assert_eq!(gossip.encode(random), data);
        if let Gossip::Announcement(manifest) = gossip {
            let last = manifest.chunks.len().checked_sub(1).expect("it has chunks");
            assert!(
                manifest.chunk_length(last).is_some_and(|length| (1..=CHUNK).contains(&length))
            );
            assert_eq!(manifest.chunk_length(last + 1).unwrap_or(0), 0);
        }
    }
    if let Some(topic) = std::str::from_utf8(data).ok().and_then(frame::topic_of) {
        assert_eq!(frame::topic_name(&topic).as_bytes(), data);
    }
}

/// A question, or an answer.
pub fn ask(data: &[u8]) {
    if let Some(ask) = Ask::decode(data) {
        assert_eq!(ask.encode(), data);
    }
}

/// Fetching content from three peers of whom anything can be expected: each byte says what the next
/// thing is that happens. What is delivered is what was announced.
pub fn fetch(data: &[u8]) {
    let content: Vec<u8> = (0..6 * CHUNK + 5).map(|index| (index / 300) as u8).collect();
    let (manifest, pieces) = Manifest::of(&content).expect("it is short");
    let limits = Limits { chunk_store: 4 * CHUNK, ..Limits::default() };
    let mut chunks = Chunks::new(limits.chunk_store, limits.chunk_age);
    let (mut fetches, mut now) = (Fetches::new(), Instant::now());
    let peers: Vec<PeerId> = (1..4_u8)
        .map(|number| {
            let keypair = libp2p::identity::Keypair::ed25519_from_bytes([number; 32]);
            keypair.expect("any 32 bytes are a key").public().to_peer_id()
        })
        .collect();
    let mut asked: Vec<Request> = Vec::new();
    for byte in data.iter().take(2000) {
        let (what, which) = (byte % 8, usize::from(byte / 8));
        let peer = peers[which % peers.len()];
        match what {
            0 => {
                let manifest = manifest.clone();
                let there = fetches.announced(now, TOPIC, manifest, peer, &chunks, &limits);
                assert!(there.is_none_or(|(_, bytes)| bytes == content));
            }
            1 => {
                let listening = peers[..which % 4].to_vec();
                let wanted = fetches.requests(now, 2, |_| listening.clone(), |_| which % 2 == 0);
                asked.extend(wanted);
            }
            2 => now += Duration::from_secs(which as u64),
            3 => fetches.expire(now),
            _ if asked.is_empty() => {}
            4 => {
                let request = asked.swap_remove(which % asked.len());
                fetches.failed(now, &request);
            }
            _ => {
                let request = asked.swap_remove(which % asked.len());
                let bytes = match what {
                    5 => pieces[request.index].to_vec(),
                    6 => Vec::new(),
                    _ => vec![*byte; which],
                };
                fetches.arrived(now, &request, bytes, &mut chunks);
            }
        }
        for (topic, bytes) in fetches.finished() {
            assert!(topic == TOPIC && bytes == content);
        }
    }
}

/// Inputs to begin with, each for one of the targets.
#[must_use]
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let (manifest, _) = Manifest::of(&[7; MAX_WHOLE + 1]).expect("it is short");
    let whole = Gossip::Whole(b"frost".to_vec()).encode([1; 8]);
    let announcement = Gossip::Announcement(manifest).encode([2; 8]);
    let question = Ask::Question { number: 1, topic: TOPIC, question: b"who?".to_vec() };
    let answer = Ask::Answer { number: 1, answer: b"me".to_vec() };
    // Announced, asked for and given in order; and with a break and a liar.
    let smooth = [&[0, 25][..], &[5; 10], &[25], &[5; 10]].concat();
    let rough = [&[0, 25, 7, 6, 4][..], &[18, 25, 5, 5, 3], &[0, 25, 5, 5, 5, 25, 5, 5]].concat();
    vec![
        ("gossip", whole),
        ("gossip", announcement),
        ("gossip", frame::topic_name(&TOPIC).into_bytes()),
        ("ask", question.encode()),
        ("ask", answer.encode()),
        ("fetch", smooth),
        ("fetch", rough),
    ]
}

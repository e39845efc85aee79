//! What goes through the gossip of many topics, and of many messages at once.

#![cfg(feature = "libp2p")]

mod nodes;

use std::time::Duration;

use nodes::{connect, listeners, message, node, settled};
use trellis_sdk::Topic;
use trellis_sdk::transport::{MAX_SUBSCRIPTIONS, Transport};

const TOPIC: Topic = Topic([7; 32]);
/// What is said last.
const LAST: &[u8] = b"the last";

/// The names of what a node listens to go to a new peer in one frame.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_listens_to_as_many_topics_as_he_may_is_heard_on_all() {
    let topic = |number: usize| {
        let mut topic = [7; 32];
        topic[..8].copy_from_slice(&(number as u64).to_be_bytes());
        Topic(topic)
    };
    let (one, other) = (node().await, node().await);
    for number in 0..MAX_SUBSCRIPTIONS {
        one.subscribe(topic(number)).await.unwrap();
    }
    let some = [0, MAX_SUBSCRIPTIONS / 2, MAX_SUBSCRIPTIONS - 1].map(topic);
    for topic in some {
        other.subscribe(topic).await.unwrap();
    }
    connect(&other, &one).await;
    settled(&other, |status| some.iter().all(|topic| listeners(status, *topic) == 1)).await;
    for topic in some {
        other.publish(topic, b"there".to_vec()).await.unwrap();
        assert_eq!(message(&one).await, (topic, b"there".to_vec()));
    }
}

/// Peers beside the mesh are told the names of what they may have missed, in one frame too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_at_once_keep_nobody_from_what_comes_later() {
    const LEAVES: usize = 14;
    const EACH: u32 = 60;
    let hub = node().await;
    hub.subscribe(TOPIC).await.unwrap();
    let mut leaves = Vec::new();
    for _ in 0..LEAVES {
        let leaf = node().await;
        leaf.subscribe(TOPIC).await.unwrap();
        connect(&leaf, &hub).await;
        leaves.push(leaf);
    }
    settled(&hub, |status| listeners(status, TOPIC) == LEAVES).await;
    // Ten seconds in which more is said than 16 KiB have room for names of.
    for number in 0..40 * EACH {
        hub.publish(TOPIC, number.to_be_bytes().to_vec()).await.unwrap();
        if number % EACH == 0 {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }
    hub.publish(TOPIC, LAST.to_vec()).await.unwrap();
    for leaf in &leaves {
        while message(leaf).await.1 != LAST {}
    }
}

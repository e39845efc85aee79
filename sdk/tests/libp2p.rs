//! Nodes of libp2p on loopback: they find each other, carry messages, questions and content, and do not
//! do what others must not have done.

#![cfg(feature = "libp2p")]

mod nodes;

use std::time::Duration;

use nodes::{answer, builder, chat, connect, connected, message, node, question, settled, soon};
use trellis_sdk::transport::libp2p::{CHUNK, Libp2p, Limits, NodeError, Rate};
use trellis_sdk::transport::{MAX_MESSAGE, Transport, TransportError};
use trellis_sdk::{Client, Topic};

const TOPIC: Topic = Topic([1; 32]);

#[tokio::test]
async fn a_message_reaches_who_listens() {
    let (one, other) = connected().await;
    other.subscribe(TOPIC).await.unwrap();
    one.publish(TOPIC, b"frost tonight".to_vec()).await.unwrap();
    assert_eq!(message(&other).await, (TOPIC, b"frost tonight".to_vec()));
    // The same again is a message again.
    for _ in 0..3 {
        one.publish(TOPIC, b"frost tonight".to_vec()).await.unwrap();
        assert_eq!(message(&other).await.1, b"frost tonight");
    }
}

#[tokio::test]
async fn links_are_hybrid_and_say_so() {
    let (one, other) = connected().await;
    let status = one.status().await.unwrap();
    assert!(status.requires_hybrid);
    assert_eq!(status.links.len(), 1);
    assert_eq!(status.links[0].peer, other.peer());
    assert_eq!(status.links[0].key_exchange.name(), "X25519MLKEM768");
    assert!(status.links[0].key_exchange.is_hybrid() && !status.links[0].relayed);
}

#[tokio::test]
async fn a_question_is_answered_more_than_once() {
    let (one, other) = connected().await;
    other.subscribe(TOPIC).await.unwrap();
    one.ask(TOPIC, b"who?".to_vec()).await.unwrap();
    let (asker, topic, text) = question(&other).await;
    assert_eq!((topic, &text[..]), (TOPIC, &b"who?"[..]));
    other.answer(asker, b"me".to_vec()).await.unwrap();
    other.answer(asker, vec![7; MAX_MESSAGE]).await.unwrap();
    let mut answers = [answer(&one).await, answer(&one).await];
    answers.sort_by_key(Vec::len);
    assert_eq!(answers, [b"me".to_vec(), vec![7; MAX_MESSAGE]]);
    // An answer to no question goes nowhere.
    other.answer(asker + 1, b"me".to_vec()).await.unwrap();
}

#[tokio::test]
async fn two_clients_chat() {
    let (one, other) = connected().await;
    let alice = Client::builder_in_memory().transport(one).open().await.unwrap();
    let bob = Client::builder_in_memory().transport(other).open().await.unwrap();
    chat(&alice, &bob).await;
}

#[tokio::test]
async fn who_was_told_the_same_third_node_meets() {
    let third = builder().serve(true).open().await.unwrap();
    let bootstrap = nodes::address(&third).await;
    let [one, other] = [(); 2].map(|()| builder().bootstrap(bootstrap.clone()).open());
    let (one, other) = (one.await.unwrap(), other.await.unwrap());
    let alice = Client::builder_in_memory().transport(one).open().await.unwrap();
    let bob = Client::builder_in_memory().transport(other).open().await.unwrap();
    chat(&alice, &bob).await;
}

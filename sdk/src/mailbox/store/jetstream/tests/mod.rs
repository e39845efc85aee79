//! Against real servers, which the tests start on loopback and stop.

mod cluster;
mod server;

use super::*;
use crate::mailbox::store::conformance::{self, AMPLE, record as box_record};
use crate::mailbox::{Limits, MailboxError, MailboxKeys, Service};
use server::Cluster;

/// The numbers for one server.
fn alone(name: &str) -> JetStreamOptions {
    JetStreamOptions { name: name.into(), replicas: 1, ..JetStreamOptions::default() }
}

#[tokio::test]
async fn does_what_every_store_does() {
    let Some(cluster) = Cluster::start(1) else { return };
    let store = JetStream::open(cluster.connect(0).await, alone("conformance")).await.unwrap();
    conformance::check(&store).await;
}

#[tokio::test]
async fn processes_see_what_others_did() {
    let Some(cluster) = Cluster::start(1) else { return };
    let open = async || JetStream::open(cluster.connect(0).await, alone("two")).await.unwrap();
    let (one, other) = (open().await, open().await);
    let id = BoxId([1; 32]);
    one.write(id, box_record(&[])).await.unwrap();
    assert_eq!(other.find(id).await.unwrap(), Some(box_record(&[])));
    let mail = |number| conformance::mail(number, 100);
    // Both at the same time: one of them was first.
    let both = tokio::join!(
        one.put(id, (0..20).map(mail).collect(), AMPLE),
        other.put(id, (10..30).map(mail).collect(), AMPLE),
    );
    assert_eq!(both.0.unwrap() + both.1.unwrap(), 30);
    for store in [&one, &other] {
        assert_eq!(store.ids(id, Time(0)).await.unwrap().len(), 30);
        assert_eq!(store.usage(id).await.unwrap().count, 30);
        let got = store.get(id, vec![mail(5).id, mail(25).id], 1000).await.unwrap();
        assert_eq!(got, [Some(mail(5)), Some(mail(25))]);
    }
    // A third that begins later, with all that is there.
    assert_eq!(open().await.ids(id, Time(0)).await.unwrap().len(), 30);
    one.remove(id).await.unwrap();
    assert!(matches!(other.ids(id, Time(0)).await, Err(StoreError::NoBox)));
    other.write(id, box_record(&[])).await.unwrap();
    other.boxes().await.unwrap();
    let all: Vec<_> = (0..30).map(|number| mail(number).id).collect();
    assert_eq!(other.get(id, all, 10_000).await.unwrap(), vec![None; 30]);
    assert_eq!(other.usage(id).await.unwrap().count, 0);
}

#[tokio::test]
async fn the_server_clears_what_a_vanished_reader_leaves() {
    let Some(cluster) = Cluster::start(1) else { return };
    let store = JetStream::open(cluster.connect(0).await, alone("reader")).await.unwrap();
    let consumer = store.mail.consumer("reader.mail.>", 1, true).await.unwrap();
    let config = &consumer.cached_info().config;
    assert_eq!(config.inactive_threshold, link::ABANDONED);
    assert!(config.durable_name.is_none() && config.memory_storage);
}

#[tokio::test]
async fn a_full_cluster_is_an_error() {
    let Some(cluster) = Cluster::start(1) else { return };
    let options = JetStreamOptions { envelope_bytes: 100_000, ..alone("full") };
    let store = JetStream::open(cluster.connect(0).await, options).await.unwrap();
    let id = BoxId([1; 32]);
    store.write(id, box_record(&[])).await.unwrap();
    let mut kept = 0;
    let error = loop {
        match store.put(id, vec![conformance::mail(kept, 10_000)], AMPLE).await {
            Ok(new) => kept += new as u64,
            Err(error) => break error,
        }
        assert!(kept < 100, "the stream does not get full");
    };
    assert!(matches!(error, StoreError::Full), "{error:?}");
    assert!(kept > 1);
    assert_eq!(store.ids(id, Time(0)).await.unwrap().len() as u64, kept);
}

#[tokio::test]
async fn a_cluster_that_is_gone_is_an_error() {
    let Some(mut cluster) = Cluster::start(1) else { return };
    let options = JetStreamOptions {
        timeout: std::time::Duration::from_millis(300),
        tries: 1,
        ..alone("gone")
    };
    let store = JetStream::open(cluster.connect(0).await, options).await.unwrap();
    let id = BoxId([1; 32]);
    store.write(id, box_record(&[])).await.unwrap();
    cluster.kill(0);
    let put = store.put(id, vec![conformance::mail(1, 100)], AMPLE).await;
    assert!(matches!(put, Err(StoreError::Unavailable)), "{put:?}");
    assert!(matches!(store.ids(id, Time(0)).await, Err(StoreError::Unavailable)));
}

#[tokio::test]
async fn a_mailbox_says_that_its_store_is_full_or_lost() {
    let Some(mut cluster) = Cluster::start(1) else { return };
    let options = JetStreamOptions {
        envelope_bytes: 100_000,
        timeout: std::time::Duration::from_millis(300),
        tries: 1,
        ..alone("trouble")
    };
    let (now, topic) = (Time(1000), Topic([1; 32]));
    let store = JetStream::open(cluster.connect(0).await, options).await.unwrap();
    store.write(BoxId([1; 32]), box_record(&[topic])).await.unwrap();
    let keys = MailboxKeys::from_secret(&[9; 32]);
    let mailbox = Service::open(keys, Limits::default(), store, now).await.unwrap();
    let mut number = 0;
    let full = loop {
        match mailbox.arrived(now, topic, &[number; 10_000]).await {
            Ok(kept) => assert_eq!((kept, mailbox.trouble()), (1, None)),
            Err(error) => break error,
        }
        number += 1;
        assert!(number < 20, "the stream does not get full");
    };
    assert_eq!(full, MailboxError::Full);
    // That the store answers is no sign of room; that it takes something is.
    mailbox.tick(now).await.unwrap();
    assert_eq!(mailbox.trouble(), Some(MailboxError::Full));
    assert_eq!(mailbox.arrived(now, topic, b"small").await, Ok(1));
    assert_eq!(mailbox.trouble(), None);
    cluster.kill(0);
    let lost = Err(MailboxError::Unavailable);
    assert_eq!(mailbox.arrived(now, topic, b"later").await, lost);
    assert_eq!(mailbox.arrived_before(now, topic, b"later").await, lost);
    assert_eq!(mailbox.trouble(), Some(MailboxError::Unavailable));
}

/// What the server says to options that it can't do, in words.
#[tokio::test]
async fn why_a_cluster_is_refused() {
    let Some(cluster) = Cluster::start(1) else { return };
    let mut options = alone("refused");
    options.replicas = 3;
    let error = JetStream::open(cluster.connect(0).await, options.clone()).await.unwrap_err();
    assert!(error.to_string().contains("no cluster"), "{error}");
    assert!(matches!(error, StoreError::NotOpened(_)) && error.is_retryable());
    options = JetStreamOptions { box_bytes: 1 << 40, ..alone("refused") };
    let error = JetStream::open(cluster.connect(0).await, options).await.unwrap_err();
    assert!(error.to_string().contains("stream refused-boxes"), "{error}");
    let nobody = ["nats://127.0.0.1:1".to_owned()];
    let error = JetStream::connect(&nobody, alone("refused")).await.unwrap_err();
    assert_eq!(error.code(), "not-opened");
    for servers in [&[][..], &["http://127.0.0.1".to_owned()]] {
        let error = JetStream::connect(servers, alone("refused")).await.unwrap_err();
        assert_eq!((error.code(), error.is_retryable()), ("options", false));
    }
}

#[tokio::test]
async fn a_store_that_is_opened_with_more_has_more() {
    let Some(cluster) = Cluster::start(1) else { return };
    let of = |bytes, days: u64| JetStreamOptions {
        envelope_bytes: bytes,
        keep: std::time::Duration::from_secs(days * 24 * 3600),
        ..alone("grows")
    };
    let id = BoxId([1; 32]);
    let mail = |number| vec![conformance::mail(number, 10_000)];
    let store = JetStream::open(cluster.connect(0).await, of(30_000, 2)).await.unwrap();
    store.write(id, box_record(&[])).await.unwrap();
    let mut number = 0;
    while store.put(id, mail(number), AMPLE).await.is_ok() {
        number += 1;
        assert!(number < 10, "the stream does not get full");
    }
    let less = JetStream::open(cluster.connect(0).await, of(10_000, 1)).await.unwrap();
    assert_eq!(less.usage(id).await.unwrap().count, number);
    let more = JetStream::open(cluster.connect(0).await, of(60_000, 3)).await.unwrap();
    more.put(id, mail(number), AMPLE).await.unwrap();
    assert_eq!(store.usage(id).await.unwrap().count, number + 1);
}

#[test]
fn names_in_subjects() {
    let bytes = EnvelopeId::of(b"anything").0;
    assert_eq!(unhex(&hex(&bytes)), Some(bytes));
    for text in ["", "zz", &"g".repeat(64), &"é".repeat(32), &"a".repeat(66)] {
        assert_eq!(unhex(text), None);
    }
}

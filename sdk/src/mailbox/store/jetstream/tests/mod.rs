//! Against real servers, which the tests start on loopback and stop.

mod cluster;
mod server;

use super::*;
use crate::mailbox::store::conformance::{self, AMPLE, record as box_record};
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

#[test]
fn names_in_subjects() {
    let bytes = EnvelopeId::of(b"anything").0;
    assert_eq!(unhex(&hex(&bytes)), Some(bytes));
    for text in ["", "zz", &"g".repeat(64), &"é".repeat(32), &"a".repeat(66)] {
        assert_eq!(unhex(text), None);
    }
}

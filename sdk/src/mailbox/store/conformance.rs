//! What every store does, checked of each.

use std::collections::BTreeSet;

use tls_codec::VLBytes;

use super::*;
use crate::mailbox::wire::{Kind, LastResort};

/// Room for everything.
pub(super) const AMPLE: Room = Room { count: 1 << 40, bytes: 1 << 40, total: 1 << 40 };

/// An envelope that differs from all with another number.
pub(super) fn mail(number: u64, length: usize) -> Mail {
    let mut bytes = number.to_be_bytes().to_vec();
    bytes.resize(length.max(8), 7);
    Mail { id: EnvelopeId::of(&bytes), topic: Topic([5; 32]), at: Time(1000 + number), bytes }
}

pub(super) fn record(topics: &[Topic]) -> BoxRecord {
    BoxRecord {
        expires: Time(9999),
        opened_by: [1; 16],
        topics: List::new(topics.to_vec()).unwrap(),
        replicas: List::default(),
    }
}

fn blob(byte: u8) -> VLBytes {
    VLBytes::from(vec![byte; 10])
}

fn deposit(serial: u64, one_time: &[u8], last: Option<u8>) -> Deposit {
    Deposit {
        suite: 7,
        serial,
        expires: Time(5000),
        one_time: List::new(one_time.iter().map(|byte| blob(*byte)).collect()).unwrap(),
        last_resort: last.map(blob),
        beside: List::new(vec![blob(99)]).unwrap(),
    }
}

/// All of it.
pub(super) async fn check<S: MailStore>(store: &S) {
    boxes(store).await;
    envelopes(store).await;
    quotas(store).await;
    age(store).await;
    packages(store).await;
    package_quotas(store).await;
}

async fn boxes<S: MailStore>(store: &S) {
    let (one, other) = (BoxId([1; 32]), BoxId([2; 32]));
    assert!(store.boxes().await.unwrap().is_empty());
    assert_eq!(store.find(one).await.unwrap(), None);
    assert!(matches!(store.put(one, vec![mail(1, 9)], AMPLE).await, Err(StoreError::NoBox)));
    assert!(matches!(store.ids(one, Time(0)).await, Err(StoreError::NoBox)));
    assert!(matches!(store.get(one, vec![], 9).await, Err(StoreError::NoBox)));
    assert!(matches!(store.usage(one).await, Err(StoreError::NoBox)));
    assert!(matches!(store.take(one, 7, Time(0), false).await, Err(StoreError::NoBox)));
    store.write(one, record(&[])).await.unwrap();
    store.write(other, record(&[Topic([3; 32])])).await.unwrap();
    store.put(one, vec![mail(1, 9)], AMPLE).await.unwrap();
    store.write(one, record(&[Topic([4; 32])])).await.unwrap();
    assert_eq!(store.find(one).await.unwrap(), Some(record(&[Topic([4; 32])])));
    assert_eq!(store.usage(one).await.unwrap().count, 1);
    let mut all = store.boxes().await.unwrap();
    all.sort_by_key(|(id, _)| *id);
    assert_eq!(all, [(one, record(&[Topic([4; 32])])), (other, record(&[Topic([3; 32])]))]);
    store.remove(one).await.unwrap();
    store.remove(other).await.unwrap();
    assert!(store.boxes().await.unwrap().is_empty());
    // A new one with the same name has nothing of the old one.
    store.write(one, record(&[])).await.unwrap();
    assert_eq!(store.ids(one, Time(0)).await.unwrap(), vec![]);
    assert_eq!(store.usage(one).await.unwrap(), Usage::default());
    store.remove(one).await.unwrap();
}

async fn envelopes<S: MailStore>(store: &S) {
    let (id, other) = (BoxId([3; 32]), BoxId([4; 32]));
    store.write(id, record(&[])).await.unwrap();
    store.write(other, record(&[])).await.unwrap();
    let all: Vec<_> = (0..5).map(|number| mail(number, 100)).collect();
    // Of two that are the same one is kept, also within one call.
    let twice = [&all[..3], &all[..1]].concat();
    assert_eq!(store.put(id, twice, AMPLE).await.unwrap(), 3);
    assert_eq!(store.put(id, all.clone(), AMPLE).await.unwrap(), 2);
    assert_eq!(store.put(id, all.clone(), AMPLE).await.unwrap(), 0);
    store.put(other, all[..1].to_vec(), AMPLE).await.unwrap();

    let ids: BTreeSet<_> = store.ids(id, Time(0)).await.unwrap().into_iter().collect();
    assert_eq!(ids, all.iter().map(|mail| mail.id).collect());
    let since: BTreeSet<_> = store.ids(id, Time(1003)).await.unwrap().into_iter().collect();
    assert!(since.is_superset(&all[3..].iter().map(|mail| mail.id).collect()));
    assert_eq!(store.ids(other, Time(0)).await.unwrap(), [all[0].id]);
    let cost = 5 * (100 + OVERHEAD);
    assert_eq!(store.usage(id).await.unwrap(), Usage { count: 5, bytes: cost });

    let missing = EnvelopeId([9; 32]);
    let asked = vec![all[4].id, missing, all[0].id];
    let found = |mail: &Mail| Some(mail.clone());
    let got = store.get(id, asked.clone(), 1000).await.unwrap();
    assert_eq!(got, [found(&all[4]), None, found(&all[0])]);
    // As many as fit, and one in any case.
    assert_eq!(store.get(id, asked.clone(), 199).await.unwrap(), [found(&all[4]), None]);
    assert_eq!(store.get(id, asked, 1).await.unwrap()[0], found(&all[4]));
    assert_eq!(store.get(other, vec![all[1].id], 1000).await.unwrap(), [None]);

    store.remove(id).await.unwrap();
    assert_eq!(store.ids(other, Time(0)).await.unwrap(), [all[0].id]);
    store.remove(other).await.unwrap();
}

async fn quotas<S: MailStore>(store: &S) {
    let (id, other) = (BoxId([5; 32]), BoxId([6; 32]));
    store.write(id, record(&[])).await.unwrap();
    store.write(other, record(&[])).await.unwrap();
    let cost = 100 + OVERHEAD;
    let two = || vec![mail(1, 100), mail(2, 100)];
    let count = Room { count: 1, ..AMPLE };
    let bytes = Room { bytes: 2 * cost - 1, ..AMPLE };
    for room in [count, bytes] {
        assert!(matches!(store.put(id, two(), room).await, Err(StoreError::Quota)));
        assert_eq!(store.usage(id).await.unwrap(), Usage::default());
    }
    let exact = Room { count: 2, bytes: 2 * cost, total: 2 * cost };
    assert_eq!(store.put(id, two(), exact).await.unwrap(), 2);
    // What is there already is no reason to refuse.
    assert_eq!(store.put(id, two(), Room { count: 0, bytes: 0, total: 0 }).await.unwrap(), 0);
    assert!(matches!(store.put(id, vec![mail(3, 100)], exact).await, Err(StoreError::Quota)));
    let all = Room { total: 3 * cost - 1, ..AMPLE };
    assert!(matches!(store.put(other, vec![mail(3, 100)], all).await, Err(StoreError::Full)));
    // Room is there again when a box is gone.
    store.remove(id).await.unwrap();
    assert_eq!(store.put(other, vec![mail(3, 100)], all).await.unwrap(), 1);
    store.remove(other).await.unwrap();
}

async fn age<S: MailStore>(store: &S) {
    let id = BoxId([7; 32]);
    store.write(id, record(&[])).await.unwrap();
    let all: Vec<_> = (0..4).map(|number| mail(number, 50)).collect();
    store.put(id, all.clone(), AMPLE).await.unwrap();
    store.expire(Time(1002)).await.unwrap();
    let ids: BTreeSet<_> = store.ids(id, Time(0)).await.unwrap().into_iter().collect();
    assert_eq!(ids, all[2..].iter().map(|mail| mail.id).collect());
    assert_eq!(store.usage(id).await.unwrap(), Usage { count: 2, bytes: 2 * (50 + OVERHEAD) });
    assert_eq!(store.get(id, vec![all[0].id], 1000).await.unwrap(), [None]);
    store.expire(Time(1002)).await.unwrap();
    assert_eq!(store.usage(id).await.unwrap().count, 2);
    store.remove(id).await.unwrap();
}

async fn packages<S: MailStore>(store: &S) {
    let (id, now) = (BoxId([8; 32]), Time(100));
    store.write(id, record(&[])).await.unwrap();
    assert_eq!(store.take(id, 7, now, false).await.unwrap(), None);
    let put = |deposit| store.deposit(id, deposit, 8, AMPLE);
    put(deposit(1, &[1, 2], Some(50))).await.unwrap();
    let there =
        |serial, one_time, last_resort| vec![Pool { suite: 7, serial, one_time, last_resort }];
    assert_eq!(store.pools(id).await.unwrap(), there(1, 2, LastResort::Unused));

    let taken = |byte, kind| {
        let beside = List::new(vec![blob(99)]).unwrap();
        Some(Taken { package: blob(byte), kind, beside })
    };
    let last = taken(50, Kind::LastResort);
    assert_eq!(store.take(id, 8, now, false).await.unwrap(), None);
    let mut got = Vec::new();
    for _ in 0..2 {
        let package = store.take(id, 7, now, false).await.unwrap().unwrap();
        assert_eq!(package.kind, Kind::OneTime);
        got.push(package.package.as_slice()[0]);
    }
    got.sort_unstable();
    assert_eq!(got, [1, 2]);
    // The same deposit said again brings nothing back.
    put(deposit(1, &[1, 2], Some(50))).await.unwrap();
    assert_eq!(store.pools(id).await.unwrap(), there(1, 0, LastResort::Unused));
    assert_eq!(store.take(id, 7, now, false).await.unwrap(), last);
    assert_eq!(store.take(id, 7, now, false).await.unwrap(), last);
    assert_eq!(store.pools(id).await.unwrap(), there(1, 0, LastResort::Used));
    // More of them leave the last-resort one as it is; another one replaces it.
    put(deposit(2, &[3], None)).await.unwrap();
    assert_eq!(store.pools(id).await.unwrap(), there(2, 1, LastResort::Used));
    assert_eq!(store.take(id, 7, now, true).await.unwrap(), last);
    assert_eq!(store.take(id, 7, now, false).await.unwrap(), taken(3, Kind::OneTime));
    put(deposit(3, &[4], Some(51))).await.unwrap();
    assert_eq!(store.pools(id).await.unwrap(), there(3, 1, LastResort::Unused));
    // What has expired is not given.
    assert_eq!(store.take(id, 7, Time(5000), false).await.unwrap(), None);
    store.remove(id).await.unwrap();
    store.write(id, record(&[])).await.unwrap();
    assert_eq!(store.pools(id).await.unwrap(), vec![]);
    store.remove(id).await.unwrap();
}

async fn package_quotas<S: MailStore>(store: &S) {
    let id = BoxId([9; 32]);
    store.write(id, record(&[])).await.unwrap();
    let cost = |packages: u64| packages * (10 + OVERHEAD);
    let count = Room { count: 1, ..AMPLE };
    // Two packages, the last-resort one, and what is beside.
    let bytes = Room { bytes: cost(4) - 1, ..AMPLE };
    let total = Room { total: cost(4) - 1, ..AMPLE };
    let new = || deposit(1, &[1, 2], Some(3));
    assert!(matches!(store.deposit(id, new(), 8, count).await, Err(StoreError::Quota)));
    assert!(matches!(store.deposit(id, new(), 8, bytes).await, Err(StoreError::Quota)));
    assert!(matches!(store.deposit(id, new(), 8, total).await, Err(StoreError::Full)));
    assert!(matches!(store.deposit(id, new(), 0, AMPLE).await, Err(StoreError::Quota)));
    assert_eq!(store.pools(id).await.unwrap(), vec![]);
    let exact = Room { count: 2, bytes: cost(4), total: cost(4) };
    store.deposit(id, new(), 1, exact).await.unwrap();
    let other = Deposit { suite: 8, ..deposit(1, &[], None) };
    assert!(matches!(store.deposit(id, other, 1, AMPLE).await, Err(StoreError::Quota)));
    // A replaced last-resort one makes room for the next.
    store.deposit(id, deposit(2, &[], Some(4)), 1, exact).await.unwrap();
    store.remove(id).await.unwrap();
}

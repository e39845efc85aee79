//! Every limit, and who may do what.

use std::sync::atomic::Ordering;

use tls_codec::VLBytes;

use super::*;
use crate::mailbox::capability::Capability;
use crate::mailbox::client::{CatchUp, ClientError, Session, take, taken};
use crate::mailbox::list::List;
use crate::mailbox::rate::Rate;
use crate::mailbox::store::fake::Fake;
use crate::mailbox::store::{Memory, OVERHEAD};
use crate::mailbox::wire::{Deposit, Kind, MAX_BESIDE_BYTES, MAX_TOPICS};
use crate::wire as envelopes;
use crate::wire::Question;

const NOW: Time = Time(1_700_000_000_000);
const TOPIC: Topic = Topic([1; 32]);
const HOUR: u32 = 3600;

async fn mailbox(change: impl FnOnce(&mut Limits)) -> Service<Memory> {
    let mut limits = Limits::default();
    change(&mut limits);
    Service::open(MailboxKeys::from_secret(&[9; 32]), limits, Memory::new(), NOW).await.unwrap()
}

fn session(mailbox: &Service<Memory>, secret: u8) -> Session {
    Session::new(Capability::from_secret(&[secret; 32]), mailbox.id())
}

/// Carries a frame at a time, from a peer.
macro_rules! carry {
    ($mailbox:expr, $now:expr, $peer:expr) => {
        async |frame: Vec<u8>| Ok::<_, ClientError>($mailbox.handle($now, &$peer[..], &frame).await)
    };
    ($mailbox:expr) => {
        carry!($mailbox, NOW, b"peer")
    };
}

fn refused<T: std::fmt::Debug>(result: Result<T, ClientError>) -> MailboxError {
    match result {
        Err(ClientError::Refused(error)) => error,
        other => panic!("{other:?} is no refusal"),
    }
}

fn topic(number: usize) -> Topic {
    Topic(EnvelopeId::of(&number.to_be_bytes()).0)
}

fn deposit(serial: u64, one_time: &[&[u8]], last: Option<&[u8]>) -> Deposit {
    let blobs = one_time.iter().map(|package| VLBytes::from(package.to_vec()));
    Deposit {
        suite: 7,
        serial,
        expires: NOW + Span::seconds(1000),
        one_time: List::new(blobs.collect()).unwrap(),
        last_resort: last.map(|package| VLBytes::from(package.to_vec())),
        beside: List::default(),
    }
}

#[tokio::test]
async fn a_box_is_opened_renewed_and_closed() {
    let mailbox = mailbox(|_| ()).await;
    let mut alice = session(&mailbox, 1);
    let error = refused(alice.status().run(carry!(mailbox)).await);
    assert_eq!((error.code(), error.is_retryable()), ("unknown-box", false));
    assert_eq!(mailbox.arrived(NOW, TOPIC, b"early").await, Ok(0));

    let generation = mailbox.generation();
    let status = alice.open(vec![TOPIC], HOUR).unwrap().run(carry!(mailbox)).await.unwrap();
    assert_eq!(status.expires, NOW + Span::seconds(HOUR.into()));
    assert_eq!(mailbox.topics(), [TOPIC]);
    assert_ne!(mailbox.generation(), generation);
    assert_eq!(mailbox.arrived(NOW, TOPIC, b"envelope").await, Ok(1));
    assert_eq!(mailbox.arrived(NOW, Topic([2; 32]), b"envelope").await, Ok(0));

    let later = NOW + Span::seconds(1800);
    let status = alice.renew(HOUR).run(carry!(mailbox, later, b"peer")).await.unwrap();
    assert_eq!(status.expires, later + Span::seconds(HOUR.into()));
    assert_eq!(status.envelopes, 1);
    // Opening it for a shorter time takes none away, renewing does.
    let call = alice.open(vec![TOPIC], 1).unwrap();
    let status = call.run(carry!(mailbox, later, b"peer")).await.unwrap();
    assert_eq!(status.expires, later + Span::seconds(HOUR.into()));
    let status = alice.renew(HOUR / 2).run(carry!(mailbox, later, b"peer")).await.unwrap();
    assert_eq!(status.expires, later + Span::seconds((HOUR / 2).into()));
    // Another member, from elsewhere, has the same box.
    let mut bob = session(&mailbox, 1);
    let status = bob.status().run(carry!(mailbox, later, b"other")).await.unwrap();
    assert_eq!(status.bytes, 8 + OVERHEAD);
    // Other topics, with what is there.
    let other = Topic([2; 32]);
    let call = bob.open(vec![other], HOUR).unwrap();
    let status = call.run(carry!(mailbox, later, b"other")).await.unwrap();
    assert_eq!((status.envelopes, mailbox.topics()), (1, vec![other]));

    bob.close().run(carry!(mailbox, later, b"other")).await.unwrap();
    let error = refused(alice.status().run(carry!(mailbox, later, b"peer")).await);
    assert_eq!(error.code(), "unknown-box");
    assert!(mailbox.topics().is_empty());
    assert!(mailbox.store().boxes().await.unwrap().is_empty());
}

#[tokio::test]
async fn boxes_and_envelopes_end() {
    let mailbox = mailbox(|limits| {
        limits.box_ttl = Span::seconds(7200);
        limits.keep = Span::seconds(600);
    })
    .await;
    let mut alice = session(&mailbox, 1);
    let status = alice.open(vec![TOPIC], u32::MAX).unwrap().run(carry!(mailbox)).await.unwrap();
    // No longer than the mailbox wants.
    assert_eq!(status.expires, NOW + Span::seconds(7200));
    mailbox.arrived(NOW, TOPIC, b"old").await.unwrap();
    let later = NOW + Span::seconds(601);
    mailbox.arrived(later, TOPIC, b"new").await.unwrap();
    mailbox.tick(later).await.unwrap();
    let known = mailbox.known(alice.box_id()).await.unwrap();
    assert_eq!(known, [EnvelopeId::of(b"new")]);

    let end = NOW + Span::seconds(7200);
    let error = refused(alice.status().run(carry!(mailbox, end, b"peer")).await);
    assert_eq!((error.code(), error.is_retryable()), ("expired", false));
    assert_eq!(mailbox.arrived(end, TOPIC, b"late").await, Ok(0));
    mailbox.tick(end).await.unwrap();
    assert!(mailbox.topics().is_empty());
    let error = refused(alice.status().run(carry!(mailbox, end, b"peer")).await);
    assert_eq!(error.code(), "unknown-box");
}

#[tokio::test]
async fn what_is_not_signed_by_the_holder_is_refused() {
    let mailbox = mailbox(|_| ()).await;
    let mut alice = session(&mailbox, 1);
    alice.open(vec![TOPIC], HOUR).unwrap().run(carry!(mailbox)).await.unwrap();
    let good = alice.status().frame().unwrap();
    let answer = |frame: Vec<u8>, peer: &'static [u8], now: Time| {
        let mailbox = &mailbox;
        async move { wire::decode::<Answer>(&mailbox.handle(now, peer, &frame).await).unwrap() }
    };
    assert!(matches!(answer(good.clone(), b"peer", NOW).await, Answer::Status(_)));

    // Every bit of it counts.
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1;
        let refusal = answer(bad, b"peer", NOW).await;
        assert!(matches!(refusal, Answer::Refused(_)), "byte {place}: {refusal:?}");
        // Not to be counted against the peer here.
        mailbox.state().peers = Rates::new(mailbox.limits.peer_requests, 10);
    }
    // Recorded by somebody else, or long ago, it is worth nothing.
    let stolen = answer(good.clone(), b"thief", NOW).await;
    assert!(matches!(stolen, Answer::Refused(MailboxError::Stale(_))));
    let late = answer(good.clone(), b"peer", NOW + Span::seconds(1200)).await;
    assert!(matches!(late, Answer::Refused(MailboxError::Stale(_))));
    // And at another mailbox.
    let elsewhere =
        Service::open(MailboxKeys::from_secret(&[8; 32]), Limits::default(), Memory::new(), NOW)
            .await
            .unwrap();
    let error = refused(alice.status().run(carry!(elsewhere)).await);
    assert_eq!((error.code(), error.is_retryable()), ("forbidden", false));
}

#[tokio::test]
async fn frames_that_are_none_are_answered() {
    let mailbox = mailbox(|_| ()).await;
    let refusal = async |frame: &[u8]| match wire::decode(
        &mailbox.handle(NOW, b"peer", frame).await,
    )
    .unwrap()
    {
        Answer::Refused(error) => error.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal(&[]).await, "malformed");
    assert_eq!(refusal(&[1, 77]).await, "malformed");
    assert_eq!(refusal(&[2, 1]).await, "unsupported-version");
    assert_eq!(refusal(&vec![1; wire::MAX_FRAME + 1]).await, "too-large");
    let hello = mailbox.handle(NOW, b"peer", &wire::encode(&Ask::Hello).unwrap()).await;
    let Answer::Hello(hello) = wire::decode(&hello).unwrap() else { panic!() };
    assert_eq!((hello.mailbox, hello.now), (mailbox.id(), NOW));
}

#[tokio::test]
async fn the_quotas_of_a_box() {
    let mailbox = mailbox(|limits| {
        limits.box_envelopes = 3;
        limits.box_bytes = 1000;
        limits.message = 600;
    })
    .await;
    let mut alice = session(&mailbox, 1);
    alice.open(vec![TOPIC], HOUR).unwrap().run(carry!(mailbox)).await.unwrap();
    let store = async |alice: &mut Session, envelopes: &[&[u8]]| {
        let envelopes = envelopes.iter().map(|envelope| (TOPIC, envelope.to_vec())).collect();
        alice.store(envelopes).unwrap().run(carry!(mailbox)).await
    };
    assert_eq!(refused(store(&mut alice, &[&[7; 601]]).await).code(), "too-large");
    assert_eq!(refused(store(&mut alice, &[&[]]).await).code(), "malformed");
    assert_eq!(mailbox.arrived(NOW, TOPIC, &[7; 601]).await, Err(MailboxError::TooLarge));
    let elsewhere = alice.store(vec![(Topic([9; 32]), vec![1])]).unwrap();
    assert_eq!(refused(elsewhere.run(carry!(mailbox)).await).code(), "forbidden");

    assert_eq!(store(&mut alice, &[b"1", b"2"]).await.unwrap(), 2);
    assert_eq!(store(&mut alice, &[b"1", b"2"]).await.unwrap(), 0);
    let error = refused(store(&mut alice, &[b"3", b"4"]).await);
    assert_eq!((error.code(), error.is_retryable()), ("quota", true));
    // Nothing of it was stored.
    assert_eq!(mailbox.known(alice.box_id()).await.unwrap().len(), 2);
    assert_eq!(refused(store(&mut alice, &[&[7; 600]]).await).code(), "quota");
    assert_eq!(store(&mut alice, &[b"3"]).await.unwrap(), 1);
    assert_eq!(mailbox.arrived(NOW, TOPIC, b"4").await, Err(MailboxError::Quota));
}

#[tokio::test]
async fn a_full_mailbox_says_so() {
    let mailbox = mailbox(|limits| limits.total_bytes = 2 * (8 + OVERHEAD)).await;
    let mut alice = session(&mailbox, 1);
    alice.open(vec![TOPIC], HOUR).unwrap().run(carry!(mailbox)).await.unwrap();
    for envelope in [b"envelop1", b"envelop2"] {
        assert_eq!(mailbox.arrived(NOW, TOPIC, envelope).await, Ok(1));
    }
    assert_eq!(mailbox.arrived(NOW, TOPIC, b"envelop3").await, Err(MailboxError::Full));
    let call = alice.store(vec![(TOPIC, vec![3])]).unwrap();
    let error = refused(call.run(carry!(mailbox)).await);
    assert_eq!((error.code(), error.is_retryable()), ("full", true));
    let error = refused(alice.deposit(deposit(1, &[b"one"], None)).run(carry!(mailbox)).await);
    assert_eq!(error.code(), "full");
    assert_eq!(mailbox.known(alice.box_id()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_numbers_of_boxes_and_topics() {
    let open = async |mailbox: &Service<Memory>, secret: u8, topics: Vec<Topic>, peer: &[u8]| {
        let mut session = session(mailbox, secret);
        let call = session.open(topics, HOUR).unwrap();
        let result = call.run(carry!(mailbox, NOW, peer)).await;
        result.map(drop).map_err(|error| error.code())
    };
    let few = mailbox(|limits| limits.box_topics = 2).await;
    assert_eq!(open(&few, 1, vec![], b"a").await, Err("quota"));
    assert_eq!(open(&few, 1, vec![topic(1), topic(2), topic(3)], b"a").await, Err("quota"));
    assert_eq!(open(&few, 1, vec![topic(1), topic(2)], b"a").await, Ok(()));
    let many: Vec<_> = (0..=MAX_TOPICS).map(topic).collect();
    let mut alice = session(&few, 1);
    assert_eq!(alice.open(many, 1).unwrap_err(), ClientError::TooLarge);

    let few = mailbox(|limits| limits.peer_boxes = 1).await;
    assert_eq!(open(&few, 1, vec![topic(1)], b"a").await, Ok(()));
    assert_eq!(open(&few, 2, vec![topic(1)], b"a").await, Err("quota"));
    assert_eq!(open(&few, 1, vec![topic(2)], b"a").await, Ok(()));
    assert_eq!(open(&few, 2, vec![topic(1)], b"b").await, Ok(()));
    // One that somebody opened for another is the other's once he has come, if he has room for it.
    let few = mailbox(|limits| limits.peer_boxes = 1).await;
    assert_eq!(open(&few, 1, vec![topic(1)], b"a").await, Ok(()));
    assert_eq!(open(&few, 1, vec![topic(1)], b"b").await, Ok(()));
    assert_eq!(open(&few, 2, vec![topic(1)], b"a").await, Ok(()));
    assert_eq!(open(&few, 2, vec![topic(1)], b"b").await, Ok(()));
    assert_eq!(open(&few, 3, vec![topic(1)], b"a").await, Err("quota"));

    let few = mailbox(|limits| limits.total_boxes = 1).await;
    assert_eq!(open(&few, 1, vec![topic(1)], b"a").await, Ok(()));
    assert_eq!(open(&few, 2, vec![topic(1)], b"b").await, Err("full"));

    let few = mailbox(|limits| limits.total_topics = 2).await;
    assert_eq!(open(&few, 1, vec![topic(1), topic(2)], b"a").await, Ok(()));
    assert_eq!(open(&few, 2, vec![topic(3)], b"a").await, Err("full"));
    assert_eq!(open(&few, 2, vec![topic(2)], b"a").await, Ok(()));

    let few = mailbox(|limits| limits.topic_boxes = 1).await;
    assert_eq!(open(&few, 1, vec![topic(1)], b"a").await, Ok(()));
    assert_eq!(open(&few, 2, vec![topic(1)], b"a").await, Err("full"));
    assert_eq!(open(&few, 1, vec![topic(1)], b"a").await, Ok(()));
}

#[tokio::test]
async fn the_rates() {
    let rate = Rate { burst: 2, interval: Span::seconds(10) };
    let slow = mailbox(|limits| {
        limits.peer_requests = Rate { burst: 4, interval: Span::seconds(10) };
        limits.topic_arrivals = rate;
    })
    .await;
    let mut alice = session(&slow, 1);
    alice.open(vec![TOPIC], HOUR).unwrap().run(carry!(slow)).await.unwrap();
    for envelope in [b"1", b"2"] {
        assert_eq!(slow.arrived(NOW, TOPIC, envelope).await, Ok(1));
    }
    assert_eq!(slow.arrived(NOW, TOPIC, b"3").await, Err(MailboxError::Rate(10_000)));
    assert_eq!(slow.arrived(NOW + Span::seconds(10), TOPIC, b"3").await, Ok(1));

    alice.status().run(carry!(slow)).await.unwrap();
    alice.status().run(carry!(slow)).await.unwrap();
    let error = refused(alice.status().run(carry!(slow)).await);
    assert_eq!((error.code(), error.is_retryable()), ("rate", true));
    // What has to compare much counts more than once.
    let work = mailbox(|limits| {
        limits.peer_requests = Rate { burst: 40, interval: Span::seconds(10) };
        limits.request_ids = 10;
    })
    .await;
    let mut bob = session(&work, 1);
    bob.open(vec![TOPIC], HOUR).unwrap().run(carry!(work)).await.unwrap();
    for number in 0..150_u8 {
        work.arrived(NOW, TOPIC, &[number]).await.unwrap();
    }
    let (mut catch_up, frame) = CatchUp::start(&mut bob, [TOPIC], [], Time(0)).unwrap();
    let first = work.handle(NOW, b"peer", &frame).await;
    assert!(catch_up.step(&first).is_ok());
    let (_, frame) = CatchUp::start(&mut bob, [TOPIC], [], Time(0)).unwrap();
    work.handle(NOW, b"peer", &frame).await;
    let (mut catch_up, frame) = CatchUp::start(&mut bob, [TOPIC], [], Time(0)).unwrap();
    let error = refused(catch_up.step(&work.handle(NOW, b"peer", &frame).await));
    assert_eq!(error.code(), "rate");
    // And may be said again later.
    let later = NOW + Span::seconds(600);
    let again = catch_up.frame().unwrap();
    let mut answer = work.handle(later, b"peer", &again).await;
    if let Some(next) = catch_up.step(&answer).unwrap().next {
        answer = work.handle(later, b"peer", &next).await;
        assert!(catch_up.step(&answer).is_ok());
    }
    // Nobody else minds.
    assert!(session(&slow, 1).status().run(carry!(slow, NOW, b"other")).await.is_ok());
}

#[tokio::test]
async fn key_packages_are_given_once_and_then_the_last_resort() {
    let mailbox = mailbox(|limits| limits.pool_packages = 3).await;
    let mut alice = session(&mailbox, 1);
    let ask = async |peer: &[u8]| {
        let id = Capability::from_secret(&[1; 32]).box_id();
        taken(&mailbox.handle(NOW, peer, &take(id, 7)).await)
    };
    assert_eq!(refused(ask(b"bob").await).code(), "unknown-box");
    alice.open(vec![TOPIC], HOUR).unwrap().run(carry!(mailbox)).await.unwrap();
    let error = refused(ask(b"bob").await);
    assert_eq!((error.code(), error.is_retryable()), ("no-package", true));
    let many = deposit(1, &[b"1", b"2", b"3", b"4"], None);
    assert_eq!(refused(alice.deposit(many).run(carry!(mailbox)).await).code(), "quota");
    let pools = alice.deposit(deposit(1, &[b"1", b"2"], Some(b"last")));
    let pools = pools.run(carry!(mailbox)).await.unwrap();
    assert_eq!((pools.len(), pools[0].one_time), (1, 2));
    assert_eq!(alice.pools().run(carry!(mailbox)).await.unwrap(), pools);

    let mut got = Vec::new();
    for _ in 0..2 {
        let taken = ask(b"bob").await.unwrap();
        assert_eq!(taken.kind, Kind::OneTime);
        got.push(taken.package.as_slice().to_vec());
    }
    got.sort();
    assert_eq!(got, [b"1", b"2"]);
    for peer in [b"bob", b"eve"] {
        let taken = ask(peer).await.unwrap();
        assert_eq!((taken.package.as_slice(), taken.kind), (&b"last"[..], Kind::LastResort));
    }
}

#[tokio::test]
async fn strangers_get_key_packages_at_a_rate() {
    let two = Rate { burst: 2, interval: Span::seconds(10) };
    let mailbox = mailbox(|limits| {
        limits.peer_takes = two;
        limits.box_takes = Rate { burst: 3, interval: Span::seconds(10) };
    })
    .await;
    let mut alice = session(&mailbox, 1);
    alice.open(vec![TOPIC], HOUR).unwrap().run(carry!(mailbox)).await.unwrap();
    let packages: [&[u8]; 6] = [b"1", b"2", b"3", b"4", b"5", b"6"];
    let call = alice.deposit(deposit(1, &packages, Some(b"last")));
    call.run(carry!(mailbox)).await.unwrap();
    let ask = async |peer: &[u8], now: Time| {
        let id = Capability::from_secret(&[1; 32]).box_id();
        taken(&mailbox.handle(now, peer, &take(id, 7)).await)
    };
    for _ in 0..2 {
        assert_eq!(ask(b"bob", NOW).await.unwrap().kind, Kind::OneTime);
    }
    assert_eq!(refused(ask(b"bob", NOW).await), MailboxError::Rate(10_000));
    assert_eq!(ask(b"eve", NOW).await.unwrap().kind, Kind::OneTime);
    // Too fast for the box: the others are saved.
    assert_eq!(ask(b"eve", NOW).await.unwrap().kind, Kind::LastResort);
    let later = NOW + Span::seconds(10);
    assert_eq!(ask(b"eve", later).await.unwrap().kind, Kind::OneTime);
}

#[tokio::test]
async fn the_limits_of_deposits() {
    let mailbox = mailbox(|limits| {
        limits.message = 70_000;
        limits.pool_bytes = 100_000;
        limits.pool_suites = 1;
    })
    .await;
    let mut alice = session(&mailbox, 1);
    alice.open(vec![TOPIC], HOUR).unwrap().run(carry!(mailbox)).await.unwrap();
    let mut try_it = async |deposit: Deposit| {
        alice.deposit(deposit).run(carry!(mailbox)).await.map_err(|error| error.code())
    };
    let large = vec![7; 70_001];
    assert_eq!(try_it(deposit(1, &[&large], None)).await, Err("too-large"));
    assert_eq!(try_it(deposit(1, &[], Some(&large))).await, Err("too-large"));
    assert_eq!(try_it(deposit(1, &[b""], None)).await, Err("malformed"));
    assert_eq!(try_it(deposit(1, &[&large[2..], &large[1..]], None)).await, Err("quota"));
    let beside = vec![VLBytes::from(vec![7; MAX_BESIDE_BYTES / 2 + 1]); 2];
    let beside = Deposit { beside: List::new(beside).unwrap(), ..deposit(1, &[], None) };
    assert_eq!(try_it(beside).await, Err("too-large"));
    assert!(try_it(deposit(1, &[b"1"], None)).await.is_ok());
    assert_eq!(try_it(Deposit { suite: 8, ..deposit(1, &[b"1"], None) }).await, Err("quota"));
}

#[tokio::test]
async fn questions_on_a_topic_are_answered_as_devices_would() {
    let mailbox = mailbox(|limits| limits.answers = 2).await;
    let question = envelopes::encode(&Question::KeyPackage(7));
    assert_eq!(mailbox.asked(NOW, b"bob", TOPIC, &question).await, Ok(vec![]));
    // Three devices, each with a box.
    for secret in 1..=3 {
        let mut device = session(&mailbox, secret);
        device.open(vec![TOPIC], HOUR).unwrap().run(carry!(mailbox)).await.unwrap();
        let beside = List::new(vec![VLBytes::from(b"revocation".to_vec())]).unwrap();
        let package = format!("device {secret}");
        let deposit = Deposit { beside, ..deposit(1, &[package.as_bytes()], None) };
        device.deposit(deposit).run(carry!(mailbox)).await.unwrap();
    }
    let answers = mailbox.asked(NOW, b"bob", TOPIC, &question).await.unwrap();
    assert_eq!(answers, [&b"device 1"[..], b"device 2", b"revocation"]);
    let answers = mailbox.asked(NOW, b"bob", TOPIC, &question).await.unwrap();
    assert_eq!(answers, [&b"device 3"[..], b"revocation"]);
    assert_eq!(mailbox.asked(NOW, b"bob", TOPIC, &question).await, Ok(vec![]));
    let again = envelopes::encode(&Question::Again(7, vec![]));
    for other in [&again[..], &envelopes::encode(&Question::Account), b"no question"] {
        assert_eq!(mailbox.asked(NOW, b"bob", TOPIC, other).await, Ok(vec![]));
    }
}

#[tokio::test]
async fn a_mailbox_of_several_processes_learns_what_the_others_did() {
    let mailbox = mailbox(|_| ()).await;
    let record = BoxRecord {
        expires: NOW + Span::seconds(100),
        opened_by: [1; 16],
        topics: List::new(vec![TOPIC]).unwrap(),
        replicas: List::default(),
    };
    mailbox.store().write(BoxId([5; 32]), record).await.unwrap();
    mailbox.tick(NOW + Span::seconds(9)).await.unwrap();
    assert!(mailbox.topics().is_empty());
    mailbox.tick(NOW + Span::seconds(10)).await.unwrap();
    assert_eq!(mailbox.topics(), [TOPIC]);
    mailbox.store().remove(BoxId([5; 32])).await.unwrap();
    mailbox.tick(NOW + Span::seconds(20)).await.unwrap();
    assert!(mailbox.topics().is_empty());
}

#[tokio::test]
async fn one_tick_deletes_only_so_much() {
    let keys = MailboxKeys::from_secret(&[9; 32]);
    let mailbox = Service::open(keys, Limits::default(), Fake::default(), NOW).await.unwrap();
    mailbox.tick(NOW).await.unwrap();
    assert_eq!(mailbox.store().expiries.load(Ordering::SeqCst), EXPIRIES);
}

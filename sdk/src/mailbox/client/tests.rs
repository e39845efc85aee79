//! Catching up, with mailboxes that are honest and with others.

use std::collections::BTreeSet;

use super::*;
use crate::mailbox::capability::{Capability, EnvelopeId, Grant, MailboxKeys};
use crate::mailbox::list::List;
use crate::mailbox::store::Memory;
use crate::mailbox::wire::{self, Answer, Envelopes, Kept, Reconciled};
use crate::mailbox::{Limits, Service};
use crate::{Span, Time, Topic};

const NOW: Time = Time(1_700_000_000_000);
const TOPICS: [Topic; 2] = [Topic([1; 32]), Topic([2; 32])];

async fn mailbox(secret: u8, limits: Limits) -> Service<Memory> {
    let keys = MailboxKeys::from_secret(&[secret; 32]);
    Service::open(keys, limits, Memory::new(), NOW).await.unwrap()
}

async fn open(mailbox: &Service<Memory>) -> Session {
    let mut session = Session::new(Capability::from_secret(&[1; 32]), mailbox.id());
    let call = session.open(TOPICS.to_vec(), 3600).unwrap();
    let carry =
        async |frame: Vec<u8>| Ok::<_, ClientError>(mailbox.handle(NOW, b"me", &frame).await);
    call.run(carry).await.unwrap();
    session
}

fn unhurried() -> Limits {
    let mut limits = Limits::default();
    limits.topic_arrivals.burst = 1_000_000;
    limits.peer_requests.burst = 1_000_000;
    limits
}

fn envelope(number: u64) -> Vec<u8> {
    let mut envelope = number.to_be_bytes().to_vec();
    envelope.resize(300, 1);
    envelope
}

/// Everything that was missed, and how it went.
async fn catch_up(
    mailbox: &Service<Memory>,
    session: &mut Session,
    known: impl IntoIterator<Item = EnvelopeId>,
    since: Time,
) -> (Progress, Summary) {
    let (mut catch_up, mut frame) = CatchUp::start(session, TOPICS, known, since).unwrap();
    let mut all = Progress::default();
    loop {
        let answer = mailbox.handle(NOW, b"me", &frame).await;
        let progress = catch_up.step(&answer).unwrap();
        all.envelopes.extend(progress.envelopes);
        all.at.extend(progress.at);
        match progress.next {
            Some(next) => frame = next,
            None => return (all, catch_up.summary().clone()),
        }
    }
}

#[tokio::test]
async fn what_was_missed_comes_and_nothing_else() {
    let mailbox = mailbox(9, unhurried()).await;
    let mut session = open(&mailbox).await;
    for number in 0..6000 {
        let topic = TOPICS[usize::from(number % 2 == 0)];
        assert_eq!(mailbox.arrived(NOW, topic, &envelope(number)).await, Ok(1));
    }
    let known: Vec<_> = (1000..7000).map(|number| EnvelopeId::of(&envelope(number))).collect();
    let (got, summary) = catch_up(&mailbox, &mut session, known.clone(), Time(0)).await;
    let missed: BTreeSet<_> = got.envelopes.iter().map(|(_, envelope)| envelope.clone()).collect();
    assert_eq!(missed, (0..1000).map(envelope).collect());
    assert_eq!(got.envelopes.len(), 1000);
    for (topic, bytes) in &got.envelopes {
        assert_eq!(*topic, TOPICS[usize::from(bytes[7] % 2 == 0)]);
    }
    assert_eq!((summary.missed, summary.absent, summary.since), (1000, 0, NOW));
    assert_eq!(summary.unknown_there.len(), 1000);
    assert!(summary.unknown_there.contains(&EnvelopeId::of(&envelope(6500))));

    // Nothing is new after that.
    let all = (0..7000).map(|number| EnvelopeId::of(&envelope(number)));
    let (got, summary) = catch_up(&mailbox, &mut session, all, Time(0)).await;
    assert_eq!((got.envelopes.len(), summary.missed), (0, 0));
}

#[tokio::test]
async fn answers_are_as_long_as_the_mailbox_says() {
    let mut limits = unhurried();
    (limits.fetch_bytes, limits.reconcile_bytes) = (10_000, 5000);
    let mailbox = mailbox(9, limits).await;
    let mut session = open(&mailbox).await;
    for number in 0..500 {
        mailbox.arrived(NOW, TOPICS[0], &envelope(number)).await.unwrap();
    }
    let (mut catch_up, mut frame) = CatchUp::start(&mut session, TOPICS, [], Time(0)).unwrap();
    let (mut got, mut answers) = (0, 0);
    loop {
        let answer = mailbox.handle(NOW, b"me", &frame).await;
        // 33 envelopes of 300 bytes, with their topics and times.
        assert!(answer.len() < 12_000);
        let progress = catch_up.step(&answer).unwrap();
        got += progress.envelopes.len();
        answers += usize::from(!progress.envelopes.is_empty());
        match progress.next {
            Some(next) => frame = next,
            None => break,
        }
    }
    assert_eq!((got, answers), (500, 16));
    // 500 ids do not fit into 5000 bytes.
    assert!(catch_up.summary().rounds > 3);
}

#[tokio::test]
async fn what_came_before_need_not_be_compared() {
    let mailbox = mailbox(9, unhurried()).await;
    let mut session = open(&mailbox).await;
    for number in 0..100 {
        let at = NOW + Span::seconds(number);
        mailbox.arrived(at, TOPICS[0], &envelope(number)).await.unwrap();
    }
    let since = NOW + Span::seconds(90);
    let known = [EnvelopeId::of(&envelope(95))];
    let (got, summary) = catch_up(&mailbox, &mut session, known, since).await;
    assert_eq!((got.envelopes.len(), summary.missed), (9, 9));
}

#[tokio::test]
async fn two_mailboxes_that_keep_the_same_box_come_to_have_the_same() {
    let (one, other) = (mailbox(8, unhurried()).await, mailbox(9, unhurried()).await);
    let (_, mut session) = (open(&one).await, open(&other).await);
    for number in 0..50 {
        one.arrived(NOW, TOPICS[0], &envelope(number)).await.unwrap();
    }
    for number in 25..75 {
        other.arrived(NOW + Span::seconds(5), TOPICS[0], &envelope(number)).await.unwrap();
    }
    let capability = Capability::from_secret(&[1; 32]);
    let until = NOW + Span::seconds(600);
    let grant = capability.grant(one.id(), other.id(), until).unwrap();
    let carry = async |frame: Vec<u8>| Ok::<_, ClientError>(other.handle(NOW, b"me", &frame).await);
    // Only grants for this box, from elsewhere, to here.
    let wrong = capability.grant(other.id(), one.id(), until).unwrap();
    let foreign = Capability::from_secret(&[2; 32]).grant(one.id(), other.id(), until).unwrap();
    for wrong in [wrong, foreign] {
        let refused = session.replicate(vec![wrong]).unwrap().run(carry).await;
        assert_eq!(refused.unwrap_err().code(), "forbidden");
    }
    session.replicate(vec![grant]).unwrap().run(carry).await.unwrap();

    let grants = other.replicas(NOW);
    assert_eq!(grants.len(), 1);
    let id = session.box_id();
    let known = other.known(id).await.unwrap();
    let mut replica = Session::replica(MailboxKeys::from_secret(&[9; 32]), grants[0].clone());
    let (got, _) = catch_up(&one, &mut replica, known, Time(0)).await;
    let later = NOW + Span::seconds(60);
    assert_eq!(other.replicated(later, id, got.into_kept()).await, Ok(25));
    assert_eq!(other.known(id).await.unwrap().len(), 75);
    // They end when they would have ended there.
    let keep = other.limits().keep;
    other.tick(NOW + keep + Span(1)).await.unwrap();
    let renewed = other.known(id).await;
    assert!(renewed.is_err() || renewed.unwrap().len() == 25);

    // A grant is no capability.
    let carry = async |frame: Vec<u8>| Ok::<_, ClientError>(one.handle(NOW, b"me", &frame).await);
    let refused = replica.close().run(carry).await;
    assert_eq!(refused.unwrap_err().code(), "forbidden");
    assert!(replica.status().run(carry).await.is_ok());
    assert!(other.replicas(until).is_empty());
    let late = async |frame: Vec<u8>| Ok::<_, ClientError>(one.handle(until, b"me", &frame).await);
    assert_eq!(replica.status().run(late).await.unwrap_err().code(), "forbidden");
    let stolen = Grant { to: MailboxKeys::from_secret(&[7; 32]).id(), ..grants[0].clone() };
    let mut thief = Session::replica(MailboxKeys::from_secret(&[7; 32]), stolen);
    assert_eq!(thief.status().run(carry).await.unwrap_err().code(), "forbidden");
}

/// A frame that says this.
fn frame(answer: &Answer) -> Vec<u8> {
    wire::encode(answer).unwrap()
}

#[tokio::test]
async fn few_envelopes_are_named_twice() {
    const MISSED: usize = 2000;
    let mut limits = unhurried();
    limits.fetch_bytes = 10_000;
    let mailbox = mailbox(9, limits).await;
    let mut session = open(&mailbox).await;
    for number in 0..MISSED as u64 {
        mailbox.arrived(NOW, TOPICS[0], &envelope(number)).await.unwrap();
    }
    let (mut catch_up, mut frame) = CatchUp::start(&mut session, TOPICS, [], Time(0)).unwrap();
    let (mut asked, mut got) = (0, 0);
    loop {
        let progress = catch_up.step(&mailbox.handle(NOW, b"me", &frame).await).unwrap();
        got += progress.envelopes.len();
        let Some(next) = progress.next else { break };
        frame = next;
        asked += frame.len();
    }
    assert_eq!(got, MISSED);
    // The first time it is not known how many have room in an answer.
    let names = (MISSED + wire::MAX_ITEMS) * 32;
    assert!(asked < names * 3 / 2, "{asked} bytes to name {names}");
}

#[tokio::test]
async fn mailboxes_that_lie_are_found_out() {
    let mailbox = mailbox(9, unhurried()).await;
    let mut session = open(&mailbox).await;
    mailbox.arrived(NOW, TOPICS[0], &envelope(1)).await.unwrap();
    let kept = |topic, number| Kept { at: NOW, topic, envelope: envelope(number).into() };
    let envelopes = |answered, items| {
        Answer::Envelopes(Envelopes { answered, items: List::new(items).unwrap() })
    };
    for lie in [
        // Another envelope, another topic, the same twice, no progress, more than was asked for.
        envelopes(1, vec![kept(TOPICS[0], 2)]),
        envelopes(1, vec![kept(Topic([3; 32]), 1)]),
        envelopes(1, vec![kept(TOPICS[0], 1), kept(TOPICS[0], 1)]),
        envelopes(0, vec![]),
        envelopes(2, vec![]),
        Answer::Closed,
    ] {
        let (mut catch_up, first) = CatchUp::start(&mut session, TOPICS, [], Time(0)).unwrap();
        let answer = mailbox.handle(NOW, b"me", &first).await;
        assert!(catch_up.step(&answer).unwrap().next.is_some());
        assert_eq!(catch_up.step(&frame(&lie)).unwrap_err(), ClientError::BadAnswer, "{lie:?}");
    }
    // What it had and does not give is counted.
    let (mut catch_up, first) = CatchUp::start(&mut session, TOPICS, [], Time(0)).unwrap();
    catch_up.step(&mailbox.handle(NOW, b"me", &first).await).unwrap();
    assert_eq!(catch_up.step(&frame(&envelopes(1, vec![]))).unwrap().next, None);
    assert_eq!(catch_up.summary().absent, 1);
    // A reconciliation that never ends is cut off.
    let (mut catch_up, _) = CatchUp::start(&mut session, TOPICS, [], Time(0)).unwrap();
    let message = [&[0x61, 0, 0, 1][..], &[9; 16]].concat();
    let again = Answer::Reconciled(Reconciled { now: NOW, message: message.into() });
    let end = (0..1000).find_map(|_| catch_up.step(&frame(&again)).err()).unwrap();
    assert_eq!(end.code(), "sync-unbounded");
}

#[tokio::test]
async fn a_challenge_that_is_never_right_is_given_up() {
    let mailbox = mailbox(9, unhurried()).await;
    let mut session = open(&mailbox).await;
    let mut call = session.status();
    let stale = frame(&Answer::Refused(crate::mailbox::MailboxError::Stale(Default::default())));
    assert!(matches!(call.step(&stale), Ok(Step::Send(_))));
    assert!(matches!(call.step(&stale), Ok(Step::Send(_))));
    assert_eq!(call.step(&stale).unwrap_err().code(), "stale");
    assert_eq!(call.step(b"nonsense").unwrap_err().code(), "bad-answer");
}

//! How often mailboxes are visited, and for how long they are tried.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::mailbox::store::{MailStore, Memory};
use crate::mailbox::{Limits, MailboxKeys, Service};
use crate::transport::{KeepKind, Pending, TransportError};

const TOPIC: Topic = Topic([1; 32]);

/// A way to a mailbox, or to nobody, or to one that finds everything too much.
enum Way {
    There(Box<Service<Memory>>),
    Nowhere,
    Busy(AtomicU32),
}

impl Reach for Way {
    fn reach<'a>(
        &'a self,
        _: &'a MailboxAt,
        frame: Vec<u8>,
    ) -> Pending<'a, Result<Vec<u8>, TransportError>> {
        Box::pin(async move {
            match self {
                Self::There(mailbox) => {
                    Ok(mailbox.handle(Time::from_system(), b"peer", &frame).await)
                }
                Self::Nowhere => Err(TransportError::Offline),
                Self::Busy(asked) => {
                    asked.fetch_add(1, Ordering::Relaxed);
                    Ok(wire::encode(&Answer::Refused(MailboxError::Rate(1))).unwrap())
                }
            }
        })
    }
}

fn at() -> MailboxAt {
    MailboxAt { id: MailboxKeys::from_secret(&[9; 32]).id(), address: String::new() }
}

fn attendant(way: Way) -> (Attendant<Way>, mpsc::Receiver<Incoming>) {
    let (_, orders) = mpsc::unbounded_channel();
    let (hand_in, incoming) = mpsc::channel(100);
    (Attendant::new(Arc::new(way), vec![at()], orders, hand_in, Arc::default()), incoming)
}

fn keep(secret: u8) -> Keep {
    Keep { topic: TOPIC, secret: vec![secret; 32].into(), kind: KeepKind::Group, since: Time(0) }
}

fn for_others(secret: u8, envelopes: Vec<Vec<u8>>) -> KeepFor {
    KeepFor { topic: TOPIC, secret: vec![secret; 32].into(), envelopes }
}

/// All visits are due.
async fn visit(attendant: &mut Attendant<Way>) {
    let now = Instant::now();
    attendant.visits.iter_mut().for_each(|visit| visit.due = now);
    assert!(attendant.visit().await.is_ok());
}

#[tokio::test]
async fn a_mailbox_is_visited_now_and_then_and_soon_when_the_network_is_back() {
    let (keys, now) = (MailboxKeys::from_secret(&[9; 32]), Time::from_system());
    let mailbox = Service::open(keys, Limits::default(), Memory::new(), now).await.unwrap();
    let (mut attendant, _incoming) = attendant(Way::There(Box::new(mailbox)));
    let id = attendant.keep(keep(1)).unwrap().box_id();
    let before = Instant::now();
    visit(&mut attendant).await;
    let due = attendant.visits[0].due;
    assert!(due >= before + VISIT && due <= Instant::now() + VISIT);
    assert!(attendant.obey(Order::Connected).await.is_ok());
    assert!(attendant.visits[0].due <= Instant::now() + SOON);
    assert!(attendant.visits[0].due > Instant::now());

    let Way::There(mailbox) = &*attendant.reach else { panic!("it is there") };
    let end = mailbox.store().find(id).await.unwrap().unwrap().expires;
    let ttl = Span::seconds(TTL.into());
    assert!(end >= now + ttl && end <= Time::from_system() + ttl);
    let status = attendant.board.lock().unwrap()[0].clone();
    assert!(status.reached >= Some(now) && status.trouble.is_none());
    // The next time, what came in the last ten minutes before the visit is looked at again.
    let since = attendant.visits[0].since;
    assert!(since + OVERLAP >= now && since + OVERLAP <= Time::from_system());
    assert_eq!(super::before(Time(OVERLAP.0 - 1)), Time(0));
}

#[test]
fn pauses_grow_up_to_a_bound() {
    assert_eq!([0, 1, 2].map(pause), [PAUSE, 2 * PAUSE, 4 * PAUSE]);
    assert_eq!([16, 17, u32::MAX].map(pause), [LONGEST; 3]);
    assert_eq!([0, 100, 4999].map(rest), [REST, REST, Duration::from_millis(4999)]);
    assert_eq!([5001, u32::MAX].map(rest), [LONGEST_REST; 2]);
}

#[tokio::test]
async fn a_box_that_is_given_up_is_tried_a_few_times_and_another_one_always() {
    let (mut attendant, _incoming) = attendant(Way::Nowhere);
    attendant.keep(keep(1));
    attendant.keep(keep(2));
    for _ in 1..LAST_VISITS {
        visit(&mut attendant).await;
        assert_eq!(attendant.visits.len(), 2);
    }
    for _ in 0..20 {
        visit(&mut attendant).await;
        assert_eq!(attendant.visits.len(), 1);
        assert!(!attendant.visits[0].last);
    }
}

#[tokio::test]
async fn a_mailbox_that_finds_everything_too_much_is_given_up() {
    let way = Way::Busy(AtomicU32::new(0));
    let error = carry(&way, &at(), vec![1]).await.unwrap_err();
    assert_eq!(error, ClientError::Unreachable);
    let Way::Busy(asked) = way else { panic!("it is busy") };
    assert_eq!(asked.into_inner(), AGAIN);
}

/// The envelopes of the box of a secret.
async fn kept(mailbox: &Service<Memory>, secret: u8) -> Vec<Vec<u8>> {
    let mut session = Session::new(Capability::from_secret(&[secret; 32]), at().id);
    let (mut catch_up, frame) = CatchUp::start(&mut session, [TOPIC], [], Time(0)).unwrap();
    let (mut next, mut found) = (Some(frame), Vec::new());
    while let Some(frame) = next {
        let answer = mailbox.handle(Time::from_system(), b"another", &frame).await;
        let progress = catch_up.step(&answer).unwrap();
        found.extend(progress.envelopes.into_iter().map(|(_, envelope)| envelope));
        next = progress.next;
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_mailbox_is_given_what_it_did_not_hear() {
    let (keys, now) = (MailboxKeys::from_secret(&[9; 32]), Time::from_system());
    let mailbox = Service::open(keys, Limits::default(), Memory::new(), now).await.unwrap();
    let (mut attendant, mut incoming) = attendant(Way::There(Box::new(mailbox)));
    attendant.keep(keep(1));
    let said: Vec<_> = (0..40_u8).map(|number| vec![number; 30 << 10]).collect();
    for bytes in &said {
        attendant.recent().hold(&TOPIC, bytes);
    }
    attendant.recent().note(&TOPIC, b"from another mailbox");
    visit(&mut attendant).await;
    let Way::There(mailbox) = &*attendant.reach else { panic!("it is there") };
    // More than one frame holds, and nothing of what another mailbox had.
    assert!(said.len() * said[0].len() > 2 * GIVEN);
    assert_eq!(kept(mailbox, 1).await, said);
    // None of it is handed in.
    while let Ok(next) = incoming.try_recv() {
        assert!(!matches!(next, Incoming::Message { .. }));
    }

    // A box of another secret is given only what comes from now on, and what was given is not again.
    let reach = attendant.reach.clone();
    let Way::There(mailbox) = &*reach else { panic!("it is there") };
    let handed = attendant.visits[0].handed;
    attendant.keep(keep(2));
    attendant.recent().hold(&TOPIC, b"later");
    visit(&mut attendant).await;
    assert_eq!(kept(mailbox, 2).await, [b"later"]);
    assert!(attendant.visits.iter().all(|visit| visit.handed > handed));
}

#[tokio::test]
async fn who_can_t_be_reached_is_tried_once_in_a_round() {
    let (mut attendant, _incoming) = attendant(Way::Busy(AtomicU32::new(0)));
    for number in 0..5 {
        let keep = Keep { topic: Topic([number; 32]), ..keep(1) };
        attendant.keep(keep);
    }
    visit(&mut attendant).await;
    let Way::Busy(asked) = &*attendant.reach else { panic!("it is busy") };
    assert_eq!(asked.load(Ordering::Relaxed), AGAIN);
    assert_eq!(attendant.visits.len(), 5);
    assert!(attendant.visits.iter().all(|visit| visit.failures == 1));
    let status = attendant.board.lock().unwrap()[0].clone();
    assert_eq!((status.reached, status.trouble), (None, Some(ClientError::Unreachable)));
}

#[tokio::test]
async fn boxes_for_others_are_open_for_a_while_and_have_what_they_need() {
    let (keys, now) = (MailboxKeys::from_secret(&[9; 32]), Time::from_system());
    let mailbox = Service::open(keys, Limits::default(), Memory::new(), now).await.unwrap();
    let (mut attendant, _incoming) = attendant(Way::There(Box::new(mailbox)));
    attendant.keep(keep(1));
    let envelopes = vec![b"one".to_vec(), b"other".to_vec()];
    attendant.keep_for(&for_others(2, envelopes.clone()));
    attendant.open_for_others().await;
    assert!(attendant.for_others.is_empty());
    let Way::There(mailbox) = &*attendant.reach else { panic!("it is there") };
    assert_eq!(kept(mailbox, 2).await, envelopes);
    // What is said from then on is there, too, and nothing of it is in the own box that was not said.
    mailbox.arrived(now, TOPIC, b"what is said").await.unwrap();
    assert_eq!(kept(mailbox, 2).await.len(), 3);
    let id = Capability::from_secret(&[2; 32]).box_id();
    let end = mailbox.store().find(id).await.unwrap().unwrap().expires;
    let ttl = Span::seconds(TTL_FOR_OTHERS.into());
    assert!(end >= now + ttl && end <= Time::from_system() + ttl);
}

/// What has been handed in, and of which topics it was said that it is all.
fn handed_in(incoming: &mut mpsc::Receiver<Incoming>) -> (Vec<Vec<u8>>, Vec<Topic>) {
    let (mut all, mut complete) = (Vec::new(), Vec::new());
    while let Ok(next) = incoming.try_recv() {
        match next {
            Incoming::Message { bytes, .. } => all.push(bytes),
            Incoming::Kept { topic, .. } => complete.push(topic),
            _ => {}
        }
    }
    all.sort();
    (all, complete)
}

#[tokio::test]
async fn what_is_there_for_who_is_invited_comes_and_comes_again_once_he_is_in() {
    let (keys, now) = (MailboxKeys::from_secret(&[9; 32]), Time::from_system());
    let mailbox = Service::open(keys, Limits::default(), Memory::new(), now).await.unwrap();
    let (mut attendant, mut incoming) = attendant(Way::There(Box::new(mailbox)));
    attendant.keep_for(&for_others(1, vec![b"the tree".to_vec()]));
    attendant.open_for_others().await;
    attendant.keep(Keep { kind: KeepKind::Invitation, ..keep(1) });
    // He hears something, too, with which he can't do anything yet.
    attendant.recent().hold(&TOPIC, b"early");
    for _ in 0..2 {
        visit(&mut attendant).await;
        // Whether the client could read it, is not known.
        assert_eq!(handed_in(&mut incoming), (vec![b"the tree".to_vec()], vec![]));
    }
    attendant.keep(keep(1));
    assert!(attendant.visits.iter().all(|visit| visit.due <= Instant::now()));
    let Way::There(mailbox) = &*attendant.reach.clone() else { panic!("it is there") };
    mailbox.arrived(now, TOPIC, b"early").await.unwrap();
    assert!(attendant.visit().await.is_ok());
    let all = vec![b"early".to_vec(), b"the tree".to_vec()];
    assert_eq!(handed_in(&mut incoming), (all, vec![TOPIC]));
    let id = Capability::from_secret(&[1; 32]).box_id();
    let end = mailbox.store().find(id).await.unwrap().unwrap().expires;
    assert!(end >= now + Span::seconds(TTL.into()));
}

#[tokio::test]
async fn strangers_who_invite_have_few_boxes_opened() {
    let (keys, now) = (MailboxKeys::from_secret(&[9; 32]), Time::from_system());
    let mailbox = Service::open(keys, Limits::default(), Memory::new(), now).await.unwrap();
    let (mut attendant, mut incoming) = attendant(Way::There(Box::new(mailbox)));
    let invitation = |number: u8| Keep {
        topic: Topic([number; 32]),
        kind: KeepKind::Invitation,
        ..keep(number)
    };
    let most = u8::try_from(INVITED).unwrap();
    for number in 0..most {
        attendant.keep(invitation(number));
    }
    // That one is given up makes no room for another.
    assert!(attendant.obey(Order::Forget(Topic([0; 32]))).await.is_ok());
    for number in most..most + 3 {
        attendant.keep(invitation(number));
    }
    attendant.keep(Keep { topic: Topic([77; 32]), ..keep(77) });
    visit(&mut attendant).await;
    let Way::There(mailbox) = &*attendant.reach.clone() else { panic!("it is there") };
    let boxes = mailbox.store().boxes().await.unwrap();
    assert_eq!(boxes.len(), INVITED);
    let ends = |secret: u8| {
        let id = Capability::from_secret(&[secret; 32]).box_id();
        boxes.iter().find(|(name, _)| *name == id).map(|(_, record)| record.expires)
    };
    let day = Span::seconds(TTL_INVITED.into());
    let end = ends(1).unwrap();
    assert!(end >= now + day && end <= Time::from_system() + day);
    assert_eq!((ends(0), ends(most), ends(most + 2)), (None, None, None));
    // A box that is not there is no fault of the mailbox, and no other waits for it.
    assert!(ends(77).is_some());
    assert_eq!(attendant.board.lock().unwrap()[0].trouble, None);

    // But what others have opened is looked into.
    let mut other = Session::new(Capability::from_secret(&[most; 32]), at().id);
    let open = other.open(vec![Topic([most; 32])], 3600).unwrap();
    let carry = async |frame: Vec<u8>| {
        Ok::<_, ClientError>(mailbox.handle(Time::from_system(), b"another", &frame).await)
    };
    open.run(carry).await.unwrap();
    mailbox.arrived(now, Topic([most; 32]), b"the tree").await.unwrap();
    visit(&mut attendant).await;
    assert_eq!(handed_in(&mut incoming).0, [b"the tree"]);
}

#[test]
fn a_day_later_boxes_are_opened_for_as_many_again() {
    let (mut attendant, _incoming) = attendant(Way::Nowhere);
    let mut most = |at| (0..100).filter(|_| attendant.may_open(at)).count();
    let (now, day) = (Instant::now(), Duration::from_secs(TTL_INVITED.into()));
    let opened = [now, now + day - Duration::from_secs(1), now + day].map(&mut most);
    assert_eq!(opened, [INVITED, 0, INVITED]);
}

#[tokio::test]
async fn so_many_boxes_for_others_wait_for_a_mailbox() {
    let (mut attendant, _incoming) = attendant(Way::Nowhere);
    for secret in 0..=u8::try_from(FOR_OTHERS).unwrap() {
        attendant.keep_for(&for_others(secret, Vec::new()));
    }
    assert_eq!(attendant.for_others.len(), FOR_OTHERS);
    let first = Capability::from_secret(&[1; 32]).box_id();
    assert_eq!(attendant.for_others[0].session.box_id(), first);
    attendant.open_for_others().await;
    assert_eq!(attendant.for_others.len(), FOR_OTHERS);
    assert!(attendant.for_others.iter().all(|others| others.due > Instant::now()));
    assert!(attendant.obey(Order::Connected).await.is_ok());
    assert!(attendant.for_others.iter().all(|others| others.due <= Instant::now() + SOON));
}

//! How often mailboxes are visited, and for how long they are tried.

use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::mailbox::store::{MailStore, Memory};
use crate::mailbox::{Limits, MailboxKeys, Service};
use crate::transport::{Pending, TransportError};

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
    Keep { topic: TOPIC, secret: vec![secret; 32].into(), inbox: false, since: Time(0) }
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

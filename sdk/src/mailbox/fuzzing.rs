//! What the fuzz target calls: each decoder, and a whole mailbox.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tls_codec::{DeserializeBytes, Serialize, VLBytes};

use super::capability::{Capability, EnvelopeId, MailboxKeys, statement};
use super::challenge::{Challenge, Challenges};
use super::client::CatchUp;
use super::client::Session;
use super::list::List;
use super::store::Memory;
use super::sync::{self, SetSync};
use super::wire::{
    self, Answer, Ask, Deposit, Item, MAX_FRAME, Open, Reconcile, Request, Signed, Signer, Take,
};
use super::{Limits, Service};
use crate::{Time, Topic};

const NOW: Time = Time(1_700_000_000_000);
const TOPIC: Topic = Topic([1; 32]);

/// What decodes has these bytes and no others.
fn again<T: DeserializeBytes + Serialize>(frame: &[u8]) {
    if let Ok(value) = wire::decode::<T>(frame) {
        assert_eq!(wire::encode(&value).as_deref(), Some(frame));
    }
}

/// A store in memory never lets anybody wait.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("there is nothing to wait for"),
    }
}

fn capability() -> Capability {
    Capability::from_secret(&[3; 32])
}

fn mailbox() -> Service<Memory> {
    let keys = MailboxKeys::from_secret(&[2; 32]);
    ready(Service::open(keys, Limits::default(), Memory::new(), NOW)).expect("it is in memory")
}

/// A request as who has the capability could sign it.
fn signed(mailbox: &Service<Memory>, body: &[u8]) -> Vec<u8> {
    let capability = capability();
    let challenges = Challenges::new(MailboxKeys::from_secret(&[2; 32]).challenges());
    let challenge: Challenge = challenges.current(NOW, b"peer");
    let said = statement(&mailbox.id(), &capability.box_id(), challenge, body);
    let signature = capability.sign(&said).expect("it can be signed");
    let by = Signer::Holder(capability.holder());
    let body = VLBytes::from(body.to_vec());
    wire::encode(&Ask::Signed(Signed { challenge, by, body, signature })).expect("it is short")
}

fn body(request: &Request) -> Vec<u8> {
    request.tls_serialize_detached().expect("it is short")
}

fn opened() -> Service<Memory> {
    let mailbox = mailbox();
    let topics = List::new(vec![TOPIC]).expect("it is one");
    let open = body(&Request::Open(Open { topics, ttl: 3600 }));
    ready(mailbox.handle(NOW, b"peer", &signed(&mailbox, &open)));
    ready(mailbox.arrived(NOW, TOPIC, b"envelope")).expect("there is room");
    mailbox
}

/// The first byte chooses: frames as they come in, a request as it could be signed, a message of
/// reconciliation, an answer to a catch-up.
pub fn mailbox_frames(data: &[u8]) {
    let Some((which, bytes)) = data.split_first() else { return };
    match which % 6 {
        0 => again::<Ask>(bytes),
        1 => again::<Answer>(bytes),
        2 => again::<Request>(bytes),
        3 => {
            let mailbox = opened();
            if bytes.len() > MAX_FRAME / 2 {
                return;
            }
            for frame in [signed(&mailbox, bytes), bytes.to_vec()] {
                let answer = ready(mailbox.handle(NOW, b"peer", &frame));
                assert!(wire::decode::<Answer>(&answer).is_ok());
            }
            ready(mailbox.tick(NOW)).expect("the store works");
        }
        4 => {
            let known = || (0..100_u8).map(|number| EnvelopeId::of(&[number]));
            if let Ok(answer) = sync::respond(known(), bytes, 4096) {
                assert!(answer.len() <= 4096);
            }
            if let Ok((mut sync, _)) = SetSync::start(known()) {
                let _ = sync.step(bytes);
            }
        }
        _ => {
            let mut session = Session::new(capability(), mailbox().id());
            let known = [EnvelopeId::of(b"known")];
            let started = CatchUp::start(&mut session, [TOPIC], known, Time(0));
            let (mut catch_up, _) = started.expect("it is short");
            // Two answers, the first of which is as long as two bytes say.
            let Some((length, rest)) = bytes.split_first_chunk() else { return };
            let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
            let (first, second) = rest.split_at(length);
            if catch_up.step(first).is_ok() {
                let _ = catch_up.step(second);
            }
        }
    }
}

/// Inputs to begin with.
pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let with = |first: u8, rest: &[u8]| [&[first], rest].concat();
    let mailbox = opened();
    let (_, message) = SetSync::start([EnvelopeId::of(b"known")]).expect("it is short");
    let grant = capability().grant(mailbox.id(), mailbox.id(), NOW).expect("it can be signed");
    let blob = || VLBytes::from(b"package".to_vec());
    let deposit = Deposit {
        suite: 7,
        serial: 1,
        expires: NOW,
        one_time: List::new(vec![blob()]).expect("it is one"),
        last_resort: Some(blob()),
        beside: List::new(vec![blob()]).expect("it is one"),
    };
    let item = Item { topic: TOPIC, envelope: blob() };
    let one = |id| List::new(vec![id]).expect("it is one");
    let requests = [
        Request::Open(Open { topics: List::new(vec![TOPIC]).expect("it is one"), ttl: 60 }),
        Request::Renew(60),
        Request::Close,
        Request::Status,
        Request::Store(List::new(vec![item]).expect("it is one")),
        Request::Reconcile(Reconcile { since: NOW, message: message.clone().into() }),
        Request::Fetch(one(EnvelopeId::of(b"envelope"))),
        Request::Deposit(deposit),
        Request::Pools,
        Request::Replicate(List::new(vec![grant]).expect("it is one")),
    ];
    let mut seeds = vec![
        ("mailbox", with(0, &wire::encode(&Ask::Hello).expect("it is short"))),
        (
            "mailbox",
            with(
                0,
                &wire::encode(&Ask::Take(Take { id: capability().box_id(), suite: 7 }))
                    .expect("it is short"),
            ),
        ),
        ("mailbox", with(4, &message)),
    ];
    let mut answers = Vec::new();
    for request in &requests {
        let frame = signed(&mailbox, &body(request));
        let answer = ready(opened().handle(NOW, b"peer", &frame));
        seeds.push(("mailbox", with(0, &frame)));
        seeds.push(("mailbox", with(1, &answer)));
        seeds.push(("mailbox", with(2, &wire::encode(request).expect("it is short"))));
        seeds.push(("mailbox", with(3, &body(request))));
        answers.push(answer);
    }
    // A catch-up: the answer to the reconciliation, then that to the fetch.
    if let (Some(first), Some(second)) = (answers.get(5), answers.get(6)) {
        let length = u16::try_from(first.len()).expect("it is short").to_be_bytes();
        seeds.push(("mailbox", [&[5], &length[..], first, second].concat()));
    }
    seeds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inputs_to_begin_with_are_good() {
        let seeds = seeds();
        for (target, input) in &seeds {
            assert_eq!(*target, "mailbox");
            mailbox_frames(input);
        }
        // Each of them gets as far as it should: the catch-up ends with the envelope.
        let (_, catch_up) = seeds.last().unwrap();
        let (length, rest) = catch_up[1..].split_first_chunk().unwrap();
        let (first, second) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
        assert!(matches!(wire::decode(first), Ok(Answer::Reconciled(_))));
        let Ok(Answer::Envelopes(envelopes)) = wire::decode(second) else { panic!() };
        assert_eq!(envelopes.items.len(), 1);
        for (_, input) in seeds.iter().filter(|(_, input)| input[0] == 0) {
            assert!(wire::decode::<Ask>(&input[1..]).is_ok());
        }
    }
}

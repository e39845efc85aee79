//! What travels between a mailbox and those who use it, byte by byte.
//!
//! A frame is one version byte, 1, then an [`Ask`] or an [`Answer`] in the presentation language of TLS
//! (RFC 8446, section 3), with vectors of bytes as in RFC 9420, section 2.1.2, and lists with their
//! number in two bytes. Each ask has one answer. A frame is [`MAX_FRAME`] long at most.

use tls_codec::{DeserializeBytes, Serialize, TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use super::capability::{BoxId, EnvelopeId, Grant, Holder, MailboxId};
use super::challenge::Challenge;
use super::error::MailboxError;
use super::list::List;
use crate::{Time, Topic};

/// The version of all frames.
pub const VERSION: u8 = 1;
/// The longest frame in bytes, 1 MiB.
pub const MAX_FRAME: usize = 1 << 20;
/// The most topics of a box.
pub const MAX_TOPICS: usize = 64;
/// The most envelopes in one frame.
pub const MAX_ITEMS: usize = 1024;
/// The most ids that one fetch names.
pub const MAX_FETCH: usize = 4096;
/// The most key packages that one deposit has.
pub const MAX_DEPOSIT: usize = 256;
/// The most mailboxes that a box is read from.
pub const MAX_REPLICAS: usize = 4;
/// The most answers that are given beside a key package.
pub const MAX_BESIDE: usize = 16;
/// The most bytes of one of them together.
pub const MAX_BESIDE_BYTES: usize = 64 << 10;

/// What a mailbox is asked.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[allow(clippy::large_enum_variant, reason = "nearly all of them are signed")]
#[repr(u8)]
pub enum Ask {
    /// Who the mailbox is, and which challenge to answer.
    #[tls_codec(discriminant = 1)]
    Hello,
    /// A [`Request`] of who has the capability.
    #[tls_codec(discriminant = 2)]
    Signed(Signed),
    /// A key package, for a stranger.
    #[tls_codec(discriminant = 3)]
    Take(Take),
}

/// A signed request.
///
/// Signed is `opaque label<V> = "trellis mailbox request v1"`, the mailbox (32 bytes), the box (32), the
/// challenge (16), `opaque body<V>`: so it is worth nothing at another mailbox, for another box, from
/// another peer ([`Challenge`]), or with another content.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Signed {
    /// What the mailbox has given this peer to sign over.
    pub challenge: Challenge,
    /// Who signs.
    pub by: Signer,
    /// A [`Request`].
    pub body: VLBytes,
    /// Ed25519, of the capability or of the mailbox that the grant names: 64 bytes.
    pub signature: [u8; 64],
}

/// Who signs a request.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Signer {
    /// Who has the capability, and may do everything.
    #[tls_codec(discriminant = 1)]
    Holder(Holder),
    /// The mailbox that a holder lets read.
    #[tls_codec(discriminant = 2)]
    Mailbox(Grant),
}

impl Signer {
    /// The box that it is about.
    #[must_use]
    pub fn box_id(&self) -> BoxId {
        match self {
            Self::Holder(holder) => BoxId::of(holder),
            Self::Mailbox(grant) => grant.box_id(),
        }
    }
}

/// What holders ask, each about their box.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Request {
    /// Open the box, or keep it open and change its topics.
    #[tls_codec(discriminant = 1)]
    Open(Open),
    /// Keep it for so many seconds from now on.
    #[tls_codec(discriminant = 2)]
    Renew(u32),
    /// Delete it and all that is in it.
    #[tls_codec(discriminant = 3)]
    Close,
    /// How full it is.
    #[tls_codec(discriminant = 4)]
    Status,
    /// Keep these envelopes.
    #[tls_codec(discriminant = 5)]
    Store(List<Item, MAX_ITEMS>),
    /// Find out what one side has and the other has not.
    #[tls_codec(discriminant = 6)]
    Reconcile(Reconcile),
    /// Give these envelopes.
    #[tls_codec(discriminant = 7)]
    Fetch(List<EnvelopeId, MAX_FETCH>),
    /// Give these key packages to who asks.
    #[tls_codec(discriminant = 8)]
    Deposit(Deposit),
    /// How many key packages are left.
    #[tls_codec(discriminant = 9)]
    Pools,
    /// Read the box at other mailboxes, too.
    #[tls_codec(discriminant = 10)]
    Replicate(List<Grant, MAX_REPLICAS>),
}

/// A box as it is to be.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Open {
    /// The topics that it keeps from now on.
    pub topics: List<Topic, MAX_TOPICS>,
    /// For how many seconds, as far as the mailbox allows; a box that is open for longer stays so.
    pub ttl: u32,
}

/// An envelope and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Item {
    /// One of the box's topics.
    pub topic: Topic,
    /// The envelope, as it travelled.
    pub envelope: VLBytes,
}

/// A message of reconciliation.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Reconcile {
    /// What came before this moment, by the mailbox's clock, need not be compared. A hint: the mailbox
    /// may compare it all the same.
    pub since: Time,
    /// Negentropy, version 1.
    pub message: VLBytes,
}

/// Key packages of one cipher suite, as the device would answer with them.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Deposit {
    /// The cipher suite's number.
    pub suite: u16,
    /// Grows with each deposit of a suite. One that does not has been taken already and changes
    /// nothing, so that a deposit may be said again. No key package is in two of them.
    pub serial: u64,
    /// After when the key packages are of no use.
    pub expires: Time,
    /// To be given once each, added to those that are there.
    pub one_time: List<VLBytes, MAX_DEPOSIT>,
    /// To be given when there are no others, in place of the one that is there.
    pub last_resort: Option<VLBytes>,
    /// Answers that are given along with each key package, in place of those that are there: the
    /// account's revocations.
    pub beside: List<VLBytes, MAX_BESIDE>,
}

/// A stranger's wish for a key package.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Take {
    /// From which box.
    pub id: BoxId,
    /// The cipher suite's number.
    pub suite: u16,
}

/// What a mailbox answers.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Answer {
    /// It did not do it.
    #[tls_codec(discriminant = 1)]
    Refused(MailboxError),
    /// To [`Ask::Hello`].
    #[tls_codec(discriminant = 2)]
    Hello(Hello),
    /// The box as it is: to [`Request::Open`], `Renew`, `Status` and `Replicate`.
    #[tls_codec(discriminant = 3)]
    Status(Status),
    /// There is no such box any more.
    #[tls_codec(discriminant = 4)]
    Closed,
    /// All envelopes are kept; so many were not before.
    #[tls_codec(discriminant = 5)]
    Stored(u16),
    /// The next message of reconciliation.
    #[tls_codec(discriminant = 6)]
    Reconciled(Reconciled),
    /// To [`Request::Fetch`].
    #[tls_codec(discriminant = 7)]
    Envelopes(Envelopes),
    /// What there is of key packages: to [`Request::Deposit`] and `Pools`.
    #[tls_codec(discriminant = 8)]
    Pools(List<Pool, 256>),
    /// To [`Ask::Take`].
    #[tls_codec(discriminant = 9)]
    Taken(Taken),
}

/// Who the mailbox is.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Hello {
    /// Its name.
    pub mailbox: MailboxId,
    /// What the peer has to sign over.
    pub challenge: Challenge,
    /// Its time.
    pub now: Time,
}

/// A box as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Status {
    /// When it ends.
    pub expires: Time,
    /// How many envelopes it has.
    pub envelopes: u64,
    /// How many bytes they count for.
    pub bytes: u64,
    /// How many envelopes it may have.
    pub most_envelopes: u64,
    /// How many bytes.
    pub most_bytes: u64,
    /// How many milliseconds it keeps an envelope.
    pub keeps: u64,
}

/// What the mailbox says to a message of reconciliation.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Reconciled {
    /// The mailbox's time: what to begin from next time, see [`Reconcile::since`].
    pub now: Time,
    /// Negentropy, version 1.
    pub message: VLBytes,
}

/// Some of the envelopes that were asked for.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Envelopes {
    /// How many of the ids, from the first on, this is the answer to. The rest has to be asked for again;
    /// which is never all of them.
    pub answered: u16,
    /// Those of them that there are, in the order of the ids.
    pub items: List<Kept, MAX_ITEMS>,
}

/// An envelope as the mailbox has it.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Kept {
    /// When it came to the mailbox, or to the first of several.
    pub at: Time,
    /// Where it came.
    pub topic: Topic,
    /// Its bytes.
    pub envelope: VLBytes,
}

/// What there is of the key packages of one suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Pool {
    /// The cipher suite's number.
    pub suite: u16,
    /// The serial number of the last deposit.
    pub serial: u64,
    /// How many one-time key packages are left.
    pub one_time: u32,
    /// What is with the last-resort one.
    pub last_resort: LastResort,
}

/// What is with a last-resort key package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum LastResort {
    /// There is none.
    None = 1,
    /// It has not been given away yet.
    Unused = 2,
    /// It has been given to somebody, and should be replaced.
    Used = 3,
}

/// A key package.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub struct Taken {
    /// What its device would have answered.
    pub package: VLBytes,
    /// Whether it is given to others, too: 1, or 0.
    pub kind: Kind,
    /// What its device would have answered besides.
    pub beside: List<VLBytes, MAX_BESIDE>,
}

/// How often a key package is given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[repr(u8)]
pub enum Kind {
    /// Once.
    OneTime = 1,
    /// To all who come when there is no other.
    LastResort = 2,
}

/// A frame of this; nothing above [`MAX_FRAME`].
#[must_use]
pub fn encode<T: Serialize>(value: &T) -> Option<Vec<u8>> {
    let mut frame = vec![VERSION];
    value.tls_serialize(&mut frame).ok()?;
    (frame.len() <= MAX_FRAME).then_some(frame)
}

/// What is in a frame.
///
/// # Errors
///
/// [`MailboxError::TooLarge`], [`MailboxError::UnsupportedVersion`], [`MailboxError::Malformed`].
pub fn decode<T: DeserializeBytes>(frame: &[u8]) -> Result<T, MailboxError> {
    if frame.len() > MAX_FRAME {
        return Err(MailboxError::TooLarge);
    }
    match frame.split_first() {
        Some((&VERSION, rest)) => {
            T::tls_deserialize_exact_bytes(rest).map_err(|_| MailboxError::Malformed)
        }
        Some(_) => Err(MailboxError::UnsupportedVersion),
        None => Err(MailboxError::Malformed),
    }
}

/// The body of a signed request.
pub(super) fn body(bytes: &[u8]) -> Result<Request, MailboxError> {
    Request::tls_deserialize_exact_bytes(bytes).map_err(|_| MailboxError::Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_limits_of_a_frame() {
        assert_eq!(decode::<Ask>(&[]), Err(MailboxError::Malformed));
        assert_eq!(decode::<Ask>(&[2, 1]), Err(MailboxError::UnsupportedVersion));
        assert_eq!(decode::<Ask>(&[1, 1]), Ok(Ask::Hello));
        assert_eq!(decode::<Ask>(&[1, 1, 0]), Err(MailboxError::Malformed));
        assert_eq!(decode::<Ask>(&vec![1; MAX_FRAME + 1]), Err(MailboxError::TooLarge));
        assert!(encode(&VLBytes::from(vec![0; MAX_FRAME - 5])).is_some());
        assert!(encode(&VLBytes::from(vec![0; MAX_FRAME - 4])).is_none());
    }

    #[test]
    fn no_list_is_longer_than_it_may_be() {
        let mut ids = Vec::from([7]);
        ids.extend(u16::try_from(MAX_FETCH + 1).unwrap().to_be_bytes());
        ids.resize(3 + 32 * (MAX_FETCH + 1), 0);
        assert_eq!(body(&ids), Err(MailboxError::Malformed));
        // The largest of each fits into a frame.
        const { assert!(3 + 32 * MAX_FETCH < MAX_FRAME) };
    }

    /// The bytes of a request, and of one with an item more in the list whose number stands at a place.
    fn one_more<T: Serialize>(request: &Request, place: usize, item: &T) -> (Vec<u8>, Vec<u8>) {
        let bytes = request.tls_serialize_detached().unwrap();
        let mut more = bytes.clone();
        let number = u16::from_be_bytes([bytes[place], bytes[place + 1]]) + 1;
        more[place..place + 2].copy_from_slice(&number.to_be_bytes());
        let rest = more.split_off(place + 2);
        (bytes, [more, item.tls_serialize_detached().unwrap(), rest].concat())
    }

    #[test]
    fn the_most_of_each_list() {
        fn most<T: Clone, const M: usize>(item: &T) -> List<T, M> {
            List::new(vec![item.clone(); M]).unwrap()
        }
        let (topic, blob, id) = (Topic([1; 32]), VLBytes::from(vec![1]), EnvelopeId([1; 32]));
        let item = Item { topic, envelope: blob.clone() };
        let (from, to) = (MailboxId([1; 32]), MailboxId([2; 32]));
        let (holder, until, signature) = (Holder([3; 32]), Time(4), [5; 64]);
        let grant = Grant { holder, from, to, until, signature };
        let deposit = Deposit {
            suite: 1,
            serial: 1,
            expires: Time(1),
            one_time: List::default(),
            last_resort: None,
            beside: List::default(),
        };
        let packages = Deposit { one_time: most(&blob), ..deposit.clone() };
        let beside = Deposit { beside: most(&blob), ..deposit };
        let header = 1 + 2 + 8 + 8;
        let requests = [
            one_more(&Request::Open(Open { topics: most(&topic), ttl: 1 }), 1, &topic),
            one_more(&Request::Store(most(&item)), 1, &item),
            one_more(&Request::Fetch(most(&id)), 1, &id),
            one_more(&Request::Replicate(most(&grant)), 1, &grant),
            one_more(&Request::Deposit(packages), header, &blob),
            one_more(&Request::Deposit(beside), header + 2 + 1, &blob),
        ];
        let numbers = [MAX_TOPICS, MAX_ITEMS, MAX_FETCH, MAX_REPLICAS, MAX_DEPOSIT, MAX_BESIDE];
        let places = [1, 1, 1, 1, header, header + 3];
        for (((good, more), number), place) in requests.iter().zip(numbers).zip(places) {
            assert_eq!(usize::from(u16::from_be_bytes([good[place], good[place + 1]])), number);
            assert!(body(good).is_ok());
            assert_eq!(body(more), Err(MailboxError::Malformed));
        }
    }

    /// Whatever is read is written as the same bytes.
    fn same<T: DeserializeBytes + Serialize>(frame: &[u8]) -> Result<(), TestCaseError> {
        if let Ok(value) = decode::<T>(frame) {
            prop_assert_eq!(encode(&value).unwrap(), frame);
        }
        Ok(())
    }

    fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(any::<u8>(), 0..most)
    }

    fn deposit() -> impl Strategy<Value = Deposit> {
        let blobs = |most| prop::collection::vec(bytes(100).prop_map(VLBytes::from), 0..most);
        let blob = prop::option::of(bytes(100).prop_map(VLBytes::from));
        (any::<u16>(), any::<u64>(), any::<u64>(), blobs(5), blob, blobs(3)).prop_map(
            |(suite, serial, expires, one_time, last_resort, beside)| Deposit {
                suite,
                serial,
                expires: Time(expires),
                one_time: List::new(one_time).unwrap(),
                last_resort,
                beside: List::new(beside).unwrap(),
            },
        )
    }

    proptest! {
        #[test]
        fn nothing_from_outside_panics(mut frame in bytes(400), kind in 0_u8..12) {
            same::<Ask>(&frame)?;
            same::<Answer>(&frame)?;
            let _ = body(&frame);
            // Most bytes at random are no frame; these are nearly.
            if let [version, first, ..] = &mut frame[..] {
                (*version, *first) = (VERSION, kind);
            }
            same::<Ask>(&frame)?;
            same::<Answer>(&frame)?;
            same::<Request>(&frame)?;
            let _ = body(&frame[1.min(frame.len())..]);
        }

        #[test]
        fn what_was_written_is_read(deposit in deposit(), cut in any::<prop::sample::Index>()) {
            let request = Request::Deposit(deposit);
            let frame = encode(&request).unwrap();
            prop_assert_eq!(decode::<Request>(&frame), Ok(request));
            prop_assert!(decode::<Request>(&frame[..cut.index(frame.len())]).is_err());
        }
    }
}

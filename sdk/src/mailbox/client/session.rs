//! A box at a mailbox, and what is asked about it.

use tls_codec::{Serialize, VLBytes};

use super::call::Call;
use super::error::ClientError;
use crate::Topic;
use crate::mailbox::capability::{BoxId, Capability, Grant, MailboxId, MailboxKeys, statement};
use crate::mailbox::challenge::Challenge;
use crate::mailbox::list::List;
use crate::mailbox::wire::{
    self, Answer, Ask, Deposit, Item, Open, Pool, Request, Signed, Signer, Status, Take, Taken,
};

/// Who signs.
#[derive(Debug)]
enum Signs {
    Holder(Capability),
    Mailbox(Box<MailboxKeys>, Grant),
}

/// A box at one mailbox: signs requests, and keeps the challenge that they are signed over.
#[derive(Debug)]
pub struct Session {
    signs: Signs,
    mailbox: MailboxId,
    challenge: Challenge,
}

impl Session {
    /// For who has the capability. `mailbox` is the one that was meant, as the directory or a setting
    /// names it, and not what a [`Hello`](wire::Hello) says: a request for one mailbox is worth nothing at
    /// another, unless that one may choose for whom it is.
    #[must_use]
    pub fn new(capability: Capability, mailbox: MailboxId) -> Self {
        Self { signs: Signs::Holder(capability), mailbox, challenge: Challenge::default() }
    }

    /// For a mailbox that may read a box at another one, to catch up with it.
    #[must_use]
    pub fn replica(keys: MailboxKeys, grant: Grant) -> Self {
        let mailbox = grant.from;
        Self {
            signs: Signs::Mailbox(Box::new(keys), grant),
            mailbox,
            challenge: Challenge::default(),
        }
    }

    /// The box.
    #[must_use]
    pub fn box_id(&self) -> BoxId {
        match &self.signs {
            Signs::Holder(capability) => capability.box_id(),
            Signs::Mailbox(_, grant) => grant.box_id(),
        }
    }

    /// Opens the box for so many seconds, or changes its topics.
    ///
    /// # Errors
    ///
    /// [`ClientError::TooLarge`] for more than [`MAX_TOPICS`](wire::MAX_TOPICS).
    pub fn open(
        &mut self,
        topics: Vec<Topic>,
        seconds: u32,
    ) -> Result<Call<'_, Status>, ClientError> {
        let topics = List::new(topics).ok_or(ClientError::TooLarge)?;
        Ok(Call::new(self, Request::Open(Open { topics, ttl: seconds }), status))
    }

    /// Keeps the box for so many seconds from now on.
    pub fn renew(&mut self, seconds: u32) -> Call<'_, Status> {
        Call::new(self, Request::Renew(seconds), status)
    }

    /// Deletes the box and what is in it.
    pub fn close(&mut self) -> Call<'_, ()> {
        Call::new(self, Request::Close, |answer| matches!(answer, Answer::Closed).then_some(()))
    }

    /// How full it is.
    pub fn status(&mut self) -> Call<'_, Status> {
        Call::new(self, Request::Status, status)
    }

    /// Puts envelopes into the box, and says how many were new. When it is done, all are kept.
    ///
    /// # Errors
    ///
    /// [`ClientError::TooLarge`] for more than [`MAX_ITEMS`](wire::MAX_ITEMS).
    pub fn store(
        &mut self,
        envelopes: Vec<(Topic, Vec<u8>)>,
    ) -> Result<Call<'_, u16>, ClientError> {
        let item = |(topic, envelope)| Item { topic, envelope: VLBytes::from(envelope) };
        let items = List::new(envelopes.into_iter().map(item).collect());
        let request = Request::Store(items.ok_or(ClientError::TooLarge)?);
        Ok(Call::new(self, request, |answer| match answer {
            Answer::Stored(new) => Some(new),
            _ => None,
        }))
    }

    /// Leaves key packages, each of which is what a device would answer to whoever asks for one. See
    /// [`Deposit`] for how it is done once only.
    pub fn deposit(&mut self, deposit: Deposit) -> Call<'_, Vec<Pool>> {
        Call::new(self, Request::Deposit(deposit), pools)
    }

    /// How many key packages are left.
    pub fn pools(&mut self) -> Call<'_, Vec<Pool>> {
        Call::new(self, Request::Pools, pools)
    }

    /// Lets the mailbox read the box at others, too: with grants [`from`](Grant::from) them
    /// [`to`](Grant::to) this one, in place of those that it has.
    ///
    /// # Errors
    ///
    /// [`ClientError::TooLarge`] for more than [`MAX_REPLICAS`](wire::MAX_REPLICAS).
    pub fn replicate(&mut self, grants: Vec<Grant>) -> Result<Call<'_, Status>, ClientError> {
        let grants = List::new(grants).ok_or(ClientError::TooLarge)?;
        Ok(Call::new(self, Request::Replicate(grants), status))
    }

    pub(super) fn learn(&mut self, challenge: Challenge) {
        self.challenge = challenge;
    }

    /// A signed frame.
    pub(super) fn frame(&self, request: &Request) -> Result<Vec<u8>, ClientError> {
        let body = request.tls_serialize_detached().map_err(|_| ClientError::TooLarge)?;
        let said = statement(&self.mailbox, &self.box_id(), self.challenge, &body);
        let (by, signature) = match &self.signs {
            Signs::Holder(capability) => {
                (Signer::Holder(capability.holder()), capability.sign(&said))
            }
            Signs::Mailbox(keys, grant) => (Signer::Mailbox(grant.clone()), keys.sign(&said)),
        };
        let signature = signature.map_err(|_| ClientError::Signing)?;
        let challenge = self.challenge;
        let ask = Ask::Signed(Signed { challenge, by, body: body.into(), signature });
        wire::encode(&ask).ok_or(ClientError::TooLarge)
    }
}

fn status(answer: Answer) -> Option<Status> {
    match answer {
        Answer::Status(status) => Some(status),
        _ => None,
    }
}

fn pools(answer: Answer) -> Option<Vec<Pool>> {
    match answer {
        Answer::Pools(pools) => Some(pools.into_vec()),
        _ => None,
    }
}

/// A stranger's frame that asks for a key package from a box.
#[must_use]
pub fn take(id: BoxId, suite: u16) -> Vec<u8> {
    wire::encode(&Ask::Take(Take { id, suite })).expect("it is short")
}

/// What is answered to [`take`]. Its `package` and what is `beside` are answers as devices give them, and
/// to be checked as those are.
///
/// # Errors
///
/// [`ClientError::Refused`], [`ClientError::BadAnswer`].
pub fn taken(frame: &[u8]) -> Result<Taken, ClientError> {
    match wire::decode(frame).map_err(|_| ClientError::BadAnswer)? {
        Answer::Taken(taken) => Ok(taken),
        Answer::Refused(error) => Err(error.into()),
        _ => Err(ClientError::BadAnswer),
    }
}

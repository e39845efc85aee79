//! A message of one's own on its way.

use std::fmt;

use tokio::sync::watch;

use super::Error;
use crate::MessageId;
use crate::message::Delivery;

/// A message that this client has sent, and how far it has come.
///
/// When [`Group::send`](super::Group::send) returns one, the message is in the store: it will be
/// sent, also after a crash or days offline. To wait for that is a choice.
#[derive(Clone)]
pub struct Sent {
    /// The message's name, for replies, edits and reactions to it.
    pub id: MessageId,
    delivery: watch::Receiver<Delivery>,
}

impl Sent {
    pub(super) fn new(id: MessageId, delivery: watch::Receiver<Delivery>) -> Self {
        Self { id, delivery }
    }

    /// How far it has come.
    #[must_use]
    pub fn delivery(&self) -> Delivery {
        *self.delivery.borrow()
    }

    /// Waits until the transport has taken it.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`]: it is sent when the client is opened again.
    pub async fn sent(&self) -> Result<(), Error> {
        self.reach(|delivery| delivery != Delivery::Queued).await
    }

    /// Waits until the devices of all other members have said that they have it. A member who is away
    /// delays this until the return, so limit it with a timeout; in a group with nobody else it never
    /// happens.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`]: it goes on when the client is opened again.
    pub async fn delivered(&self) -> Result<(), Error> {
        self.reach(|delivery| match delivery {
            Delivery::Reached { devices, of } => devices >= of,
            Delivery::Queued | Delivery::Sent => false,
        })
        .await
    }

    async fn reach(&self, enough: impl Fn(Delivery) -> bool) -> Result<(), Error> {
        let mut watched = self.delivery.clone();
        watched.wait_for(|delivery| enough(*delivery)).await.map_err(|_| Error::Closed)?;
        Ok(())
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sent({:?}, {:?})", self.id, self.delivery())
    }
}

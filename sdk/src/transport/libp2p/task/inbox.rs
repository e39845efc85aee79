//! What came in and waits for the client, within bounds.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::super::limits::Limits;
use crate::transport::Incoming;

/// How many things wait at most, whatever their length.
const MOST: usize = 1 << 14;

/// Something that came in. What it takes of the bounds is given back with it.
pub(in super::super) struct Unread {
    pub(in super::super) incoming: Incoming,
    _room: Option<OwnedSemaphorePermit>,
}

/// Where the task puts what came in.
pub(in super::super) struct Inbox {
    sender: mpsc::Sender<Unread>,
    room: Arc<Semaphore>,
}

/// Both ends of it.
pub(in super::super) fn inbox(limits: &Limits) -> (Inbox, mpsc::Receiver<Unread>) {
    let (sender, receiver) = mpsc::channel(MOST);
    let room = limits.unread.min(Semaphore::MAX_PERMITS);
    (Inbox { sender, room: Arc::new(Semaphore::new(room)) }, receiver)
}

impl Inbox {
    /// Something came in. If the client has not read too much, it is lost: a transport may do that.
    pub(super) fn put(&self, incoming: Incoming) -> bool {
        let length = match &incoming {
            Incoming::Message { bytes, .. } => bytes.len(),
            Incoming::Question { question, .. } => question.len(),
            Incoming::Answer { answer } => answer.len(),
            Incoming::Connected
            | Incoming::Pools(_)
            | Incoming::Boxes(_)
            | Incoming::Kept { .. } => 0,
        };
        let Ok(length) = u32::try_from(length) else { return false };
        let Ok(room) = self.room.clone().try_acquire_many_owned(length) else { return false };
        self.sender.try_send(Unread { incoming, _room: Some(room) }).is_ok()
    }

    /// The network can be reached. Whether there was room to say so.
    pub(super) fn connected(&self) -> bool {
        self.sender.try_send(Unread { incoming: Incoming::Connected, _room: None }).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Topic;

    #[tokio::test]
    async fn what_is_not_read_is_bounded() {
        let limits = Limits { unread: 1000, ..Limits::default() };
        let (inbox, mut unread) = inbox(&limits);
        let message = || Incoming::Message { topic: Topic([1; 32]), bytes: vec![0; 400] };
        assert!(inbox.put(message()) && inbox.put(message()));
        assert!(!inbox.put(message()));
        assert!(inbox.connected());
        assert_eq!(unread.recv().await.map(|unread| unread.incoming), Some(message()));
        assert!(inbox.put(message()) && !inbox.put(message()));
        let counted = (0..2 * MOST).filter(|_| inbox.connected()).count();
        assert!(counted < MOST);
    }
}

//! Requests to mailboxes, and to the one of this node. Their bytes mean nothing here.

use std::future::Future;
use std::pin::Pin;

use libp2p::PeerId;
use libp2p::request_response::{
    Event, Message, OutboundFailure, OutboundRequestId, ResponseChannel,
};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tracing::instrument::WithSubscriber;

use super::super::NodeError;
use super::super::command::Reply;
use super::super::flood::Deed;
use super::Task;
use super::lookup::Taking;

/// A request that the mailbox of this node works on.
pub(super) type Serving = Pin<Box<dyn Future<Output = Served> + Send>>;

/// A response, if there is one, and where it goes.
pub(super) type Served = (ResponseChannel<Vec<u8>>, Option<Vec<u8>>);

/// Stops the work on a request when nobody waits for it any more: it has taken too long, or the node is
/// closed.
struct Stop(AbortHandle);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Whom the response of a mailbox is for.
pub(super) enum For {
    Caller(Reply<Vec<u8>, NodeError>),
    /// A question that nobody else has answered.
    Question(Box<Taking>),
}

impl Task {
    pub(super) fn request_mailbox(
        &mut self,
        peer: PeerId,
        request: Vec<u8>,
        reply: Reply<Vec<u8>, NodeError>,
    ) {
        if self.mailbox_requests.len() >= self.limits.mailbox_at_once {
            let _ = reply.send(Err(NodeError::Busy));
            return;
        }
        let id = self.swarm.behaviour_mut().mailbox.send_request(&peer, request);
        self.mailbox_requests.insert(id, For::Caller(reply));
    }

    pub(super) fn mailbox_event(&mut self, event: Event<Vec<u8>, Vec<u8>>) {
        match event {
            Event::Message { peer, message, .. } => match message {
                Message::Request { request, channel, .. } => self.serve(peer, request, channel),
                Message::Response { request_id, response } => {
                    // A peer that refuses ends the stream without a byte.
                    let answered = !response.is_empty();
                    let result = answered.then_some(response).ok_or(NodeError::NoAnswer);
                    self.mailbox_answered(request_id, result);
                }
            },
            Event::OutboundFailure { request_id, error, .. } => {
                let error = match error {
                    OutboundFailure::DialFailure => NodeError::Unreachable,
                    OutboundFailure::UnsupportedProtocols => NodeError::NotOffered,
                    _ => NodeError::NoAnswer,
                };
                self.mailbox_answered(request_id, Err(error));
            }
            _ => {}
        }
    }

    fn mailbox_answered(&mut self, id: OutboundRequestId, result: Result<Vec<u8>, NodeError>) {
        match self.mailbox_requests.remove(&id) {
            Some(For::Caller(reply)) => drop(reply.send(result)),
            Some(For::Question(taking)) => self.box_answered(*taking, result),
            None => {}
        }
    }

    /// Lets the mailbox work on a request. One that is dropped is not answered, and the peer sees that.
    fn serve(&mut self, peer: PeerId, request: Vec<u8>, channel: ResponseChannel<Vec<u8>>) {
        let verdict = self.flood.deed(Instant::now(), &self.limits, peer, Deed::Mailbox);
        let passes = self.passes(peer, verdict);
        let Some(mailbox) = self.mailbox.as_ref().filter(|_| passes) else { return };
        if self.serving.len() >= self.limits.mailbox_at_once {
            return;
        }
        let work = mailbox.serve(peer, request).with_subscriber(self.log.clone());
        let (work, patience) = (self.caller.spawn(work), self.limits.request_timeout);
        let stop = Stop(work.abort_handle());
        self.serving.push(Box::pin(async move {
            let _stop = stop;
            (channel, timeout(patience, work).await.ok().and_then(Result::ok).flatten())
        }));
    }

    pub(super) fn served(&mut self, (channel, answer): Served) {
        if let Some(answer) = answer {
            // The peer may be gone.
            let _ = self.swarm.behaviour_mut().mailbox.send_response(channel, answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::super::{Libp2p, Limits};
    use super::*;

    #[tokio::test]
    async fn requests_of_this_node_are_bounded() {
        let limits = Limits { mailbox_at_once: 3, ..Limits::default() };
        let (_node, mut task, _) = Libp2p::builder().limits(limits).at_rest().await;
        for number in 0..5 {
            let (reply, mut result) = oneshot::channel();
            task.request_mailbox(PeerId::random(), vec![1], reply);
            let busy = matches!(result.try_recv(), Ok(Err(NodeError::Busy)));
            assert_eq!(busy, number >= 3);
        }
    }
}

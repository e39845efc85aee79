//! Chunks of content: fetched, and given to others.

use libp2p::PeerId;
use libp2p::request_response::{Event, Message};
use tokio::time::Instant;
use tracing::debug;

use super::super::fetch::Arrived;
use super::super::flood::Deed;
use super::Task;

impl Task {
    /// Asks for what is missing, and delivers what is complete.
    pub(super) fn fetch(&mut self, now: Instant) {
        for (topic, content) in self.fetches.finished() {
            self.deliver(topic, content);
        }
        if self.fetches.is_idle() {
            return;
        }
        let (listeners, peers) = (&self.listeners, &self.peers);
        let who = |topic: &_| -> Vec<PeerId> {
            listeners.get(topic).into_iter().flatten().copied().collect()
        };
        let there = |peer: &PeerId| peers.contains_key(peer);
        for request in self.fetches.requests(now, self.limits.fetch_at_once, who, there) {
            let chunks = &mut self.swarm.behaviour_mut().chunks;
            let id = chunks.send_request(&request.peer, request.hash.to_vec());
            self.fetching.insert(id, request);
        }
    }

    pub(super) fn chunk_event(&mut self, event: Event<Vec<u8>, Vec<u8>>) {
        let now = Instant::now();
        match event {
            Event::Message { peer, message, .. } => match message {
                Message::Request { request, channel, .. } => {
                    let verdict = self.flood.deed(now, &self.limits, peer, Deed::Chunk);
                    if !self.passes(peer, verdict) {
                        // Without a response, the peer asks again later.
                        return;
                    }
                    let Ok(hash) = request.try_into() else { return self.malformed(peer) };
                    let chunk = self.chunks.get(&hash).map(|chunk| chunk.to_vec());
                    let chunk = chunk.unwrap_or_default();
                    // The peer may be gone.
                    let _ = self.swarm.behaviour_mut().chunks.send_response(channel, chunk);
                }
                Message::Response { request_id, response } => {
                    let Some(request) = self.fetching.remove(&request_id) else { return };
                    let chunks = &mut self.chunks;
                    let arrived = self.fetches.arrived(now, &request, response, chunks);
                    if arrived == Arrived::Wrong {
                        self.log(|| debug!("a peer gave a wrong chunk"));
                        self.malformed(peer);
                    }
                    self.fetch(now);
                }
            },
            Event::OutboundFailure { request_id, .. } => {
                if let Some(request) = self.fetching.remove(&request_id) {
                    self.fetches.failed(now, &request);
                    self.fetch(now);
                }
            }
            _ => {}
        }
    }
}

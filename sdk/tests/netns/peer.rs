//! A host with a node, and mostly a client, as a test speaks of it.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::host::{Host, until};
use crate::lab::Place;

pub struct Peer {
    pub host: Host,
    /// The name of its node, and where it listens.
    pub id: String,
    pub at: String,
    /// The address of its account.
    pub account: String,
}

impl Peer {
    /// A node that carries for others, or that is up to no good.
    pub fn node(place: &Place, options: &str) -> Self {
        let mut host = Host::start(place, "node");
        let answer = host.ask(format!("open {options}").trim_end());
        let mut words = answer.into_iter();
        let (id, at) = (words.next().unwrap(), words.next().unwrap());
        Self { host, id, at, account: String::new() }
    }

    /// A node with a client.
    pub fn client(place: &Place, options: &str) -> Self {
        let mut peer = Self::node(place, options);
        peer.account = peer.host.ask("client").remove(0);
        peer
    }

    pub fn send(&mut self, text: &str) {
        self.host.ask(&format!("send {text}"));
    }

    /// What was said, the last first.
    pub fn texts(&mut self) -> Vec<String> {
        let texts = self.host.ask("texts");
        texts.into_iter().filter(|text| !text.is_empty()).collect()
    }

    pub fn has(&mut self, text: &str) -> bool {
        self.texts().iter().any(|known| known == text)
    }

    pub fn members(&mut self) -> usize {
        self.host.ask("members")[0].parse().unwrap()
    }

    pub fn rename(&mut self, name: &str) {
        self.host.ask(&format!("rename {name}"));
    }

    pub fn name(&mut self) -> String {
        self.host.ask("name").join(" ")
    }

    /// How it is connected with another: `direct`, `relayed` or not.
    pub fn link(&mut self, other: &str) -> Option<String> {
        let links = self.host.ask("status links");
        let link = links.iter().find_map(|link| link.strip_prefix(other));
        link.and_then(|link| link.strip_prefix('=')).map(Into::into)
    }

    pub fn status(&mut self, what: &str) -> Vec<String> {
        let words = self.host.ask(&format!("status {what}"));
        words.into_iter().filter(|word| !word.is_empty()).collect()
    }
}

/// The first founds a group and invites all others. How long that took until all see all.
pub fn found(peers: &mut [Peer], seconds: u64) -> Duration {
    let accounts: Vec<_> = peers.iter().skip(1).map(|peer| peer.account.clone()).collect();
    peers[0].host.ask("found garden");
    peers[0].host.ask(&format!("invite {}", accounts.join(" ")));
    until("everybody is in", seconds, || {
        let all = peers.len();
        peers.iter_mut().all(|peer| peer.members() == all)
    })
}

/// Each says something with this in it, and how long that took until all have heard all of it, once.
pub fn chat(peers: &mut [Peer], word: &str, times: usize, seconds: u64) -> Duration {
    let said = |number: usize, time: usize| format!("{word}-{number}-{time}");
    let mut all = BTreeSet::new();
    for time in 0..times {
        for (number, peer) in peers.iter_mut().enumerate() {
            peer.send(&said(number, time));
            all.insert(said(number, time));
        }
    }
    let took = until("everything is heard", seconds, || {
        peers
            .iter_mut()
            .all(|peer| peer.texts().into_iter().collect::<BTreeSet<_>>().is_superset(&all))
    });
    for peer in peers {
        let texts = peer.texts();
        let heard = texts.iter().filter(|text| all.contains(*text)).count();
        assert_eq!(heard, all.len(), "nothing is heard twice");
    }
    took
}

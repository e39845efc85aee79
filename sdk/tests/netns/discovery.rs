//! Peers that know nothing of each other, or one third node, find each other.

use std::time::Instant;

use crate::host::until;
use crate::lab::{Lab, say};
use crate::peer::{Peer, chat, found};

#[test]
#[ignore = "hosts of their own: see the head of main.rs"]
fn neighbours_find_each_other() {
    let Some(mut lab) = Lab::new("neighbours") else { return };
    let lan = lab.switch("lan");
    let start = Instant::now();
    let mut peers: Vec<_> = (1..=3)
        .map(|number| {
            let host = lab.host(&format!("host{number}"));
            lab.plug(&host, "eth0", &format!("10.0.0.{number}/24"), &lan);
            Peer::client(&host, "mdns")
        })
        .collect();
    let ids: Vec<_> = peers.iter().map(|peer| peer.id.clone()).collect();
    until("all are linked", 60, || {
        peers.iter_mut().all(|peer| {
            let others: Vec<_> = ids.iter().filter(|id| **id != peer.id).collect();
            others.into_iter().all(|id| peer.link(id).is_some())
        })
    });
    let linked = start.elapsed();
    let together = found(&mut peers, 60);
    let heard = chat(&mut peers, "hello", 1, 30);
    say(&format!(
        "neighbours: three started and linked by multicast DNS within {linked:.1?}, a group after {together:.1?}, heard after {heard:.1?}"
    ));
}

#[test]
#[ignore = "hosts of their own: see the head of main.rs"]
fn one_node_brings_two_networks_together() {
    let Some(mut lab) = Lab::new("two networks") else { return };
    let router = lab.router("router");
    let mut hosts = Vec::new();
    for network in 1..=2 {
        let lan = lab.switch(&format!("lan{network}"));
        lab.plug(&router, &format!("lan{network}"), &format!("10.{network}.0.1/24"), &lan);
        for number in 2..=3 {
            let host = lab.host(&format!("host{network}-{number}"));
            lab.plug(&host, "eth0", &format!("10.{network}.0.{number}/24"), &lan);
            host.gateway(&format!("10.{network}.0.1"));
            hosts.push(host);
        }
    }
    let bootstrap = Peer::node(&hosts[0], "serve announce listen=/ip4/10.1.0.2/tcp/4001");
    let options = format!("bootstrap={}", bootstrap.at);
    let mut peers: Vec<_> = hosts[1..].iter().map(|host| Peer::client(host, &options)).collect();
    let together = found(&mut peers, 90);
    let heard = chat(&mut peers, "hello", 1, 30);
    let far = peers[1].id.clone();
    let linked = until("those of two networks are linked", 60, || peers[0].link(&far).is_some());
    let kind = peers[0].link(&far).unwrap_or_default();
    say(&format!(
        "two networks: a group by one bootstrap node after {together:.1?}, heard after {heard:.1?}, {kind} link {linked:.1?} later"
    ));
}

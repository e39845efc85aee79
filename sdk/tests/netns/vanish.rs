//! A host that goes without a word, and comes back elsewhere.

use crate::host::until;
use crate::lab::{Lab, say};
use crate::peer::{Peer, chat, found};

#[test]
#[ignore = "takes a minute: see the head of main.rs"]
fn a_host_vanishes_and_comes_back_elsewhere() {
    let Some(mut lab) = Lab::new("a host that vanishes") else { return };
    let lan = lab.switch("lan");
    let hosts: Vec<_> = (1..=4)
        .map(|number| {
            let host = lab.host(&format!("host{number}"));
            lab.plug(&host, "eth0", &format!("10.0.0.{number}/24"), &lan);
            host
        })
        .collect();
    let bootstrap = Peer::node(&hosts[0], "serve announce listen=/ip4/10.0.0.1/tcp/4001");
    let options = format!("announce bootstrap={}", bootstrap.at);
    let mut peers: Vec<_> = hosts[1..].iter().map(|host| Peer::client(host, &options)).collect();
    let together = found(&mut peers, 60);
    chat(&mut peers, "before", 1, 30);
    let gone = peers[2].id.clone();
    until("all are linked", 60, || peers[..2].iter_mut().all(|peer| peer.link(&gone).is_some()));

    hosts[3].ip("link delete eth0");
    let on = chat(&mut peers[..2], "meanwhile", 5, 30);
    peers[2].send("alone");
    let noticed = until("the others notice", 90, || {
        peers[..2].iter_mut().all(|peer| peer.link(&gone).is_none())
    });
    lab.plug(&hosts[3], "eth1", "10.0.0.77/24", &lan);
    let caught = until("it catches up", 120, || {
        peers[2].has("meanwhile-0-4") && peers[2].has("meanwhile-1-4")
    });
    let told =
        until("what it said is heard", 60, || peers[..2].iter_mut().all(|peer| peer.has("alone")));
    let heard = chat(&mut peers, "after", 1, 60);
    say(&format!(
        "a host that vanishes: a group after {together:.1?}; the others heard each other after {on:.1?} and noticed after {noticed:.1?}; back under another address it caught up after {caught:.1?}, what it said was heard {told:.1?} later, all heard after {heard:.1?}"
    ));
}

//! Networks that lose, delay and part.

use std::thread;
use std::time::{Duration, Instant};

use crate::air::Air;
use crate::host::until;
use crate::lab::{Lab, Place, say};
use crate::peer::{Peer, chat, found};

#[test]
#[ignore = "takes a minute: see the head of main.rs"]
fn a_tenth_is_lost_and_the_rest_is_late() {
    let Some(mut lab) = Lab::new("loss and delay") else { return };
    let mut air = Air::new(&mut lab);
    let hosts: Vec<Place> = (1..=4)
        .map(|number| {
            let host = lab.host(&format!("host{number}"));
            air.plug(&mut lab, &host, &format!("10.0.0.{number}/24"));
            host
        })
        .collect();
    air.start(200, 10);
    let listen = |number: usize| format!("announce listen=/ip4/10.0.0.{number}/tcp/4001");
    let mut peers = vec![Peer::client(&hosts[0], &format!("serve {}", listen(1)))];
    let bootstrap = peers[0].at.clone();
    for (number, host) in hosts.iter().enumerate().skip(1) {
        let options = format!("bootstrap={bootstrap} {}", listen(number + 1));
        peers.push(Peer::client(host, &options));
    }
    let together = found(&mut peers, 150);
    let heard = chat(&mut peers, "slow", 30, 150);
    let (carried, lost) = air.counts();
    assert!(lost * 20 > carried, "the network lost {lost} of {}", carried + lost);
    say(&format!(
        "loss and delay: a group of four after {together:.1?}, 120 messages heard by all after {heard:.1?}; {lost} of {} frames lost, the others 200 ms late",
        carried + lost
    ));
}

/// How long the network is in two: longer than a connection lives whose other end is silent.
const APART: Duration = Duration::from_secs(50);

#[test]
#[ignore = "takes a minute: see the head of main.rs"]
fn two_halves_go_on_and_agree_again() {
    let Some(mut lab) = Lab::new("partition") else { return };
    let halves = [lab.switch("west"), lab.switch("east")];
    let bridge = lab.join(&halves[0], &halves[1]);
    let mut peers: Vec<_> = (1..=4)
        .map(|number| {
            let host = lab.host(&format!("host{number}"));
            lab.plug(&host, "eth0", &format!("10.0.0.{number}/24"), &halves[(number - 1) / 2]);
            Peer::client(&host, "mdns")
        })
        .collect();
    let together = found(&mut peers, 60);
    halves[0].ip(&format!("link set {bridge} down"));
    let parted = Instant::now();
    peers[0].rename("west");
    peers[3].rename("east");
    peers[1].send("from-the-west");
    peers[2].send("from-the-east");
    for (half, name, text) in [(0, "west", "from-the-west"), (2, "east", "from-the-east")] {
        until("each half goes on", 40, || {
            peers[half..half + 2].iter_mut().all(|peer| peer.name() == name && peer.has(text))
        });
    }
    assert!(!peers[0].has("from-the-east") && !peers[3].has("from-the-west"));
    thread::sleep(APART.saturating_sub(parted.elapsed()));
    halves[0].ip(&format!("link set {bridge} up"));
    let agreed = until("both halves agree", 120, || {
        let names: Vec<_> = peers.iter_mut().map(Peer::name).collect();
        names.iter().all(|name| *name == names[0])
            && peers.iter_mut().all(|peer| peer.has("from-the-east") && peer.has("from-the-west"))
    });
    let heard = chat(&mut peers, "again", 1, 60);
    assert!(peers.iter_mut().all(|peer| peer.members() == 4));
    say(&format!(
        "partition: a group of four after {together:.1?}; {APART:?} apart; one name and all messages {agreed:.1?} after the wire was back, heard after {heard:.1?}"
    ));
}

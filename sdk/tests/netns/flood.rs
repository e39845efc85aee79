//! Peers that say too much, and peers that do not read.

use std::thread;
use std::time::Duration;

use crate::host::until;
use crate::lab::{Lab, say};
use crate::peer::{Peer, chat, found};

const MIB: u64 = 1 << 20;

/// What the victim keeps that its client has not read, and what one peer may send it each second.
const UNREAD: u64 = 16 * MIB;
const RATE: u64 = 2 * MIB;
/// How long the flood lasts.
const SECONDS: u64 = 10;

/// What the victim's limits leave it: that, what gossip remembers of some seconds of each of four
/// peers, and what waits for one that does not read, which is 512 messages of 40 KiB.
const MOST: u64 = UNREAD + 4 * (2 + 6) * RATE + 20 * MIB;

#[test]
#[ignore = "takes a minute: see the head of main.rs"]
fn floods_and_slow_readers_do_not_fill_the_memory() {
    let Some(mut lab) = Lab::new("floods") else { return };
    let lan = lab.switch("lan");
    let mut host = |number: usize| {
        let host = lab.host(&format!("host{number}"));
        lab.plug(&host, "eth0", &format!("10.0.0.{number}/24"), &lan);
        host
    };
    // It cuts nobody off, however much it is: that there are bounds for everybody is what this is about.
    let bounds = format!("patient unread={UNREAD} gossip-kib={}", RATE / 1024);
    let home = host(1);
    let victim = Peer::client(&home, &format!("{bounds} announce listen=/ip4/10.0.0.1/tcp/4001"));
    let options = format!("announce bootstrap={}", victim.at);
    let mut peers = vec![victim];
    peers.extend((2..=3).map(|number| Peer::client(&host(number), &options)));
    found(&mut peers, 60);
    chat(&mut peers, "before", 2, 30);
    let topics = peers[0].status("topics");

    // A member that does not read, while the others have much to say.
    let (before, _) = peers[0].host.memory();
    peers[2].host.halt();
    peers[0].host.ask("burst 300 16000");
    peers[0].send("after-the-burst");
    let heard = until("who reads gets all", 90, || peers[1].has("after-the-burst"));
    let (_, most) = peers[0].host.memory();
    let slow = most.saturating_sub(before);
    peers[2].host.go_on();
    let caught = until("who reads again catches up", 120, || peers[2].has("after-the-burst"));

    // Two that flood whatever the victim listens to.
    let mut flooders: Vec<_> = (4..=5).map(|number| Peer::node(&host(number), &options)).collect();
    for flooder in &mut flooders {
        for topic in &topics {
            flooder.host.ask(&format!("subscribe {topic}"));
        }
    }
    thread::sleep(Duration::from_secs(3));
    let (before, _) = peers[0].host.memory();
    let received = home.received("eth0");
    let topics = topics.join(" ");
    for flooder in &mut flooders {
        flooder.host.ask(&format!("flood {SECONDS} 30000 {topics}"));
    }
    let during = chat(&mut peers, "during", 5, 90);
    thread::sleep(Duration::from_secs(SECONDS));
    let flooded = home.received("eth0") - received;
    let (_, most) = peers[0].host.memory();
    let grown = most.saturating_sub(before);
    let after = chat(&mut peers, "after", 5, 90);
    say(&format!(
        "floods: 300 messages of 16 kB past a member that does not read, heard by the other after {heard:.1?}, caught up {caught:.1?} after it read again, {} MiB more memory at most; flooded with {} MiB in {SECONDS} s, {} MiB more at most of {} that the limits leave, others heard after {during:.1?}, and {after:.1?} when it was over",
        slow / MIB,
        flooded / MIB,
        grown / MIB,
        MOST / MIB
    ));
    assert!(slow < MOST && grown < MOST);
    assert!(flooded > 2 * MOST, "that was no flood");
}

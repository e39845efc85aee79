//! Nodes that lie about who listens to a topic do not hide those who do.

use std::thread;
use std::time::Duration;

use crate::host::{Host, until};
use crate::lab::{Lab, say};
use crate::peer::Peer;

/// How many they are, on one host: more than a search begins with. There are five honest ones.
const ATTACKERS: usize = 24;
/// How many nodes an honest one knows: the two others, and as many attackers as it keeps of one host.
const KNOWN: usize = 5;

#[test]
#[ignore = "takes a minute: see the head of main.rs"]
fn liars_close_to_a_topic_do_not_hide_who_listens() {
    let Some(mut lab) = Lab::new("an eclipse") else { return };
    let lan = lab.switch("lan");
    let mut host = |number: usize| {
        let host = lab.host(&format!("host{number}"));
        lab.plug(&host, "eth0", &format!("10.0.0.{number}/24"), &lan);
        host
    };
    let options = |number: usize| format!("serve announce listen=/ip4/10.0.0.{number}/tcp/4001");
    let mut honest = vec![Peer::node(&host(1), &options(1))];
    for number in 2..=3 {
        let options = format!("bootstrap={} {}", honest[0].at, options(number));
        honest.push(Peer::node(&host(number), &options));
    }
    let topic = "5e".repeat(32);
    let mut attackers = Host::start(&host(4), "attackers");
    let victims: Vec<_> = honest.iter().map(|peer| peer.at.clone()).collect();
    let victims = victims.join(" ");
    let names = attackers.ask(&format!("near {topic} {ATTACKERS} 10.0.0.4 {victims}"));
    assert_eq!(names.len(), ATTACKERS);
    until("honest nodes know the attackers", 60, || {
        let table = |peer: &mut Peer| peer.status("table")[0].parse::<usize>().unwrap();
        honest.iter_mut().all(|peer| table(peer) == KNOWN)
    });
    // By now they have said that they listen, and have forgotten all others.
    thread::sleep(Duration::from_secs(6));

    let mut member = Peer::node(&host(5), &format!("announce bootstrap={}", honest[1].at));
    member.host.ask(&format!("subscribe {topic}"));
    let mut seeker = Peer::node(&host(6), &format!("announce bootstrap={}", honest[2].at));
    seeker.host.ask(&format!("subscribe {topic}"));
    let found = until("who listens is found", 90, || seeker.link(&member.id).is_some());
    let fooled = names.iter().filter(|name| seeker.link(name).is_some()).count();
    say(&format!(
        "an eclipse: {ATTACKERS} attackers close to the topic, {fooled} of them connected; the one who listens was found after {found:.1?}"
    ));
}

//! Peers behind NATs, and a relay that all can reach.

use std::thread;
use std::time::{Duration, Instant};

use crate::lab::{Lab, Place, say};
use crate::peer::{Peer, chat, found};

/// What a NAT lets in.
#[derive(Clone, Copy)]
enum Nat {
    /// Whatever comes for a port goes to the host inside.
    FullCone,
    /// Only what belongs to something that the host inside has begun.
    PortRestricted,
    /// The same, and it takes another port for each host outside: nobody can foresee which.
    Symmetric,
}

impl Nat {
    const fn name(self) -> &'static str {
        match self {
            Self::FullCone => "full cone",
            Self::PortRestricted => "port-restricted",
            Self::Symmetric => "symmetric",
        }
    }

    fn rules(self) -> String {
        let (way_in, passes) = match self {
            Self::FullCone => (
                "chain before { type nat hook prerouting priority -100;
                    iifname \"out\" tcp dport 1024-65535 dnat to 192.168.1.2; }",
                "ct status dnat accept;",
            ),
            Self::PortRestricted | Self::Symmetric => ("", ""),
        };
        let ports = if matches!(self, Self::Symmetric) { "fully-random" } else { "" };
        format!(
            "table ip nat {{
                {way_in}
                chain after {{ type nat hook postrouting priority 100; oifname \"out\" masquerade {ports}; }}
                chain through {{ type filter hook forward priority 0; policy drop;
                    ct state established,related accept; iifname \"in\" accept; {passes} }}
                chain own {{ type filter hook input priority 0; policy accept;
                    iifname \"out\" ct state new drop; }}
            }}"
        )
    }
}

/// A host behind a NAT. All of them have the same addresses inside.
fn home(lab: &mut Lab, number: usize, nat: Nat, internet: &Place) -> Place {
    let router = lab.router(&format!("nat{number}"));
    lab.plug(&router, "out", &format!("198.51.100.{number}/24"), internet);
    let host = lab.host(&format!("home{number}"));
    lab.wire((&router, "in"), (&host, "eth0"));
    router.ip("address add 192.168.1.1/24 dev in");
    host.ip("address add 192.168.1.2/24 dev eth0");
    host.gateway("192.168.1.1");
    router.nft(&nat.rules());
    host
}

/// How they are linked in the end.
fn meet(nats: [Nat; 2]) -> Option<String> {
    let names = nats.map(Nat::name).join(" and ");
    let mut lab = Lab::new(&format!("NATs, {names}"))?;
    let internet = lab.switch("internet");
    let office = lab.host("relay");
    lab.plug(&office, "eth0", "198.51.100.100/24", &internet);
    let serve = "seed=7 serve announce listen=/ip4/198.51.100.100/tcp/4001";
    let relay = Peer::node(&office, serve);
    let options = format!("bootstrap={}", relay.at);
    let mut peers: Vec<_> = (1..=2)
        .map(|number| {
            let host = home(&mut lab, number, nats[number - 1], &internet);
            Peer::client(&host, &options)
        })
        .collect();
    let start = Instant::now();
    let other = peers[1].id.clone();
    let together = found(&mut peers, 120);
    let first = peers[0].link(&other).expect("they are linked");
    let heard = chat(&mut peers, "hello", 5, 60);
    // Whether they come to do without the relay is for their NATs.
    let patience = Duration::from_secs(15);
    let direct = loop {
        if peers[0].link(&other).as_deref() == Some("direct") {
            break format!("a direct link {:.1?} after the start", start.elapsed());
        }
        if start.elapsed() > patience {
            break "a relayed link all the time".into();
        }
        thread::sleep(Duration::from_millis(100));
    };
    // For the others to know it too, and to do without the relay.
    thread::sleep(Duration::from_secs(4));
    let carried = office.received("eth0");
    let again = chat(&mut peers, &"again".repeat(1000), 10, 60);
    let carried = office.received("eth0") - carried;
    let link = peers[0].link(&other);
    assert_eq!(link.as_deref() == Some("direct"), carried < 50_000, "{carried} by the relay");
    drop(relay);
    let _relay = Peer::node(&office, serve);
    let restarted = chat(&mut peers, "anew", 5, 90);
    say(&format!(
        "NATs, {names}: a group after {together:.1?} over a {first} link, heard after {heard:.1?}; {direct}; 100 kB heard after {again:.1?}, {carried} bytes of it by the relay, and more {restarted:.1?} after the relay has started again"
    ));
    link
}

#[test]
#[ignore = "takes a minute: see the head of main.rs"]
fn a_relay_brings_a_full_cone_and_a_port_restricted_nat_together() {
    meet([Nat::FullCone, Nat::PortRestricted]);
}

#[test]
#[ignore = "takes a minute: see the head of main.rs"]
fn a_relay_brings_two_port_restricted_nats_together() {
    meet([Nat::PortRestricted, Nat::PortRestricted]);
}

#[test]
#[ignore = "takes a minute: see the head of main.rs"]
fn a_relay_carries_what_two_symmetric_nats_do_not_let_through() {
    let link = meet([Nat::Symmetric, Nat::Symmetric]);
    assert!(link.is_none_or(|link| link == "relayed"));
}

//! Bytes on the wire.

use crate::network::data::{Bytes, Network};
use crate::report::markdown::table::Table;
use crate::report::markdown::units;

const WHAT: &str = "\
One member says something ten times a second, or renews its keys, one commit after the other. Counted is
what clients gave to the network from then until three seconds after the last, acknowledgements and beacons
of all members included, and what all sockets carried: each host is connected with up to three that were
there before it, through proxies that count, TLS and gossip's own talk included, without what the same hosts
say when nothing happens. Sockets carry a message once to each of the others at least. The payload is the
text of a message; of a commit, the longest envelope that it takes.
";

pub(super) fn render(network: &Network) -> String {
    if network.wire.is_empty() {
        return String::new();
    }
    let headings = [
        "members",
        "",
        "counted",
        "payload",
        "envelope",
        "envelopes by all",
        "their bytes",
        "over payload",
        "questions and answers",
        "all sockets",
        "over payload and receiver",
    ];
    let mut table = Table::new(headings);
    let mut idle = Vec::new();
    for wire in &network.wire {
        let mut row = |name: &str, bytes: &Bytes, payload: u64| {
            let count = |bytes: f64| units::bytes(bytes.round().max(0.0) as usize);
            let others = wire.members.saturating_sub(1) as f64;
            table.row([
                wire.members.to_string(),
                name.to_owned(),
                bytes.count.to_string(),
                count(payload as f64),
                count(bytes.envelope as f64),
                format!("{:.1}", bytes.envelopes),
                count(bytes.published),
                units::quotient(bytes.published, payload as f64),
                count(bytes.asked),
                count(bytes.sockets),
                units::quotient(bytes.sockets, payload as f64 * others),
            ]);
        };
        row("message", &wire.message, wire.payload as u64);
        row("commit", &wire.commit, wire.commit.envelope);
        idle.push(format!(
            "{} bytes a second with {} members",
            units::bytes(wire.idle.round().max(0.0) as usize),
            wire.members
        ));
    }
    let idle =
        format!("When nothing happens, all sockets together carry {}.\n", units::list(&idle));
    ["## Bytes on the wire\n".to_owned(), WHAT.to_owned(), table.finish(), idle].join("\n")
}

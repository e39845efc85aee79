//! Through groups.

use crate::network::data::{Flow, Network, Through};
use crate::report::markdown::table::Table;
use crate::report::markdown::units;

const WHAT: &str = "\
Members speak in turn, and a message counts when all others have told their application of it. Bare
messages of the envelope's length go through the same nodes, in turns with those of the SDK. As many are
under way at a time as it says; stores are in memory. \"Deliveries\" are messages times the others, which all
are decrypted and checked on this one machine. A round that does not end in time has no rate, and its part
says how much came.
";

pub(super) fn render(network: &Network) -> String {
    if network.groups.is_empty() {
        return String::new();
    }
    let headings = [
        "members",
        "all in after, s",
        "under way",
        "messages/s",
        "deliveries/s",
        "bare messages/s",
        "SDK over bare",
        "arrived",
        "bare arrived",
    ];
    let mut table = Table::new(headings);
    for through in &network.groups {
        let Through { members, gathered, joined, window, sdk, bare } = through;
        let rate = |flow: &Option<Flow>| flow.as_ref().and_then(Flow::rate);
        let shown =
            |rate: Option<f64>| rate.map_or(units::NOTHING.to_owned(), |rate| format!("{rate:.1}"));
        let part = |flow: &Option<Flow>| {
            let of = |flow: &Flow| units::percent(flow.arrived as f64, flow.expected as f64);
            flow.as_ref().map_or(units::NOTHING.to_owned(), of)
        };
        let others = members.saturating_sub(1) as f64;
        let ratio = rate(sdk).zip(rate(bare)).map(|(sdk, bare)| units::quotient(sdk, bare));
        table.row([
            members.to_string(),
            gathered.map_or(format!("**missed**, {joined} were in"), |s| format!("{s:.1}")),
            window.to_string(),
            shown(rate(sdk)),
            shown(rate(sdk).map(|rate| rate * others)),
            shown(rate(bare)),
            ratio.unwrap_or(units::NOTHING.to_owned()),
            part(sdk),
            part(bare),
        ]);
    }
    ["## Through groups\n".to_owned(), WHAT.to_owned(), table.finish()].join("\n")
}

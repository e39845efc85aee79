//! From host to host.

use crate::network::data::{Carrier, Network};
use crate::report::markdown::table::Table;
use crate::report::markdown::units;

pub(super) fn render(network: &Network) -> String {
    let Some(latency) = &network.latency else { return String::new() };
    let text = format!(
        "From `send` on one host to `Event::Message` on another, for a text of {} bytes in an envelope of \
         {}; and\nfrom `publish` to `Incoming::Message` between two nodes without clients, for as many bytes \
         as the envelope\nhas. All take turns. With a store in a file, both sides commit to the disk before \
         they go on.\n",
        units::bytes(latency.payload),
        units::bytes(latency.envelope),
    );
    let headings = ["", "turns", "median", "99th percentile", "median over bare", "99th over bare"];
    let mut table = Table::new(headings);
    let bare = network.time(Carrier::Bare);
    for (carrier, tail) in &latency.times {
        let over = |of: fn(&crate::network::data::Tail) -> f64| {
            bare.map_or(units::NOTHING.to_owned(), |bare| units::quotient(of(tail), of(&bare)))
        };
        table.row([
            carrier.name().to_owned(),
            tail.turns.to_string(),
            units::time(tail.median),
            units::time(tail.p99),
            over(|tail| tail.median),
            over(|tail| tail.p99),
        ]);
    }
    ["## From host to host\n".to_owned(), text, table.finish()].join("\n")
}

//! Finding together.

use crate::report::markdown::table::Table;
use crate::report::markdown::units;
use crate::sdk::data::Sdk;

const WHAT: &str = "\
A group falls into parts that do not reach each other; each makes commits, one after the other, which all
of the part follow; then the network is one again. Time is virtual, messages take 20 to 60 ms and none is
lost. The suite is the classical one, the cheapest, for what is decided is the same on every suite.
Messages are what clients gave to the network from then on until all held the same state for good:
envelopes, questions and answers, each once, however many it reached. \"Idle\" is what the same group says
when there is nothing to do, so that it can be taken off.
";

pub(super) fn render(sdk: &Sdk) -> String {
    if sdk.convergence.is_empty() {
        return String::new();
    }
    let headings = [
        "clients in parts",
        "commits in each part",
        "apart, virtual s",
        "until all agree, virtual s",
        "messages",
        "bytes",
        "arrivals",
        "idle, messages in a virtual s",
    ];
    let mut table = Table::new(headings);
    for each in &sdk.convergence {
        let heights: Vec<_> = each.heights.iter().map(u64::to_string).collect();
        let seconds = |seconds: f64| format!("{seconds:.1}");
        table.row([
            format!("{} in {}", each.nodes, each.parts),
            units::list(&heights),
            seconds(each.apart),
            each.seconds.map_or("**never**".to_owned(), seconds),
            each.messages.to_string(),
            units::size(usize::try_from(each.bytes).unwrap_or(usize::MAX)),
            each.arrivals.to_string(),
            each.idle.map_or(units::NOTHING.to_owned(), seconds),
        ]);
    }
    ["## Finding together\n".to_owned(), WHAT.to_owned(), table.finish()].join("\n")
}

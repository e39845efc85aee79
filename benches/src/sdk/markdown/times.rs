//! Messages and commits beside raw OpenMLS.

use crate::report::markdown::table::Table;
use crate::report::markdown::units;
use crate::report::query::members;
use crate::sdk::contest::{Step, Who};
use crate::sdk::data::Sdk;

const WHAT: &str = "\
Two members of a group in which everyone has committed, each with a file of its own. \"Sent\" and
\"made\" end when the transport has been handed what travels, after it and what was done is on the disk;
\"received\" and \"applied\" end when it is on the disk and the application is told. Raw OpenMLS writes its
values as CBOR or, as in its examples, as JSON, with one transaction around the calls that belong together,
or with none. Ratios are to the quickest of them: that of the medians, and that of the lower quartiles, in
which there is less of what the machine does besides. Goals are judged by the worse of the two.

That the transport has taken something is a transaction more. It comes after the hand-over, and raw
OpenMLS, which has no outbox, has nothing like it; its time is that of sending. Deleted keys are written
over at most once in 30 seconds, whatever was deleted meanwhile; its ratio is to one commit.
";

pub(super) fn render(sdk: &Sdk) -> String {
    if sdk.timed.is_empty() {
        return String::new();
    }
    let mut parts = vec!["## Messages and commits\n".to_owned(), WHAT.to_owned()];
    for members in members(sdk.timed.iter().map(|timed| timed.members)) {
        parts.push(format!("### {members} members\n"));
        let names = Who::ALL.iter().map(|who| who.name());
        let mut table =
            Table::new([""].into_iter().chain(names).chain(["ratio", "of lower quartiles"]));
        for &step in Step::ALL {
            if sdk.time(members, step, Who::Sdk).is_none() {
                continue;
            }
            let times = Who::ALL.iter().map(|who| {
                let time = sdk.time(members, step, *who);
                time.map_or(units::NOTHING.to_owned(), units::spread)
            });
            let ratios = [sdk.ratio(members, step), sdk.quiet_ratio(members, step)]
                .map(|ratio| ratio.map_or(units::NOTHING.to_owned(), units::ratio));
            table.row([step.name().to_owned()].into_iter().chain(times).chain(ratios));
        }
        parts.push(table.finish());
    }
    parts.join("\n")
}

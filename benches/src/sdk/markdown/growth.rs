//! What the store grows by.

use crate::report::markdown::table::Table;
use crate::report::markdown::units;
use crate::sdk::data::Sdk;

const MESSAGES: &str = "\
### Messages

Bytes of the file for each message of 1 KiB, without the room of what was deleted. A history is kept until
its user deletes it, so this has no bound.
";

const SNAPSHOTS: &str = "\
### Snapshots

A client keeps the states of a window, to be able to go back. One commit after the other was made that
nobody heard of, so that nothing became final: what a new state adds to the snapshots, beside what it has
in it. The rest is chunks of the ratchet tree, which the states share. What may hold a secret is never
shared, and what is shorter than 2 KiB is not cut into chunks, so a small group shares little.
";

const EPOCHS: &str = "\
### Epochs

The founder's file after so many commits that another member followed, each wished for by a user. A group
in which everyone has committed has a past already, so the first row is not that of a new file. The window
of states is bounded by the policy's depth and horizon, and by 64 states whatever happens; the commits and
beacon keys of the past by 256 of each; wishes that were done by 64.
";

pub(super) fn render(sdk: &Sdk) -> String {
    if sdk.growth.is_empty() {
        return String::new();
    }
    let bytes = |bytes: f64| units::bytes(bytes.round().max(0.0) as usize);
    let mut messages = Table::new(["n", "messages", "at the sender", "at a receiver"]);
    let mut snapshots =
        Table::new(["n", "commits", "one state", "the first adds", "each adds", "part of a copy"]);
    for growth in &sdk.growth {
        let members = growth.members.to_string();
        messages.row([
            members.clone(),
            growth.messages.to_string(),
            bytes(growth.sent),
            bytes(growth.received),
        ]);
        snapshots.row([
            members,
            growth.commits.to_string(),
            bytes(growth.copy as f64),
            bytes(growth.first as f64),
            bytes(growth.snapshot),
            units::percent(growth.snapshot, growth.copy as f64),
        ]);
    }
    let mut epochs = Table::new(["n", "commits", "file", "states", "snapshots"]);
    for growth in &sdk.growth {
        for kept in &growth.epochs {
            epochs.row([
                growth.members.to_string(),
                kept.commits.to_string(),
                bytes(kept.bytes as f64),
                kept.states.to_string(),
                bytes(kept.snapshots as f64),
            ]);
        }
    }
    let parts = [
        "## Growth of the store\n".to_owned(),
        MESSAGES.to_owned(),
        messages.finish(),
        SNAPSHOTS.to_owned(),
        snapshots.finish(),
        EPOCHS.to_owned(),
        epochs.finish(),
    ];
    parts.join("\n")
}

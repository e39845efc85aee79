//! Mailboxes.

use crate::network::data::Network;
use crate::report::markdown::table::Table;
use crate::report::markdown::units;

const MISSED: &str = "\
A member closes its client, the other says all of it and goes too, and the first comes back and has
everything from one mailbox (a store in a file, frames carried in the process; the client's store is a
file). The time is from opening the client to the last `Event::Message`; \"given\" is when the last envelope
had left the mailbox: what is between is decrypting, checking and writing. A network adds one round trip
for two frames. The mailbox takes as many arrivals a second as come, since days are seconds here; its other
limits are the default ones.
";

const STORED: &str = "\
One mailbox in a process of its own, by its own interface: envelopes arrive at it, many at the same time,
and count when the store has answered, after the disk. Beside it: one after the other, which waits for the
disk each time. Memory is the resident size beyond that of the process before it opened the store, most of
which is the store's cache.
";

pub(super) fn catch_up(network: &Network) -> String {
    let Some(found) = &network.catch_up else { return String::new() };
    let size = |bytes: u64| units::size(usize::try_from(bytes).unwrap_or(usize::MAX));
    let seconds = |seconds: f64| format!("{seconds:.2} s");
    let mut table = Table::of_text(["", ""]);
    let each = found.seconds * 1e6 / found.heard.max(1) as f64;
    let said = found.said * 1e6 / found.missed.max(1) as f64;
    let rows = [
        ("missed", found.missed.to_string()),
        ("heard", found.heard.to_string()),
        ("time", seconds(found.seconds)),
        ("of this, until all was given", seconds(found.fetched)),
        ("for each message", units::time(each)),
        ("over what saying it took, a message", units::quotient(each, said)),
        ("boxes looked into", found.boxes.to_string()),
        ("rounds of reconciliation, in all boxes", found.rounds.to_string()),
        ("answers with envelopes", found.fetches.to_string()),
        ("frames, both directions", found.frames.to_string()),
        ("their bytes", size(found.bytes)),
        ("of these, of reconciliation", size(found.reconciliation)),
        ("envelopes", found.envelopes.to_string()),
        ("their bytes", size(found.payload)),
        ("frames over envelopes", units::quotient(found.bytes as f64, found.payload as f64)),
    ];
    for (name, value) in rows {
        table.row([name, &value]);
    }
    ["## What was missed\n".to_owned(), MISSED.to_owned(), table.finish()].join("\n")
}

pub(super) fn storage(network: &Network) -> String {
    let Some(found) = &network.storage else { return String::new() };
    let bytes = found.stored as f64 * found.length as f64;
    let rate = |rate: f64| format!("{rate:.0} envelopes/s");
    let mut table = Table::of_text(["", ""]);
    let mut rows = vec![
        ("envelopes", found.wanted.to_string()),
        ("stored in time", found.stored.to_string()),
        ("bytes of each", found.length.to_string()),
        ("boxes", found.boxes.to_string()),
        ("arrivals at the same time", found.at_once.to_string()),
        ("stored", rate(found.rate())),
        ("one after the other", rate(found.alone)),
        ("over one after the other", units::quotient(found.rate(), found.alone)),
        ("last tenth over the first, time", units::quotient(found.last_tenth, found.first_tenth)),
        ("file over envelopes, bytes", units::quotient(found.file as f64, bytes)),
    ];
    if let Some((before, peak, end)) = found.memory {
        let beyond = |memory: u64| {
            let memory = memory.saturating_sub(before);
            format!("{} MiB", units::mebibytes(memory))
        };
        rows.push(("memory with all of it", beyond(end)));
        rows.push(("memory at most", beyond(peak)));
        let part = end.saturating_sub(before) as f64;
        rows.push(("memory with all of it over envelopes, bytes", units::percent(part, bytes)));
    }
    for (name, value) in rows {
        table.row([name, &value]);
    }
    ["## One mailbox\n".to_owned(), STORED.to_owned(), table.finish()].join("\n")
}

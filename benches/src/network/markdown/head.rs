//! What this is, where it was made and how.

use crate::network::data::Network;
use crate::report::markdown::table::{Table, escape};
use crate::report::markdown::units;

const WHAT: &str = "\
What the SDK costs on real sockets, beside bare gossip on the same kind of link, and what a mailbox does.
This file is written by

```sh
cargo run --release -p trellis-benches --bin network
```

and `network.json` beside it holds the same figures, unrounded.
";

const QUICK: &str = "\
> **This was a quick run** (`--quick`), with small groups, few messages and few turns. It shows that the
> program works; its figures are not to be quoted.
";

const HOW: &str = "\
All hosts are in one process and share the processor: each is a node of its own with sockets of its own on
loopback, links with X25519MLKEM768, and, where it says so, a client with a store. So nothing here has the
delay of a network in it, and a large group waits for the processor, not for the wire. Ratios hold within
the run; rates and times are those of this machine on this day. Texts have 1 KiB, the suite is the default.
";

pub(super) fn render(network: &Network) -> String {
    let mut parts = vec!["# Figures of the network\n".to_owned()];
    if network.quick {
        parts.push(QUICK.to_owned());
    }
    parts.push(WHAT.to_owned());
    parts.push("## Where and how\n".to_owned());
    let mut table = Table::of_text(["", ""]);
    let machine = &network.machine;
    let rows = [
        ("run", if network.quick { "quick" } else { "full" }.to_owned()),
        ("day", format!("{} (UTC)", network.date)),
        ("duration", units::duration(network.seconds)),
        ("processor", machine.processor.clone()),
        ("cores", machine.cores.to_string()),
        ("system", machine.system.clone()),
        ("compiler", machine.rustc.clone()),
    ];
    for (name, value) in rows {
        table.row([name, &escape(&value)]);
    }
    for version in &network.versions {
        table.row([&escape(&version.package), &escape(&version.version)]);
    }
    parts.push(table.finish());
    parts.push(HOW.to_owned());
    parts.join("\n")
}

//! What this is, where it was made and how.

use crate::report::markdown::table::{Table, escape};
use crate::report::markdown::units;
use crate::sdk::data::Sdk;

const WHAT: &str = "\
What the SDK costs beside raw OpenMLS, which does less: it keeps the keys of one state and neither
history nor states to go back to, and sends nothing again. This file is written by

```sh
cargo run --release -p trellis-benches --bin sdk
```

and `sdk.json` beside it holds the same figures, unrounded.
";

const QUICK: &str = "\
> **This was a quick run** (`--quick`), with small groups and few turns. It shows that the program works;
> its figures are not to be quoted.
";

const HOW: &str = "\
Times say little by themselves; what holds are ratios within the run. Those who are compared take turns,
and a figure is the median of the turns. Databases are files of SQLCipher on this machine's disk with the
settings of the SDK's store (`journal_mode=TRUNCATE`, `synchronous=FULL`, `secure_delete=ON`); the
cryptography is the same, and so is the suite, row 2, the SDK's default. The engine is measured, in the
thread that calls it: what the client adds, a hop to its own thread and back, is not in these figures.
A busy machine shows in times of whole scheduler slices: each commit to the disk then waits for the
processor, and all who are compared look alike.
";

pub(super) fn render(sdk: &Sdk) -> String {
    let mut parts = vec!["# Figures of the SDK\n".to_owned()];
    if sdk.quick {
        parts.push(QUICK.to_owned());
    }
    parts.push(WHAT.to_owned());
    parts.push("## Where and how\n".to_owned());
    let mut table = Table::of_text(["", ""]);
    let machine = &sdk.machine;
    let rows = [
        ("day", format!("{} (UTC)", sdk.date)),
        ("duration", units::duration(sdk.seconds)),
        ("processor", machine.processor.clone()),
        ("cores", machine.cores.to_string()),
        ("system", machine.system.clone()),
        ("compiler", machine.rustc.clone()),
    ];
    for (name, value) in rows {
        table.row([name, &escape(&value)]);
    }
    for version in &sdk.versions {
        table.row([&escape(&version.package), &escape(&version.version)]);
    }
    parts.push(table.finish());
    parts.push(HOW.to_owned());
    parts.join("\n")
}

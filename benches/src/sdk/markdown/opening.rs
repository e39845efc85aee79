//! Opening a client.

use crate::report::markdown::table::Table;
use crate::report::markdown::units;
use crate::sdk::data::Sdk;
use crate::sdk::opening::What;

pub(super) fn render(sdk: &Sdk) -> String {
    let Some(opening) = &sdk.opening else { return String::new() };
    let text = format!(
        "An account with {} groups of {} members and {} messages of 1 KiB, in a file of {} bytes. Each\n\
         opening is in a process of its own; its memory is how much the resident size grew at most, most \
         of which is\nthe program itself. The key is one of full strength, so that the slowness that \
         protects a passphrase is not in it.\n",
        opening.groups,
        opening.members,
        units::bytes(opening.messages),
        units::bytes(usize::try_from(opening.file).unwrap_or(usize::MAX)),
    );
    let mut table = Table::new([
        "",
        "time",
        "over an account without groups",
        "over reading everything",
        "MiB",
    ]);
    let median = |what| sdk.opened(what).map_or(0.0, |opened| opened.time.median);
    for opened in &opening.times {
        let time = opened.time.median;
        table.row([
            opened.what.name().to_owned(),
            units::spread(&opened.time),
            units::quotient(time, median(What::Empty)),
            units::quotient(time, median(What::Everything)),
            opened.memory.map_or(units::NOTHING.to_owned(), units::mebibytes),
        ]);
    }
    ["## Opening\n".to_owned(), text, table.finish()].join("\n")
}

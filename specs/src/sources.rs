//! Constants and enumerations as the SDK's sources have them, with their comments.

use crate::table::table;
use crate::{Error, read};

/// The limits that the convergence draft speaks of, by file.
const LIMITS: &[(&str, &[&str])] = &[
    ("wire", &["MAX_PAYLOAD"]),
    ("engine/mod", &["MAX_WHOLE", "MAX_WINDOW", "MAX_PACKAGES"]),
    ("engine/law", &["MAX_MEMBERS"]),
    ("engine/rules", &["MAX_NAME"]),
    ("engine/inbound", &["STASH", "STASH_BYTES", "PARKED", "DOUBLED", "BURST", "REFILL"]),
    ("engine/mls", &["OUT_OF_ORDER", "AHEAD"]),
    ("engine/past", &["PAST"]),
    ("engine/plan", &["MAX_INTENTS", "LATELY", "SILENCE", "ADD_AT_ONCE"]),
    ("engine/speak", &["BEYOND", "HOLD", "AGAIN"]),
    ("engine/talk", &["MESSAGES", "GOT", "CROWD", "TRIES", "MATTERS", "STUCK", "STUCK_AGAIN"]),
    ("engine/answer", &["COMMITS"]),
    ("engine/bindings", &["BINDINGS"]),
    ("engine/heal", &["SIDE", "LISTEN", "FRESH", "DOUBT", "IN_VAIN", "WISH"]),
    ("engine/doubt", &["SAME"]),
    ("engine/ward", &["WARDS", "ALONE"]),
    ("engine/leave", &["WORDS", "LINGER", "PAUSE"]),
    ("engine/absent", &["TIME", "LATELY", "GOOD", "PAUSE"]),
    ("engine/join", &["JOINS", "JOINS_EACH", "JOIN_PATIENCE"]),
    ("engine/package", &["KEY_PACKAGES", "GIVEN", "GIVING", "STAYS"]),
    ("engine/migrate", &["GATHER", "STAND", "CALL_BACK"]),
    ("engine/follow", &["FRESH", "IN_VAIN", "ALONE", "LISTEN"]),
    ("engine/lead", &["WISH", "TRIES", "YIELDS", "PAUSE", "BACK", "LATECOMER", "PAUSE_MORE"]),
    ("engine/devices/mod", &["MAX_DEVICES", "MAX_REVOCATIONS", "HEARD", "HEARING"]),
];

/// The comment above a line, as one sentence or more.
fn comment_above(lines: &[&str], at: usize) -> String {
    let above: Vec<_> = lines[..at]
        .iter()
        .rev()
        .map(|line| line.trim())
        .take_while(|line| line.starts_with("///") || line.starts_with("#["))
        .filter(|line| line.starts_with("///"))
        .map(|line| line.trim_start_matches('/').trim())
        .collect();
    let text: Vec<_> = above.into_iter().rev().collect();
    plain(&text.join(" "))
}

/// Without the links of rustdoc.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        out.push_str(before);
        let (inside, after) = after.split_once(']').unwrap_or((after, ""));
        out.push_str(inside.trim_matches('`'));
        rest = match after.strip_prefix('(') {
            Some(target) => target.split_once(')').map_or("", |(_, after)| after),
            None => after,
        };
    }
    out.push_str(rest);
    out
}

/// What a constant's expression comes to, with its unit.
fn value(expression: &str) -> Option<String> {
    if let Some(inside) = expression.strip_prefix("Span::seconds(") {
        return Some(format!("{} s", product(inside.strip_suffix(')')?)?));
    }
    product(expression).map(|number| number.to_string())
}

fn product(expression: &str) -> Option<u64> {
    if let Some((value, bits)) = expression.split_once("<<") {
        return Some(product(value.trim())? << product(bits.trim())?);
    }
    expression.split('*').map(|part| part.trim().replace('_', "").parse::<u64>().ok()).product()
}

pub(crate) fn limits() -> Result<String, Error> {
    let mut rows = Vec::new();
    for (file, names) in LIMITS {
        let path = format!("sdk/src/{file}.rs");
        let source = read(&path)?;
        let lines: Vec<_> = source.lines().collect();
        for name in *names {
            let declared = format!("const {name}: ");
            let missing =
                || Error::Missing(format!("{path} has no constant {name} that can be read"));
            let at = lines.iter().position(|line| line.contains(&declared)).ok_or_else(missing)?;
            let expression =
                lines[at].split_once("= ").map(|(_, after)| after.trim_end_matches(';'));
            let value = expression.and_then(value).ok_or_else(missing)?;
            let mut comment = comment_above(&lines, at);
            if comment.is_empty() {
                // It shares that of the constant above.
                comment = "(with the line above)".into();
            }
            let file = file.trim_start_matches("engine/").trim_end_matches("/mod");
            let file = if file == "mod" { "engine" } else { file };
            rows.push(vec![format!("{file}.{name}"), value, comment]);
        }
    }
    let head = ["Name", "Value#", "Meaning"];
    Ok(table("limits-table", "Limits and times of the reference implementation", &head, rows))
}

pub(crate) fn kinds() -> Result<String, Error> {
    let path = "sdk/src/wire.rs";
    let source = read(path)?;
    let missing = || Error::Missing(format!("{path} has no kinds"));
    let (_, rest) = source.split_once("pub(crate) enum Kind {").ok_or_else(missing)?;
    let (body, _) = rest.split_once("\n}").ok_or_else(missing)?;
    let lines: Vec<_> = body.lines().collect();
    let rows = lines.iter().enumerate().filter_map(|(at, line)| {
        let (name, number) = line.trim().trim_end_matches(',').split_once(" = ")?;
        Some(vec![number.to_string(), name.to_lowercase(), comment_above(&lines, at)])
    });
    Ok(table("kinds-table", "Kinds of envelopes", &["Kind#", "Name", "Payload"], rows))
}

/// A table in the documentation of a source, from the line that begins it.
fn documented(path: &str, head: &str, anchor: &str, title: &str) -> Result<String, Error> {
    let source = read(path)?;
    let lines = source
        .lines()
        .map(|line| line.trim().trim_start_matches("//").trim_start_matches(['/', '!', ' ']));
    let rows: Vec<Vec<String>> = lines
        .skip_while(|line| *line != head)
        .take_while(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| plain(cell.trim())).collect())
        .collect();
    if rows.is_empty() {
        return Err(Error::Missing(format!("{path} documents no table {head}")));
    }
    let rows = rows.into_iter().map(|row| row.iter().map(|cell| ascii(cell)).collect());
    Ok(table(anchor, title, &["Bytes#", "Contents"], rows))
}

/// As the drafts have it: in ASCII, and without what kramdown would take for markup.
fn ascii(text: &str) -> String {
    text.replace('\u{2026}', "...")
        .replace('\u{e9}', "e")
        .replace("<V>", "\\<V\\>")
        .replace('`', "")
}

pub(crate) fn envelope() -> Result<String, Error> {
    documented("sdk/src/wire.rs", "| bytes | content |", "envelope-format", "An envelope")
}

pub(crate) fn binding() -> Result<String, Error> {
    documented("sdk/src/identity/binding.rs", "| bytes | content |", "binding", "A binding")
}

/// What each state exports, as the code asks for it.
pub(crate) fn exports() -> Result<String, Error> {
    let path = "sdk/src/engine/mls.rs";
    let source = read(path)?;
    let missing = || Error::Missing(format!("{path} exports otherwise"));
    let (_, body) = source.split_once("\nfn export(").ok_or_else(missing)?;
    let (body, _) = body.split_once("\n}\n").ok_or_else(missing)?;
    let mut rows = Vec::new();
    for line in body.lines() {
        let Some((before, label)) = line.split_once("(\"trellis ") else { continue };
        let (label, _) = label.split_once('"').ok_or_else(missing)?;
        let (name, length) = if before.ends_with("key") {
            (format!("{label} key"), 32)
        } else {
            (format!("{label} id"), trellis_sdk::StateId::LENGTH)
        };
        rows.push(vec![name, format!("\"trellis {label}\""), length.to_string()]);
    }
    if rows.len() != 4 {
        return Err(missing());
    }
    rows.reverse();
    let head = ["Value", "Label of MLS-Exporter, with an empty context", "Length#"];
    Ok(table("exports", "What a state gives", &head, rows))
}

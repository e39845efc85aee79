//! Constants and enumerations as the SDK's sources have them, with their comments.

use crate::table::table;
use crate::{Error, read};

/// The limits that the convergence draft speaks of, by file.
const LIMITS: &[(&str, &[&str])] = &[
    ("wire", &["MAX_PAYLOAD"]),
    ("engine/mod", &["MAX_WHOLE", "MAX_WINDOW", "MAX_PACKAGES"]),
    ("engine/law", &["MAX_MEMBERS"]),
    ("engine/rules", &["MAX_NAME"]),
    ("engine/inbound", &["STASH", "STASH_BYTES", "PARKED", "BURST", "REFILL"]),
    ("engine/mls", &["OUT_OF_ORDER", "AHEAD"]),
    ("engine/past", &["PAST"]),
    ("engine/plan", &["MAX_INTENTS", "LATELY", "SILENCE", "ADD_AT_ONCE"]),
    ("engine/speak", &["BEYOND", "HOLD", "AGAIN"]),
    (
        "engine/talk",
        &["COMMITS", "MESSAGES", "BINDINGS", "GOT", "TRIES", "MATTERS", "STUCK", "STUCK_AGAIN"],
    ),
    ("engine/heal", &["SIDE", "LISTEN", "FRESH", "IN_VAIN", "WISH"]),
    ("engine/doubt", &["SAME"]),
    ("engine/ward", &["WARDS"]),
    ("engine/leave", &["WORDS", "LINGER", "PAUSE"]),
    ("engine/absent", &["TIME", "LATELY", "GOOD", "PAUSE"]),
    ("engine/join", &["JOINS", "JOINS_EACH", "JOIN_PATIENCE"]),
    ("engine/package", &["KEY_PACKAGES", "GIVEN", "GIVING", "STAYS"]),
    ("engine/migrate", &["GATHER", "STAND", "CALL_BACK"]),
    ("engine/follow", &["FRESH", "IN_VAIN", "ALONE", "LISTEN"]),
    ("engine/lead", &["WISH", "TRIES", "YIELDS", "PAUSE", "BACK", "PAUSE_MORE"]),
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

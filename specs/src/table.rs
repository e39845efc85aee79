//! Tables and blocks of kramdown.

use std::fmt::Write;

/// A table with an anchor and a title. Columns whose head ends in `#` are of numbers.
pub(crate) fn table(
    anchor: &str,
    title: &str,
    head: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let mut text = String::new();
    let line = |text: &mut String, cells: &[String]| {
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    };
    line(&mut text, &head.iter().map(|name| name.trim_end_matches('#').into()).collect::<Vec<_>>());
    let rule = head.iter().map(|name| if name.ends_with('#') { "---:" } else { "---" });
    let _ = writeln!(text, "|{}|", rule.collect::<Vec<_>>().join("|"));
    for row in rows {
        line(&mut text, &row);
    }
    let _ = writeln!(text, "{{: #{anchor} title=\"{title}\"}}");
    text
}

/// How many characters of hexadecimal stand in a line.
const WIDTH: usize = 64;

/// Names and values, the values in hexadecimal over as many lines as they take.
pub(crate) fn block<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::from("~~~\n");
    for (name, value) in fields {
        if name.len() + value.len() + 2 <= WIDTH + 4 {
            let _ = writeln!(text, "{name}: {value}");
            continue;
        }
        let _ = writeln!(text, "{name}:");
        for line in value.as_bytes().chunks(WIDTH) {
            let _ = writeln!(text, "  {}", String::from_utf8_lossy(line));
        }
    }
    text.push_str("~~~\n");
    text
}

/// `0x` and four digits.
pub(crate) fn number(value: u16) -> String {
    format!("0x{value:04X}")
}

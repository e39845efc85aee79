//! Tables in Markdown.

use std::fmt::Write as _;

/// A table: its first column is text, all others are figures.
pub(crate) struct Table {
    columns: usize,
    text: String,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new<S: AsRef<str>>(headings: impl IntoIterator<Item = S>) -> Self {
        Self::aligned(headings, |column| column > 0)
    }

    /// A table of nothing but text.
    pub(crate) fn of_text<S: AsRef<str>>(headings: impl IntoIterator<Item = S>) -> Self {
        Self::aligned(headings, |_| false)
    }

    /// A table whose columns are figures where `right` says so.
    pub(crate) fn aligned<S: AsRef<str>>(
        headings: impl IntoIterator<Item = S>,
        right: impl Fn(usize) -> bool,
    ) -> Self {
        let mut table = Self { columns: 0, text: String::new() };
        let headings: Vec<S> = headings.into_iter().collect();
        table.columns = headings.len();
        table.row(headings);
        table.text.push('|');
        for column in 0..table.columns {
            table.text.push_str(if right(column) { "---:|" } else { "---|" });
        }
        table.text.push('\n');
        table
    }

    /// Adds a row. Cells are Markdown; what comes from outside is [escaped](escape) before.
    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.text.push('|');
        let mut count = 0;
        for cell in cells {
            let cell = cell.as_ref();
            let space = if cell.is_empty() { "" } else { " " };
            write!(self.text, "{space}{cell} |").expect("a string takes everything");
            count += 1;
        }
        self.text.push('\n');
        debug_assert_eq!(count, self.columns, "every row has a cell for each column");
    }

    /// The table.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// Characters that Markdown could take for more than themselves, anywhere in a line.
const SPECIAL: &[char] = &['\\', '|', '*', '`', '<', '>', '&', '[', ']', '~'];

/// Text as Markdown that shows it as it is, in a paragraph or a table.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            character if SPECIAL.contains(&character) => escaped.extend(['\\', character]),
            character if character.is_control() => escaped.push(' '),
            character => escaped.push(character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_alignment() {
        let mut table = Table::new(["", "a", "b"]);
        table.row(["x", "1", "2"]);
        assert_eq!(table.finish(), "| | a | b |\n|---|---:|---:|\n| x | 1 | 2 |\n");
    }

    #[test]
    fn what_comes_from_outside_cannot_break_a_table() {
        assert_eq!(escape("a | b"), "a \\| b");
        assert_eq!(escape("*a*\nb"), "\\*a\\* b");
        assert_eq!(escape("<b>&amp;\\"), "\\<b\\>\\&amp;\\\\");
        assert_eq!(escape("openmls_rust_crypto 0.6 (µs)"), "openmls_rust_crypto 0.6 (µs)");
    }
}

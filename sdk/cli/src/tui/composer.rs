//! The input line: text of one or more lines, a cursor, and what was said before.

use std::collections::VecDeque;

use trellis_sdk::message::MAX_TEXT;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

/// How many earlier inputs are kept.
const KEPT: usize = 100;

/// The input line.
#[derive(Clone, Debug, Default)]
pub struct Composer {
    text: String,
    /// Where the next character goes: always between two characters as people see them.
    cursor: usize,
    earlier: VecDeque<String>,
    /// Which of the earlier ones is shown, counted from the last; and what was being written before.
    shown: Option<(usize, String)>,
}

impl Composer {
    /// What is written.
    #[cfg(test)]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is before the cursor, and what is after it.
    pub fn halves(&self) -> (&str, &str) {
        self.text.split_at_checked(self.cursor).unwrap_or((&self.text, ""))
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Writes something at the cursor, without what a terminal would obey. Nothing is written if it
    /// would be longer than a message may be; then it returns false.
    pub fn insert(&mut self, text: &str) -> bool {
        let text = crate::text::clean(text);
        if self.text.len() + text.len() > MAX_TEXT {
            return false;
        }
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
        // What was put in may join with its neighbour into one character.
        self.settle();
        true
    }

    /// Puts another text in the place of what is written.
    pub fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    /// Takes what is written, and keeps it for later.
    pub fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        self.cursor = 0;
        self.shown = None;
        if !text.trim().is_empty() && self.earlier.front() != Some(&text) {
            self.earlier.push_front(text.clone());
            self.earlier.truncate(KEPT);
        }
        text
    }

    /// Throws away what is written.
    pub fn clear(&mut self) {
        self.set(String::new());
        self.shown = None;
    }

    fn settle(&mut self) {
        while !self.is_boundary(self.cursor) && self.cursor < self.text.len() {
            self.cursor += 1;
        }
    }

    fn is_boundary(&self, at: usize) -> bool {
        self.text.is_char_boundary(at)
            && GraphemeCursor::new(at, self.text.len(), true)
                .is_boundary(&self.text, 0)
                .unwrap_or(true)
    }

    fn before(&self) -> usize {
        let (before, _) = self.halves();
        before.grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let (_, after) = self.halves();
        self.cursor + after.graphemes(true).next().map_or(0, str::len)
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.replace_range(from..to, "");
        self.cursor = from;
        self.settle();
    }

    /// Removes the character before the cursor.
    pub fn backspace(&mut self) {
        self.remove(self.before(), self.cursor);
    }

    /// Removes the character after the cursor.
    pub fn delete(&mut self) {
        self.remove(self.cursor, self.after());
    }

    /// Removes the word before the cursor.
    pub fn delete_word(&mut self) {
        let (before, _) = self.halves();
        let word = before.trim_end();
        let start = word.rfind(char::is_whitespace);
        let start = start.map_or(0, |at| at + word[at..].chars().next().map_or(0, char::len_utf8));
        self.remove(start, self.cursor);
    }

    /// Removes the line before the cursor.
    pub fn delete_line(&mut self) {
        self.remove(self.line_start(), self.cursor);
    }

    fn line_start(&self) -> usize {
        self.halves().0.rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        self.halves().1.find('\n').map_or(self.text.len(), |at| self.cursor + at)
    }

    /// One character to the left.
    pub fn left(&mut self) {
        self.cursor = self.before();
    }

    /// One character to the right.
    pub fn right(&mut self) {
        self.cursor = self.after();
    }

    /// To the beginning of the line.
    pub fn home(&mut self) {
        self.cursor = self.line_start();
    }

    /// To the end of the line.
    pub fn end(&mut self) {
        self.cursor = self.line_end();
    }

    /// To the line above; in the first line, what was said before.
    pub fn up(&mut self) {
        let start = self.line_start();
        if start > 0 {
            self.cursor = start - 1;
            return;
        }
        let next = self.shown.as_ref().map_or(0, |(number, _)| number + 1);
        if let Some(text) = self.earlier.get(next).cloned() {
            let draft = self.shown.take().map_or_else(|| self.text.clone(), |(_, draft)| draft);
            self.shown = Some((next, draft));
            self.set(text);
        }
    }

    /// To the line below; in the last line, what was said after.
    pub fn down(&mut self) {
        let end = self.line_end();
        if end < self.text.len() {
            self.cursor = end + 1;
            self.end();
            return;
        }
        let Some((number, draft)) = self.shown.take() else { return };
        match number.checked_sub(1).and_then(|next| Some((next, self.earlier.get(next)?.clone()))) {
            Some((next, text)) => {
                self.shown = Some((next, draft));
                self.set(text);
            }
            None => self.set(draft),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn with(text: &str) -> Composer {
        let mut composer = Composer::default();
        assert!(composer.insert(text));
        composer
    }

    #[test]
    fn characters_are_what_people_see() {
        let mut composer = with("a👩‍👩‍👧é");
        composer.backspace();
        assert_eq!(composer.text(), "a👩‍👩‍👧");
        composer.left();
        composer.delete();
        assert_eq!(composer.text(), "a");
        assert!(composer.insert("b\u{1b}[31m"));
        assert_eq!(composer.text(), "ab[31m");
    }

    #[test]
    fn words_and_lines_go() {
        let mut composer = with("frost tonight\ncover the beans");
        composer.delete_word();
        assert_eq!(composer.text(), "frost tonight\ncover the ");
        composer.delete_line();
        assert_eq!(composer.text(), "frost tonight\n");
        composer.up();
        composer.home();
        composer.delete();
        assert_eq!(composer.text(), "rost tonight\n");
    }

    #[test]
    fn what_was_said_comes_back() {
        let mut composer = Composer::default();
        for text in ["one", "two", "two"] {
            composer.insert(text);
            assert_eq!(composer.take(), text);
        }
        composer.insert("draft");
        composer.up();
        assert_eq!(composer.text(), "two");
        composer.up();
        composer.up();
        assert_eq!(composer.text(), "one");
        composer.down();
        composer.down();
        assert_eq!(composer.text(), "draft");
    }

    #[test]
    fn it_takes_no_more_than_a_message() {
        let mut composer = with(&"x".repeat(MAX_TEXT));
        assert!(!composer.insert("y"));
        assert_eq!(composer.text().len(), MAX_TEXT);
    }

    proptest! {
        #[test]
        fn no_order_of_keys_breaks_it(
            keys in prop::collection::vec((0..11u8, "\\PC{0,3}|\u{301}|\n|👩‍👩‍👧|\u{200d}"), 0..60)
        ) {
            let mut composer = Composer::default();
            for (key, text) in keys {
                match key {
                    0 => composer.backspace(),
                    1 => composer.delete(),
                    2 => composer.delete_word(),
                    3 => composer.delete_line(),
                    4 => composer.left(),
                    5 => composer.right(),
                    6 => composer.home(),
                    7 => composer.up(),
                    8 => composer.down(),
                    9 => { composer.take(); }
                    _ => { composer.insert(&text); }
                }
                let (before, after) = composer.halves();
                prop_assert_eq!([before, after].concat(), composer.text());
            }
        }
    }
}

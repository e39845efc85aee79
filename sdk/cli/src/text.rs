//! Text of others on a terminal: what it may do there, and how wide it is.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The most code points of one character as people see it. A family of emoji has up to eleven; a
/// letter with a tower of accents is cut off.
const MAX_CLUSTER: usize = 12;

/// The most columns of one code point: the Khmer sign BEYYAL, U+17D8. All others have at most two.
const WIDEST: usize = 3;

/// Whether a terminal could do something with a character other than to show it: control characters
/// begin escape sequences, and the others change in which order or whether at all the rest is seen.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            // Marks, embeddings, overrides and isolates of writing direction.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Line and paragraph separators.
            | '\u{2028}' | '\u{2029}'
            // What has no width and no look; the joiner of emoji (U+200D) is not among them.
            | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// What remains of a text when nothing is left that a terminal would obey. Ends of lines stay, a tab
/// becomes a space.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for cluster in text.graphemes(true) {
        if matches!(cluster, "\n" | "\r\n" | "\u{2028}" | "\u{2029}") {
            out.push('\n');
            continue;
        }
        for character in cluster.chars().take(MAX_CLUSTER) {
            match character {
                '\t' => out.push(' '),
                dangerous if is_dangerous(dangerous) => {}
                harmless => out.push(harmless),
            }
        }
    }
    out
}

/// The same in one line, and no wider than `width`.
pub fn clean_line(text: &str, width: usize) -> String {
    // No character is wider than its bytes, so nothing is read in vain of a text without end.
    let mut end = text.len().min(width.saturating_mul(64));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let start = text.get(..end).unwrap_or_default();
    truncate(&clean(start).replace('\n', " "), width).into_owned()
}

/// How many columns a clean text without ends of lines takes. Character by character, as it is drawn:
/// taken as a whole, some scripts join characters that a terminal does not.
pub fn columns(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// As much of a text without ends of lines as fits, with `…` if it is not all.
pub fn truncate(text: &str, width: usize) -> Cow<'_, str> {
    if columns(text) <= width {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut used = 0;
    for cluster in text.graphemes(true) {
        used += cluster.width();
        if used >= width {
            break;
        }
        out.push_str(cluster);
    }
    if width > 0 {
        out.push('…');
    }
    Cow::Owned(out)
}

/// Breaks a clean text into lines of at most `width` columns, between words where there are some.
/// A width below [`WIDEST`] counts as that.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(WIDEST);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let (mut line, mut used) = (String::new(), 0);
        for word in paragraph.split_inclusive(' ') {
            let wide = columns(word.trim_end());
            if used + wide > width && used > 0 {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            if wide <= width {
                line.push_str(word);
                used += columns(word);
                continue;
            }
            for cluster in word.graphemes(true) {
                if used + cluster.width() > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line).trim_end().to_owned());
                    used = 0;
                }
                let (full, rest) = cut(cluster, width);
                lines.extend(full.into_iter().map(str::to_owned));
                line.push_str(rest);
                used += columns(rest);
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// A character as people see it, cut where it is wider than a line: the lines that it fills, and what
/// is left of it. Letters with vowel signs beside them have as many columns as they have signs.
/// `width` is [`WIDEST`] or more.
fn cut(mut cluster: &str, width: usize) -> (Vec<&str>, &str) {
    let mut full = Vec::new();
    while columns(cluster) > width {
        let ends = cluster.char_indices().map(|(at, character)| at + character.len_utf8());
        let end = ends.take_while(|end| columns(&cluster[..*end]) <= width).last();
        let (line, rest) = cluster.split_at(end.unwrap_or(cluster.len()));
        full.push(line);
        cluster = rest;
    }
    (full, cluster)
}

/// How many there are of something, for people.
pub fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// A number of bytes, for people: three digits or so.
pub fn bytes(number: u64) -> String {
    let (unit, name) = match number {
        0..1000 => return format!("{number} bytes"),
        1000..1_000_000 => (1000, "kB"),
        _ => (1_000_000, "MB"),
    };
    match number / unit {
        whole @ 0..100 => format!("{whole}.{} {name}", number % unit * 10 / unit),
        whole => format!("{whole} {name}"),
    }
}

/// How long something took, for people.
pub fn span(span: Duration) -> String {
    match span.as_millis() {
        0..10 => format!("{:.1} ms", span.as_secs_f64() * 1000.0),
        millis @ 10..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", span.as_secs_f64()),
    }
}

/// JSON that says the same and that a terminal would not obey either. All of these characters can
/// only stand within strings, where an escape means the same.
pub fn escape_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_dangerous(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
pub mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_gone() {
        for (text, expected) in [
            ("\u{1b}[2J\u{1b}]0;owned\u{7}hi", "[2J]0;ownedhi"),
            ("\u{9b}31mred", "31mred"),
            ("abc\u{202e}gpj.exe", "abcgpj.exe"),
            ("\u{2066}a\u{2069}\u{200f}b\u{200b}c\u{feff}", "abc"),
            ("one\r\ntwo\rthree\tfour", "one\ntwothree four"),
            ("a\u{2028}b", "a\nb"),
            ("👩‍👩‍👧 ü 漢字", "👩‍👩‍👧 ü 漢字"),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
        let tower = format!("e{}", "\u{301}".repeat(500));
        assert_eq!(clean(&tower).chars().count(), MAX_CLUSTER);
    }

    #[test]
    fn width_is_what_a_terminal_shows() {
        assert_eq!(truncate("漢字漢字", 8), "漢字漢字");
        assert_eq!(truncate("漢字漢字", 7), "漢字漢…");
        assert_eq!(truncate("漢字漢字", 6), "漢字…");
        assert_eq!(truncate("garden", 0), "");
        assert_eq!(clean_line("a\nb\u{1b}", 10), "a b");
    }

    #[test]
    fn no_code_point_is_wider_than_the_widest() {
        let widest = ('\0'..=char::MAX).map(|character| columns(&character.to_string())).max();
        assert_eq!(widest, Some(WIDEST));
    }

    #[test]
    fn wide_text_wraps_by_columns() {
        assert_eq!(
            wrap("frost tonight, cover the beans", 12),
            ["frost", "tonight,", "cover the", "beans"]
        );
        assert_eq!(wrap("漢字漢字漢", 4), ["漢字", "漢字", "漢"]);
        assert_eq!(wrap("漢字漢字漢", 5), ["漢字", "漢字", "漢"]);
        assert_eq!(wrap("👩‍👩‍👧👩‍👩‍👧", 3), ["👩‍👩‍👧", "👩‍👩‍👧"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("one\n\ntwo", 10), ["one", "", "two"]);
        assert_eq!(wrap("漢", 0), ["漢"]);
        // One character as people see it, of three columns.
        assert_eq!("🆑\u{d46}".graphemes(true).count(), 1);
        assert_eq!(wrap("🆑\u{d46}", 3), ["🆑\u{d46}"]);
        assert_eq!(wrap("a🆑\u{d46}\u{d46}b", 3), ["a", "🆑\u{d46}", "\u{d46}b"]);
    }

    #[test]
    fn json_means_the_same_when_it_is_escaped() {
        let text = "\u{202e}\u{9b}\u{e0041}plain";
        let json = escape_json(&serde_json::to_string(text).unwrap());
        assert_eq!(json, r#""\u202e\u009b\udb40\udc41plain""#);
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    /// Text of any characters, and of those that join others or change how wide they are: signs
    /// beside and upon letters, joiners, selectors, halves of flags, syllables.
    pub fn text() -> impl Strategy<Value = String> {
        let joining = "[🆑👩🇦☀a漢 \n\t\u{d46}\u{903}\u{301}\u{200d}\u{fe0e}\u{fe0f}\u{20e3}\u{1f3fb}\
            \u{600}\u{110bd}\u{1100}\u{1161}\u{11a8}\u{94d}\u{915}\u{e33}\u{ff9e}\u{644}\u{627}\u{3164}\u{115f}]{0,60}";
        prop_oneof![any::<String>(), joining]
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_screen(text in text(), width in 0..40usize) {
            let cleaned = clean(&text);
            prop_assert!(!cleaned.chars().any(|c| c != '\n' && is_dangerous(c)));
            for line in wrap(&cleaned, width) {
                prop_assert!(columns(&line) <= width.max(WIDEST), "{line:?}");
            }
            prop_assert!(columns(&clean_line(&text, width)) <= width);
        }

        #[test]
        fn nothing_that_is_seen_gets_lost(text in text(), width in 0..20usize) {
            let text = clean(&text).replace('\n', " ");
            let seen = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(seen(&wrap(&text, width).concat()), seen(&text));
        }
    }
}

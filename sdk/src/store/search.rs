//! Words: what the search index is given, and what it is asked.
//!
//! The index finds whole words and beginnings of words, in any case and with or without accents.
//! Chinese, Japanese and the like put no spaces between words; there each character is indexed as a
//! word, and a query of several finds them next to each other.

/// The ranges of characters that are written without spaces.
const UNSPACED: &[std::ops::RangeInclusive<char>] = &[
    '\u{0e00}'..='\u{0eff}',   // Thai, Lao
    '\u{1000}'..='\u{109f}',   // Myanmar
    '\u{1780}'..='\u{17ff}',   // Khmer
    '\u{2e80}'..='\u{2fdf}',   // radicals
    '\u{3005}'..='\u{3007}',   // iteration mark, zero
    '\u{3040}'..='\u{30ff}',   // Hiragana, Katakana
    '\u{31f0}'..='\u{31ff}',   // Katakana extensions
    '\u{3400}'..='\u{9fff}',   // unified ideographs
    '\u{f900}'..='\u{faff}',   // compatibility ideographs
    '\u{20000}'..='\u{3ffff}', // further ideographs
];

/// A text as the index is given it: with spaces around characters that are words by themselves.
pub(super) fn indexed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if UNSPACED.iter().any(|range| range.contains(&character)) {
            out.extend([' ', character, ' ']);
        } else {
            out.push(character);
        }
    }
    out
}

/// A query for texts in which each word of `text` occurs, or begins a word. None if there is no word.
///
/// Each word becomes a string of the query language, in which only the quotation mark means
/// anything, and that is doubled. So nothing that is searched for is taken for syntax.
pub(super) fn query(text: &str) -> Option<String> {
    let words: Vec<_> = text
        .split(|character: char| character.is_whitespace() || character == '\0')
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| format!("\"{}\"*", indexed(word).trim().replace('"', "\"\"")))
        .collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted() {
        assert_eq!(query("Hello wor").as_deref(), Some("\"Hello\"* \"wor\"*"));
        assert_eq!(query("a\" OR b*").as_deref(), Some("\"a\"\"\"* \"OR\"* \"b*\"*"));
        assert_eq!(query("a\0b").as_deref(), Some("\"a\"* \"b\"*"));
        assert_eq!(query(" \" * - ( "), None);
    }

    #[test]
    fn characters_without_spaces_are_words() {
        assert_eq!(indexed("ok 你好"), "ok  你  好 ");
        assert_eq!(query("你好").as_deref(), Some("\"你  好\"*"));
    }
}

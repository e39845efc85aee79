//! A message of 1 KiB, sent and received.

use super::contest;
use super::data::Timed;
use super::files::Folder;
use super::grown::Grown;
use crate::report::turns::Turns;

/// The bytes of a text.
pub(super) const LENGTH: usize = 1024;

/// Messages in turns, each a text of its own.
pub(super) fn measure(grown: &Grown, folder: &Folder, turns: Turns) -> Vec<Timed> {
    let count = std::cell::Cell::new(0);
    contest::in_turns(grown, folder, turns, |contestant, tell| {
        contestant.message(&text(count.get()), tell);
        count.set(count.get() + 1);
    })
}

/// A text of words, since the SDK's history can be searched by them: another one for each number.
pub(super) fn text(number: u64) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "cor", "den", "fi", "gul", "ho", "jan", "ke", "lum", "mi", "nor", "pa", "quo", "ri",
        "sat", "ve",
    ];
    let mut text = String::new();
    let mut state = number;
    while text.len() < LENGTH {
        // Knuth's generator (MMIX); its upper bits are good enough for words.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for shift in [60, 56, 52] {
            text.push_str(SYLLABLES[(state >> shift) as usize % SYLLABLES.len()]);
        }
        text.push(' ');
    }
    text.truncate(LENGTH);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_one_length_and_not_the_same() {
        assert_eq!(text(1).len(), LENGTH);
        assert_ne!(text(1), text(2));
        assert_eq!(text(3), text(3));
        assert!(text(4).split(' ').count() > 100);
    }
}

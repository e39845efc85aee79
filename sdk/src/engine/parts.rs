//! Putting together what came in parts.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use super::MAX_WHOLE;
use crate::wire::{Kind, MAX_PAYLOAD, Part};

/// How many bytes of unfinished things a group keeps.
const LIMIT: usize = 2 * MAX_WHOLE;

/// Things of which not all parts are here.
#[derive(Default)]
pub(super) struct Parts {
    wholes: BTreeMap<[u8; 32], Whole>,
    /// The least recently begun first.
    order: VecDeque<[u8; 32]>,
    bytes: usize,
}

struct Whole {
    kind: Kind,
    count: u16,
    parts: BTreeMap<u16, Vec<u8>>,
}

impl Parts {
    /// Adds a part. Gives the whole if it was the last; it is for the caller to compare the hash.
    pub(super) fn add(&mut self, part: Part) -> Option<(Kind, Vec<u8>)> {
        let fits = part.index < part.count
            && usize::from(part.count) <= MAX_WHOLE.div_ceil(MAX_PAYLOAD)
            && part.bytes.as_slice().len() <= MAX_PAYLOAD;
        if !fits {
            return None;
        }
        if !self.wholes.contains_key(&part.whole) {
            self.order.push_back(part.whole);
        }
        let whole = self.wholes.entry(part.whole).or_insert_with(|| Whole {
            kind: part.kind,
            count: part.count,
            parts: BTreeMap::new(),
        });
        if whole.kind != part.kind || whole.count != part.count {
            return None;
        }
        // A second one for the same place may be of another length; the first stays.
        if let Entry::Vacant(place) = whole.parts.entry(part.index) {
            place.insert(part.bytes.as_slice().to_vec());
            self.bytes += part.bytes.as_slice().len();
        }
        if whole.parts.len() == usize::from(whole.count) {
            let (kind, parts) = self.remove(&part.whole)?;
            return Some((kind, parts.into_values().flatten().collect()));
        }
        while self.bytes > LIMIT {
            let oldest = *self.order.front()?;
            self.remove(&oldest);
        }
        None
    }

    /// The limit holds, and the sums are right.
    #[cfg(fuzzing)]
    pub(super) fn check(&self) {
        let parts = self.wholes.values().flat_map(|whole| whole.parts.values());
        assert_eq!(parts.map(Vec::len).sum::<usize>(), self.bytes);
        assert!(self.bytes <= LIMIT && self.order.len() == self.wholes.len());
    }

    fn remove(&mut self, name: &[u8; 32]) -> Option<(Kind, BTreeMap<u16, Vec<u8>>)> {
        let whole = self.wholes.remove(name)?;
        self.order.retain(|other| other != name);
        self.bytes -= whole.parts.values().map(Vec::len).sum::<usize>();
        Some((whole.kind, whole.parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: u8, index: u16, count: u16, length: usize) -> Part {
        let bytes = vec![u8::try_from(index % 251).unwrap(); length].into();
        Part { kind: Kind::Tree, whole: [name; 32], index, count, bytes }
    }

    #[test]
    fn parts_come_together_in_any_order_and_twice() {
        let mut parts = Parts::default();
        assert_eq!(parts.add(part(1, 2, 3, 5)), None);
        assert_eq!(parts.add(part(1, 0, 3, 10)), None);
        assert_eq!(parts.add(part(1, 0, 3, 10)), None);
        let (kind, whole) = parts.add(part(1, 1, 3, 10)).unwrap();
        assert_eq!((kind, whole.len()), (Kind::Tree, 25));
        assert_eq!(whole[..10], [0; 10]);
        assert_eq!((parts.bytes, parts.order.len()), (0, 0));
    }

    #[test]
    fn a_second_part_for_one_place_does_not_upset_the_sum() {
        let mut parts = Parts::default();
        for (index, length) in [(0, 1), (0, 100), (1, 0), (1, 7)] {
            assert_eq!(parts.add(part(1, index, 3, length)), None);
        }
        assert_eq!(parts.bytes, 1);
        let (_, whole) = parts.add(part(1, 2, 3, 2)).unwrap();
        assert_eq!((whole.len(), parts.bytes), (3, 0));
    }

    #[test]
    fn unfinished_things_do_not_fill_the_memory() {
        let mut parts = Parts::default();
        for name in 0..255 {
            for index in 0..20 {
                parts.add(part(name, index, 100, MAX_PAYLOAD));
            }
            assert!(parts.bytes <= LIMIT);
        }
        assert!(!parts.wholes.contains_key(&[0; 32]));
        assert_eq!(parts.add(part(1, 0, 0, 1)), None);
        assert_eq!(parts.add(part(1, 0, u16::MAX, 1)), None);
        assert_eq!(parts.add(part(1, 0, 1, MAX_PAYLOAD + 1)), None);
    }
}

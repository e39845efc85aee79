//! Cutting a value where its content says.
//!
//! A value that was changed in one place is cut in the same places as before, except around the
//! change, so that the chunks elsewhere are those that are stored already. The cuts are found with
//! FastCDC (Xia et al., USENIX ATC 2016): a hash over the last 64 bytes, and a cut where its upper
//! bits are zero; more bits before a chunk has the wanted length and fewer after it, which keeps
//! most chunks near that length.

/// The shortest chunk, except for the last of a value.
const SHORTEST: usize = 1 << 10;
/// The length that chunks are meant to have.
const WANTED: usize = 1 << WANTED_BITS;
/// The longest chunk.
pub(super) const LONGEST: usize = 16 << 10;

const WANTED_BITS: u32 = 12;
/// By how many bits the condition is harder before the wanted length, and easier after it.
const NORMALIZATION: u32 = 2;

/// A number for each value of a byte: the output of SplitMix64 from the seed 0. Any numbers that
/// look random do; these never change, since other cuts would make other chunks of old values.
const GEAR: [u64; 256] = gear();

const fn gear() -> [u64; 256] {
    let mut table = [0; 256];
    let mut state: u64 = 0;
    let mut index = 0;
    while index < table.len() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[index] = z ^ (z >> 31);
        index += 1;
    }
    table
}

/// The chunks of a value; together they are the value.
pub(super) fn chunks(mut value: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        if value.is_empty() {
            return None;
        }
        let (chunk, rest) = value.split_at(first_cut(value));
        value = rest;
        Some(chunk)
    })
}

/// Where the first chunk ends.
fn first_cut(value: &[u8]) -> usize {
    let end = value.len().min(LONGEST);
    let hard = u64::MAX << (64 - WANTED_BITS - NORMALIZATION);
    let easy = u64::MAX << (64 - WANTED_BITS + NORMALIZATION);
    let mut hash: u64 = 0;
    for (index, byte) in value[..end].iter().enumerate().skip(SHORTEST) {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
        let mask = if index < WANTED { hard } else { easy };
        if hash & mask == 0 {
            return index + 1;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Bytes that look random.
    fn noise(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        (0..length)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 24) as u8
            })
            .collect()
    }

    #[test]
    fn chunks_have_the_wanted_length() {
        let value = noise(1, 4 << 20);
        let lengths: Vec<_> = chunks(&value).map(<[u8]>::len).collect();
        let mean = value.len() / lengths.len();
        println!("{} chunks of {mean} bytes on average", lengths.len());
        assert!((WANTED * 3 / 4..WANTED * 3 / 2).contains(&mean), "{mean}");
        assert!(lengths[..lengths.len() - 1].iter().all(|l| (SHORTEST..=LONGEST).contains(l)));
    }

    #[test]
    fn monotonous_values_are_cut_too() {
        assert!(chunks(&[0; 100_000]).all(|chunk| chunk.len() <= LONGEST));
        assert_eq!(chunks(&[]).count(), 0);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn together_they_are_the_value(value in vec(any::<u8>(), 0..40_000)) {
            prop_assert_eq!(chunks(&value).collect::<Vec<_>>().concat(), value);
        }
    }

    /// Where the cuts meet again after a change is a matter of chance, so that no single change has
    /// a bound: these are many, always the same ones, and what counts is their mean.
    #[test]
    fn a_change_reaches_few_chunks() {
        const CHANGES: usize = 512;
        let at_random = noise(2, 5 * CHANGES);
        let mut total = 0;
        for (index, draw) in at_random.chunks(5).enumerate() {
            let old = noise(index as u64, 200_000);
            let at = usize::from(u16::from_be_bytes([draw[0], draw[1]])) * 3;
            let (cut, new) = (usize::from(draw[2]) * 12, usize::from(draw[3]) * 12);
            let mut changed = old.clone();
            changed.splice(at..(at + cut).min(old.len()), noise(draw[4].into(), new));
            let known: HashSet<_> = chunks(&old).collect();
            let added: usize =
                chunks(&changed).filter(|chunk| !known.contains(chunk)).map(<[u8]>::len).sum();
            total += added - new.min(added);
        }
        let mean = total / CHANGES;
        println!("beside what is new itself, {mean} bytes on average");
        // The chunk that the change is in, and those until the cuts meet again.
        assert!(mean <= 3 * WANTED, "{mean}");
    }
}

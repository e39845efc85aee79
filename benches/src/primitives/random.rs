//! Random bytes.

use aws_lc_rs::rand;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::candidates::{Row, Table};

pub(super) const TABLE: Table = Table {
    title: "Randomness",
    note: "Ours is the same on both backends: `chacha20, fast key erasure`, one for each thread, \
        seeded anew now and then and after a fork.",
    rows,
};

const SEED: [u8; 32] = [0x51; 32];

/// 64 bytes from a generator that is kept.
fn kept<R: Rng + SeedableRng<Seed = [u8; 32]>>() -> impl FnMut() -> [u8; 64] {
    let mut rng = R::from_seed(SEED);
    move || {
        let mut output = [0; 64];
        rng.fill_bytes(&mut output);
        output
    }
}

/// 64 bytes from a generator that forgets its key first, so that earlier output stays secret.
fn fast_key_erasure<R: Rng + SeedableRng<Seed = [u8; 32]>>() -> impl FnMut() -> [u8; 64] {
    let mut key = SEED;
    move || {
        let mut rng = R::from_seed(key);
        let mut output = [0; 64];
        rng.fill_bytes(&mut key);
        rng.fill_bytes(&mut output);
        output
    }
}

fn rows() -> Vec<Row> {
    type Chacha20 = chacha20::ChaCha20Rng;
    type RandChacha = rand_chacha::ChaCha20Rng;

    let row = Row::new("64 random bytes")
        .add_ours_unchecked(|_| || trellis_ciphersuites::random::array::<64>().unwrap())
        .add_unchecked("getrandom", || {
            let mut output = [0; 64];
            getrandom::fill(&mut output).unwrap();
            output
        })
        .add("chacha20, kept", kept::<Chacha20>())
        .add("rand_chacha, kept", kept::<RandChacha>())
        .add_unchecked("chacha20, fast key erasure", fast_key_erasure::<Chacha20>())
        .add_unchecked("rand_chacha, fast key erasure", fast_key_erasure::<RandChacha>())
        .add_unchecked("aws-lc-rs", || {
            let mut output = [0; 64];
            rand::fill(&mut output).unwrap();
            output
        });
    vec![row]
}

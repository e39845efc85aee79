//! SHA-3 and SHAKE, at the lengths that HPKE and the hybrids need, and long.

use aws_lc_rs::digest as aws;
use graviola::hashing::sha3 as graviola;
use sha3::Digest;
use shake::{ExtendableOutput, Update, XofReader};
use trellis_ciphersuites::symmetric;

use crate::candidates::{Row, Table};

pub(super) const TABLE: Table = Table {
    title: "SHA-3",
    note: "RustCrypto's SHAKE is in the crate `shake`. Ours has SHAKE256 alone, and answers with a \
        new vector each time.",
    rows,
};

fn rust_crypto<S: Default + Update + ExtendableOutput, const N: usize>(input: &[u8]) -> [u8; N] {
    let mut state = S::default();
    state.update(input);
    let mut output = [0; N];
    state.finalize_xof().read(&mut output);
    output
}

fn shake256<const N: usize>(operation: &str, bytes: usize) -> Row {
    let input = vec![0x4f; bytes];
    let (first, second, third) = (input.clone(), input.clone(), input.clone());
    Row::new(operation)
        .add_ours(|backend| {
            let input = input.clone();
            move || symmetric::shake256(backend, &input, N).into_inner()
        })
        .add("graviola", move || {
            let mut output = [0; N];
            graviola::Shake256::new(&[&first]).read(&mut output);
            output
        })
        .add("RustCrypto", move || rust_crypto::<shake::Shake256, N>(&second))
        .add("libcrux", move || libcrux_sha3::shake256::<N>(&third))
}

fn shake128() -> Row {
    let input = vec![0x4f; 1 << 16];
    let (second, third) = (input.clone(), input.clone());
    Row::new("SHAKE128 of 64 KiB to 32 B")
        .add("graviola", move || {
            let mut output = [0; 32];
            graviola::Shake128::new(&[&input]).read(&mut output);
            output
        })
        .add("RustCrypto", move || rust_crypto::<shake::Shake128, 32>(&second))
        .add("libcrux", move || libcrux_sha3::shake128::<32>(&third))
}

/// Of what a combiner hashes.
fn sha3_256() -> Row {
    let input = [0x4f; 134];
    Row::new("SHA3-256 of 134 B")
        .add("graviola", move || {
            let mut context = graviola::Sha3_256Context::new();
            context.update(&input);
            context.finish()
        })
        .add("RustCrypto", move || sha3::Sha3_256::digest(input))
        .add("libcrux", move || libcrux_sha3::sha256(&input))
        .add("aws-lc-rs", move || aws::digest(&aws::SHA3_256, &input))
}

fn rows() -> Vec<Row> {
    vec![
        shake256::<96>("SHAKE256 of 32 B to 96 B", 32),
        shake256::<32>("SHAKE256 of 64 B to 32 B", 64),
        shake256::<64>("SHAKE256 of 64 B to 64 B", 64),
        shake256::<32>("SHAKE256 of 64 KiB to 32 B", 1 << 16),
        sha3_256(),
        shake128(),
    ]
}

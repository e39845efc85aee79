//! Group operations, side by side and in turns: this provider beside those that OpenMLS publishes.
//!
//! ```text
//! cargo bench -p openmls_trellis_crypto --bench groups -- [--members N] [--turns N] [--portable] [--alone] [SUITE]...
//! ```
//!
//! `--alone` leaves the others out, for a profiler.
//!
//! Each turn runs the life of a group once on every provider (A B C A B C …), so that a machine that
//! gets slower gets slower for all. Every provider comes with the storage and the signer that its
//! users have. Printed are medians in milliseconds, and the ratio of the faster published provider
//! to this one, so that above 1 we are faster; and the bytes of commit and Welcome, of the commit, of the
//! message.

mod life;

use std::collections::BTreeMap;

use life::{Contender, OPERATIONS, Times};
use openmls_basic_credential::SignatureKeyPair;
use openmls_libcrux_crypto::Provider as OpenMlsLibcrux;
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{Backend, TrellisProvider, TrellisSigner};
use trellis_ciphersuites::{CipherSuite, Ecosystem};

/// Rows 1, 2 and 9 of the draft, and the classical suite that RFC 9420 makes mandatory.
const SUITES: [&str; 4] = [
    "MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519",
    "MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519",
    "MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519",
    "MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44",
];

/// What the command line asks for.
#[derive(Clone, Copy)]
struct Run {
    members: usize,
    turns: usize,
    backend: Backend,
    alone: bool,
}

fn main() {
    let mut run = Run { members: 256, turns: 11, backend: Backend::default(), alone: false };
    let mut names = Vec::new();
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let number = arguments.next().and_then(|number| number.parse().ok());
            number.unwrap_or_else(|| panic!("{argument} takes a number"))
        };
        match argument.as_str() {
            "--members" => run.members = number(),
            "--turns" => run.turns = number(),
            "--portable" => run.backend = Backend::portable(),
            "--alone" => run.alone = true,
            _ => names.push(argument),
        }
    }
    if names.is_empty() {
        names.extend(SUITES.map(str::to_owned));
    }
    let Run { members, turns, backend, .. } = run;
    println!("{members} members, {turns} turns, our backend: {}\n", backend.name());
    for name in names {
        let suite: CipherSuite =
            name.parse().unwrap_or_else(|_| panic!("no suite is called {name}"));
        let number = suite.code_point(Ecosystem::OpenMls).expect("a suite of OpenMLS");
        compare(Ciphersuite::try_from(number).expect("a suite of OpenMLS"), run);
    }
}

fn ours(
    suite: Ciphersuite,
    backend: Backend,
) -> impl Fn() -> (TrellisProvider, TrellisSigner, Vec<u8>) {
    move || {
        let signer = TrellisSigner::generate(suite).unwrap().on_backend(backend).unwrap();
        let public_key = signer.public_key().to_vec();
        (TrellisProvider::builder().backend(backend).build(), signer, public_key)
    }
}

fn theirs<P>(
    suite: Ciphersuite,
    provider: impl Fn() -> P,
) -> impl Fn() -> (P, SignatureKeyPair, Vec<u8>) {
    move || {
        let signer = SignatureKeyPair::new(suite.into()).unwrap();
        let public_key = signer.public().to_vec();
        (provider(), signer, public_key)
    }
}

fn compare(suite: Ciphersuite, run: Run) {
    let Run { members, turns, backend, alone } = run;
    let mut contenders: Vec<(&str, Box<dyn Contender>)> =
        vec![("ours", Box::new(life::Group::new(suite, members, ours(suite, backend))))];
    if !alone && OpenMlsRustCrypto::default().crypto().supports(suite).is_ok() {
        let maker = theirs(suite, OpenMlsRustCrypto::default);
        contenders.push(("rust_crypto", Box::new(life::Group::new(suite, members, maker))));
    }
    if !alone && OpenMlsLibcrux::new().unwrap().crypto().supports(suite).is_ok() {
        let maker = theirs(suite, || OpenMlsLibcrux::new().unwrap());
        contenders.push(("libcrux_crypto", Box::new(life::Group::new(suite, members, maker))));
    }
    let mut times: BTreeMap<&str, Times> = BTreeMap::new();
    let mut bytes: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..turns {
        for (name, contender) in &mut contenders {
            let times = times.entry(name).or_default();
            contender.live(&mut |operation, elapsed, sent| {
                times.entry(operation).or_default().push(elapsed);
                bytes.insert(operation, sent);
            });
        }
    }

    println!("### {suite}\n");
    print!("| operation | bytes |");
    contenders.iter().for_each(|(name, _)| print!(" {name} |"));
    println!(" ratio |");
    println!("|---|---:|{}---:|", "---:|".repeat(contenders.len()));
    for operation in OPERATIONS {
        let medians: Vec<f64> = contenders
            .iter()
            .map(|(name, _)| {
                median(&mut times.get_mut(name).unwrap().get_mut(operation).unwrap()[..])
            })
            .collect();
        let fastest = medians[1..].iter().copied().fold(f64::INFINITY, f64::min);
        let sent = bytes
            .get(operation)
            .filter(|&&sent| sent > 0)
            .map_or_else(String::new, usize::to_string);
        print!("| {operation} | {sent} |");
        medians.iter().for_each(|ms| print!(" {ms:.3} |"));
        println!(" **{:.2}** |", fastest / medians[0]);
    }
    println!();
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

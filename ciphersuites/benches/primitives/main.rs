//! Which library is the fastest for each primitive on this machine?
//!
//! Every row of every table runs its candidates in turns (A B C A B C …), so that a passing
//! disturbance hits all of them alike, and reports the median time of one call. Candidates that
//! have to give the same answer are checked against each other before they are timed.
//!
//! `cargo bench --bench primitives [-- WORD]` prints Markdown; a WORD restricts the run to the
//! tables and rows whose `table / row` name contains it.

mod curves;
mod harness;
mod kem;
mod ml_dsa;
mod random;
mod symmetric;

fn main() {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with('-')).unwrap_or_default();
    let tables = [
        kem::ml_kem_768(),
        kem::ml_kem_1024(),
        curves::x25519(),
        curves::nist_curves(),
        curves::ed25519(),
        ml_dsa::ml_dsa_44(),
        ml_dsa::ml_dsa_65(),
        ml_dsa::ml_dsa_87(),
        symmetric::aead(),
        symmetric::sha2(),
        symmetric::sha3(),
        random::randomness(),
    ];
    println!(
        "Median microseconds per call over {} turns (and the ratio to the fastest).\n",
        harness::TURNS
    );
    for table in tables {
        table.measure_and_print(&filter);
    }
}

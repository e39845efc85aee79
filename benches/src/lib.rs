//! Benchmarks of Trellis beside what one would take instead.
//!
//! Two programs use the same workloads. The Criterion benches (`cargo bench -p trellis-benches`)
//! measure one after the other, with Criterion's statistics, for work on one operation. The report
//! (`cargo run --release -p trellis-benches --bin report`) measures in turns, so that its ratios hold
//! on a machine whose clock drifts.
//!
//! A third ([`sdk`]) measures the SDK beside raw OpenMLS, and a fourth ([`network`]) measures it on sockets
//! beside bare gossip, and a mailbox.

pub mod candidates;
pub mod group;
pub mod hpke;
pub mod instructions;
pub mod limit;
pub mod meter;
pub mod network;
pub mod plot;
pub mod primitives;
pub mod report;
pub mod sdk;
pub mod storages;
pub mod suites;
pub mod summary;

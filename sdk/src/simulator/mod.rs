//! A deterministic simulator: a whole network of clients in one thread, in virtual time.
//!
//! A *plan* is plain data that follows from a seed: who wants what and when, what the network does to
//! messages, who crashes. A *world* plays it: engines, stores and the
//! [`Network`](crate::transport::Network), with no clock, socket or thread. When the steps are over,
//! the network heals, all nodes come back, and the world runs until it is quiet. Then each invariant
//! of the protocol is checked. When one is broken, steps are left out for as long as it stays broken;
//! what remains is the history that is reported.
//!
//! The same seed gives the same run, to the byte: `--trace` prints it, with a digest.
//!
//! | file | subject |
//! |---|---|
//! | `plan` | the plan, and how a seed becomes one |
//! | `step` | what can happen in it |
//! | `node` | what the simulator needs of an engine |
//! | `real` | the engine behind that |
//! | `world` | plays a plan |
//! | `devices` | devices that accounts get and lose |
//! | `malice` | what the malicious node does on the network |
//! | `deeds` | what it does as a member |
//! | `marks` | the keys that nodes held |
//! | `ledger` | what nodes were told to do and told their users |
//! | `invariants` | what must hold in the end |
//! | `shrink` | the shortest history that still breaks an invariant |
//! | `log` | what the engines log, for the trace |
//! | `trace` | a line for each event, and the digest |
//! | `command` | the program `trellis-sim` |

pub mod command;
mod deeds;
mod devices;
mod invariants;
mod ledger;
mod log;
mod malice;
mod marks;
mod node;
mod plan;
mod real;
mod run;
mod shrink;
mod step;
mod trace;
mod world;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

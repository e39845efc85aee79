//! A small model of RFC 9420, for vectors alone.
//!
//! It knows structures, trees, key schedule and message protection, and no group: whole groups run
//! on a [`stack`](crate::stack). It is slow and plain on purpose, so that it can be read beside the
//! standard.

mod error;
pub mod key_schedule;
pub mod members;
pub mod protection;
pub mod secret_tree;
pub mod suite;
pub mod transcript;
pub mod tree;
pub mod tree_math;
pub mod treekem;
pub mod wire;

pub use error::Error;
pub use suite::Suite;

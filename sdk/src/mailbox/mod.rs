//! Mailboxes.

mod capability;
mod challenge;
mod error;
mod limits;
mod list;
mod rate;
pub mod store;
pub mod wire;

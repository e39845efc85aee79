//! Post-quantum group messaging without a server.

pub mod engine;
mod ids;
pub mod identity;
pub mod message;
mod policy;
pub mod store;
mod time;
pub mod transport;
mod wire;

pub use ids::{Address, CommitHash, DeviceId, GroupId, IntentId, MessageId, StateId, Topic};
pub use policy::{Policy, Right, Role};
pub use time::{Span, Time};

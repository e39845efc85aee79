//! Post-quantum group messaging without a server.

pub mod client;
pub mod engine;
#[doc = include_str!("../GUIDE.md")]
pub mod guide {}
mod ids;
pub mod identity;
pub mod message;
mod policy;
#[cfg(feature = "simulator")]
pub mod simulator;
pub mod store;
mod time;
pub mod transport;
mod wire;

pub use client::{
    Change, ChangeFailed, ChangeStatus, Client, Error, Event, Events, Group, Member, Security,
    Sent, Suite,
};
pub use engine::Changed;
pub use ids::{Address, CommitHash, DeviceId, GroupId, IntentId, MessageId, StateId, Topic};
pub use message::{Delivery, Message, Received};
pub use policy::{Policy, Right, Role};
pub use time::{Span, Time};
pub use trellis_ciphersuites::Protection;

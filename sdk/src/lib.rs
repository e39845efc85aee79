//! Post-quantum group messaging without a server.
//!
//! ```no_run
//! use trellis_sdk::{Address, Client, Event, Message, transport::Transport};
//!
//! # async fn example(network: impl Transport + 'static, bob: Address)
//! # -> Result<(), trellis_sdk::Error> {
//! let client = Client::builder("alice.db", "a passphrase").transport(network).open().await?;
//! let mut events = client.events();
//!
//! let group = client.create_group("garden").await?;
//! group.invite(&bob).await?;
//! let sent = group.send(Message::text("frost tonight")).await?;
//!
//! while let Some(event) = events.next().await {
//!     match event {
//!         Event::Message(received) => println!("{}", received.author),
//!         Event::Delivery { message, delivery, .. } if message == sent.id => {
//!             println!("{delivery:?}");
//!         }
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Begin with the [`guide`]. An application needs what stands at the top of this crate, the
//! [`client`] and a [`transport`]; what is below is for those who build their own:
//!
//! | | |
//! |---|---|
//! | [`client`] | handles, events, errors: asynchronous |
//! | [`message`] | what can be said |
//! | [`transport`] | the trait, a network in memory, and peers by libp2p |
//! | [`identity`] | accounts, devices, and what binds them |
//! | [`directory`] | records that say where key packages of a device are |
//! | [`engine`] | everything that decides, without network, clock or thread |
//! | [`store`] | the encrypted file |
//! | `limits` | every number that bounds what others can do |
//! | `mailbox` | what keeps envelopes for those who are offline |
//!
//! # Features
//!
//! - `libp2p` (default): [`transport::libp2p`], peers over the internet and on the local network.
//! - `simulator` (default): the program `trellis-sim`, which runs whole groups through random
//!   histories and checks what has to hold.
//! - `mailbox` (default): the module `mailbox`, with a store in one file.
//! - `jetstream`: a store for several mailbox processes, in a NATS JetStream cluster.

pub mod client;
pub mod directory;
pub mod engine;
pub mod guide;
pub mod identity;
mod ids;
#[cfg(feature = "libp2p")]
pub mod limits;
#[cfg(feature = "mailbox")]
pub mod mailbox;
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
    Sent, Suite, Wanted,
};
pub use engine::Changed;
#[cfg(fuzzing)]
#[doc(hidden)]
pub use engine::fuzzing;
pub use ids::{Address, CommitHash, DeviceId, GroupId, IntentId, MessageId, StateId, Topic};
pub use message::{Delivery, Message, Received};
pub use policy::{Floor, Policy, Right, Role};
pub use time::{Span, Time};
pub use trellis_ciphersuites::Protection;

//! The side of those who use a mailbox: requests are built and signed, answers checked, and whoever
//! calls only carries frames.
//!
//! ```
//! # use trellis_sdk::mailbox::{Capability, Limits, MailboxKeys, Service, store::Memory};
//! use trellis_sdk::mailbox::client::{CatchUp, Session};
//! # use trellis_sdk::mailbox::client::ClientError;
//! use trellis_sdk::{Time, Topic};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = Time::from_system();
//! # let keys = MailboxKeys::from_secret(&[1; 32]);
//! # let mailbox = Service::open(keys, Limits::default(), Memory::new(), now).await?;
//! # let carry = async |frame: Vec<u8>| {
//! #     Ok::<_, ClientError>(mailbox.handle(now, b"me", &frame).await)
//! # };
//! let topic = Topic([2; 32]);
//! let mut session = Session::new(Capability::from_secret(&[3; 32]), mailbox.id());
//! session.open(vec![topic], 7 * 24 * 3600)?.run(carry).await?;
//!
//! // Somebody says something while this member is away.
//! mailbox.arrived(now, topic, b"an envelope").await?;
//!
//! let mut missed = Vec::new();
//! let (mut catch_up, mut frame) = CatchUp::start(&mut session, [topic], [], Time(0))?;
//! loop {
//!     let progress = catch_up.step(&carry(frame).await?)?;
//!     missed.extend(progress.envelopes);
//!     match progress.next {
//!         Some(next) => frame = next,
//!         None => break,
//!     }
//! }
//! assert_eq!(missed, [(topic, b"an envelope".to_vec())]);
//! # Ok(())
//! # }
//! ```

mod call;
mod catch_up;
mod error;
mod session;
#[cfg(test)]
mod tests;

pub use call::{Call, Step};
pub use catch_up::{CatchUp, Progress, Summary};
pub use error::ClientError;
pub use session::{Session, take, taken};

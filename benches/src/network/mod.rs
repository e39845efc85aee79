//! What the SDK costs on real sockets: its figures, and the file that holds them.
//!
//! Everything is on loopback and in one process, but for the mailbox whose memory is measured. Times are
//! told as ratios to what has less to do on the same kind of link; those that stand alone are of one
//! machine on one day.
//!
//! | file | figure |
//! |---|---|
//! | `latency` | from `send` to `Event::Message` on another host, beside a bare gossip message |
//! | `groups` | messages a second through groups, beside bare gossip on the same nodes |
//! | `wire` | bytes on the wire, for each message and each commit |
//! | `catch_up` | what was missed, from a mailbox |
//! | `storage` | what one mailbox stores, and its memory, in a process of its own |
//!
//! | file | what they share |
//! |---|---|
//! | `host` | nodes on loopback, and clients on them |
//! | `counted` | a transport that counts what goes through it |
//! | `proxy` | sockets that count |
//! | `data`, `plan`, `run`, `targets`, `markdown` | the run and how it is written |

mod catch_up;
mod counted;
pub mod data;
mod groups;
mod host;
mod latency;
pub mod markdown;
pub mod plan;
mod proxy;
pub mod run;
pub mod storage;
pub mod targets;
mod wire;

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use trellis_sdk::Message;

/// A figure that could not be had, and why.
type Outcome<T> = Result<T, String>;

/// The bytes of a message's text.
const PAYLOAD: usize = 1024;

/// Something to say, of [`PAYLOAD`] bytes, that begins with a number.
fn message(number: u64) -> Message {
    let mut text = format!("{number} ");
    text.extend(std::iter::repeat_n('x', PAYLOAD - text.len()));
    Message::text(text)
}

/// The number that a message begins with.
fn number(message: &Message) -> Option<u64> {
    message.search_text()?.split(' ').next()?.parse().ok()
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// Runs a part on a runtime of its own, which is gone afterwards with all that is left on it.
fn alone<T>(time: Duration, part: impl Future<Output = T>) -> Outcome<T> {
    let runtime = runtime();
    let result = runtime.block_on(async { within(time, "what was left of the run", part).await });
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

/// What is done within a time, or a word that says what was not.
async fn within<T>(time: Duration, what: &str, future: impl Future<Output = T>) -> Outcome<T> {
    tokio::time::timeout(time, future)
        .await
        .map_err(|_| format!("{what}: not within {} s", time.as_secs()))
}

/// What went wrong, in words.
fn failed(what: &str) -> impl Fn(&dyn std::error::Error) -> String + '_ {
    move |error| format!("{what}: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_its_length_and_its_number() {
        for expected in [0, 7, 123_456] {
            let message = message(expected);
            assert_eq!(message.search_text().map(str::len), Some(PAYLOAD));
            assert_eq!(number(&message), Some(expected));
        }
        assert_eq!(number(&Message::text("good morning")), None);
    }

    #[tokio::test]
    async fn what_does_not_end_is_given_up() {
        let never = std::future::pending::<()>();
        let outcome = within(Duration::from_millis(5), "waiting", never).await;
        assert_eq!(outcome, Err("waiting: not within 0 s".to_owned()));
    }

    #[test]
    fn a_part_ends_with_the_run() {
        assert!(alone(Duration::from_millis(5), std::future::pending::<()>()).is_err());
        assert_eq!(alone(Duration::from_secs(5), async { 7 }), Ok(7));
    }
}

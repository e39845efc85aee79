//! What is done with one stream: published, read, deleted; with errors that tell what is known.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use async_nats::jetstream::message::{PublishMessage, StreamMessage};
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::stream::{
    DeleteMessageErrorKind, LastRawMessageErrorKind, RawMessageError, Stream,
};
use async_nats::jetstream::{self, Context, ErrorCode, Message};
use futures_core::Stream as _;
use tokio::time::{sleep, timeout};

use super::broken;
use crate::mailbox::store::{StoreError, StoreResult};

/// How many messages are read at once.
const BATCH: usize = 2000;
/// How many messages are read one by one before a consumer is made, which takes longer, and for some seconds
/// after the loss of a node may be made on that one.
const FEW: usize = 200;
/// How long making one may take, and how often it is tried: the next may be made on another node.
const CREATION: Duration = Duration::from_secs(3);
const CREATIONS: u32 = 8;
/// After which time the cluster deletes a consumer that nobody reads from.
pub(super) const ABANDONED: Duration = Duration::from_secs(30);
/// After which time something is tried again that the cluster did not answer; twice it the next time.
const PAUSE: Duration = Duration::from_millis(200);

/// What became of something that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    /// A majority of the nodes has it, under this number.
    New(u64),
    /// Something of that subject is there, or on its way there.
    There,
}

/// A message that is read.
pub(super) struct Seen<'a> {
    pub(super) subject: &'a str,
    pub(super) sequence: u64,
    pub(super) headers: Option<&'a HeaderMap>,
    pub(super) payload: &'a [u8],
}

/// A stream, and how it is reached.
#[derive(Clone, Debug)]
pub(super) struct Link {
    context: Context,
    stream: Stream<()>,
    tries: u32,
}

impl Link {
    pub(super) fn new(context: Context, stream: Stream<()>, tries: u32) -> Self {
        Self { context, stream, tries }
    }

    /// Does something until it is answered, a few times.
    async fn persist<T, F>(&self, work: impl FnMut() -> F) -> StoreResult<T>
    where
        F: Future<Output = StoreResult<T>>,
    {
        persist(self.tries, PAUSE, work).await
    }

    /// Publishes what must be the first of its subject, or must follow the one with a number, and waits
    /// until a majority of the nodes has it.
    pub(super) async fn publish(
        &self,
        subject: &str,
        headers: &HeaderMap,
        after: u64,
        payload: &[u8],
    ) -> StoreResult<Published> {
        self.persist(|| async {
            let message = PublishMessage::build()
                .headers(headers.clone())
                .expected_last_subject_sequence(after)
                .payload(payload.to_vec().into());
            self.send(subject, message).await
        })
        .await
    }

    /// The same once in the time that the cluster remembers names for.
    pub(super) async fn publish_once(
        &self,
        subject: &str,
        headers: &HeaderMap,
        name: &str,
        payload: &[u8],
    ) -> StoreResult<Published> {
        self.persist(|| async {
            let message = PublishMessage::build()
                .headers(headers.clone())
                .expected_last_subject_sequence(0)
                .message_id(name)
                .payload(payload.to_vec().into());
            self.send(subject, message).await
        })
        .await
    }

    async fn send(&self, subject: &str, message: PublishMessage) -> StoreResult<Published> {
        let sent = self.context.send_publish(subject.to_owned(), message).await;
        let acked = match sent {
            Ok(ack) => ack.await,
            Err(error) => Err(error),
        };
        match acked {
            Ok(PublishAck { duplicate: false, sequence, .. }) => Ok(Published::New(sequence)),
            Ok(_) => Ok(Published::There),
            Err(error) => match error.kind() {
                PublishErrorKind::WrongLastSequence | PublishErrorKind::WrongLastMessageId => {
                    Ok(Published::There)
                }
                _ => Err(refused(error)),
            },
        }
    }

    /// Writes over what a subject has.
    pub(super) async fn replace(&self, subject: &str, payload: &[u8]) -> StoreResult<()> {
        self.persist(|| async {
            let message = PublishMessage::build().payload(payload.to_vec().into());
            self.send(subject, message).await.map(drop)
        })
        .await
    }

    /// What a subject has, by the node that knows best.
    pub(super) async fn last(&self, subject: &str) -> StoreResult<Option<StreamMessage>> {
        self.persist(|| async { found(self.stream.get_last_raw_message_by_subject(subject).await) })
            .await
    }

    /// The first message of the subjects that fit, from a number on.
    pub(super) async fn first(
        &self,
        subjects: &str,
        from: u64,
    ) -> StoreResult<Option<StreamMessage>> {
        self.persist(|| async {
            found(self.stream.get_first_raw_message_by_subject(subjects, from).await)
        })
        .await
    }

    /// A message by its number.
    pub(super) async fn get(&self, sequence: u64) -> StoreResult<Option<StreamMessage>> {
        self.persist(|| async { found(self.stream.get_raw_message(sequence).await) }).await
    }

    /// Deletes a message; whether this call did it. Of several at the same time, at whatever node, one
    /// did. It is tried once: when no answer comes, nobody knows.
    pub(super) async fn delete(&self, sequence: u64) -> StoreResult<bool> {
        match self.stream.delete_message(sequence).await {
            Ok(deleted) => Ok(deleted),
            Err(error) => match error.kind() {
                DeleteMessageErrorKind::JetStream(error)
                    if error.error_code() == ErrorCode::SEQUENCE_NOT_FOUND
                        || error.error_code() == ErrorCode::NO_MESSAGE_FOUND
                        || error.error_code() == ErrorCode::STREAM_MESSAGE_DELETE_FAILED =>
                {
                    Ok(false)
                }
                _ => Err(unavailable(&error)),
            },
        }
    }

    /// Deletes everything of the subjects that fit.
    pub(super) async fn purge(&self, subjects: &str) -> StoreResult<()> {
        self.persist(|| async {
            let purged = self.stream.purge().filter(subjects).await;
            purged.map(drop).map_err(|error| unavailable(&error))
        })
        .await
    }

    /// The number of the last message there ever was, by the node that knows best.
    pub(super) async fn tip(&self) -> StoreResult<u64> {
        self.persist(|| async {
            let info = self.stream.get_info().await.map_err(|error| unavailable(&error))?;
            Ok(info.state.last_sequence)
        })
        .await
    }

    /// The node that decides what is stored.
    #[cfg(test)]
    pub(super) async fn leader(&self) -> Option<String> {
        self.stream.get_info().await.ok()?.cluster?.leader
    }

    /// How many messages there are of the subjects that fit, by the node that knows best.
    pub(super) async fn count(&self, subjects: &str) -> StoreResult<u64> {
        self.persist(|| async {
            let info = self.stream.info_builder().subjects(subjects).fetch().await;
            let mut info = pin!(info.map_err(|error| unavailable(&error))?);
            let mut count = 0;
            while let Some(subject) = poll_fn(|context| info.as_mut().poll_next(context)).await {
                count += subject.map_err(|error| unavailable(&error))?.1 as u64;
            }
            Ok(count)
        })
        .await
    }

    /// Reads everything of the subjects that fit, from a number on; if that is much, at some node, which may
    /// not have the last ones yet.
    pub(super) async fn read(
        &self,
        subjects: &str,
        from: u64,
        headers_only: bool,
        mut each: impl FnMut(&Seen<'_>) -> StoreResult<()>,
    ) -> StoreResult<()> {
        let mut next = from.max(1);
        for _ in 0..FEW {
            let Some(found) = self.first(subjects, next).await? else { return Ok(()) };
            next = found.sequence + 1;
            each(&Seen {
                subject: &found.subject,
                sequence: found.sequence,
                headers: Some(&found.headers),
                payload: &found.payload,
            })?;
        }
        let consumer = self.consumer(subjects, next, headers_only).await?;
        let mut left = consumer.cached_info().num_pending;
        let mut read = Ok(());
        while left > 0 && read.is_ok() {
            let before = left;
            read = fetch(&consumer, &mut |message| {
                left = left.saturating_sub(1);
                let info = message.info();
                let sequence = info.map_err(|_| broken("a message has no number"))?.stream_sequence;
                each(&Seen {
                    subject: &message.subject,
                    sequence,
                    headers: message.headers.as_ref(),
                    payload: &message.payload,
                })
            })
            .await;
            if read.is_ok() && left == before {
                // What was pending may have been deleted since.
                let now = self.stream.consumer_info(&consumer.cached_info().name).await;
                match now {
                    Ok(info) if info.num_pending == 0 => break,
                    _ => read = Err(StoreError::Unavailable),
                }
            }
        }
        // If it is not deleted here, the cluster does it.
        let _ = self.stream.delete_consumer(&consumer.cached_info().name).await;
        read
    }

    /// A consumer at some node that is there.
    pub(super) async fn consumer(
        &self,
        subjects: &str,
        from: u64,
        headers_only: bool,
    ) -> StoreResult<jetstream::consumer::PullConsumer> {
        let make = || async {
            let config = pull::Config {
                deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: from },
                ack_policy: AckPolicy::None,
                filter_subject: subjects.to_owned(),
                headers_only,
                inactive_threshold: ABANDONED,
                memory_storage: true,
                num_replicas: 1,
                ..pull::Config::default()
            };
            self.stream.create_consumer(config).await.map_err(|error| unavailable(&error))
        };
        made(CREATION, PAUSE, make).await
    }
}

/// Does something until it is answered, so often; the pauses between become longer.
async fn persist<T, F>(
    tries: u32,
    mut pause: Duration,
    mut work: impl FnMut() -> F,
) -> StoreResult<T>
where
    F: Future<Output = StoreResult<T>>,
{
    for _ in 1..tries {
        match work().await {
            Err(StoreError::Unavailable) => sleep(pause).await,
            done => return done,
        }
        pause *= 2;
    }
    work().await
}

/// Makes something at some node, each time within a time: the next may be one that is there.
async fn made<T, F>(
    within: Duration,
    pause: Duration,
    mut make: impl FnMut() -> F,
) -> StoreResult<T>
where
    F: Future<Output = StoreResult<T>>,
{
    for _ in 0..CREATIONS {
        match timeout(within, make()).await {
            Ok(Ok(made)) => return Ok(made),
            Ok(Err(_)) => sleep(pause).await,
            Err(_) => {}
        }
    }
    Err(StoreError::Unavailable)
}

async fn fetch(
    consumer: &jetstream::consumer::PullConsumer,
    each: &mut impl FnMut(&Message) -> StoreResult<()>,
) -> StoreResult<()> {
    let batch = consumer.fetch().max_messages(BATCH).messages().await;
    let mut batch = pin!(batch.map_err(|error| unavailable(&error))?);
    while let Some(message) = poll_fn(|context| batch.as_mut().poll_next(context)).await {
        each(&message.map_err(|error| {
            tracing::debug!(%error, "JetStream stopped in the middle");
            StoreError::Unavailable
        })?)?;
    }
    Ok(())
}

fn found(result: Result<StreamMessage, RawMessageError>) -> StoreResult<Option<StreamMessage>> {
    match result {
        Ok(message) => Ok(Some(message)),
        Err(error) => match error.kind() {
            LastRawMessageErrorKind::NoMessageFound => Ok(None),
            LastRawMessageErrorKind::JetStream(error)
                if error.error_code() == ErrorCode::NO_MESSAGE_FOUND
                    || error.error_code() == ErrorCode::SEQUENCE_NOT_FOUND =>
            {
                Ok(None)
            }
            _ => Err(unavailable(&error)),
        },
    }
}

/// Why something was not published.
fn refused(error: PublishError) -> StoreError {
    let source = std::error::Error::source(&error);
    match source.and_then(|source| source.downcast_ref::<jetstream::Error>()) {
        Some(said) if is_full(said) => StoreError::Full,
        _ => unavailable(&error),
    }
}

/// Whether the cluster, or the stream, has no room.
pub(super) fn is_full(error: &jetstream::Error) -> bool {
    [
        ErrorCode::STREAM_STORE_FAILED,
        ErrorCode::STORAGE_RESOURCES_EXCEEDED,
        ErrorCode::MEMORY_RESOURCES_EXCEEDED,
        ErrorCode::INSUFFICIENT_RESOURCES,
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
    ]
    .contains(&error.error_code())
}

/// The cluster did not do it, or did not say that it did.
pub(super) fn unavailable(error: &(dyn std::error::Error + 'static)) -> StoreError {
    tracing::debug!(%error, "JetStream can't be used");
    StoreError::Unavailable
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(10);

    #[tokio::test]
    async fn what_is_not_answered_is_tried_again_after_longer_and_longer_pauses() {
        let (begin, tries) = (Instant::now(), Cell::new(0));
        let work = || async {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::Unavailable)
        };
        assert!(matches!(persist(3, MOMENT, work).await, Err(StoreError::Unavailable)));
        assert_eq!(tries.get(), 3);
        assert!(begin.elapsed() >= MOMENT * 3);
        // Any other answer is one.
        tries.set(0);
        let work = || async {
            tries.set(tries.get() + 1);
            Err::<(), _>(StoreError::Full)
        };
        assert!(matches!(persist(3, MOMENT, work).await, Err(StoreError::Full)));
        assert_eq!(tries.get(), 1);
    }

    #[tokio::test]
    async fn a_node_that_makes_nothing_is_waited_for_a_while_and_so_often() {
        let (begin, tries) = (Instant::now(), Cell::new(0));
        let silent = || {
            tries.set(tries.get() + 1);
            pending::<StoreResult<()>>()
        };
        assert!(made(MOMENT, Duration::ZERO, silent).await.is_err());
        assert_eq!(tries.get(), CREATIONS);
        assert!(begin.elapsed() >= MOMENT * CREATIONS);

        let refused = || {
            tries.set(tries.get() + 1);
            std::future::ready(if tries.get() < 3 { Err(StoreError::Unavailable) } else { Ok(()) })
        };
        tries.set(0);
        assert!(made(MOMENT, MOMENT, refused).await.is_ok());
        assert_eq!(tries.get(), 3);
    }
}

//! A store for several mailbox processes: NATS JetStream.
//!
//! All processes use the same two streams of a cluster, which keeps each message on several nodes. They may
//! have the same secret, and so be one mailbox to the network, or each its own, as nodes of libp2p must,
//! whose names come from their secrets: a box is the same at all of them either way.
//!
//! | subject | holds |
//! |---|---|
//! | `NAME.mail.BOX.ENVELOPE` | an envelope, with its topic and time as headers |
//! | `NAME.box.record.BOX` | a [`BoxRecord`] |
//! | `NAME.box.pool.BOX.SUITE` | the last-resort key package, and the serial number of the last deposit |
//! | `NAME.box.once.BOX.SUITE.HASH` | a one-time key package |
//!
//! **Nothing is acknowledged that is not stored.** `put` waits for the cluster's acknowledgement of each
//! envelope, which comes when a majority of the replicas has it. So with three replicas one node may
//! vanish. What a node has acknowledged but not yet synchronised to its disk is lost if the power
//! fails on a majority of the nodes at once; see the server's `sync_interval`.
//!
//! **Nothing is stored twice.** Several processes hear the same envelope. It has one subject, which takes
//! one message: `Nats-Expected-Last-Subject-Sequence: 0`, and `Nats-Msg-Id`, by which the cluster notices
//! it without looking. The answer that something is there already is believed when it can be read, since
//! it may also be said of what another process is just about to store.
//!
//! **Key packages are given once.** A process gives a one-time key package when the cluster has told it that
//! it, and no other, has deleted it. If that answer is lost, so is the key package; it is not given.
//!
//! Each process has an index of the envelopes in memory, without their bytes. It is brought up to date
//! from the stream before it is read, so a process sees what others were acknowledged. Quotas are checked
//! against it without asking, so several processes at once may exceed them by what they store within a
//! second.

mod index;
mod link;
mod options;
mod packages;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_nats::jetstream::message::StreamMessage;
use async_nats::{Client, ConnectOptions, HeaderMap, ServerAddr, jetstream};
use percent_encoding::percent_decode_str;
use tls_codec::{DeserializeBytes, Serialize};
use tokio::task::JoinSet;

pub use options::JetStreamOptions;
pub use refusal::Refusal;

use super::{BoxRecord, Mail, MailStore, Room, StoreError, StoreResult, Usage};
use crate::mailbox::capability::{BoxId, EnvelopeId};
use crate::mailbox::wire::{Deposit, Pool, Taken};
use crate::{Time, Topic};
use index::{Entry, Index};
use link::{Link, Published, unavailable};

const TOPIC: &str = "Trellis-Topic";
const AT: &str = "Trellis-At";
const LENGTH: &str = "Trellis-Length";
/// How many envelopes are published or read at the same time.
const AT_ONCE: usize = 64;
/// How often the stream is read, at nodes that may be behind, until there is nothing more.
const READINGS: usize = 5;

/// A store in a JetStream cluster.
#[derive(Debug)]
pub struct JetStream {
    mail: Link,
    boxes: Link,
    name: String,
    index: Mutex<Index>,
    /// Held by whoever brings the index up to date.
    reading: tokio::sync::Mutex<()>,
}

impl JetStream {
    /// Uses a cluster, and makes the streams there if they are not, or makes them larger and longer-lived
    /// if the options ask for more than they have. The connection is the caller's: with TLS and
    /// credentials, if the network asks for them.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotOpened`] with a [`Refusal`], [`StoreError::Options`], and
    /// [`StoreError::Unavailable`] if the cluster is lost meanwhile.
    pub async fn open(client: Client, options: JetStreamOptions) -> StoreResult<Self> {
        options.check()?;
        let mut context = jetstream::new(client);
        context.set_timeout(options.timeout);
        let mail = link(&context, options.mail(), options.tries).await?;
        let boxes = link(&context, options.boxes(), options.tries).await?;
        let (index, reading) = (Mutex::default(), tokio::sync::Mutex::default());
        let store = Self { mail, boxes, name: options.name, index, reading };
        store.catch_up().await?;
        Ok(store)
    }

    /// The same with a connection to one of these servers, `nats://host:port`. If it is lost, it goes to
    /// another of them, or of those that a server has named. The first address that has credentials,
    /// `nats://name:password@host:port` or `nats://token@host:port`, has them for all; what is no letter or
    /// digit in them is written as in any URL, like `%40` for `@`.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub async fn connect(servers: &[String], options: JetStreamOptions) -> StoreResult<Self> {
        let servers: Result<Vec<ServerAddr>, _> = servers.iter().map(|text| text.parse()).collect();
        let servers = servers.ok().filter(|servers| !servers.is_empty());
        let what = "the address of a NATS server is like nats://192.0.2.1:4222";
        let servers = servers.ok_or(StoreError::Options(what))?;
        let connected = identified(&servers)?.name("trellis mailbox").connect(servers).await;
        let client = connected.map_err(|error| Refusal::of_connecting(&error))?;
        Self::open(client, options).await
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads what came to the stream since the last time. Whoever calls it then knows of everything that
    /// was acknowledged before.
    async fn catch_up(&self) -> StoreResult<()> {
        let _reading = self.reading.lock().await;
        let tip = self.mail.tip().await?;
        let all = format!("{}.mail.>", self.name);
        for _ in 0..READINGS {
            let upto = self.index().upto;
            if tip <= upto {
                return Ok(());
            }
            let mut seen = upto;
            self.mail
                .read(&all, upto + 1, true, |message| {
                    seen = seen.max(message.sequence);
                    // What is nothing of ours is nobody's envelope.
                    if let Some((id, envelope, entry)) =
                        entry(message.subject, message.headers, message.sequence)
                    {
                        self.index().insert(id, envelope, entry);
                    }
                    Ok(())
                })
                .await?;
            // A node that is behind has less. The one that knows best says whether there is more, or
            // whether what would be next was deleted.
            let more = seen < tip && self.mail.first(&all, seen + 1).await?.is_some();
            self.index().upto = if more { seen } else { tip.max(seen) };
        }
        if self.index().upto >= tip { Ok(()) } else { Err(StoreError::Unavailable) }
    }

    fn mail_subject(&self, id: &BoxId, envelope: &EnvelopeId) -> String {
        format!("{}.mail.{}.{}", self.name, hex(&id.0), hex(&envelope.0))
    }

    fn record_subject(&self, id: &BoxId) -> String {
        format!("{}.box.record.{}", self.name, hex(&id.0))
    }

    async fn must_have(&self, id: BoxId) -> StoreResult<()> {
        self.find(id).await?.map(drop).ok_or(StoreError::NoBox)
    }

    /// Stores one envelope, and says whether it was new.
    async fn store(
        link: Link,
        subject: String,
        id: BoxId,
        mail: Mail,
    ) -> StoreResult<(Mail, Option<u64>)> {
        let mut headers = HeaderMap::new();
        headers.insert(TOPIC, hex(&mail.topic.0));
        headers.insert(AT, mail.at.0.to_string());
        headers.insert(LENGTH, mail.bytes.len().to_string());
        let name = format!("{}{}", hex(&id.0), hex(&mail.id.0));
        match link.publish_once(&subject, &headers, &name, &mail.bytes).await? {
            Published::New(sequence) => Ok((mail, Some(sequence))),
            Published::There => match link.last(&subject).await? {
                Some(_) => Ok((mail, None)),
                // Another process is about to, or was and died.
                None => Err(StoreError::Unavailable),
            },
        }
    }
}

impl MailStore for JetStream {
    async fn boxes(&self) -> StoreResult<Vec<(BoxId, BoxRecord)>> {
        let all = format!("{}.box.record.*", self.name);
        let (known, upto) = {
            let index = self.index();
            (index.boxes(), index.upto)
        };
        let mut found = Vec::new();
        self.boxes
            .read(&all, 1, false, |message| {
                let id = last_token(message.subject).map(BoxId);
                found.extend(id.zip(record(message.payload)));
                Ok(())
            })
            .await?;
        // What a box had whose end another process saw is not in the stream any more. It may have been
        // opened anew since.
        let there: HashSet<_> = found.iter().map(|(id, _)| *id).collect();
        for id in known.into_iter().filter(|id| !there.contains(id)) {
            if self.find(id).await?.is_none() {
                self.index().forget_upto(&id, upto);
            }
        }
        Ok(found)
    }

    async fn find(&self, id: BoxId) -> StoreResult<Option<BoxRecord>> {
        let Some(found) = self.boxes.last(&self.record_subject(&id)).await? else {
            return Ok(None);
        };
        record(&found.payload).map(Some).ok_or_else(|| broken("a box can't be read"))
    }

    async fn write(&self, id: BoxId, record: BoxRecord) -> StoreResult<()> {
        self.boxes.replace(&self.record_subject(&id), &bytes(&record)?).await
    }

    async fn remove(&self, id: BoxId) -> StoreResult<()> {
        let name = hex(&id.0);
        self.mail.purge(&format!("{}.mail.{name}.*", self.name)).await?;
        self.boxes.purge(&format!("{}.box.once.{name}.>", self.name)).await?;
        self.boxes.purge(&format!("{}.box.pool.{name}.*", self.name)).await?;
        // The last thing, so that it can be done again if it was not done.
        self.boxes.purge(&self.record_subject(&id)).await?;
        self.index().remove(&id);
        Ok(())
    }

    async fn put(&self, id: BoxId, mail: Vec<Mail>, room: Room) -> StoreResult<usize> {
        self.must_have(id).await?;
        let mut new = Vec::new();
        {
            let index = self.index();
            let mut seen = HashSet::new();
            for mail in mail {
                if index.get(&id, &mail.id).is_none() && seen.insert(mail.id) {
                    new.push(mail);
                }
            }
            let cost: u64 = new.iter().map(Mail::cost).sum();
            let usage = index.usage(&id);
            if !new.is_empty() {
                let count = usage.count + new.len() as u64;
                if count > room.count || usage.bytes + cost > room.bytes {
                    return Err(StoreError::Quota);
                }
                if index.total() + cost > room.total {
                    return Err(StoreError::Full);
                }
            }
        }
        let (mut stored, mut failed) = (0, None);
        let mut waiting = new.into_iter();
        let mut tasks = JoinSet::new();
        loop {
            while tasks.len() < AT_ONCE
                && failed.is_none()
                && let Some(mail) = waiting.next()
            {
                let subject = self.mail_subject(&id, &mail.id);
                tasks.spawn(Self::store(self.mail.clone(), subject, id, mail));
            }
            let Some(done) = tasks.join_next().await else { break };
            match done.map_err(StoreError::failed).flatten() {
                Ok((mail, Some(sequence))) => {
                    stored += 1;
                    let length = u32::try_from(mail.bytes.len()).unwrap_or(u32::MAX);
                    let entry = Entry { sequence, at: mail.at, length };
                    self.index().insert(id, mail.id, entry);
                }
                Ok((_, None)) => {}
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            // Some of them may be stored; whoever asked is told that not all are.
            Some(StoreError::Full) if stored == 0 => Err(StoreError::Full),
            Some(_) => Err(StoreError::Unavailable),
            None => Ok(stored),
        }
    }

    async fn ids(&self, id: BoxId, since: Time) -> StoreResult<Vec<EnvelopeId>> {
        self.must_have(id).await?;
        self.catch_up().await?;
        Ok(self.index().since(&id, since))
    }

    async fn get(
        &self,
        id: BoxId,
        ids: Vec<EnvelopeId>,
        bytes: usize,
    ) -> StoreResult<Vec<Option<Mail>>> {
        self.must_have(id).await?;
        let unknown = ids.iter().any(|envelope| self.index().get(&id, envelope).is_none());
        if unknown {
            self.catch_up().await?;
        }
        let mut wanted = Vec::new();
        let mut length = 0;
        for envelope in ids {
            let entry = self.index().get(&id, &envelope);
            length += entry.map_or(0, |entry| entry.length as usize);
            if length > bytes && !wanted.is_empty() {
                break;
            }
            wanted.push((envelope, entry));
        }
        let mut found: Vec<Option<Mail>> = vec![None; wanted.len()];
        let mut waiting = wanted.iter().enumerate();
        let mut tasks = JoinSet::new();
        loop {
            while tasks.len() < AT_ONCE
                && let Some((place, (_, entry))) = waiting.next()
            {
                let Some(entry) = *entry else { continue };
                let link = self.mail.clone();
                tasks.spawn(async move { (place, link.get(entry.sequence).await) });
            }
            let Some(done) = tasks.join_next().await else { break };
            let (place, message) = done.map_err(StoreError::failed)?;
            let (Some(slot), Some((envelope, _))) = (found.get_mut(place), wanted.get(place))
            else {
                continue;
            };
            *slot = message?.and_then(|message| mail(id, *envelope, message));
            if slot.is_none() {
                self.index().forget(id, envelope);
            }
        }
        Ok(found)
    }

    async fn usage(&self, id: BoxId) -> StoreResult<Usage> {
        self.must_have(id).await?;
        self.catch_up().await?;
        Ok(self.index().usage(&id))
    }

    async fn expire(&self, before: Time) -> StoreResult<usize> {
        self.catch_up().await?;
        // The cluster deletes by age itself.
        Ok(self.index().expire(before))
    }

    async fn deposit(
        &self,
        id: BoxId,
        deposit: Deposit,
        suites: usize,
        room: Room,
    ) -> StoreResult<()> {
        self.must_have(id).await?;
        self.put_packages(id, deposit, suites, room).await
    }

    async fn take(
        &self,
        id: BoxId,
        suite: u16,
        now: Time,
        spare: bool,
    ) -> StoreResult<Option<Taken>> {
        self.must_have(id).await?;
        self.take_package(id, suite, now, spare).await
    }

    async fn pools(&self, id: BoxId) -> StoreResult<Vec<Pool>> {
        self.must_have(id).await?;
        self.count_packages(id).await
    }
}

/// The credentials that addresses have, which the library for NATS leaves alone.
fn identified(servers: &[ServerAddr]) -> StoreResult<ConnectOptions> {
    let Some(server) = servers.iter().find(|server| server.username().is_some()) else {
        return Ok(ConnectOptions::new());
    };
    let text = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().map(|text| text.into_owned());
        text.map_err(|_| StoreError::Options("a name or password for NATS is no text"))
    };
    let name = text(server.username().unwrap_or_default())?;
    Ok(match server.password() {
        Some(password) => ConnectOptions::with_user_and_password(name, text(password)?),
        None => ConnectOptions::with_token(name),
    })
}

/// A stream, made if it is not there, and made larger if it is less than is wanted.
async fn link(
    context: &jetstream::Context,
    config: jetstream::stream::Config,
    tries: u32,
) -> StoreResult<Link> {
    let stream = context.get_or_create_stream(config.clone()).await;
    let stream = stream.map_err(|error| Refusal::of_stream(&error, &config))?;
    if let Some(grown) = options::grown(&stream.cached_info().config, &config) {
        let updated = context.update_stream(&grown).await;
        updated.map_err(|error| Refusal::of_stream(&error, &grown))?;
    }
    let stream = context.get_stream_no_info(config.name).await;
    let stream = stream.map_err(|error| unavailable(&error))?;
    Ok(Link::new(context.clone(), stream, tries))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing into a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn last_token(subject: &str) -> Option<[u8; 32]> {
    unhex(subject.rsplit('.').next()?)
}

/// What a message of the stream of envelopes is.
fn entry(
    subject: &str,
    headers: Option<&HeaderMap>,
    sequence: u64,
) -> Option<(BoxId, EnvelopeId, Entry)> {
    let mut tokens = subject.rsplit('.');
    let envelope = EnvelopeId(unhex(tokens.next()?)?);
    let id = BoxId(unhex(tokens.next()?)?);
    let headers = headers?;
    let at = Time(headers.get(AT)?.as_str().parse().ok()?);
    let length = headers.get(LENGTH)?.as_str().parse().ok()?;
    Some((id, envelope, Entry { sequence, at, length }))
}

/// The envelope that a message is, if it is what it is called.
fn mail(id: BoxId, envelope: EnvelopeId, message: StreamMessage) -> Option<Mail> {
    let (found, name, entry) = entry(&message.subject, Some(&message.headers), message.sequence)?;
    if (found, name) != (id, envelope) {
        return None;
    }
    let topic = Topic(unhex(message.headers.get(TOPIC)?.as_str())?);
    Some(Mail { id: envelope, topic, at: entry.at, bytes: message.payload.to_vec() })
}

fn record<T: DeserializeBytes>(bytes: &[u8]) -> Option<T> {
    T::tls_deserialize_exact_bytes(bytes).ok()
}

fn bytes<T: Serialize>(value: &T) -> StoreResult<Vec<u8>> {
    value.tls_serialize_detached().map_err(StoreError::failed)
}

fn broken(what: &'static str) -> StoreError {
    StoreError::failed(std::io::Error::new(std::io::ErrorKind::InvalidData, what))
}

//! The task that visits the mailboxes.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tls_codec::VLBytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::recent::Recent;
use super::{Board, MailboxAt, MailboxStatus, Reach};
use crate::mailbox::client::{CatchUp, ClientError, Session};
use crate::mailbox::list::List;
use crate::mailbox::wire::{self, Answer, MAX_ITEMS};
use crate::mailbox::{Capability, EnvelopeId, MailboxError, MailboxId};
use crate::transport::{Deposit, Incoming, Keep, KeepFor, KeepKind, Pools};
use crate::{Span, Time, Topic};

/// For how many seconds a box is opened each time.
pub(super) const TTL: u32 = 30 * 24 * 3600;
/// How often a mailbox is visited when nothing happens.
const VISIT: Duration = Duration::from_secs(300);
/// How soon after the network is back.
const SOON: Duration = Duration::from_millis(200);
/// How long after a visit that failed, twice as long after each further one.
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(600);
/// How often a box that is given up is visited before what is left in it is given up too.
const LAST_VISITS: u32 = 4;
/// How often something is asked that the mailbox finds to be too much at once.
const AGAIN: u32 = 20;
/// How long after it is asked again, at least and at most; in between, when the mailbox says.
const REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(5);
/// How many bytes of envelopes a mailbox is given in one frame.
const GIVEN: usize = 512 << 10;
/// How much earlier a catch-up begins than the last one ended: what came then may have come in between.
const OVERLAP: Span = Span::seconds(600);

/// For how many seconds a box is opened by who has been invited and waits to come in: for so long an
/// invitation is waited with.
const TTL_INVITED: u32 = 24 * 3600;
/// For how many invitations boxes are opened in that time; for others, only those are looked into that are
/// there. Strangers may invite, and must not use up what a mailbox has for this client.
const INVITED: usize = 8;
/// For how many seconds a box for others is opened: for so long an invitation is tried.
const TTL_FOR_OTHERS: u32 = 7 * 24 * 3600;
/// How many boxes for others are waited for that could not be opened yet; the oldest is given up.
const FOR_OTHERS: usize = 64;

/// What the task is told.
pub(super) enum Order {
    Keep(Keep),
    KeepFor(KeepFor),
    Forget(Topic),
    Deposit(Deposit),
    Connected,
}

/// A box at one mailbox.
struct Visit {
    mailbox: usize,
    topic: Topic,
    kind: KeepKind,
    session: Session,
    capability: Capability,
    /// For how many seconds the box is opened each time; otherwise it is only looked into, if it is there.
    opens: Option<u32>,
    /// From when on the mailbox has to tell what it has.
    since: Time,
    /// What was sent and heard before has been given to it.
    handed: Instant,
    due: Instant,
    failures: u32,
    /// Whether the group has another secret since, so that nothing new comes here that is ours.
    last: bool,
}

/// A box for others at one mailbox, until it is open and has what they need.
struct ForOthers {
    mailbox: usize,
    topic: Topic,
    session: Session,
    envelopes: Vec<Vec<u8>>,
    due: Instant,
    failures: u32,
}

pub(super) struct Attendant<T> {
    reach: Arc<T>,
    mailboxes: Vec<MailboxAt>,
    orders: mpsc::UnboundedReceiver<Order>,
    hand_in: mpsc::Sender<Incoming>,
    recent: Arc<Mutex<Recent>>,
    keeps: BTreeMap<Topic, Keep>,
    visits: Vec<Visit>,
    for_others: Vec<ForOthers>,
    /// When boxes were opened for invitations.
    invited: VecDeque<Instant>,
    pub(super) board: Board,
}

/// Nobody is there to hand anything to.
struct Gone;

impl<T: Reach> Attendant<T> {
    pub(super) fn new(
        reach: Arc<T>,
        mailboxes: Vec<MailboxAt>,
        orders: mpsc::UnboundedReceiver<Order>,
        hand_in: mpsc::Sender<Incoming>,
        recent: Arc<Mutex<Recent>>,
    ) -> Self {
        let (keeps, visits) = (BTreeMap::new(), Vec::new());
        let (for_others, invited) = (Vec::new(), VecDeque::new());
        let untried =
            |at: &MailboxAt| MailboxStatus { at: at.clone(), reached: None, trouble: None };
        let board = Arc::new(Mutex::new(mailboxes.iter().map(untried).collect()));
        Self {
            reach,
            mailboxes,
            orders,
            hand_in,
            recent,
            keeps,
            visits,
            for_others,
            invited,
            board,
        }
    }

    /// Works until the transport is dropped.
    pub(super) async fn run(mut self) {
        loop {
            let others = self.for_others.iter().map(|others| others.due);
            let due = self.visits.iter().map(|visit| visit.due).chain(others).min();
            let due = due.unwrap_or_else(|| Instant::now() + LONGEST);
            let done = tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order).await,
                    None => Err(Gone),
                },
                () = sleep_until(due) => {
                    self.open_for_others().await;
                    self.visit().await
                }
            };
            if done.is_err() {
                return;
            }
        }
    }

    async fn obey(&mut self, order: Order) -> Result<(), Gone> {
        match order {
            Order::Keep(keep) => {
                let inbox = (keep.kind == KeepKind::Account).then_some(keep.topic);
                if let (Some(capability), Some(inbox)) = (self.keep(keep), inbox) {
                    let id = capability.box_id();
                    let boxes = self.mailboxes.iter().map(|at| (at.clone(), id)).collect();
                    self.reach.tell_boxes(inbox, boxes).await;
                }
            }
            Order::KeepFor(others) => self.keep_for(&others),
            Order::Forget(topic) => {
                self.keeps.remove(&topic);
                self.visits.retain(|visit| visit.topic != topic);
                self.recent().forget(&topic);
            }
            Order::Deposit(deposit) => self.deposit(deposit).await,
            Order::Connected => {
                let soon = Instant::now() + SOON;
                self.visits.iter_mut().for_each(|visit| visit.due = visit.due.min(soon));
                self.for_others.iter_mut().for_each(|others| others.due = others.due.min(soon));
            }
        }
        Ok(())
    }

    /// Gives the right to the boxes of a topic, if it is a new one.
    fn keep(&mut self, keep: Keep) -> Option<Capability> {
        let topic = keep.topic;
        let secret = <[u8; 32]>::try_from(&keep.secret[..]).ok()?;
        if let Some(before) = self.keeps.get(&topic)
            && before.secret == keep.secret
        {
            if before.kind == KeepKind::Invitation && keep.kind == KeepKind::Group {
                self.come_in(keep);
            }
            return None;
        }
        // What comes before the client is in is handed in again when it is: it may be lost on it till then.
        let opens = if keep.kind == KeepKind::Invitation {
            self.may_open(Instant::now()).then_some(TTL_INVITED)
        } else {
            self.recent().watch(topic);
            Some(TTL)
        };
        for visit in self.visits.iter_mut().filter(|visit| visit.topic == topic) {
            (visit.last, visit.due, visit.failures) = (true, Instant::now(), 0);
        }
        let capability = Capability::from_secret(&secret);
        for (mailbox, at) in self.mailboxes.iter().enumerate() {
            self.visits.push(Visit {
                mailbox,
                topic,
                kind: keep.kind,
                session: Session::new(capability.clone(), at.id),
                capability: capability.clone(),
                opens,
                since: before(keep.since),
                handed: Instant::now(),
                due: Instant::now(),
                failures: 0,
                last: false,
            });
        }
        self.keeps.insert(topic, keep);
        Some(capability)
    }

    /// The client has come into a group that it looked for something of: from the beginning, now.
    fn come_in(&mut self, keep: Keep) {
        self.recent().watch(keep.topic);
        let now = Instant::now();
        for visit in self.visits.iter_mut().filter(|visit| visit.topic == keep.topic && !visit.last)
        {
            (visit.kind, visit.opens, visit.since) = (keep.kind, Some(TTL), before(keep.since));
            (visit.due, visit.failures) = (now, 0);
        }
        self.keeps.insert(keep.topic, keep);
    }

    /// Whether a box may be opened for one more invitation, and notes that it is.
    fn may_open(&mut self, now: Instant) -> bool {
        let over = Duration::from_secs(TTL_INVITED.into());
        while self.invited.front().is_some_and(|at| now.duration_since(*at) >= over) {
            self.invited.pop_front();
        }
        let may = self.invited.len() < INVITED;
        if may {
            self.invited.push_back(now);
        }
        may
    }

    /// Has boxes opened at all mailboxes for others.
    fn keep_for(&mut self, others: &KeepFor) {
        let Ok(secret) = <[u8; 32]>::try_from(&others.secret[..]) else { return };
        let capability = Capability::from_secret(&secret);
        for (mailbox, at) in self.mailboxes.iter().enumerate() {
            self.for_others.push(ForOthers {
                mailbox,
                topic: others.topic,
                session: Session::new(capability.clone(), at.id),
                envelopes: others.envelopes.clone(),
                due: Instant::now(),
                failures: 0,
            });
        }
        let most = FOR_OTHERS.max(self.mailboxes.len());
        self.for_others.drain(..self.for_others.len().saturating_sub(most));
    }

    /// Opens the boxes for others that are due. A mailbox that can't be reached is asked again; what one
    /// refuses is over.
    async fn open_for_others(&mut self) {
        let now = Instant::now();
        let due = |others: &ForOthers| others.due <= now;
        let (due, rest): (Vec<_>, _) =
            std::mem::take(&mut self.for_others).into_iter().partition(due);
        self.for_others = rest;
        for mut others in due {
            let at = &self.mailboxes[others.mailbox];
            match open(&*self.reach, at, &mut others).await {
                Ok(()) => tracing::debug!(topic = ?others.topic, "a box for others is open"),
                Err(error) => {
                    tracing::debug!(code = error.code(), "a box for others could not be opened");
                    if !matches!(error, ClientError::Refused(_)) {
                        others.due = Instant::now() + pause(others.failures);
                        others.failures = others.failures.saturating_add(1);
                        self.for_others.push(others);
                    }
                }
            }
        }
    }

    /// Makes the visits that are due, to each mailbox one after the other, so that one that can't be reached
    /// keeps nothing from the others.
    async fn visit(&mut self) -> Result<(), Gone> {
        let now = Instant::now();
        let due = |visit: &Visit| visit.due <= now;
        let (due, rest): (Vec<_>, _) = std::mem::take(&mut self.visits).into_iter().partition(due);
        self.visits = rest;
        let topics: BTreeSet<_> = due.iter().map(|visit| visit.topic).collect();
        let mut rounds: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for visit in due {
            rounds.entry(visit.mailbox).or_default().push(visit);
        }
        let made = join_all(rounds.into_values().map(|round| self.make_all(round))).await;
        for again in made {
            self.visits.extend(again?);
        }
        for topic in topics {
            self.tell_until(topic).await?;
        }
        Ok(())
    }

    /// Makes visits to one mailbox until one of them finds nobody there; gives those back of which there is
    /// to be another.
    async fn make_all(&self, round: Vec<Visit>) -> Result<Vec<Visit>, Gone> {
        let mut again = Vec::new();
        let mut reached = true;
        for visit in round {
            if reached {
                let (answers, made) = self.make(visit).await?;
                reached = answers;
                again.extend(made);
            } else {
                again.extend(failed(visit));
            }
        }
        Ok(again)
    }

    /// Makes one visit. Tells whether the mailbox answers, and gives the visit back if there is to be
    /// another.
    async fn make(&self, mut visit: Visit) -> Result<(bool, Option<Visit>), Gone> {
        let (at, began) = (&self.mailboxes[visit.mailbox], Instant::now());
        let topic = visit.topic;
        let known = self.recent().seen(&topic);
        let others: Vec<_> =
            self.mailboxes.iter().map(|other| other.id).filter(|id| *id != at.id).collect();
        let found = look(&*self.reach, at, &mut visit, &others, known).await;
        // Where nothing is opened there may be nothing.
        let looks = visit.last || visit.opens.is_none();
        self.post(visit.mailbox, found.as_ref().err().filter(|error| !(looks && is_absent(error))));
        match found {
            Ok(Found { envelopes, unknown, pools }) => {
                tracing::debug!(?topic, envelopes = envelopes.len(), "a mailbox was visited");
                (visit.failures, visit.due) = (0, Instant::now() + VISIT);
                let lacking = self.recent().lacking(&topic, visit.handed, &unknown);
                match give(&*self.reach, at, &mut visit.session, topic, lacking).await {
                    // What it refuses it is not offered again.
                    Ok(()) | Err(ClientError::Refused(_)) => visit.handed = began,
                    Err(error) => {
                        tracing::debug!(
                            code = error.code(),
                            "a mailbox could not be given what it lacks"
                        );
                    }
                }
                for bytes in envelopes {
                    self.recent().note(&topic, &bytes);
                    self.hand_in(Incoming::Message { topic, bytes }).await?;
                }
                if let Some(left) = pools {
                    let keeper = visit.mailbox as u64;
                    self.hand_in(Incoming::Pools(Pools { keeper, left })).await?;
                }
                Ok((true, Some(visit).filter(|visit| !visit.last)))
            }
            Err(error) => {
                tracing::debug!(code = error.code(), "a mailbox could not be visited");
                Ok((matches!(error, ClientError::Refused(_)), failed(visit)))
            }
        }
    }

    /// Says how a visit went.
    fn post(&self, mailbox: usize, error: Option<&ClientError>) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(status) = board.get_mut(mailbox) else { return };
        status.trouble = error.cloned();
        if error.is_none() {
            status.reached = Some(Time::from_system());
        }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hand_in(&self, incoming: Incoming) -> Result<(), Gone> {
        self.hand_in.send(incoming).await.map_err(|_| Gone)
    }

    /// Says up to when everything of a topic has been handed in, from all mailboxes.
    async fn tell_until(&self, topic: Topic) -> Result<(), Gone> {
        // Who is not in yet may have been unable to read it.
        if self.keeps.get(&topic).is_some_and(|keep| keep.kind == KeepKind::Invitation) {
            return Ok(());
        }
        let of = self.visits.iter().filter(|visit| visit.topic == topic);
        match of.map(|visit| visit.since).min() {
            Some(until) if until > Time::default() => {
                self.hand_in(Incoming::Kept { topic, until }).await
            }
            _ => Ok(()),
        }
    }

    /// Leaves key packages.
    async fn deposit(&mut self, deposit: Deposit) {
        let to = |visit: &&mut Visit| {
            let of_account = visit.kind == KeepKind::Account && !visit.last;
            of_account && visit.mailbox as u64 == deposit.keeper
        };
        let Some(visit) = self.visits.iter_mut().find(to) else { return };
        let at = &self.mailboxes[visit.mailbox];
        let list = |answers: Vec<Vec<u8>>| answers.into_iter().map(VLBytes::from).collect();
        let (Some(one_time), Some(beside)) =
            (List::new(list(deposit.one_time)), List::new(list(deposit.beside)))
        else {
            return;
        };
        let deposit = wire::Deposit {
            suite: deposit.suite,
            serial: deposit.serial,
            expires: deposit.expires,
            one_time,
            last_resort: deposit.last_resort.map(VLBytes::from),
            beside,
        };
        let made = visit.session.deposit(deposit).run(|frame| carry(&*self.reach, at, frame)).await;
        if let Err(error) = made {
            tracing::debug!(code = error.code(), "key packages could not be left at a mailbox");
        }
    }
}

/// A visit that came to nothing; gives it back if there is to be another.
fn failed(mut visit: Visit) -> Option<Visit> {
    visit.due = Instant::now() + pause(visit.failures);
    visit.failures = visit.failures.saturating_add(1);
    Some(visit).filter(|visit| !visit.last || visit.failures < LAST_VISITS)
}

/// Whether a mailbox says that there is no such box.
fn is_absent(error: &ClientError) -> bool {
    matches!(error, ClientError::Refused(MailboxError::UnknownBox | MailboxError::Expired))
}

/// What a visit brought.
struct Found {
    /// In the order in which they came to the mailbox.
    envelopes: Vec<Vec<u8>>,
    /// What is known here and not at the mailbox, or came there before it told of.
    unknown: BTreeSet<EnvelopeId>,
    pools: Option<Vec<(u16, u32)>>,
}

/// Opens a box or keeps it open, and gets what is in it and not known.
async fn look<T: Reach>(
    reach: &T,
    at: &MailboxAt,
    visit: &mut Visit,
    others: &[MailboxId],
    known: Vec<EnvelopeId>,
) -> Result<Found, ClientError> {
    let topic = visit.topic;
    // A box that is given up is not opened again.
    if let Some(seconds) = visit.opens.filter(|_| !visit.last) {
        let open = visit.session.open(vec![topic], seconds)?;
        open.run(|frame| carry(reach, at, frame)).await?;
        // What one of the mailboxes misses, it gets from the others.
        let until = Time::from_system() + Span::seconds(seconds.into());
        let grant = |other: &MailboxId| visit.capability.grant(*other, at.id, until);
        let grants: Vec<_> =
            others.iter().take(wire::MAX_REPLICAS).filter_map(|other| grant(other).ok()).collect();
        if !grants.is_empty() {
            let replicate = visit.session.replicate(grants)?;
            replicate.run(|frame| carry(reach, at, frame)).await?;
        }
    }
    let mut kept = Vec::new();
    let (mut catch_up, mut frame) =
        CatchUp::start(&mut visit.session, [topic], known, visit.since)?;
    loop {
        let progress = catch_up.step(&carry(reach, at, frame).await?)?;
        kept.extend(progress.at.into_iter().zip(progress.envelopes));
        match progress.next {
            Some(next) => frame = next,
            None => break,
        }
    }
    // A mailbox whose clock is ahead, or that lies, must not hide what is to come at others.
    visit.since = before(catch_up.summary().since.min(Time::from_system()));
    let unknown = catch_up.summary().unknown_there.clone();
    kept.sort_by_key(|(at, _)| *at);
    let envelopes = kept.into_iter().map(|(_, (_, envelope))| envelope).collect();
    let pools = if visit.kind == KeepKind::Account && !visit.last {
        let pools = visit.session.pools().run(|frame| carry(reach, at, frame)).await?;
        Some(pools.into_iter().map(|pool| (pool.suite, pool.one_time)).collect())
    } else {
        None
    };
    Ok(Found { envelopes, unknown, pools })
}

/// Opens a box for others, and leaves in it what they need.
async fn open<T: Reach>(
    reach: &T,
    at: &MailboxAt,
    others: &mut ForOthers,
) -> Result<(), ClientError> {
    let open = others.session.open(vec![others.topic], TTL_FOR_OTHERS)?;
    open.run(|frame| carry(reach, at, frame)).await?;
    give(reach, at, &mut others.session, others.topic, others.envelopes.clone()).await
}

/// Gives envelopes to a mailbox that lacks them.
async fn give<T: Reach>(
    reach: &T,
    at: &MailboxAt,
    session: &mut Session,
    topic: Topic,
    envelopes: Vec<Vec<u8>>,
) -> Result<(), ClientError> {
    let mut left = envelopes.into_iter().peekable();
    while left.peek().is_some() {
        let (mut some, mut bytes) = (Vec::new(), 0);
        while let Some(envelope) = left.next_if(|next| {
            some.is_empty() || bytes + next.len() <= GIVEN && some.len() < MAX_ITEMS
        }) {
            bytes += envelope.len();
            some.push((topic, envelope));
        }
        let number = some.len();
        let new = session.store(some)?.run(|frame| carry(reach, at, frame)).await?;
        tracing::debug!(?topic, number, new, "a mailbox was given what it lacked");
    }
    Ok(())
}

/// Carries a frame, and again after a while if the mailbox finds that it is too much at once.
async fn carry<T: Reach>(
    reach: &T,
    at: &MailboxAt,
    frame: Vec<u8>,
) -> Result<Vec<u8>, ClientError> {
    for _ in 0..AGAIN {
        let answer = reach.reach(at, frame.clone()).await;
        let answer = answer.map_err(|_| ClientError::Unreachable)?;
        match wire::decode(&answer) {
            Ok(Answer::Refused(MailboxError::Rate(wait))) => {
                sleep(rest(wait)).await;
            }
            _ => return Ok(answer),
        }
    }
    Err(ClientError::Unreachable)
}

/// How long after a visit that failed the next one is, after so many failures before.
fn pause(failures: u32) -> Duration {
    (PAUSE * 2_u32.saturating_pow(failures.min(16))).min(LONGEST)
}

/// How long to wait, if a mailbox says how many milliseconds.
fn rest(wait: u32) -> Duration {
    Duration::from_millis(wait.into()).clamp(REST, LONGEST_REST)
}

/// When a catch-up begins, after one that ended then.
fn before(time: Time) -> Time {
    Time(time.0.saturating_sub(OVERLAP.0))
}

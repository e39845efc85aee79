//! A group, as its members use it.

use std::fmt;

use super::history;
use super::worker::Work;
use super::{Change, ChangeStatus, Client, Entry, Error, Member, Page, Security, Sent, Suite};
use crate::engine::{GroupView, Intent};
use crate::message::Message;
use crate::policy::{Policy, Role};
use crate::store::Cursor;
use crate::{Address, GroupId, IntentId, MessageId};

/// A group. A handle: clones are the same group.
///
/// Methods that change the group return a [`Change`] as soon as the wish is in the store; see there.
#[derive(Clone)]
pub struct Group {
    client: Client,
    id: GroupId,
}

impl Group {
    pub(super) fn new(client: Client, id: GroupId) -> Self {
        Self { client, id }
    }

    /// Its name for programs, which stays whatever people call it.
    #[must_use]
    pub fn id(&self) -> GroupId {
        self.id
    }

    // Who is in it

    /// Brings an account in, with all its devices. That needs an answer from the account, so it waits
    /// until one of its devices can be reached, up to a week.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`], [`Error::NotInGroup`], [`Error::TooLarge`] if too many changes wait,
    /// [`Error::Busy`], [`Error::Store`], [`Error::Closed`]. So it is for all methods that return a
    /// [`Change`].
    pub async fn invite(&self, account: &Address) -> Result<Change, Error> {
        self.wish("invite", Intent::Invite(*account)).await
    }

    /// Brings several accounts in. Those that answer at the same time come in together, which costs
    /// less than one by one. The changes are in the order of the accounts.
    ///
    /// # Errors
    ///
    /// Those of [`invite`](Self::invite). Of several, the ones before an error may have been taken.
    pub async fn invite_all<'a>(
        &self,
        accounts: impl IntoIterator<Item = &'a Address>,
    ) -> Result<Vec<Change>, Error> {
        let wishes = accounts.into_iter().map(|account| Intent::Invite(*account)).collect();
        self.wishes("invite", wishes).await
    }

    /// Puts an account out, with all its devices. From then on it can read nothing that is said.
    ///
    /// # Errors
    ///
    /// Those of [`invite`](Self::invite).
    pub async fn remove(&self, account: &Address) -> Result<Change, Error> {
        self.wish("remove", Intent::Remove(*account)).await
    }

    /// Leaves. It is done when another member has put this device out, or at once if there is none.
    ///
    /// # Errors
    ///
    /// Those of [`invite`](Self::invite).
    pub async fn leave(&self) -> Result<Change, Error> {
        self.wish("leave", Intent::Leave).await
    }

    /// The accounts in it, with what each may do.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`], [`Error::Store`], [`Error::Closed`].
    pub async fn members(&self) -> Result<Vec<Member>, Error> {
        Ok(Member::all(&self.view().await?))
    }

    /// Whether this client is in it.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`], [`Error::Store`], [`Error::Closed`].
    pub async fn is_active(&self) -> Result<bool, Error> {
        Ok(self.view().await?.active)
    }

    // What it is like

    /// Its name.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`], [`Error::Store`], [`Error::Closed`].
    pub async fn name(&self) -> Result<String, Error> {
        Ok(self.view().await?.name)
    }

    /// Gives it another name.
    ///
    /// # Errors
    ///
    /// Those of [`invite`](Self::invite).
    pub async fn rename(&self, name: impl Into<String>) -> Result<Change, Error> {
        self.wish("rename", Intent::Rename(name.into())).await
    }

    /// Gives an account another role.
    ///
    /// # Errors
    ///
    /// Those of [`invite`](Self::invite).
    pub async fn set_role(&self, account: &Address, role: Role) -> Result<Change, Error> {
        self.wish("set role", Intent::SetRole(*account, role)).await
    }

    /// Its rules.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`], [`Error::Store`], [`Error::Closed`].
    pub async fn policy(&self) -> Result<Policy, Error> {
        Ok(self.view().await?.policy)
    }

    /// Gives it other rules. What it must protect against can only rise.
    ///
    /// # Errors
    ///
    /// Those of [`invite`](Self::invite).
    pub async fn set_policy(&self, policy: Policy) -> Result<Change, Error> {
        self.wish("set policy", Intent::SetPolicy(policy)).await
    }

    /// What protects it, and what does not.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`], [`Error::Store`], [`Error::Closed`].
    pub async fn security(&self) -> Result<Security, Error> {
        Security::of(&self.view().await?)
    }

    /// Replaces this device's keys in the group, so that a thief of the old ones is locked out.
    ///
    /// # Errors
    ///
    /// Those of [`invite`](Self::invite).
    pub async fn rotate_keys(&self) -> Result<Change, Error> {
        self.wish("rotate keys", Intent::Rotate).await
    }

    /// Moves the group to other cryptography that protects at least as much. It goes on as another
    /// group, which an [`Event::Moved`](super::Event::Moved) names.
    ///
    /// # Errors
    ///
    /// Those of [`invite`](Self::invite).
    pub async fn migrate(&self, suite: Suite) -> Result<Change, Error> {
        self.wish("migrate", Intent::Migrate(suite.ciphersuite())).await
    }

    /// A change that was asked for earlier, by its name.
    ///
    /// # Errors
    ///
    /// [`Error::NoChange`] if there is none, or it was done long ago; [`Error::NoGroup`],
    /// [`Error::Store`], [`Error::Closed`].
    pub async fn change(&self, id: IntentId) -> Result<Change, Error> {
        let group = self.id;
        let job = move |work: &mut Work| {
            let now = work.now();
            let outcome = work.engine.outcome(now, group, id)?.ok_or(Error::NoChange)?;
            let what = work.engine.intent(now, group, id)?.ok_or(Error::NoChange)?;
            Ok(work.watches.change(group, (id, what.into()), outcome.into()))
        };
        self.client.desk().read("change", job).await
    }

    /// The changes that this client has asked for and that are neither done nor failed.
    ///
    /// # Errors
    ///
    /// [`Error::NoGroup`], [`Error::Store`], [`Error::Closed`].
    pub async fn changes(&self) -> Result<Vec<Change>, Error> {
        let group = self.id;
        let job = move |work: &mut Work| {
            let open = work.engine.open_intents(work.now(), group)?;
            let handle = |(id, what, outcome): (_, Intent, crate::engine::Outcome)| {
                work.watches.change(group, (id, what.into()), outcome.into())
            };
            Ok(open.into_iter().map(handle).collect())
        };
        self.client.desk().read("changes", job).await
    }

    // What is said

    /// Says something. When it returns, the message is in the store and the history.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] for what breaks the limits of messages, [`Error::NoGroup`],
    /// [`Error::NotInGroup`], [`Error::Busy`], [`Error::Store`], [`Error::Closed`].
    pub async fn send(&self, message: Message) -> Result<Sent, Error> {
        message.check()?;
        let group = self.id;
        let job = move |work: &mut Work| {
            let now = work.now();
            let id = work.engine.send(now, group, message)?;
            Ok(work.watches.message(group, id, crate::message::Delivery::Queued))
        };
        self.client.desk().write("send", job).await
    }

    /// A message that this device has sent earlier.
    ///
    /// # Errors
    ///
    /// [`Error::NoMessage`] if there is none, or it is another's; [`Error::Store`],
    /// [`Error::Closed`].
    pub async fn sent(&self, id: MessageId) -> Result<Sent, Error> {
        let group = self.id;
        let job = move |work: &mut Work| {
            let delivery = work.engine.delivery(group, id)?;
            Ok(work.watches.message(group, id, delivery))
        };
        self.client.desk().read("sent", job).await
    }

    /// A page of the history: the last messages, or the last before a place that an earlier page
    /// named. At most `limit`, and at most [`MAX_PAGE`](super::MAX_PAGE).
    ///
    /// ```no_run
    /// # async fn example(group: trellis_sdk::Group) -> Result<(), trellis_sdk::Error> {
    /// let mut page = group.history(None, 50).await?;
    /// loop {
    ///     for entry in &page.entries {
    ///         println!("{:?}", entry.message);
    ///     }
    ///     let Some(older) = page.older else { break };
    ///     page = group.history(Some(older), 50).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Closed`].
    pub async fn history(&self, before: Option<Cursor>, limit: usize) -> Result<Page, Error> {
        history::page(&self.client, self.id, before, limit).await
    }

    /// Messages of this group in which each word of `text` occurs or begins a word, the last first;
    /// at most `limit`, and at most [`MAX_PAGE`](super::MAX_PAGE).
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Closed`].
    pub async fn search(&self, text: &str, limit: usize) -> Result<Vec<Entry>, Error> {
        history::search(&self.client, Some(self.id), text, limit).await
    }

    // Within

    async fn view(&self) -> Result<GroupView, Error> {
        let group = self.id;
        let job = move |work: &mut Work| {
            let now = work.now();
            Ok(work.engine.view(now, group)?)
        };
        self.client.desk().read("view", job).await
    }

    async fn wish(&self, name: &'static str, intent: Intent) -> Result<Change, Error> {
        let group = self.id;
        let job = move |work: &mut Work| take_wish(work, group, intent);
        self.client.desk().write(name, job).await
    }

    async fn wishes(&self, name: &'static str, intents: Vec<Intent>) -> Result<Vec<Change>, Error> {
        let group = self.id;
        let job = move |work: &mut Work| {
            intents.into_iter().map(|intent| take_wish(work, group, intent)).collect()
        };
        self.client.desk().write(name, job).await
    }
}

fn take_wish(work: &mut Work, group: GroupId, intent: Intent) -> Result<Change, Error> {
    let now = work.now();
    let what = intent.clone().into();
    let id = work.engine.intend(now, group, intent)?;
    Ok(work.watches.change(group, (id, what), ChangeStatus::Pending))
}

/// Two handles are equal if they are for one group of one account.
impl PartialEq for Group {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.client.device() == other.client.device()
    }
}

impl Eq for Group {}

/// Says which group, and nothing of it.
impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Group({:?})", self.id)
    }
}

//! Founding a group.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

use super::suite::CLASSICAL;
use super::{Client, Error, Group, Suite};
use crate::policy::{Floor, Policy};

/// A group that is founded when this is awaited.
#[must_use = "the group is founded when this is awaited"]
pub struct NewGroup {
    client: Client,
    name: String,
    policy: Policy,
    suite: Suite,
    classical: bool,
}

impl NewGroup {
    pub(super) fn new(client: Client, name: String) -> Self {
        let suite = client.inner.suite;
        Self { client, name, policy: Policy::default(), suite, classical: false }
    }

    /// With other rules than the usual ones.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// With other cryptography than the client's favourite.
    pub fn suite(mut self, suite: Suite) -> Self {
        self.suite = suite;
        self
    }

    /// Without any protection from quantum computers, with a floor that allows it. Only a client that
    /// was opened with
    /// [`allow_classical_without_post_quantum_protection`](super::Builder::allow_classical_without_post_quantum_protection)
    /// does this, and only such clients can be invited.
    pub fn classical_without_post_quantum_protection(mut self) -> Self {
        self.classical = true;
        self.policy.floor = Floor::CLASSICAL;
        self
    }

    async fn found(self) -> Result<Group, Error> {
        let Self { client, name, policy, suite, classical } = self;
        if classical && !client.inner.classical {
            return Err(Error::Suite);
        }
        let suite = if classical { CLASSICAL } else { suite.ciphersuite() };
        let id = client
            .desk()
            .write("create group", move |work| {
                let now = work.now();
                Ok(work.engine.create_group(now, &name, suite, policy)?)
            })
            .await?;
        Ok(client.group(id))
    }
}

impl IntoFuture for NewGroup {
    type Output = Result<Group, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.found())
    }
}

/// Prints no name.
impl fmt::Debug for NewGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suite = (!self.classical).then_some(self.suite);
        f.debug_struct("NewGroup").field("suite", &suite).finish_non_exhaustive()
    }
}

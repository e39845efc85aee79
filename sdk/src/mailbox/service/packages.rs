//! Key packages: kept for the owner of a box, given to strangers.

use super::{Service, rate};
use crate::mailbox::capability::BoxId;
use crate::mailbox::error::MailboxError;
use crate::mailbox::list::List;
use crate::mailbox::store::{MailStore, Room};
use crate::mailbox::wire::{Answer, Deposit, MAX_BESIDE_BYTES, Take, Taken};
use crate::wire::{self as envelopes, Question};
use crate::{Time, Topic};

impl<S: MailStore> Service<S> {
    pub(super) async fn deposit(
        &self,
        now: Time,
        id: BoxId,
        deposit: Deposit,
    ) -> Result<Answer, MailboxError> {
        self.record(now, id).await?;
        for package in deposit.one_time.iter().chain(&deposit.last_resort) {
            self.check_length(package.as_slice())?;
        }
        let beside = deposit.beside.iter().map(|answer| answer.as_slice());
        if beside.clone().map(<[u8]>::len).sum::<usize>() > MAX_BESIDE_BYTES {
            return Err(MailboxError::TooLarge);
        }
        for answer in beside {
            self.check_length(answer)?;
        }
        let room = Room {
            count: self.limits.pool_packages as u64,
            bytes: self.limits.pool_bytes,
            total: self.limits.total_bytes,
        };
        self.store.deposit(id, deposit, self.limits.pool_suites, room).await?;
        self.pools(id).await
    }

    pub(super) async fn pools(&self, id: BoxId) -> Result<Answer, MailboxError> {
        let mut pools = self.store.pools(id).await?;
        pools.truncate(List::<(), 256>::MAX);
        Ok(Answer::Pools(List::new(pools).ok_or(MailboxError::TooLarge)?))
    }

    pub(super) async fn give(
        &self,
        now: Time,
        alias: [u8; 16],
        take: &Take,
    ) -> Result<Taken, MailboxError> {
        self.state().takers.take(now, alias, 1).map_err(rate)?;
        self.take(now, take.id, take.suite).await?.ok_or(MailboxError::NoPackage)
    }

    async fn take(&self, now: Time, id: BoxId, suite: u16) -> Result<Option<Taken>, MailboxError> {
        self.record(now, id).await?;
        let spare = self.state().takes.take(now, id, 1).is_err();
        Ok(self.store.take(id, suite, now, spare).await?)
    }

    /// Answers a question that was asked on a topic ([`Transport::ask`]), for devices that are
    /// offline: with what they would answer, from each box that keeps the topic and has key packages.
    ///
    /// Only a question for a key package is answered. One for somebody who is to be in a group *again*
    /// is not: whether the device has left that group since, only the device knows. Neither is that for
    /// the account's devices; it is for the account to say which there are.
    ///
    /// [`Transport::ask`]: crate::transport::Transport::ask
    ///
    /// # Errors
    ///
    /// [`MailboxError::Rate`]; what a box or the store does not have is left out.
    pub async fn asked(
        &self,
        now: Time,
        peer: &[u8],
        topic: Topic,
        question: &[u8],
    ) -> Result<Vec<Vec<u8>>, MailboxError> {
        let Some(Question::KeyPackage(suite)) = envelopes::decode(question) else {
            return Ok(Vec::new());
        };
        let boxes: Vec<_> = self.state().boxes.keeping(&topic).to_vec();
        if boxes.is_empty() {
            return Ok(Vec::new());
        }
        let alias = self.challenges.alias(peer);
        self.state().takers.take(now, alias, 1).map_err(rate)?;
        let (mut packages, mut beside) = (Vec::new(), Vec::new());
        for id in boxes {
            if packages.len() >= self.limits.answers {
                break;
            }
            let Ok(Some(taken)) = self.take(now, id, suite).await else { continue };
            packages.push(Vec::from(taken.package));
            for answer in taken.beside.into_vec().into_iter().map(Vec::from) {
                if !beside.contains(&answer) {
                    beside.push(answer);
                }
            }
        }
        packages.append(&mut beside);
        Ok(packages)
    }
}

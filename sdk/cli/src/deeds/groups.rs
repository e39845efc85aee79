//! Groups and their members.

use std::time::Duration;

use trellis_sdk::{Group, Policy, Role};

use super::{Desk, GroupDeed, RoleName, Waiting};
use crate::failure::Failure;
use crate::find;
use crate::record::{GroupRecord, Record};

/// How much longer than the group's settle time an invitation needs to leave.
const MARGIN: Duration = Duration::from_millis(750);

impl Desk<'_> {
    pub(super) async fn group(&self, deed: GroupDeed) -> Result<(), Failure> {
        match deed {
            GroupDeed::Create { name, suite, open } => {
                let mut policy = Policy::default();
                if open {
                    policy.invite = Role::Member;
                }
                let founding = self.client.create_group(name).suite(suite.into()).policy(policy);
                self.show(&founding.await?).await
            }
            GroupDeed::List { all } => {
                for group in self.client.groups().await? {
                    if all || group.is_active().await? {
                        self.show(&group).await?;
                    }
                }
                Ok(())
            }
            GroupDeed::Show { group } => self.show(&self.find(&group).await?).await,
            GroupDeed::Rename { group, name, waiting } => {
                let change = self.find(&group).await?.rename(name).await?;
                self.follow(&change, waiting, Duration::ZERO).await
            }
            GroupDeed::Migrate { group, suite, waiting } => {
                let group = self.find(&group).await?;
                let change = group.migrate(suite.into()).await?;
                self.follow(&change, waiting, settled(&group).await?).await
            }
            GroupDeed::RotateKeys { group, waiting } => {
                let change = self.find(&group).await?.rotate_keys().await?;
                self.follow(&change, waiting, Duration::ZERO).await
            }
            GroupDeed::Leave { group, waiting } => {
                let change = self.find(&group).await?.leave().await?;
                self.follow(&change, waiting, Duration::ZERO).await
            }
        }
    }

    pub(super) async fn invite(
        &self,
        group: &str,
        accounts: &[String],
        waiting: Waiting,
    ) -> Result<(), Failure> {
        let group = self.find(group).await?;
        // All are looked at before one is invited.
        let accounts: Vec<_> =
            accounts.iter().map(|text| find::address(text)).collect::<Result<_, _>>()?;
        let changes = group.invite_all(&accounts).await?;
        let linger = settled(&group).await?;
        for change in changes {
            self.follow(&change, waiting, linger).await?;
        }
        Ok(())
    }

    pub(super) async fn remove(
        &self,
        group: &str,
        member: &str,
        waiting: Waiting,
    ) -> Result<(), Failure> {
        let group = self.find(group).await?;
        let member = find::member(&group, member).await?;
        self.follow(&group.remove(&member).await?, waiting, Duration::ZERO).await
    }

    pub(super) async fn role(
        &self,
        group: &str,
        member: &str,
        role: RoleName,
        waiting: Waiting,
    ) -> Result<(), Failure> {
        let group = self.find(group).await?;
        let member = find::member(&group, member).await?;
        self.follow(&group.set_role(&member, role.into()).await?, waiting, Duration::ZERO).await
    }

    pub(super) async fn change(
        &self,
        group: &str,
        change: &str,
        waiting: Waiting,
    ) -> Result<(), Failure> {
        let group = self.find(group).await?;
        let change = group.change(find::change(change)?).await?;
        // To look at a change is not to wait for it.
        let waiting = Waiting { no_wait: !waiting.wait, ..waiting };
        self.follow(&change, waiting, Duration::ZERO).await
    }

    pub(super) async fn find(&self, name: &str) -> Result<Group, Failure> {
        find::group(self.client, name).await
    }

    async fn show(&self, group: &Group) -> Result<(), Failure> {
        let record = GroupRecord::of(group, self.client.address()).await?;
        self.emit(Record::Group(Box::new(record)))
    }
}

/// How long it takes until those who are invited hear of it: a Welcome waits for the settle time.
async fn settled(group: &Group) -> Result<Duration, Failure> {
    let settle: Duration = group.policy().await?.settle.into();
    Ok(settle.saturating_add(MARGIN))
}

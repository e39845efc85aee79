//! Welcomes: kept until whom they are for has been heard in the group.

use std::collections::BTreeMap;

use openmls::prelude::KeyPackage;

use super::core::Core;
use super::group::Group;
use super::io::EngineError;
use super::mls;
use super::records::WelcomeRecord;
use crate::identity::LeafIdentity;
use crate::store::Space;
use crate::{DeviceId, Time, wire};

impl Group {
    /// Keeps a Welcome for each of the joiners until it has arrived.
    pub(super) fn keep_welcomes(
        &mut self,
        core: &mut Core,
        now: Time,
        welcome: &[u8],
        joiners: &BTreeMap<Vec<u8>, LeafIdentity>,
    ) -> Result<(), EngineError> {
        let (state, height) = (self.tip().id, self.tip().record.height);
        let tree: Vec<_> = self.tree_envelopes(core, state)?.into_iter().map(Into::into).collect();
        let mut tree = Some(tree);
        for (reference, bytes) in mls::split(welcome).unwrap_or_default() {
            let Some(LeafIdentity { address, device }) = joiners.get(&reference).cloned() else {
                continue;
            };
            let record = WelcomeRecord {
                device,
                address,
                state,
                height,
                bytes: bytes.into(),
                next: now + self.rules.policy.settle,
                tries: 0,
                tree: tree.take().unwrap_or_default(),
            };
            // Others may need the tree of his last one.
            self.drop_welcome(core, &device)?;
            self.welcomes.insert(device, record);
            self.save_welcome(core, &device)?;
        }
        Ok(())
    }

    /// Sends the Welcomes of commits that have settled, again until they have arrived.
    pub(super) fn welcome(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let heard: Vec<_> = self
            .others(core)
            .map(|seat| {
                let heard = self.peers.get(&seat.identity.device).and_then(|peer| peer.heard);
                heard.and_then(|state| self.height(&state)).unwrap_or(0)
            })
            .collect();
        let due: Vec<_> = self
            .welcomes
            .iter()
            .filter(|(_, welcome)| {
                let most = heard.iter().filter(|height| **height >= welcome.height).count() * 2;
                welcome.next <= now || welcome.tries == 0 && most > heard.len()
            })
            .map(|(device, _)| *device)
            .collect();
        for device in due {
            let Some(welcome) = self.welcomes.get_mut(&device) else { continue };
            welcome.tries = welcome.tries.saturating_add(1);
            welcome.next = now + core.config.retry.times(1 << welcome.tries.min(8));
            tracing::debug!(group = ?self.id, ?device, state = ?welcome.state, tries = welcome.tries, "sends a Welcome");
            let state = welcome.state;
            let inbox = wire::Inbox::Welcome(welcome.bytes.clone());
            let topic = core.inbox(&welcome.address.clone());
            core.publish(topic, wire::encode(&inbox));
            self.save_welcome(core, &device)?;
            self.keep_for_joiners(core, state)?;
        }
        Ok(())
    }

    /// A device has been heard in the group, so its Welcome is through.
    pub(super) fn welcome_done(
        &mut self,
        core: &mut Core,
        device: &DeviceId,
    ) -> Result<(), EngineError> {
        let Some(welcome) = self.welcomes.get(device) else { return Ok(()) };
        let heard = self.peers.get(device).and_then(|peer| peer.heard);
        let height = heard.and_then(|state| self.height(&state)).unwrap_or(0);
        if height < welcome.height {
            return Ok(());
        }
        self.drop_welcome(core, device)
    }

    pub(super) fn drop_welcome(
        &mut self,
        core: &mut Core,
        device: &DeviceId,
    ) -> Result<(), EngineError> {
        let Some(gone) = self.welcomes.remove(device) else { return Ok(()) };
        core.store.delete(Space::Welcome, &self.id.0, &device.0)?;
        // The tree is kept with one of those who need it.
        if !gone.tree.is_empty()
            && let Some((next, other)) =
                self.welcomes.iter_mut().find(|(_, other)| other.state == gone.state)
        {
            other.tree = gone.tree;
            let next = *next;
            self.save_welcome(core, &next)?;
        }
        Ok(())
    }
}

/// Who the key packages are of, by their references.
pub(super) fn joiners(
    core: &Core,
    packages: &[KeyPackage],
) -> Result<BTreeMap<Vec<u8>, LeafIdentity>, EngineError> {
    let mut joiners = BTreeMap::new();
    for package in packages {
        let credential = package.leaf_node().credential();
        let (Ok(reference), Ok(identity)) =
            (package.hash_ref(&core.crypto), LeafIdentity::decode(credential.serialized_content()))
        else {
            continue;
        };
        joiners.insert(reference.as_slice().to_vec(), identity);
    }
    Ok(joiners)
}

//! Bindings on their way: given to who lacks them, taken, and asked for.

use super::core::Core;
use super::group::Group;
use super::io::{EngineError, Event};
use super::talk::Matter;
use crate::wire::{Kind, Request};
use crate::{DeviceId, StateId, Time};

/// How many bindings one asks for at a time.
pub(super) const BINDINGS: usize = 16;

impl Group {
    /// Publishes a binding for those who know a state.
    pub(super) fn publish_binding(
        &mut self,
        core: &mut Core,
        device: &DeviceId,
        under: &StateId,
    ) -> Result<(), EngineError> {
        let Some(binding) = core.binding_bytes(device)? else { return Ok(()) };
        let key = self.beacon_key(under);
        let tip = self.tip().id;
        for envelope in core.seal(&key, &self.record.topic, tip, Kind::Binding, &binding)? {
            core.publish(self.record.topic, envelope);
        }
        Ok(())
    }

    pub(super) fn take_binding(
        &mut self,
        core: &mut Core,
        now: Time,
        payload: &[u8],
    ) -> Result<(), EngineError> {
        let Some((device, news)) = core.learn_binding(payload)? else { return Ok(()) };
        self.answers.retain(|matter, _| !matches!(matter, Matter::Binding(d, _) if *d == device));
        if !news {
            return Ok(());
        }
        if let Some(seat) = self.seat(&device) {
            let account = seat.identity.address;
            core.tell(Event::Verified { group: self.id, account });
        }
        self.unbound.remove(&device);
        self.retry_parked(core, now)?;
        self.ask_for_more_bindings(core, now)
    }

    /// Asks for further bindings when most of those have come that were asked for last.
    fn ask_for_more_bindings(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let mut lacking = self.parked_lack();
        if lacking.is_empty() {
            lacking.clone_from(&self.unbound);
        }
        let retry = core.config.retry;
        let asked = |device: &&DeviceId| {
            let asked = self.asked.get(&Matter::Lacking(**device));
            asked.is_some_and(|at| now.since(*at) < retry)
        };
        if lacking.iter().filter(asked).count() > BINDINGS / 2 {
            return Ok(());
        }
        self.ask_for_bindings(core, now, &lacking.into_iter().collect::<Vec<_>>())
    }

    /// Asks for the bindings of devices.
    pub(super) fn ask_for_bindings(
        &mut self,
        core: &mut Core,
        now: Time,
        devices: &[DeviceId],
    ) -> Result<(), EngineError> {
        let wanted: Vec<_> = devices
            .iter()
            .copied()
            .filter(|device| self.once_per(Matter::Lacking(*device), now, core.config.retry))
            .take(BINDINGS)
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let root = self.root().id;
        self.ask(core, now, root, &Request::Bindings(wanted))
    }

    /// Asks for the bindings of members that have none.
    pub(super) fn lack_bindings(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let devices: Vec<_> = self.others(core).map(|seat| seat.identity.device).collect();
        let mut lacking = Vec::new();
        for device in devices {
            if !core.binding(&device)? {
                lacking.push(device);
            }
        }
        self.unbound = lacking.iter().copied().collect();
        self.ask_for_bindings(core, now, &lacking)
    }
}

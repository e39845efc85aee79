//! Members who were brought in and have never been heard.
//!
//! Only who brings somebody in has his Welcome, and may vanish with it. So the others, one now and
//! then, ask the device for a new key package, and add it anew with the next commit. Who has his
//! Welcome and is not here yet is added twice by that, which does no harm: the later counts.

use super::core::Core;
use super::group::Group;
use super::io::EngineError;
use super::talk::Matter;
use crate::{Address, DeviceId, Span, Time};

/// How many heartbeats somebody has time to come in after his Welcome was made.
const TIME: u64 = 12;
/// For how many heartbeats another counts as heard.
const LATELY: u64 = 4;
/// How long a key package of his is good for.
const GOOD: Span = Span::seconds(30);
/// The pauses between questions grow with the time since he was added.
const PAUSE: u64 = 4;

impl Group {
    /// Asks for a key package of one member who has never been heard.
    pub(super) fn ask_absent(&mut self, core: &mut Core, now: Time) -> Result<(), EngineError> {
        let pause = self.heartbeat(core).times(TIME);
        let me = core.me.identity.device;
        // Who hears nobody is the one who is missing.
        let lately = self.heartbeat(core).times(LATELY);
        let alone = !self.peers.values().any(|peer| now.since(peer.heard_at) < lately);
        if alone || self.record.following.is_some() {
            return Ok(());
        }
        let mut absent = Vec::new();
        for seat in self.seats.iter().filter(|seat| seat.identity.device != me) {
            let device = seat.identity.device;
            if self.is_absent(&device) && !self.leaves(seat) {
                let since = *self.came_over.entry(device).or_insert(now);
                absent.push((since, seat.identity.address, device, seat.stay));
            }
        }
        absent.sort_unstable();
        for (since, address, device, stay) in absent {
            let age = now.since(since);
            let pause = Span(pause.0.max(age.0 / PAUSE));
            if age < pause || !self.once_per(Matter::Absent(device), now, pause) {
                continue;
            }
            tracing::debug!(group = ?self.id, ?device, "asks for a member who was never heard");
            let stays: Vec<_> =
                stay.iter().map(|number| core.stay(self.id, &device, *number)).collect();
            return core.ask_key_package(&address, self.record.suite, &stays);
        }
        Ok(())
    }

    /// Whether a device has been added and never heard.
    fn is_absent(&self, device: &DeviceId) -> bool {
        let peer = self.peers.get(device).filter(|_| self.seat(device).is_some());
        peer.is_some_and(|peer| !peer.was_heard())
    }

    /// A key package of somebody who may be one of them.
    pub(super) fn take_absent(
        &mut self,
        now: Time,
        (address, device): (&Address, &DeviceId),
        key_package: &[u8],
    ) {
        let asked = self.asked.get(&Matter::Absent(*device));
        let lately = asked.is_some_and(|at| now.since(*at) < GOOD);
        let his = self.seat(device).is_some_and(|seat| seat.identity.address == *address);
        if lately && his && self.is_absent(device) && self.is_active() {
            self.rejoins.insert(*device, (now + GOOD, key_package.to_vec()));
            self.plan_at(now);
        }
    }
}

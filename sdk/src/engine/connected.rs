//! The network is there, for the first time or again: this device says where it stands, so that others
//! give it what it has missed, and it need not wait for the next time that it would say so anyway.

use super::{Engine, EngineError};
use crate::{GroupId, Span, Time};

/// How long the network has to be there before its being there again is worth a word. Who comes and goes
/// must not make others talk.
const PAUSE: Span = Span::seconds(2);

impl Engine {
    /// The network can be reached: says soon where this device stands in its groups.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn connected(&mut self, now: Time) -> Result<(), EngineError> {
        // Later than this it can't be, unless the clock was put back.
        let stands = if self.stands > now + PAUSE.times(2) { now } else { self.stands };
        if stands > now + PAUSE {
            // It is going to say so already.
            return Ok(());
        }
        let from = now.max(stands);
        self.stands = from + PAUSE;
        // Not all at once, if there are many: no more than it says anyway.
        let config = &self.core.config;
        let groups = self.groups.len() as u64;
        let within = config.acknowledge.times(groups).min(config.heartbeat);
        let groups: Vec<GroupId> = self.groups.keys().copied().collect();
        self.step(|engine| {
            for id in groups {
                engine.with_group(now, id, |group, core| {
                    group.next_beacon = group.next_beacon.min(core.soon(from, within)?);
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        self.tick(now)
    }
}

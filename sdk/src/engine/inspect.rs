//! What a simulation looks at in an engine and no user does.

use super::Engine;
use super::group::Group;
use super::io::EngineError;
use super::records::{GroupRecord, StateRecord, Status};
use crate::store::{Space, Store};
use crate::{GroupId, StateId, wire};

/// Bytes of a secret: as many as nobody guesses, and few enough to be looked for quickly.
pub(crate) type Mark = [u8; 16];

/// The entry of a snapshot with the secrets that the whole key schedule of a state hangs on.
const EPOCH_SECRETS: u8 = 0x14;

/// The entry with the resumption keys of this state and of states before it. They open nothing, and
/// OpenMLS keeps the last 32 for a group's founder whatever it is told.
const RESUMPTION_KEYS: u8 = 0x16;

/// How many different bytes a piece of an entry has at least if most of it is secret and not format.
const RANDOM: usize = 12;

impl Engine {
    /// The states of a group that this client holds, from the newest final one to the newest; none
    /// once it is out.
    pub(crate) fn window(&self, id: GroupId) -> Result<Vec<StateId>, EngineError> {
        let here = |status| matches!(status, Status::Active | Status::Leaving);
        if let Some(Some(group)) = self.groups.get(&id) {
            let chain = group.chain.iter().filter(|state| state.record.inside == 1);
            let window = chain.map(|state| state.id).collect();
            return Ok(if here(group.record.status) { window } else { Vec::new() });
        }
        // It is not in memory.
        let record = self.core.store.get(Space::Group, &[], &id.0)?;
        let record: Option<GroupRecord> = record.and_then(|record| wire::decode(&record));
        let mut window = Vec::new();
        if record.is_some_and(|record| here(record.status)) {
            for (name, state) in self.core.store.scan(Space::State, &id.0)? {
                if let Some(state) = wire::decode::<StateRecord>(&state)
                    && state.inside == 1
                    && let Some(name) = StateId::from_slice(&name)
                {
                    window.push((state.height, name));
                }
            }
        }
        window.sort_unstable();
        Ok(window.into_iter().map(|(_, name)| name).collect())
    }

    /// Bytes that only who holds the keys of a state has: of the key of its envelopes, of what
    /// decides its races, and of the secrets of its epoch. Nothing for a state without keys.
    ///
    /// The key of beacons is not among them, nor is a resumption key that OpenMLS keeps: they protect no
    /// content and are meant to outlive the state.
    pub(crate) fn marks(
        &mut self,
        group: GroupId,
        state: StateId,
    ) -> Result<Vec<Mark>, EngineError> {
        let Some(Some(in_memory)) = self.groups.get(&group) else { return Ok(Vec::new()) };
        let Some(keys) = keys(in_memory, &state) else { return Ok(Vec::new()) };
        let entries =
            self.core.with(group, state, |_, snapshot| Ok(snapshot.storage().entries()))??;
        let of = |label: u8| entries.iter().filter(move |entry| entry.key.first() == Some(&label));
        let kept = |mark: &Mark| {
            of(RESUMPTION_KEYS)
                .any(|entry| entry.value.windows(mark.len()).any(|kept| kept == mark))
        };
        let pieces =
            of(EPOCH_SECRETS).flat_map(|entry| entry.value.chunks_exact(size_of::<Mark>()));
        let marks = pieces.filter_map(|piece| piece.try_into().ok());
        let marks = marks.filter(|mark| is_random(mark) && !kept(mark));
        Ok(keys.into_iter().chain(marks).collect())
    }

    /// The store, to look at.
    pub(crate) fn store(&self) -> &Store {
        &self.core.store
    }

    /// Whether nothing has been deleted that is still to be written over.
    pub(crate) fn is_erased(&self) -> bool {
        self.core.next_erasure().is_none()
    }
}

/// The beginnings of a state's own keys.
fn keys(group: &Group, state: &StateId) -> Option<Vec<Mark>> {
    let state = group.chain.iter().find(|other| other.id == *state)?;
    let keys = [&state.record.keys.envelope, &state.record.keys.rank];
    let begin = |key: &[u8; 32]| key.first_chunk().copied();
    (state.record.inside == 1).then(|| keys.into_iter().filter_map(begin).collect())
}

fn is_random(mark: &Mark) -> bool {
    let mut bytes = *mark;
    bytes.sort_unstable();
    1 + bytes.windows(2).filter(|pair| pair[0] != pair[1]).count() >= RANDOM
}

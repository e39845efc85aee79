//! What the methods of the trait consist of.
//!
//! Each encodes first and then changes the map under one lock, so that a value that cannot be
//! encoded changes nothing, and so that no foreign code runs while the map is locked for writing.

use serde::{Serialize, de::DeserializeOwned};

use super::{
    TrellisStorage, error::StorageError, kv::MalformedList, label::Label, secret::SecretBytes,
};

type Result<T> = std::result::Result<T, StorageError>;

impl TrellisStorage {
    /// Stores the value of this kind that belongs to `key`.
    pub(super) fn write<const VERSION: u16>(
        &self,
        label: Label,
        key: &impl Serialize,
        value: &impl Serialize,
    ) -> Result<()> {
        self.write_at(label, label.key::<VERSION>(key)?, value)
    }

    /// Reads the value of this kind that belongs to `key`.
    pub(super) fn read<const VERSION: u16, T: DeserializeOwned>(
        &self,
        label: Label,
        key: &impl Serialize,
    ) -> Result<Option<T>> {
        self.read_at(label, &label.key::<VERSION>(key)?)
    }

    /// Removes the value, or list, of this kind that belongs to `key`, if there is one.
    pub(super) fn delete<const VERSION: u16>(
        &self,
        label: Label,
        key: &impl Serialize,
    ) -> Result<()> {
        self.delete_at(&label.key::<VERSION>(key)?);
        Ok(())
    }

    /// Adds an item to the list of this kind that belongs to `key`.
    pub(super) fn append<const VERSION: u16>(
        &self,
        label: Label,
        key: &impl Serialize,
        item: &impl Serialize,
    ) -> Result<()> {
        let key = label.key::<VERSION>(key)?;
        let item = encoded(label, item)?;
        self.store.write().append(key, item.as_slice());
        Ok(())
    }

    /// Reads the list of this kind that belongs to `key`.
    pub(super) fn list<const VERSION: u16, T: DeserializeOwned>(
        &self,
        label: Label,
        key: &impl Serialize,
    ) -> Result<Vec<T>> {
        let key = label.key::<VERSION>(key)?;
        let entries = self.store.read();
        entries
            .items(key.as_slice())
            .map(|item| label.decode(item.map_err(malformed(label))?))
            .collect()
    }

    /// [`write`](Self::write) under a finished key.
    pub(super) fn write_at(
        &self,
        label: Label,
        key: SecretBytes,
        value: &(impl Serialize + ?Sized),
    ) -> Result<()> {
        let mut buffer = self.store.buffer(key.as_slice());
        label.encode(value, &mut buffer)?;
        self.store.write().put(key, buffer);
        Ok(())
    }

    /// [`read`](Self::read) under a finished key.
    pub(super) fn read_at<T: DeserializeOwned>(
        &self,
        label: Label,
        key: &SecretBytes,
    ) -> Result<Option<T>> {
        let entries = self.store.read();
        entries.get(key.as_slice()).map(|value| label.decode(value)).transpose()
    }

    /// [`delete`](Self::delete) under a finished key.
    pub(super) fn delete_at(&self, key: &SecretBytes) {
        self.store.write().remove(key.as_slice());
    }
}

/// The queue of proposals of a group: each proposal is an entry of its own under the group and the
/// proposal's reference, and a list keeps the references in order.
impl TrellisStorage {
    pub(super) fn enqueue<const VERSION: u16>(
        &self,
        group_id: &impl Serialize,
        reference: &impl Serialize,
        proposal: &impl Serialize,
    ) -> Result<()> {
        let queue = Label::ProposalQueue.key::<VERSION>(group_id)?;
        let key = proposal_key::<VERSION>(group_id, reference)?;
        let reference = encoded(Label::ProposalQueue, reference)?;
        let proposal = encoded(Label::QueuedProposal, proposal)?;
        let mut entries = self.store.write();
        entries.put(key, proposal);
        entries.append(queue, reference.as_slice());
        Ok(())
    }

    pub(super) fn queue<const VERSION: u16, R: DeserializeOwned, P: DeserializeOwned>(
        &self,
        group_id: &impl Serialize,
    ) -> Result<Vec<(R, P)>> {
        let queue = Label::ProposalQueue.key::<VERSION>(group_id)?;
        let prefix = Label::QueuedProposal.key::<VERSION>(group_id)?;
        let entries = self.store.read();
        entries
            .items(queue.as_slice())
            .map(|reference| {
                let reference = reference.map_err(malformed(Label::ProposalQueue))?;
                let proposal = entries
                    .get(joined(&prefix, reference).as_slice())
                    .ok_or(StorageError::MissingProposal)?;
                let reference = Label::ProposalQueue.decode(reference)?;
                Ok((reference, Label::QueuedProposal.decode(proposal)?))
            })
            .collect()
    }

    pub(super) fn dequeue<const VERSION: u16>(
        &self,
        group_id: &impl Serialize,
        reference: &impl Serialize,
    ) -> Result<()> {
        let queue = Label::ProposalQueue.key::<VERSION>(group_id)?;
        let key = proposal_key::<VERSION>(group_id, reference)?;
        let reference = encoded(Label::ProposalQueue, reference)?;
        let mut entries = self.store.write();
        entries
            .remove_item(queue.as_slice(), reference.as_slice())
            .map_err(malformed(Label::ProposalQueue))?;
        entries.remove(key.as_slice());
        Ok(())
    }

    pub(super) fn clear_queue<const VERSION: u16>(&self, group_id: &impl Serialize) -> Result<()> {
        let queue = Label::ProposalQueue.key::<VERSION>(group_id)?;
        let prefix = Label::QueuedProposal.key::<VERSION>(group_id)?;
        let mut entries = self.store.write();
        // The references need no decoding: the end of a proposal's key is its reference's encoding.
        let keys: Vec<_> = entries
            .items(queue.as_slice())
            .map(|reference| reference.map(|reference| joined(&prefix, reference)))
            .collect::<std::result::Result<_, _>>()
            .map_err(malformed(Label::ProposalQueue))?;
        for key in keys {
            entries.remove(key.as_slice());
        }
        entries.remove(queue.as_slice());
        Ok(())
    }
}

/// The key of the HPKE key pairs that a member holds in an epoch.
pub(super) fn epoch_key<const VERSION: u16>(
    group_id: &impl Serialize,
    epoch: &impl Serialize,
    leaf_index: u32,
) -> Result<SecretBytes> {
    let label = Label::EpochKeyPairs;
    let key = label.extend_key(label.key::<VERSION>(group_id)?, epoch)?;
    label.extend_key(key, &leaf_index)
}

/// The key of a queued proposal.
fn proposal_key<const VERSION: u16>(
    group_id: &impl Serialize,
    reference: &impl Serialize,
) -> Result<SecretBytes> {
    Label::QueuedProposal.extend_key(Label::QueuedProposal.key::<VERSION>(group_id)?, reference)
}

/// A key that goes on with a part that is encoded already.
fn joined(key: &SecretBytes, part: &[u8]) -> SecretBytes {
    let mut joined = SecretBytes::with_capacity(key.len() + part.len());
    joined.extend_from_slice(key.as_slice());
    joined.extend_from_slice(part);
    joined
}

/// The encoding of a value that replaces none.
pub(super) fn encoded(label: Label, value: &impl Serialize) -> Result<SecretBytes> {
    let mut buffer = SecretBytes::default();
    label.encode(value, &mut buffer)?;
    Ok(buffer)
}

fn malformed(label: Label) -> impl Fn(MalformedList) -> StorageError {
    move |MalformedList| StorageError::MalformedList { entry: label.name() }
}

//! The operations of the virtual clients draft that touch several entries.
//!
//! For a key package that a virtual client uploaded, its siblings retain what they need to process a
//! Welcome. An entry of its own says which emulation epoch that material came from, so that the
//! epoch's state can be kept as long as there is any.

use serde::Serialize;

use super::{
    TrellisStorage, error::StorageError, kv::Entries, label::Label, operations::encoded,
    secret::SecretBytes,
};

type Result<T> = std::result::Result<T, StorageError>;

impl TrellisStorage {
    /// Stores the tree and the materials, and which epoch they belong to.
    pub(super) fn retain<const VERSION: u16>(
        &self,
        epoch_id: &impl Serialize,
        operation_tree: &impl Serialize,
        materials: &[(impl Serialize, impl Serialize)],
    ) -> Result<()> {
        let mut batch = Vec::with_capacity(1 + 2 * materials.len());
        batch.push((
            Label::VcOperationTree.key::<VERSION>(epoch_id)?,
            encoded(Label::VcOperationTree, operation_tree)?,
        ));
        for (hash_ref, material) in materials {
            batch.push((
                Label::RetainedKeyPackageMaterial.key::<VERSION>(hash_ref)?,
                encoded(Label::RetainedKeyPackageMaterial, material)?,
            ));
            batch.push((
                Label::RetainedKeyPackageEpoch.key::<VERSION>(hash_ref)?,
                encoded(Label::RetainedKeyPackageEpoch, epoch_id)?,
            ));
        }
        let mut entries = self.store.write();
        for (key, value) in batch {
            entries.put(key, value);
        }
        Ok(())
    }

    /// Whether any material of the epoch is retained.
    pub(super) fn retains<const VERSION: u16>(&self, epoch_id: &impl Serialize) -> Result<bool> {
        let epoch = encoded(Label::RetainedKeyPackageEpoch, epoch_id)?;
        Ok(references::<VERSION>(&self.store.read(), &epoch))
    }

    /// Deletes the epoch's state and tree, unless material of the epoch is retained, and says
    /// whether it did.
    pub(super) fn delete_epoch_unless_retained<const VERSION: u16>(
        &self,
        epoch_id: &impl Serialize,
    ) -> Result<bool> {
        let epoch = encoded(Label::RetainedKeyPackageEpoch, epoch_id)?;
        let state = Label::VcEmulationEpochState.key::<VERSION>(epoch_id)?;
        let tree = Label::VcOperationTree.key::<VERSION>(epoch_id)?;
        let mut entries = self.store.write();
        if references::<VERSION>(&entries, &epoch) {
            return Ok(false);
        }
        entries.remove(state.as_slice());
        entries.remove(tree.as_slice());
        Ok(true)
    }

    /// Deletes the entries of several kinds that belong to one key.
    pub(super) fn delete_all<const VERSION: u16>(
        &self,
        labels: impl IntoIterator<Item = Label>,
        key: &impl Serialize,
    ) -> Result<()> {
        let keys = labels
            .into_iter()
            .map(|label| label.key::<VERSION>(key))
            .collect::<Result<Vec<_>>>()?;
        let mut entries = self.store.write();
        for key in keys {
            entries.remove(key.as_slice());
        }
        Ok(())
    }
}

/// Whether an entry says that its material came from the epoch.
fn references<const VERSION: u16>(entries: &Entries, epoch: &SecretBytes) -> bool {
    entries
        .values_under(&Label::RetainedKeyPackageEpoch.prefix::<VERSION>())
        .any(|tagged| tagged == epoch.as_slice())
}

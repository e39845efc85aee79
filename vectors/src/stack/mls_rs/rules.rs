//! How commits and messages are made.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ::mls_rs::MlsRules;
use ::mls_rs::client_builder::PaddingMode;
use ::mls_rs::group::{GroupContext, Roster};
use ::mls_rs::mls_rules::{
    CommitDirection, CommitOptions, CommitSource, EncryptionOptions, ProposalBundle,
};

use crate::stack::Wire;

/// The rules of one client. Its groups have clones, which share the choice of a path.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    wire: Wire,
    path: Arc<AtomicBool>,
}

impl Rules {
    pub(super) fn new(wire: Wire) -> Self {
        Self { wire, path: Arc::default() }
    }

    /// Whether the next commits have a path where none is required.
    pub(super) fn set_path(&self, path: bool) {
        self.path.store(path, Ordering::Relaxed);
    }
}

impl MlsRules for Rules {
    type Error = Infallible;

    fn filter_proposals(
        &self,
        _: CommitDirection,
        _: CommitSource,
        _: &Roster<'_>,
        _: &GroupContext,
        proposals: ProposalBundle,
    ) -> Result<ProposalBundle, Infallible> {
        Ok(proposals)
    }

    /// One Welcome for all, whose GroupInfo has the ratchet tree.
    fn commit_options(
        &self,
        _: &Roster<'_>,
        _: &GroupContext,
        _: &ProposalBundle,
    ) -> Result<CommitOptions, Infallible> {
        Ok(CommitOptions::new()
            .with_path_required(self.path.load(Ordering::Relaxed))
            .with_ratchet_tree_extension(true)
            .with_single_welcome_message(true))
    }

    fn encryption_options(
        &self,
        _: &Roster<'_>,
        _: &GroupContext,
    ) -> Result<EncryptionOptions, Infallible> {
        Ok(EncryptionOptions::new(self.wire == Wire::Private, PaddingMode::None))
    }
}

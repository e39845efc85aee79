//! A group in which one commit added everyone.

use std::ops::ControlFlow;
use std::sync::Arc;

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::*;
use openmls_traits::types::Ciphersuite;

use super::{Maker, capabilities, key_package, message, process, update};
use crate::group::{Clock, Life, MESSAGES, Observer, Operation};

/// The life of such a group.
pub(crate) struct Fresh<M> {
    suite: Ciphersuite,
    maker: M,
    /// The key packages of all but the creator and the one who joins.
    others: Arc<[KeyPackage]>,
    tree: TreeDelivery,
}

/// Where who joins finds the ratchet tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TreeDelivery {
    /// In the encrypted GroupInfo, as applications do that have no better place.
    InGroupInfo,
    /// Beside the Welcome.
    Beside,
}

impl<M: Maker> Fresh<M> {
    pub(crate) fn new(
        suite: Ciphersuite,
        maker: M,
        others: Arc<[KeyPackage]>,
        tree: TreeDelivery,
    ) -> Self {
        Self { suite, maker, others, tree }
    }

    fn run(&self, mut clock: Clock<'_>) -> ControlFlow<()> {
        let suite = self.suite;
        let in_group_info = self.tree == TreeDelivery::InGroupInfo;
        let (creator, joiner) = (self.maker.member("creator"), self.maker.member("joiner"));
        let mut group = MlsGroup::builder()
            .ciphersuite(suite)
            .with_capabilities(capabilities(suite))
            .use_ratchet_tree_extension(in_group_info)
            .build(&creator.provider, &creator.signer, creator.credential.clone())
            .expect("a group");

        let package = clock.once(
            Operation::KeyPackage,
            || key_package(suite, &joiner),
            |package| bytes(&package.clone().into()),
        )?;

        let packages: Vec<_> = self.others.iter().cloned().chain([package]).collect();
        let (_, welcome) = clock.once(
            Operation::Add,
            || {
                let (commit, welcome, _) = group
                    .add_members(&creator.provider, &creator.signer, &packages)
                    .expect("an addition");
                group.merge_pending_commit(&creator.provider).expect("a pending commit");
                let bytes = |message: MlsMessageOut| message.to_bytes().expect("a message");
                (bytes(commit), bytes(welcome))
            },
            |(commit, welcome)| commit.len() + welcome.len(),
        )?;
        drop(packages);

        let tree = (!in_group_info).then(|| group.export_ratchet_tree());
        let config =
            MlsGroupJoinConfig::builder().use_ratchet_tree_extension(in_group_info).build();
        let mut joined = clock.once(
            Operation::Join,
            || {
                let welcome = MlsMessageIn::tls_deserialize_exact(&welcome).expect("a Welcome");
                let MlsMessageBodyIn::Welcome(welcome) = welcome.extract() else {
                    panic!("no Welcome")
                };
                StagedWelcome::new_from_welcome(
                    &joiner.provider,
                    &config,
                    welcome,
                    tree.map(Into::into),
                )
                .and_then(|staged| staged.into_group(&joiner.provider))
                .expect("a valid Welcome")
            },
            |_| 0,
        )?;

        let commit =
            clock.once(Operation::UpdateFresh, || update(&mut group, &creator), Vec::len)?;
        clock.once(
            Operation::ProcessFresh,
            || process(&mut joined, &joiner.provider, &commit),
            |()| 0,
        )?;

        for (send, receive, bytes, count) in MESSAGES {
            let texts = vec![vec![b'x'; bytes]; count as usize];
            let sent = clock.each(
                send,
                &texts,
                |text| {
                    let sent = group.create_message(&creator.provider, &creator.signer, text);
                    sent.expect("a message").to_bytes().expect("a message")
                },
                Vec::len,
            )?;
            clock.each(
                receive,
                &sent,
                |bytes| joined.process_message(&joiner.provider, message(bytes)).expect("a text"),
                |_| 0,
            )?;
        }

        let last = joined.own_leaf_index();
        clock.once(
            Operation::Remove,
            || {
                let (commit, _, _) = group
                    .remove_members(&creator.provider, &creator.signer, &[last])
                    .expect("a removal");
                group.merge_pending_commit(&creator.provider).expect("a pending commit");
                commit.to_bytes().expect("a commit")
            },
            Vec::len,
        )?;
        ControlFlow::Continue(())
    }
}

impl<M: Maker> Life for Fresh<M> {
    fn live(&mut self, observer: &mut dyn Observer) {
        // Stopping early is not an outcome.
        let _ = self.run(Clock(observer));
    }
}

fn bytes(message: &MlsMessageOut) -> usize {
    message.to_bytes().expect("a message").len()
}

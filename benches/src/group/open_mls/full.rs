//! A group in which everyone has committed.

use std::ops::ControlFlow;

use openmls::prelude::tls_codec::Deserialize;
use openmls::prelude::*;
use openmls_traits::signatures::Signer;
use openmls_traits::types::Ciphersuite;

use super::{Maker, Member, capabilities, process, update};
use crate::group::{Clock, Life, Observer};

/// The life of such a group, of which two members are at hand. It goes on where it stopped.
pub(crate) struct Full<M: Maker> {
    committer: (Member<M::Provider, M::Signer>, MlsGroup),
    receiver: (Member<M::Provider, M::Signer>, MlsGroup),
}

impl<M: Maker> Full<M> {
    /// One member founds a group, or joins one in which everyone has committed, and then another
    /// joins; both by external commits, which leave the tree as full as it was.
    pub(crate) fn new(suite: Ciphersuite, maker: &M, before: Option<&[u8]>) -> Self {
        let (committer, receiver) = (maker.member("committer"), maker.member("receiver"));
        let mut group = match before {
            Some(before) => external_join(suite, &committer, before).0,
            None => found(suite, &committer),
        };
        let (joined, commit) = external_join(suite, &receiver, &export(&group, &committer));
        process(&mut group, &committer.provider, &commit);
        Self { committer: (committer, group), receiver: (receiver, joined) }
    }

    fn run(&mut self, mut clock: Clock<'_>) -> ControlFlow<()> {
        let (committer, group) = &mut self.committer;
        let (receiver, joined) = &mut self.receiver;
        clock.update_and_process(
            || update(group, committer),
            |commit| process(joined, &receiver.provider, commit),
        )
    }
}

impl<M: Maker> Life for Full<M> {
    fn live(&mut self, observer: &mut dyn Observer) {
        // Stopping early is not an outcome.
        let _ = self.run(Clock(observer));
    }
}

/// A group of `members`, made of as many external commits: its GroupInfo.
pub(crate) fn grow<M: Maker>(suite: Ciphersuite, maker: &M, members: usize) -> Vec<u8> {
    let founder = maker.member("member 0");
    let group = found(suite, &founder);
    (1..members).fold(export(&group, &founder), |info, index| {
        let member = maker.member(&format!("member {index}"));
        let (group, _) = external_join(suite, &member, &info);
        export(&group, &member)
    })
}

pub(crate) fn found<P: OpenMlsProvider, S: Signer>(
    suite: Ciphersuite,
    founder: &Member<P, S>,
) -> MlsGroup {
    MlsGroup::builder()
        .ciphersuite(suite)
        .with_capabilities(capabilities(suite))
        .use_ratchet_tree_extension(true)
        .build(&founder.provider, &founder.signer, founder.credential.clone())
        .expect("a group")
}

pub(crate) fn export<P: OpenMlsProvider, S: Signer>(
    group: &MlsGroup,
    member: &Member<P, S>,
) -> Vec<u8> {
    let info = group.export_group_info(member.provider.crypto(), &member.signer, true);
    info.expect("a GroupInfo").to_bytes().expect("a GroupInfo")
}

/// Joins by an external commit.
pub(crate) fn external_join<P: OpenMlsProvider, S: Signer>(
    suite: Ciphersuite,
    member: &Member<P, S>,
    group_info: &[u8],
) -> (MlsGroup, Vec<u8>) {
    let info = MlsMessageIn::tls_deserialize_exact(group_info).expect("a GroupInfo");
    let MlsMessageBodyIn::GroupInfo(info) = info.extract() else { panic!("no GroupInfo") };
    let (group, bundle) = MlsGroup::external_commit_builder()
        .with_config(MlsGroupJoinConfig::builder().use_ratchet_tree_extension(true).build())
        .build_group(&member.provider, info, member.credential.clone())
        .expect("a group to join")
        .leaf_node_parameters(
            LeafNodeParameters::builder().with_capabilities(capabilities(suite)).build(),
        )
        .load_psks(member.provider.storage())
        .expect("no pre-shared keys")
        .build(member.provider.rand(), member.provider.crypto(), &member.signer, |_| true)
        .expect("a commit")
        .finalize(&member.provider)
        .expect("a group");
    (group, bundle.into_commit().to_bytes().expect("a commit"))
}

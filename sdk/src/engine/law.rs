//! Which commits a group's rules allow.
//!
//! Every member judges every commit by nothing but the commit, its parent state and the bindings
//! that the commit names by their hash. So all members judge alike, and a commit that breaks the
//! rules never wins anywhere.

use std::collections::{BTreeMap, BTreeSet};

use openmls::prelude::{Extensions, GroupContext, Proposal, QueuedProposal, Sender};
use openmls_traits::types::{Ciphersuite, SignatureScheme};
use openmls_trellis_crypto::Downgrade;

use super::io::Changed;
use super::mls::{Proposed, Refused, Seat};
use super::rule::Class;
use super::rules::GroupRules;
use super::stay;
use crate::identity::{LeafIdentity, VerifiedBinding, check_leaf};
use crate::policy::{Right, Role};
use crate::wire::Leave;
use crate::{Address, DeviceId};

/// The most members of a group.
pub(crate) const MAX_MEMBERS: usize = 4096;

/// Why a commit is not allowed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Objection {
    /// It breaks MLS.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It breaks the group's rules.
    #[error("{0}")]
    Unlawful(&'static str),
    /// It breaks the group's hybrid_policy.
    #[error(transparent)]
    Downgrade(#[from] Downgrade),
    /// The bindings of these devices are needed to judge it.
    #[error("the bindings of {} devices are not known", .0.len())]
    Unknown(Vec<DeviceId>),
}

/// What a commit does.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) leaf: u32,
    pub(super) by: LeafIdentity,
    pub(super) class: Class,
    pub(super) changes: Vec<Changed>,
    /// The words of those who leave by it.
    pub(super) words: Vec<Leave>,
}

/// Checks a condition that the rules of a group make.
fn demand(holds: bool, otherwise: &'static str) -> Result<(), Objection> {
    if holds { Ok(()) } else { Err(Objection::Unlawful(otherwise)) }
}

/// The members before and after, as far as a commit changes them.
struct Moves {
    added: Vec<LeafIdentity>,
    removed: Vec<LeafIdentity>,
    /// Those among `removed` who asked for it.
    left: BTreeMap<DeviceId, Leave>,
    /// Those among both.
    over: BTreeSet<DeviceId>,
}

/// What a commit does, if it is allowed.
pub(super) fn judge(
    proposed: &Proposed<'_>,
    binding: &dyn Fn(&DeviceId) -> Option<VerifiedBinding>,
) -> Result<Facts, Objection> {
    let roster = proposed.parent.roster();
    let before = proposed.parent.rules()?;
    let seat = |leaf: u32| roster.iter().find(|seat| seat.leaf == leaf);
    let by = seat(proposed.committer)
        .ok_or(Objection::Unlawful("a committer who is no member"))?
        .clone();

    let scheme = proposed.parent.suite().signature_algorithm();
    let moves = moves(proposed, &by, scheme, &roster, binding)?;
    own_leaf_unchanged(proposed, &by)?;

    let after = GroupRules::from_extensions(proposed.commit.group_context().extensions())
        .ok_or(Objection::Unlawful("rules that break their format"))?;
    let extensions = proposed.commit.group_context().extensions();
    let same = same_types(proposed.parent.extensions(), extensions);
    demand(same, "other extensions than the group's rules changed")?;

    let me = by.identity.address;
    let mut changes = Vec::new();
    for added in &moves.added {
        let own = added.address == me;
        let over = moves.over.contains(&added.device);
        demand(own || over || before.allows(&me, Right::Invite), "inviting is not allowed")?;
        changes.push(if over {
            Changed::CameOver(added.address, added.device)
        } else {
            Changed::Added(added.address, added.device)
        });
    }
    let mut class = Class::Ordinary;
    for removed in &moves.removed {
        if moves.over.contains(&removed.device) {
            continue;
        }
        if !moves.left.contains_key(&removed.device) {
            let lower = before.role(&removed.address) < before.role(&me);
            let own = removed.address == me;
            demand(
                own || lower && before.allows(&me, Right::Remove),
                "removing this member is not allowed",
            )?;
            class = Class::Removal;
        }
        changes.push(Changed::Removed(removed.address, removed.device));
    }

    let accounts = accounts_after(&roster, &moves);
    demand(accounts.1 <= MAX_MEMBERS, "too many members")?;
    let quiet = moves.added.is_empty() && moves.removed.is_empty();
    demand(may_while_moving(&before, &after, quiet), "the group has moved on")?;
    changes.extend(rule_changes(&before, &after, me, &accounts.0, proposed.parent.suite())?);
    let words = moves.left.into_values().collect();
    Ok(Facts { leaf: by.leaf, by: by.identity, class, changes, words })
}

/// A group that is about to move rests, unless it is called back by a commit that moves nobody.
fn may_while_moving(before: &GroupRules, after: &GroupRules, quiet: bool) -> bool {
    before.successor.is_none() || after.successor.is_none() && quiet
}

/// Who is added and removed, each new leaf checked against its account.
fn moves(
    proposed: &Proposed<'_>,
    by: &Seat,
    scheme: SignatureScheme,
    roster: &[Seat],
    binding: &dyn Fn(&DeviceId) -> Option<VerifiedBinding>,
) -> Result<Moves, Objection> {
    let mut moves = Moves {
        added: Vec::new(),
        removed: Vec::new(),
        left: BTreeMap::new(),
        over: BTreeSet::new(),
    };
    let mut unknown = Vec::new();
    for queued in proposed.commit.queued_proposals() {
        demand(sender(queued) == Some(by.leaf), "a proposal of another than the committer")?;
        match queued.proposal() {
            Proposal::Add(add) => {
                let leaf = add.key_package().leaf_node();
                let identity = LeafIdentity::decode(leaf.credential().serialized_content())
                    .map_err(|_| Objection::Unlawful("a leaf that does not say who it is"))?;
                demand(stay::of(leaf).is_some(), "a leaf that does not name its stay")?;
                let Some(binding) = binding(&identity.device) else {
                    unknown.push(identity.device);
                    continue;
                };
                check_leaf(&identity, scheme, leaf.signature_key().as_slice(), Some(&binding))
                    .map_err(|_| Objection::Unlawful("a leaf that is not of its account"))?;
                moves.added.push(identity);
            }
            Proposal::Remove(remove) => {
                let leaf = remove.removed().u32();
                let seat = roster
                    .iter()
                    .find(|seat| seat.leaf == leaf)
                    .ok_or(Objection::Unlawful("a removal of nobody"))?;
                moves.removed.push(seat.identity.clone());
            }
            Proposal::GroupContextExtensions(_) => {}
            _ => return Err(Objection::Unlawful("a proposal of a kind that is not used")),
        }
    }
    if !unknown.is_empty() {
        return Err(Objection::Unknown(unknown));
    }
    moves.left = left(proposed, scheme, roster)?;
    // OpenMLS hands removals out in an order of chance.
    moves.removed.sort_unstable_by_key(|identity| identity.device);
    moves.added.sort_unstable_by_key(|identity| identity.device);
    let removed: BTreeSet<_> = moves.removed.iter().map(|identity| identity.device).collect();
    let all_go = moves.left.keys().all(|device| removed.contains(device));
    demand(all_go, "the word of one who stays")?;
    let stays = |device: &DeviceId| {
        !removed.contains(device) && roster.iter().any(|seat| seat.identity.device == *device)
    };
    let mut seen = BTreeSet::new();
    for added in &moves.added {
        demand(!stays(&added.device), "a device that is in the group already")?;
        demand(seen.insert(added.device), "a device twice")?;
        if removed.contains(&added.device) {
            moves.over.insert(added.device);
        }
    }
    Ok(moves)
}

/// Those who say that they leave, each once.
fn left(
    proposed: &Proposed<'_>,
    scheme: SignatureScheme,
    roster: &[Seat],
) -> Result<BTreeMap<DeviceId, Leave>, Objection> {
    let (crypto, group) = (proposed.parent.crypto(), proposed.parent.id());
    let group = group.ok_or(Objection::Unlawful("a group whose name has another length"))?;
    let mut left = BTreeMap::new();
    for leave in &proposed.leaves {
        let device = stay::leaver(crypto, scheme, group, roster, leave)
            .ok_or(Objection::Unlawful("the word of nobody who is here"))?;
        let before = left.insert(*device, leave.clone());
        demand(before.is_none(), "the same word twice")?;
    }
    Ok(left)
}

/// The leaf of the member that a proposal is from.
fn sender(queued: &QueuedProposal) -> Option<u32> {
    match queued.sender() {
        Sender::Member(leaf) => Some(leaf.u32()),
        _ => None,
    }
}

/// A committer keeps its identity, its signature key and its stay.
fn own_leaf_unchanged(proposed: &Proposed<'_>, by: &Seat) -> Result<(), Objection> {
    let Some(leaf) = proposed.commit.update_path_leaf_node() else { return Ok(()) };
    let same = leaf.credential().serialized_content() == by.identity.encode()
        && leaf.signature_key().as_slice() == by.signature_key
        && stay::of(leaf) == by.stay;
    demand(same, "a committer that becomes another")
}

/// Whether there are the extensions that there were, and the same is required.
fn same_types(before: &Extensions<GroupContext>, after: &Extensions<GroupContext>) -> bool {
    before.required_capabilities() == after.required_capabilities()
        && after.iter().count() == before.iter().count()
}

/// The accounts that have a device in the group after a commit, and how many devices there are.
fn accounts_after(roster: &[Seat], moves: &Moves) -> (BTreeSet<Address>, usize) {
    let removed: BTreeSet<_> = moves.removed.iter().map(|identity| identity.device).collect();
    let stay = roster.iter().filter(|seat| !removed.contains(&seat.identity.device));
    let mut count = 0;
    let accounts = stay
        .map(|seat| seat.identity.address)
        .chain(moves.added.iter().map(|identity| identity.address))
        .inspect(|_| count += 1)
        .collect();
    (accounts, count)
}

/// What is different between the rules before and after a commit.
pub(super) fn differences(before: &GroupRules, after: &GroupRules) -> Vec<Changed> {
    let mut changes = Vec::new();
    if after.name() != before.name() {
        changes.push(Changed::Renamed(after.name()));
    }
    if after.policy != before.policy {
        changes.push(Changed::Policy(after.policy.clone()));
    }
    match (&before.successor, &after.successor) {
        (None, Some(successor)) => changes.push(Changed::Moving(successor.group)),
        (Some(_), None) => changes.push(Changed::Staying),
        _ => {}
    }
    let touched: BTreeSet<_> =
        before.roles().chain(after.roles()).map(|(address, _)| address).collect();
    let changed = touched.into_iter().filter(|a| before.role(a) != after.role(a));
    changes.extend(changed.map(|address| Changed::Role(address, after.role(&address))));
    changes
}

/// What changes in the rules, if it is allowed to `me`.
fn rule_changes(
    before: &GroupRules,
    after: &GroupRules,
    me: Address,
    accounts: &BTreeSet<Address>,
    suite: Ciphersuite,
) -> Result<Vec<Changed>, Objection> {
    demand(after.topic == before.topic, "a changed topic")?;
    before.hybrid_policy().check_change(&after.hybrid_policy(), suite)?;
    let mine = before.role(&me);
    let changes = differences(before, after);
    for change in &changes {
        match change {
            Changed::Renamed(_) => {
                demand(before.allows(&me, Right::Rename), "renaming is not allowed")?;
            }
            Changed::Policy(_) => {
                demand(before.allows(&me, Right::SetPolicy), "changing the policy is not allowed")?;
            }
            Changed::Moving(_) | Changed::Staying => {
                demand(before.allows(&me, Right::Migrate), "moving the group is not allowed")?;
            }
            // Who goes, goes without a role, whoever says so.
            Changed::Role(address, new) if accounts.contains(address) => {
                let old = before.role(address);
                let own = *address == me && *new < old;
                let heir = *new == Role::Owner && before.heir(accounts) == Some(*address);
                demand(
                    own || heir || before.allows(&me, Right::SetRole) && old.max(*new) <= mine,
                    "giving this role is not allowed",
                )?;
            }
            _ => {}
        }
    }
    let present = after.roles().all(|(address, _)| accounts.contains(&address));
    demand(present, "a role of somebody who is not in the group")?;
    let owner = after.roles().any(|(_, role)| role == Role::Owner);
    demand(owner || accounts.is_empty(), "a group without an owner")?;
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use openmls::prelude::{Extension, ExtensionType, RequiredCapabilitiesExtension};
    use openmls_trellis_crypto::Floor;

    use super::*;
    use crate::engine::rules::Successor;
    use crate::policy::Policy;
    use crate::{GroupId, Topic};

    const CLASSICAL: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
    const HYBRID: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
    const ROW_9: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_CHACHA20POLY1305_SHA384_MLDSA44;
    const OWNER: Address = Address([5; 32]);
    const ADMIN: Address = Address([6; 32]);
    const MEMBER: Address = Address([7; 32]);

    fn rules() -> GroupRules {
        let mut rules = GroupRules::new(Topic([1; 32]), "garden", Policy::default(), OWNER);
        rules.set_role(ADMIN, Role::Admin);
        rules
    }

    fn changed(change: impl FnOnce(&mut GroupRules)) -> GroupRules {
        let mut rules = rules();
        change(&mut rules);
        rules
    }

    fn to(group: u8, suite: Ciphersuite) -> Option<Successor> {
        Some(Successor { group: GroupId([group; 32]), suite: suite.into() })
    }

    /// What a commit by somebody comes to in a group on the hybrid suite.
    fn by(me: Address, before: &GroupRules, after: &GroupRules) -> Result<usize, String> {
        let accounts = [OWNER, ADMIN, MEMBER].into();
        let changes = rule_changes(before, after, me, &accounts, HYBRID);
        changes.map(|changes| changes.len()).map_err(|objection| objection.to_string())
    }

    #[test]
    fn the_floor_rises_up_to_the_suite_and_never_falls() {
        let raised = changed(|rules| rules.policy.floor = Floor::HYBRID_CONFIDENTIALITY);
        assert_eq!(by(OWNER, &rules(), &raised), Ok(1));
        assert_eq!(by(OWNER, &raised, &rules()), Err("a lower floor".into()));
        let above = changed(|rules| rules.policy.floor = Floor::POST_QUANTUM);
        assert!(by(OWNER, &rules(), &above).unwrap_err().contains("does not reach"));
    }

    #[test]
    fn a_successor_is_strong_enough_and_not_exchanged() {
        let named = |group, suite| changed(|rules| rules.successor = to(group, suite));
        assert_eq!(by(OWNER, &rules(), &named(1, ROW_9)), Ok(1));
        let weaker = "a successor that protects less";
        assert_eq!(by(OWNER, &rules(), &named(1, CLASSICAL)), Err(weaker.into()));
        let exchanged = by(OWNER, &named(1, ROW_9), &named(2, ROW_9)).unwrap_err();
        assert!(exchanged.contains("another successor"));
        let (before, after) = (named(1, ROW_9), rules());
        assert!(may_while_moving(&before, &after, true));
        assert!(!may_while_moving(&before, &after, false));
        assert!(!may_while_moving(&before, &before, true));
        assert!(may_while_moving(&after, &before, false));
    }

    #[test]
    fn the_past_and_the_topic_stay() {
        let adopted = changed(|rules| rules.predecessors = vec![GroupId([1; 32])]);
        assert_eq!(by(OWNER, &rules(), &adopted), Err("changed predecessors".into()));
        let abducted = changed(|rules| rules.topic = Topic([2; 32]));
        assert_eq!(by(OWNER, &rules(), &abducted), Err("a changed topic".into()));
    }

    #[test]
    fn each_right_needs_its_role() {
        let cases: [(fn(&mut GroupRules), _); 4] = [
            (|rules| rules.set_name("orchard"), [true, true, false]),
            (|rules| rules.policy.depth += 1, [true, false, false]),
            (|rules| rules.successor = to(1, ROW_9), [true, false, false]),
            (|rules| rules.set_role(MEMBER, Role::Admin), [true, false, false]),
        ];
        for (change, allowed) in cases {
            let after = changed(change);
            let may = [OWNER, ADMIN, MEMBER].map(|me| by(me, &rules(), &after).is_ok());
            assert_eq!(may, allowed, "{after:?}");
        }
        // Giving up the own role is for everybody, but somebody has to own the group.
        let resigned = changed(|rules| rules.set_role(ADMIN, Role::Member));
        assert_eq!(by(ADMIN, &rules(), &resigned), Ok(1));
        let orphaned = changed(|rules| rules.set_role(OWNER, Role::Member));
        assert_eq!(by(OWNER, &rules(), &orphaned), Err("a group without an owner".into()));
        let stranger = changed(|rules| rules.set_role(Address([9; 32]), Role::Admin));
        assert!(by(OWNER, &rules(), &stranger).is_err());
    }

    #[test]
    fn extensions_are_neither_removed_nor_added_and_stay_required() {
        let before = rules().to_extensions().unwrap();
        let with = |keep: &dyn Fn(&Extension) -> bool, more: Vec<Extension>| {
            let kept = before.iter().filter(|it| keep(it)).cloned();
            Extensions::<GroupContext>::from_vec(kept.chain(more).collect()).unwrap()
        };
        assert!(same_types(&before, &with(&|_| true, vec![])));
        let policy = ExtensionType::Unknown(openmls_trellis_crypto::HYBRID_POLICY);
        let without = with(&|it| it.extension_type() != policy, vec![]);
        assert!(!same_types(&before, &without));
        assert_eq!(GroupRules::from_extensions(&without), None);
        let required = RequiredCapabilitiesExtension::new(&[], &[], &[]);
        let lax = with(
            &|it| it.extension_type() != ExtensionType::RequiredCapabilities,
            vec![Extension::RequiredCapabilities(required)],
        );
        assert!(!same_types(&before, &lax));
        assert!(before.required_capabilities().unwrap().extension_types().contains(&policy));
    }
}

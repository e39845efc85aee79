//! What a group has agreed on, in two GroupContext extensions: its name, where its envelopes travel,
//! who has which role and the numbers of the policy in one of ours; below which protection it never
//! goes, and which groups come before and after it, in [`HybridPolicy`], whose group_ids are 32 bytes
//! here.
//!
//! ```text
//! struct {
//!     uint8 version = 1;
//!     opaque topic[32];
//!     opaque name<V>;                 // UTF-8, at most 256 bytes
//!     Role invite;                    // the least role that may, like the next five
//!     Role remove;
//!     Role rename;
//!     Role set_role;
//!     Role set_policy;
//!     Role migrate;
//!     uint64 settle;                  // milliseconds, like the other two
//!     uint64 turn;
//!     uint16 depth;
//!     uint64 horizon;
//!     RoleOf roles<V>;                // ascending by address, none of them a plain member
//! } GroupRules;
//! ```

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use openmls::prelude::{
    Capabilities, CredentialType, Extension, ExtensionType, Extensions, GroupContext,
    RequiredCapabilitiesExtension, UnknownExtension,
};
use openmls_traits::types::Ciphersuite;
use openmls_trellis_crypto::{HYBRID_POLICY, HybridPolicy, MAX_PREDECESSORS};
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use crate::policy::{Policy, Right, Role};
use crate::{Address, GroupId, Span, Topic, wire};

/// The type of the extension, from the range for private use (RFC 9420, section 17.3).
pub(super) const EXTENSION_TYPE: u16 = 0xf54c;

const VERSION: u8 = 1;

/// The longest name of a group in bytes.
pub(crate) const MAX_NAME: usize = 256;

/// How many groups before this one are named.
pub(super) const BEFORE: usize = MAX_PREDECESSORS;

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct GroupRules {
    pub(crate) topic: Topic,
    name: VLBytes,
    pub(crate) policy: Policy,
    roles: Vec<RoleOf>,
    pub(crate) successor: Option<Successor>,
    pub(crate) predecessors: Vec<GroupId>,
}

/// The content of our extension.
#[derive(TlsSerialize, TlsDeserializeBytes, TlsSize)]
struct Content {
    version: u8,
    topic: Topic,
    name: VLBytes,
    invite: Role,
    remove: Role,
    rename: Role,
    set_role: Role,
    set_policy: Role,
    migrate: Role,
    settle: Span,
    turn: Span,
    depth: u16,
    horizon: Span,
    roles: Vec<RoleOf>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct RoleOf {
    pub(crate) address: Address,
    pub(crate) role: Role,
}

/// The group that this one moves to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Successor {
    pub(crate) group: GroupId,
    pub(crate) suite: u16,
}

impl GroupRules {
    /// Those of a new group.
    pub(super) fn new(topic: Topic, name: &str, policy: Policy, owner: Address) -> Self {
        Self {
            topic,
            name: name.as_bytes().to_vec().into(),
            policy,
            roles: vec![RoleOf { address: owner, role: Role::Owner }],
            successor: None,
            predecessors: Vec::new(),
        }
    }

    /// The name; nothing that is not UTF-8 gets here.
    pub(crate) fn name(&self) -> String {
        String::from_utf8_lossy(self.name.as_slice()).into_owned()
    }

    pub(super) fn set_name(&mut self, name: &str) {
        self.name = name.as_bytes().to_vec().into();
    }

    pub(crate) fn role(&self, address: &Address) -> Role {
        self.roles
            .binary_search_by_key(address, |entry| entry.address)
            .map_or(Role::Member, |place| self.roles[place].role)
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = (Address, Role)> + '_ {
        self.roles.iter().map(|entry| (entry.address, entry.role))
    }

    pub(super) fn set_role(&mut self, address: Address, role: Role) {
        let place = self.roles.binary_search_by_key(&address, |entry| entry.address);
        match (place, role) {
            (Ok(place), Role::Member) => drop(self.roles.remove(place)),
            (Ok(place), _) => self.roles[place].role = role,
            (Err(_), Role::Member) => {}
            (Err(place), _) => self.roles.insert(place, RoleOf { address, role }),
        }
    }

    /// Who becomes the owner when the last one has gone: of those who stay, the one with the highest
    /// role, and of several the one with the smallest address. Nobody, if an owner stays.
    pub(super) fn heir(&self, stay: &BTreeSet<Address>) -> Option<Address> {
        let best = stay.iter().max_by_key(|address| (self.role(address), Reverse(**address)))?;
        (self.role(best) != Role::Owner).then_some(*best)
    }

    /// Whether an account may do something.
    pub(crate) fn allows(&self, address: &Address, right: Right) -> bool {
        self.role(address) >= self.policy.needs(right)
    }

    /// The rules in a GroupContext; nothing if they are missing or break their format.
    pub(crate) fn from_extensions(extensions: &Extensions<GroupContext>) -> Option<Self> {
        let content = |number| Some(&extensions.unknown(number)?.0[..]);
        Self::of_contents(content(EXTENSION_TYPE)?, content(HYBRID_POLICY)?)
    }

    /// The rules in the contents of the extensions.
    pub(super) fn of_contents(rules: &[u8], policy: &[u8]) -> Option<Self> {
        let content: Content = wire::decode(rules)?;
        let ascending = content.roles.is_sorted_by(|one, next| one.address < next.address);
        let name = content.name.as_slice();
        let valid = content.version == VERSION
            && ascending
            && content.roles.iter().all(|entry| entry.role != Role::Member)
            && name.len() <= MAX_NAME
            && std::str::from_utf8(name).is_ok();
        if !valid {
            return None;
        }
        let HybridPolicy { floor, successor, predecessors } =
            HybridPolicy::from_bytes(policy).ok()?;
        let Content { topic, name, roles, .. } = content;
        let policy = Policy {
            invite: content.invite,
            remove: content.remove,
            rename: content.rename,
            set_role: content.set_role,
            set_policy: content.set_policy,
            migrate: content.migrate,
            floor,
            settle: content.settle,
            turn: content.turn,
            depth: content.depth,
            horizon: content.horizon,
        };
        let group = |id: &VLBytes| GroupId::from_slice(id.as_slice());
        let successor = match successor {
            Some(next) => {
                Some(Successor { group: group(&next.group_id)?, suite: next.cipher_suite })
            }
            None => None,
        };
        let predecessors = predecessors.iter().map(group).collect::<Option<_>>()?;
        Some(Self { topic, name, policy, roles, successor, predecessors })
    }

    /// The part that is not about who a member is and what he may.
    pub(super) fn hybrid_policy(&self) -> HybridPolicy {
        let successor = self.successor.as_ref().map(|next| openmls_trellis_crypto::Successor {
            group_id: next.group.0.to_vec().into(),
            cipher_suite: next.suite,
        });
        let predecessors = self.predecessors.iter().map(|group| group.0.to_vec().into()).collect();
        HybridPolicy { floor: self.policy.floor, successor, predecessors }
    }

    fn content(&self) -> Content {
        let policy = &self.policy;
        Content {
            version: VERSION,
            topic: self.topic,
            name: self.name.clone(),
            invite: policy.invite,
            remove: policy.remove,
            rename: policy.rename,
            set_role: policy.set_role,
            set_policy: policy.set_policy,
            migrate: policy.migrate,
            settle: policy.settle,
            turn: policy.turn,
            depth: policy.depth,
            horizon: policy.horizon,
            roles: self.roles.clone(),
        }
    }

    /// The extensions of a GroupContext with these rules.
    pub(super) fn to_extensions(&self) -> Option<Extensions<GroupContext>> {
        let unknown = |number, content| Extension::Unknown(number, UnknownExtension(content));
        Extensions::from_vec(vec![
            Extension::RequiredCapabilities(required()),
            unknown(EXTENSION_TYPE, wire::encode(&self.content())),
            unknown(HYBRID_POLICY, self.hybrid_policy().to_bytes()),
        ])
        .ok()
    }
}

/// Prints how long the name is and not the name.
impl fmt::Debug for GroupRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupRules")
            .field("name", &format_args!("{} bytes", self.name.as_slice().len()))
            .field("policy", &self.policy)
            .field("roles", &self.roles)
            .field("successor", &self.successor)
            .field("predecessors", &self.predecessors)
            .finish_non_exhaustive()
    }
}

/// What every leaf has to support.
pub(super) fn required() -> RequiredCapabilitiesExtension {
    RequiredCapabilitiesExtension::new(
        &[ExtensionType::Unknown(EXTENSION_TYPE), ExtensionType::Unknown(HYBRID_POLICY)],
        &[],
        &[CredentialType::Basic],
    )
}

/// What a key package is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// One Welcome.
    Once,
    /// Those for whom there is no other (RFC 9420, section 16.8).
    LastResort,
}

/// What our leaves support. The suites that a client could migrate to are among it.
pub(super) fn capabilities(suites: &[Ciphersuite], purpose: Use) -> Capabilities {
    let mut extensions = vec![
        ExtensionType::Unknown(EXTENSION_TYPE),
        ExtensionType::Unknown(super::stay::EXTENSION_TYPE),
        ExtensionType::Unknown(HYBRID_POLICY),
    ];
    // What a key package has, its leaf supports (RFC 9420, section 10.1).
    if purpose == Use::LastResort {
        extensions.push(ExtensionType::LastResort);
    }
    Capabilities::new(None, Some(suites), Some(&extensions), None, Some(&[CredentialType::Basic]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> GroupRules {
        GroupRules::new(Topic([1; 32]), "garden", Policy::default(), Address([5; 32]))
    }

    #[test]
    fn rules_survive_the_extension() {
        let mut rules = rules();
        rules.set_role(Address([3; 32]), Role::Admin);
        rules.set_name("orchard");
        let extensions = rules.to_extensions().unwrap();
        assert_eq!(GroupRules::from_extensions(&extensions), Some(rules));
    }

    #[test]
    fn roles_stay_sorted_and_plain_members_have_no_entry() {
        let mut rules = rules();
        for number in [9, 2, 7] {
            rules.set_role(Address([number; 32]), Role::Admin);
        }
        rules.set_role(Address([7; 32]), Role::Member);
        rules.set_role(Address([8; 32]), Role::Member);
        let order: Vec<_> = rules.roles().map(|(address, _)| address.0[0]).collect();
        assert_eq!(order, [2, 5, 9]);
        assert_eq!(rules.role(&Address([7; 32])), Role::Member);
        assert!(rules.allows(&Address([9; 32]), Right::Invite));
        assert!(!rules.allows(&Address([9; 32]), Right::SetPolicy));
    }

    #[test]
    fn the_last_owner_has_one_heir() {
        let mut rules = rules();
        let stay = |numbers: &[u8]| numbers.iter().map(|number| Address([*number; 32])).collect();
        assert_eq!(rules.heir(&stay(&[2, 5, 7])), None);
        assert_eq!(rules.heir(&stay(&[7, 2, 9])), Some(Address([2; 32])));
        rules.set_role(Address([9; 32]), Role::Admin);
        assert_eq!(rules.heir(&stay(&[7, 2, 9])), Some(Address([9; 32])));
        assert_eq!(rules.heir(&stay(&[])), None);
    }

    #[test]
    fn an_extension_that_breaks_the_format_is_none() {
        let mut unsorted = rules();
        unsorted.roles.push(RoleOf { address: Address([1; 32]), role: Role::Owner });
        let mut long = rules();
        long.name = vec![b'a'; MAX_NAME + 1].into();
        let mut binary = rules();
        binary.name = vec![0xff].into();
        let mut past = rules();
        past.predecessors = vec![GroupId([1; 32]); BEFORE + 1];
        for broken in [unsorted, long, binary, past] {
            let extensions = broken.to_extensions().unwrap();
            assert_eq!(GroupRules::from_extensions(&extensions), None);
        }
        let (mut content, policy) = (wire::encode(&rules().content()), rules().hybrid_policy());
        assert_eq!(GroupRules::of_contents(&content, &policy.to_bytes()), Some(rules()));
        content[0] = 2;
        assert_eq!(GroupRules::of_contents(&content, &policy.to_bytes()), None);
        content[0] = VERSION;
        let short = HybridPolicy { predecessors: vec![vec![1; 31].into()], ..policy };
        assert_eq!(GroupRules::of_contents(&content, &short.to_bytes()), None);
    }
}

//! The GroupContext extension with what a group has agreed on: its name, where its envelopes
//! travel, who has which role, and the policy.
//!
//! ```text
//! struct {
//!     uint8 version = 1;
//!     opaque topic[32];
//!     opaque name<V>;                 // UTF-8, at most 256 bytes
//!     Policy policy;
//!     RoleOf roles<V>;                // ascending by address, none of them a plain member
//!     optional<Successor> successor;
//!     GroupId predecessors<V>;        // opaque[32], the newest last, at most 16
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
use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize, VLBytes};

use crate::policy::{Policy, Right, Role};
use crate::{Address, GroupId, Topic, wire};

/// The type of the extension, from the range for private use (RFC 9420, section 17.3).
pub(super) const EXTENSION_TYPE: u16 = 0xf54c;

const VERSION: u8 = 1;

/// The longest name of a group in bytes.
pub(crate) const MAX_NAME: usize = 256;

/// How many groups before this one are named.
pub(super) const BEFORE: usize = 16;

#[derive(Clone, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct GroupRules {
    version: u8,
    pub(crate) topic: Topic,
    name: VLBytes,
    pub(crate) policy: Policy,
    roles: Vec<RoleOf>,
    pub(crate) successor: Option<Successor>,
    pub(crate) predecessors: Vec<GroupId>,
}

#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct RoleOf {
    pub(crate) address: Address,
    pub(crate) role: Role,
}

/// The group that this one moves to.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
pub(crate) struct Successor {
    pub(crate) group: GroupId,
    pub(crate) suite: u16,
}

impl GroupRules {
    /// Those of a new group.
    pub(super) fn new(topic: Topic, name: &str, policy: Policy, owner: Address) -> Self {
        Self {
            version: VERSION,
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
        Self::of_extension(&extensions.unknown(EXTENSION_TYPE)?.0)
    }

    /// The rules in the content of the extension.
    pub(super) fn of_extension(content: &[u8]) -> Option<Self> {
        let rules: Self = wire::decode(content)?;
        let ascending = rules.roles.is_sorted_by(|one, next| one.address < next.address);
        let name = rules.name.as_slice();
        let valid = rules.version == VERSION
            && ascending
            && rules.roles.iter().all(|entry| entry.role != Role::Member)
            && rules.predecessors.len() <= BEFORE
            && name.len() <= MAX_NAME
            && std::str::from_utf8(name).is_ok();
        valid.then_some(rules)
    }

    /// The extensions of a GroupContext with these rules.
    pub(super) fn to_extensions(&self) -> Option<Extensions<GroupContext>> {
        Extensions::from_vec(vec![
            Extension::RequiredCapabilities(required()),
            Extension::Unknown(EXTENSION_TYPE, UnknownExtension(wire::encode(self))),
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
        &[ExtensionType::Unknown(EXTENSION_TYPE)],
        &[],
        &[CredentialType::Basic],
    )
}

/// What our leaves support. The suites that a client could migrate to are among it.
pub(super) fn capabilities(suites: &[Ciphersuite]) -> Capabilities {
    Capabilities::new(
        None,
        Some(suites),
        Some(&[
            ExtensionType::Unknown(EXTENSION_TYPE),
            ExtensionType::Unknown(super::stay::EXTENSION_TYPE),
        ]),
        None,
        Some(&[CredentialType::Basic]),
    )
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
        let mut version = rules();
        version.version = 2;
        for broken in [unsorted, long, binary, version] {
            let extensions = broken.to_extensions().unwrap();
            assert_eq!(GroupRules::from_extensions(&extensions), None);
        }
    }
}

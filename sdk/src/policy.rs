//! Who may do what in a group, and the numbers that decide how it converges.
//!
//! A GroupContext extension holds it, so every member has the same and a joiner gets it
//! authenticated. Every member enforces it on every commit: one that breaks it is invalid and never
//! wins.

use tls_codec::{TlsDeserializeBytes, TlsSerialize, TlsSize};

pub use openmls_trellis_crypto::Floor;

use crate::Span;

/// What an account is in a group. Each may do what those before it may.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    TlsSerialize,
    TlsDeserializeBytes,
    TlsSize,
)]
#[repr(u8)]
#[non_exhaustive]
pub enum Role {
    /// Takes part.
    Member = 0,
    /// Looks after the group for its owners.
    Admin = 1,
    /// May do everything. There is at least one.
    Owner = 2,
}

/// What a role can be needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Right {
    /// Bring accounts in.
    Invite,
    /// Put accounts out that have a lower role than one's own.
    Remove,
    /// Change the group's name.
    Rename,
    /// Give and take roles, none above one's own.
    SetRole,
    /// Change the policy.
    SetPolicy,
    /// Move the group to another cipher suite.
    Migrate,
}

impl Right {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Invite, Self::Remove, Self::Rename, Self::SetRole, Self::SetPolicy, Self::Migrate];
}

/// The rules of a group.
///
/// The defaults suit a group of people. See the guide for how to choose.
#[derive(Clone, Debug, PartialEq, Eq, TlsSerialize, TlsDeserializeBytes, TlsSize)]
#[non_exhaustive]
pub struct Policy {
    /// The least role that may invite.
    pub invite: Role,
    /// The least role that may remove others.
    pub remove: Role,
    /// The least role that may rename the group.
    pub rename: Role,
    /// The least role that may give roles.
    pub set_role: Role,
    /// The least role that may change these rules.
    pub set_policy: Role,
    /// The least role that may move the group to another suite.
    pub migrate: Role,
    /// What this group and its successors must at least protect against.
    pub floor: Floor,
    /// How long a commit has to stand before its Welcome leaves, unless most members acknowledge it.
    pub settle: Span,
    /// How long one member waits for another before it commits too.
    pub turn: Span,
    /// How many commits below the newest state a state becomes final.
    pub depth: u16,
    /// How old a state may get before it becomes final.
    pub horizon: Span,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            invite: Role::Admin,
            remove: Role::Admin,
            rename: Role::Admin,
            set_role: Role::Owner,
            set_policy: Role::Owner,
            migrate: Role::Owner,
            floor: Floor::POST_QUANTUM_CONFIDENTIALITY,
            settle: Span::seconds(2),
            turn: Span::millis(250),
            depth: 5,
            horizon: Span::seconds(3600),
        }
    }
}

impl Policy {
    /// The least role that a right needs.
    #[must_use]
    pub fn needs(&self, right: Right) -> Role {
        match right {
            Right::Invite => self.invite,
            Right::Remove => self.remove,
            Right::Rename => self.rename,
            Right::SetRole => self.set_role,
            Right::SetPolicy => self.set_policy,
            Right::Migrate => self.migrate,
        }
    }
}

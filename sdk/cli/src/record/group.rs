//! Groups, members, and what protects them.

use std::fmt;

use serde::Serialize;
use trellis_sdk::client::WeakestLink;
use trellis_sdk::{Address, Error, Group, Member, Role, Security};

use super::{local_time, short, short_address};
use crate::text::clean_line;

/// How much of a group's name a line has room for.
const NAME: usize = 60;

/// A group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GroupRecord {
    /// The group, 64 hexadecimal digits.
    pub group: String,
    /// What people call it.
    pub name: String,
    /// Whether this client is in it.
    pub active: bool,
    /// This account's role.
    pub role: Option<&'static str>,
    /// Who is in it.
    pub members: Vec<MemberRecord>,
    /// What protects it.
    pub security: SecurityRecord,
}

/// A member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemberRecord {
    /// The account.
    pub address: String,
    /// `member`, `admin` or `owner`.
    pub role: &'static str,
    /// Whether all its devices are known to be the account's.
    pub verified: bool,
    /// How many devices it has in the group.
    pub devices: usize,
    /// Whether it is this account.
    pub me: bool,
    /// When it was last heard, in milliseconds since 1970; nothing for oneself.
    pub heard: Option<u64>,
}

/// What protects a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SecurityRecord {
    /// The cipher suite.
    pub suite: &'static str,
    /// `classical`, `post-quantum` or `hybrid`: for what is said.
    pub confidentiality: String,
    /// What keys are agreed with.
    pub key_agreement: &'static str,
    /// The same three: for who says it.
    pub authenticity: String,
    /// What signs.
    pub signatures: &'static str,
    /// Accounts of which it is not known yet that they are who they say.
    pub unverified: Vec<String>,
    /// For how many changes old keys are kept.
    pub keys_kept_for_changes: u16,
    /// For how many seconds at most.
    pub keys_kept_for_seconds: u64,
    /// Where an adversary would begin: `classical-encryption`, `unverified-members`,
    /// `classical-signatures` or `transport`.
    pub weakest_link: &'static str,
    /// The same for people.
    pub weakest_link_text: String,
}

/// The name of a role.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        _ => "member",
    }
}

impl GroupRecord {
    /// What there is to know of a group.
    pub async fn of(group: &Group, me: Address) -> Result<Self, Error> {
        let members: Vec<_> =
            group.members().await?.iter().map(|member| MemberRecord::of(member, me)).collect();
        Ok(Self {
            group: hex::encode(group.id().0),
            name: group.name().await?,
            active: group.is_active().await?,
            role: members.iter().find(|member| member.me).map(|member| member.role),
            members,
            security: SecurityRecord::of(&group.security().await?),
        })
    }
}

impl GroupRecord {
    /// Its name in so many columns; its id, if it has none: of some groups that are over the name is not
    /// known any more.
    pub fn title(&self, width: usize) -> String {
        let name = clean_line(&self.name, width);
        if name.trim().is_empty() { clean_line(short(&self.group), width) } else { name }
    }
}

impl MemberRecord {
    fn of(member: &Member, me: Address) -> Self {
        Self {
            address: member.address.to_string(),
            role: role_name(member.role),
            verified: member.is_verified(),
            devices: member.devices.len(),
            me: member.address == me,
            heard: member.devices.iter().filter_map(|device| device.heard).max().map(|at| at.0),
        }
    }
}

impl SecurityRecord {
    /// What the SDK says of a group.
    pub fn of(security: &Security) -> Self {
        Self {
            suite: security.suite,
            confidentiality: security.confidentiality.to_string(),
            key_agreement: security.key_agreement,
            authenticity: security.authenticity.to_string(),
            signatures: security.signatures,
            unverified: security.unverified.iter().map(ToString::to_string).collect(),
            keys_kept_for_changes: security.keys_kept_for_changes,
            keys_kept_for_seconds: security.keys_kept_for.0 / 1000,
            weakest_link: match security.weakest_link {
                WeakestLink::ClassicalEncryption => "classical-encryption",
                WeakestLink::UnverifiedMembers => "unverified-members",
                WeakestLink::ClassicalSignatures => "classical-signatures",
                WeakestLink::Transport => "transport",
                _ => "other",
            },
            weakest_link_text: security.weakest_link.to_string(),
        }
    }
}

/// One line for the group, and one for each member and each side of its security.
impl fmt::Display for GroupRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = if self.active { "" } else { "  (left)" };
        writeln!(f, "{}  {}{left}", short(&self.group), self.title(NAME))?;
        for member in &self.members {
            writeln!(f, "  {member}")?;
        }
        write!(f, "{}", self.security)
    }
}

impl fmt::Display for MemberRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:6}", short_address(&self.address), self.role)?;
        write!(f, " {}", if self.verified { "verified  " } else { "UNVERIFIED" })?;
        match (self.me, self.heard) {
            (true, _) => f.write_str("  you"),
            (false, Some(heard)) => write!(f, "  heard {}", local_time(heard)),
            (false, None) => f.write_str("  not heard yet"),
        }
    }
}

impl fmt::Display for SecurityRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  content: {} ({})", self.confidentiality, self.key_agreement)?;
        writeln!(f, "  origin: {} ({})", self.authenticity, self.signatures)?;
        let (changes, seconds) = (self.keys_kept_for_changes, self.keys_kept_for_seconds);
        writeln!(f, "  old keys: for {changes} changes, at most {seconds} s")?;
        write!(f, "  weakest link: {}", self.weakest_link_text)
    }
}

//! Who is in a group.

use crate::engine::GroupView;
use crate::policy::{Right, Role};
use crate::{Address, DeviceId, Time};

/// An account in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The account.
    pub address: Address,
    /// What it is in the group.
    pub role: Role,
    /// What it may do because of that.
    pub rights: Vec<Right>,
    /// Its devices in the group; at least one.
    pub devices: Vec<MemberDevice>,
}

/// A device of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberDevice {
    /// The device.
    pub id: DeviceId,
    /// Whether it is known to be the account's. Until it is, whoever brought the device in could
    /// have named any account.
    pub verified: bool,
    /// When it was last heard; nothing for one's own and for those not heard yet.
    pub heard: Option<Time>,
}

impl Member {
    /// The accounts of a group, in the order in which they came in as far as that is known.
    pub(super) fn all(view: &GroupView) -> Vec<Self> {
        let mut members: Vec<Self> = Vec::new();
        for seat in &view.members {
            let device =
                MemberDevice { id: seat.device, verified: seat.verified, heard: seat.heard };
            let known = members.iter_mut().find(|member| member.address == seat.address);
            if let Some(member) = known {
                member.devices.push(device);
                continue;
            }
            let may = |right: &Right| seat.role >= view.policy.needs(*right);
            members.push(Self {
                address: seat.address,
                role: seat.role,
                rights: Right::ALL.into_iter().filter(may).collect(),
                devices: vec![device],
            });
        }
        members
    }

    /// Whether all its devices are known to be the account's.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.devices.iter().all(|device| device.verified)
    }

    /// Whether it may do something.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }
}

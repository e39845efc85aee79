//! What nodes of the hash table keep: records of the directory.

use libp2p::{Multiaddr, PeerId};
use openmls_trellis_crypto::TrellisCrypto;

use super::command::Records;
use super::error::split_peer;
use crate::Time;
use crate::directory::{BoxAt, judge};

/// Keeps [records of the directory](crate::directory) and nothing else: the default of a node.
#[derive(Debug, Default)]
pub struct Directory(TrellisCrypto);

impl Records for Directory {
    fn accept(&self, key: &[u8], value: &[u8], kept: Option<&[u8]>) -> bool {
        judge(&self.0, Time::from_system(), key, value, kept).is_ok()
    }
}

/// Where a box is; nothing if its address is none.
pub(super) fn address(at: &BoxAt) -> Option<(PeerId, Multiaddr)> {
    let address = Multiaddr::try_from(at.address.clone()).ok()?;
    Some((split_peer(&address).ok()?, address))
}

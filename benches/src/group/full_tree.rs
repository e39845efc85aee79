//! GroupInfos of groups in which everyone has committed, one for each suite and size: they take
//! longest to make, and everyone can join them.

use std::collections::HashMap;
use std::sync::Mutex;

use super::contenders::Ours;
use super::open_mls::grow;
use crate::suites::Suite;

/// Those made so far.
#[derive(Default)]
pub struct FullTrees(Mutex<HashMap<(&'static str, usize), Vec<u8>>>);

impl FullTrees {
    /// The GroupInfo of a group of this size, made when first asked for. It carries the ratchet tree.
    pub(super) fn get(&self, suite: Suite, members: usize) -> Vec<u8> {
        let mut made = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let make = || grow(suite.open_mls(), &Ours::native(suite), members);
        made.entry((suite.short, members)).or_insert_with(make).clone()
    }
}

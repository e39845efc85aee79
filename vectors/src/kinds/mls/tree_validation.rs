//! `tree-validation`: resolutions, tree hashes, parent hashes and signatures of a tree.

use serde::{Deserialize, Serialize};

use crate::generate::Scale;
use crate::kinds::Vector;
use crate::mls::members::Members;
use crate::mls::tree::RatchetTree;
use crate::mls::tree_math::nodes;
use crate::mls::{Error, Suite};
use crate::{Failure, Hex, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TreeValidation {
    pub cipher_suite: u16,
    pub tree: Hex,
    pub group_id: Hex,
    pub resolutions: Vec<Vec<u32>>,
    pub tree_hashes: Vec<Hex>,
}

impl TreeValidation {
    fn new(suite: &Suite<'_>, group: &Members) -> Result<Self, Error> {
        let tree = &group.tree;
        let indices = || 0..nodes(tree.leaves());
        Ok(Self {
            cipher_suite: suite.code_point,
            tree: tree.encode()?.into(),
            group_id: group.group_id.clone().into(),
            resolutions: indices().map(|index| tree.resolution(index)).collect(),
            tree_hashes: indices()
                .map(|index| Ok(tree.tree_hash(suite, index)?.into()))
                .collect::<Result<_, Error>>()?,
        })
    }
}

impl Vector for TreeValidation {
    fn check(&self, primitives: &dyn Primitives) -> Result<(), Failure> {
        let suite = &Suite::of(self.cipher_suite, primitives)?;
        let tree = RatchetTree::decode(&self.tree).map_err(Failure::of("tree"))?;
        let number = nodes(tree.leaves()) as usize;
        for (name, length) in
            [("resolutions", self.resolutions.len()), ("tree_hashes", self.tree_hashes.len())]
        {
            if length != number {
                return Err(Failure::refused(name, format!("expected {number} entries")));
            }
        }
        for (index, wanted) in (0..).zip(&self.resolutions) {
            let found = tree.resolution(index);
            if found != *wanted {
                let reason = format!("expected {wanted:?}, found {found:?}");
                return Err(Failure::refused(format!("resolutions[{index}]"), reason));
            }
        }
        for (index, wanted) in (0..).zip(&self.tree_hashes) {
            let field = format!("tree_hashes[{index}]");
            let found = tree.tree_hash(suite, index).map_err(Failure::of(field.as_str()))?;
            Failure::unless_equal(field, wanted, found)?;
        }
        tree.verify_parent_hashes(suite).map_err(Failure::of("tree: parent hashes"))?;
        tree.verify_leaves(suite, &self.group_id).map_err(Failure::of("tree: leaf signatures"))
    }
}

/// The trees of the set of mls-implementations, the largest in a large set only: full ones, trailing
/// blanks, inner blanks, unmerged leaves, and figure 20 of RFC 9420. What they test does not depend
/// on the suite, so suites whose leaves are long get fewer.
pub fn generate(suite: &Suite<'_>, scale: Scale) -> Result<Vec<TreeValidation>, Error> {
    let group_id = suite.random(32)?;
    let short = scale.is_short(suite);
    let chains: &[u32] = match scale {
        Scale::Large => &[2, 3, 4, 5, 6, 7, 8, 9, 32, 33, 34],
        Scale::Published if short => &[2],
        Scale::Published => &[2, 3, 7],
    };
    let mut groups = chains
        .iter()
        .map(|&members| Members::chain(suite, &group_id, members))
        .collect::<Result<Vec<_>, _>>()?;

    // Leaf 0 removes three: the parent of leaves 2 and 3 is blank in the middle of a link.
    let mut skipping = Members::chain(suite, &group_id, 8)?;
    skipping.commit(suite, 0, &[1, 2, 3], 0)?;
    groups.push(skipping);
    groups.push(figure_20(suite, &group_id)?);
    if !short {
        // Inner blanks, one of which is filled again.
        let mut blank = Members::chain(suite, &group_id, 8)?;
        blank.commit(suite, 0, &[2, 3], 1)?;
        groups.push(blank);
        let mut unmerged = Members::chain(suite, &group_id, 7)?;
        unmerged.add_without_path(suite)?;
        groups.push(unmerged);
    }
    groups.iter().map(|group| TreeValidation::new(suite, group)).collect()
}

/// The tree with which RFC 9420 (section 7.9, figure 20; appendix A) explains parent hashes: an
/// unmerged leaf, and a link that skips a blank.
fn figure_20(suite: &Suite<'_>, group_id: &[u8]) -> Result<Members, Error> {
    let mut group = Members::chain(suite, group_id, 7)?;
    group.commit(suite, 0, &[5], 0)?;
    group.commit(suite, 4, &[], 0)?;
    group.add_without_path(suite)?;
    Ok(group)
}

//! `tree-math`: indices in the array representation.

use serde::{Deserialize, Serialize};

use crate::kinds::Vector;
use crate::mls::tree_math::{left, nodes, parent, right, root, sibling};
use crate::{Failure, Primitives};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct TreeMath {
    pub n_leaves: u32,
    pub n_nodes: u32,
    pub root: u32,
    pub left: Vec<Option<u32>>,
    pub right: Vec<Option<u32>>,
    pub parent: Vec<Option<u32>>,
    pub sibling: Vec<Option<u32>>,
}

/// A field with an entry for each node, and what belongs there.
type List<'a> = (&'static str, &'a [Option<u32>], &'a dyn Fn(u32) -> Option<u32>);

impl Vector for TreeMath {
    fn check(&self, _: &dyn Primitives) -> Result<(), Failure> {
        let leaves = self.n_leaves;
        if !leaves.is_power_of_two() || leaves > 1 << 30 {
            return Err(Failure::refused("n_leaves", "not a power of two up to 2^30"));
        }
        same("n_nodes", Some(self.n_nodes), Some(nodes(leaves)))?;
        same("root", Some(self.root), Some(root(leaves)))?;
        let lists: [List<'_>; 4] = [
            ("left", &self.left, &left),
            ("right", &self.right, &right),
            ("parent", &self.parent, &|node| parent(node, leaves)),
            ("sibling", &self.sibling, &|node| sibling(node, leaves)),
        ];
        for (name, list, of) in lists {
            if list.len() as u64 != u64::from(nodes(leaves)) {
                return Err(Failure::refused(name, format!("expected {} entries", nodes(leaves))));
            }
            for (node, &expected) in (0..).zip(list) {
                same(&format!("{name}[{node}]"), expected, of(node))?;
            }
        }
        Ok(())
    }
}

fn same(field: &str, expected: Option<u32>, found: Option<u32>) -> Result<(), Failure> {
    if expected == found {
        return Ok(());
    }
    Err(Failure::refused(field, format!("expected {expected:?}, found {found:?}")))
}

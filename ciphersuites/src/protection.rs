//! Against whom something protects.

use std::fmt;

/// Against which adversary a property holds.
///
/// The order is that of preference for confidentiality: a hybrid holds as long as one of its two
/// parts does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protection {
    /// Elliptic curves alone: falls to a quantum computer.
    Classical,
    /// Lattices alone.
    PostQuantum,
    /// Elliptic curves and lattices, both of which would have to fall.
    Hybrid,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Classical => "classical",
            Self::PostQuantum => "post-quantum",
            Self::Hybrid => "hybrid",
        })
    }
}

//! Who checks vectors.

use openmls_trellis_crypto::KeyDerivation;
use serde_json::Value;

use crate::kinds::mls::passive_client::{self, PassiveClient};
use crate::kinds::{Check, Checked, Kind, parse};
use crate::stack::Stack;
use crate::{Failure, Primitives};

/// Something that can tell whether a vector holds.
pub trait Checker {
    /// A name for reports.
    fn name(&self) -> String;

    /// Checks a vector of a kind.
    ///
    /// # Errors
    ///
    /// [`FormatError`](crate::kinds::FormatError) if the vector is not of that kind after all;
    /// otherwise the inner result tells.
    fn check(&self, kind: &Kind, vector: &Value) -> Checked;
}

/// Primitives under the model of this crate, and a stack for passive clients.
pub struct Model {
    /// The primitives.
    pub primitives: Box<dyn Primitives>,
    /// The stack, if one runs on the same primitives.
    pub stack: Option<Box<dyn Stack>>,
    /// How HPKE key pairs are derived.
    pub derivation: KeyDerivation,
}

impl Checker for Model {
    fn name(&self) -> String {
        self.primitives.name()
    }

    fn check(&self, kind: &Kind, vector: &Value) -> Checked {
        match (kind.check, &self.stack) {
            (Check::Primitives(check), _) => check(vector, &*self.primitives),
            (Check::Stack, Some(stack)) => follow(&**stack, self.derivation, vector),
            (Check::Stack, None) => Ok(Err(nothing(&self.name(), kind))),
        }
    }
}

/// A stack, for passive clients alone.
pub struct StackOnly {
    /// The stack.
    pub stack: Box<dyn Stack>,
    /// How HPKE key pairs are derived.
    pub derivation: KeyDerivation,
}

impl Checker for StackOnly {
    fn name(&self) -> String {
        self.stack.name()
    }

    fn check(&self, kind: &Kind, vector: &Value) -> Checked {
        match kind.check {
            Check::Stack => follow(&*self.stack, self.derivation, vector),
            Check::Primitives(_) => Ok(Err(nothing(&self.name(), kind))),
        }
    }
}

pub(crate) fn nothing(name: &str, kind: &Kind) -> Failure {
    Failure::Skipped(format!("{name} has nothing to check {} with", kind.name))
}

pub(crate) fn follow(stack: &dyn Stack, derivation: KeyDerivation, vector: &Value) -> Checked {
    let vector: PassiveClient = parse(vector)?;
    Ok(passive_client::follow(&vector, stack, derivation))
}

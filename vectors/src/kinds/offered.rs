//! What checks have in common: several operations of which some may be missing, and refusals.

use crate::{Failure, Refusal};

/// Operations asked for so far. One that is not offered leaves its part of the vector unchecked;
/// only a vector of which nothing could be done is skipped.
#[derive(Debug, Default)]
pub(super) struct Offered {
    done: usize,
    missing: Option<String>,
}

impl Offered {
    /// The result of an operation on `field`, or `None` if it is not offered.
    pub(super) fn take<T>(
        &mut self,
        field: impl Into<String>,
        result: Result<T, Refusal>,
    ) -> Result<Option<T>, Failure> {
        match result {
            Ok(value) => {
                self.done += 1;
                Ok(Some(value))
            }
            Err(Refusal::NotOffered(what)) => {
                self.missing.get_or_insert(what);
                Ok(None)
            }
            Err(refusal) => Err(Failure::of(field)(refusal)),
        }
    }

    /// [`Failure::Skipped`] if every operation asked for was missing.
    pub(super) fn finish(self) -> Result<(), Failure> {
        match self {
            Self { done: 0, missing: Some(what) } => Err(Failure::Skipped(what)),
            _ => Ok(()),
        }
    }
}

/// Holds if the result is the refusal that the `error` of a vector wants.
pub(super) fn unless_refused<T>(code: &str, result: Result<T, Refusal>) -> Result<(), Failure> {
    match result {
        Err(Refusal::NotOffered(what)) => Err(Failure::Skipped(what)),
        Err(Refusal::Invalid(found)) if found == code => Ok(()),
        Err(Refusal::Invalid(found)) => Err(Failure::Differs {
            field: "error".into(),
            expected: code.into(),
            found: found.into(),
        }),
        Ok(_) => Err(Failure::refused("error", format!("expected {code}, but was accepted"))),
    }
}

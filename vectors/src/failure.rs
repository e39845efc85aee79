//! How a check can end badly.

use crate::Refusal;
use crate::mls::Error;

/// Why a vector does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A value is not the one in the vector.
    #[error("{field}: expected {expected}, found {found}")]
    Differs {
        /// Which field, as a path into the vector.
        field: String,
        /// What the vector says, shortened.
        expected: String,
        /// What was computed, shortened.
        found: String,
    },
    /// Something in the vector was refused or could not be decoded.
    #[error("{field}: {reason}")]
    Refused {
        /// Which field, as a path into the vector.
        field: String,
        /// By what.
        reason: String,
    },
    /// The implementation has nothing to check this with.
    #[error("{0}")]
    Skipped(String),
}

impl Failure {
    /// Compares bytes with those of a field.
    ///
    /// # Errors
    ///
    /// [`Failure::Differs`] with both values shortened.
    pub fn unless_equal(
        field: impl Into<String>,
        expected: impl AsRef<[u8]>,
        found: impl AsRef<[u8]>,
    ) -> Result<(), Self> {
        let (expected, found) = (expected.as_ref(), found.as_ref());
        if expected == found {
            return Ok(());
        }
        let same = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
        Err(Self::Differs {
            field: field.into(),
            expected: short(expected, same),
            found: short(found, same),
        })
    }

    /// Something else than bytes differs, or a rule does not hold.
    pub fn refused(field: impl Into<String>, reason: impl ToString) -> Self {
        Self::Refused { field: field.into(), reason: reason.to_string() }
    }

    /// The failure of an operation on a field.
    pub fn of<E: Into<Error>>(field: impl Into<String>) -> impl FnOnce(E) -> Self {
        |error| match error.into() {
            Error::Refused(Refusal::NotOffered(what)) => Self::Skipped(what),
            error => Self::refused(field, error),
        }
    }

    /// Puts the path of the surrounding value before the field.
    #[must_use]
    pub fn within(self, parent: &str) -> Self {
        let join = |field: String| match field.as_str() {
            "" => parent.to_owned(),
            _ if field.starts_with('[') => format!("{parent}{field}"),
            _ => format!("{parent}.{field}"),
        };
        match self {
            Self::Differs { field, expected, found } => {
                Self::Differs { field: join(field), expected, found }
            }
            Self::Refused { field, reason } => Self::Refused { field: join(field), reason },
            Self::Skipped(_) => self,
        }
    }
}

/// The bytes from the first that differs, as far as they are shown, and the length.
fn short(bytes: &[u8], from: usize) -> String {
    const SHOWN: usize = 16;
    if bytes.len() <= SHOWN {
        return hex::encode(bytes);
    }
    let from = if from < SHOWN { 0 } else { from };
    let end = bytes.len().min(from + SHOWN);
    let before = if from == 0 { String::new() } else { format!("({from} bytes)...") };
    let after = if end == bytes.len() { "" } else { "..." };
    format!("{before}{}{after} ({} bytes)", hex::encode(&bytes[from..end]), bytes.len())
}

//! What every enum of algorithms has in common: a table row with a number and a name.

/// Gives an enum with `static TABLE: [Row; N]`, in the order of its variants, the members of a
/// registry: `ALL`, `id`, `name`, `from_id`, `Display` and `FromStr`.
macro_rules! identifiers {
    ($type:ident, $($variant:ident),+) => {
        impl $type {
            /// Every algorithm, in the order of the registry.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            const fn row(self) -> &'static Row {
                &TABLE[self as usize]
            }

            /// The number of the registry that the type names.
            #[must_use]
            pub const fn id(self) -> u16 {
                self.row().id
            }

            /// The name, as the standard writes it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                self.row().name
            }

            /// The algorithm with this number.
            ///
            /// # Errors
            ///
            /// [`Error::Unknown`](crate::Error::Unknown).
            pub fn from_id(id: u16) -> Result<Self, crate::Error> {
                Self::ALL.iter().copied().find(|it| it.id() == id).ok_or(crate::Error::Unknown)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }

        impl std::str::FromStr for $type {
            type Err = crate::Error;

            /// Finds the algorithm by its exact name.
            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|it| it.name() == name).ok_or(crate::Error::Unknown)
            }
        }
    };
}

pub(crate) use identifiers;

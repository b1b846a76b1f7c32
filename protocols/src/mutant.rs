//! Mutants: named wrong variants of a protocol, one bug each, shipped to prove that the checkers bite.
//!
//! A protocol lists its mutants in its file `mutants.rs` with [`mutants!`](crate::mutants), holds the chosen one in its
//! configuration, and asks for it at the one line that is wrong: `self.config.mutant == Some(Mutant::CommitPriorTerm)`.
//! The right protocol is what runs when none is chosen.

use serde::Serialize;

/// What is known of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MutantAbout {
    /// The name in kebab-case, without that of its protocol: `commit-prior-term`.
    pub name: &'static str,
    /// What is wrong, in a sentence.
    pub change: &'static str,
    /// The properties that it breaks, as the checkers are named; any of them counts as catching it.
    pub breaks: &'static [&'static str],
    /// Where the bug is described.
    pub source: &'static str,
}

/// Declares the mutants of a protocol: `pub enum Mutant` with `ALL`, `about` and `by_name`.
///
/// ```
/// protocols::mutants! {
///     /// A candidate needs no more than half of the votes.
///     HalfIsEnough = "half-is-enough", breaks ["election-safety"], source "paper §5.2";
/// }
/// assert_eq!(Mutant::by_name("half-is-enough"), Some(Mutant::HalfIsEnough));
/// assert_eq!(Mutant::HalfIsEnough.about().change, "A candidate needs no more than half of the votes.");
/// ```
#[macro_export]
macro_rules! mutants {
    ($($(#[doc = $change:literal])+ $variant:ident = $name:literal, breaks [$($breaks:literal),+ $(,)?], source $source:literal;)*) => {
        /// A wrong variant of the protocol: one bug each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Mutant {
            $($(#[doc = $change])+ $variant,)*
        }

        impl Mutant {
            /// All of them, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What is known of it.
            pub const fn about(self) -> $crate::mutant::MutantAbout {
                match self {
                    $(Self::$variant => $crate::mutant::MutantAbout {
                        name: $name,
                        change: concat!($($change),+).trim_ascii(),
                        breaks: &[$($breaks),+],
                        source: $source,
                    },)*
                }
            }

            /// The mutant with this name.
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|mutant| mutant.about().name == name)
            }
        }
    };
}

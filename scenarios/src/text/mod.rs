//! The text layer of scenario files: reading them, naming places in them, and saying what is wrong with them.
//! It knows the notation and nothing of what a scenario contains.
//!
//! ```text
//! bytes ─ Document::read ─► Document ─ overrides::apply ─► Document ─ parse ─► T
//!              │                          │                             │
//!              └──────────────────────────┴──────► Diagnostic ◄─────────┘
//! ```
//!
//! Checks that need several fields run on the parsed `T` and report by path: [`Document::place_of`].

pub mod diagnostic;
pub mod document;
mod lex;
pub mod locate;
mod notation;
pub mod overrides;
pub mod parse;
#[cfg(test)]
mod tests;
pub mod units;

pub use diagnostic::{Diagnostic, Place, Source};
pub use document::Document;
pub use locate::{Outline, Path, Step};
pub(crate) use overrides::text_with;
pub use overrides::{Override, apply, check_apart};
pub use parse::parse;
pub(crate) use parse::ron_options;

//! Quantities and names as people write them in scenario files: text with a unit, read exactly.
//!
//! | type | text | holds |
//! | --- | --- | --- |
//! | [`Time`] | `"150ms"`, `"1.5ms"`, `"0s"` | a [`sim_core::Span`] |
//! | [`SignedTime`] | `"-20ms"` | signed nanoseconds |
//! | [`TimeRange`] | `"150ms..300ms"`, `"5ms"` | two spans, low ≤ high |
//! | [`Size`] | `"4KiB"` | bytes |
//! | [`Bandwidth`] | `"10MiB/s"` | bytes a second |
//! | [`Rate`] | `"1000/s"`, `"0.1/s"` | a ratio: so many in so long |
//! | [`Ppm`] | `"-50ppm"` | parts per million |
//! | [`Probability`] | `0.05`, `"0.05"` | a ratio between 0 and 1 |
//! | [`Exponent`] | `1`, `"0.99"` | thousandths, 0 to 10,000 |
//! | [`NodeName`], [`ClientName`] | `"n1"`, `"c2"` | ids, from 1 as text |
//! | [`NodeList`] | `"n1, n3"`, `["n1", "n3"]` | distinct nodes, in order |
//! | [`MessageName`] | `"n1->n3#17"` | one message: its link, and its place there from 0 |
//! | [`Asked`] | `"kv write k1=7"` | an operation of a service |
//! | [`PointName`] | `"before-apply"` | a fault point of a protocol |
//! | [`SeedRange`] | `"0..100"` | seeds, the end excluded |
//!
//! The rules, the same for all of them: decimals are exact or refused, never rounded; a number without its unit
//! is refused with a hint; what [`std::fmt::Display`] prints reads back as the same value.

mod decimal;
mod error;
mod exponent;
mod message;
mod name;
mod operation;
mod point;
mod probability;
mod rate;
mod size;
#[cfg(test)]
mod tests;
pub(crate) mod text_form;
mod time;

pub use error::UnitError;
pub use exponent::Exponent;
pub use message::MessageName;
pub use name::{ClientName, NodeList, NodeName, SeedRange};
pub use operation::Asked;
pub use point::PointName;
pub use probability::Probability;
pub use rate::{Ppm, Rate};
pub use size::{Bandwidth, Size};
pub use time::{SignedTime, Time, TimeRange};

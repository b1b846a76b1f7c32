//! Keyed randomness: every draw is a function of (seed, purpose, who, ordinal) and of nothing else.
//!
//! Drawing more in one place therefore never shifts a draw in another: removing one fault from a plan leaves the
//! latency of every unrelated message as it was, which is what makes shrinking and A/B comparison mean something.
//!
//! | piece | is | used for |
//! | --- | --- | --- |
//! | [`KeySource`] | the seed, expanded by ChaCha8 | one per run; hands out everything below |
//! | [`Key`] with [`squares64`] | a counter-based generator without state | what is drawn per message, at `mix(from, to) + k` |
//! | [`Stream`] | a key and its next counter, 16 bytes | what a process, a disk, a client draws in sequence |
//! | [`ChaCha8Rng`] | a cryptographic generator, 304 bytes | plans, workloads, configuration, before a run starts |
//!
//! [`below`], [`Probability::hits`] and [`Distribution::sample`] turn one 64-bit draw into a number, a decision or
//! a length of time. They are integer-only, so they agree on every machine; the quantile tables behind some
//! distributions are computed once through `libm`, which agrees as well.
//!
//! Nothing here is meant to withstand an adversary.

pub mod distribution;
pub mod key;
pub mod probability;
pub mod squares;
pub mod stream;
pub mod zipf;

pub use distribution::{Distribution, DistributionError};
pub use key::{Key, KeySource, Purpose};
pub use probability::{Probability, ProbabilityError};
pub use rand_chacha::ChaCha8Rng;
pub use rand_chacha::rand_core::Rng;
pub use squares::squares64;
pub use stream::{Stream, below};
pub use zipf::zipf_weights;

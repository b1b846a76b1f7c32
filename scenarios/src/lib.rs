//! Scenarios: what to simulate, as a file; and what comes of it, as a report.
//!
//! ```text
//! bytes ─ load ─► Loaded ─ assemble ─► dyn Simulation ─ run ─► Report
//!           │       ▲          ▲                          ▲
//!      Diagnostic   │     ProtocolTable, seed,      Observer
//!               library        Plan
//! ```
//!
//! | part | is |
//! | --- | --- |
//! | [`text`] | the notation: reading, places, diagnostics, overrides, units |
//! | [`format`](mod@format) | what a scenario says, typed; its doc comments are the documentation of files |
//! | [`validate`] | what fields may be together |
//! | [`load`](mod@load) | all of that: from bytes to a scenario, or to one clear error |
//! | [`configure`] | fields whose values are drawn from the seed |
//! | [`protocol`] | the protocols that scenarios can run, as a table that callers may add to |
//! | [`workload`] | what clients ask, drawn from the seed |
//! | [`plan`] | the commands of a run: written, periodic and drawn faults, and the heal |
//! | [`assemble`](mod@assemble) | a world at time zero |
//! | [`run`](mod@run) | the phases of a run, its verdict and report; running twice |
//! | [`capsule`] | a failure on disk, to be run again |
//! | [`export`] | the trace of a run in forms that other tools read |
//! | [`recording`] | a run that was recorded, in a file |
//! | [`search`](mod@search) | which runs to try next, from what those before have reached |
//! | [`shrink`](mod@shrink) | the smallest run that fails in the same way |
//! | [`reproduce`](mod@reproduce) | published numbers, and how to come to them |
//! | [`library`] | the scenarios that come with the program |
//!
//! Pure: no printing, no threads, no files, no clock. Who wants these calls from above, and hands bytes in.

pub mod assemble;
pub mod capsule;
pub mod configure;
pub mod explain;
pub mod export;
pub mod format;
pub mod library;
pub mod load;
pub mod plan;
pub mod protocol;
pub mod recording;
pub mod reproduce;
pub mod run;
pub mod search;
pub mod shrink;
pub mod text;
pub mod validate;
pub mod workload;

pub use assemble::{assemble, assemble_recording};
pub use configure::Configured;
pub use format::Scenario;
pub use load::{Loaded, load};
pub use protocol::ProtocolTable;
pub use run::{Report, Run, RunOptions, Verdict, run, run_twice};

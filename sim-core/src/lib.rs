//! The deterministic discrete-event engine of Splitbrain.

#[macro_use]
pub mod check;
pub mod clock;
pub mod context;
mod coverage;
pub mod digest;
pub mod disk;
pub mod fault;
pub mod fingerprint;
pub mod gauge;
pub mod history;
pub mod id;
pub mod leadership;
pub mod metrics;
pub mod milestone;
pub mod network;
pub mod persist;
pub mod process;
pub mod queue;
pub mod random;
pub mod ratio;
pub mod service;
pub mod simulation;
pub mod status;
pub mod time;
pub mod trace;
pub mod view;
pub mod world;

pub use context::Context;
pub use digest::Digest;
pub use id::{ClientId, Endpoint, MessageId, NodeId, OpId, SyncId};
pub use process::Process;
pub use simulation::Simulation;
pub use time::{LocalTime, SimTime, Span};
pub use world::{Setup, World};

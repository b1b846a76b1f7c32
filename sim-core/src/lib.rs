//! The deterministic discrete-event engine of Splitbrain.

pub mod history;
pub mod id;
pub mod metrics;
pub mod persist;
pub mod service;
pub mod status;
pub mod time;
pub mod trace;

pub use id::{ClientId, Endpoint, MessageId, NodeId, OpId, SyncId};
pub use time::{LocalTime, SimTime, Span};

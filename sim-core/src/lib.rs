//! The deterministic discrete-event engine of Splitbrain.

pub mod id;
pub mod persist;
pub mod time;

pub use id::{ClientId, Endpoint, MessageId, NodeId, OpId, SyncId};
pub use time::{LocalTime, SimTime, Span};

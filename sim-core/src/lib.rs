//! The deterministic discrete-event engine of Splitbrain.

pub mod id;
pub mod queue;
pub mod random;
pub mod time;

pub use id::{ClientId, Endpoint, MessageId, NodeId, OpId, SyncId};
pub use time::{LocalTime, SimTime, Span};

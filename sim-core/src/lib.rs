//! The deterministic discrete-event engine of Splitbrain.

pub mod clock;
pub mod disk;
pub mod fault;
pub mod fingerprint;
pub mod id;
pub mod network;
pub mod persist;
pub mod random;
pub mod service;
pub mod status;
pub mod time;

pub use id::{ClientId, Endpoint, MessageId, NodeId, OpId, SyncId};
pub use time::{LocalTime, SimTime, Span};

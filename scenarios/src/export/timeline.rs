//! Times, and how nodes stand, as lines of a timeline say them.

use std::fmt;

use sim_core::status::Status;
use sim_core::{NodeId, SimTime};

/// A time in seconds with all its digits, so that points stand below each other.
#[derive(Clone, Copy, Debug)]
pub struct Clock(pub SimTime);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        write!(f, "{:>5}.{:09}s", nanos / 1_000_000_000, nanos % 1_000_000_000)
    }
}

/// How a node stands: `n3 is leader, epoch 2`.
#[derive(Clone, Copy, Debug)]
pub struct Standpoint {
    /// Which one.
    pub node: NodeId,
    /// What its process says of itself; `None`: it is down.
    pub status: Option<Status>,
}

impl fmt::Display for Standpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(status) = self.status else { return write!(f, "{} is down", self.node) };
        write!(f, "{} is {}", self.node, status.role)?;
        if status.epoch > 0 {
            write!(f, ", epoch {}", status.epoch)?;
        }
        status.leader.map_or(Ok(()), |leader| write!(f, ", following {leader}"))
    }
}

//! A register in which the value written last stays. For the one that keeps all see [`MvRegister`](super::MvRegister).

use serde::Serialize;
use sim_core::NodeId;

use super::Join;

/// When something was written: equal times are decided by the replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Stamp {
    time: u64,
    replica: NodeId,
}

/// A register that holds the value with the highest time, however late it comes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LwwRegister<T> {
    /// Nothing where nothing was written.
    written: Option<(Stamp, T)>,
}

impl<T> Default for LwwRegister<T> {
    fn default() -> Self {
        Self { written: None }
    }
}

impl<T> LwwRegister<T> {
    /// The delta with which `replica` writes at `clock`, or just after what it holds if that is later: two writes of a
    /// replica never have the same time.
    #[must_use]
    pub fn write(&self, replica: NodeId, clock: u64, value: T) -> Self {
        let after = self.written.as_ref().map_or(0, |(stamp, _)| stamp.time + 1);
        Self { written: Some((Stamp { time: clock.max(after), replica }, value)) }
    }

    /// What it holds.
    pub fn value(&self) -> Option<&T> {
        self.written.as_ref().map(|(_, value)| value)
    }
}

impl<T: Clone + PartialEq> Join for LwwRegister<T> {
    fn join(&mut self, other: &Self) {
        let stamp = |register: &Self| register.written.as_ref().map(|(stamp, _)| *stamp);
        if stamp(other) > stamp(self) {
            self.written.clone_from(&other.written);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_write_wins_and_equal_times_are_decided_by_the_replica() {
        let (n1, n2) = (NodeId::new(0), NodeId::new(1));
        let nothing = LwwRegister::default();
        let mut register = nothing.write(n2, 5, "five");
        register.join(&nothing.write(n1, 5, "also five"));
        assert_eq!(register.value(), Some(&"five"));
        register.join(&register.write(n1, 3, "after it"));
        assert_eq!(
            register.value(),
            Some(&"after it"),
            "who has seen a write overrides it, whatever its clock shows"
        );
    }
}

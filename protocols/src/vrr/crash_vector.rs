//! Crash vectors (Michael, Ports, Sharma, Szekeres 2017): who is known to have crashed how often.
//!
//! A replica that crashes forgets what it has promised, but the message with the promise may still be on its way. The
//! published recovery lets such a message count: its sender, recovered into an older view, helps to commit there, and
//! then the old `DoViewChange` helps to start a newer view without what was committed.
//!
//! So each replica has an *incarnation*, raised at each recovery, and knows a lower bound for everybody else's. Before
//! it takes part again, a majority of the others know its new incarnation. A set of messages is **crash-consistent**
//! if no message in it knows of a newer incarnation of another one's sender. Two majorities meet, so a set with a
//! promise that was forgotten holds a message whose sender knows about that, or one sent before it had to.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

/// Which life of a replica: 0 is the first, and each recovery begins a higher one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Incarnation(pub u64);

impl Incarnation {
    /// The one after this.
    pub(super) const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The incarnation of each member, as far as somebody knows, in the order of the members. Copies are shared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CrashVector(Arc<[Incarnation]>);

impl CrashVector {
    /// Nobody of `count` members is known to have crashed.
    pub fn new(count: usize) -> Self {
        Self(vec![Incarnation::default(); count].into())
    }

    /// What is known of the member at `slot`.
    #[inline]
    pub fn of(&self, slot: usize) -> Incarnation {
        self.0[slot]
    }

    /// Takes over what `other` knows better.
    pub fn merge(&mut self, other: &Self) {
        assert_eq!(self.0.len(), other.0.len(), "crash vectors of one group have one length");
        if self.0.iter().zip(other.0.iter()).any(|(own, known)| known > own) {
            self.0 = self.0.iter().zip(other.0.iter()).map(|(own, known)| *own.max(known)).collect();
        }
    }

    /// Takes over what `other` knows better, but for the member at `slot`.
    pub(super) fn merge_others(&mut self, slot: usize, other: &Self) {
        let own = self.of(slot);
        self.merge(other);
        if self.of(slot) != own {
            *self = self.with(slot, own);
        }
    }

    /// The same but for the member at `slot`.
    pub(super) fn with(&self, slot: usize, incarnation: Incarnation) -> Self {
        let mut changed = self.0.to_vec();
        changed[slot] = incarnation;
        Self(changed.into())
    }

    /// Whether a message of the member at `slot`, sent with the vector `sent`, is of an incarnation that this one
    /// knows to be gone.
    #[inline]
    pub(super) fn has_buried(&self, slot: usize, sent: &Self) -> bool {
        sent.of(slot) < self.of(slot)
    }

    /// Size on the wire in bytes.
    pub fn size(&self) -> u64 {
        8 * self.0.len() as u64
    }
}

/// `[0 0 1 0 0]`.
impl fmt::Display for CrashVector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (slot, incarnation) in self.0.iter().enumerate() {
            let space = if slot == 0 { "" } else { " " };
            write!(f, "{space}{}", incarnation.0)?;
        }
        f.write_str("]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(numbers: &[u64]) -> CrashVector {
        CrashVector(numbers.iter().copied().map(Incarnation).collect())
    }

    #[test]
    fn merging_takes_the_newest_of_each() {
        let mut own = vector(&[0, 2, 1]);
        own.merge(&vector(&[1, 1, 1]));
        assert_eq!(own, vector(&[1, 2, 1]));
        assert_eq!(own.to_string(), "[1 2 1]");
    }

    #[test]
    fn of_oneself_nobody_else_knows_better() {
        let mut own = vector(&[0, 2, 1]);
        own.merge_others(1, &vector(&[1, 9, 0]));
        assert_eq!(own, vector(&[1, 2, 1]));
    }

    #[test]
    fn a_message_of_an_incarnation_that_is_known_to_be_gone_is_buried() {
        let mut known = CrashVector::new(3);
        let sent = known.clone();
        assert!(!known.has_buried(1, &sent));
        known = known.with(1, Incarnation(1));
        assert!(known.has_buried(1, &sent), "its sender has recovered since");
        assert!(!known.has_buried(2, &sent), "the crash of another does not matter");
        assert!(!sent.has_buried(1, &known), "who knows less cannot tell");
    }
}

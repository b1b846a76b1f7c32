//! What a node believes of each member, and which news overrides which (SWIM §4.2).
//!
//! Beliefs are ordered, by incarnation first and then alive < suspect < dead < left. News override a belief where they are
//! greater, so it does not matter in which order they come: all who have heard the same believe the same.

use std::fmt;

use serde::Serialize;
use sim_core::NodeId;
use sim_core::persist::AppendLog;

/// Which life of a member something is about: from 0, raised by the member alone, after a restart and to refute a
/// suspicion. Printed `i3`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Incarnation(pub u32);

impl Incarnation {
    /// The next one.
    ///
    /// # Panics
    /// After 4 billion: no run gets there.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.checked_add(1).expect("incarnations fit 32 bits"))
    }
}

impl fmt::Display for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "i{}", self.0)
    }
}

/// What a member is believed to be. The order is that of overriding within an incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum State {
    /// Never heard of, or forgotten.
    Unknown,
    /// Up.
    Alive,
    /// Perhaps down: it still takes part.
    Suspect,
    /// Down: the paper's "confirm".
    Dead,
    /// Gone by its own will.
    Left,
}

impl State {
    /// The word for it, lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Alive => "alive",
            Self::Suspect => "suspect",
            Self::Dead => "dead",
            Self::Left => "left",
        }
    }

    /// Whether such a member is listed, probed and gossiped to.
    pub const fn is_present(self) -> bool {
        matches!(self, Self::Alive | Self::Suspect)
    }

    /// Whether it is known to be gone.
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Dead | Self::Left)
    }
}

/// What a node believes of a member: 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Belief {
    /// In which incarnation.
    pub incarnation: Incarnation,
    /// What it is.
    pub state: State,
}

impl Belief {
    /// Of a member never heard of.
    pub const UNKNOWN: Self = Self { incarnation: Incarnation(0), state: State::Unknown };

    /// A belief.
    pub const fn new(state: State, incarnation: Incarnation) -> Self {
        Self { incarnation, state }
    }

    /// Whether this, as news, overrides `other`. Alive{i} overrides all of j < i; Suspect{i} that, and Alive{j} for
    /// i ≥ j; Dead{i} that, and Suspect{j} for i ≥ j. The paper has Dead override every incarnation, and nothing
    /// override it: a member never comes back under its name. Here it may, as in memberlist, with a higher incarnation.
    pub fn overrides(self, other: Self) -> bool {
        match (self.state, other.state) {
            (State::Unknown, _) => false,
            (_, State::Unknown) => true,
            (State::Suspect, State::Alive)
            | (State::Dead, State::Alive | State::Suspect)
            | (State::Left, State::Alive | State::Suspect | State::Dead) => {
                self.incarnation >= other.incarnation
            }
            (State::Alive, _)
            | (State::Suspect, State::Suspect | State::Dead | State::Left)
            | (State::Dead, State::Dead | State::Left)
            | (State::Left, State::Left) => self.incarnation > other.incarnation,
        }
    }
}

/// `suspect i3`.
impl fmt::Display for Belief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.state.name(), self.incarnation)
    }
}

/// News of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Update {
    /// Of whom.
    pub member: NodeId,
    /// What is said of it.
    pub belief: Belief,
    /// Who says so by its own knowledge: who suspects, who declares dead.
    pub from: NodeId,
}

impl Update {
    /// Size on the wire in bytes: kind, incarnation, two addresses.
    pub const SIZE: u64 = 24;
}

/// `n2 suspect i3`.
impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.member, self.belief)
    }
}

/// What a node believes of all members. Clones share what is equal in both: 10,000 nodes that know the same 10,000 members take
/// the memory of one table, until they hear different things.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Table {
    /// By node.
    beliefs: AppendLog<Belief>,
    /// How many members are known at all.
    known_count: u32,
    /// How many of them are present.
    present_count: u32,
    /// The sum of the scrambled numbers of those: who agree on it list the same members, but for a chance of 2⁻⁶⁴.
    present_sum: u64,
}

impl Table {
    /// The table of a group that has just been set up.
    pub fn of_group(members: &[NodeId]) -> Self {
        let mut table = Self::default();
        for member in members {
            table.set(*member, Belief::new(State::Alive, Incarnation(0)));
        }
        table
    }

    /// What is believed of a member.
    #[inline]
    pub fn get(&self, member: NodeId) -> Belief {
        self.beliefs.get(member.raw().into()).copied().unwrap_or(Belief::UNKNOWN)
    }

    /// Changes what is believed of a member.
    pub(super) fn set(&mut self, member: NodeId, belief: Belief) {
        let place = self.beliefs.get_or_fill(member.raw().into(), || Belief::UNKNOWN);
        let old = std::mem::replace(place, belief);
        let count = |is: bool| u32::from(is);
        let is_known = |belief: Belief| belief.state != State::Unknown;
        self.known_count = self.known_count + count(is_known(belief)) - count(is_known(old));
        let (was_present, is_present) = (old.state.is_present(), belief.state.is_present());
        self.present_count = self.present_count + count(is_present) - count(was_present);
        let scrambled = scramble(u64::from(member.raw()) + 1);
        if is_present && !was_present {
            self.present_sum = self.present_sum.wrapping_add(scrambled);
        } else if was_present && !is_present {
            self.present_sum = self.present_sum.wrapping_sub(scrambled);
        }
    }

    /// All members that are known, in order.
    pub fn known(&self) -> impl Iterator<Item = (NodeId, Belief)> {
        let all = (0_u32..).map(NodeId::new).zip(self.beliefs.iter().copied());
        all.filter(|(_, belief)| belief.state != State::Unknown)
    }

    /// How many are known.
    pub const fn known_count(&self) -> u32 {
        self.known_count
    }

    /// How many are present: alive or suspect.
    pub const fn present_count(&self) -> u32 {
        self.present_count
    }

    /// A number that is equal where the same members are present.
    pub const fn present_sum(&self) -> u64 {
        self.present_sum
    }
}

/// Spreads a number over 64 bits: the finalizer of `SplitMix64` (Steele, Lea, Flood 2014).
pub(super) const fn scramble(number: u64) -> u64 {
    let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 5] = [State::Unknown, State::Alive, State::Suspect, State::Dead, State::Left];

    fn all() -> Vec<Belief> {
        let of = |state| (0..3).map(move |number| Belief::new(state, Incarnation(number)));
        STATES.into_iter().flat_map(of).collect()
    }

    #[test]
    fn news_override_as_the_paper_says() {
        let belief = |state, number| Belief::new(state, Incarnation(number));
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            let overrides = |news, old| belief(news, i).overrides(belief(old, j));
            assert_eq!(overrides(State::Alive, State::Suspect), i > j);
            assert_eq!(overrides(State::Alive, State::Alive), i > j);
            assert_eq!(overrides(State::Suspect, State::Suspect), i > j);
            assert_eq!(overrides(State::Suspect, State::Alive), i >= j);
            assert_eq!(overrides(State::Dead, State::Alive), i >= j);
            assert_eq!(overrides(State::Alive, State::Dead), i > j, "a member may come back");
        }
    }

    #[test]
    fn of_any_news_the_order_of_arrival_does_not_matter() {
        let hear = |old: Belief, news: Belief| if news.overrides(old) { news } else { old };
        for (a, b) in all().into_iter().flat_map(|a| all().into_iter().map(move |b| (a, b))) {
            assert!(!(a.overrides(b) && b.overrides(a)), "{a} and {b}");
            assert!(!a.overrides(a), "{a} is no news");
            let (one, other) = (hear(hear(Belief::UNKNOWN, a), b), hear(hear(Belief::UNKNOWN, b), a));
            assert_eq!(one, other, "{a} and {b}");
        }
    }

    #[test]
    fn counts_follow_the_beliefs() {
        let node = NodeId::new;
        let mut table = Table::of_group(&[node(0), node(2)]);
        assert_eq!((table.known_count(), table.present_count()), (2, 2));
        assert_eq!(table.get(node(1)), Belief::UNKNOWN);
        assert_eq!(table.get(node(9)), Belief::UNKNOWN);
        let before = table.present_sum();
        table.set(node(2), Belief::new(State::Suspect, Incarnation(0)));
        assert_eq!((table.present_count(), table.present_sum()), (2, before));
        table.set(node(2), Belief::new(State::Dead, Incarnation(0)));
        assert_eq!((table.known_count(), table.present_count()), (2, 1));
        assert_eq!(table.present_sum(), Table::of_group(&[node(0)]).present_sum());
        assert_eq!(table.known().count(), 2);
    }
}

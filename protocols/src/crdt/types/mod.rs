//! The data types: join semilattices, whose states only grow and merge in any order, any number of times.
//!
//! | type | value | source |
//! | --- | --- | --- |
//! | [`GCounter`], [`PnCounter`] | a sum that grows; one that also falls | Shapiro et al. §3.1.1, §3.1.3 |
//! | [`GSet`], [`TwoPhaseSet`] | a set that grows; one from which an element goes once and for good | §3.3.1, §3.3.2 |
//! | [`OrSet`] | a set in which adding wins over removing at the same time | §3.3.5; Bieniusa et al.; Almeida et al. §7.3 |
//! | [`LwwRegister`], [`MvRegister`] | the value written last; all values of which none had seen another | §3.2.1, §3.2.2 |
//! | [`OrMap`] | a multi-value register under each key | Almeida et al. §7.5 |
//! | [`Rga`] | a sequence | Roh et al.; Shapiro et al. §3.5.1 |
//!
//! A state is changed by joining a *delta* to it: a small state of the same type that holds the change and nothing else.
//! Sending the whole state and sending deltas are the same thing then, and the laws need to be kept once.

mod causal;
mod counter;
mod register;
mod sequence;
mod set;

use serde::Serialize;
use sim_core::NodeId;

pub use causal::{Causal, Context, MvRegister, OrMap, OrSet};
pub use counter::{GCounter, PnCounter};
pub use register::LwwRegister;
pub use sequence::Rga;
pub use set::{GSet, TwoPhaseSet};

/// A join semilattice: `join` is associative, commutative and idempotent, so that what replicas hold depends on what they
/// were told, and not on in which order or how often.
pub trait Join: Clone + PartialEq {
    /// Becomes the least state that holds both.
    fn join(&mut self, other: &Self);

    /// Whether it holds all that `other` does: joining it changes nothing.
    fn covers(&self, other: &Self) -> bool {
        let mut joined = self.clone();
        joined.join(other);
        joined == *self
    }
}

/// The name of an event at a replica, which no other event has: the `count`-th of it, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dot {
    /// How many there were at the replica, this one included. It comes first in the order, so that the highest of some
    /// dots is of the replica that has done most.
    pub count: u64,
    /// Where.
    pub replica: NodeId,
}

#[cfg(test)]
mod laws {
    //! The laws, for states that replicas come to by changes of their own and by joining each other.

    use std::fmt::Debug;

    use proptest::prelude::*;
    use sim_core::NodeId;
    use sim_core::service::{Key, Value};

    use super::*;

    /// Replicas in a run.
    const REPLICAS: u32 = 3;

    /// A step of a run: a change at a replica, or one replica takes all that another one has.
    #[derive(Clone, Debug)]
    pub(super) enum Step<C> {
        Change(u32, C),
        Take { by: u32, from: u32 },
    }

    /// A change to a replica's state: the delta.
    type Mutator<T, C> = fn(&T, NodeId, &C) -> T;

    /// The states of all replicas after some steps, and the deltas that were made on the way.
    pub(super) fn run<T: Join + Default, C>(steps: &[Step<C>], change: Mutator<T, C>) -> (Vec<T>, Vec<T>) {
        let (mut states, mut deltas) = (vec![T::default(); REPLICAS as usize], Vec::new());
        for step in steps {
            match step {
                Step::Change(replica, what) => {
                    let state = &mut states[*replica as usize];
                    let delta = change(state, NodeId::new(*replica), what);
                    state.join(&delta);
                    deltas.push(delta);
                }
                Step::Take { by, from } => {
                    let other = states[*from as usize].clone();
                    states[*by as usize].join(&other);
                }
            }
        }
        (states, deltas)
    }

    pub(super) fn steps<C: Debug>(changes: impl Strategy<Value = C>) -> impl Strategy<Value = Vec<Step<C>>> {
        let change = (0..REPLICAS, changes).prop_map(|(replica, what)| Step::Change(replica, what));
        let take = (0..REPLICAS, 0..REPLICAS).prop_map(|(by, from)| Step::Take { by, from });
        prop::collection::vec(prop_oneof![2 => change, 1 => take], 0..24)
    }

    pub(super) fn joined<T: Join>(one: &T, other: &T) -> T {
        let mut joined = one.clone();
        joined.join(other);
        joined
    }

    /// That the laws hold for what replicas hold and for the deltas.
    fn assert_laws<T: Join + Default + Debug, C>(steps: &[Step<C>], change: Mutator<T, C>) {
        let (states, deltas) = run(steps, change);
        let all: Vec<&T> = states.iter().chain(deltas.iter().take(4)).collect();
        for &a in &all {
            assert_eq!(joined(a, a), *a, "joining is idempotent");
            assert!(a.covers(&T::default()), "everything covers nothing");
            for &b in &all {
                let ab = joined(a, b);
                assert_eq!(ab, joined(b, a), "joining is commutative");
                assert!(ab.covers(a) && ab.covers(b), "a join covers both");
                assert_eq!(a.covers(b), ab == *a, "who covers another one is not changed by joining it");
                for &c in &all {
                    assert_eq!(joined(&ab, c), joined(a, &joined(b, c)), "joining is associative");
                }
            }
        }
        let by_state = states.iter().fold(T::default(), |whole, state| joined(&whole, state));
        let by_delta = deltas.iter().rev().fold(T::default(), |whole, delta| joined(&whole, delta));
        assert_eq!(by_state, by_delta, "deltas in any order make the same as states");
    }

    proptest! {
        #[test]
        fn counters_keep_the_laws(steps in steps(-5_i64..6)) {
            assert_laws::<GCounter, i64>(&steps, |state, replica, by| state.add(replica, by.unsigned_abs()));
            assert_laws::<PnCounter, i64>(&steps, |state, replica, by| state.add(replica, *by));
        }

        #[test]
        fn sets_keep_the_laws(steps in steps((0_u64..4, any::<bool>()))) {
            assert_laws::<GSet<Value>, (Value, bool)>(&steps, |_, _, (value, _)| GSet::of(*value));
            assert_laws::<TwoPhaseSet<Value>, (Value, bool)>(&steps, |state, _, (value, adds)| {
                if *adds { TwoPhaseSet::adding(*value) } else { state.removing(value) }
            });
            assert_laws::<OrSet<Value>, (Value, bool)>(&steps, |state, replica, (value, adds)| {
                if *adds { state.put(replica, *value, ()) } else { state.remove(value) }
            });
        }

        #[test]
        fn registers_and_maps_keep_the_laws(steps in steps((0_u32..3, prop::option::of(0_u64..9)))) {
            assert_laws::<LwwRegister<Value>, (u32, Option<Value>)>(&steps, |state, replica, (clock, value)| {
                state.write(replica, u64::from(*clock), value.unwrap_or_default())
            });
            assert_laws::<MvRegister<Value>, (u32, Option<Value>)>(&steps, |state, replica, (_, value)| {
                state.put(replica, (), value.unwrap_or_default())
            });
            assert_laws::<OrMap<Value>, (u32, Option<Value>)>(&steps, |state, replica, (key, value)| match value {
                Some(value) => state.put(replica, Key(*key), *value),
                None => state.remove(&Key(*key)),
            });
        }

        #[test]
        fn sequences_keep_the_laws(steps in steps((0_usize..6, prop::option::of(0_u64..9)))) {
            assert_laws::<Rga<Value>, (usize, Option<Value>)>(&steps, |state, replica, (place, value)| match value {
                Some(value) => state.insert(replica, *place, *value),
                None => state.remove(*place),
            });
        }
    }
}

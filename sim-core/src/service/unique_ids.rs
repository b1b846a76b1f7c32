//! `unique-ids`: numbers nobody else gets. Its operation is [`Operation::UniqueId`], the answer
//! [`Outcome::Value`] with the number.

use std::collections::BTreeSet;

use super::{Model, Operation, Outcome, Value};

/// The sequential meaning of `unique-ids`: no number is given twice. Any order will do. A number whose giving
/// was never seen binds nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct UniqueIdsModel;

impl Model for UniqueIdsModel {
    /// The numbers given.
    type State = BTreeSet<Value>;

    fn initial(&self) -> Self::State {
        BTreeSet::new()
    }

    fn step(&self, state: &Self::State, operation: &Operation, outcome: &Outcome) -> Option<Self::State> {
        let Operation::UniqueId = operation else { return None };
        if *outcome == Outcome::Unknown {
            return Some(state.clone());
        }
        let Outcome::Value(Some(id)) = outcome else { return None };
        let mut given = state.clone();
        given.insert(*id).then_some(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_given_once() {
        let step = |state: &_, outcome| UniqueIdsModel.step(state, &Operation::UniqueId, &outcome);
        let state = step(&UniqueIdsModel.initial(), Outcome::Value(Some(9))).expect("new");
        assert_eq!(step(&state, Outcome::Value(Some(9))), None);
        assert_eq!(step(&state, Outcome::Value(None)), None);
        assert_eq!(step(&state, Outcome::Unknown), Some(state.clone()));
        assert!(step(&state, Outcome::Value(Some(3))).is_some());
    }
}

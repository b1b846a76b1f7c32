//! `echo`: what is given comes back. Its operation is [`Operation::Echo`], the answer [`Outcome::Value`].

use super::{Model, Operation, Outcome};

/// The sequential meaning of `echo`: nothing is kept, and an answer is the question.
#[derive(Clone, Copy, Debug, Default)]
pub struct EchoModel;

impl Model for EchoModel {
    type State = ();

    fn initial(&self) {}

    fn step(&self, (): &(), operation: &Operation, outcome: &Outcome) -> Option<()> {
        let Operation::Echo(value) = operation else { return None };
        outcome.may_be(&Outcome::Value(Some(*value))).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_question_comes_back() {
        let step = |outcome| EchoModel.step(&(), &Operation::Echo(7), &outcome);
        assert_eq!(step(Outcome::Value(Some(7))), Some(()));
        assert_eq!(step(Outcome::Unknown), Some(()));
        assert_eq!(step(Outcome::Value(Some(8))), None);
        assert_eq!(step(Outcome::Value(None)), None);
    }
}

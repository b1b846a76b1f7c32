//! The one property of echo.

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::PersistentMap;
use sim_core::service::Value;
use sim_core::{NodeId, OpId};

use super::{Echo, Fact};

/// Every answer is the value that was asked for.
#[derive(Clone, Debug, Default)]
pub struct AnswersMatch {
    asked: PersistentMap<OpId, Value>,
}

/// All invariants, fresh.
pub fn all() -> Vec<Box<dyn Invariant<Echo>>> {
    vec![Box::<AnswersMatch>::default()]
}

impl AnswersMatch {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Asked { op, value } => {
                self.asked.insert(op, value);
                Ok(())
            }
            Fact::Answered { op, value } => self.check(node, op, value),
        }
    }

    fn check(&self, node: NodeId, op: OpId, value: Value) -> Result<(), Breach> {
        let asked = self.asked.get(&op);
        ensure!(asked == Some(&value), "{node} answers {op} with {value}, and {asked:?} was asked");
        Ok(())
    }
}

impl Invariant<Echo> for AnswersMatch {
    fn about(&self) -> &'static About {
        &About {
            name: "answers-match",
            statement: "Every answer is the value that was asked for.",
            source: "the meaning of the service `echo`",
            leaves_out: "whether an answer comes at all: liveness conditions see to that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Echo>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    /// What the nodes are about to answer.
    fn check_all(&self, nodes: &Nodes<'_, Echo>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, echo)| {
            echo.pending().iter().try_for_each(|(op, pending)| self.check(node, *op, pending.value))
        })
    }
}

#[cfg(test)]
mod tests {
    use sim_core::ClientId;

    use super::*;

    #[test]
    fn an_answer_with_another_value_or_to_no_question_is_found() {
        let node = NodeId::new(0);
        let op = |ordinal| OpId { client: ClientId::new(0), ordinal };
        let mut invariant = AnswersMatch::default();
        assert_eq!(invariant.on_fact(node, Fact::Asked { op: op(0), value: 7 }), Ok(()));
        assert_eq!(invariant.on_fact(node, Fact::Answered { op: op(0), value: 7 }), Ok(()));
        assert!(invariant.on_fact(node, Fact::Answered { op: op(0), value: 8 }).is_err());
        assert!(invariant.on_fact(node, Fact::Answered { op: op(1), value: 7 }).is_err());
    }
}

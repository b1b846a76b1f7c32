//! Accuracy: who runs is not taken for dead, in runs that are held to it.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::member::State;
use super::super::{Accuracy, Fact, Incarnation, Swim};

/// Nobody who runs is declared dead, or even suspected, as far as the scenario says.
#[derive(Clone, Copy, Debug)]
pub struct Accurate {
    asked: Accuracy,
}

impl Accurate {
    /// For runs that are held to this.
    pub fn new(asked: Accuracy) -> Self {
        Self { asked }
    }

    fn check(
        self,
        nodes: &Nodes<'_, Swim>,
        node: NodeId,
        member: NodeId,
        incarnation: Incarnation,
        state: State,
    ) -> Result<(), Breach> {
        let is_wrong = match self.asked {
            Accuracy::Eventual => false,
            Accuracy::NoFalseDeaths => state == State::Dead,
            Accuracy::NoFalseSuspicions => matches!(state, State::Suspect | State::Dead),
        };
        let truth = nodes.process(member).filter(|_| is_wrong);
        let is_present = truth.is_some_and(|swim| {
            let own = swim.membership().table().get(member);
            own.state == State::Alive && own.incarnation == incarnation
        });
        ensure!(!is_present, "{node} takes {member} for {} in {incarnation}, and it runs", state.name());
        Ok(())
    }
}

impl Invariant<Swim> for Accurate {
    fn about(&self) -> &'static About {
        &About {
            name: "accuracy",
            statement: "With `accuracy: NoFalseDeaths`, nobody declares a member dead that runs, in the incarnation that \
                        it is in; with `NoFalseSuspicions`, nobody suspects one either.",
            source: "Chandra and Toueg (JACM 1996): strong accuracy; SWIM (DSN 2002) §4.2: false positives",
            leaves_out: "runs that do not ask for it: where messages are lost, and members cut off, paused or slow, any \
                         failure detector is wrong at times",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Swim>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match fact {
            Fact::Heard { update, .. } => {
                self.check(nodes, node, update.member, update.belief.incarnation, update.belief.state)
            }
            Fact::Confirmed { member, incarnation, .. } => {
                self.check(nodes, node, *member, *incarnation, State::Dead)
            }
            Fact::Started { .. }
            | Fact::Announced { .. }
            | Fact::Accused { .. }
            | Fact::Leaves { .. }
            | Fact::Forgot { .. }
            | Fact::Period
            | Fact::Pinged { .. }
            | Fact::Answered
            | Fact::Requested
            | Fact::GossipBegins
            | Fact::Packs
            | Fact::Gossiped
            | Fact::Queued { .. }
            | Fact::PassedOn { .. }
            | Fact::Spent { .. } => Ok(()),
        })
    }

    fn check_all(&self, nodes: &Nodes<'_, Swim>) -> Result<(), Breach> {
        for (node, swim) in nodes.running() {
            for (member, belief) in swim.membership().table().known().filter(|(member, _)| *member != node) {
                self.check(nodes, node, member, belief.incarnation, belief.state)?;
            }
        }
        Ok(())
    }
}

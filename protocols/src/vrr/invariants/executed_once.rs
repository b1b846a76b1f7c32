//! Executed once (§4.1): the client table.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::persist::AppendLog;

use super::super::facts::Effect;
use super::super::{Fact, Index, Vrr};

/// A request that was sent twice may stand in the log twice, but only its first place has an effect. All replicas agree
/// on which that is, because the client table is part of the state.
#[derive(Clone, Debug)]
pub struct ExecutedOnce {
    /// Whether the entry at each op-number had an effect, where it was executed first.
    effects: AppendLog<Effect>,
}

impl Default for ExecutedOnce {
    fn default() -> Self {
        Self { effects: AppendLog::starting_at(1) }
    }
}

impl ExecutedOnce {
    fn execute(&mut self, node: NodeId, index: Index, effect: Effect) -> Result<(), Breach> {
        let Some(known) = self.effects.get(index.0) else {
            // An entry that was left out is the business of `state-machine-safety`.
            while self.effects.end_index() < index.0 {
                self.effects.push(effect);
            }
            self.effects.push(effect);
            return Ok(());
        };
        ensure!(
            *known == effect,
            "{node} took the request at {index} for {}, another replica for {}",
            name(effect),
            name(*known)
        );
        Ok(())
    }
}

impl Invariant<Vrr> for ExecutedOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "executed-once",
            statement: "Replicas agree at each op-number whether its request had been executed before.",
            source: "paper §4.1, step 2, and §4.5",
            leaves_out: "requests older than the last 64 of their client, which are not executed at all",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Vrr>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Applied { index, effect, .. } => self.execute(node, index, effect),
            Fact::RecoveryStarted
            | Fact::Recovered { .. }
            | Fact::ViewChangeStarted { .. }
            | Fact::BecamePrimary { .. }
            | Fact::BecameBackup { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Installed { .. }
            | Fact::EpochLeft { .. }
            | Fact::EpochLearned { .. }
            | Fact::Retired { .. }
            | Fact::Acknowledged { .. }
            | Fact::Committed { .. } => Ok(()),
        })
    }

    /// Replicas that have executed the same know the same clients and registers.
    fn check_all(&self, nodes: &Nodes<'_, Vrr>) -> Result<(), Breach> {
        for (node, vrr) in nodes.running() {
            let machine = vrr.machine();
            let twin = nodes.running().find(|(_, other)| other.machine().applied() == machine.applied());
            let (twin_node, twin) = twin.expect("a replica has executed what it has");
            let counts = (machine.session_count(), machine.register_count());
            let twin_counts = (twin.machine().session_count(), twin.machine().register_count());
            ensure!(
                counts == twin_counts,
                "{node} and {twin_node} have executed up to {}, and know {counts:?} and {twin_counts:?} clients and \
                 registers",
                machine.applied()
            );
        }
        Ok(())
    }
}

fn name(effect: Effect) -> &'static str {
    match effect {
        Effect::Fresh => "new",
        Effect::Repeated => "a repetition",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_that_has_forgotten_a_request_is_found() {
        let mut invariant = ExecutedOnce::default();
        let [first, second] = [0, 1].map(NodeId::new);
        assert_eq!(invariant.execute(first, Index(1), Effect::Fresh), Ok(()));
        assert_eq!(invariant.execute(second, Index(1), Effect::Fresh), Ok(()));
        assert_eq!(invariant.execute(first, Index(2), Effect::Repeated), Ok(()));
        let breach = invariant.execute(second, Index(2), Effect::Fresh).expect_err("n1 knew it");
        assert_eq!(breach.to_string(), "n2 took the request at 2 for new, another replica for a repetition");
    }
}

//! Same history, same state (§2.1).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;

use super::super::facts::{APPLIED, ENTERED, INSTALLED, JOINED};
use super::super::{ChainReplication, Fact};
use super::{Pair, check_pairs};

/// Servers with the same history have the same registers and sessions: as many, at each event.
#[derive(Clone, Copy, Debug, Default)]
pub struct SameState;

fn check((before, after): Pair<'_>) -> Result<(), Breach> {
    if before.history().last_chain() != after.history().last_chain() {
        return Ok(());
    }
    let [ours, theirs] = [before, after].map(|server| {
        let machine = server.machine();
        (machine.register_count(), machine.session_count(), machine.executed())
    });
    ensure!(
        ours == theirs,
        "{} and {} have the same {} updates; the first has (keys, clients, effects) {ours:?} from it, the second {theirs:?}",
        before.member(),
        after.member(),
        before.last()
    );
    Ok(())
}

impl Invariant<ChainReplication> for SameState {
    fn about(&self) -> &'static About {
        &About {
            name: "same-state",
            statement: "Servers with the same history have as many keys, know as many clients, and have done as many updates.",
            source: "van Renesse and Schneider §2.1: the state is a function of the history",
            leaves_out: "the values themselves: linearizability sees to that",
        }
    }

    fn hears(&self) -> Kinds {
        [APPLIED, ENTERED, INSTALLED, JOINED].into_iter().collect()
    }

    fn on_event(
        &mut self,
        nodes: &Nodes<'_, ChainReplication>,
        node: NodeId,
        _: &[Fact],
    ) -> Result<(), Breach> {
        check_pairs(nodes, Some(node), check)
    }

    fn check_all(&self, nodes: &Nodes<'_, ChainReplication>) -> Result<(), Breach> {
        check_pairs(nodes, None, |(before, after)| {
            check((before, after))?;
            let is_same = before.history().last_chain() == after.history().last_chain();
            let (ours, theirs) = (before.machine().items(), after.machine().items());
            ensure!(
                !is_same || ours.eq(theirs),
                "{} and {} have the same {} updates, and something else has come of them",
                before.member(),
                after.member(),
                before.last()
            );
            Ok(())
        })
    }
}

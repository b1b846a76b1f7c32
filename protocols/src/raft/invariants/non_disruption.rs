//! A leader that a majority hears is not deposed (dissertation §4.2.3, §9.6).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};

use super::super::facts::{Kind, kinds};
use super::super::{Fact, Host, Term};

/// A leader whom a majority has answered within the shortest election timeout goes only because it is asked to.
///
/// Nodes state it where their parameters say so (`watch_disruption`): without pre-vote, check-quorum and stickiness Raft
/// does not promise it, and the invariant shows why one wants them.
#[derive(Clone, Debug, Default)]
pub struct NonDisruption;

fn judge(node: NodeId, term: Term) -> Breach {
    Breach(format!("{node} led {term} and could count on a majority, and was deposed all the same"))
}

impl<H: Host> Invariant<H> for NonDisruption {
    fn about(&self) -> &'static About {
        &About {
            name: "non-disruption",
            statement: "A leader that a majority has just answered is not deposed, unless it hands over.",
            source: "dissertation §4.2.3, §6.2, §9.6",
            leaves_out: "clocks that differ by more than `drift_max`; leaders whose parameters do not ask for it",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<H>([Kind::Disrupted])
    }

    fn on_event(&mut self, _: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        facts.iter().filter_map(H::as_fact).try_for_each(|fact| match *fact {
            Fact::Disrupted { term } => Err(judge(node, term)),
            Fact::Recovered { .. }
            | Fact::TermChanged { .. }
            | Fact::SpokeIn { .. }
            | Fact::VoteGranted { .. }
            | Fact::BecamePreCandidate { .. }
            | Fact::BecameCandidate { .. }
            | Fact::BecameLeader { .. }
            | Fact::BecameFollower { .. }
            | Fact::Appended { .. }
            | Fact::Truncated { .. }
            | Fact::Compacted { .. }
            | Fact::Restored { .. }
            | Fact::Committed { .. }
            | Fact::Applied { .. } => Ok(()),
        })
    }

    /// It is about what happens, not about how things stand.
    fn check_all(&self, _: &Nodes<'_, H>) -> Result<(), Breach> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_breach_names_the_leader_and_its_term() {
        let breach = judge(NodeId::new(2), Term(4));
        assert_eq!(
            breach.to_string(),
            "n3 led t4 and could count on a majority, and was deposed all the same"
        );
    }
}

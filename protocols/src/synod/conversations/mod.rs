//! The Synod in conversation scripts: the texts in this folder.

use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::durable::{ACCEPTOR, ROUND};
use super::{Config, Fact, Learning, Mutant, Synod, invariants};
use crate::replicated::Quorums;
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Synod {
    /// `learning=proposer`, and `phase1=N phase2=N` for quorums of these sizes.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config::new((0..nodes).map(NodeId::new));
        arguments.set("ballot_timeout", &mut config.ballot_timeout)?;
        let learning = |name: &str| match name {
            "everybody" => Some(Learning::Everybody),
            "proposer" => Some(Learning::Proposer),
            _ => None,
        };
        config.learning = arguments.named("learning", learning)?.unwrap_or_default();
        let sizes = (arguments.value::<u64>("phase1")?, arguments.value::<u64>("phase2")?);
        if let (Some(phase1), Some(phase2)) = sizes {
            let size = |size: u64| usize::try_from(size).map_err(|error| error.to_string());
            config.quorums = Quorums::Sizes { phase1: size(phase1)?, phase2: size(phase2)? };
        }
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Requested { proposal } => Some(format!("is asked to propose {proposal}")),
            Fact::Prepared { ballot } => Some(format!("prepares {ballot}")),
            Fact::Promised { ballot } => Some(format!("promises {ballot}")),
            Fact::Proposed(vote) => Some(format!("proposes {vote}")),
            Fact::Accepted(vote) => Some(format!("accepts {vote}")),
            Fact::Learned { proposal } => Some(format!("learns that {proposal} is chosen")),
        }
    }

    fn summary(&self) -> String {
        let accepted =
            self.acceptor().accepted().map_or_else(|| "nothing".to_owned(), |vote| vote.to_string());
        let chosen = self.chosen().map_or_else(|| "unknown".to_owned(), |proposal| proposal.to_string());
        let (stage, promised) = (self.proposer.stage.name(), self.acceptor().promised());
        format!("{stage} promised={promised} accepted={accepted} chosen={chosen}")
    }

    fn region(region: RegionId) -> String {
        match region {
            ACCEPTOR => "acceptor".to_owned(),
            ROUND => "round".to_owned(),
            other => format!("region {}", other.raw()),
        }
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Synod>("synod");
}

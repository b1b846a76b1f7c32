//! Raft in conversation scripts: the texts in this folder.

use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::durable::{HARD_STATE, LOG};
use super::{Config, Fact, Mutant, Raft, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Raft {
    /// `members=n1,n2` if not all nodes are members at the start.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let everybody: Vec<NodeId> = (0..nodes).map(NodeId::new).collect();
        let members = arguments.value("members")?.unwrap_or(everybody);
        let mut config = Config::new(members);
        arguments.set("heartbeat", &mut config.heartbeat)?;
        arguments.set("election_timeout", &mut config.election_timeout)?;
        arguments.set("append_entries_max", &mut config.append_entries_max)?;
        arguments.set("in_flight_max", &mut config.in_flight_max)?;
        arguments.set("uncommitted_max", &mut config.uncommitted_max)?;
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(_config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all()
    }

    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Recovered { index, term, .. } => {
                Some(format!("finds a log that ends with ({index},{term})"))
            }
            Fact::TermChanged { term } => Some(format!("enters {term}")),
            Fact::VoteGranted { term, candidate } => Some(format!("votes for {candidate} in {term}")),
            Fact::BecameCandidate { term } => Some(format!("campaigns in {term}")),
            Fact::BecameLeader { term } => Some(format!("leads {term}")),
            Fact::BecameFollower { term } => Some(format!("follows in {term}")),
            Fact::Appended { index, term, .. } => Some(format!("appends ({index},{term})")),
            Fact::Truncated { from } => Some(format!("removes entries from {from} on")),
            Fact::Committed { index, .. } => Some(format!("commits up to {index}")),
            Fact::Applied { index, .. } => Some(format!("executes {index}")),
        }
    }

    fn summary(&self) -> String {
        let status = sim_core::Process::status(self);
        let name = |node: Option<NodeId>| node.map_or_else(|| "nobody".to_owned(), |node| node.to_string());
        format!(
            "{} {} voted={} leader={} last=({},{}) commit={} applied={}",
            status.role,
            self.term(),
            name(self.vote()),
            name(status.leader),
            self.log.last_index(),
            self.log.last_term(),
            self.log.commit(),
            self.machine.applied(),
        )
    }

    fn region(region: RegionId) -> String {
        match region {
            HARD_STATE => "hard-state".to_owned(),
            LOG => "log".to_owned(),
            other => format!("region {}", other.raw()),
        }
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Raft>("raft");
}

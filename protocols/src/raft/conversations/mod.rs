//! Raft in conversation scripts: the texts in this folder.

use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::durable::{HARD_STATE, LOG};
use super::snapshot::SNAPSHOT;
use super::{Config, Fact, Mutant, Raft, ReadMode, SessionPolicy, TakesEffect, Transition, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Raft {
    /// Every parameter under its name. `members=n1,n2` if not all nodes are members at first.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let everybody: Vec<NodeId> = (0..nodes).map(NodeId::new).collect();
        let mut config = Config::new(arguments.value("members")?.unwrap_or(everybody));
        arguments.set("learners", &mut config.learners)?;
        set_switches(&mut config, arguments)?;
        set_limits(&mut config, arguments)?;
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
            Fact::SpokeIn { .. } => None,
            Fact::VoteGranted { term, candidate } => Some(format!("votes for {candidate} in {term}")),
            Fact::BecamePreCandidate { term } => Some(format!("asks for pre-votes in {term}")),
            Fact::BecameCandidate { term } => Some(format!("campaigns in {term}")),
            Fact::BecameLeader { term } => Some(format!("leads {term}")),
            Fact::BecameFollower { term } => Some(format!("follows in {term}")),
            Fact::Disrupted { term } => Some(format!("is deposed in {term} although a majority followed it")),
            Fact::Appended { index, term, .. } => Some(format!("appends ({index},{term})")),
            Fact::Truncated { from } => Some(format!("removes entries from {from} on")),
            Fact::Compacted { index } => Some(format!("forgets entries up to {index}")),
            Fact::Restored { index, term, .. } => {
                Some(format!("begins with a snapshot up to ({index},{term})"))
            }
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
            SNAPSHOT => "snapshot".to_owned(),
            other => format!("region {}", other.raw()),
        }
    }
}

fn set_switches(config: &mut Config, arguments: &mut Arguments) -> Result<(), String> {
    arguments.set("pre_vote", &mut config.pre_vote)?;
    arguments.set("check_quorum", &mut config.check_quorum)?;
    arguments.set("stickiness", &mut config.stickiness)?;
    arguments.set("overlap_own_vote", &mut config.overlap_own_vote)?;
    arguments.set("watch_disruption", &mut config.watch_disruption)?;
    config.reads = arguments.named("reads", ReadMode::by_name)?.unwrap_or_default();
    config.transition = arguments.named("transition", Transition::by_name)?.unwrap_or_default();
    config.takes_effect = arguments.named("takes_effect", TakesEffect::by_name)?.unwrap_or_default();
    if let Some(count) = arguments.value("sessions_max")? {
        config.sessions = SessionPolicy::AtMost(count);
    }
    Ok(())
}

fn set_limits(config: &mut Config, arguments: &mut Arguments) -> Result<(), String> {
    arguments.set("heartbeat", &mut config.heartbeat)?;
    arguments.set("election_timeout", &mut config.election_timeout)?;
    arguments.set("drift_max", &mut config.drift_max)?;
    arguments.set("catch_up_rounds", &mut config.catch_up_rounds)?;
    arguments.set("snapshot_every", &mut config.snapshot_every)?;
    arguments.set("snapshot_trail", &mut config.snapshot_trail)?;
    arguments.set("snapshot_chunk", &mut config.snapshot_chunk)?;
    arguments.set("append_entries_max", &mut config.append_entries_max)?;
    arguments.set("append_bytes_max", &mut config.append_bytes_max)?;
    arguments.set("in_flight_max", &mut config.in_flight_max)?;
    arguments.set("in_flight_bytes_max", &mut config.in_flight_bytes_max)?;
    arguments.set("uncommitted_max", &mut config.uncommitted_max)?;
    arguments.set("uncommitted_bytes_max", &mut config.uncommitted_bytes_max)?;
    arguments.set("apply_bytes_max", &mut config.apply_bytes_max)?;
    arguments.set("apply_delay", &mut config.apply_delay)?;
    arguments.set("syncs_max", &mut config.syncs_max)
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Raft>("raft");
}

//! Multi-Paxos in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;
use sim_core::disk::RegionId;
use sim_core::{NodeId, Span};

use super::config::Reads;
use super::durable::{BALLOT, JOURNAL, LIFE, SNAPSHOT};
use super::{Config, Fact, Lease, Mutant, Paxos, invariants};
use crate::replicated::Quorums;
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Paxos {
    /// `members=n1,n2` if not all nodes are acceptors at the start, `phase1=N phase2=N` for quorums of these sizes,
    /// `reads=slot`, `lease=SPAN`.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let everybody: Vec<NodeId> = (0..nodes).map(NodeId::new).collect();
        let mut config = Config::new(arguments.value("members")?.unwrap_or(everybody));
        arguments.set("heartbeat", &mut config.heartbeat)?;
        arguments.set("election_timeout", &mut config.election_timeout)?;
        arguments.set("window", &mut config.window)?;
        arguments.set("batch_max", &mut config.batch_max)?;
        arguments.set("queue_max", &mut config.queue_max)?;
        config.snapshot_every = arguments.value("snapshot_every")?;
        let reads = |name: &str| match name {
            "quorum" => Some(Reads::Quorum),
            "slot" => Some(Reads::Slot),
            _ => None,
        };
        config.reads = arguments.named("reads", reads)?.unwrap_or_default();
        if let Some(length) = arguments.value::<Span>("lease")? {
            config.reads = Reads::Lease(Lease { length, drift_ppm: 10_000 });
        }
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
            Fact::Recovered { slot, .. } => Some(format!("finds everything executed up to slot {slot}")),
            Fact::LostDisk { life } => Some(format!("finds that its disk is lost, and begins life {life}")),
            Fact::Readmitted { from } => Some(format!("is an acceptor again from slot {from} on")),
            Fact::BecameCandidate { ballot } => Some(format!("campaigns with {ballot}")),
            Fact::BecameLeader { ballot } => Some(format!("leads with {ballot}")),
            Fact::BecameFollower { ballot } => Some(format!("follows, having promised {ballot}")),
            Fact::Promised { ballot, .. } => Some(format!("promises {ballot}")),
            Fact::Accepted(pvalue) => Some(format!(
                "accepts `{}` for slot {} under {}",
                pvalue.proposal, pvalue.slot, pvalue.ballot
            )),
            Fact::Proposed(pvalue) => Some(format!(
                "proposes `{}` for slot {} under {}",
                pvalue.proposal, pvalue.slot, pvalue.ballot
            )),
            Fact::Decided { slot, proposal } => {
                Some(format!("knows `{proposal}` as decided for slot {slot}"))
            }
            Fact::Applied { slot, .. } => Some(format!("executes slot {slot}")),
            Fact::Installed { slot, .. } => Some(format!("takes over the state after slot {slot}")),
        }
    }

    fn summary(&self) -> String {
        let status = sim_core::Process::status(self);
        let leader = status.leader.map_or_else(|| "nobody".to_owned(), |leader| leader.to_string());
        format!(
            "{} promised={} leader={leader} decided={} executed={} end={}",
            status.role,
            self.promised(),
            self.log().last(),
            self.machine().applied(),
            self.log().end(),
        )
    }

    fn region(region: RegionId) -> String {
        match region {
            BALLOT => "ballot".to_owned(),
            JOURNAL => "journal".to_owned(),
            SNAPSHOT => "snapshot".to_owned(),
            LIFE => "life".to_owned(),
            other => format!("region {}", other.raw()),
        }
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Paxos>("paxos");
}

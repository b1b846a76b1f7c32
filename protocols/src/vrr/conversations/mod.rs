//! Viewstamped Replication in conversation scripts: the texts in this folder.

use sim_core::NodeId;
use sim_core::check::Invariant;

use super::facts::Effect;
use super::{Config, Fact, Mutant, ReadMode, Vrr, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Vrr {
    /// `members=n1,n2` if not all nodes are members at the start.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let everybody: Vec<NodeId> = (0..nodes).map(NodeId::new).collect();
        let members = arguments.value("members")?.unwrap_or(everybody);
        let mut config = Config::new(members);
        arguments.set("heartbeat", &mut config.heartbeat)?;
        arguments.set("view_change_timeout", &mut config.view_change_timeout)?;
        arguments.set("batch_max", &mut config.batch_max)?;
        arguments.set("in_flight_max", &mut config.in_flight_max)?;
        arguments.set("uncommitted_max", &mut config.uncommitted_max)?;
        arguments.set("checkpoint_interval", &mut config.checkpoint_interval)?;
        config.reads = arguments.named("reads", read_mode)?.unwrap_or_default();
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(_config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all()
    }

    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::RecoveryStarted => Some("remembers nothing, and recovers".to_owned()),
            Fact::Recovered { view, op } => Some(format!("recovers {view} up to {op}")),
            Fact::ViewChangeStarted { view } => Some(format!("wants {view}")),
            Fact::BecamePrimary { view } => Some(format!("is primary of {view}")),
            Fact::BecameBackup { view } => Some(format!("is backup in {view}")),
            Fact::Appended { index, view, .. } => Some(format!("appends ({index},{view})")),
            Fact::Truncated { from } => Some(format!("removes entries from {from} on")),
            Fact::Installed { index, .. } => Some(format!("goes on from a checkpoint up to {index}")),
            // The message that follows says it.
            Fact::Acknowledged { .. } => None,
            Fact::Committed { index, .. } => Some(format!("commits up to {index}")),
            Fact::EpochLeft { epoch } => Some(format!("leaves {epoch}")),
            Fact::EpochLearned { epoch, members, op, .. } => {
                Some(format!("knows {epoch}: {members} after {op}"))
            }
            Fact::Retired { epoch } => Some(format!("retires, {epoch} does without it")),
            Fact::Applied { index, effect: Effect::Fresh, .. } => Some(format!("executes {index}")),
            Fact::Applied { index, effect: Effect::Repeated, .. } => {
                Some(format!("passes over {index}, which it has executed before"))
            }
        }
    }

    fn summary(&self) -> String {
        format!(
            "{} {} last-normal={} op={} commit={} executed={} crashes={}",
            self.status_name(),
            self.view,
            self.last_normal,
            self.log.op_number(),
            self.log.commit_number(),
            self.machine.applied(),
            self.crash_vector,
        )
    }
}

fn read_mode(name: &str) -> Option<ReadMode> {
    match name {
        "confirm" => Some(ReadMode::Confirm),
        "log" => Some(ReadMode::Log),
        _ => None,
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Vrr>("vrr");
}

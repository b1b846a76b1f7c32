//! Chain replication in conversation scripts: the texts in this folder.

use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::disk::RegionId;
use sim_core::process;

use super::durable::INCARNATION;
use super::process::role;
use super::{ChainReplication, Config, Detector, Fact, Mutant, Reads, Role, Timer, invariants};
use crate::swim::{self, Swim};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for ChainReplication {
    /// `members=n1,n2` if not all nodes are in the first chain; `detector=swim`, with periods that begin together.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let everybody: Vec<NodeId> = (0..nodes).map(NodeId::new).collect();
        let mut config = Config::new(arguments.value("members")?.unwrap_or(everybody));
        config.reads = arguments.named("reads", reads)?.unwrap_or_default();
        config.detector =
            arguments.named("detector", detector)?.map_or(Detector::Lease, |detector| detector(&config));
        arguments.set("lease", &mut config.lease)?;
        arguments.set("batch_max", &mut config.batch_max)?;
        arguments.set("in_process_max", &mut config.in_process_max)?;
        arguments.set("history_kept", &mut config.history_kept)?;
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(_config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all()
    }

    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Issued(configuration) => Some(format!("issues {configuration}")),
            Fact::Entered(configuration) => Some(format!("enters {configuration}")),
            Fact::Joined => Some("joins as the tail".to_owned()),
            Fact::Left => Some("was removed, and forgets everything".to_owned()),
            Fact::Applied { index, .. } => Some(format!("has {index}")),
            Fact::Installed { index, .. } => Some(format!("has the state up to {index}")),
            Fact::Committed { index, .. } => Some(format!("commits {index}")),
            Fact::Acknowledged { index } => Some(format!("knows the tail to have {index}")),
            // The reply that follows says it, and the issue.
            Fact::Answered | Fact::Decided(_) => None,
        }
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Swim(timer) => {
                let named =
                    process::Timer::index(timer).map(|index| <swim::Timer as process::Timer>::NAMES[index]);
                format!("swim-{}", named.map_or_else(|| Swim::timer(timer), str::to_owned))
            }
            Timer::Heartbeat | Timer::Resend => unreachable!("{timer:?} has a name"),
        }
    }

    fn summary(&self) -> String {
        match &self.role {
            Role::Master(master) => format!("master {}", master.configuration()),
            Role::Server(server) => format!(
                "{} {} last={} acknowledged={} keys={}",
                role(server),
                server.epoch(),
                server.last(),
                server.acknowledged(),
                server.machine().register_count(),
            ),
        }
    }

    fn region(region: RegionId) -> String {
        if region == INCARNATION { "incarnation".to_owned() } else { "configuration".to_owned() }
    }
}

fn detector(name: &str) -> Option<fn(&Config) -> Detector> {
    let swim = |config: &Config| {
        let usual = swim::Config::new(config.members.iter().copied());
        let rhythm = swim::Rhythm::Together;
        let swim = swim::Config { rhythm, push_pull_interval: None, reconnect_interval: None, ..usual };
        Detector::Swim(swim.into())
    };
    (name == "swim").then_some(swim)
}

fn reads(name: &str) -> Option<Reads> {
    match name {
        "tail" => Some(Reads::Tail),
        "apportioned" => Some(Reads::Apportioned),
        _ => None,
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<ChainReplication>("chain");
}

//! The log in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::replica::{Replica, Role};
use super::{Acks, Config, Election, Fact, Idempotence, Mutant, Node, Timer, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Node {
    /// `partitions`, `replication`, `min_insync`, `acks=none`, `leader` or `all`, `idempotence=off`, `election=unclean`,
    /// `lag_max`, `fetch_max`.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config { partitions: 1, ..Config::new(nodes) };
        arguments.set("partitions", &mut config.partitions)?;
        arguments.set("replication", &mut config.replication)?;
        arguments.set("min_insync", &mut config.min_insync)?;
        arguments.set("lag_max", &mut config.lag_max)?;
        arguments.set("fetch_max", &mut config.fetch_max)?;
        let acks = |word: &str| match word {
            "none" => Some(Acks::None),
            "leader" => Some(Acks::Leader),
            "all" => Some(Acks::All),
            _ => None,
        };
        config.acks = arguments.named("acks", acks)?.unwrap_or_default();
        let off = |word: &str| (word == "off").then_some(Idempotence::Off);
        config.idempotence = arguments.named("idempotence", off)?.unwrap_or_default();
        let unclean = |word: &str| (word == "unclean").then_some(Election::Unclean);
        config.election = arguments.named("election", unclean)?.unwrap_or_default();
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    /// Records show as what is sent.
    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Changed { partition, state, .. } => {
                let leader = state.leader.map_or_else(|| "nobody".to_owned(), |leader| leader.to_string());
                Some(format!("decides {partition}: {leader} leads in {}, isr={}", state.epoch, state.isr))
            }
            Fact::Led { partition, epoch, end } => Some(format!("leads {partition} in {epoch} from {end}")),
            Fact::Appended { partition, offset, epoch, .. } => {
                Some(format!("has {partition}@{offset} of {epoch}"))
            }
            Fact::Truncated { partition, end } => Some(format!("cuts {partition} off at {end}")),
            Fact::Committed { partition, high_watermark, .. } => {
                Some(format!("counts {partition} committed below {high_watermark}"))
            }
            Fact::Acknowledged { partition, op, offset } => {
                Some(format!("acknowledges {op} at {partition}@{offset}"))
            }
            Fact::Served { partition, upto } => Some(format!("shows {partition} below {upto}")),
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Controller(controller) => {
                let image = controller.published();
                let live = image.brokers.values().filter(|broker| !broker.is_fenced).count();
                format!("controller version={} live={live} of {}", image.version, image.brokers.len())
            }
            Self::Broker(broker) => {
                let copies =
                    broker.replicas().iter().map(|(id, copy)| format!("{id} {}", copy_in_words(copy)));
                copies.collect::<Vec<_>>().join("; ")
            }
        }
    }

    fn region(region: RegionId) -> String {
        region.raw().checked_sub(1).map_or_else(|| "metadata".to_owned(), |partition| format!("p{partition}"))
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Session(node) => format!("session {node}"),
            Timer::Fetch(partition) => format!("fetch {partition}"),
            Timer::Heartbeat | Timer::Lag | Timer::Rebalance => unreachable!("a plain timer has a name"),
        }
    }
}

fn copy_in_words(copy: &Replica) -> String {
    let (end, flushed, high_watermark) = (copy.log().end(), copy.flushed(), copy.high_watermark());
    let role = match copy.role() {
        Role::Idle => "idle".to_owned(),
        Role::Leader(leading) => format!("leads {} isr={}", leading.epoch(), leading.isr()),
        Role::Follower(following) => format!("follows {} {}", following.leader(), following.epoch()),
    };
    format!("{role} end={end} disk={flushed} hw={high_watermark}")
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Node>("log");
}

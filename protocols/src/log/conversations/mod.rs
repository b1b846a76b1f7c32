//! The log in conversation scripts: the texts in this folder.

use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::disk::RegionId;
use sim_core::random::Probability;

use super::config::Role as NodeRole;
use super::entry::Body;
use super::group::share::Share;
use super::group::{GroupImage, Partitions, in_words};
use super::replica::{Replica, Role};
use super::{
    Acks, Config, Election, Fact, GroupProtocol, Guarantee, Isolation, Membership, Mutant, Node, OffsetReset,
    PartitionId, Timer, invariants,
};
use crate::raft::Raft;
use crate::switch::Switch;
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Node {
    /// `partitions`, `replication`, `min_insync`, `acks=none`, `leader` or `all`, `idempotence=off`, `election=unclean`,
    /// `lag_max`, `fetch_max`; with `guarantee=transactional` also `isolation=uncommitted`, `epochs=off`; `retention` in records,
    /// `compaction=on`, `reset=latest`, `failure=always`.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config { partitions: 1, ..Config::new(nodes) };
        arguments.set("controllers", &mut config.controllers)?;
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
        let off = |word: &str| (word == "off").then_some(Switch::Off);
        config.idempotence = arguments.named("idempotence", off)?.unwrap_or(Switch::On);
        let unclean = |word: &str| (word == "unclean").then_some(Election::Unclean);
        config.election = arguments.named("election", unclean)?.unwrap_or_default();
        arguments.set("consumers", &mut config.consumers)?;
        arguments.set("workers", &mut config.workers)?;
        let group = |word: &str| match word {
            "eager" => Some(GroupProtocol::Eager),
            "cooperative" => Some(GroupProtocol::Cooperative),
            "server-side" => Some(GroupProtocol::ServerSide),
            _ => None,
        };
        config.group = arguments.named("group", group)?.unwrap_or_default();
        let guarantee = |word: &str| match word {
            "at-most-once" => Some(Guarantee::AtMostOnce),
            "at-least-once" => Some(Guarantee::AtLeastOnce),
            "effectively-once" => Some(Guarantee::EffectivelyOnce),
            "transactional" => Some(Guarantee::Transactional),
            _ => None,
        };
        config.guarantee = arguments.named("guarantee", guarantee)?.unwrap_or_default();
        let is_static = |word: &str| (word == "static").then_some(Membership::Static);
        config.membership = arguments.named("membership", is_static)?.unwrap_or_default();
        config.replication = config.replication.min(config.broker_count());
        config.min_insync = config.min_insync.min(config.replication);
        let uncommitted = |word: &str| (word == "uncommitted").then_some(Isolation::ReadUncommitted);
        config.isolation = arguments.named("isolation", uncommitted)?.unwrap_or_default();
        config.epoch_per_transaction = arguments.named("epochs", off)?.unwrap_or(Switch::On);
        config.retention_records = arguments.value("retention")?;
        let on = |word: &str| (word == "on").then_some(Switch::On);
        config.compaction = arguments.named("compaction", on)?.unwrap_or(Switch::Off);
        let latest = |word: &str| (word == "latest").then_some(OffsetReset::Latest);
        config.offset_reset = arguments.named("reset", latest)?.unwrap_or_default();
        let always = |word: &str| (word == "always").then_some(Probability::ONE);
        config.failure = arguments.named("failure", always)?.unwrap_or(Probability::ZERO);
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
            Fact::Changed { partition, state, .. } => Some(format!("decides {partition}: {state}")),
            Fact::Decided { .. } | Fact::Read { .. } => None,
            Fact::Raft(fact) => Raft::fact(fact),
            Fact::Led { partition, epoch, end } => Some(format!("leads {partition} in {epoch} from {end}")),
            Fact::Appended { partition, offset, epoch, .. } => {
                Some(format!("has {partition}@{offset} of {epoch}"))
            }
            Fact::Truncated { partition, end } => Some(format!("cuts {partition} off at {end}")),
            Fact::Began { partition, base } => Some(format!("begins {partition} at {base}")),
            Fact::Committed { partition, high_watermark, .. } => {
                Some(format!("counts {partition} committed below {high_watermark}"))
            }
            Fact::Acknowledged { partition, op, offset } => {
                Some(format!("acknowledges {op} at {partition}@{offset}"))
            }
            Fact::Recorded { body, .. } => match body {
                Body::Group(group) => Some(format!("has {}: {}", group.generation, members_in_words(group))),
                Body::Commit { .. } => Some(format!("keeps {body}")),
                Body::Transactional(written) => Some(format!("has {written}")),
                Body::Value(_) => None,
            },
            Fact::Effected { effect, .. } => Some(format!(
                "has the effect of {}@{} in {}",
                effect.partition, effect.offset, effect.generation
            )),
            Fact::Served { partition, upto } => Some(format!("shows {partition} below {upto}")),
            Fact::Showed { partition, offsets } => Some(format!("shows results {partition}@{offsets:?}")),
            Fact::Stepped { image } => Some(format!("has {image}")),
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Controller(controller) => {
                let image = controller.controller.published();
                let live = image.brokers.values().filter(|broker| !broker.is_fenced).count();
                format!("controller version={} live={live} of {}", image.version, image.brokers.len())
            }
            Self::Quorum(controller) => {
                format!("{} version={}", controller.status().role, controller.image().version)
            }
            Self::Broker(broker) => {
                let copies =
                    broker.replicas().iter().map(|(id, copy)| format!("{id} {}", copy_in_words(copy)));
                copies.collect::<Vec<_>>().join("; ")
            }
            Self::Consumer(consumer) => {
                let share = |(id, share): (&PartitionId, &Share)| {
                    format!("{id} kept={} done={} position={}", share.kept(), share.done(), share.position())
                };
                let generation =
                    consumer.generation().map_or_else(|| "no member".to_owned(), |it| it.to_string());
                let shares = consumer.shares().iter().map(share).collect::<Vec<_>>().join("; ");
                format!("{generation} {shares}").trim_end().to_owned()
            }
            Self::Store(store) => format!("effects={}", store.effect_count()),
        }
    }

    /// One of several controllers has the regions of its replica.
    fn region_on(config: &Config, node: NodeId, region: RegionId) -> String {
        if config.role_of(node) == NodeRole::Controller && config.controllers > 1 {
            return Raft::region(region);
        }
        let Some(place) = region.raw().checked_sub(1) else { return "state".to_owned() };
        let mut all = config.all_partitions();
        let begins = all.find(|id| config.beginning_of(*id) == region);
        begins.map_or_else(|| format!("p{place}"), |id| format!("the beginning of {id}"))
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Session(node) => format!("session {node}"),
            Timer::Fetch(partition) => format!("fetch {partition}"),
            Timer::Member(node) => format!("member {node}"),
            Timer::Share(partition) => format!("share {partition}"),
            Timer::Worker(index) => format!("worker {index}"),
            Timer::Transaction(id) => format!("transaction {id}"),
            Timer::Raft(timer) => Raft::timer(timer),
            Timer::Heartbeat
            | Timer::Lag
            | Timer::Clean
            | Timer::Rebalance
            | Timer::Gathering
            | Timer::Beat
            | Timer::Markers
            | Timer::Keep => unreachable!("a plain timer has a name"),
        }
    }
}

fn members_in_words(group: &GroupImage) -> String {
    let member =
        |(node, (_, partitions)): (&NodeId, &(u64, Partitions))| format!("{node} {}", in_words(partitions));
    let members: Vec<String> = group.members.iter().map(member).collect();
    if members.is_empty() { "nobody".to_owned() } else { members.join("; ") }
}

fn copy_in_words(copy: &Replica) -> String {
    let (end, flushed, high_watermark) = (copy.log().end(), copy.flushed(), copy.high_watermark());
    let role = match copy.role() {
        Role::Idle => "idle".to_owned(),
        Role::Leader(leading) => format!("leads {} isr={}", leading.epoch(), leading.isr()),
        Role::Follower(following) => format!("follows {} {}", following.leader(), following.epoch()),
    };
    let base = copy.log().base();
    let begin = if base == 0 { String::new() } else { format!(" begins={base}") };
    format!("{role}{begin} end={end} disk={flushed} hw={high_watermark}")
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Node>("log");
}

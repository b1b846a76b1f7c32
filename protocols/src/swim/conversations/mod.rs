//! SWIM in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;
use sim_core::disk::RegionId;
use sim_core::{NodeId, Process};

use super::{
    Accuracy, Config, Fact, Formation, INCARNATION, Mutant, ProbeOrder, Rhythm, Swim, Timer, invariants,
};
use crate::switch::Switch;
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Swim {
    /// `order=random`, `formation=joining`, `health=off`, `confirmations=off`, `buddy=off`, `fallback=off`, `k=N`, `gossip-nodes=N`,
    /// `suspicion=N`, `packet=N`, `accuracy=deaths` or `suspicions`, `sync=off`, `retention=SPAN`, `members=N`: the first so many. All periods begin
    /// together.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let count = arguments.value::<u64>("members")?.unwrap_or(nodes.into());
        let members = (0..nodes).take(usize::try_from(count).map_err(|error| error.to_string())?);
        let members = members.map(NodeId::new);
        let mut config = Config { rhythm: Rhythm::Together, ..Config::new(members) };
        config.probe_order = arguments.named("order", order)?.unwrap_or_default();
        config.formation = arguments.named("formation", formation)?.unwrap_or_default();
        config.accuracy = arguments.named("accuracy", accuracy)?.unwrap_or_default();
        for (name, switch) in [
            ("health", &mut config.local_health),
            ("confirmations", &mut config.confirmations),
            ("buddy", &mut config.buddy),
            ("fallback", &mut config.fallback_ping),
        ] {
            *switch = arguments.named(name, on_or_off)?.unwrap_or(Switch::On);
        }
        for (name, count) in [
            ("k", &mut config.indirect_checks),
            ("gossip-nodes", &mut config.gossip_nodes),
            ("suspicion", &mut config.suspicion_mult),
            ("packet", &mut config.packet_size),
        ] {
            if let Some(value) = arguments.value::<u64>(name)? {
                *count = u32::try_from(value).map_err(|error| error.to_string())?;
            }
        }
        arguments.set("retention", &mut config.retention)?;
        if arguments.named("sync", on_or_off)? == Some(Switch::Off) {
            (config.push_pull_interval, config.reconnect_interval) = (None, None);
        }
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    /// Pings, requests and updates show as what is sent, and what is heard as what arrives.
    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Announced { incarnation } => Some(format!("is alive in {incarnation}")),
            Fact::Accused { incarnation } => Some(format!("hears that it is not alive in {incarnation}")),
            Fact::Leaves { incarnation } => Some(format!("leaves in {incarnation}")),
            Fact::Confirmed { member, .. } => Some(format!("declares {member} dead")),
            Fact::Forgot { member, .. } => Some(format!("forgets {member}")),
            Fact::Queued { update } => Some(format!("will pass on [{update}]")),
            Fact::Spent { update } => Some(format!("has passed on [{update}] often enough")),
            Fact::Started { .. }
            | Fact::Heard { .. }
            | Fact::Period
            | Fact::Pinged { .. }
            | Fact::Answered
            | Fact::Requested
            | Fact::GossipBegins
            | Fact::Packs
            | Fact::Gossiped
            | Fact::PassedOn { .. } => None,
        }
    }

    fn summary(&self) -> String {
        let others = self.membership().table().known().filter(|(member, _)| *member != self.membership.node);
        let texts: Vec<String> = others.map(|(member, belief)| format!("{member} {belief}")).collect();
        let others = if texts.is_empty() { "nobody".to_owned() } else { texts.join(", ") };
        let own = self.status().epoch;
        format!(
            "{} i{own} health={} knows {others}",
            self.membership.standing().name(),
            self.membership.health
        )
    }

    fn region(region: RegionId) -> String {
        assert_eq!(region, INCARNATION, "there is no other");
        "incarnation".to_owned()
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Suspicion(member) => format!("suspicion-of-{member}"),
            // The number of a probe is drawn.
            Timer::Relay(_) => "relay".to_owned(),
            Timer::Period
            | Timer::ProbeTimeout
            | Timer::Gossip
            | Timer::PushPull
            | Timer::Reconnect
            | Timer::Join => unreachable!("{timer:?} has an index"),
        }
    }
}

fn order(name: &str) -> Option<ProbeOrder> {
    match name {
        "round-robin" => Some(ProbeOrder::RoundRobin),
        "random" => Some(ProbeOrder::Random),
        _ => None,
    }
}

fn formation(name: &str) -> Option<Formation> {
    match name {
        "known" => Some(Formation::Known),
        "joining" => Some(Formation::Joining),
        _ => None,
    }
}

fn accuracy(name: &str) -> Option<Accuracy> {
    match name {
        "eventual" => Some(Accuracy::Eventual),
        "deaths" => Some(Accuracy::NoFalseDeaths),
        "suspicions" => Some(Accuracy::NoFalseSuspicions),
        _ => None,
    }
}

fn on_or_off(name: &str) -> Option<Switch> {
    match name {
        "on" => Some(Switch::On),
        "off" => Some(Switch::Off),
        _ => None,
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Swim>("swim");
}

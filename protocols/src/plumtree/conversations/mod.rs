//! Plumtree in conversation scripts: the texts in this folder.

use sim_core::Span;
use sim_core::check::Invariant;

use super::message::Announcement;
use super::{Config, Fact, Mutant, Plumtree, Timer, invariants};
use crate::detector::{Phi, Rule};
use crate::switch::Switch;
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Plumtree {
    /// `active=N`, `passive=N`, `arwl=N`, `prwl=N`, `optimise=N` or `none`, `announce=SPAN`, `catch-up=off`, `reconnect=SPAN`,
    /// `detector=phi`.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config::new(nodes);
        for (name, count) in [
            ("active", &mut config.active_view),
            ("passive", &mut config.passive_view),
            ("arwl", &mut config.active_walk),
            ("prwl", &mut config.passive_walk),
        ] {
            arguments.set(name, count)?;
        }
        config.shuffle_active = config.shuffle_active.min(config.active_view);
        config.shuffle_passive = config.shuffle_passive.min(config.passive_view);
        arguments.set("optimise", &mut config.optimisation)?;
        config.announce_interval = arguments.value::<Span>("announce")?;
        if let Some(interval) = arguments.value::<Span>("reconnect")? {
            config.reconnect_interval = Some(interval);
        }
        config.catch_up = arguments.named("catch-up", on_or_off)?.unwrap_or(Switch::On);
        config.detector = arguments.named("detector", detector)?.unwrap_or(config.detector);
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    /// What is sent and received shows as that.
    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Up { node } => Some(format!("has {node} for a neighbour")),
            Fact::Down { node, why } => {
                Some(format!("{node} is no neighbour: {}", format!("{why:?}").to_lowercase()))
            }
            Fact::Noted { node } => Some(format!("notes {node}")),
            Fact::Struck { node, why } => {
                Some(format!("strikes {node}: {}", format!("{why:?}").to_lowercase()))
            }
            Fact::Delivered(Announcement { value, round }) => {
                Some(format!("delivers {value} after {round} hops"))
            }
            Fact::Announced { from, what } => Some(format!("waits for {}, which {from} has", what.value)),
            Fact::Orphaned { value } => Some(format!("waits for {value} no longer")),
            Fact::Optimised { graft, prune, .. } => {
                Some(format!("takes the way by {graft} for that by {prune}"))
            }
            Fact::Started
            | Fact::Ticked { .. }
            | Fact::Heard { .. }
            | Fact::Requested { .. }
            | Fact::Accepted { .. }
            | Fact::Refused { .. }
            | Fact::Walked { .. }
            | Fact::Asked { .. }
            | Fact::Pushed { .. }
            | Fact::Payload { .. }
            | Fact::Grafted { .. }
            | Fact::GraftHeard { .. }
            | Fact::PruneHeard { .. } => None,
        }
    }

    fn summary(&self) -> String {
        let neighbours = self.neighbours().iter().map(|one| format!("{} {}", one.node, one.push.name()));
        let passive = self.passive().iter().map(ToString::to_string);
        let values = self.values().map(|(value, held)| format!("{value} after {}", held.round));
        let (neighbours, passive, values) = (list(neighbours), list(passive), list(values));
        format!("has neighbours: {neighbours}; knows: {passive}; values: {values}")
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Connect(node) => format!("connect-{node}"),
            Timer::Graft(value) => format!("graft-{value}"),
            Timer::KeepAlive | Timer::Silence | Timer::Shuffle | Timer::Reconnect | Timer::Announce => {
                unreachable!("{timer:?} has a name of its own")
            }
        }
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let texts: Vec<String> = items.collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

fn on_or_off(name: &str) -> Option<Switch> {
    match name {
        "on" => Some(Switch::On),
        "off" => Some(Switch::Off),
        _ => None,
    }
}

fn detector(name: &str) -> Option<Rule> {
    match name {
        "timeout" => Some(Rule::Timeout(Span::secs(2))),
        "phi" => Some(Rule::Phi(Phi { acceptable_pause: Span::millis(500), ..Phi::default() })),
        _ => None,
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Plumtree>("plumtree");
}

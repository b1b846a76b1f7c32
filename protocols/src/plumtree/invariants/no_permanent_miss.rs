//! No permanent miss: who hears of a value gets it, or asks for it in time, and again.

use std::collections::BTreeMap;

use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::service::Value;
use sim_core::{LocalTime, NodeId, Span};
use smallvec::SmallVec;

use super::super::facts::Kind;
use super::super::{Config, Fact, Plumtree};
use super::kinds;

/// By how much a clock that runs at another rate may round a time.
pub(super) const ROUNDING: Span = Span::micros(1);

/// A value that a node waits for.
#[derive(Clone, Debug)]
struct Wait {
    announcers: SmallVec<[NodeId; 2]>,
    /// When it must ask for it.
    until: LocalTime,
}

/// A node that hears of a value delivers it, or asks one who has announced it within timeout1, and then the next within
/// timeout2, as long as one of them is its neighbour; and it asks for nothing else.
#[derive(Clone, Debug)]
pub struct NoPermanentMiss {
    config: Config,
    waits: BTreeMap<(NodeId, Value), Wait>,
}

impl NoPermanentMiss {
    /// For nodes with this configuration.
    pub const fn new(config: Config) -> Self {
        Self { config, waits: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, now: LocalTime, fact: &Fact) -> Result<(), Breach> {
        match fact {
            Fact::Started => self.waits.retain(|(of, _), _| *of != node),
            Fact::Announced { from, what } => {
                let until = now + self.config.graft_timeout;
                let wait = Wait { announcers: SmallVec::new(), until };
                let Wait { announcers, .. } = self.waits.entry((node, what.value)).or_insert(wait);
                if !announcers.contains(from) {
                    announcers.push(*from);
                }
            }
            Fact::Delivered(what) => _ = self.waits.remove(&(node, what.value)),
            Fact::Down { node: gone, .. } => self.forget(node, *gone),
            Fact::Grafted { to, value } => self.on_grafted(node, now, *to, *value)?,
            Fact::Ticked { due } => self.on_ticked(node, *due)?,
            Fact::Orphaned { value } => {
                let is_waiting = self.waits.contains_key(&(node, *value));
                ensure!(!is_waiting, "{node} gives {value} up, and a neighbour has announced it");
            }
            Fact::Up { .. }
            | Fact::Heard { .. }
            | Fact::Noted { .. }
            | Fact::Struck { .. }
            | Fact::Requested { .. }
            | Fact::Accepted { .. }
            | Fact::Refused { .. }
            | Fact::Walked { .. }
            | Fact::Asked { .. }
            | Fact::Pushed { .. }
            | Fact::Payload { .. }
            | Fact::Optimised { .. }
            | Fact::GraftHeard { .. }
            | Fact::PruneHeard { .. } => {}
        }
        Ok(())
    }

    fn forget(&mut self, node: NodeId, gone: NodeId) {
        self.waits.retain(|(of, _), wait| {
            if *of == node {
                wait.announcers.retain(|announcer| *announcer != gone);
            }
            !wait.announcers.is_empty()
        });
    }

    fn on_grafted(&mut self, node: NodeId, now: LocalTime, to: NodeId, value: Value) -> Result<(), Breach> {
        let wait = self.waits.get_mut(&(node, value)).filter(|wait| wait.announcers.contains(&to));
        ensure!(
            wait.is_some(),
            "{node} asks {to} for {value}, which it has, or which {to} has not announced to it"
        );
        if let Some(wait) = wait {
            wait.until = now + self.config.graft_retry;
        }
        Ok(())
    }

    /// What was due before the keep-alives has been done before them, however late both were.
    fn on_ticked(&self, node: NodeId, due: LocalTime) -> Result<(), Breach> {
        let all = self.waits.range((node, Value::MIN)..=(node, Value::MAX));
        for ((_, value), Wait { until, .. }) in all {
            let is_late = *until + ROUNDING < due;
            ensure!(!is_late, "{node} should have asked for {value} by {until}, and it is {due}");
        }
        Ok(())
    }
}

impl Invariant<Plumtree> for NoPermanentMiss {
    fn about(&self) -> &'static About {
        &About {
            name: "no-permanent-miss",
            statement: "A node that hears of a value delivers it, or asks a neighbour that has announced it, within \
                        timeout1 and again within timeout2; and it asks for nothing else.",
            source: "Plumtree (SRDS 2007) §3.3.2 and algorithm 2: every IHAVE leads to a delivery or a GRAFT",
            leaves_out: "whether it gets it: `grafts-answered` and the liveness condition `all-agree` see to that",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([
            Kind::Started,
            Kind::Ticked,
            Kind::Down,
            Kind::Delivered,
            Kind::Announced,
            Kind::Grafted,
            Kind::Orphaned,
        ])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let now = nodes.monotonic(node);
        facts.iter().try_for_each(|fact| self.on_fact(node, now, fact))
    }

    /// Nobody waits for what it has, or for one who is no neighbour.
    fn check_all(&self, nodes: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        for (node, one) in nodes.running() {
            for (value, announcers) in one.missing() {
                ensure!(one.known.get(value).is_none(), "{node} waits for {value}, and has it");
                let gone = announcers.iter().find(|(by, _)| !one.is_neighbour(*by));
                ensure!(gone.is_none(), "{node} waits for {value} from {gone:?}, which is no neighbour");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::facts::Parting;
    use super::super::super::message::Announcement;
    use super::*;

    const NODES: [NodeId; 3] = [NodeId::new(0), NodeId::new(1), NodeId::new(2)];
    const WHAT: Announcement = Announcement { value: 7, round: 2 };

    fn at(millis: u64) -> LocalTime {
        LocalTime::ZERO + Span::millis(millis)
    }

    fn judge(facts: &[(u64, Fact)]) -> Result<(), Breach> {
        let mut invariant = NoPermanentMiss::new(Config::new(3));
        facts.iter().try_for_each(|(millis, fact)| invariant.on_fact(NODES[0], at(*millis), fact))
    }

    fn announced(by: usize) -> Fact {
        Fact::Announced { from: NODES[by], what: WHAT }
    }

    fn grafted(by: usize) -> Fact {
        Fact::Grafted { to: NODES[by], value: 7 }
    }

    fn ticked(millis: u64) -> (u64, Fact) {
        (millis, Fact::Ticked { due: at(millis) })
    }

    #[test]
    fn a_value_is_asked_for_in_time_and_again() {
        assert_eq!(judge(&[(0, announced(1)), ticked(150)]), Ok(()));
        assert!(judge(&[(0, announced(1)), ticked(201)]).is_err());
        assert_eq!(judge(&[(0, announced(1)), (50, Fact::Delivered(WHAT)), ticked(900)]), Ok(()));
        let asked = [(0, announced(1)), (200, grafted(1))];
        assert_eq!(judge(&[&asked[..], &[ticked(299)]].concat()), Ok(()));
        assert!(judge(&[&asked[..], &[ticked(301)]].concat()).is_err(), "not again");
    }

    #[test]
    fn nobody_else_is_asked_and_for_nothing_else() {
        assert!(judge(&[(0, announced(1)), (200, grafted(2))]).is_err());
        assert!(judge(&[(0, announced(1)), (50, Fact::Delivered(WHAT)), (200, grafted(1))]).is_err());
        let down = Fact::Down { node: NODES[1], why: Parting::Told };
        assert!(judge(&[(0, announced(1)), (0, announced(2)), (50, down), (200, grafted(1))]).is_err());
        assert_eq!(judge(&[(0, announced(1)), (50, down), ticked(900)]), Ok(()), "nobody is left");
        let orphaned = Fact::Orphaned { value: 7 };
        assert!(judge(&[(0, announced(1)), (0, announced(2)), (50, down), (50, orphaned)]).is_err());
    }
}

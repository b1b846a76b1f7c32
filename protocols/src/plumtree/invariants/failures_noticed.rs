//! Failures: a neighbour is dropped when its detector says so.

use std::collections::BTreeMap;

use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::{LocalTime, NodeId};

use super::super::facts::{Kind, Parting};
use super::super::{Config, Fact, Plumtree};
use super::kinds;
use super::no_permanent_miss::ROUNDING;
use crate::detector::{Detector, Rule};

/// A neighbour that is silent for as long as the rule allows is dropped, and none is dropped as failed before.
#[derive(Clone, Debug)]
pub struct FailuresNoticed {
    rule: Rule,
    /// When each neighbour of each node was heard.
    heard: BTreeMap<(NodeId, NodeId), Detector>,
}

impl FailuresNoticed {
    /// For nodes with this configuration.
    pub const fn new(config: Config) -> Self {
        Self { rule: config.detector, heard: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, now: LocalTime, fact: &Fact) -> Result<(), Breach> {
        match fact {
            Fact::Started => self.heard.retain(|(of, _), _| *of != node),
            Fact::Up { node: peer } => {
                self.heard.insert((node, *peer), Detector::new(&self.rule, now));
            }
            Fact::Heard { from } => {
                let rule = self.rule;
                let Some(detector) = self.heard.get_mut(&(node, *from)) else {
                    return Err(Breach(format!("{node} counts on {from}, which is no neighbour")));
                };
                detector.hear(&rule, now);
            }
            Fact::Down { node: peer, why } => self.on_down(node, now, *peer, *why)?,
            Fact::Ticked { due } => self.on_ticked(node, *due)?,
            Fact::Noted { .. }
            | Fact::Struck { .. }
            | Fact::Requested { .. }
            | Fact::Accepted { .. }
            | Fact::Refused { .. }
            | Fact::Walked { .. }
            | Fact::Asked { .. }
            | Fact::Delivered(_)
            | Fact::Pushed { .. }
            | Fact::Payload { .. }
            | Fact::Announced { .. }
            | Fact::Grafted { .. }
            | Fact::Orphaned { .. }
            | Fact::Optimised { .. }
            | Fact::GraftHeard { .. }
            | Fact::PruneHeard { .. } => {}
        }
        Ok(())
    }

    fn on_down(&mut self, node: NodeId, now: LocalTime, peer: NodeId, why: Parting) -> Result<(), Breach> {
        let detector = self.heard.remove(&(node, peer));
        let is_suspect = detector.as_ref().is_some_and(|detector| detector.is_suspect(&self.rule, now));
        let heard = detector.map(|detector| detector.heard());
        ensure!(
            why != Parting::Failed || is_suspect,
            "{node} takes {peer} for failed at {now}, and has heard it at {heard:?}"
        );
        Ok(())
    }

    /// What was due before the keep-alives has been done before them, however late both were.
    fn on_ticked(&self, node: NodeId, due: LocalTime) -> Result<(), Breach> {
        let all = self.heard.range((node, NodeId::new(0))..);
        let mut all = all.take_while(|((of, _), _)| *of == node);
        let silent = all.find(|(_, detector)| detector.deadline(&self.rule) + ROUNDING < due);
        let silent = silent.map(|((_, peer), detector)| (*peer, detector.heard()));
        ensure!(silent.is_none(), "{node} has a neighbour that is silent for too long at {due}: {silent:?}");
        Ok(())
    }
}

impl Invariant<Plumtree> for FailuresNoticed {
    fn about(&self) -> &'static About {
        &About {
            name: "failures-noticed",
            statement: "A neighbour that is silent for as long as the detector allows is dropped, and none is dropped as failed \
                        before.",
            source: "HyParView (DSN 2007) §4.3, with a detector in place of TCP; Chandra and Toueg (JACM 1996): completeness",
            leaves_out: "whether the rule suits the network",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Started, Kind::Ticked, Kind::Up, Kind::Down, Kind::Heard])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let now = nodes.monotonic(node);
        facts.iter().try_for_each(|fact| self.on_fact(node, now, fact))
    }

    /// When a neighbour was heard is as facts say, and its node looks in time whether it is silent.
    fn check_all(&self, nodes: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        for (node, one) in nodes.running() {
            for neighbour in one.neighbours() {
                let told = self.heard.get(&(node, neighbour.node)).map(Detector::heard);
                let (peer, found) = (neighbour.node, neighbour.detector.heard());
                ensure!(told == Some(found), "{node} has heard {peer} at {found}, and has told of {told:?}");
                let (deadline, looks) = (neighbour.detector.deadline(&self.rule), one.silence_due);
                ensure!(
                    looks.is_some_and(|looks| looks <= deadline),
                    "{peer} is silent for too long at {node} from {deadline} on, and that looks at {looks:?}"
                );
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Span;

    use super::*;

    const PEER: NodeId = NodeId::new(1);

    fn at(millis: u64) -> LocalTime {
        LocalTime::ZERO + Span::millis(millis)
    }

    /// With a timeout of two seconds.
    fn judge(facts: &[(u64, Fact)]) -> Result<(), Breach> {
        let mut invariant = FailuresNoticed::new(Config::new(3));
        facts.iter().try_for_each(|(millis, fact)| invariant.on_fact(NodeId::new(0), at(*millis), fact))
    }

    #[test]
    fn silence_that_is_ignored_and_failures_that_are_none_are_found() {
        let (up, heard) = (Fact::Up { node: PEER }, Fact::Heard { from: PEER });
        let failed = Fact::Down { node: PEER, why: Parting::Failed };
        let ticked = |millis| (millis, Fact::Ticked { due: at(millis) });
        assert_eq!(judge(&[(0, up), (1_000, heard), ticked(2_900), (3_000, failed), ticked(9_000)]), Ok(()));
        assert!(judge(&[(0, up), (1_000, heard), ticked(3_001)]).is_err());
        assert!(judge(&[(0, up), (1_000, heard), (2_999, failed)]).is_err());
        assert!(judge(&[(1_000, heard)]).is_err());
        assert_eq!(judge(&[(0, up), (500, Fact::Down { node: PEER, why: Parting::Told })]), Ok(()));
    }
}

//! What is recorded has been, between the begin of the snapshot and its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::ensure;

use super::super::branch::Branch;
use super::super::types::{Cut, Part};
use super::super::{Config, Event, Fact, SnapshotId, Snapshots};
use super::past::Past;
use super::{cuts, finished, log_of, opening};

/// Each process has recorded the state that its past leads to, at a place between where it was when the snapshot began and where it
/// is when it ends. With a consistent cut that is all there is to reachability (theorem 1): the events before the cut can
/// come first, and the others after them.
#[derive(Clone, Debug)]
pub struct Reachable {
    config: Arc<Config>,
    /// By snapshot: how much had happened at each process when it began.
    begun: BTreeMap<SnapshotId, BTreeMap<NodeId, u64>>,
}

impl Reachable {
    /// For nodes with this configuration.
    pub fn new(config: &Arc<Config>) -> Self {
        Self { config: Arc::clone(config), begun: BTreeMap::new() }
    }

    fn on_fact(&mut self, past: &Past, node: NodeId, fact: &Fact) {
        let length = |node| past.line(node).map_or(0, super::past::Line::length);
        match fact {
            Fact::Restarted => {
                // What it has lost has not happened.
                for lengths in self.begun.values_mut() {
                    lengths.entry(node).and_modify(|before| *before = length(node).min(*before));
                }
            }
            Fact::Did(Event::Begun(snapshot)) => {
                let mut lengths: BTreeMap<_, _> =
                    self.config.nodes().map(|node| (node, length(node))).collect();
                // It has recorded its state in the same step.
                lengths.insert(node, past.mark(node, *snapshot).map_or(0, |mark| mark.position - 1));
                self.begun.insert(*snapshot, lengths);
            }
            Fact::Did(Event::Abandoned(snapshot)) => _ = self.begun.remove(snapshot),
            Fact::Did(_) | Fact::HadDone(_) => {}
        }
    }

    fn judge(&self, past: &Past, cut: &Cut) -> Result<(), Breach> {
        let snapshot = cut.snapshot;
        let begun = self.begun.get(&snapshot);
        for node in self.config.nodes() {
            let (Some(recorded), Some(mark)) = (cut.parts.get(&node), past.mark(node, snapshot)) else {
                return Err(Breach(format!("{snapshot} is finished, and has no state of {node}")));
            };
            let had = begun.and_then(|begun| begun.get(&node)).copied().unwrap_or(0);
            let (at, gain) = (mark.position, mark.gain);
            ensure!(
                had < at,
                "{node} had done {had} things when {snapshot} began, and recorded its state after {at}"
            );
            let (opening, recorded) = (opening(&self.config, node), recorded.state.total());
            ensure!(
                opening.checked_add_signed(gain) == Some(recorded),
                "{node} has recorded {recorded} for {snapshot}, and had {opening}{gain:+} when it did"
            );
        }
        Ok(())
    }
}

impl Invariant<Snapshots> for Reachable {
    fn about(&self) -> &'static About {
        &About {
            name: "reachable",
            statement: "Each process was in the state that is recorded of it, between the begin of the snapshot and its end.",
            source: "Chandy, Lamport (1985) §3.2, theorem 1",
            leaves_out: "the order of what happened, which `consistent-cut` is about; begins that nobody heard of because the process crashed in them",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Snapshots>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let past: &Past = nodes.ghost();
        for fact in facts {
            self.on_fact(past, node, fact);
        }
        finished(facts).try_for_each(|cut| self.judge(past, cut))
    }

    /// All steps are done again, up to where a state is recorded: it must be that of the process.
    fn check_all(&self, nodes: &Nodes<'_, Snapshots>) -> Result<(), Breach> {
        for cut in cuts(nodes) {
            for node in self.config.nodes() {
                let part = cut.parts.get(&node);
                let is_real = part.is_some_and(|part| self.was_in(nodes, part));
                ensure!(is_real, "{node} was never in the state that {} has of it: {part:?}", cut.snapshot);
            }
        }
        Ok(())
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<Snapshots>>> {
        vec![Box::<Past>::default()]
    }
}

impl Reachable {
    fn was_in(&self, nodes: &Nodes<'_, Snapshots>, part: &Part) -> bool {
        let recorded = Event::Recorded(part.snapshot);
        let mut branch = Branch::new(Arc::clone(&self.config), part.process);
        log_of(nodes, part.process).iter().any(|step| {
            let is_recorded = branch.apply(step).contains(&recorded);
            is_recorded && *branch.balances() == part.state.balances
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::types::State;
    use super::*;

    #[test]
    fn a_state_from_before_the_snapshot_or_of_nobody_is_found() {
        let (one, two) = (NodeId::new(0), NodeId::new(1));
        let snapshot = SnapshotId { initiator: one, number: 1 };
        let (begun, recorded) = (Fact::Did(Event::Begun(snapshot)), Fact::Did(Event::Recorded(snapshot)));
        let of = |process, balance| {
            let balances = BTreeMap::from([(process, balance)]);
            let state = State { balances, sent: BTreeMap::new(), received: BTreeMap::new() };
            let process = NodeId::new(process);
            (process, Arc::new(Part { snapshot, process, state, channels: BTreeMap::new() }))
        };
        let cut = |balance| Cut { snapshot, parts: BTreeMap::from([of(0, 100), of(1, balance)]) };
        let judge = |facts: &[(NodeId, &[Fact])], balance| {
            let mut past = Past::default();
            let mut invariant = Reachable::new(&Arc::new(Config { accounts: 2, ..Config::new(2) }));
            for (node, facts) in facts {
                past.add(*node, facts);
                facts.iter().for_each(|fact| invariant.on_fact(&past, *node, fact));
            }
            invariant.judge(&past, &cut(balance))
        };
        let (begins, records) = ([begun, recorded.clone()], [recorded]);
        assert_eq!(judge(&[(one, &begins), (two, &records)], 100), Ok(()));
        assert!(judge(&[(one, &begins), (two, &records)], 70).is_err(), "n2 never had 70");
        assert!(judge(&[(one, &begins)], 100).is_err(), "n2 has recorded nothing");
        assert!(judge(&[(two, &records), (one, &begins)], 100).is_err(), "n2 has recorded before it began");
        let again: [(NodeId, &[Fact]); 4] =
            [(two, &records), (one, &begins), (two, &[Fact::Restarted]), (two, &records)];
        assert_eq!(judge(&again, 100), Ok(()), "it has lost that, and has recorded again");
    }
}

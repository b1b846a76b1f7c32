//! The lanes of a timeline: how each node stood over time, and what mattered. Grows with the run, so that a frame costs
//! what is new.

use sim_core::milestone::Happening;
use sim_core::status::{Power, Standing, Status};
use sim_core::trace::Trace;
use sim_core::{Endpoint, NodeId, SimTime, Simulation};

use crate::session::BranchId;

/// A node stood like this for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// From when.
    pub(crate) from: SimTime,
    /// Until when; `None` where it still does.
    pub(crate) until: Option<SimTime>,
    /// How.
    pub(crate) state: State,
}

/// How a node stands, as far as a lane shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) power: Power,
    /// In the protocol's own word.
    pub(crate) role: &'static str,
    pub(crate) standing: Standing,
    pub(crate) epoch: u64,
}

impl State {
    const DOWN: Self = Self { power: Power::Down, role: "down", standing: Standing::Peer, epoch: 0 };

    fn with(self, status: Option<Status>) -> Self {
        match status {
            Some(Status { role, standing, epoch, .. }) => {
                let power = if self.power == Power::Down { Power::Running } else { self.power };
                Self { power, role, standing, epoch }
            }
            None => Self::DOWN,
        }
    }
}

/// Something that mattered, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) at: SimTime,
    pub(crate) text: String,
}

/// The lanes of one path, as far as it was computed.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    tip: Option<BranchId>,
    records: u32,
    milestones: u64,
    /// Of each node, in order of time.
    nodes: Vec<Vec<Stretch>>,
    faults: Vec<Mark>,
}

impl Lanes {
    /// Takes in what happened since the last time; begins anew where the path leads elsewhere.
    pub(crate) fn update(&mut self, run: &dyn Simulation, tip: BranchId) {
        let len = run.trace().map_or(0, Trace::len);
        if self.tip != Some(tip) || len < self.records {
            let nodes = vec![
                vec![Stretch { from: SimTime::ZERO, until: None, state: State::DOWN }];
                run.node_count()
            ];
            *self = Self { tip: Some(tip), nodes, ..Self::default() };
        }
        if let Some(trace) = run.trace() {
            self.take_records(trace);
        }
        self.take_milestones(run);
    }

    /// Crashes, restarts and commands, in order of time.
    pub(crate) fn faults(&self) -> &[Mark] {
        &self.faults
    }

    /// The stretches of a node that are seen between two times.
    pub(crate) fn seen(&self, node: usize, from: SimTime, to: SimTime) -> &[Stretch] {
        let all = &self.nodes[node];
        let first = all.partition_point(|stretch| stretch.until.is_some_and(|until| until < from));
        let after = all.partition_point(|stretch| stretch.from <= to);
        &all[first..after.max(first)]
    }

    fn take_records(&mut self, trace: &Trace) {
        let new = self.records..trace.len();
        self.records = trace.len();
        let mut changes = trace.status_changes(new.clone()).peekable();
        for (number, record) in new.clone().zip(trace.range(new)) {
            if let (Some(power), Some(node)) =
                (record.kind().power(), record.subject().and_then(Endpoint::node))
            {
                let state =
                    if power == Power::Down { State::DOWN } else { State { power, ..self.state(node) } };
                self.enter(node, record.at(), state);
            }
            while let Some(change) = changes.next_if(|change| change.record <= number) {
                self.enter(change.node, record.at(), self.state(change.node).with(change.after));
            }
        }
    }

    fn state(&self, node: NodeId) -> State {
        self.nodes[node.index()].last().map_or(State::DOWN, |stretch| stretch.state)
    }

    fn enter(&mut self, node: NodeId, at: SimTime, state: State) {
        let lane = &mut self.nodes[node.index()];
        let last = lane.last_mut().expect("a lane begins with a stretch");
        if last.state == state {
            return;
        }
        if last.from == at {
            last.state = state;
            return;
        }
        last.until = Some(at);
        lane.push(Stretch { from: at, until: None, state });
    }

    fn take_milestones(&mut self, run: &dyn Simulation) {
        let milestones = run.milestones();
        for milestone in milestones.range(self.milestones..milestones.end_index()) {
            let text = match &milestone.what {
                Happening::Crashed(node) => format!("{node} crashes"),
                Happening::Restarted(node) => format!("{node} restarts"),
                Happening::Command(text) => text.clone(),
                Happening::Stands { .. } => continue,
            };
            self.faults.push(Mark { at: milestone.at, text });
        }
        self.milestones = milestones.end_index();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use scenarios::ProtocolTable;
    use sim_core::fault::Command;
    use sim_core::status::NodeStatus;

    use super::*;
    use crate::open::{self, Opened};
    use crate::session::Session;

    fn session(name: &str) -> Session {
        let table = Arc::new(ProtocolTable::builtin());
        let Opened { loaded, .. } = open::open(name, &[], &table).expect("the library has it");
        Session::new(loaded, table, 3)
    }

    /// Taken in bit by bit, a lane says at each moment what the nodes themselves said then.
    #[test]
    fn a_lane_says_how_its_node_stood_at_every_moment() {
        let mut session = session("raft/random-swarm");
        let mut lanes = Lanes::default();
        let mut seen: Vec<(SimTime, Vec<NodeStatus>)> = Vec::new();
        for events in (0..6_000).step_by(50) {
            session.seek_events(events);
            let mut statuses = Vec::new();
            session.simulation().statuses(&mut statuses);
            // Several events may share an instant: the last of them counts.
            seen.retain(|(at, _)| *at != session.simulation().now());
            seen.push((session.simulation().now(), statuses));
            lanes.update(session.run(), session.tip());
        }
        let mut compared = 0;
        for (at, statuses) in seen {
            for (node, status) in statuses.iter().enumerate() {
                let here = lanes.seen(node, at, at);
                // What changes in this very instant may do so after the event that was shown.
                let [.., stretch] = here else { panic!("the lane of node {node} has nothing at {at}") };
                if stretch.from == at {
                    continue;
                }
                compared += 1;
                let State { power, role, epoch, .. } = stretch.state;
                assert_eq!(power, status.power, "node {node} at {at}");
                if let Some(process) = status.process {
                    assert_eq!((role, epoch), (process.role, process.epoch), "node {node} at {at}");
                }
            }
        }
        assert!(compared > 100, "{compared} moments were compared");
    }

    #[test]
    fn on_another_path_the_lanes_begin_anew() {
        let mut session = session("raft/steady");
        session.seek_events(2_000);
        let mut lanes = Lanes::default();
        lanes.update(session.run(), session.tip());
        let before = lanes.nodes[0].len();
        session.apply(Command::Crash(NodeId::new(0))).expect("a world takes commands");
        session.seek_events(2_100);
        lanes.update(session.run(), session.tip());
        assert!(
            lanes.faults().iter().any(|mark| mark.text == "crash n1" || mark.text == "n1 crashes"),
            "{:?}",
            lanes.faults()
        );
        session.undo();
        lanes.update(session.run(), session.tip());
        assert_eq!((lanes.faults().len(), lanes.nodes[0].len()), (0, before));
    }
}

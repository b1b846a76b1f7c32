//! The lanes of a timeline: how each node stood over time, and what mattered. Grows with the run, so that a frame costs
//! what is new.

use sim_core::history::{History, HistoryEventKind};
use sim_core::milestone::Happening;
use sim_core::service::Certainty;
use sim_core::status::{Power, Standing, Status};
use sim_core::trace::Trace;
use sim_core::{Endpoint, NodeId, SimTime, Simulation};

use super::scale::Scale;
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
    operations: u64,
    /// When clients asked something, and when they learned that it did not happen or may not have.
    asked: Vec<SimTime>,
    failed: Vec<SimTime>,
}

/// How many operations fall into a column of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) asked: usize,
    /// How many turned out not to have happened, or not for certain.
    pub(crate) failed: usize,
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
        self.take_operations(run.history());
    }

    /// Crashes, restarts and commands, in order of time.
    pub(crate) fn faults(&self) -> &[Mark] {
        &self.faults
    }

    /// How many operations fall into each of so many equal columns of what is shown.
    pub(crate) fn operations(&self, scale: Scale, columns: u16) -> Vec<Column> {
        let edges = (0..=columns).map(|edge| scale.time(f64::from(edge) / f64::from(columns)));
        let before = |times: &[SimTime], edge| times.partition_point(|time| *time < edge);
        let counts: Vec<[usize; 2]> =
            edges.map(|edge| [before(&self.asked, edge), before(&self.failed, edge)]).collect();
        let column =
            |pair: &[[usize; 2]]| Column { asked: pair[1][0] - pair[0][0], failed: pair[1][1] - pair[0][1] };
        counts.windows(2).map(column).collect()
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

    fn take_operations(&mut self, history: &History) {
        for event in history.range(self.operations..history.len()) {
            match &event.what {
                HistoryEventKind::Invoked(_) => self.asked.push(event.at),
                HistoryEventKind::Completed(outcome) => {
                    if outcome.certainty() != Certainty::Happened {
                        self.failed.push(event.at);
                    }
                }
            }
        }
        self.operations = history.len();
    }
}

#[cfg(test)]
mod tests {

    use sim_core::Span;
    use sim_core::fault::Command;
    use sim_core::history::HistoryOperation;
    use sim_core::status::NodeStatus;

    use super::*;

    use crate::session::Session;
    use crate::testing;

    fn session(name: &str) -> Session {
        testing::session(name, &[], 3)
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
    fn each_operation_is_counted_in_the_column_of_its_invocation() {
        let mut session = session("raft/random-swarm");
        let mut lanes = Lanes::default();
        for events in (0..6_000).step_by(500) {
            session.seek_events(events);
            lanes.update(session.run(), session.tip());
        }
        let operations = session.run().history().operations();
        let scale = Scale::new(SimTime::ZERO, session.run().now() + Span::nanos(1));
        let columns = lanes.operations(scale, 50);
        assert!(operations.len() > 20, "{} operations", operations.len());
        assert_eq!(columns.iter().map(|column| column.asked).sum::<usize>(), operations.len());
        let (first, after) = (scale.time(0.4), scale.time(0.42));
        let expected = operations.iter().filter(|it| (first..after).contains(&it.invoked)).count();
        assert_eq!(columns[20].asked, expected);
        let failed = columns.iter().map(|column| column.failed).sum::<usize>();
        let has_failed =
            |it: &&HistoryOperation| it.completed.is_some() && it.outcome.certainty() != Certainty::Happened;
        assert_eq!(failed, operations.iter().filter(has_failed).count());
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

//! What a run has reached, in the abstract: whether it went where no run before it has been.
//!
//! A search that keeps what reached something new needs a notion of new that is neither too fine (every run is new: its
//! terms, times and operations are its own) nor too coarse (all runs are alike). Here it is made of what every protocol shows,
//! its [`Status`], so nothing of it is known here:
//!
//! | feature | is |
//! | --- | --- |
//! | state | how all nodes stand, without saying which is which: power, standing, who is in the latest epoch, whom they take for their leader, who knows most to be decided, who has most in hand |
//! | step | two such states, one after the other |
//! | pattern | four things in a row that happened to nodes ([`StatusEvent`]), each with whether the same node was concerned as before |
//! | command | a kind of command, and the state that it met |
//! | point | a situation worth reaching or a fault point, and about how often it was reached (once, twice, up to 4, up to 8, …) |
//!
//! Each is a number of 64 bits. Numbers are compared, not order of nodes or of epochs, so that a run with other victims
//! is not new for that alone. Watching touches neither digest nor events.

use crate::NodeId;
use crate::fault::StatusEvent;
use crate::fingerprint::{fingerprint, fold};
use crate::status::{NodeStatus, Power, Standing};

/// How many things in a row make a pattern.
const PATTERN_LENGTH: usize = 3;
/// How many features are remembered as reached a moment ago.
const RECENT: usize = 256;

/// The kinds of feature; the number is part of each, so that two of different kinds never meet.
#[derive(Clone, Copy)]
enum Kind {
    State = 1,
    Step,
    Pattern,
    Command,
    Point,
}

/// What has been reached so far in a run.
#[derive(Clone)]
pub(crate) struct Coverage {
    /// In the order in which they were reached; some are there more than once.
    features: Vec<u64>,
    /// Those reached last, each where its lowest bits say: most of what is reached was reached a moment ago.
    recent: [u64; RECENT],
    /// The nodes as they were last seen.
    nodes: Vec<NodeStatus>,
    /// The state as it was last seen.
    state: u64,
    /// The last things that happened to nodes, the latest last.
    happened: Vec<Happened>,
}

#[derive(Clone, Copy)]
struct Happened {
    event: StatusEvent,
    node: NodeId,
}

impl Coverage {
    /// Of a world whose nodes stand so.
    pub(crate) fn new(nodes: &[NodeStatus]) -> Self {
        let (features, happened) = (Vec::new(), Vec::new());
        Self { features, recent: [0; RECENT], nodes: nodes.to_vec(), state: 0, happened }
    }

    /// A node's status may have changed.
    pub(crate) fn on_status(&mut self, node: NodeId, before: Option<&NodeStatus>, after: &NodeStatus) {
        if before.map(place) != Some(place(after)) {
            for event in EVENTS.into_iter().filter(|event| event.matches(before, after)) {
                self.on_event(event, node);
            }
        }
        self.nodes[node.index()] = *after;
        let state = self.abstract_state();
        if state != self.state {
            self.reach(Kind::State, state, 0);
            self.reach(Kind::Step, self.state, state);
            self.state = state;
        }
    }

    /// A command of this kind is applied.
    pub(crate) fn on_command(&mut self, name: &str) {
        self.reach(Kind::Command, fingerprint(name), self.state);
    }

    /// All features, with those of points that were reached so often; ascending.
    pub(crate) fn features(&self, points: impl Iterator<Item = u64>) -> Vec<u64> {
        let of_point = |(place, count): (u64, u64)| {
            let magnitude = count.checked_ilog2()?;
            Some(feature(Kind::Point, place, u64::from(magnitude)))
        };
        let mut all: Vec<u64> =
            self.features.iter().copied().chain((0..).zip(points).filter_map(of_point)).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn on_event(&mut self, event: StatusEvent, node: NodeId) {
        if self.happened.len() == PATTERN_LENGTH {
            self.happened.remove(0);
        }
        self.happened.push(Happened { event, node });
        let letters = self.happened.iter().scan(None, |before, happened| {
            let is_same = before.replace(happened.node) == Some(happened.node);
            Some((happened.event, is_same))
        });
        let letters: Vec<_> = letters.collect();
        self.reach(Kind::Pattern, fingerprint(&letters), 0);
    }

    fn reach(&mut self, kind: Kind, first: u64, second: u64) {
        let feature = feature(kind, first, second);
        let place = usize::try_from(feature % RECENT as u64).expect("it is an index");
        if self.recent[place] != feature {
            self.recent[place] = feature;
            self.features.push(feature);
        }
    }

    /// How all nodes stand, without saying which is which.
    fn abstract_state(&self) -> u64 {
        let processes = self.nodes.iter().filter_map(|node| node.process.as_ref());
        let latest = processes.map(|process| process.epoch).max().unwrap_or_default();
        let mut cells: Vec<u64> = self.nodes.iter().map(|status| cell(status, latest)).collect();
        cells.sort_unstable();
        cells.into_iter().fold(0, |state, cell| fold(state, cell, 0))
    }
}

fn feature(kind: Kind, first: u64, second: u64) -> u64 {
    fold(kind as u64, first, second)
}

/// What of a status has to change for one of [`EVENTS`].
fn place(status: &NodeStatus) -> (Power, u32, Option<(Standing, u64)>) {
    let process = status.process.as_ref().map(|process| (process.standing, process.epoch));
    (status.power, status.incarnation, process)
}

/// What is looked for in a change of status.
const EVENTS: [StatusEvent; 6] = [
    StatusEvent::BecomesLeader,
    StatusEvent::BecomesCandidate,
    StatusEvent::LosesLeadership,
    StatusEvent::EpochRises,
    StatusEvent::Crashes,
    StatusEvent::Restarts,
];

/// How one node stands beside the others, the furthest of whom is in epoch `latest`.
fn cell(status: &NodeStatus, latest: u64) -> u64 {
    let Some(process) = &status.process else { return 0 };
    1 + 2 * (process.standing as u64) + u64::from(process.epoch < latest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Status;

    fn up(standing: Standing, epoch: u64) -> NodeStatus {
        let process = Status { standing, epoch, ..Status::peer("test") };
        NodeStatus { power: Power::Running, incarnation: 1, process: Some(process) }
    }

    /// What a run of three nodes reaches in which these become leaders of these epochs, one after the other.
    fn reached(leaders: &[(u32, u64)]) -> Vec<u64> {
        let mut nodes = [up(Standing::Follower, 0); 3];
        let mut coverage = Coverage::new(&nodes);
        for (leader, epoch) in leaders {
            let node = NodeId::new(*leader);
            let before = std::mem::replace(&mut nodes[node.index()], up(Standing::Leader, *epoch));
            coverage.on_status(node, Some(&before), &nodes[node.index()]);
        }
        coverage.features([].into_iter())
    }

    #[test]
    fn who_it_happened_to_is_nothing_new() {
        assert_eq!(reached(&[(0, 1)]), reached(&[(2, 1)]));
        assert_eq!(reached(&[(0, 1), (1, 2)]), reached(&[(2, 1), (0, 2)]));
    }

    #[test]
    fn another_order_of_events_is_new() {
        let (same, other) = (reached(&[(0, 1), (0, 2)]), reached(&[(0, 1), (1, 2)]));
        assert_ne!(same, other, "one that leads again is not one that takes over");
        assert!(reached(&[(0, 1)]).len() < other.len());
    }

    #[test]
    fn a_command_is_new_in_a_state_that_it_has_not_met() {
        let mut coverage = Coverage::new(&[up(Standing::Follower, 0)]);
        let count = |coverage: &mut Coverage| {
            coverage.on_command("crash");
            coverage.features([].into_iter()).len()
        };
        let first = count(&mut coverage);
        assert_eq!(count(&mut coverage), first, "the same in the same state");
        coverage.on_status(NodeId::new(0), None, &up(Standing::Peer, 0));
        let seen = coverage.features([].into_iter()).len();
        assert_eq!(count(&mut coverage), seen + 1);
    }

    #[test]
    fn a_point_is_new_when_it_is_reached_twice_as_often() {
        let of = |count: u64| Coverage::new(&[]).features([0, count].into_iter());
        assert!(of(0).is_empty());
        assert_ne!(of(1), of(2));
        assert_eq!(of(5), of(7));
    }
}

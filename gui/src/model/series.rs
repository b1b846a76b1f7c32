//! Metrics over time, as the lines of graphs. What the engine keeps is cumulative; a point of a line is about the stretch
//! of time between two samples. Grows with the run, so that a frame costs what is new.

use std::collections::BTreeMap;

use sim_core::metrics::{Counter, Gauge, Latency, Metrics, MetricsWindow};
use sim_core::{SimTime, Span};

use crate::session::{BranchId, Samples};

/// A graph: lines that share a unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Graph {
    /// What is counted or measured.
    pub(crate) title: String,
    /// What its numbers are: `ms`, `/s`; empty for plain numbers.
    pub(crate) unit: &'static str,
    /// By name; each point is a time in seconds and a value.
    pub(crate) lines: BTreeMap<String, Vec<[f64; 2]>>,
}

/// The graphs of one path, as far as it was computed.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Series {
    of: Option<(BranchId, Span)>,
    /// How many samples were taken in, and the last of them.
    taken: usize,
    /// By their places, so that the usual ones come first.
    graphs: BTreeMap<(u8, String), Graph>,
    /// What was counted up to the last sample.
    sums: BTreeMap<&'static str, u64>,
}

/// The places of graphs.
const THROUGHPUT: u8 = 0;
const OPERATION: u8 = 1;
const DEPTH: u8 = 2;
const ELECTIONS: u8 = 3;
const PER_OPERATION: u8 = 4;
const MESSAGES: u8 = 5;
const OWN_COUNTERS: u8 = 6;
const OWN_GAUGES: u8 = 7;
const LATENCIES: u8 = 8;

impl Series {
    /// Takes in the samples that are new; begins anew where the path leads elsewhere, or samples lie further apart.
    pub(crate) fn update(&mut self, samples: &Samples, tip: BranchId) {
        let of = Some((tip, samples.step()));
        if self.of != of || samples.all().len() < self.taken {
            *self = Self { of, ..Self::default() };
        }
        let first = self.taken.saturating_sub(1);
        let new: Vec<(SimTime, &Metrics)> = samples.all().skip(first).collect();
        for pair in new.windows(2) {
            let ((from, before), (to, after)) = (pair[0], pair[1]);
            self.take(&after.since(before, from, to), from, to);
        }
        self.taken = samples.all().len();
    }

    /// All graphs, the usual ones first.
    pub(crate) fn graphs(&self) -> impl Iterator<Item = &Graph> {
        self.graphs.values()
    }

    fn take(&mut self, window: &MetricsWindow, from: SimTime, to: SimTime) {
        let (x, length) = (seconds(to), seconds(to) - seconds(from));
        let count = |counter: Counter| ratio(window.counters.get(counter.name()).copied().unwrap_or(0), 1.0);
        for (counter, name) in [
            (Counter::OperationsCompleted, "completed"),
            (Counter::OperationsUnknown, "unknown"),
            (Counter::Retries, "retries"),
        ] {
            self.point((THROUGHPUT, "Throughput", "/s"), name, [x, count(counter) / length]);
        }
        for (counter, name) in [
            (Counter::MessagesSent, "sent"),
            (Counter::MessagesDelivered, "delivered"),
            (Counter::MessagesDropped, "dropped"),
        ] {
            self.point((MESSAGES, "Messages", "/s"), name, [x, count(counter) / length]);
        }
        let completed = count(Counter::OperationsCompleted);
        if completed > 0.0 {
            let each = count(Counter::MessagesSent) / completed;
            self.point((PER_OPERATION, "Messages an operation", ""), "messages", [x, each]);
        }
        self.take_sums(window, x);
        self.take_levels(window, x);
        self.take_own(window, x, length);
        for (name, latency) in &window.latencies {
            let title = format!("Latency: {name}");
            let place = if *name == Latency::Operation.name() { OPERATION } else { LATENCIES };
            for (line, span) in [("p50", latency.p50), ("p99", latency.p99), ("max", latency.max)] {
                self.point((place, &title, "ms"), line, [x, ratio(span.as_nanos(), 1e6)]);
            }
        }
    }

    /// What happens seldom is shown as how often it has happened so far.
    fn take_sums(&mut self, window: &MetricsWindow, x: f64) {
        for (counter, line) in [
            (Counter::LeadersElected, "leaders elected"),
            (Counter::Candidacies, "candidacies"),
            (Counter::Crashes, "crashes"),
        ] {
            let sum = self.sums.entry(counter.name()).or_default();
            *sum += window.counters.get(counter.name()).copied().unwrap_or(0);
            let sum = ratio(*sum, 1.0);
            self.point((ELECTIONS, "Elections so far", ""), line, [x, sum]);
        }
    }

    fn take_levels(&mut self, window: &MetricsWindow, x: f64) {
        for gauge in [Gauge::InboxDepth, Gauge::UnsyncedWrites, Gauge::OperationsPending, Gauge::InFlight] {
            if let Some(mean) = window.gauges.get(gauge.name()) {
                self.point((DEPTH, "What waits", ""), gauge.name(), [x, ratio(*mean, 1_000.0)]);
            }
        }
        for (name, nodes) in &window.process_gauges {
            let title = format!("Gauge: {name}");
            for (node, value) in nodes {
                self.point((OWN_GAUGES, &title, ""), &node.to_string(), [x, ratio(*value, 1.0)]);
            }
        }
    }

    /// What processes count of their own.
    fn take_own(&mut self, window: &MetricsWindow, x: f64, length: f64) {
        let is_own = |name: &str| Counter::ALL.iter().all(|counter| counter.name() != name);
        for (name, count) in window.counters.iter().filter(|(name, _)| is_own(name)) {
            let title = "Counted by the protocol";
            self.point((OWN_COUNTERS, title, "/s"), name, [x, ratio(*count, 1.0) / length]);
        }
    }

    fn point(&mut self, (place, title, unit): (u8, &str, &'static str), line: &str, point: [f64; 2]) {
        let graph = self.graphs.entry((place, title.to_owned())).or_default();
        if graph.title.is_empty() {
            (graph.title, graph.unit) = (title.to_owned(), unit);
        }
        match graph.lines.get_mut(line) {
            Some(points) => points.push(point),
            None => drop(graph.lines.insert(line.to_owned(), vec![point])),
        }
    }
}

fn seconds(time: SimTime) -> f64 {
    ratio(time.as_nanos(), 1e9)
}

#[expect(clippy::cast_precision_loss, reason = "places in a graph")]
fn ratio(number: u64, unit: f64) -> f64 {
    number as f64 / unit
}

#[cfg(test)]
mod tests {

    use std::time::Duration;

    use proptest::prelude::*;

    use sim_core::NodeId;
    use sim_core::fault::Command;

    use super::*;

    use crate::session::Session;
    use crate::testing;

    fn session(name: &str) -> Session {
        testing::session(name, &[], 3)
    }

    fn series(session: &Session) -> Series {
        let mut series = Series::default();
        series.update(session.samples(), session.tip());
        series
    }

    fn at(millis: u64) -> SimTime {
        SimTime::ZERO + Span::millis(millis)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn how_frames_cut_a_run_changes_no_point(frames in prop::collection::vec(1_u64..200, 1..60)) {
            let mut by_frames = session("raft/leader-crash");
            let mut grown = Series::default();
            by_frames.play();
            for millis in &frames {
                by_frames.on_frame(Duration::from_millis(*millis));
                grown.update(by_frames.samples(), by_frames.tip());
            }
            let reached = at(frames.iter().sum());
            let mut at_once = session("raft/leader-crash");
            at_once.seek_time(reached);
            while at_once.is_seeking() {
                at_once.on_frame(Duration::ZERO);
            }
            prop_assert_eq!(&grown, &series(&by_frames), "bit by bit, or all at once");
            prop_assert_eq!(&grown, &series(&at_once));
        }
    }

    #[test]
    fn the_points_of_a_counter_add_up_to_it() {
        let mut session = session("raft/steady");
        session.seek_time(at(2_000));
        let series = series(&session);
        let graph = series.graphs().find(|graph| graph.title == "Throughput").expect("operations complete");
        let points = &graph.lines["completed"];
        let step = seconds(SimTime::ZERO + session.samples().step());
        let sum: f64 = points.iter().map(|[_, rate]| rate * step).sum();
        let (_, last) = session.samples().all().last().expect("two seconds are some samples");
        assert!((sum - ratio(last.counter(Counter::OperationsCompleted), 1.0)).abs() < 0.01, "{sum}");
        assert!(sum > 10.0 && points.len() > 10, "{sum} in {} points", points.len());
    }

    #[test]
    fn a_branch_shares_the_samples_before_it_and_has_its_own_after() {
        let mut session = session("raft/steady");
        session.seek_time(at(2_000));
        let before = series(&session);
        session.seek_time(at(1_000));
        session.apply(Command::Crash(NodeId::new(0))).expect("a world takes commands");
        session.seek_time(at(2_000));
        let after = series(&session);
        let line = |series: &Series, name: &str| {
            let graph = series.graphs().find(|graph| graph.title == "Elections so far").expect("it is there");
            graph.lines[name].clone()
        };
        let (crashes, without) = (line(&after, "crashes"), line(&before, "crashes"));
        assert_eq!(crashes.len(), without.len());
        let until = |points: &[[f64; 2]], end: f64| {
            points.iter().filter(|[x, _]| *x < end).copied().collect::<Vec<_>>()
        };
        assert_eq!(until(&crashes, 1.0), until(&without, 1.0));
        let last = |points: &[[f64; 2]]| points.last().map(|[_, y]| *y);
        assert_eq!((last(&crashes), last(&without)), (Some(1.0), Some(0.0)));
    }

    #[test]
    fn a_long_run_keeps_its_samples_few() {
        let mut session = session("echo/hello");
        session.seek_time(session.end());
        while session.is_seeking() {
            session.on_frame(Duration::ZERO);
        }
        let usual = session.samples().step();
        session.play();
        for _ in 0..200 {
            session.on_frame(Duration::from_millis(100));
        }
        assert!(session.samples().all().len() <= 600);
        assert!(session.samples().step() >= usual);
    }
}

//! Numbers about a run that the engine keeps: counters, gauges and latencies under closed names, and gauges that
//! processes name.
//!
//! Counters are slots of an array, so that counting costs about a nanosecond; so are the gauges of the world
//! ([`gauge`](crate::gauge)). A latency gets its histogram at its first sample, and the gauges of processes get their
//! places when one is first set; clones share both until one of them changes. Quantiles and means are computed in
//! integers: no float is in any of this, and nothing of it is in the digest.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::gauge::{GaugeSummary, Level, ProcessLevel};
use crate::{NodeId, SimTime, Span};

/// Declares a closed set of names that index arrays.
macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum $type {
            $($(#[$variant_doc])* #[serde(rename = $name)] $variant,)*
        }

        impl $type {
            /// All of them, in the order of their declaration.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name in reports, in kebab-case.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            const fn index(self) -> usize {
                self as usize
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names! {
    /// What is counted, from 0 at the start of the run.
    Counter {
        /// Messages that processes sent to other nodes.
        MessagesSent = "messages-sent",
        /// Messages that arrived at a running process, duplicates included.
        MessagesDelivered = "messages-delivered",
        /// Messages, requests and replies that were lost on their way, for whatever reason.
        MessagesDropped = "messages-dropped",
        /// Extra copies that a link made.
        MessagesDuplicated = "messages-duplicated",
        /// Sizes of the messages sent, in bytes.
        BytesSent = "bytes-sent",
        /// Timers that fired.
        TimersFired = "timers-fired",
        /// Requests that arrived at a running process.
        Requests = "requests",
        /// Replies that processes gave.
        Replies = "replies",
        /// Operations that clients invoked.
        OperationsInvoked = "operations-invoked",
        /// Operations that completed with an answer or a refusal.
        OperationsCompleted = "operations-completed",
        /// Operations that clients gave up with an unknown outcome.
        OperationsUnknown = "operations-unknown",
        /// Requests that clients sent again.
        Retries = "retries",
        /// Requests that clients sent elsewhere because they were told to.
        Redirects = "redirects",
        /// Records that processes wrote to disk.
        DiskWrites = "disk-writes",
        /// Syncs that completed.
        Syncs = "syncs",
        /// Nodes that crashed.
        Crashes = "crashes",
        /// Nodes that started again after a crash.
        Restarts = "restarts",
        /// Inputs that waited in the inbox of a node that crashed.
        InputsLost = "inputs-lost",
        /// Effects on the outside world.
        OutsideEffects = "outside-effects",
        /// Times that a process started to lead, or led in another epoch.
        LeadersElected = "leaders-elected",
        /// Times that a process started to try to lead.
        Candidacies = "candidacies",
        /// Commands that were applied.
        Commands = "commands",
    }
}

names! {
    /// What goes up and down in the world as a whole.
    Gauge {
        /// Messages, requests and replies on their way, those that wait on held links included. There only where
        /// somebody asked for it: [`World::watch_flight`](crate::World::watch_flight).
        InFlight = "in-flight",
        /// Inputs that have arrived and wait for their node's processor.
        InboxDepth = "inbox-depth",
        /// Writes to disks that a crash could take back: not durable yet, or only said to be.
        UnsyncedWrites = "unsynced-writes",
        /// Operations that clients have invoked and neither completed nor given up.
        OperationsPending = "operations-pending",
        /// Nodes that have power, paused ones included. Its extremes are those after the start of the run.
        NodesUp = "nodes-up",
    }
}

names! {
    /// What takes a time, in true time.
    Latency {
        /// From invocation to completion of an operation that completed with an answer or a refusal.
        Operation = "operation",
    }
}

/// A distribution of spans. Quantiles are right to 3 significant digits and 512 ns, the rest is exact; all are
/// zero where there are no samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LatencySummary {
    /// How many samples there are.
    pub count: u64,
    /// The arithmetic mean, rounded down.
    pub mean: Span,
    /// Half of the samples are at most this.
    pub p50: Span,
    /// 90 % of the samples are at most this.
    pub p90: Span,
    /// 99 % of the samples are at most this.
    pub p99: Span,
    /// 99.9 % of the samples are at most this.
    #[serde(rename = "p99.9")]
    pub p999: Span,
    /// The longest sample.
    pub max: Span,
}

/// Everything in numbers for reports, by name; latencies without samples and gauges that no process has set are left
/// out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MetricsSummary {
    /// All counters.
    pub counters: BTreeMap<&'static str, u64>,
    /// The gauges of the world that somebody keeps.
    pub gauges: BTreeMap<&'static str, GaugeSummary>,
    /// The gauges that processes have set, by node.
    pub process_gauges: BTreeMap<&'static str, BTreeMap<NodeId, GaugeSummary>>,
    /// The latencies that have samples.
    pub latencies: BTreeMap<&'static str, LatencySummary>,
}

/// The metrics of one world. Costs half a kilobyte until the first latency is recorded.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    counters: [u64; Counter::ALL.len()],
    gauges: [Level; Gauge::ALL.len()],
    latencies: [Option<Arc<Distribution>>; Latency::ALL.len()],
    /// The names of the gauges that a process may set.
    process_names: &'static [&'static str],
    /// Those gauges, `node × names + gauge`; as long as the highest node that has set one needs.
    processes: Arc<Vec<ProcessLevel>>,
    /// From when on somebody keeps account of what is on its way.
    flight_since: Option<SimTime>,
    /// When the run was over, where it is.
    ended: Option<SimTime>,
}

impl Metrics {
    /// Everything zero, and no gauges of processes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything zero, with gauges of these names in each process.
    pub(crate) fn with_process_gauges(names: &'static [&'static str]) -> Self {
        Self { process_names: names, ..Self::default() }
    }

    /// A gauge of the world goes up.
    #[inline(always)]
    pub(crate) fn rise(&mut self, gauge: Gauge, now: SimTime, by: u64) {
        self.gauges[gauge.index()].rise(now, by);
    }

    /// A gauge of the world goes down.
    #[inline(always)]
    pub(crate) fn fall(&mut self, gauge: Gauge, now: SimTime, by: u64) {
        self.gauges[gauge.index()].fall(now, by);
    }

    /// A gauge of the world goes from one level to another, as far as one of its parts did.
    pub(crate) fn shift(&mut self, gauge: Gauge, now: SimTime, from: u64, to: u64) {
        if to >= from {
            self.rise(gauge, now, to - from);
        } else {
            self.fall(gauge, now, from - to);
        }
    }

    /// Keeps account of what is on its way, from now on.
    pub(crate) fn watch_flight(&mut self, now: SimTime, count: u64) {
        self.flight_since = Some(now);
        self.rise(Gauge::InFlight, now, count);
        self.gauges[Gauge::InFlight.index()].settle();
    }

    /// The world is set up: levels are what they are from here on.
    pub(crate) fn settle(&mut self) {
        self.gauges.iter_mut().for_each(Level::settle);
    }

    /// A process sets a gauge of its own.
    ///
    /// # Panics
    /// If there is no such gauge.
    pub(crate) fn set_process_gauge(&mut self, now: SimTime, node: NodeId, gauge: usize, value: u64) {
        let width = self.process_names.len();
        assert!(gauge < width, "gauge {gauge} is not declared; there are {width}");
        let needed = (node.index() + 1) * width;
        // Most that is told is no news.
        if self.processes.get(needed - width + gauge).is_some_and(|level| level.is_at(value)) {
            return;
        }
        let processes = Arc::make_mut(&mut self.processes);
        if processes.len() < needed {
            processes.resize(needed, ProcessLevel::default());
        }
        processes[needed - width + gauge].set(now, value);
    }

    /// A process has gone, and its gauges with it.
    pub(crate) fn clear_process_gauges(&mut self, now: SimTime, node: NodeId) {
        let width = self.process_names.len();
        let own = node.index() * width..(node.index() + 1) * width;
        if width > 0 && self.processes.len() >= own.end {
            Arc::make_mut(&mut self.processes)[own].iter_mut().for_each(|gauge| gauge.clear(now));
        }
    }

    /// The run is over: means are taken up to here, whenever they are asked for.
    pub(crate) fn end(&mut self, at: SimTime) {
        self.ended = Some(at);
    }

    /// Counts one.
    #[inline]
    pub const fn increment(&mut self, counter: Counter) {
        self.add(counter, 1);
    }

    /// Counts `amount`.
    #[inline]
    pub const fn add(&mut self, counter: Counter, amount: u64) {
        self.counters[counter.index()] += amount;
    }

    /// Adds a sample. The first one after a clone copies the histogram (16 KiB for spans up to a millisecond,
    /// 8 KiB more each time that doubles).
    #[inline]
    pub fn record(&mut self, latency: Latency, span: Span) {
        let slot = self.latencies[latency.index()].get_or_insert_with(|| Arc::new(Distribution::new()));
        Arc::make_mut(slot).record(span);
    }

    /// The count.
    pub const fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter.index()]
    }

    /// The distribution so far.
    pub fn latency(&self, latency: Latency) -> LatencySummary {
        self.latencies[latency.index()]
            .as_ref()
            .map(|distribution| distribution.summary())
            .unwrap_or_default()
    }

    /// A gauge of the world up to `now`, the time of the world; `None` where nobody keeps it.
    pub fn gauge(&self, gauge: Gauge, now: SimTime) -> Option<GaugeSummary> {
        let since = if gauge == Gauge::InFlight { self.flight_since? } else { SimTime::ZERO };
        Some(self.gauges[gauge.index()].summary(since, self.ended.unwrap_or(now)))
    }

    /// The gauges that processes have set, each from when it was first set to `now`, the time of the world.
    fn process_gauges(&self, now: SimTime) -> BTreeMap<&'static str, BTreeMap<NodeId, GaugeSummary>> {
        let mut by_name = BTreeMap::<_, BTreeMap<_, _>>::new();
        let now = self.ended.unwrap_or(now);
        let rows = self.processes.chunks(self.process_names.len().max(1));
        for (node, row) in (0..).map(NodeId::new).zip(rows) {
            for (name, gauge) in self.process_names.iter().copied().zip(row) {
                let summary = gauge.summary(now);
                summary.map(|summary| by_name.entry(name).or_default().insert(node, summary));
            }
        }
        by_name
    }

    /// Everything, for reports, at `now`, the time of the world.
    pub fn summary(&self, now: SimTime) -> MetricsSummary {
        let gauges = Gauge::ALL.into_iter();
        let latencies = Latency::ALL.map(|latency| (latency.name(), self.latency(latency)));
        MetricsSummary {
            counters: Counter::ALL.map(|counter| (counter.name(), self.counter(counter))).into(),
            gauges: gauges.filter_map(|gauge| Some((gauge.name(), self.gauge(gauge, now)?))).collect(),
            process_gauges: self.process_gauges(now),
            latencies: latencies.into_iter().filter(|(_, summary)| summary.count > 0).collect(),
        }
    }
}

/// Samples of one latency.
#[derive(Clone, Debug)]
struct Distribution {
    /// Spans in nanoseconds. It grows with the longest one.
    histogram: Histogram<u64>,
    /// In nanoseconds; 2^64 samples of 2^64 fit.
    sum: u128,
    /// Exact, where the histogram rounds.
    max: Span,
}

/// Samples below this many nanoseconds need not be told apart.
const FINEST_NANOS: u64 = 1_000;
/// The histogram starts with room for spans of this length.
const ROOM_NANOS: u64 = 1_000_000;

impl Distribution {
    fn new() -> Self {
        let mut histogram = Histogram::new_with_bounds(FINEST_NANOS, ROOM_NANOS, 3)
            .expect("3 digits, and an upper bound of twice the lower one or more, are allowed");
        histogram.auto(true);
        Self { histogram, sum: 0, max: Span::ZERO }
    }

    fn record(&mut self, span: Span) {
        self.histogram.record(span.as_nanos()).expect("a histogram that grows takes every value");
        self.sum += u128::from(span.as_nanos());
        self.max = self.max.max(span);
    }

    fn summary(&self) -> LatencySummary {
        let count = self.histogram.len();
        let mean = u64::try_from(self.sum / u128::from(count)).expect("a mean is at most the maximum");
        let [p50, p90, p99, p999] = self.quantiles([500, 900, 990, 999]);
        LatencySummary { count, mean: Span::nanos(mean), p50, p90, p99, p999, max: self.max }
    }

    /// For each of the rising `permilles`, the least recorded value that so many of the samples do not exceed.
    fn quantiles<const N: usize>(&self, permilles: [u64; N]) -> [Span; N] {
        let total = u128::from(self.histogram.len());
        let mut quantiles = [self.max; N];
        let (mut seen, mut next) = (0, 0);
        for bucket in self.histogram.iter_recorded() {
            seen += u128::from(bucket.count_at_value());
            // In thousandths of a sample, so that nothing is rounded.
            while next < N && seen * 1_000 >= total * u128::from(permilles[next]) {
                quantiles[next] = Span::nanos(bucket.value_iterated_to()).min(self.max);
                next += 1;
            }
        }
        quantiles
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counters_are_independent() {
        let mut metrics = Metrics::new();
        metrics.increment(Counter::MessagesSent);
        metrics.add(Counter::BytesSent, 100);
        let counted = Counter::ALL.map(|counter| (counter, metrics.counter(counter)));
        let counted: Vec<_> = counted.into_iter().filter(|&(_, count)| count > 0).collect();
        assert_eq!(counted, [(Counter::MessagesSent, 1), (Counter::BytesSent, 100)]);
    }

    #[test]
    fn a_world_without_latencies_has_no_histograms() {
        assert!(size_of::<Metrics>() <= 512, "{} bytes", size_of::<Metrics>());
        assert!(Metrics::new().latencies.iter().all(Option::is_none));
        assert_eq!(Metrics::new().summary(SimTime::ZERO).latencies, BTreeMap::new());
    }

    #[test]
    fn clones_share_histograms_until_one_records() {
        let mut metrics = Metrics::new();
        metrics.record(Latency::Operation, Span::millis(1));
        let mut later = metrics.clone();
        let shared = |a: &Metrics, b: &Metrics| {
            let slot = Latency::Operation.index();
            Arc::ptr_eq(a.latencies[slot].as_ref().expect("used"), b.latencies[slot].as_ref().expect("used"))
        };
        assert!(shared(&metrics, &later));
        later.record(Latency::Operation, Span::millis(2));
        assert!(!shared(&metrics, &later));
        assert_eq!(
            (metrics.latency(Latency::Operation).count, later.latency(Latency::Operation).count),
            (1, 2)
        );
    }

    #[test]
    fn the_longest_span_is_recorded_exactly() {
        let mut metrics = Metrics::new();
        metrics.record(Latency::Operation, Span::ZERO);
        metrics.record(Latency::Operation, Span::MAX);
        let summary = metrics.latency(Latency::Operation);
        assert_eq!((summary.max, summary.mean), (Span::MAX, Span::nanos(u64::MAX / 2)));
        assert!(summary.p999 >= Span::nanos(u64::MAX - 512), "{}", summary.p999);
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_samples_to_three_digits(
            mut nanos in prop::collection::vec(prop_oneof![0_u64..10_000, 0_u64..3_600_000_000_000], 1..300),
        ) {
            let mut metrics = Metrics::new();
            for &sample in &nanos {
                metrics.record(Latency::Operation, Span::nanos(sample));
            }
            nanos.sort_unstable();
            let summary = metrics.latency(Latency::Operation);
            prop_assert_eq!(summary.count, nanos.len() as u64);
            prop_assert_eq!(summary.max.as_nanos(), nanos[nanos.len() - 1]);
            prop_assert_eq!(summary.mean.as_nanos(), nanos.iter().sum::<u64>() / summary.count);
            for (permille, quantile) in [(500, summary.p50), (900, summary.p90), (990, summary.p99), (999, summary.p999)] {
                let exact = nanos[(nanos.len() * permille).div_ceil(1_000) - 1];
                let error = quantile.as_nanos().abs_diff(exact);
                prop_assert!(error <= 512 + exact / 1_000, "permille {permille}: {quantile} for {exact}ns");
            }
        }
    }
}

//! Numbers about a run: counters, gauges and latencies that the engine keeps under closed [names], and those that
//! processes keep under names that their protocol declares.
//!
//! Counters are slots of an array, so that counting costs about a nanosecond; so are the gauges of the world
//! ([`gauge`](crate::gauge)). A latency gets its places at its samples, and what processes keep gets its own
//! when one of them first tells something; clones share both until one of them changes. Quantiles and means are
//! computed in integers: no float is in any of this, and nothing of it is in the digest.

mod detection;
mod distribution;
mod names;
mod own;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

pub use self::detection::Opinion;
use self::distribution::Distribution;
pub use self::distribution::LatencySummary;
pub use self::names::{Counter, Gauge, Latency};
pub(crate) use self::own::{Own, OwnNames};
use crate::gauge::{GaugeSummary, Level};
use crate::{NodeId, SimTime, Span, ratio};

/// Everything in numbers for reports, by name, what processes count and time among it; latencies without samples and
/// gauges that no process has set are left out.
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
    /// How much there was of one thing for each of another, in thousandths; [`RATIOS`](crate::ratio::RATIOS) and
    /// throughput.
    pub ratios: BTreeMap<&'static str, u64>,
}

/// A stretch of a run in numbers: the difference of two moments.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MetricsWindow {
    /// What was counted in it; all counters.
    pub counters: BTreeMap<&'static str, u64>,
    /// The means of the gauges of the world over it, in thousandths.
    pub gauges: BTreeMap<&'static str, u64>,
    /// The gauges that processes have set, by node, as they were at its end; without those that were not there.
    pub process_gauges: BTreeMap<&'static str, BTreeMap<NodeId, u64>>,
    /// The latencies that had samples in it.
    pub latencies: BTreeMap<&'static str, LatencySummary>,
}

/// The metrics of one world. Costs 700 bytes until the first latency is recorded.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    counters: [u64; Counter::ALL.len()],
    gauges: [Level; Gauge::ALL.len()],
    /// Those that have [parts](Latency::parts) stay empty.
    latencies: [Option<Arc<Distribution>>; Latency::ALL.len()],
    /// What processes keep; shared by clones until a process tells something.
    own: Arc<Own>,
    /// From when on somebody keeps account of what is on its way.
    flight_since: Option<SimTime>,
    /// When the run was over, where it is.
    ended: Option<SimTime>,
}

impl Metrics {
    /// Everything zero, and nothing that processes keep.
    pub fn new() -> Self {
        Self::default()
    }

    /// Everything zero, with these names for what processes keep.
    pub(crate) fn with_own(names: OwnNames) -> Self {
        Self { own: Arc::new(Own::new(names)), ..Self::default() }
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

    /// A process sets a gauge of its own. Most that is told is no news, and changes nothing that clones share.
    ///
    /// # Panics
    /// If there is no such gauge.
    pub(crate) fn set_process_gauge(&mut self, now: SimTime, node: NodeId, gauge: usize, value: u64) {
        if !self.own.is_at(node, gauge, value) {
            Arc::make_mut(&mut self.own).set_gauge(now, node, gauge, value);
        }
    }

    /// What a process tells otherwise: it counts, or begins and ends what takes a time.
    pub(crate) fn own_mut(&mut self) -> &mut Own {
        Arc::make_mut(&mut self.own)
    }

    /// A process has gone, its gauges and what it has begun with it.
    pub(crate) fn forget_process(&mut self, now: SimTime, node: NodeId) {
        if self.own.knows(node) {
            Arc::make_mut(&mut self.own).forget(now, node);
        }
        if self.own.has_detectors() {
            self.own_mut().detection().on_crash(now, node);
        }
    }

    /// A node has restarted.
    pub(crate) fn on_restart(&mut self, now: SimTime, node: NodeId) {
        if self.own.has_detectors() {
            self.own_mut().detection().on_restart(now, node);
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

    /// Adds a sample to a latency without parts.
    #[inline]
    pub fn record(&mut self, latency: Latency, span: Span) {
        debug_assert_eq!(latency.parts(), [latency], "{latency} is the sum of others");
        let slot = self.latencies[latency.index()].get_or_insert_default();
        Arc::make_mut(slot).record(span);
    }

    /// The count.
    pub const fn counter(&self, counter: Counter) -> u64 {
        self.counters[counter.index()]
    }

    /// The distribution so far.
    pub fn latency(&self, latency: Latency) -> LatencySummary {
        let parts = latency.parts().iter().filter_map(|part| self.latencies[part.index()].as_deref());
        let whole = parts.map(Cow::Borrowed).reduce(|whole, part| {
            let mut whole = whole.into_owned();
            whole.add(&part);
            Cow::Owned(whole)
        });
        whole.map(|distribution| distribution.summary()).unwrap_or_default()
    }

    /// A gauge of the world up to `now`, the time of the world; `None` where nobody keeps it.
    pub fn gauge(&self, gauge: Gauge, now: SimTime) -> Option<GaugeSummary> {
        let since = if gauge == Gauge::InFlight { self.flight_since? } else { SimTime::ZERO };
        Some(self.gauges[gauge.index()].summary(since, self.ended.unwrap_or(now)))
    }

    /// What was since an earlier copy was taken, at `from`, to `to`, the time of the world.
    ///
    /// # Panics
    /// If it is no earlier copy.
    pub fn since(&self, earlier: &Self, from: SimTime, to: SimTime) -> MetricsWindow {
        let counted = |counter: Counter| (counter.name(), self.counter(counter) - earlier.counter(counter));
        let own = self.own.counters().zip(earlier.own.counters());
        let own = own.map(|((name, now), (_, before))| (name, now - before));
        let gauges = Gauge::ALL.into_iter().filter(|gauge| self.gauge(*gauge, to).is_some());
        let mean = |gauge: Gauge| {
            let (now, before) = (&self.gauges[gauge.index()], &earlier.gauges[gauge.index()]);
            (gauge.name(), now.mean_since(before, from, to))
        };
        let latencies = Latency::ALL.into_iter();
        let latencies = latencies.map(|latency| (latency.name(), self.samples_since(earlier, latency)));
        let latencies = latencies.chain(self.own.latencies_since(&earlier.own));
        let levels = self.own.gauges(to).into_iter().map(|(name, nodes)| {
            (name, nodes.into_iter().filter_map(|(node, summary)| Some((node, summary.last?))).collect())
        });
        MetricsWindow {
            counters: Counter::ALL.map(counted).into_iter().chain(own).collect(),
            gauges: gauges.map(mean).collect(),
            process_gauges: levels.collect(),
            latencies: latencies
                .filter(|(_, samples)| !samples.is_empty())
                .map(|(name, samples)| (name, samples.summary()))
                .collect(),
        }
    }

    fn samples_since(&self, earlier: &Self, latency: Latency) -> Distribution {
        let mut whole = Distribution::default();
        for part in latency.parts() {
            let [now, before] = [self, earlier].map(|metrics| metrics.latencies[part.index()].as_deref());
            match (now, before) {
                (Some(now), Some(before)) => whole.add(&now.since(before)),
                (Some(now), None) => whole.add(now),
                (None, _) => {}
            }
        }
        whole
    }

    /// Everything, for reports, at `now`, the time of the world.
    pub fn summary(&self, now: SimTime) -> MetricsSummary {
        let now = self.ended.unwrap_or(now);
        let counters = Counter::ALL.map(|counter| (counter.name(), self.counter(counter)));
        let gauges = Gauge::ALL.into_iter();
        let latencies = Latency::ALL.map(|latency| (latency.name(), self.latency(latency))).into_iter();
        MetricsSummary {
            counters: counters.into_iter().chain(self.own.counters()).collect(),
            gauges: gauges.filter_map(|gauge| Some((gauge.name(), self.gauge(gauge, now)?))).collect(),
            process_gauges: self.own.gauges(now),
            latencies: latencies
                .chain(self.own.latencies(now))
                .filter(|(_, summary)| summary.count > 0)
                .collect(),
            ratios: ratio::all(self, now)
                .into_iter()
                .chain(self.own.accuracy(now).map(|accuracy| (detection::ACCURACY, accuracy)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
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
        assert!(size_of::<Metrics>() <= 704, "{} bytes", size_of::<Metrics>());
        assert!(Metrics::new().latencies.iter().all(Option::is_none));
        assert_eq!(Metrics::new().summary(SimTime::ZERO).latencies, BTreeMap::new());
    }

    #[test]
    fn a_window_has_what_was_between_two_moments_and_nothing_else() {
        let at = |millis: u64| SimTime::ZERO + Span::millis(millis);
        let mut metrics = Metrics::new();
        metrics.increment(Counter::MessagesSent);
        metrics.record(Latency::Read, Span::secs(1));
        metrics.rise(Gauge::NodesUp, at(0), 3);
        let earlier = metrics.clone();
        metrics.add(Counter::MessagesSent, 4);
        metrics.record(Latency::Write, Span::millis(2));
        metrics.fall(Gauge::NodesUp, at(15), 2);
        let window = metrics.since(&earlier, at(10), at(20));
        assert_eq!((window.counters["messages-sent"], window.counters["crashes"]), (4, 0));
        assert_eq!(window.gauges["nodes-up"], 2_000);
        assert_eq!(window.latencies.keys().collect::<Vec<_>>(), [&"operation", &"write"]);
        assert_eq!(window.latencies["operation"].count, 1);
        assert_eq!(metrics.since(&metrics, at(20), at(30)).latencies, BTreeMap::new());
    }

    #[test]
    fn clones_share_histograms_until_one_records() {
        let mut metrics = Metrics::new();
        metrics.record(Latency::Read, Span::millis(1));
        let mut later = metrics.clone();
        let shared = |a: &Metrics, b: &Metrics| {
            let slot = Latency::Read.index();
            Arc::ptr_eq(a.latencies[slot].as_ref().expect("used"), b.latencies[slot].as_ref().expect("used"))
        };
        assert!(shared(&metrics, &later));
        later.record(Latency::Read, Span::millis(2));
        assert!(!shared(&metrics, &later));
        assert_eq!((metrics.latency(Latency::Read).count, later.latency(Latency::Read).count), (1, 2));
    }

    #[test]
    fn a_latency_with_parts_has_the_samples_of_all_of_them() {
        let mut metrics = Metrics::new();
        metrics.record(Latency::Read, Span::millis(1));
        assert_eq!(metrics.latency(Latency::Operation), metrics.latency(Latency::Read));
        metrics.record(Latency::Write, Span::secs(3));
        metrics.record(Latency::Write, Span::millis(2));
        let LatencySummary { count, mean, max, .. } = metrics.latency(Latency::Operation);
        assert_eq!((count, mean, max), (3, Span::millis(1_001), Span::secs(3)));
        assert_eq!(metrics.latency(Latency::Write).count, 2, "the sum changes no part");
    }
}

//! What processes keep of their own, under names that their protocol declares.
//!
//! A gauge is a level of one process. A counter and a latency are of all processes together. What takes a time begins and
//! ends by a key, such as the index of an entry; the engine looks at its own clock, true time, which no process can.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::detection::{Detection, LATENCIES, MISTAKES};
use super::distribution::{Distribution, LatencySummary};
use crate::gauge::{GaugeSummary, ProcessLevel};
use crate::{NodeId, SimTime, Span};

/// The names that a protocol declares.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnNames {
    pub(crate) gauges: &'static [&'static str],
    pub(crate) counters: &'static [&'static str],
    pub(crate) latencies: &'static [&'static str],
}

/// What processes keep. Empty until one of them tells something.
#[derive(Clone, Debug, Default)]
pub(crate) struct Own {
    names: OwnNames,
    /// `node × names + gauge`; as long as the highest node that has set one needs.
    gauges: Vec<ProcessLevel>,
    /// As long as the last one counted needs.
    counters: Vec<u64>,
    /// One for each name, once something has ended.
    latencies: Vec<Option<Arc<Distribution>>>,
    /// `node × names + latency`: the keys of what has begun and not ended, oldest first; as long as the highest node that
    /// has begun something needs.
    begun: Vec<VecDeque<(u64, SimTime)>>,
    /// Of failure detectors; once a process has told what it takes another for.
    detection: Option<Box<Detection>>,
}

impl Own {
    pub(super) fn new(names: OwnNames) -> Self {
        Self { names, ..Self::default() }
    }

    /// Whether a gauge is there, and has this value.
    ///
    /// # Panics
    /// If there is no such gauge.
    pub(super) fn is_at(&self, node: NodeId, gauge: usize, value: u64) -> bool {
        let place = place("gauge", node, gauge, self.names.gauges);
        self.gauges.get(place).is_some_and(|level| level.is_at(value))
    }

    pub(super) fn set_gauge(&mut self, now: SimTime, node: NodeId, gauge: usize, value: u64) {
        let place = place("gauge", node, gauge, self.names.gauges);
        entry(&mut self.gauges, place).set(now, value);
    }

    /// A process counts.
    ///
    /// # Panics
    /// If there is no such counter.
    pub(crate) fn count(&mut self, counter: usize, amount: u64) {
        let declared = self.names.counters.len();
        assert!(counter < declared, "counter {counter} is not declared; there are {declared}");
        *entry(&mut self.counters, counter) += amount;
    }

    /// What `key` stands for begins, unless it has begun already.
    ///
    /// # Panics
    /// If there is no such latency.
    pub(crate) fn begin(&mut self, now: SimTime, node: NodeId, latency: usize, key: u64) {
        let begun = entry(&mut self.begun, place("latency", node, latency, self.names.latencies));
        let is_last = begun.back().is_none_or(|(last, _)| *last < key);
        if is_last || begun.iter().all(|(other, _)| *other != key) {
            begun.push_back((key, now));
        }
    }

    /// What `key` stands for ends; nothing happens if it has not begun.
    ///
    /// # Panics
    /// If there is no such latency.
    pub(crate) fn end(&mut self, now: SimTime, node: NodeId, latency: usize, key: u64) {
        let begun = entry(&mut self.begun, place("latency", node, latency, self.names.latencies));
        if let Some(found) = begun.iter().position(|(other, _)| *other == key)
            && let Some((_, since)) = begun.remove(found)
        {
            self.took(latency, now.since(since));
        }
    }

    /// Something took so long.
    ///
    /// # Panics
    /// If there is no such latency.
    pub(crate) fn took(&mut self, latency: usize, span: Span) {
        let declared = self.names.latencies.len();
        assert!(latency < declared, "latency {latency} is not declared; there are {declared}");
        let samples = entry(&mut self.latencies, latency).get_or_insert_default();
        Arc::make_mut(samples).record(span);
    }

    /// Nothing that a process has begun will end.
    ///
    /// # Panics
    /// If there is no such latency.
    pub(crate) fn abandon(&mut self, node: NodeId, latency: usize) {
        entry(&mut self.begun, place("latency", node, latency, self.names.latencies)).clear();
    }

    /// Whether a process has a place for anything that goes with it.
    pub(super) fn knows(&self, node: NodeId) -> bool {
        self.gauges.len() > node.index() * self.names.gauges.len()
            || self.begun.len() > node.index() * self.names.latencies.len()
    }

    /// A process has gone.
    pub(super) fn forget(&mut self, now: SimTime, node: NodeId) {
        let Self { names, gauges, begun, .. } = self;
        of_node(gauges, node, names.gauges).for_each(|gauge| gauge.clear(now));
        of_node(begun, node, names.latencies).for_each(VecDeque::clear);
    }

    /// What is measured of failure detectors.
    pub(crate) fn detection(&mut self) -> &mut Detection {
        self.detection.get_or_insert_default()
    }

    /// Whether any process is a failure detector.
    pub(super) fn has_detectors(&self) -> bool {
        self.detection.is_some()
    }

    /// The share of time in which failure detectors are right, in thousandths.
    pub(super) fn accuracy(&self, now: SimTime) -> Option<u64> {
        self.detection.as_ref()?.accuracy(now)
    }

    /// All counters.
    pub(super) fn counters(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counted = self.counters.iter().copied().chain(std::iter::repeat(0));
        let mistakes = self.detection.iter().map(|detection| (MISTAKES, detection.mistakes()));
        self.names.counters.iter().copied().zip(counted).chain(mistakes)
    }

    /// What the latencies have that an earlier copy did not.
    pub(super) fn latencies_since(
        &self,
        earlier: &Self,
    ) -> impl Iterator<Item = (&'static str, Distribution)> {
        let names = self.names.latencies.iter().copied().enumerate();
        names.filter_map(|(index, name)| {
            let samples = self.latencies.get(index)?.as_deref()?;
            let before = earlier.latencies.get(index).and_then(Option::as_deref);
            Some((name, before.map_or_else(|| samples.clone(), |before| samples.since(before))))
        })
    }

    /// The latencies that have samples, by `now`.
    pub(super) fn latencies(&self, now: SimTime) -> impl Iterator<Item = (&'static str, LatencySummary)> {
        let names = self.names.latencies.iter().copied();
        let own = names.zip(&self.latencies);
        let own = own.filter_map(|(name, samples)| Some((name, samples.as_ref()?.summary())));
        let detection =
            self.detection.iter().flat_map(move |it| LATENCIES.into_iter().zip(it.latencies(now)));
        let detection = detection.filter(|(_, samples)| !samples.is_empty());
        own.chain(detection.map(|(name, samples)| (name, samples.summary())))
    }

    /// The gauges that processes have set, each from when it was first set to `now`.
    pub(super) fn gauges(&self, now: SimTime) -> BTreeMap<&'static str, BTreeMap<NodeId, GaugeSummary>> {
        let mut by_name = BTreeMap::<_, BTreeMap<_, _>>::new();
        let rows = self.gauges.chunks(self.names.gauges.len().max(1));
        for (node, row) in (0..).map(NodeId::new).zip(rows) {
            for (name, gauge) in self.names.gauges.iter().copied().zip(row) {
                let summary = gauge.summary(now);
                summary.map(|summary| by_name.entry(name).or_default().insert(node, summary));
            }
        }
        by_name
    }
}

/// Where the `index`th of the names has its place for a node.
fn place(what: &str, node: NodeId, index: usize, names: &[&str]) -> usize {
    let width = names.len();
    assert!(index < width, "{what} {index} is not declared; there are {width}");
    node.index() * width + index
}

/// The places of a node, as far as there are any.
fn of_node<'a, T>(places: &'a mut [T], node: NodeId, names: &[&str]) -> impl Iterator<Item = &'a mut T> {
    let width = names.len();
    places.iter_mut().skip(node.index() * width).take(width)
}

/// The place, made if it is not there.
fn entry<T: Default>(places: &mut Vec<T>, place: usize) -> &mut T {
    if places.len() <= place {
        places.resize_with(place + 1, T::default);
    }
    &mut places[place]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: OwnNames =
        OwnNames { gauges: &["level"], counters: &["first", "second"], latencies: &["wait", "work"] };

    const fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    fn waits(own: &Own) -> Vec<(&'static str, u64, Span)> {
        own.latencies(at(99)).map(|(name, summary)| (name, summary.count, summary.max)).collect()
    }

    #[test]
    fn every_declared_counter_is_there_and_counts_for_all_processes() {
        let mut own = Own::new(NAMES);
        assert_eq!(own.counters().collect::<Vec<_>>(), [("first", 0), ("second", 0)]);
        own.count(0, 2);
        own.count(0, 1);
        assert_eq!(own.counters().collect::<Vec<_>>(), [("first", 3), ("second", 0)]);
    }

    #[test]
    fn what_takes_a_time_ends_by_its_key_whatever_the_order() {
        let (mut own, node) = (Own::new(NAMES), NodeId::new(2));
        own.begin(at(10), node, 1, 7);
        own.begin(at(20), node, 1, 8);
        own.begin(at(30), node, 1, 7);
        own.end(at(40), node, 0, 7);
        own.end(at(40), NodeId::new(0), 1, 7);
        assert_eq!(waits(&own), [], "of another name, and of another process");
        own.end(at(50), node, 1, 8);
        assert_eq!(waits(&own), [("work", 1, Span::millis(30))]);
        own.end(at(60), node, 1, 7);
        own.end(at(99), node, 1, 7);
        assert_eq!(waits(&own), [("work", 2, Span::millis(50))], "from when it first began, and once");
    }

    #[test]
    fn what_a_process_knows_to_have_taken_a_time_counts_with_what_was_timed() {
        let (mut own, node) = (Own::new(NAMES), NodeId::new(0));
        own.took(0, Span::millis(40));
        own.begin(at(1), node, 0, 1);
        own.end(at(3), node, 0, 1);
        assert_eq!(waits(&own), [("wait", 2, Span::millis(40))]);
    }

    #[test]
    #[should_panic(expected = "latency 2 is not declared")]
    fn a_latency_that_was_not_declared_is_refused() {
        Own::new(NAMES).took(2, Span::ZERO);
    }

    #[test]
    fn what_is_abandoned_or_dies_with_its_process_never_ends() {
        let (mut own, node, other) = (Own::new(NAMES), NodeId::new(0), NodeId::new(1));
        own.begin(at(1), node, 0, 1);
        own.begin(at(1), other, 0, 1);
        own.begin(at(1), other, 1, 1);
        own.abandon(other, 1);
        own.forget(at(2), node);
        for latency in 0..2 {
            own.end(at(3), node, latency, 1);
            own.end(at(3), other, latency, 1);
        }
        assert_eq!(waits(&own), [("wait", 1, Span::millis(2))]);
        assert!(own.knows(node) && !own.knows(NodeId::new(2)));
    }

    #[test]
    #[should_panic(expected = "counter 2 is not declared")]
    fn a_counter_that_is_not_declared_is_refused() {
        Own::new(NAMES).count(2, 1);
    }
}

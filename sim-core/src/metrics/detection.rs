//! How good failure detectors are, in the words of Chen, Toueg and Aguilera (IEEE Trans. Computers 51(5), 2002), by true time and by who is
//! really down. A process tells what it takes others for ([`Opinion`]); the rest is the engine's.
//!
//! ```text
//!  p is up ─────────────────────────────────────────────x crash
//!  q trusts p ───┐         ┌────────────┐    ┌────────────────┐
//!                └ mistake ┘            └────┘                └ suspects it for good
//!                │<─ mistake-recurrence ─>│                 │<── detection
//! ```
//!
//! | there | here |
//! | --- | --- |
//! | detection time `T_D` | `detection`: from a crash until a process that watched suspects it, and does so still when the node restarts or the run ends; 0 where it did before |
//! | mistake duration `T_M` | `mistake`: from when a process suspects one that is up until it trusts it again |
//! | mistake recurrence time `T_MR` | `mistake-recurrence`: from one mistake about a node until the next, of the same process |
//! | query accuracy probability `P_A` | `query-accuracy`: over all pairs of a process and one that it watches, the share of time in which it is right; a crash of which somebody never comes to know counts as if it had not been |
//!
//! A node that is paused or cut off is up, and who suspects it is wrong. A suspicion that was right when the node restarts is no mistake
//! after that: who has it has not heard yet. What a process that crashes was wrong about has no length.

use std::collections::BTreeMap;

use super::distribution::Distribution;
use crate::{NodeId, SimTime, Span};

/// What a process takes another one for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opinion {
    /// It is well.
    Trusted,
    /// It has failed.
    Suspected,
    /// The process does not care any more.
    Unwatched,
}

/// The names in reports.
pub(super) const LATENCIES: [&str; 3] = ["detection", "mistake", "mistake-recurrence"];
/// How many mistakes began.
pub(super) const MISTAKES: &str = "detector-mistakes";
/// The share of time in which detectors are right.
pub(super) const ACCURACY: &str = "query-accuracy";

/// What has been measured, and what is under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Detection {
    /// By who has it and of whom.
    suspicions: BTreeMap<(NodeId, NodeId), Suspicion>,
    /// When the last mistake of each pair began.
    mistaken: BTreeMap<(NodeId, NodeId), SimTime>,
    /// Since when nodes are down.
    down: BTreeMap<NodeId, SimTime>,
    /// How many each process watches and trusts.
    trusted: BTreeMap<NodeId, u64>,
    /// All of them together.
    trusted_count: u64,
    /// How many suspicions are mistakes.
    mistaken_count: u64,
    /// When times were added up last.
    counted_until: SimTime,
    /// The time of all pairs of a process and one that it watches, in nanoseconds.
    watched: u128,
    /// Of that the time in which processes were wrong.
    wrong: u128,
    mistakes: u64,
    detections: Distribution,
    durations: Distribution,
    recurrences: Distribution,
}

/// A suspicion that is held.
#[derive(Clone, Copy, Debug)]
struct Suspicion {
    since: SimTime,
    /// Whether the node was up then, and has been since.
    is_mistake: bool,
    /// Whether its process was there when the node crashed.
    is_witness: bool,
}

impl Detection {
    /// Adds up the time since the last change.
    fn count_until(&mut self, now: SimTime) {
        let passed = u128::from(now.since(self.counted_until).as_nanos());
        self.watched += passed * (u128::from(self.trusted_count) + self.suspicions.len() as u128);
        self.wrong += passed * u128::from(self.mistaken_count);
        self.counted_until = now;
    }

    /// A process watches so many, and suspects none of them.
    pub(crate) fn watch(&mut self, now: SimTime, node: NodeId, count: u64) {
        self.count_until(now);
        let before = self.trusted.insert(node, count).unwrap_or_default();
        self.trusted_count = self.trusted_count - before + count;
    }

    /// A process changes what it takes `other` for, which is up or not.
    pub(crate) fn judge(&mut self, now: SimTime, node: NodeId, other: NodeId, opinion: Opinion, is_up: bool) {
        let pair = (node, other);
        if (opinion == Opinion::Suspected) == self.suspicions.contains_key(&pair) {
            return;
        }
        self.count_until(now);
        match opinion {
            Opinion::Suspected => {
                let is_witness = self.trusted.contains_key(&node);
                self.suspicions.insert(pair, Suspicion { since: now, is_mistake: is_up, is_witness });
                if is_up {
                    self.begin_mistake(now, pair);
                }
            }
            Opinion::Trusted | Opinion::Unwatched => {
                let suspicion = self.suspicions.remove(&pair).expect("just seen");
                self.mistaken_count -= u64::from(suspicion.is_mistake);
                if suspicion.is_mistake && opinion == Opinion::Trusted {
                    self.durations.record(now.since(suspicion.since));
                }
            }
        }
    }

    fn begin_mistake(&mut self, now: SimTime, pair: (NodeId, NodeId)) {
        self.mistakes += 1;
        self.mistaken_count += 1;
        if let Some(last) = self.mistaken.insert(pair, now) {
            self.recurrences.record(now.since(last));
        }
    }

    /// A node crashes: whoever suspects it is right from now on, and what it suspected itself is gone.
    pub(super) fn on_crash(&mut self, now: SimTime, node: NodeId) {
        self.count_until(now);
        self.down.insert(node, now);
        self.trusted_count -= self.trusted.remove(&node).unwrap_or_default();
        self.suspicions.retain(|(of, _), _| *of != node);
        for ((_, other), suspicion) in &mut self.suspicions {
            suspicion.is_mistake &= *other != node;
        }
        self.mistaken_count = self.suspicions.values().map(|suspicion| u64::from(suspicion.is_mistake)).sum();
    }

    /// A node restarts: who suspected it by then had detected its crash.
    pub(super) fn on_restart(&mut self, now: SimTime, node: NodeId) {
        self.count_until(now);
        for delay in self.found(node) {
            self.detections.record(delay);
            self.wrong += u128::from(delay.as_nanos());
        }
        self.down.remove(&node);
        for ((_, other), suspicion) in &mut self.suspicions {
            suspicion.is_witness &= *other != node;
        }
    }

    /// How long it took to suspect this node, which is down, for each who does and watched when it crashed.
    fn found(&self, node: NodeId) -> Vec<Span> {
        let Some(crashed) = self.down.get(&node).copied() else { return Vec::new() };
        let of_node = self.suspicions.iter().filter(|((_, other), it)| *other == node && it.is_witness);
        of_node.map(|(_, suspicion)| suspicion.since.since(crashed)).collect()
    }

    /// As if the run were over now.
    fn closed(&self, now: SimTime) -> Self {
        let mut closed = self.clone();
        let down: Vec<NodeId> = self.down.keys().copied().collect();
        for node in down {
            closed.on_restart(now, node);
        }
        closed.count_until(now);
        closed
    }

    pub(super) fn mistakes(&self) -> u64 {
        self.mistakes
    }

    /// The three latencies, in the order of [`LATENCIES`].
    pub(super) fn latencies(&self, now: SimTime) -> [Distribution; 3] {
        let Self { detections, durations, recurrences, .. } = self.closed(now);
        [detections, durations, recurrences]
    }

    /// The share of time in which processes are right, in thousandths, rounded down; `None` where nobody watches anybody.
    pub(super) fn accuracy(&self, now: SimTime) -> Option<u64> {
        let closed = self.closed(now);
        let right = closed.watched.saturating_sub(closed.wrong);
        let share = (right * 1_000).checked_div(closed.watched)?;
        Some(u64::try_from(share).expect("a share is at most 1"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::distribution::LatencySummary;
    use super::*;

    const Q: NodeId = NodeId::new(0);
    const P: NodeId = NodeId::new(1);

    const fn at(seconds: u64) -> SimTime {
        SimTime::from_nanos(seconds * 1_000_000_000)
    }

    /// Q watches P from the start.
    fn watching() -> Detection {
        let mut detection = Detection::default();
        detection.watch(at(0), Q, 1);
        detection
    }

    fn suspect(detection: &mut Detection, seconds: u64, is_up: bool) {
        detection.judge(at(seconds), Q, P, Opinion::Suspected, is_up);
        detection.watch(at(seconds), Q, 0);
    }

    fn trust(detection: &mut Detection, seconds: u64) {
        detection.judge(at(seconds), Q, P, Opinion::Trusted, true);
        detection.watch(at(seconds), Q, 1);
    }

    /// How many samples of each latency, and the longest in seconds.
    fn samples(detection: &Detection, now: u64) -> [(u64, u64); 3] {
        detection.latencies(at(now)).map(|samples| {
            let summary = if samples.is_empty() { LatencySummary::default() } else { samples.summary() };
            (summary.count, summary.max.as_nanos() / 1_000_000_000)
        })
    }

    #[test]
    fn a_crash_is_detected_when_it_is_suspected_for_good() {
        let mut detection = watching();
        detection.on_crash(at(10), P);
        suspect(&mut detection, 12, false);
        trust(&mut detection, 13);
        suspect(&mut detection, 17, false);
        assert_eq!(samples(&detection, 20), [(1, 7), (0, 0), (0, 0)], "not at 12 s");
        detection.on_restart(at(30), P);
        trust(&mut detection, 31);
        assert_eq!(
            samples(&detection, 40),
            [(1, 7), (0, 0), (0, 0)],
            "it is counted once, and is no mistake"
        );
        assert_eq!(detection.mistakes(), 0);
    }

    #[test]
    fn mistakes_last_until_they_are_corrected_and_come_again() {
        let mut detection = watching();
        suspect(&mut detection, 10, true);
        trust(&mut detection, 13);
        suspect(&mut detection, 50, true);
        trust(&mut detection, 51);
        assert_eq!(samples(&detection, 100), [(0, 0), (2, 3), (1, 40)]);
        assert_eq!((detection.mistakes(), detection.accuracy(at(100))), (2, Some(960)), "4 s of 100 s");
    }

    #[test]
    fn a_mistake_that_becomes_true_was_detected_at_once() {
        let mut detection = watching();
        suspect(&mut detection, 10, true);
        detection.on_crash(at(20), P);
        assert_eq!(samples(&detection, 100), [(1, 0), (0, 0), (0, 0)]);
        assert_eq!(detection.accuracy(at(100)), Some(900), "wrong for 10 s of 100 s");
    }

    #[test]
    fn until_a_crash_is_detected_who_watches_is_wrong() {
        let mut detection = watching();
        detection.on_crash(at(50), P);
        suspect(&mut detection, 75, false);
        assert_eq!(detection.accuracy(at(100)), Some(750));
    }

    #[test]
    fn who_crashes_or_did_not_watch_has_detected_nothing() {
        let mut detection = watching();
        suspect(&mut detection, 10, true);
        detection.on_crash(at(20), Q);
        detection.on_crash(at(30), P);
        assert_eq!(samples(&detection, 40), [(0, 0); 3]);
        detection.on_restart(at(50), Q);
        detection.judge(at(60), Q, P, Opinion::Suspected, false);
        assert_eq!(samples(&detection, 70), [(0, 0); 3], "it was not there when the node crashed");
        assert_eq!(Detection::default().accuracy(at(9)), None);
    }
}

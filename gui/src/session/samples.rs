//! The metrics of a branch at regular times of the run, taken as it is computed: what plots are made of.
//!
//! When a sample is taken depends on simulated time alone, so that another cut into frames gives the same samples. There
//! are never more than [`SAMPLES_MAX`]: beyond, every second one goes and they lie twice as far apart. A sample is a copy
//! that shares what has not changed since.

use sim_core::metrics::Metrics;
use sim_core::{SimTime, Simulation, Span};

use super::moment::EVER;

/// A plot has no more places.
const SAMPLES_MAX: usize = 600;
/// So many samples a run without a person in it has.
const SAMPLES_USUAL: u64 = 300;

/// See the [module documentation](self).
#[derive(Clone, Debug)]
pub(crate) struct Samples {
    /// How far they lie apart.
    step: Span,
    /// One for each multiple of the step, from time zero on.
    taken: Vec<Metrics>,
}

impl Samples {
    /// None yet, of a run that ends at `end` at the latest.
    pub(super) fn new(end: SimTime) -> Self {
        Self { step: Span::nanos((end.as_nanos() / SAMPLES_USUAL).max(1)), taken: Vec::new() }
    }

    /// None but the first, of a run that keeps what was measured at its end only.
    pub(super) const fn never() -> Self {
        Self { step: Span::nanos(EVER.as_nanos()), taken: Vec::new() }
    }

    /// When the next one is to be taken: after all that happens up to this time.
    pub(super) fn due(&self) -> SimTime {
        self.at(self.taken.len())
    }

    /// Takes the next one.
    pub(super) fn take(&mut self, metrics: &Metrics) {
        self.taken.push(metrics.clone());
        if self.taken.len() > SAMPLES_MAX {
            let mut is_kept = [true, false].into_iter().cycle();
            self.taken.retain(|_| is_kept.next().unwrap_or(true));
            self.step = self.step.times(2);
        }
    }

    /// Those that a branch shares which begins where `head` stands. What is due before that and was not taken yet is as
    /// it is there.
    pub(super) fn shared_with(&self, head: &dyn Simulation) -> Self {
        let now = head.now();
        let count = (0..self.taken.len()).take_while(|index| self.at(*index) < now).count();
        let mut shared = Self { step: self.step, taken: self.taken[..count].to_vec() };
        while shared.due() < now {
            shared.take(head.metrics());
        }
        shared
    }

    /// How far they lie apart.
    pub(crate) const fn step(&self) -> Span {
        self.step
    }

    /// All of them, with their times.
    pub(crate) fn all(&self) -> impl ExactSizeIterator<Item = (SimTime, &Metrics)> {
        self.taken.iter().enumerate().map(|(index, metrics)| (self.at(index), metrics))
    }

    fn at(&self, index: usize) -> SimTime {
        SimTime::ZERO + self.step.times(index as u64)
    }
}

//! Failure detectors: when silence is a failure. A part that protocols use, and no protocol by itself.
//!
//! A process that hears from another at regular times keeps a [`Detector`] for it, tells it of each time ([`Detector::hear`]), and asks
//! how long it may wait ([`Detector::deadline`]). Two rules say so ([`Rule`]):
//!
//! | rule | suspects after | good for |
//! | --- | --- | --- |
//! | [`Rule::Timeout`] | the same silence, always | known networks; a bound that can be promised |
//! | [`Rule::Phi`] | a silence that is as unlikely as 10^-φ, by what was heard before | networks whose delays nobody knows beforehand, and which change |
//!
//! Where each node of a group would watch each other one, there is a third: [SWIM](crate::swim), a
//! [`Membership`](crate::swim::Membership) that a process hosts. It asks others before it suspects, and they all come to know.
//!
//! # What is promised
//!
//! In the words of Chandra and Toueg, of a process that only one other watches:
//!
//! - **Completeness**: who is silent for good is suspected, and stays so. Both rules have a bound: the timeout; or the mean, the
//!   acceptable pause and z(φ) deviations.
//! - **Accuracy** is eventual. With a timeout nobody is wrongly suspected whose messages are never apart by more than it. With φ a
//!   mistake is made with a chance of 10^-φ a message, if intervals are normal and their past tells their future: 1 % at 2, one in a hundred
//!   million at 8.
//!
//! What matters to users is told in the words of Chen et al.: the *detection time* is how long a failure goes unnoticed, the
//! *mistake recurrence time* how often one is suspected who is well. A longer timeout, or a higher φ, trades the one for the other. Both
//! are measured where a process tells whom it watches and suspects: [`Context::watch`](sim_core::Context::watch) and
//! [`Context::judge`](sim_core::Context::judge).
//!
//! # φ without floating point
//!
//! φ(t) = -log10 P(the next message comes later than t), for a normal distribution with the mean and the deviation of the last
//! `window` intervals. It reaches the threshold exactly when t is the mean + z deviations, where z is the quantile that a normal
//! variable exceeds with probability 10^-φ. So no logarithm is taken while a world runs: z comes from a table of whole thresholds
//! ([`normal`]), mean and deviation from sums of whole nanoseconds. The same silence is suspected on every machine.
//!
//! # Where it differs, and what is left out
//!
//! | what | why, and what it costs |
//! | --- | --- |
//! | thresholds are whole numbers from 1 to 16 | a table holds them; Akka's default is 8, Cassandra's too |
//! | a normal tail, where Akka has a logistic approximation of it and Cassandra an exponential one | Hayashibara et al. have the normal one |
//! | Chen's detector with expected arrival times | φ with a low threshold and a pause comes near it |
//!
//! # Sources
//!
//! - T. D. Chandra, S. Toueg: Unreliable Failure Detectors for Reliable Distributed Systems, JACM 43(2), 1996.
//! - W. Chen, S. Toueg, M. K. Aguilera: On the Quality of Service of Failure Detectors, IEEE Trans. Computers 51(5), 2002.
//! - N. Hayashibara, X. Défago, R. Yared, T. Katayama: The φ Accrual Failure Detector, SRDS 2004.
//! - Akka, `PhiAccrualFailureDetector`: the defaults, the lowest deviation, the acceptable pause, how it begins.

mod intervals;
pub mod normal;

use serde::Serialize;
use sim_core::{LocalTime, Span};

use self::intervals::Intervals;
pub use self::normal::THRESHOLD_MAX;

/// How much silence is suspicious.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Rule {
    /// This much, whatever was heard before.
    Timeout(Span),
    /// What is unlikely by what was heard before.
    Phi(Phi),
}

/// The parameters of the φ accrual detector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Phi {
    /// The φ from which on one is suspected, from 1 to [`THRESHOLD_MAX`]. Default 8.
    pub threshold: u32,
    /// Over how many intervals mean and deviation are taken, at least 2. Default 1,000.
    pub window: u32,
    /// The deviation is taken to be at least this, so that regular messages don't make it nothing. Default 100 ms.
    pub deviation_min: Span,
    /// What is added to the mean: a silence that is nobody's fault, such as a long collection. Default 3 s.
    pub acceptable_pause: Span,
    /// The interval that is expected before there was any. Default 1 s.
    pub interval_first: Span,
}

impl Default for Phi {
    fn default() -> Self {
        Self {
            threshold: 8,
            window: 1_000,
            deviation_min: Span::millis(100),
            acceptable_pause: Span::secs(3),
            interval_first: Span::secs(1),
        }
    }
}

/// Why a [`Rule`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// The timeout is not longer than what is between two messages.
    #[error("the timeout is {timeout}, and messages come every {interval}: everybody would be suspected")]
    TimeoutTooShort {
        /// What was asked for.
        timeout: Span,
        /// What it must be longer than.
        interval: Span,
    },
    /// There is no such threshold in the table.
    #[error("the threshold of φ is {0}, and must be from 1 to {THRESHOLD_MAX}")]
    Threshold(u32),
    /// A deviation needs two intervals.
    #[error("the window of φ is {0}, and a deviation needs 2 intervals")]
    Window(u32),
    /// Everybody would be suspected at once.
    #[error("`{0}` of φ must be longer than 0, else the one whose messages come regularly is suspected")]
    NoTime(&'static str),
}

impl Rule {
    /// Checks what the types allow and makes no sense where a message comes each `interval`.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self, interval: Span) -> Result<(), RuleError> {
        match *self {
            Self::Timeout(timeout) if timeout <= interval => {
                Err(RuleError::TimeoutTooShort { timeout, interval })
            }
            Self::Timeout(_) => Ok(()),
            Self::Phi(phi) => phi.validate(),
        }
    }
}

impl Phi {
    fn validate(&self) -> Result<(), RuleError> {
        if normal::quantile(self.threshold).is_none() {
            return Err(RuleError::Threshold(self.threshold));
        }
        if self.window < 2 {
            return Err(RuleError::Window(self.window));
        }
        let times = [("deviation_min", self.deviation_min), ("interval_first", self.interval_first)];
        let none = times.iter().find(|(_, time)| time.is_zero());
        none.map_or(Ok(()), |(name, _)| Err(RuleError::NoTime(name)))
    }

    /// How long a silence is not suspicious after such intervals.
    fn allowed(&self, intervals: &Intervals) -> Span {
        let thousandths = normal::quantile(self.threshold).expect("a threshold that was validated");
        let deviation = intervals.deviation().max(self.deviation_min);
        let nanos = u128::from(deviation.as_nanos()) * u128::from(thousandths) / 1_000;
        let over = Span::nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        intervals.mean() + self.acceptable_pause + over
    }
}

/// What one process keeps of another to tell whether it has failed.
#[derive(Clone, Debug, Serialize)]
pub struct Detector {
    heard: LocalTime,
    /// Empty with a fixed timeout.
    intervals: Intervals,
}

impl Detector {
    /// Of one that was heard just now, for the first time.
    pub fn new(rule: &Rule, now: LocalTime) -> Self {
        let intervals = match rule {
            Rule::Timeout(_) => Intervals::default(),
            Rule::Phi(phi) => Intervals::expecting(phi.interval_first),
        };
        Self { heard: now, intervals }
    }

    /// It is heard. How long it took counts for the future, unless it took so long that it was suspected: a partition says
    /// nothing of the intervals after it.
    pub fn hear(&mut self, rule: &Rule, now: LocalTime) {
        if let Rule::Phi(phi) = rule
            && !self.is_suspect(rule, now)
        {
            self.intervals.add(now.since(self.heard), phi.window);
        }
        self.heard = now;
    }

    /// When it was heard last.
    pub const fn heard(&self) -> LocalTime {
        self.heard
    }

    /// From when on it is suspected, if it is not heard before.
    pub fn deadline(&self, rule: &Rule) -> LocalTime {
        self.heard
            + match rule {
                Rule::Timeout(timeout) => *timeout,
                Rule::Phi(phi) => phi.allowed(&self.intervals),
            }
    }

    /// Whether it is suspected.
    pub fn is_suspect(&self, rule: &Rule, now: LocalTime) -> bool {
        now >= self.deadline(rule)
    }
}

#[cfg(test)]
mod tests;

//! How long something takes, at random, as text.

use std::fmt;
use std::str::FromStr;

use sim_core::Span;
use sim_core::random::Distribution;

use crate::text::units::text_form::text_form;
use crate::text::units::{Time, TimeRange, UnitError};

const ALLOWED: &str = "`5ms`, `1ms..5ms`, `exponential(5ms)`, `normal(5ms, 1ms)`, `log-normal(5ms, 0.3)`, \
                       `pareto(1ms, 1.5)`, `empirical(1ms, 2ms, 9ms)`";

/// How long something takes: always, between two times, or by a distribution.
///
/// | text | is |
/// | --- | --- |
/// | `5ms` | constant |
/// | `1ms..5ms` | uniform, both ends included |
/// | `exponential(5ms)` | with this mean |
/// | `normal(5ms, 1ms)` | with this mean and standard deviation, not below 0 |
/// | `log-normal(5ms, 0.3)` | with this median and sigma |
/// | `pareto(1ms, 1.5)` | with this minimum and tail exponent |
/// | `empirical(1ms, 2ms, 9ms)` | one of these, each equally likely |
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    /// As written.
    text: String,
    distribution: Distribution,
}

impl Latency {
    /// The engine's distribution.
    pub fn distribution(&self) -> Distribution {
        self.distribution.clone()
    }

    /// The longest it takes; for an unbounded distribution the longest that is ever drawn.
    pub fn maximum(&self) -> Span {
        self.distribution.maximum()
    }

    /// Always `span`.
    pub fn constant(span: Span) -> Self {
        Self { text: span.to_string(), distribution: Distribution::constant(span) }
    }

    /// Between `low` and `high`, both included.
    pub fn uniform(low: Span, high: Span) -> Self {
        let distribution = uniform(low, high);
        Self { text: format!("{low}..{high}"), distribution }
    }
}

fn uniform(low: Span, high: Span) -> Distribution {
    if low == high {
        return Distribution::constant(low);
    }
    Distribution::uniform(low, high + Span::nanos(1)).expect("a range does not end before it begins")
}

impl FromStr for Latency {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let text = text.trim();
        let distribution = match text.split_once('(') {
            None => {
                let range: TimeRange = text.parse()?;
                uniform(range.low(), range.high())
            }
            Some((name, rest)) => {
                let inside = rest.strip_suffix(')').ok_or_else(|| refuse(format!("`{text}` has no `)`")))?;
                let arguments: Vec<&str> = inside.split(',').map(str::trim).collect();
                named(name, &arguments, text)?
            }
        };
        Ok(Self { text: text.to_owned(), distribution })
    }
}

fn named(name: &str, arguments: &[&str], text: &str) -> Result<Distribution, UnitError> {
    let made = match (name, arguments) {
        ("exponential", [mean]) => Ok(Distribution::exponential(span(mean)?)),
        ("normal", [mean, deviation]) => Ok(Distribution::normal(span(mean)?, span(deviation)?)),
        ("log-normal", [median, sigma]) => Distribution::log_normal(span(median)?, number(sigma)?),
        ("pareto", [minimum, alpha]) => Distribution::pareto(span(minimum)?, number(alpha)?),
        ("empirical", samples) => {
            Distribution::empirical(samples.iter().map(|sample| span(sample)).collect::<Result<_, _>>()?)
        }
        _ => return Err(refuse(format!("`{text}` is no distribution"))),
    };
    made.map_err(|error| refuse(error.to_string()))
}

fn span(text: &str) -> Result<Span, UnitError> {
    text.parse::<Time>().map(Time::span)
}

fn number(text: &str) -> Result<f64, UnitError> {
    text.parse().map_err(|_| refuse(format!("`{text}` is no number")))
}

fn refuse(problem: String) -> UnitError {
    UnitError::new(problem, ALLOWED, "1ms..5ms")
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

text_form!(
    Latency,
    "how long something takes: a time, a range of times, or a distribution",
    r"^(\d.*|[a-z-]+\(.*\))$",
    ["5ms", "1ms..5ms", "exponential(5ms)"]
);

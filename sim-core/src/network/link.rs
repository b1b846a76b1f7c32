//! What a link does to messages: delays, loses, doubles, reorders and corrupts them, and queues them for its
//! bandwidth.
//!
//! A message crosses a link in this order; what comes later never changes what came before:
//!
//! | step | may end in |
//! | --- | --- |
//! | size limit | [`DropReason::TooBig`] |
//! | waits until the link has sent what is before it | [`DropReason::BufferFull`] |
//! | travels: a drawn latency, times the factor of a fault, plus what a reordering adds | |
//! | is lost | [`DropReason::Loss`], [`DropReason::Burst`] |
//! | is found corrupt by the checksum at the other end | [`DropReason::Corrupt`] |
//!
//! A lost message has used its share of the bandwidth, and its place in the order of a connection: so
//! loss never shifts when other messages arrive.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};

use serde::{Deserialize, Serialize};

use super::DropReason;
use super::draw::{Draws, Keys};
use crate::id::Endpoint;
use crate::random::{Distribution, Probability};
use crate::time::{SimTime, Span};

/// What one direction of a link does to the messages on it. Probabilities are per message.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkModel {
    /// How long a message travels.
    pub latency: Distribution,
    /// Which messages are lost.
    pub loss: Loss,
    /// How likely a message arrives twice. The copy draws its own latency, and is lost where the message is.
    /// On a path of several links the model between its two ends decides.
    pub duplicate: Probability,
    /// Which messages others may overtake, beyond what a varying latency does. `None` adds nothing.
    pub reorder: Option<Reorder>,
    /// How likely a message is corrupted. A checksum finds out, so it is dropped.
    pub corrupt: Probability,
    /// How much fits through. `None` is without limit.
    pub bandwidth: Option<Bandwidth>,
    /// The longest message in bytes; longer ones are dropped. `None` is without limit.
    pub size_max: Option<u64>,
    /// Whether messages keep their order and die with the ends.
    pub transport: Transport,
}

/// Which messages a link loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// None.
    None,
    /// Each on its own.
    Independent(Probability),
    /// In bursts (Gilbert, 1960; Elliott, 1963): a link is good or bad, and may change before each message. A
    /// good one loses nothing.
    Bursty {
        /// How likely a good link turns bad.
        enter: Probability,
        /// How likely a bad link turns good.
        leave: Probability,
        /// How likely a bad link loses a message.
        loss: Probability,
    },
}

/// Holds some messages back so that later ones overtake them. On a connection later ones wait as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reorder {
    /// How likely a message is held back.
    pub probability: Probability,
    /// For how long.
    pub extra: Span,
}

/// How fast a link sends, and how much may wait for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// Bytes a second.
    pub bytes_per_second: NonZeroU64,
    /// How many bytes may wait, the message being sent included. A message that finds others waiting and does
    /// not fit is dropped; an idle link takes any.
    pub buffer: u64,
}

/// What a link promises about the messages that arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// Nothing, like UDP.
    #[default]
    Datagram,
    /// They arrive in the order they were sent, and those in flight are lost when either end restarts, like
    /// TCP. The second half is the world's to keep. What is lost is not sent again: that is the protocol's
    /// business.
    Connection,
}

/// A positive ratio that latencies are multiplied by; results are rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyFactor {
    /// Upper half; 0 makes every latency zero.
    pub numerator: u32,
    /// Lower half.
    pub denominator: NonZeroU32,
}

impl LinkModel {
    /// A perfect link: this latency and nothing else.
    pub const fn new(latency: Distribution) -> Self {
        Self {
            latency,
            loss: Loss::None,
            duplicate: Probability::ZERO,
            reorder: None,
            corrupt: Probability::ZERO,
            bandwidth: None,
            size_max: None,
            transport: Transport::Datagram,
        }
    }

    /// Whether a message only travels: nothing else can happen to it.
    pub(super) fn is_plain(&self) -> bool {
        self.loss == Loss::None
            && self.duplicate.is_zero()
            && self.reorder.is_none()
            && self.corrupt.is_zero()
            && self.bandwidth.is_none()
            && self.size_max.is_none()
            && self.transport == Transport::Datagram
    }
}

impl LatencyFactor {
    fn of(self, span: Span) -> Span {
        let scaled =
            u128::from(span.as_nanos()) * u128::from(self.numerator) / u128::from(self.denominator.get());
        Span::nanos(u64::try_from(scaled).unwrap_or(u64::MAX))
    }
}

impl Bandwidth {
    /// How long the link is busy with `size` bytes, rounded up.
    fn time_to_send(self, size: u64) -> Span {
        let nanos = (u128::from(size) * 1_000_000_000).div_ceil(u128::from(self.bytes_per_second.get()));
        Span::nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// How many bytes a link sends in `span`, rounded up.
    fn bytes_in(self, span: Span) -> u128 {
        (u128::from(span.as_nanos()) * u128::from(self.bytes_per_second.get())).div_ceil(1_000_000_000)
    }
}

/// What faults put in the place of parts of a link model; `None` leaves the part as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Overlay {
    pub(super) loss: Option<Probability>,
    pub(super) duplicate: Option<Probability>,
    pub(super) reorder: Option<Reorder>,
    pub(super) latency_factor: Option<LatencyFactor>,
}

impl Overlay {
    /// This overlay where it says something, else `other`.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            loss: self.loss.or(other.loss),
            duplicate: self.duplicate.or(other.duplicate),
            reorder: self.reorder.or(other.reorder),
            latency_factor: self.latency_factor.or(other.latency_factor),
        }
    }
}

/// What is true of a link right now: its model, its place and the faults on it.
#[derive(Clone, Copy)]
pub(super) struct Conditions<'a> {
    pub(super) model: &'a LinkModel,
    /// Between regions: what takes the place of the model's minimum latency.
    pub(super) base: Option<Span>,
    pub(super) overlay: Overlay,
}

impl Conditions<'_> {
    /// The shortest latency without faults: what routes are measured by.
    pub(super) fn length(&self) -> Span {
        self.base.unwrap_or_else(|| self.model.latency.minimum())
    }

    /// How long a message travels whose draw is `draw`.
    pub(super) fn latency(&self, draw: impl FnOnce() -> u64) -> Span {
        let drawn = self.model.latency.sample_with(draw);
        let span = match self.base {
            Some(base) => base + drawn.saturating_sub(self.model.latency.minimum()),
            None => drawn,
        };
        self.overlay.latency_factor.map_or(span, |factor| factor.of(span))
    }

    /// What a reordering adds to the travel.
    pub(super) fn setback(&self, draws: Draws, keys: &Keys) -> Span {
        match self.overlay.reorder.or(self.model.reorder) {
            Some(reorder) if reorder.probability.hits(draws.of(keys.reorder)) => reorder.extra,
            Some(_) | None => Span::ZERO,
        }
    }

    pub(super) fn is_doubled(&self, draws: Draws, keys: &Keys) -> bool {
        let probability = self.overlay.duplicate.unwrap_or(self.model.duplicate);
        !probability.is_zero() && probability.hits(draws.of(keys.duplicate))
    }

    /// The loss in force: that of a fault is independent.
    fn loss(&self) -> Loss {
        self.overlay.loss.map_or(self.model.loss, Loss::Independent)
    }
}

/// The state of the links that have one: those with bursty loss, bandwidth or connections, once they were
/// used. Memory is linear in these.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkStates(BTreeMap<(Endpoint, Endpoint), LinkState>);

#[derive(Clone, Copy, Debug, Default)]
struct LinkState {
    is_bad: bool,
    busy_until: SimTime,
    /// Of a connection: when the last message arrives.
    last_arrival: Option<SimTime>,
}

impl LinkStates {
    /// When a message that reaches the link at `now` has left it.
    pub(super) fn depart(
        &mut self,
        link: (Endpoint, Endpoint),
        model: &LinkModel,
        now: SimTime,
        size: u64,
    ) -> Result<SimTime, DropReason> {
        if model.size_max.is_some_and(|size_max| size > size_max) {
            return Err(DropReason::TooBig);
        }
        let Some(bandwidth) = model.bandwidth else { return Ok(now) };
        let state = self.0.entry(link).or_default();
        let waiting = bandwidth.bytes_in(state.busy_until.since(now));
        if waiting > 0 && waiting + u128::from(size) > u128::from(bandwidth.buffer) {
            return Err(DropReason::BufferFull);
        }
        state.busy_until = state.busy_until.max(now) + bandwidth.time_to_send(size);
        Ok(state.busy_until)
    }

    /// What ends a message on this link, if anything does. Moves a bursty link on by one message.
    pub(super) fn mishap(
        &mut self,
        link: (Endpoint, Endpoint),
        conditions: Conditions<'_>,
        draws: Draws,
        keys: &Keys,
    ) -> Option<DropReason> {
        let lost = match conditions.loss() {
            Loss::None => None,
            Loss::Independent(loss) => loss.hits(draws.of(keys.loss)).then_some(DropReason::Loss),
            Loss::Bursty { enter, leave, loss } => {
                let state = self.0.entry(link).or_default();
                state.is_bad ^= if state.is_bad { leave } else { enter }.hits(draws.of(keys.burst));
                (state.is_bad && loss.hits(draws.of(keys.loss))).then_some(DropReason::Burst)
            }
        };
        let corrupt = conditions.model.corrupt;
        let is_corrupt = !corrupt.is_zero() && corrupt.hits(draws.of(keys.corrupt));
        lost.or_else(|| is_corrupt.then_some(DropReason::Corrupt))
    }

    /// The time `at`, or on a connection just after the message before, if that is later. No two arrive at the same
    /// instant, so that no rule for ties swaps them.
    pub(super) fn in_order(
        &mut self,
        link: (Endpoint, Endpoint),
        transport: Transport,
        at: SimTime,
    ) -> SimTime {
        match transport {
            Transport::Datagram => at,
            Transport::Connection => {
                let state = self.0.entry(link).or_default();
                let earliest = state.last_arrival.map_or(SimTime::ZERO, |last| last + Span::nanos(1));
                let arrival = at.max(earliest);
                state.last_arrival = Some(arrival);
                arrival
            }
        }
    }
}

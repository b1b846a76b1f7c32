//! Other plans from one that was worth keeping.
//!
//! A change is small, so that what made the plan worth keeping is mostly still there: as draws are keyed, a run with it is
//! the same up to the first fault that differs. Faults are changed as wholes (what begins one and what ends it), and pass the
//! same limits as drawn ones: a bred plan is as survivable as any other.

use super::{Drawn, Generator};
use crate::SimTime;
use crate::Span;
use crate::fault::FaultKind;
use crate::random::Stream;

/// At most so many changes at once.
const CHANGES_MAX: u64 = 4;
/// A fault is moved, and one is put near another, by up to one of these.
const DISTANCES: [Span; 4] = [Span::millis(1), Span::millis(10), Span::millis(100), Span::secs(1)];
/// A fault that is put in has this ordinal or a later one: none that the seed draws.
const FIRST_ORDINAL: u64 = 1 << 16;

impl Generator {
    /// `faults` with 1 to 4 small changes: one fewer, one more (near another or anywhere), one at another time or drawn anew,
    /// or from a moment on those of `mate`.
    pub fn breed(&self, faults: &[Drawn], mate: &[Drawn], stream: &mut Stream) -> Vec<Drawn> {
        let mut bred = faults.to_vec();
        for _ in 0..=stream.below(CHANGES_MAX) {
            self.change(&mut bred, mate, stream);
        }
        for (place, drawn) in (0..).zip(&mut bred) {
            drawn.fault.rename_partitions(place);
        }
        bred.retain(|drawn| !self.off.iter().any(|off| off == drawn.kind));
        bred.sort_by_key(|drawn| (drawn.start, drawn.kind));
        self.admit(bred)
    }

    fn change(&self, faults: &mut Vec<Drawn>, mate: &[Drawn], stream: &mut Stream) {
        let place =
            usize::try_from(stream.below(faults.len().max(1) as u64)).expect("it is the index of one");
        let kind = stream.below(6);
        match faults.get_mut(place) {
            Some(_) if kind == 0 => drop(faults.remove(place)),
            Some(drawn) if kind == 1 => drawn.start = self.near(drawn.start, drawn.fault.duration, stream),
            Some(drawn) if kind == 2 => {
                let (name, start) = (drawn.kind, drawn.start);
                let known = self.kinds.iter().find(|(kind, _)| kind.about().name == name);
                faults[place] = known
                    .and_then(|(kind, _)| self.one(*kind, start, stream))
                    .unwrap_or_else(|| drawn.clone());
            }
            Some(drawn) if kind == 3 => {
                let start = self.near(drawn.start, self.duration.0, stream);
                let kind = self.kind_for(drawn.kind, stream);
                faults.extend(kind.and_then(|kind| self.one(kind, start, stream)));
            }
            Some(_) if kind == 4 => {
                let at = self.anywhere(stream);
                faults.retain(|drawn| drawn.start < at);
                faults.extend(mate.iter().filter(|drawn| drawn.start >= at).cloned());
            }
            known => {
                let start = self.anywhere(stream);
                let kind = self.kind_for(known.map_or("", |drawn| drawn.kind), stream);
                faults.extend(kind.and_then(|kind| self.one(kind, start, stream)));
            }
        }
    }

    /// Mostly the kind of this name, so that a plan without some kinds stays one; else any of them.
    fn kind_for(&self, name: &str, stream: &mut Stream) -> Option<&'static dyn FaultKind> {
        let known = self.kinds.iter().find(|(kind, _)| kind.about().name == name);
        let all: Vec<_> = self.kinds.iter().filter(|(_, rate)| rate.mean().is_some()).collect();
        let (kind, _) = known.filter(|_| stream.below(4) > 0).or_else(|| stream.pick(&all).copied())?;
        Some(*kind)
    }

    fn one(&self, kind: &dyn FaultKind, start: SimTime, stream: &mut Stream) -> Option<Drawn> {
        let ordinal = u32::try_from(FIRST_ORDINAL + stream.below(FIRST_ORDINAL)).expect("it fits 17 bits");
        let fault = kind.generate(stream, &self.context(start, ordinal))?;
        Some(Drawn { kind: kind.about().name, start, fault })
    }

    /// Some time before or after, so that a fault of this length still ends in time.
    fn near(&self, time: SimTime, length: Span, stream: &mut Stream) -> SimTime {
        let most = *stream.pick(&DISTANCES).expect("there are some");
        let distance = stream.span(Span::nanos(1), most);
        let (first, last) = (self.start + Span::nanos(1), self.latest(length));
        let moved = if stream.below(2) == 0 {
            time + distance
        } else {
            SimTime::from_nanos(time.as_nanos().saturating_sub(distance.as_nanos()))
        };
        moved.min(last).max(first)
    }

    fn anywhere(&self, stream: &mut Stream) -> SimTime {
        let last = self.latest(self.duration.0).since(self.start);
        self.start + stream.span(Span::nanos(1), last.max(Span::nanos(1)))
    }

    /// When a fault of this length begins at the latest.
    fn latest(&self, length: Span) -> SimTime {
        let end = (self.end - self.settle).as_nanos();
        SimTime::from_nanos(end.saturating_sub(length.as_nanos())).max(self.start + Span::nanos(1))
    }
}

//! Other plans from one that was worth keeping.
//!
//! A change is small, so that what made the plan worth keeping is mostly still there: as draws are keyed, a run with it is
//! the same up to the first fault that differs. Faults are changed as wholes (what begins one and what ends it), and pass the
//! same limits as drawn ones: a bred plan is as survivable as any other.

use super::{Drawn, Generator};
use crate::fault::FaultKind;
use crate::random::Stream;
use crate::{SimTime, Span};

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
        if faults.is_empty() {
            faults.extend(self.another("", self.anywhere(stream), stream));
            return;
        }
        let place = usize::try_from(stream.below(faults.len() as u64)).expect("it is an index");
        let Drawn { kind, start, ref fault } = faults[place];
        match stream.below(6) {
            0 => drop(faults.remove(place)),
            1 => faults[place].start = self.near(start, fault.duration, stream),
            2 => {
                let known = self.kinds.iter().find(|(known, _)| known.about().name == kind);
                if let Some(anew) = known.and_then(|(known, _)| self.one(*known, start, stream)) {
                    faults[place] = anew;
                }
            }
            3 => faults.extend(self.another(kind, self.near(start, self.duration.0, stream), stream)),
            4 => faults.extend(self.another(kind, self.anywhere(stream), stream)),
            _ => {
                let at = self.anywhere(stream);
                faults.retain(|drawn| drawn.start < at);
                faults.extend(mate.iter().filter(|drawn| drawn.start >= at).cloned());
            }
        }
    }

    /// One more fault: mostly of this kind, so that a plan without some kinds stays one; else of any.
    fn another(&self, kind: &str, start: SimTime, stream: &mut Stream) -> Option<Drawn> {
        let known = self.kinds.iter().find(|(known, _)| known.about().name == kind);
        let all: Vec<_> = self.kinds.iter().filter(|(_, rate)| rate.mean().is_some()).collect();
        let (kind, _) = known.filter(|_| stream.below(4) > 0).or_else(|| stream.pick(&all).copied())?;
        self.one(*kind, start, stream)
    }

    /// A fault of this kind; `None` where it makes no sense, or where no time is left for it.
    fn one(&self, kind: &dyn FaultKind, start: SimTime, stream: &mut Stream) -> Option<Drawn> {
        if start > self.latest(self.duration.0) {
            return None;
        }
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

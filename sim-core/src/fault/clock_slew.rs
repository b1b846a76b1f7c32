//! A wall clock that is off and is led back bit by bit.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::clock::{ClockFault, SLEW_LIMIT_PPM};
use crate::random::Stream;

/// A wall clock that is off and is led back bit by bit, as NTP does.
pub(super) struct ClockSlew;

impl FaultKind for ClockSlew {
    fn about(&self) -> About {
        About {
            name: "clock-slew",
            help: "A node's wall clock is set off by 10 us to 10 ms, and slewed towards true time as by NTP.",
            severity: Severity::Benign,
            rate: Rate::NEVER,
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let longest = *stream.pick(&[Span::micros(100), Span::millis(1), Span::millis(10)])?;
        let off = i64::try_from(stream.span(Span::micros(10), longest).as_nanos()).ok()?;
        let off = *stream.pick(&[off, -off])?;
        let ppm = *stream.pick(&[SLEW_LIMIT_PPM / 10, SLEW_LIMIT_PPM])?;
        let clock = |fault| Command::Clock { node, fault };
        let begin = vec![clock(ClockFault::Offset(off)), clock(ClockFault::Slew(ppm))];
        let end = vec![clock(ClockFault::Heal)];
        Some(Fault { begin, end, ..Fault::new(Part::Clock, vec![node], duration) })
    }
}

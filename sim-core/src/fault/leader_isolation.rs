//! Leaders that are cut off for a while and believe that they lead.

use super::command::Command;
use super::condition::StatusEvent;
use super::kind::{About, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use super::short_lived_leaders::few;
use crate::Span;
use crate::random::Stream;

/// Leaders that are cut off for a while and believe that they lead. Clients still reach them. Some are cut off when another
/// node begins to campaign, and do not hear of that.
pub(super) struct LeaderIsolation;

impl FaultKind for LeaderIsolation {
    fn about(&self) -> About {
        About {
            name: "leader-isolation",
            help: "The leader and the next 1 to 4 are cut off from most nodes for up to 1 s, or one while others campaign.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        context.has_peers().then_some(())?;
        let duration = context.draw_duration(stream);
        let name = context.partition_name(3);
        let leaders = 1 + u32::try_from(stream.below(4)).expect("below 4");
        let mut aimed = vec![Aimed::at(Span::ZERO, Command::Partition { name, shape: few(stream) })];
        let (event, cut_within) = match stream.below(3) {
            0 => (StatusEvent::BecomesCandidate, Span::millis(10)),
            _ => (StatusEvent::BecomesLeader, Span::millis(500)),
        };
        for nth in 1..=leaders {
            let cut_at = context.draw_delay(stream, cut_within);
            let mend_at = cut_at + stream.span(Span::millis(20), Span::secs(1));
            let cut = Command::Partition { name, shape: few(stream) };
            aimed.push(Aimed::after(event, nth, cut_at, cut));
            let mend = Command::HealPartition(name);
            aimed.push(Aimed::after(event, nth, mend_at, mend));
        }
        aimed.push(Aimed::at(duration, Command::HealPartition(name)));
        Some(Fault::aimed(Part::Network, duration, aimed, 0))
    }
}

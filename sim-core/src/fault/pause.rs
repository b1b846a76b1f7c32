//! A process gets no processor for a while: a long collection, a frozen virtual machine.

use super::command::Command;
use super::kind::{About, Fault, FaultKind, GeneratorContext, Part, Rate, Severity};
use crate::Span;
use crate::random::Stream;

/// A process gets no processor for a while: a long collection, a frozen virtual machine.
pub(super) struct Pause;

impl FaultKind for Pause {
    fn about(&self) -> About {
        About {
            name: "pause",
            help: "A process is not scheduled for a while; its clocks and inbox go on.",
            severity: Severity::Benign,
            rate: Rate::new(1, Span::secs(5)),
        }
    }

    fn generate(&self, stream: &mut Stream, context: &GeneratorContext) -> Option<Fault> {
        let node = context.draw_node(stream)?;
        let duration = context.draw_duration(stream);
        let (begin, end) = (Command::Pause(node), Command::Resume(node));
        Some(Fault::between(Part::Host, vec![node], duration, begin, end))
    }
}

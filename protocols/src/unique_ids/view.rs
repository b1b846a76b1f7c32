//! The state of a node for people.

use sim_core::view::ViewBuilder;

use super::UniqueIds;
use super::generator::Generator;

impl UniqueIds {
    /// Where it is, and how far it may go.
    pub(super) fn show(&self, view: &mut ViewBuilder) {
        match self.generator {
            Generator::Counter { next } => _ = view.number("next number", next),
            Generator::Snowflake { next: (millisecond, used) } => {
                view.number("last millisecond", millisecond);
                view.number("ids of it", used);
            }
            Generator::Hybrid(clock) => _ = view.text("hybrid clock", clock.last()),
        }
        view.number("bound on disk", self.bound);
        view.number("bound on its way to disk", self.wanted);
        view.number("requests that wait", self.waiting.len() as u64);
    }
}

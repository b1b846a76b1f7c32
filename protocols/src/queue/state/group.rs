//! The messages of a group, in order.

use serde::Serialize;
use sim_core::persist::AppendLog;

use super::super::command::MessageId;

/// The messages of a group, in the order in which they came in. Those that are gone stay until they are first: finding
/// them would cost more.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Line(AppendLog<MessageId>);

impl Line {
    /// A message comes last.
    pub(super) fn join(&mut self, message: MessageId) {
        self.0.push(message);
    }

    /// The first message; [`Line::skip`] has seen to it that it is there.
    pub(super) fn first(&self) -> Option<MessageId> {
        self.0.get(self.0.first_index()).copied()
    }

    /// Leaves out the first ones as long as they are gone, and gives the first that is not.
    pub(super) fn skip(&mut self, is_gone: impl Fn(MessageId) -> bool) -> Option<MessageId> {
        while let Some(first) = self.first() {
            if !is_gone(first) {
                return Some(first);
            }
            self.0.truncate_front(self.0.first_index() + 1);
        }
        None
    }
}

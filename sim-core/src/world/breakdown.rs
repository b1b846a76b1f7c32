//! What becomes of a world in which something panicked: it does nothing more, and says whose fault that was.
//!
//! | what panicked | what the world says |
//! | --- | --- |
//! | a process, in `boot`, in a handler or in `status` | a violation of `panic`, with its node and event |
//! | the engine, because more is pending, or more has happened, than its numbers can tell apart | [`Breakdown::Limit`] |
//! | an invariant, or the engine by a bug of its own | [`Breakdown::Bug`] |
//!
//! Unwinding through a process leaves a mark; a process that returns leaves none, so that telling them apart costs
//! nothing. The engine's own code that a [`Context`](crate::Context) calls counts as the process, because what such a
//! call refuses (a point that does not exist, a region of another kind) the process has asked for.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Stop, World};
use crate::check::Violation;
use crate::process::Process;
use crate::queue::SEQUENCE_BITS;

/// The property that a panic of a process violates.
const PANIC: &str = "panic";

/// Why a world does nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Breakdown {
    /// A process panicked: the last violation says which, when, and what it said.
    Panic,
    /// More is pending, or has happened, than the engine takes; the text says what. Nothing is said of the protocol.
    Limit(String),
    /// An invariant or the engine panicked, with this text. It is wrong, and nothing is said of the protocol.
    Bug(String),
}

impl<P: Process> World<P> {
    /// Why the world does nothing more, if something has panicked.
    pub fn breakdown(&self) -> Option<&Breakdown> {
        self.breakdown.as_ref()
    }

    /// Whether something has panicked: the world does nothing more.
    pub fn is_broken(&self) -> bool {
        self.breakdown.is_some()
    }

    /// What a run answers that cannot go on; `None` while it can.
    pub(crate) fn broken_stop(&self) -> Option<Stop> {
        self.breakdown.as_ref().map(|breakdown| match breakdown {
            Breakdown::Panic => Stop::Violation,
            Breakdown::Limit(_) | Breakdown::Bug(_) => Stop::Broken,
        })
    }

    /// At most so many events may be pending from now on; there are never more than 16,777,215, which is the default.
    ///
    /// # Panics
    /// If `limit` is larger than that.
    pub fn limit_pending(&mut self, limit: u32) {
        self.core.slab.limit(limit);
    }

    /// Does `work`. Where it panics the world is broken, and this gives `None`.
    pub(crate) fn guard<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let done = catch_unwind(AssertUnwindSafe(|| work(self)));
        done.map_err(|payload| self.break_down(panic_text(payload.as_ref()))).ok()
    }

    /// Something has panicked in the event under way.
    fn break_down(&mut self, text: String) {
        let is_out_of_numbers = self.core.sequence >> SEQUENCE_BITS != 0;
        self.breakdown = Some(if self.core.slab.is_overfull() || is_out_of_numbers {
            Breakdown::Limit(text)
        } else if self.core.is_process_to_blame {
            self.blame_process(text);
            Breakdown::Panic
        } else {
            Breakdown::Bug(text)
        });
    }

    fn blame_process(&mut self, evidence: String) {
        let (at, event, node) = (self.core.now, self.core.events, self.core.place.node());
        self.violations.push(Violation { property: PANIC.to_owned(), at, event, node, evidence });
    }
}

/// Lets a process do its `work` without a context. If that panics, `mark` is set.
#[inline(always)]
pub(super) fn blame_process<T>(mark: &mut bool, work: impl FnOnce() -> T) -> T {
    let blame = Blame(mark);
    let done = work();
    std::mem::forget(blame);
    done
}

/// Sets its mark when it is dropped, which only unwinding does.
struct Blame<'a>(&'a mut bool);

impl Drop for Blame<'_> {
    fn drop(&mut self) {
        *self.0 = true;
    }
}

/// What a panic said.
fn panic_text(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without a text").to_owned()
}

//! Faults as data: the one way anything outside changes a running world.
//!
//! | part | is |
//! | --- | --- |
//! | [`Command`] | one act on a running world: a crash, a cut, an operation issued by hand |
//! | [`Target`] | whom a command names: `n3`, `leader`, `majority-without-leader` |
//! | [`Trigger`] | when it happens: at an instant, or `3ms after the second become-leader` |
//! | [`Plan`] | all commands and client scripts of a run, to be saved, edited, replayed and shrunk |
//!
//! Scenarios, generators and people write the same commands, so whatever was done by hand is a plan as well.

pub mod command;
pub mod condition;
mod describe;
mod expand;
mod network;
pub mod plan;
pub mod target;
mod text;

pub use command::{Command, LinkFault, MessageAct, Place, Shape};
pub use condition::{Moment, StatusEvent, Trigger};
pub use plan::{Entry, Plan, PlanError, Script, Step, Wait, Was};
pub use target::{Target, TargetError};

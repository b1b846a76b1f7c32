//! Faults as data: the one way anything outside changes a running world.
//!
//! | part | is |
//! | --- | --- |
//! | [`Command`] | one act on a running world: a crash, a cut, an operation issued by hand |
//! | [`Target`] | whom a command names: `n3`, `leader`, `majority-without-leader`, `rack(r1)` |
//! | [`Trigger`] | when it happens: at an instant, or `3ms after the second become-leader` |
//! | [`Plan`] | all commands and client scripts of a run, to be saved, edited, replayed and shrunk |
//! | [`FaultKind`] | a kind of fault that random plans are made of: one file each, listed in the [`table`] |
//! | [`Generator`] | random plans: rates, swarm, and limits that keep them survivable and readable |
//!
//! Scenarios, generators and people write the same commands, so whatever was done by hand is a plan as well.
//!
//! A new kind of fault is a file here, its `mod` line, and one line in the [`table`].

pub mod command;
pub mod condition;
pub mod generator;
pub mod kind;
pub mod plan;
pub mod point;
pub mod table;
pub mod target;
pub mod tell;

mod describe;
mod expand;
mod network;
mod text;

mod candidate_crash;
mod clock_drift;
mod clock_freeze;
mod clock_slew;
mod clock_step;
mod clock_strobe;
mod crash;
mod crash_after_effect;
mod crash_loop;
mod cut;
mod disk_corrupt;
mod disk_full;
mod disk_lie;
mod disk_misdirect;
mod disk_rollback;
mod disk_rot;
mod disk_slow;
mod disk_stall;
mod disk_torn;
mod domain_failure;
mod duplicate;
mod flapping_link;
mod hold;
mod last_words;
mod late_duplicates;
mod late_messages;
mod latency;
mod leader_clock;
mod leader_isolation;
mod leader_latency;
mod leader_pauses;
mod leadership_transfer;
mod loss_burst;
mod membership_change;
mod partition;
mod pause;
mod point_crashes;
mod power_failure;
mod reorder;
mod short_lived_leaders;
mod slow;
mod snapshot;
mod timeouts;
mod vote_crashes;
mod wipe;

pub use command::{Command, LinkFault, MessageAct, Place, Shape};
pub use condition::{Moment, StatusEvent, Trigger};
pub use generator::{Drawn, Generator, Selection};
pub use kind::{About, Aim, Aimed, Fault, FaultKind, GeneratorContext, Part, Rate, Severity, Sites};
pub use plan::{Entry, Plan, PlanError, Script, Step, Wait, Was};
pub use point::{PointName, PointNameError, TimerName};
pub use table::KINDS;
pub use target::{Domain, Target, TargetError};
pub use tell::Teller;

//! Protocol modules that run on the Splitbrain engine.
//!
//! One folder a protocol. It holds everything that is particular to the protocol, and nothing else in the workspace
//! names it but the protocol table of the scenarios:
//!
//! | file | holds |
//! | --- | --- |
//! | `mod.rs` | the lecture: what the protocol guarantees, the way of a request, the paper's words and ours, what is left out, sources; and the process |
//! | `config` | parameters, with defaults and what is refused |
//! | `message` | what processes send each other |
//! | `facts` | what a process states about itself |
//! | `invariants` | the properties that must always hold, over facts |
//! | `view` | the state for people |
//! | `mutants` | wrong variants of it, to prove that the checkers bite: see [`mutant`] |
//!
//! What replicated state machines have in common is in [`replicated`]; what waits for one region of the disk in
//! [`group_commit`]; what equals draw in [`draw`]; how long leases last by clocks that drift in [`lease`];
//! logical, vector and hybrid clocks in [`clocks`]; when silence is a failure in [`detector`]; what can be left out in [`switch`];
//! which of several servers to talk to in [`contact`].
//!
//! To add one, copy [`echo`], which is as small as a protocol can be and has all of the parts. [`raft`] shows what
//! they grow into.

#![warn(clippy::wildcard_enum_match_arm, clippy::cast_possible_truncation, clippy::iter_over_hash_type)]

pub mod chain;
pub mod clocks;
pub mod contact;
pub mod crdt;
pub mod detector;
pub mod draw;
pub mod echo;
pub mod epidemic;
pub mod gossip;
pub mod group_commit;
pub mod lease;
pub mod lock;
pub mod log;
pub mod mutant;
pub mod paxos;
pub mod plumtree;
mod promised;
pub mod queue;
pub mod raft;
pub mod replicated;
pub mod snapshots;
pub mod swim;
pub mod switch;
pub mod synod;
pub mod two_phase_commit;
pub mod unique_ids;
pub mod vrr;

#[cfg(test)]
mod testing;

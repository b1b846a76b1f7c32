//! Conversation scripts: golden tests of one situation each, as text that a student can read.
//!
//! A script is a file in the folder `conversations` of its protocol. Its name is a claim
//! (`stale_leader_steps_down_on_higher_term.txt`), its comments tell the story, its commands act on a world in which
//! nothing happens by itself, and below each command stands what came of it:
//!
//! ```text
//! # A follower that hears of no leader campaigns, and asks for votes once its own is on disk.
//! > cluster nodes=3
//!
//! > fire n1 election
//!   n1: its election timer fires
//!     enters t1
//!     campaigns in t1
//!     syncs hard-state
//! > durable n1
//!   n1: hard-state is on disk
//!     votes for n1 in t1
//!     sends n2 RequestVote term=1 last=(0,t0)
//!     sends n3 RequestVote term=1 last=(0,t0)
//! ```
//!
//! # The form
//!
//! - A line that begins with `#` is a comment, and the first line must be one. Comments and blank lines stay as they are.
//! - A line that begins with `> ` is a command. The first is `cluster`.
//! - The lines after it, up to a blank line, a comment or the next command, are its output. It is compared exactly.
//!
//! A file registers itself by being there. To write one, write comments and commands and run the test of the protocol
//! with `SPLITBRAIN_REWRITE=1`: it fills in the outputs. Then read them: they are now the test. `SPLITBRAIN_ONLY=words`
//! runs the files whose names contain that.
//!
//! # The world
//!
//! Nodes are up, their disks empty, from the first command on. Messages, syncs and timers wait until a command makes
//! them happen, in any order. Time stands still but for `fire`, which moves it to when the timer was due, and
//! `advance`. All invariants of the protocol are on, and their brute-force twins are asked after each command. One
//! that is violated fails the script, whatever its expected output, unless `expect-violation` came before. A command
//! that makes no sense (nothing to deliver, an unknown word) fails it, too.
//!
//! # Commands
//!
//! Nodes are `n1`, `n2`…, clients `c1` to `c4`. Where NODES stands, `n1,n3` and `*` (all) are allowed.
//!
//! | command | does |
//! | --- | --- |
//! | `cluster nodes=N [spares=NODES] [seed=N] [KEY=VALUE…]` | sets up; the other keys are the protocol's parameters |
//! | `fire NODE TIMER` | lets an armed timer fire |
//! | `deliver NODES NODES [WHICH]` | lets messages from the first to the second arrive: see below |
//! | `drop NODES NODES [WHICH]`, `duplicate NODES NODES [WHICH]` | loses them; puts a copy of each behind all in flight |
//! | `durable NODES [all]` | completes the next sync of each, or all until none is left |
//! | `settle [NODES] [quiet]` | delivers messages (among these nodes) and completes syncs, the oldest first, until none is left; `quiet` prints the facts only |
//! | `request CLIENT NODE OPERATION` | a client asks: `write k1 7`, `read k1`, `cas k1 7 8`, `delete k1`, `echo 7`, `broadcast send 7`, `broadcast read`, `counter add -2`, `counter read`, `set add 7`, `set read`, `members`, `unique-id`, `acquire`, `release 7`, `move a0 a1 30`, `balances`, `queue enqueue 7`, `queue dequeue`, `queue acknowledge 3`, `queue return 3`, `queue redrive`, `log append p0 7`, `log poll p0 3`, `log commit p0 3`, `log committed p0`, `log results p0 3`, or administration as it is printed: `add-node n4`, `replace-node n1 by n4`, `transfer-leadership n2`, `snapshot` |
//! | `retry CLIENT[#K] NODE` | the client asks the same again: its last operation, or its K-th from 0 |
//! | `crash NODES`, `restart NODES`, `wipe NODES` | un-synced writes are lost in a crash |
//! | `crash-after NODE N` | the next handler with effects is cut after N of them, and the node crashes there |
//! | `lose-unsynced NODES` | a crash and a restart |
//! | `cut NODES NODES`, `mend NODES NODES`, `heal` | cuts the links both ways, mends these, mends all |
//! | `clock NODE drift=PPM` or `step=SPAN`, `back=SPAN`, `freeze`, `thaw` | changes a clock |
//! | `disk NODE stall`, `unstall`, `full`, `room`, `rot REGION` | changes a disk; without a word, shows it |
//! | `advance SPAN` | time passes, and nothing happens |
//! | `state [NODES]`, `log [NODES]`, `view NODE [PART]` | shows a line a node, its log, all of it |
//! | `in-flight [NODES [NODES]]`, `timers [NODES]`, `replies` | shows messages, armed timers, what clients were answered |
//! | `quietly COMMAND` | does it and prints nothing, for what leads up to the situation |
//! | `facts on`, `facts off` | whether what nodes state is part of the output |
//! | `expect-violation PROPERTY…` | from here on these may be violated, and one of them must be before the end; `panic` is one |
//!
//! WHICH is nothing (the oldest message), `all`, `last`, `#2` (the second oldest), or the beginning of its text,
//! alone (the oldest of these) or before one of the others: `deliver n1 n2 AppendEntries last`.

mod arguments;
mod commands;
mod run;
mod script;
mod show;
mod stage;

use sim_core::check::Invariant;
use sim_core::disk::RegionId;
use sim_core::{NodeId, Process};

pub(crate) use arguments::Arguments;
pub(crate) use run::run_all;

/// What a protocol adds, so that scripts can set it up and read well.
pub(crate) trait Conversation: Process {
    /// Takes the parameters out of the words after `cluster nodes=N`.
    ///
    /// # Errors
    /// What is wrong with them, in words.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Self::Config, String>;

    /// All invariants, fresh.
    fn invariants(config: &Self::Config) -> Vec<Box<dyn Invariant<Self>>>;

    /// A fact in words after "n1": `becomes leader of t1`; `None` for one that is not worth a line.
    fn fact(fact: &Self::Fact) -> Option<String> {
        Some(format!("{fact:?}"))
    }

    /// The state in one line, after the node's name.
    fn summary(&self) -> String {
        let status = self.status();
        let leader = status.leader.map_or_else(|| "nobody".to_owned(), |leader| leader.to_string());
        let (role, epoch, commit, gauge) = (status.role, status.epoch, status.commit, status.gauge);
        format!("{role} epoch={epoch} leader={leader} commit={commit} gauge={gauge}")
    }

    /// What a region of the disk is called.
    fn region(region: RegionId) -> String {
        format!("region {}", region.raw())
    }

    /// What a region is called on this node, where nodes use the same one for different things.
    fn region_on(_config: &Self::Config, _node: NodeId, region: RegionId) -> String {
        Self::region(region)
    }

    /// What a timer with a payload is called.
    fn timer(timer: Self::Timer) -> String {
        format!("{timer:?}").to_lowercase()
    }
}

#[cfg(test)]
mod tests;

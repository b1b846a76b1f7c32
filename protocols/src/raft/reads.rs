//! Linearizable reads without a log entry: `ReadIndex` (§8; dissertation §6.4).
//!
//! A leader answers a read from its state machine, when two things hold:
//! 1. **It was still the leader after the read arrived.** A majority answered a round of heartbeats that was
//!    started after that; so no other leader had been elected before, and none had committed anything newer.
//! 2. **Its state machine has executed the read index**: everything that was committed when the read arrived.
//!    That is its commit index, once it has committed an entry of its own term; before, it may be anything up to
//!    the entry before its no-op. The read index is therefore never before the no-op.
//!
//! One round is under way at a time, and reads that arrive meanwhile share the next one. A round that is lost is
//! followed by the next heartbeat's.

use std::collections::VecDeque;

use serde::Serialize;
use sim_core::service::{Key, Outcome};
use sim_core::{Context, OpId};

use super::config::MEMBERS_MAX;
use super::mutants::Mutant;
use super::role::{Leader, Role};
use super::types::Round;
use super::{Point, Raft};
use crate::replicated::Index;
use crate::replicated::quorum::quorum_value;

/// A client's read.
#[derive(Clone, Copy, Debug, Serialize)]
struct Read {
    op: OpId,
    key: Key,
    /// What must be executed first.
    index: Index,
    /// The round that a majority must have answered.
    round: Round,
}

/// The reads a leader has not answered, in the order of their arrival, which is that of their rounds and indices.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Reads {
    waiting: VecDeque<Read>,
}

impl Reads {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The operations that wait, when nobody will answer them here.
    pub(super) fn into_ops(self) -> impl Iterator<Item = OpId> {
        self.waiting.into_iter().map(|read| read.op)
    }
}

impl Raft {
    /// A client reads, at the leader.
    pub(super) fn on_read(&mut self, context: &mut Context<'_, Self>, op: OpId, key: Key) {
        let commit = self.log.commit();
        let Role::Leader(leader) = &mut self.role else { unreachable!("only a leader reads") };
        let index = commit.max(leader.noop);
        let round = leader.round.next();
        leader.reads.waiting.push_back(Read { op, key, index, round });
        self.serve_reads(context);
    }

    /// Answers the reads for which both conditions hold, and starts the next round if one is wanted and none is
    /// under way.
    #[inline]
    pub(super) fn serve_reads(&mut self, context: &mut Context<'_, Self>) {
        while let Role::Leader(leader) = &mut self.role
            && let Some(last) = leader.reads.waiting.back().copied()
        {
            let confirmed = if self.config.has(Mutant::StaleRead) {
                leader.round.next()
            } else {
                confirmed_round(leader, self.slot, self.config.quorum())
            };
            let applied = self.machine.applied();
            while let Some(read) =
                leader.reads.waiting.pop_front_if(|read| read.round <= confirmed && read.index <= applied)
            {
                context.reply(read.op, Outcome::Value(self.machine.read(read.key)));
            }
            if confirmed < leader.round || last.round <= leader.round {
                return;
            }
            context.sometimes(Point::ReadRound as usize);
            self.start_round(context);
        }
    }
}

/// The latest round that a majority has answered, the leader itself included.
fn confirmed_round(leader: &Leader, own_slot: Option<usize>, quorum: usize) -> Round {
    let mut rounds = [Round(0); MEMBERS_MAX];
    let rounds = &mut rounds[..leader.progress.len()];
    for (slot, (round, progress)) in rounds.iter_mut().zip(&leader.progress).enumerate() {
        *round = if Some(slot) == own_slot { leader.round } else { progress.round };
    }
    quorum_value(rounds, quorum)
}

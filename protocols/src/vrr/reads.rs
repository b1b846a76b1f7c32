//! Clients that wait for an answer, and reads (§6.3).
//!
//! A primary may not answer a read from its state alone: another view may have begun without its knowing, and have
//! committed newer writes. The paper offers two ways. A read may go **through the log** like a write. Or the primary
//! makes sure that its view was the newest after the read arrived; the paper does so by leases, which need clocks
//! that run at bounded rates, and this implementation by a **round of messages** (as Raft does), which needs no clocks:
//!
//! 1. A majority, the primary included, answered a round that began after the read arrived. Had another view been
//!    able to commit anything before, one of them would have left this view for it, and not have answered.
//! 2. The primary has executed everything that was committed when the read arrived: its commit-number then, but at
//!    least the log that its view began with, because of that it does not know what was committed.
//!
//! One round is under way at a time, and reads that arrive meanwhile share the next one. A lost round is followed by
//! the next heartbeat's.

use std::collections::VecDeque;

use serde::Serialize;
use sim_core::service::{Key, Outcome};
use sim_core::{Context, OpId};

use super::mutants::Mutant;
use super::status::{Primary, Status};
use super::types::Round;
use super::{Point, Vrr};
use crate::replicated::quorum::quorum_value;
use crate::replicated::{Index, MEMBERS_MAX};

/// A client whose entry is in the log.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Pending {
    /// The op-number.
    pub(super) index: Index,
    /// Who asked.
    pub(super) op: OpId,
    /// What to answer.
    pub(super) answer: Answer,
}

/// What a client gets when its entry is executed.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) enum Answer {
    /// What came of its command.
    Outcome,
    /// What then stands under a key.
    Value(Key),
    /// That it is done.
    Done,
}

/// A client's read that waits for a round.
#[derive(Clone, Copy, Debug, Serialize)]
struct Read {
    op: OpId,
    key: Key,
    /// What must be executed first.
    index: Index,
    /// The round that a majority must have answered.
    round: Round,
}

/// The reads a primary has not answered, in the order of their arrival, which is that of their rounds and indices.
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

impl Vrr {
    /// A client reads at the primary, which is to confirm its view.
    pub(super) fn confirm_read(&mut self, context: &mut Context<'_, Self>, op: OpId, key: Key) {
        let commit = self.log.commit_number();
        let Status::Primary(primary) = &mut self.status else { unreachable!("only a primary reads") };
        let index = commit.max(primary.inherited);
        let round = primary.round.next();
        primary.reads.waiting.push_back(Read { op, key, index, round });
        self.serve_reads(context);
    }

    /// Answers the reads for which both conditions hold, and starts the next round if one is wanted and none is
    /// under way.
    #[inline]
    pub(super) fn serve_reads(&mut self, context: &mut Context<'_, Self>) {
        while let Status::Primary(primary) = &mut self.status
            && let Some(last) = primary.reads.waiting.back().copied()
        {
            let confirmed = if self.config.has(Mutant::StaleRead) {
                primary.round.next()
            } else {
                confirmed_round(primary, self.slot, self.start.group.quorum())
            };
            let applied = self.machine.applied();
            while let Some(read) =
                primary.reads.waiting.pop_front_if(|read| read.round <= confirmed && read.index <= applied)
            {
                context.reply(read.op, Outcome::Value(self.machine.read(read.key)));
            }
            if confirmed < primary.round || last.round <= primary.round {
                return;
            }
            context.sometimes(Point::ReadRound as usize);
            self.start_round(context);
        }
    }
}

/// The latest round that a majority has answered, the primary itself included.
fn confirmed_round(primary: &Primary, own_slot: Option<usize>, quorum: usize) -> Round {
    let mut rounds = [Round(0); MEMBERS_MAX];
    let rounds = &mut rounds[..primary.progress.len()];
    for (slot, (round, progress)) in rounds.iter_mut().zip(&primary.progress).enumerate() {
        *round = if Some(slot) == own_slot { primary.round } else { progress.round };
    }
    quorum_value(rounds, quorum)
}

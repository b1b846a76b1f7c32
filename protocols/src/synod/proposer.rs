//! The proposer: takes ballots until a value is chosen.
//!
//! ```text
//!          a client asks         promises of a           votes of a
//!                                phase 1 quorum          phase 2 quorum
//!  idle ───────────────> preparing ───────────> accepting ───────────> idle, and all clients are answered
//!                          ▲   │                    │
//!                          │   ╰─ higher ballot, ───╯
//!              Retry timer │      or Ballot timer
//!                          ╰───────── pausing
//! ```

use serde::Serialize;
use sim_core::service::{Outcome, Refusal, Value, kv};
use sim_core::{Context, NodeId, OpId};

use super::durable::Deferred;
use super::facts::Fact;
use super::message::Message;
use super::metrics::{Counter, Latency};
use super::mutants::Mutant;
use super::process::send;
use super::types::{Proposal, Vote};
use super::{Point, REGISTER, Synod, Timer, WAITING};
use crate::replicated::{Ballot, NodeSet, Phase};

/// A proposer and its clients.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Proposer {
    pub(super) stage: Stage,
    /// Clients to answer, in the order of their arrival.
    waiting: Vec<Waiting>,
    /// The highest ballot of anybody that this node has heard of.
    highest: Ballot,
    /// Promises of any of its ballots: kept for a mutant only.
    mixed: Promises,
}

/// How far the present ballot is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) enum Stage {
    /// Nobody asks for anything.
    #[default]
    Idle,
    /// Phase 1 is under way.
    Preparing {
        /// Under this ballot.
        ballot: Ballot,
        /// What has come back.
        promises: Promises,
    },
    /// Phase 2 is under way.
    Accepting {
        /// What is proposed, and under which ballot.
        vote: Vote,
    },
    /// The last ballot was pre-empted or too slow.
    Pausing,
}

/// The promises for a ballot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Promises {
    /// From whom.
    pub(super) from: NodeSet,
    /// The accepted value to adopt, of those they report.
    pub(super) adopted: Option<Vote>,
}

/// A client that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Waiting {
    op: OpId,
    wish: Wish,
    /// The ballot that was taken up first after it asked: only what later promises say tells it that nothing is chosen.
    since: Option<Ballot>,
}

/// What a client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Wish {
    /// That this value be chosen.
    Propose(Value),
    /// To know what is chosen.
    Read,
}

impl Stage {
    pub(super) const fn ballot(&self) -> Option<Ballot> {
        match self {
            Self::Preparing { ballot, .. } => Some(*ballot),
            Self::Accepting { vote } => Some(vote.ballot),
            Self::Idle | Self::Pausing => None,
        }
    }
}

impl Proposer {
    /// How many clients wait.
    pub(super) const fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    /// What its own first client wants to be chosen.
    fn own_proposal(&self) -> Option<Proposal> {
        self.waiting.iter().find_map(|waiting| match waiting.wish {
            Wish::Propose(value) => Some(Proposal { op: waiting.op, value }),
            Wish::Read => None,
        })
    }
}

impl Promises {
    /// Takes note of a promise. The value to adopt is that with the highest ballot (P2c).
    fn add(&mut self, node: NodeId, accepted: Option<Vote>, mutant: Option<Mutant>) {
        self.from = self.from.with(node);
        let Some(vote) = accepted else { return };
        let replaces = self.adopted.is_none_or(|adopted| match mutant {
            Some(Mutant::LowestBallotValue) => vote.ballot < adopted.ballot,
            Some(Mutant::FirstReplyValue) => false,
            Some(_) | None => vote.ballot > adopted.ballot,
        });
        if replaces {
            self.adopted = Some(vote);
        }
    }
}

impl Synod {
    /// A client asks about the register.
    pub(super) fn on_kv(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: kv::Operation) {
        if operation.key() != REGISTER {
            return context.reply(op, Outcome::Refused(Refusal::NotFound));
        }
        let wish = match operation {
            kv::Operation::Write(_, value) => Wish::Propose(value),
            kv::Operation::Read(_) => Wish::Read,
            kv::Operation::CompareAndSet { .. } | kv::Operation::Delete(_) => {
                return context.reply(op, Outcome::Refused(Refusal::Unsupported));
            }
        };
        if let Wish::Propose(value) = wish {
            context.fact(Fact::Requested { proposal: Proposal { op, value } });
        }
        if let Some(chosen) = self.learner.chosen() {
            return context.reply(op, answer(op, wish, chosen));
        }
        self.proposer.waiting.push(Waiting { op, wish, since: None });
        self.tell_waiting(context);
        if self.proposer.stage == Stage::Idle {
            self.begin_ballot(context);
        }
    }

    /// Takes a ballot of its own above all it has heard of, and prepares it once the round is on disk.
    pub(super) fn begin_ballot(&mut self, context: &mut Context<'_, Self>) {
        if self.proposer.waiting.is_empty() {
            return self.become_idle(context);
        }
        let heard = self.highest_of_others().round;
        let round = if self.config.has(Mutant::BallotReuse) {
            // The slip: above all that others have used, but not above what it has used itself.
            self.round.max(heard + 1)
        } else {
            self.round.max(heard) + 1
        };
        context.set_timer(Timer::Ballot, self.config.ballot_timeout);
        // On a full disk it waits for the timer and tries again.
        if self.write_round(context, round).is_ok() {
            let proposer = if self.config.has(Mutant::BallotCollision) { NodeId::new(0) } else { self.node };
            let ballot = Ballot { round, proposer, ..Ballot::ZERO };
            for waiting in &mut self.proposer.waiting {
                waiting.since.get_or_insert(ballot);
            }
            self.proposer.stage = Stage::Preparing { ballot, promises: Promises::default() };
            context.count(Counter::Ballots as usize, 1);
            context.begin(Latency::Chosen as usize, 0);
            self.after_durable(context, Deferred::Prepare(ballot));
        }
    }

    /// The highest ballot of another proposer that this node has heard of.
    fn highest_of_others(&self) -> Ballot {
        let heard = [self.proposer.highest, self.acceptor.promised()];
        heard.into_iter().filter(|ballot| ballot.proposer != self.node).max().unwrap_or_default()
    }

    /// Phase 1a, once the round is on disk and if the ballot still is the present one.
    pub(super) fn prepare(&mut self, context: &mut Context<'_, Self>, ballot: Ballot) {
        if self.proposer.stage.ballot() == Some(ballot) {
            context.fact(Fact::Prepared { ballot });
            context.count(Counter::Prepares as usize, self.config.members.iter().count() as u64);
            self.send_to_acceptors(context, Message::Prepare { ballot });
        }
    }

    /// Phase 1b arrives.
    pub(super) fn on_promise(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        ballot: Ballot,
        accepted: Option<Vote>,
    ) {
        let mutant = self.config.mutant;
        let mixes = self.config.has(Mutant::PromiseMix);
        if mixes {
            self.proposer.mixed.add(from, accepted, mutant);
        }
        let Stage::Preparing { ballot: present, promises } = &mut self.proposer.stage else { return };
        if ballot != *present && !mixes {
            return;
        }
        promises.add(from, accepted, mutant);
        let promises = if mixes { self.proposer.mixed } else { *promises };
        let present = *present;
        if self.config.is_enough(Phase::One, promises.from) {
            self.on_phase_one_done(context, present, promises);
        }
    }

    /// A phase 1 quorum has promised: what may be chosen already is proposed, or else the client's value. If nothing is
    /// chosen and nobody wants to propose, clients that read are told so.
    fn on_phase_one_done(&mut self, context: &mut Context<'_, Self>, ballot: Ballot, promises: Promises) {
        let own = self.proposer.own_proposal();
        if promises.adopted.is_some() {
            context.sometimes(Point::ValueAdopted as usize);
        }
        let adopted = promises.adopted.map(|vote| vote.proposal);
        let proposal = if self.config.has(Mutant::OwnValue) { own.or(adopted) } else { adopted.or(own) };
        match proposal {
            Some(proposal) => self.propose(context, Vote { ballot, proposal }),
            None => self.answer_reads_with_nothing(context, ballot),
        }
    }

    /// Phase 2a.
    fn propose(&mut self, context: &mut Context<'_, Self>, vote: Vote) {
        assert!(
            matches!(self.proposer.stage, Stage::Preparing { .. }),
            "only after phase 1 is something proposed"
        );
        self.proposer.stage = Stage::Accepting { vote };
        context.fact(Fact::Proposed(vote));
        self.send_to_acceptors(context, Message::Accept(vote));
    }

    /// A phase 1 quorum has accepted nothing, and accepts nothing below `ballot` any more. So nothing was chosen when
    /// the first of it promised, which was after these clients asked.
    fn answer_reads_with_nothing(&mut self, context: &mut Context<'_, Self>, ballot: Ballot) {
        context.sometimes(Point::NothingChosenRead as usize);
        self.proposer.waiting.retain(|waiting| {
            let is_told = waiting.wish == Wish::Read && waiting.since.is_some_and(|since| since <= ballot);
            if is_told {
                context.reply(waiting.op, Outcome::Value(None));
            }
            !is_told
        });
        self.tell_waiting(context);
        self.begin_ballot(context);
    }

    /// An acceptor has promised a higher ballot.
    pub(super) fn on_nack(&mut self, context: &mut Context<'_, Self>, ballot: Ballot, promised: Ballot) {
        self.proposer.highest = self.proposer.highest.max(promised);
        if self.proposer.stage.ballot() == Some(ballot) {
            self.become_pausing(context);
        }
    }

    /// Its own acceptor has promised somebody else a higher ballot: nothing will come of the present one.
    pub(super) fn on_own_promise(&mut self, context: &mut Context<'_, Self>, promised: Ballot) {
        if self.proposer.stage.ballot().is_some_and(|ballot| ballot < promised) {
            self.become_pausing(context);
        }
    }

    /// The ballot came to nothing in time.
    pub(super) fn on_ballot_timeout(&mut self, context: &mut Context<'_, Self>) {
        context.sometimes(Point::BallotTimedOut as usize);
        self.begin_ballot(context);
    }

    /// What is chosen is known: everybody who waits gets an answer.
    pub(super) fn finish(&mut self, context: &mut Context<'_, Self>, chosen: Proposal) {
        for waiting in std::mem::take(&mut self.proposer.waiting) {
            context.reply(waiting.op, answer(waiting.op, waiting.wish, chosen));
        }
        self.tell_waiting(context);
        self.become_idle(context);
    }

    /// How many clients wait for an answer.
    pub(super) fn tell_waiting(&self, context: &mut Context<'_, Self>) {
        context.gauge(WAITING, self.proposer.waiting.len() as u64);
    }

    fn become_idle(&mut self, context: &mut Context<'_, Self>) {
        assert!(self.proposer.waiting.is_empty(), "{} clients still wait", self.proposer.waiting.len());
        self.proposer.stage = Stage::Idle;
        context.abandon(Latency::Chosen as usize);
        context.cancel_timer(Timer::Ballot);
        context.cancel_timer(Timer::Retry);
    }

    /// Pre-empted: after a random pause the next ballot is taken, so that two proposers do not meet again (§2.4).
    fn become_pausing(&mut self, context: &mut Context<'_, Self>) {
        assert!(self.proposer.stage.ballot().is_some(), "only a ballot under way is pre-empted");
        context.sometimes(Point::Preempted as usize);
        context.count(Counter::Preemptions as usize, 1);
        self.proposer.stage = Stage::Pausing;
        context.cancel_timer(Timer::Ballot);
        let (low, high) = (*self.config.backoff.start(), *self.config.backoff.end());
        let pause = context.random().span(low, high);
        context.set_timer(Timer::Retry, pause);
    }

    fn send_to_acceptors(&self, context: &mut Context<'_, Self>, message: Message) {
        for acceptor in self.config.members.iter() {
            send(context, *acceptor, message);
        }
    }
}

/// What a client is told once something is chosen.
fn answer(op: OpId, wish: Wish, chosen: Proposal) -> Outcome {
    match wish {
        Wish::Read => Outcome::Value(Some(chosen.value)),
        Wish::Propose(_) if chosen.op == op => Outcome::Done,
        Wish::Propose(_) => Outcome::Refused(Refusal::Aborted),
    }
}

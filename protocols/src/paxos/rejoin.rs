//! A node that has lost its disk: from non-voting member to acceptor (Paxos Made Live §5.1).
//!
//! ```text
//!  n3 starts on an empty or unreadable disk          leader                     others
//!   │ new life, on disk; everything else forgotten     │                           │
//!   │── Rejoin(life) ─────────────────────────────────>│                           │
//!   │<──────────────────────── decisions, a snapshot ──│── Accept s: readmit ─────>│
//!   │                                                  │<── Accepted ──────────────│
//!   │<───────────────────────── decisions, s among them│
//!   │                               slots up to s + α − 1: decided without n3
//!   │ acceptor of the slots from s + α on
//! ```
//!
//! # Why it must not vote at once
//!
//! An acceptor is relied upon for two things. What it has **accepted** it reports, because a quorum that chose it may have
//! nobody else in the quorum of a later phase 1. What it has **promised** it keeps, because a candidate relies on its slots
//! staying as they were reported. A node that remembers neither, and takes part, breaks both.
//!
//! # What makes it safe again
//!
//! Paxos Made Live lets it vote once it has seen a whole instance that was started after its restart. Where a promise is for one
//! instance, that is enough. Here a promise is **for all slots**, and outlasts any number of instances:
//!
//! ```text
//!  five nodes; n1 leads with b1; n5 has promised n4's b2, and n4 is cut off from the others
//!  n5 loses its disk, starts, and sees slot 7, which n1, n2, n3 decide under b1
//!  n3 promises n4's b2: with n4 and the n5 of before a quorum. It reports slots up to 7
//!  n5 votes for slot 8 under b1: with n1 and n2 a quorum. n4 has heard of nothing in slot 8, and proposes another
//! ```
//!
//! No ballot that n5 could learn of helps, since only n4 knows b2. So it is not the *vote* that has to wait for some ballot:
//! the old *promise* has to stop counting. The acceptor that n5 was is gone for good, and **another acceptor takes its place, by
//! a decision**, as in any change of the acceptors (PMMC §3.1):
//!
//! - The node draws a new [`Life`]. (node, life) is who promises, votes and answers heartbeats.
//! - [`Change::Readmit`] is proposed for it, decided for some slot s by the others, and in force from s + α on. It names the
//!   life, so it was begun after the restart: this is the instance that the node has to see.
//! - Up to s + α − 1 quorums are made of acceptors with the life of before. That one is silent: as if it had crashed.
//! - From s + α on they are made of acceptors with the new one. Its memory has no hole: it has been on disk since its birth.
//!
//! That is a change of the acceptors, and safe for the reason for which they are: for each slot phase 1 and phase 2 quorums
//! are sets of the *same* acceptors and meet in one that remembers; nobody proposes for s + α before it has executed s, and
//! so before it knows whose promises count (`proposal_limit`). The quorum system is asked about nodes as ever, so it may be
//! majorities, sizes, weights or a grid.
//!
//! A **ballot** has the life of its proposer, too ([`Ballot`](crate::replicated::Ballot)): a leader that forgets that it led may
//! otherwise propose something else under the same. A **lease** binds the machine, not the acceptor: who starts waits as long
//! as a lease may last, with or without a disk.
//!
//! # What it costs
//!
//! Until s + α the cluster has one acceptor less. A leader fills the slots up to there with no-ops, so that it does not take
//! until clients have filled them. With so many lost disks that the others have no quorum, nothing is decided any more, and
//! nothing wrong either: [`Paxos::forgotten`](sim_core::Process::forgotten) names the nodes.

use serde::Serialize;
use sim_core::check::Nodes;
use sim_core::disk::Disk;
use sim_core::{Context, NodeId, SyncId};

use super::durable::{BALLOT, JOURNAL, LIFE, Record, SNAPSHOT};
use super::facts::Fact;
use super::message::Message;
use super::mutants::Mutant;
use super::process::send;
use super::role::Role;
use super::types::{Change, Proposal};
use super::{FaultPoint, Paxos, Point};
use crate::replicated::{Index, Life, MEMBERS_MAX, NodeSet, Phase};

/// How far a node is with writing down that it lives anew. Until that is on disk it hears nothing: what it would write
/// would stand beside what it has not dropped yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Birth {
    /// On disk.
    Done,
    /// This sync puts it there.
    Written(SyncId),
    /// The disk took nothing.
    Refused,
}

impl Paxos {
    /// Whether what was on disk is gone, or something of it cannot be read. What was torn in a crash was never there.
    pub(super) fn has_lost_disk(context: &mut Context<'_, Self>) -> bool {
        let is_readable = is_readable(context.disk());
        if !is_readable {
            context.sometimes(Point::DiskUnreadable as usize);
        }
        if context.is_disk_lost() {
            context.sometimes(Point::DiskLost as usize);
        }
        !is_readable || context.is_disk_lost()
    }

    /// Begins a life that remembers nothing.
    pub(super) fn become_non_voting(&mut self, context: &mut Context<'_, Self>) {
        self.life = Life::drawn(context.random().next_u64());
        context.fact(Fact::LostDisk { life: self.life });
        self.write_life(context);
    }

    /// Tries to write down in which life it is.
    fn write_life(&mut self, context: &mut Context<'_, Self>) {
        self.birth = match context.replace(LIFE, Record::Life(self.life)) {
            Ok(()) => Birth::Written(context.sync(LIFE)),
            Err(_) => Birth::Refused,
        };
    }

    /// A sync is done. Once the new life is on disk, the rest of the disk is dropped, what is readable of it too.
    pub(super) fn on_born(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        if self.birth != Birth::Written(sync) {
            return;
        }
        context.fault_point(FaultPoint::BeforeForgetting as usize);
        self.birth = Birth::Done;
        let journal = context.disk().log_bounds(JOURNAL);
        if !journal.is_empty() {
            context.truncate_from(JOURNAL, journal.start);
            self.log.touch();
        }
        if context.disk().read_blob(SNAPSHOT).next().is_some() {
            context.discard_staged(SNAPSHOT);
            context.commit(SNAPSHOT);
            self.unflushed.snapshot = true;
        }
        // On a full disk it stays: a promise too many is none broken, and one that cannot be read is found again.
        let has_ballot = !matches!(context.disk().read_cell(BALLOT), Ok(None));
        if has_ballot && context.replace(BALLOT, Record::Promised(self.promised)).is_ok() {
            self.unflushed.ballot = true;
        }
        self.flush(context);
    }

    /// Time has passed without a leader: tries again what the disk refused, and asks everybody.
    pub(super) fn rejoin_anywhere(&mut self, context: &mut Context<'_, Self>) {
        match self.birth {
            Birth::Refused => self.write_life(context),
            Birth::Written(_) => {}
            Birth::Done => {
                for to in self.everybody().without(self.node).iter() {
                    self.ask_to_rejoin(context, to);
                }
            }
        }
    }

    /// Asks for what is decided, and to be readmitted where that is to be done.
    pub(super) fn ask_to_rejoin(&self, context: &mut Context<'_, Self>, to: NodeId) {
        send(context, to, Message::Rejoin { life: self.life, decided: self.log.last() });
    }

    /// A node that has lost its disk asks. A leader proposes to readmit it, once.
    pub(super) fn on_rejoin(
        &mut self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        life: Life,
        decided: Index,
    ) {
        self.on_catch_up(context, from, decided);
        let proposal = Proposal::Reconfigure(Change::Readmit(from, life));
        let is_known = self.membership.latest_life(from) == life;
        let Role::Leader(leader) = &mut self.role else { return };
        let is_proposed = leader.rejoining.contains(&(from, life))
            || leader.commanders.iter().any(|commander| commander.proposal == proposal);
        if is_known || is_proposed || from.index() >= MEMBERS_MAX {
            return;
        }
        leader.rejoining.push_back((from, life));
        self.propose_more(context);
    }

    /// It was decided that a node is an acceptor from `from` on in this life.
    pub(super) fn on_readmitted(
        &mut self,
        context: &mut Context<'_, Self>,
        (node, life): (NodeId, Life),
        from: Index,
    ) {
        if (node, life) == (self.node, self.life) {
            context.sometimes(Point::Readmitted as usize);
            context.fact(Fact::Readmitted { from });
            self.seal = Some(from.previous());
        }
    }

    /// Makes durable that everything is decided before the slot from which on this node is an acceptor again. A restart
    /// that found less would take it for a non-voter, and with it those to whom it cannot tell.
    pub(super) fn maybe_seal(&mut self, context: &mut Context<'_, Self>) {
        if self.seal.is_some_and(|last| last <= self.machine.applied()) {
            context.fault_point(FaultPoint::BeforeSeal as usize);
            context.sometimes(Point::ReadmissionSealed as usize);
            self.seal = None;
            self.mark_decided(context);
            self.log.touch();
            self.flush(context);
        }
    }

    /// Whether this node is the acceptor of `slot`, if it is an acceptor of it, as far as it knows: in this life.
    #[inline]
    pub(super) fn is_acceptor_at(&self, slot: Index) -> bool {
        self.membership.life_at(slot, self.node) == self.life
    }

    /// The nodes that have lost their disks, if with those that are down they are so many that the others have no quorum
    /// of a phase: nobody can readmit them.
    pub(super) fn lost_for_good(nodes: &Nodes<'_, Self>) -> Vec<NodeId> {
        let running = nodes.running().map(|(_, paxos)| paxos);
        let Some(latest) = running.max_by_key(|paxos| paxos.log.last()) else { return Vec::new() };
        let next = latest.log.last().next();
        let members = latest.membership.at(next);
        let remembers = |node: &NodeId, paxos: &Self| latest.membership.life_at(next, *node) == paxos.life;
        let left: NodeSet = members
            .iter()
            .filter(|node| nodes.process(*node).is_some_and(|paxos| remembers(node, paxos)))
            .collect();
        if [Phase::One, Phase::Two].into_iter().all(|phase| latest.config.is_enough(phase, left, members)) {
            return Vec::new();
        }
        members
            .iter()
            .filter(|node| nodes.process(*node).is_some_and(|paxos| !remembers(node, paxos)))
            .collect()
    }

    /// For a mutant: whether a lost disk is taken for a new one.
    pub(super) fn takes_lost_disk_for_new(&self) -> bool {
        self.config.has(Mutant::RejoinAtOnce)
    }
}

/// Whether all of the disk can be read.
fn is_readable(disk: &Disk<Record>) -> bool {
    let cells = [BALLOT, LIFE].into_iter().all(|cell| disk.read_cell(cell).is_ok());
    let mut journal = disk.read_log(JOURNAL, 0..u64::MAX);
    cells && journal.all(|record| record.is_ok()) && disk.read_blob(SNAPSHOT).all(|record| record.is_ok())
}

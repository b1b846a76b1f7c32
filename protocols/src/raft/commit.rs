//! The commit rule (§5.3, §5.4.2), and execution of what is committed.
//!
//! By default a node executes what is committed at once. With `apply_delay` or `apply_max` it does so in steps of its
//! own, as a separate thread would: what is committed then waits a while to be executed.

use sim_core::Context;
use sim_core::service::Outcome;

use super::config::TakesEffect;
use super::facts::Fact;
use super::facts::Witness as _;
use super::host::{Acts as _, Application};
use super::membership::agreed_by;
use super::metrics::{Gauge, Latency};
use super::mutants::Mutant;
use super::role::{LeaderOf, Role};
use super::{FaultPoint, Replica, Timer};
use crate::replicated::Index;

impl<A: Application> Replica<A> {
    /// The commit rule (§5.3, §5.4.2): an entry that a quorum has on disk is committed, if it is of the leader's
    /// own term. Entries before it are then committed too; alone they never are, because a majority that has an
    /// entry of an older term does not keep another leader from replacing it (Figure 8).
    pub(super) fn maybe_commit(&mut self, context: &mut Context<'_, A::Host>) {
        let Role::Leader(leader) = &self.role else { return };
        let index = self.quorum_index(leader);
        let is_of_own_term = self.log.term_at(index) == Some(self.hard.term);
        if index > self.log.commit() && (is_of_own_term || self.config.has(Mutant::CommitPriorTerm)) {
            for index in self.log.commit().0 + 1..=index.0 {
                context.ends(Latency::Commit, index);
            }
            self.log.commit_to(index, context);
            self.apply_committed(context);
            self.serve_reads(context);
            self.on_members_settled(context);
        }
    }

    /// The last entry that a quorum has on disk, the leader itself counted by its own disk.
    fn quorum_index(&self, leader: &LeaderOf<A>) -> Index {
        let matched = |node: sim_core::NodeId| {
            if node == self.node { self.own_match() } else { leader.progress[node.index()].match_index }
        };
        if self.config.has(Mutant::QuorumHalf) {
            let voters = self.members.voters;
            return agreed_by(voters, voters.len().div_ceil(2), matched);
        }
        self.members.agreed(matched)
    }

    fn own_match(&self) -> Index {
        let is_alone = self.members.voters.len() == 1;
        if self.config.has(Mutant::ApplyBeforeDurable) && is_alone {
            return self.log.last_index();
        }
        self.log.durable()
    }

    /// Executes what is committed, in order (§5.3), and answers the clients that wait for it: now, or step by step.
    #[inline]
    pub(super) fn apply_committed(&mut self, context: &mut Context<'_, A::Host>) {
        if self.machine.applied() >= self.log.commit() {
            return;
        }
        self.tell_uncommitted(context);
        if !self.config.applies_in_steps() {
            self.apply_to(context, self.log.commit());
        } else if !self.is_applying {
            self.is_applying = true;
            context.arm(Timer::Apply, self.config.apply_delay);
        }
    }

    /// The next step of execution.
    pub(super) fn on_apply_timeout(&mut self, context: &mut Context<'_, A::Host>) {
        self.is_applying = false;
        let most = Index(self.machine.applied().0.saturating_add(self.config.apply_entries::<A::Command>()));
        self.apply_to(context, most.min(self.log.commit()));
        self.serve_reads(context);
        self.on_members_settled(context);
        self.apply_committed(context);
    }

    fn apply_to(&mut self, context: &mut Context<'_, A::Host>, last: Index) {
        context.reach_fault(FaultPoint::BeforeApply);
        while self.machine.applied() < last {
            let index = self.machine.applied().next();
            let entry =
                *self.log.entry_at(index).expect("a committed entry that was not executed is in the log");
            let witness = |index, chain| context.state(Fact::Applied { index, chain });
            let outcome = self.machine.apply(&entry, witness);
            let outcome = if entry.members().is_some() { Some(Outcome::Done) } else { outcome };
            self.answer(context, index, outcome);
        }
        self.serve_forwarded(context);
        self.maybe_take_snapshot(context);
        if self.config.takes_effect == TakesEffect::OnApply || self.config.has(Mutant::ConfigOnApply) {
            self.refresh_members(context);
        }
    }

    /// How long the part of the log is that may yet be replaced.
    #[inline]
    pub(super) fn tell_uncommitted(&self, context: &mut Context<'_, A::Host>) {
        context.level(Gauge::Uncommitted, self.log.last_index().since(self.log.commit()));
    }

    /// Answers the client whose command stood at `index`, if this node is the leader it asked.
    fn answer(&mut self, context: &mut Context<'_, A::Host>, index: Index, outcome: Option<Outcome>) {
        let Role::Leader(leader) = &mut self.role else { return };
        if let Some(pending) = leader.pending.pop_front_if(|pending| pending.index == index)
            && let Some(outcome) = outcome
        {
            context.reply(pending.op, outcome);
        }
    }
}

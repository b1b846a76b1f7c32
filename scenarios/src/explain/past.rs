//! What a failure depends on, and what of that is worth telling.
//!
//! The causal past of an event is nearly all of a run: every heartbeat is an input of somebody. What is told is chosen by
//! what it is, and among equals the latest:
//!
//! | weight | what |
//! | --- | --- |
//! | 100 | the event itself |
//! | 95 | the event with which it became inevitable; where something is missing, what happened for the last time |
//! | 90 … 75 | the chain of messages that led to it, the nearest first; lost messages for want of which a timer of it fired |
//! | 80 | faults that the failure needs, where that was tried, and the messages that faults picked out and took away |
//! | 65 | the last messages of the same kind before the event itself, if by that a process changed its role: they may make up a quorum |
//! | 60 | who came to lead, or stopped |
//! | 50 | crashes and restarts |
//! | 40 | other faults |
//! | 30 | who tried to lead |
//! | 20 | faults that end others |

use std::collections::{BTreeMap, BTreeSet};

use sim_core::Endpoint;
use sim_core::network::DropReason;
use sim_core::status::{Standing, Status};
use sim_core::trace::{Record, StatusChange, TraceKind};

use super::faults::Faults;
use super::moment::{Moment, Told};

/// How many steps back a chain is told.
const CHAIN_MAX: u32 = 15;
/// How many lost messages are told of a timer.
const LOST_MAX: usize = 3;

/// How many messages of the same kind are told before the one that shows it.
const ALIKE_MAX: usize = 3;

/// All records that a failure depends on, those that show it included, in order.
pub(super) fn depends_on(moment: &Moment) -> BTreeSet<u32> {
    let mut all = moment.roots.clone();
    for root in &moment.roots {
        all.extend(moment.told.trace().causal_past(*root));
    }
    // At once: a set of a million is made faster than it grows.
    all.into_iter().collect()
}

/// The causal past of a failure.
pub(super) struct Past {
    /// All records that it depends on, itself included, in order.
    pub(super) all: BTreeSet<u32>,
    /// Those that are told, in order.
    pub(super) told: BTreeSet<u32>,
    /// What led to it, message by message.
    pub(super) chain: BTreeSet<u32>,
    /// With which it became inevitable, if that is known.
    pub(super) turning: Option<u32>,
}

impl Past {
    /// Weighs what it depends on, for a story of so many lines.
    pub(super) fn of(
        moment: &Moment,
        all: BTreeSet<u32>,
        faults: &Faults,
        turning: Option<u32>,
        lines_max: usize,
    ) -> Self {
        let mut weights = Weights { moment, of: BTreeMap::new() };
        let mut chain = weights.weigh_chains();
        for decisive in turning.into_iter().chain(moment.lasts.keys().copied()) {
            weights.add(decisive, 95);
        }
        // Where something is missing, what led to that moment is what led to the failure.
        let root = turning.or_else(|| moment.lasts.keys().next_back().copied());
        if let Some(root) = root.filter(|_| moment.record.is_none()) {
            weights.weigh_chain(root, 90, CHAIN_MAX, &mut chain);
        }
        weights.weigh_alike();
        weights.weigh_changes(&all);
        weights.weigh_commands(faults);
        // A command and what it does to a node are one thing, and most have a line of what happened before them.
        let told = weights.heaviest(lines_max.saturating_sub((lines_max / 4).max(3)).max(1));
        Self { all, told, chain, turning }
    }
}

struct Weights<'a> {
    moment: &'a Moment,
    of: BTreeMap<u32, u32>,
}

impl Weights<'_> {
    fn told(&self) -> &Told {
        &self.moment.told
    }

    fn add(&mut self, record: u32, weight: u32) {
        if self.is_said_by_command(record) {
            return;
        }
        let known = self.of.entry(record).or_default();
        *known = weight.max(*known);
    }

    /// From each root back by what caused what. Where something is missing there is no chain.
    fn weigh_chains(&mut self) -> BTreeSet<u32> {
        let mut chain = BTreeSet::new();
        let Some(shown) = self.moment.record else { return chain };
        let share = CHAIN_MAX / u32::try_from(self.moment.roots.len()).unwrap_or(u32::MAX).max(1);
        for root in self.moment.roots.clone() {
            let top = if root == shown { 90 } else { 80 };
            self.weigh_chain(root, top, share.max(6), &mut chain);
        }
        self.add(shown, 100);
        chain
    }

    fn weigh_chain(&mut self, root: u32, top: u32, len: u32, chain: &mut BTreeSet<u32>) {
        let mut next = Some(root);
        for depth in 0..len {
            let Some(record) = next else { break };
            chain.insert(record);
            self.add(record, top - depth);
            self.weigh_losses(record, top - depth);
            next = self.told().back_from(record);
        }
    }

    /// A timer may have fired for want of messages.
    fn weigh_losses(&mut self, timer: u32, weight: u32) {
        let losses = losses_before(self.told(), timer);
        for lost in losses.iter().rev().take(LOST_MAX) {
            self.add(*lost, weight.saturating_sub(1));
        }
    }

    /// What else of the same kind arrived before the message that shows it.
    fn weigh_alike(&mut self) {
        let Some(shown) = self.moment.record else { return };
        let record = *self.told().record(shown);
        let is_turn = record.kind() == TraceKind::Delivery && self.told().changes_of(shown).next().is_some();
        let is_alike = |number: &u32| {
            let other = self.told().record(*number);
            is_turn
                && (other.kind(), other.subject(), other.payload())
                    == (record.kind(), record.subject(), record.payload())
        };
        let begin = self.begin_of_role(shown);
        let alike: Vec<u32> = (begin..shown).rev().filter(is_alike).take(ALIKE_MAX).collect();
        for number in alike {
            self.add(number, 65);
        }
    }

    /// Behind the last time that the node of a record was down, or came into the role that it comes into with that record.
    fn begin_of_role(&self, shown: u32) -> u32 {
        let node = self.told().record(shown).subject().and_then(Endpoint::node);
        let role = self.told().changes_of(shown).find_map(|change| Some(change.after?.role));
        let changes = self.told().trace().status_changes(0..shown);
        let ends = changes.filter(|change| {
            Some(change.node) == node && change.after.is_none_or(|after| Some(after.role) == role)
        });
        ends.last().map_or(0, |change| change.record + 1)
    }

    /// Who leads, who tries to, who is up.
    fn weigh_changes(&mut self, all: &BTreeSet<u32>) {
        let end = self.end();
        let changes: Vec<StatusChange> = self.told().trace().status_changes(0..end).copied().collect();
        for change in &changes {
            let input = self.told().input_of(change.record);
            if let Some(weight) = weight_of(change).filter(|_| all.contains(&input)) {
                self.add(input, weight);
            }
        }
    }

    /// Whether a node went down or up because of a command, which says so itself; or at the start, like all others.
    fn is_said_by_command(&self, number: u32) -> bool {
        let record = self.told().record(number);
        let by_command =
            || record.cause().is_some_and(|cause| self.told().record(cause).kind() == TraceKind::Command);
        match record.kind() {
            TraceKind::Start if record.cause().is_none() => true,
            kind => kind.power().is_some() && by_command(),
        }
    }

    fn weigh_commands(&mut self, faults: &Faults) {
        let all = (0..self.end()).map(|number| (number, *self.told().record(number)));
        let records: Vec<(u32, Record)> = all.collect();
        for (number, record) in records {
            let is_needed = faults.is_needed(record.at()) == Some(true);
            match record.kind() {
                TraceKind::Command if is_needed => self.add(number, 80),
                TraceKind::Command if faults.only_end_others(record.at()) => self.add(number, 20),
                TraceKind::Command => self.add(number, 40),
                TraceKind::Drop if record.drop_reason() == Some(DropReason::Targeted) => self.add(number, 80),
                _ => {}
            }
        }
    }

    /// The record behind the last that can be told.
    fn end(&self) -> u32 {
        self.moment.record.map_or(self.told().trace().len(), |record| record + 1)
    }

    fn heaviest(self, count: usize) -> BTreeSet<u32> {
        let mut all: Vec<(u32, u32)> = self.of.iter().map(|(record, weight)| (*weight, *record)).collect();
        all.sort_unstable_by(|one, other| other.cmp(one));
        all.into_iter().take(count).map(|(_, record)| record).collect()
    }
}

/// The messages that were lost on the lane of a timer since it was set: it may have fired for want of them.
pub(super) fn losses_before(told: &Told, timer: u32) -> Vec<u32> {
    let record = told.record(timer);
    let Some(set) = record.cause().filter(|_| record.kind() == TraceKind::TimerFired) else {
        return Vec::new();
    };
    let is_lost = |number: &u32| {
        let earlier = told.record(*number);
        earlier.kind() == TraceKind::Drop && earlier.subject() == record.subject()
    };
    (set..timer).filter(is_lost).collect()
}

/// How much a change of status is worth telling; `None`: not at all.
fn weight_of(change: &StatusChange) -> Option<u32> {
    let stands = |status: Option<Status>| status.map(|status| status.standing);
    match (stands(change.before), stands(change.after)) {
        (None, Some(_)) | (Some(_), None) => Some(50),
        (_, Some(Standing::Leader)) | (Some(Standing::Leader), _) => Some(60),
        (_, Some(Standing::Candidate)) => Some(30),
        (None, None) | (_, Some(Standing::Follower | Standing::Peer)) => None,
    }
}

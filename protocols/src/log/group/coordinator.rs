//! The coordinator: who is in the group, and who has which partition.
//!
//! It runs at the leader of the partition of offsets, and what it decides are records there: so the next leader knows it. What
//! is on its way when a leader fails, members ask for again.
//!
//! | protocol | when somebody comes or goes | meanwhile |
//! | --- | --- | --- |
//! | eager | everybody gives up everything, joins again, and gets something | nobody works |
//! | cooperative | everybody joins again and keeps what it has; what is to move is given up, and given out when everybody joins once more | all work goes on but that |
//! | server-side (KIP-848) | nobody joins again: with its heartbeats each hears what it is to give up or gets | all work goes on but that |
//!
//! In all three the coordinator shares partitions out itself; in Kafka's older protocols a member does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use sim_core::{Context, NodeId};

use super::super::broker::Broker;
use super::super::config::{Config, GroupProtocol, Membership};
use super::super::entry::{Body, Entry};
use super::super::metrics::Counter;
use super::super::mutants::Mutant;
use super::super::offsets::Offsets;
use super::super::replica::Waiter;
use super::super::types::PartitionId;
use super::super::{Message, Node, Point, Timer};
use super::assign::assign;
use super::message::{Answer, GroupMessage, Request};
use super::{Generation, GroupImage, Partitions};

/// A member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Member {
    /// What it calls its life.
    life: u64,
    /// Its last request: an older one says nothing.
    last: u64,
    /// Whether it has joined again, where that is waited for.
    has_joined: bool,
    /// What it says that it has.
    owned: Vec<PartitionId>,
    /// What it was told that it has.
    assigned: Vec<PartitionId>,
    /// What it is to have in the end: with the server-side protocol.
    target: Vec<PartitionId>,
}

impl Member {
    /// Whether a partition is with it: it has it, or was told that it has.
    fn holds(&self, partition: PartitionId) -> bool {
        self.owned.contains(&partition) || self.assigned.contains(&partition)
    }

    fn held(&self) -> Vec<PartitionId> {
        let all: BTreeSet<PartitionId> = self.owned.iter().chain(&self.assigned).copied().collect();
        all.into_iter().collect()
    }
}

/// The coordinator. See the [module documentation](self).
#[derive(Clone, Debug, Serialize)]
pub struct Coordinator {
    #[serde(skip)]
    config: Arc<Config>,
    generation: Generation,
    members: BTreeMap<NodeId, Member>,
    /// Whether it waits for members to join again.
    is_gathering: bool,
    /// Those that have joined and wait for the others.
    joining: BTreeMap<NodeId, Call>,
    /// How far each partition was handled.
    pub(super) kept: BTreeMap<PartitionId, u64>,
    /// The group as it was last written down.
    pub(super) written: Arc<GroupImage>,
}

impl Coordinator {
    /// It finds the group as the records have it. Everybody has a whole session to be heard of.
    pub(in super::super) fn new(config: Arc<Config>, offsets: &Offsets) -> Self {
        let member = |(node, (life, partitions)): (&NodeId, &(u64, Partitions))| {
            let has = partitions.to_vec();
            let member = Member {
                life: *life,
                owned: has.clone(),
                assigned: has.clone(),
                target: has,
                ..Member::default()
            };
            (*node, member)
        };
        let members = offsets.group.members.iter().map(member).collect();
        let mut coordinator = Self {
            config,
            generation: offsets.group.generation,
            members,
            is_gathering: false,
            joining: BTreeMap::new(),
            kept: offsets.kept.clone(),
            written: Arc::clone(&offsets.group),
        };
        coordinator.aim();
        coordinator
    }

    /// Which generation.
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// Who is in it, and was told to have what.
    pub fn members(&self) -> impl Iterator<Item = (NodeId, &[PartitionId])> {
        self.members.iter().map(|(node, member)| (*node, &member.assigned[..]))
    }

    /// Whether it waits for members to join again.
    pub const fn is_gathering(&self) -> bool {
        self.is_gathering
    }

    fn image(&self) -> GroupImage {
        let member =
            |(node, member): (&NodeId, &Member)| (*node, (member.life, member.assigned.clone().into()));
        GroupImage { generation: self.generation, members: self.members.iter().map(member).collect() }
    }

    fn is_server_side(&self) -> bool {
        self.config.group == GroupProtocol::ServerSide
    }

    fn partitions(&self) -> impl Iterator<Item = PartitionId> + use<> {
        (0..self.config.partitions).map(PartitionId)
    }

    // ----- who gets what -----

    /// With the server-side protocol: what everybody is to have in the end.
    fn aim(&mut self) {
        let held = self.members.iter().map(|(node, member)| (*node, member.held())).collect();
        for (node, target) in assign(self.partitions(), &held) {
            if let Some(member) = self.members.get_mut(&node) {
                member.target = target;
            }
        }
    }

    /// All have joined: a new generation, and everybody its share. What somebody else still has is given out next time.
    fn share_out(&mut self) {
        self.generation = self.generation.next();
        self.is_gathering = false;
        let owned = self.members.iter().map(|(node, member)| (*node, member.owned.clone())).collect();
        for (node, mut share) in assign(self.partitions(), &owned) {
            share.retain(|partition| self.is_free_for(node, *partition));
            if let Some(member) = self.members.get_mut(&node) {
                (member.assigned, member.has_joined) = (share, false);
            }
        }
    }

    /// What a member may have now by the server-side protocol: of what it has what it is to keep; once it has given up the rest,
    /// also what nobody else has any more. Whether that is something else than before.
    fn reconcile(&mut self, node: NodeId) -> bool {
        let Some(member) = self.members.get(&node) else { return false };
        let has_given_up = member.owned.iter().all(|partition| member.target.contains(partition));
        let may_have = |partition: &&PartitionId| {
            member.owned.contains(partition) || (has_given_up && self.is_free_for(node, **partition))
        };
        let assigned: Vec<PartitionId> = member.target.iter().filter(may_have).copied().collect();
        let is_new = assigned != member.assigned;
        if let Some(member) = self.members.get_mut(&node) {
            member.assigned = assigned;
        }
        is_new
    }

    /// Whether every partition is with somebody. Not when one was to move, and who had it has forgotten that, or the coordinator
    /// has: then all join once more.
    fn is_shared_out(&self) -> bool {
        self.partitions().all(|partition| self.members.values().any(|member| member.holds(partition)))
    }

    fn is_free_for(&self, node: NodeId, partition: PartitionId) -> bool {
        let holds = |(other, member): (&NodeId, &Member)| *other != node && member.holds(partition);
        self.config.has(Mutant::AssignBeforeRevoke) || !self.members.iter().any(holds)
    }

    /// Whether a member may say how far it has come: in this generation; with the server-side protocol of what is with it.
    pub(super) fn may_keep(
        &self,
        node: NodeId,
        life: u64,
        generation: Generation,
        partition: PartitionId,
    ) -> bool {
        if self.config.has(Mutant::ZombieCommit) {
            return true;
        }
        let Some(member) = self.members.get(&node).filter(|member| member.life == life) else { return false };
        if self.is_server_side() { member.holds(partition) } else { generation == self.generation }
    }

    // ----- who is there -----

    /// Whether a member can have these: it was given no others.
    fn may_have(&self, node: NodeId, life: u64, owned: &[PartitionId]) -> bool {
        let known = self.members.get(&node).filter(|member| member.life == life);
        owned.iter().all(|partition| known.is_some_and(|member| member.holds(*partition)))
    }

    /// Somebody joins, for the first time or again. `None`: others have to join again first.
    fn join(&mut self, node: NodeId, life: u64, owned: Vec<PartitionId>) -> Step {
        let known = self.members.get_mut(&node);
        let is_same = known.as_ref().is_some_and(|member| member.life == life);
        let is_static = self.config.membership == Membership::Static;
        if let Some(member) = known.filter(|_| is_static && !is_same && !self.is_gathering) {
            // A static member that has restarted is who it was, and gets what it had. What it was to give up is free.
            (member.life, member.owned) = (life, Vec::new());
            if self.is_server_side() || self.is_shared_out() {
                return Step::Changed;
            }
        }
        let is_known =
            self.members.get(&node).is_some_and(|member| member.life == life && member.owned == owned);
        if is_known && !self.is_gathering && !self.is_server_side() && self.is_shared_out() {
            // It was answered, and has not heard it.
            return Step::Changed;
        }
        let assigned = owned.clone();
        let member = Member { life, has_joined: true, owned, assigned, ..Member::default() };
        self.members.insert(node, member);
        if self.is_server_side() {
            self.regroup();
            self.reconcile(node);
            return Step::Changed;
        }
        self.is_gathering = true;
        self.maybe_share_out()
    }

    /// Somebody goes.
    fn leave(&mut self, node: NodeId) -> Step {
        if self.members.remove(&node).is_none() {
            return Step::Same;
        }
        if self.is_server_side() {
            self.regroup();
            return Step::Changed;
        }
        self.is_gathering = true;
        if self.members.is_empty() {
            self.share_out();
            return Step::Changed;
        }
        self.maybe_share_out()
    }

    /// The members have changed: by the server-side protocol that is a generation, and a new aim.
    fn regroup(&mut self) {
        self.generation = self.generation.next();
        self.aim();
    }

    /// Shares out once all have joined.
    fn maybe_share_out(&mut self) -> Step {
        if self.members.values().all(|member| member.has_joined) {
            self.share_out();
            return Step::Shared;
        }
        Step::Gathering
    }

    /// Who has not joined in time is no member.
    fn close_gathering(&mut self) -> Step {
        self.members.retain(|_, member| member.has_joined);
        self.share_out();
        Step::Shared
    }

    fn assigned(&self, node: NodeId) -> Answer {
        let partitions = self.members.get(&node).map_or_else(Vec::new, |member| member.assigned.clone());
        Answer::Assigned { generation: self.generation, partitions: partitions.into() }
    }
}

/// What came of somebody's coming or going.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Nothing.
    Same,
    /// The group has changed, and whom it concerns is told.
    Changed,
    /// Others have to join again.
    Gathering,
    /// All have joined, and everybody is told what it has.
    Shared,
}

/// A request, as its answer names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Who asks.
    pub from: NodeId,
    /// In which life.
    pub life: u64,
    /// The how-manieth of it.
    pub number: u64,
}

impl Broker {
    /// A partition that no member of the group has, if this broker coordinates one that has members.
    pub(in super::super) fn unhandled(&self) -> Option<PartitionId> {
        let group = self.coordinator.as_ref().filter(|group| !group.members.is_empty())?;
        let has = |id: PartitionId| group.members.values().any(|member| member.assigned.contains(&id));
        group.partitions().find(|id| !has(*id))
    }

    /// Who was given a partition, if this broker coordinates the group.
    pub(in super::super) fn owner(&self, partition: PartitionId) -> Option<NodeId> {
        let group = self.coordinator.as_ref()?;
        group.members().find(|(_, partitions)| partitions.contains(&partition)).map(|(node, _)| node)
    }

    /// A consumer asks.
    pub(in super::super) fn on_call(
        &mut self,
        context: &mut Context<'_, Node>,
        call: Call,
        request: Request,
    ) {
        match request {
            Request::Read { partition, offset } => self.read_as_member(context, call, partition, offset),
            Request::ReadResults { partition, offset } => {
                self.on_read_results(context, call, partition, offset);
            }
            Request::Produce { partition, written } => self.on_produce(context, call, partition, written),
            Request::Begin { .. } | Request::AddPartitions { .. } | Request::End { .. } => {
                self.on_transaction_call(context, call, &request);
            }
            Request::Join { .. }
            | Request::Beat { .. }
            | Request::Leave
            | Request::Keep { .. }
            | Request::Ask { .. } => self.on_group_call(context, call, request),
        }
    }

    /// A consumer asks the coordinator of the group.
    fn on_group_call(&mut self, context: &mut Context<'_, Node>, call: Call, request: Request) {
        self.maybe_coordinate(context);
        let Some(coordinator) = self.coordinator.as_mut() else {
            return answer(context, call, self.elsewhere(self.config.offsets_partition()));
        };
        if let Some(member) =
            coordinator.members.get_mut(&call.from).filter(|member| member.life == call.life)
        {
            // What it says about itself counts in its order. How far it has come may be overtaken by that, and is no less true.
            if matches!(request, Request::Join { .. } | Request::Beat { .. } | Request::Leave) {
                if call.number <= member.last {
                    return;
                }
                member.last = call.number;
            }
            context.set_timer(Timer::Member(call.from), self.config.group_session);
        }
        match request {
            Request::Join { owned } => self.on_join(context, call, owned.to_vec()),
            Request::Beat { generation, owned } => self.on_beat(context, call, generation, owned.to_vec()),
            Request::Leave => {
                self.change_group(context, None, |coordinator| coordinator.leave(call.from));
            }
            Request::Keep { generation, partition, offset } => {
                self.on_keep(context, call, generation, partition, offset);
            }
            Request::Ask { partition } => self.on_ask(context, call, partition),
            Request::Read { .. }
            | Request::Begin { .. }
            | Request::AddPartitions { .. }
            | Request::Produce { .. }
            | Request::End { .. }
            | Request::ReadResults { .. } => {
                unreachable!("{request:?} is not for the coordinator of a group")
            }
        }
    }

    pub(in super::super) fn elsewhere(&self, partition: PartitionId) -> Answer {
        Answer::Elsewhere { partition, leader: self.leader_of(partition) }
    }

    /// It coordinates as soon as it knows that all is committed that it began to lead with.
    pub(in super::super) fn maybe_coordinate(&mut self, context: &mut Context<'_, Node>) {
        let id = self.config.offsets_partition();
        if self.config.consumers == 0
            || self.coordinator.is_some()
            || !self.leads(id)
            || self.readable(context, id).is_none()
        {
            return;
        }
        let coordinator = Coordinator::new(Arc::clone(&self.config), self.offsets());
        for node in coordinator.members.keys() {
            context.set_timer(Timer::Member(*node), self.config.group_session);
        }
        self.coordinator = Some(coordinator);
    }

    /// It leads the partition of offsets no more.
    pub(in super::super) fn stop_coordinating(&mut self, context: &mut Context<'_, Node>) {
        if let Some(coordinator) = self.coordinator.take() {
            for node in coordinator.members.keys() {
                context.cancel_timer(Timer::Member(*node));
            }
            context.cancel_timer(Timer::Gathering);
        }
    }

    fn on_join(&mut self, context: &mut Context<'_, Node>, call: Call, owned: Vec<PartitionId>) {
        let Some(coordinator) = self.coordinator.as_ref() else { return };
        if !coordinator.may_have(call.from, call.life, &owned) {
            // It was gone, and what it thinks to have may be somebody else's.
            return answer(context, call, Answer::Unknown);
        }
        context.set_timer(Timer::Member(call.from), self.config.group_session);
        self.change_group(context, Some(call), |coordinator| {
            let step = coordinator.join(call.from, call.life, owned);
            if let Some(member) = coordinator.members.get_mut(&call.from) {
                member.last = call.number;
            }
            step
        });
    }

    /// A member lives. It is told to join again, or what it has, if that is something else.
    fn on_beat(
        &mut self,
        context: &mut Context<'_, Node>,
        call: Call,
        generation: Generation,
        owned: Vec<PartitionId>,
    ) {
        let Some(coordinator) = self.coordinator.as_mut() else { return };
        let (current, is_gathering) = (coordinator.generation, coordinator.is_gathering);
        let is_server_side = coordinator.is_server_side();
        let member = coordinator.members.get_mut(&call.from).filter(|member| member.life == call.life);
        let Some(member) = member else { return answer(context, call, Answer::Unknown) };
        if is_server_side {
            let is_told = owned == member.assigned && generation == current;
            self.change_group(context, Some(call), |coordinator| {
                if let Some(member) = coordinator.members.get_mut(&call.from) {
                    // An old word may come late, to a coordinator that has not heard the newer ones.
                    member.owned = owned.into_iter().filter(|partition| member.holds(*partition)).collect();
                }
                if coordinator.reconcile(call.from) || !is_told { Step::Changed } else { Step::Same }
            });
            return;
        }
        let is_over = generation != current || (is_gathering && !member.has_joined);
        answer(context, call, if is_over { Answer::Rejoin } else { Answer::Fine });
    }

    /// A member was not heard of for a whole session. On a full disk it is one for a little longer.
    pub(in super::super) fn on_member_gone(&mut self, context: &mut Context<'_, Node>, node: NodeId) {
        context.sometimes(Point::MemberGone as usize);
        if self.change_group(context, None, |coordinator| coordinator.leave(node)).is_none() {
            context.set_timer(Timer::Member(node), self.config.group_heartbeat);
        }
    }

    /// Members had time enough to join again. On a full disk they have a little more.
    pub(in super::super) fn on_gathered(&mut self, context: &mut Context<'_, Node>) {
        if self.change_group(context, None, Coordinator::close_gathering).is_none() {
            context.set_timer(Timer::Gathering, self.config.group_heartbeat);
        }
    }

    /// Changes the group, writes down what it is, and answers whom it concerns once that is committed. `None` if the disk takes
    /// no more: then nothing changes.
    fn change_group(
        &mut self,
        context: &mut Context<'_, Node>,
        call: Option<Call>,
        change: impl FnOnce(&mut Coordinator) -> Step,
    ) -> Option<()> {
        let Some(coordinator) = self.coordinator.as_mut() else { return Some(()) };
        let (before, was) = (coordinator.clone(), coordinator.image());
        let step = change(coordinator);
        match step {
            Step::Same => call.into_iter().for_each(|call| answer(context, call, Answer::Fine)),
            Step::Gathering => self.gather(context, call, before.is_gathering),
            Step::Changed | Step::Shared => {
                let image = coordinator.image();
                if image != was && self.write_group(context, Arc::new(image)).is_none() {
                    self.coordinator = Some(before);
                    return None;
                }
                self.tell_group(context, call, step);
            }
        }
        Some(())
    }

    /// Waits for members to join again.
    fn gather(&mut self, context: &mut Context<'_, Node>, call: Option<Call>, was_gathering: bool) {
        if let (Some(call), Some(coordinator)) = (call, self.coordinator.as_mut()) {
            coordinator.joining.insert(call.from, call);
        }
        if !was_gathering {
            context.sometimes(Point::Rebalancing as usize);
            context.count(Counter::Rebalances as usize, 1);
            context.set_timer(Timer::Gathering, self.config.rebalance_timeout);
        }
    }

    pub(super) fn write_group(
        &mut self,
        context: &mut Context<'_, Node>,
        image: Arc<GroupImage>,
    ) -> Option<()> {
        let id = self.config.offsets_partition();
        let epoch = self.replica(id).leading()?.epoch();
        self.push(context, id, Entry { epoch, op: None, body: Body::Group(Arc::clone(&image)) })?;
        self.coordinator.as_mut()?.written = image;
        self.flush(context, id);
        self.serve_parked(context, id);
        Some(())
    }

    /// Tells members what they have, once the last record about it is committed.
    fn tell_group(&mut self, context: &mut Context<'_, Node>, call: Option<Call>, step: Step) {
        let Some(coordinator) = self.coordinator.as_mut() else { return };
        let mut calls = BTreeMap::new();
        if step == Step::Shared {
            calls = std::mem::take(&mut coordinator.joining);
            context.cancel_timer(Timer::Gathering);
        }
        calls.extend(call.map(|call| (call.from, call)));
        let waiter = |call: Call| Waiter::Member { call, answer: coordinator.assigned(call.from) };
        let waiters: Vec<Waiter> = calls.into_values().map(waiter).collect();
        self.answer_when_committed(context, waiters);
    }
}

/// Answers a consumer.
pub(in super::super) fn answer(context: &mut Context<'_, Node>, call: Call, answer: Answer) {
    let Call { from, life, number } = call;
    context.send(from, Message::Group(GroupMessage::Answer { life, number, answer }));
}

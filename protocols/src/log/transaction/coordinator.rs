//! The coordinator of transactions: who owns which transactional id, and how far its transaction is.
//!
//! It runs at the leader of the partition of transactions. Each step is a record there, and nobody is told of it before the
//! record is committed: so the next leader knows it, and ends what was begun.
//!
//! ```text
//!          InitProducerId            AddPartitions            EndTxn, or too long              all have the marker
//!  nothing ─────────────> empty ────────────────> ongoing ────────────────────> prepared ───────────────────> completed
//!                           ▲                        │  InitProducerId of another                                 │
//!                           │                        ╰──────── owner: prepared to abort                           │
//!                           ╰──────────────────────── InitProducerId, in the next epoch ──────────────────────────╯
//! ```
//!
//! While it is decided how a transaction ends, and not all partitions have the marker, whoever asks has to ask again (Kafka:
//! `CONCURRENT_TRANSACTIONS`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use sim_core::Context;

use super::super::broker::Broker;
use super::super::entry::Body;
use super::super::facts::Fact;
use super::super::group::Partitions;
use super::super::group::coordinator::{Call, answer};
use super::super::group::message::{Answer, Request};
use super::super::metrics::{Counter, Gauge};
use super::super::mutants::Mutant;
use super::super::replica::Waiter;
use super::super::types::PartitionId;
use super::super::{Message, Node, Point, Timer};
use super::message::TransactionMessage;
use super::{End, Marker, ProducerEpoch, State, TransactionImage, TransactionalId, Written};

/// What the coordinator knows of a transactional id.
#[derive(Clone, Debug, Serialize)]
struct Tracked {
    /// Its last record, perhaps not committed yet.
    image: Arc<TransactionImage>,
    /// The partitions that have no marker yet, where it is committed how the transaction ends.
    due: BTreeSet<PartitionId>,
    /// Who waits for the end.
    caller: Option<Call>,
}

/// The coordinator. See the [module documentation](self).
#[derive(Clone, Debug, Default, Serialize)]
pub struct TransactionCoordinator {
    ids: BTreeMap<TransactionalId, Tracked>,
}

impl TransactionCoordinator {
    /// Where each transactional id is, as far as it has written it down.
    pub fn images(&self) -> impl Iterator<Item = &TransactionImage> {
        self.ids.values().map(|tracked| &*tracked.image)
    }

    /// How many transactions are open or being ended.
    fn open_count(&self) -> u64 {
        let is_open = |image: &&TransactionImage| matches!(image.state, State::Ongoing | State::Prepared(_));
        self.images().filter(is_open).count() as u64
    }
}

impl Broker {
    /// It coordinates as soon as it knows that all is committed that it began to lead with: it reads the partition of
    /// transactions, gives everybody with an open transaction the whole time anew, and ends those of which it is decided how.
    pub(in super::super) fn maybe_coordinate_transactions(&mut self, context: &mut Context<'_, Node>) {
        let Some(id) = self.config.transactions_partition() else { return };
        if self.transactions.is_some() || !self.leads(id) {
            return;
        }
        let Some(committed) = self.readable(context, id) else { return };
        let mut coordinator = TransactionCoordinator::default();
        for image in self.replica(id).log.range(0, committed).filter_map(|(_, entry)| image_of(&entry.body)) {
            let image = Arc::new(image.clone());
            coordinator.ids.insert(image.id, Tracked { image, due: BTreeSet::new(), caller: None });
        }
        let images: Vec<Arc<TransactionImage>> =
            coordinator.ids.values().map(|tracked| Arc::clone(&tracked.image)).collect();
        self.transactions = Some(coordinator);
        for image in images {
            match image.state {
                State::Ongoing => {
                    context.set_timer(Timer::Transaction(image.id), self.config.transaction_timeout);
                }
                State::Prepared(_) => {
                    context.sometimes(Point::EndTakenOver as usize);
                    self.on_prepared(context, &image);
                }
                State::Empty | State::Completed(_) => {}
            }
        }
    }

    /// It leads the partition of transactions no more.
    pub(in super::super) fn stop_coordinating_transactions(&mut self, context: &mut Context<'_, Node>) {
        if let Some(coordinator) = self.transactions.take() {
            for id in coordinator.ids.into_keys() {
                context.cancel_timer(Timer::Transaction(id));
            }
            context.cancel_timer(Timer::Markers);
        }
    }

    // ----- producers -----

    /// A producer asks.
    pub(in super::super) fn on_transaction_call(
        &mut self,
        context: &mut Context<'_, Node>,
        call: Call,
        request: &Request,
    ) {
        self.maybe_coordinate_transactions(context);
        let Some(partition) = self.config.transactions_partition() else {
            panic!("{} asks {request:?}, and there are no transactions", call.from)
        };
        if self.transactions.is_none() {
            return answer(context, call, self.elsewhere(partition));
        }
        match request {
            Request::Begin { id, tenure } => self.on_begin(context, call, *id, *tenure),
            Request::AddPartitions { id, epoch, partitions } => {
                self.on_add_partitions(context, call, *id, *epoch, partitions);
            }
            Request::End { id, epoch, end } => self.on_end(context, call, *id, *epoch, *end),
            Request::Join { .. }
            | Request::Beat { .. }
            | Request::Leave
            | Request::Keep { .. }
            | Request::Ask { .. }
            | Request::Read { .. }
            | Request::Produce { .. }
            | Request::ReadResults { .. } => {
                unreachable!("{request:?} is not for the coordinator of transactions")
            }
        }
    }

    fn transaction(&self, id: TransactionalId) -> Option<Arc<TransactionImage>> {
        Some(Arc::clone(&self.transactions.as_ref()?.ids.get(&id)?.image))
    }

    /// A member has got a partition. The open transaction of whoever had it is aborted first, and that one is fenced by the
    /// next epoch.
    fn on_begin(&mut self, context: &mut Context<'_, Node>, call: Call, id: TransactionalId, tenure: u64) {
        let owner = (call.from, call.life, tenure);
        let image = match self.transaction(id) {
            None => TransactionImage {
                id,
                owner,
                epoch: ProducerEpoch::default().next(),
                number: 0,
                state: State::Empty,
                partitions: BTreeSet::new(),
                last: None,
            },
            Some(image) => match image.state {
                // It has begun, and has not heard it.
                State::Empty | State::Completed(_) if image.owner == owner => {
                    let reply = Answer::Begun { id, epoch: image.epoch };
                    return self.answer_when_committed_in(context, call, reply);
                }
                State::Empty | State::Completed(_) => {
                    let epoch = image.epoch.next();
                    TransactionImage { owner, epoch, state: State::Empty, ..(*image).clone() }
                }
                // An old message: it has begun, heard it, and gone on.
                State::Ongoing if image.owner == owner => return,
                State::Ongoing => {
                    context.sometimes(Point::TransactionTakenOver as usize);
                    self.prepare(context, &image, End::Abort, image.epoch.next());
                    return;
                }
                State::Prepared(_) => return,
            },
        };
        let reply = Answer::Begun { id, epoch: image.epoch };
        self.save_transaction(context, image, Some(Waiter::Member { call, answer: reply }));
    }

    /// A producer will write to these partitions: so they get the marker.
    fn on_add_partitions(
        &mut self,
        context: &mut Context<'_, Node>,
        call: Call,
        id: TransactionalId,
        epoch: ProducerEpoch,
        partitions: &Partitions,
    ) {
        let Some(image) = self.transaction(id).filter(|image| image.epoch == epoch) else {
            return supersede(context, call, id, epoch);
        };
        let mut all = match image.state {
            State::Prepared(_) => return,
            State::Ongoing => image.partitions.clone(),
            State::Empty | State::Completed(_) => {
                context.set_timer(Timer::Transaction(id), self.config.transaction_timeout);
                BTreeSet::new()
            }
        };
        all.extend(partitions.iter().copied());
        let reply = Answer::Added { id, epoch, partitions: Arc::clone(partitions) };
        if image.state == State::Ongoing && all == image.partitions {
            return self.answer_when_committed_in(context, call, reply);
        }
        let image = TransactionImage { state: State::Ongoing, partitions: all, ..(*image).clone() };
        self.save_transaction(context, image, Some(Waiter::Member { call, answer: reply }));
    }

    /// A producer ends its transaction. It is answered when all partitions have the marker.
    fn on_end(
        &mut self,
        context: &mut Context<'_, Node>,
        call: Call,
        id: TransactionalId,
        epoch: ProducerEpoch,
        end: End,
    ) {
        let Some(image) = self.transaction(id) else { return supersede(context, call, id, epoch) };
        match image.state {
            State::Ongoing if image.epoch == epoch => {
                let next =
                    if self.config.bumps_each_transaction() { image.epoch.next() } else { image.epoch };
                self.prepare(context, &image, end, next);
                self.call_back(id, call);
            }
            State::Prepared(_) if image.last == Some((epoch, end)) => self.call_back(id, call),
            // It has ended, and its producer has not heard it.
            State::Completed(_) if image.last == Some((epoch, end)) => {
                let reply = Answer::Ended { id, epoch, next: image.epoch };
                self.answer_when_committed_in(context, call, reply);
            }
            State::Empty | State::Ongoing | State::Prepared(_) | State::Completed(_) => {
                supersede(context, call, id, epoch);
            }
        }
    }

    fn call_back(&mut self, id: TransactionalId, call: Call) {
        if let Some(tracked) = self.transactions.as_mut().and_then(|all| all.ids.get_mut(&id)) {
            tracked.caller = Some(call);
        }
    }

    /// A producer has had a transaction open for too long: nobody waits for it any more.
    pub(in super::super) fn on_transaction_timeout(
        &mut self,
        context: &mut Context<'_, Node>,
        id: TransactionalId,
    ) {
        let Some(image) = self.transaction(id).filter(|image| image.state == State::Ongoing) else { return };
        context.sometimes(Point::TransactionTimedOut as usize);
        context.count(Counter::TransactionsTimedOut as usize, 1);
        if self.prepare(context, &image, End::Abort, image.epoch.next()).is_none() {
            context.set_timer(Timer::Transaction(id), self.config.transaction_timeout);
        }
    }

    // ----- the end -----

    /// Decides how a transaction ends. `None` if the disk takes no more: then nothing changes.
    fn prepare(
        &mut self,
        context: &mut Context<'_, Node>,
        image: &TransactionImage,
        end: End,
        epoch: ProducerEpoch,
    ) -> Option<()> {
        let (number, state) = (image.number + 1, State::Prepared(end));
        let last = Some((image.epoch, end));
        let next = TransactionImage { epoch, number, state, last, ..image.clone() };
        self.save_transaction(context, next, None)?;
        context.cancel_timer(Timer::Transaction(image.id));
        Some(())
    }

    /// Writes a step down. `None` if the disk takes no more: then nothing changes.
    fn save_transaction(
        &mut self,
        context: &mut Context<'_, Node>,
        image: TransactionImage,
        waiter: Option<Waiter>,
    ) -> Option<()> {
        let partition = self.config.transactions_partition()?;
        self.write_down(context, partition, Arc::new(Written::State(image.clone())), waiter)?;
        if let Some(coordinator) = self.transactions.as_mut() {
            let tracked = Tracked { image: Arc::new(image), due: BTreeSet::new(), caller: None };
            coordinator.ids.insert(tracked.image.id, tracked);
        }
        self.tell_open(context);
        Some(())
    }

    fn tell_open(&self, context: &mut Context<'_, Node>) {
        let open = self.transactions.as_ref().map_or(0, TransactionCoordinator::open_count);
        context.gauge(Gauge::TransactionsOpen as usize, open);
    }

    /// More of the partition of transactions is committed, from `before` on: what is decided is carried out.
    pub(in super::super) fn on_transactions_committed(
        &mut self,
        context: &mut Context<'_, Node>,
        before: u64,
    ) {
        let Some(id) = self.config.transactions_partition() else { return };
        if self.transactions.is_none() {
            return self.maybe_coordinate_transactions(context);
        }
        let replica = self.replica(id);
        let committed = replica.log.range(before, replica.high_watermark);
        let images: Vec<TransactionImage> =
            committed.filter_map(|(_, entry)| image_of(&entry.body)).cloned().collect();
        for image in images {
            context.fact(Fact::Stepped { image: Arc::new(image.clone()) });
            if let State::Prepared(_) = image.state {
                self.on_prepared(context, &image);
            }
        }
    }

    /// It is committed how a transaction ends: all its partitions get the marker.
    fn on_prepared(&mut self, context: &mut Context<'_, Node>, image: &TransactionImage) {
        if let Some(tracked) = self.transactions.as_mut().and_then(|all| all.ids.get_mut(&image.id)) {
            tracked.due.clone_from(&image.partitions);
        }
        self.send_markers(context);
    }

    /// Sends markers to where they are due, and again after a while.
    pub(in super::super) fn send_markers(&mut self, context: &mut Context<'_, Node>) {
        let Some(coordinator) = self.transactions.as_ref() else { return };
        let due: Vec<(PartitionId, Marker)> = coordinator
            .ids
            .values()
            .filter_map(|tracked| Some((tracked.image.marker()?, &tracked.due)))
            .flat_map(|(marker, due)| due.iter().map(move |partition| (*partition, marker)))
            .collect();
        if due.is_empty() {
            return;
        }
        context.set_timer(Timer::Markers, self.config.call_timeout);
        for (partition, marker) in due {
            if self.leads(partition) {
                self.on_write_marker(context, self.node, partition, marker);
            } else if let Some(leader) = self.leader_of(partition) {
                let message = TransactionMessage::WriteMarker { partition, marker };
                context.send(leader, Message::Transaction(message));
            }
        }
    }

    /// A partition has the marker. With the last one the transaction is over.
    pub(super) fn on_marker_written(
        &mut self,
        context: &mut Context<'_, Node>,
        partition: PartitionId,
        marker: Marker,
    ) {
        let Some(coordinator) = self.transactions.as_mut() else { return };
        let Some(tracked) = coordinator.ids.get_mut(&marker.id) else { return };
        if tracked.image.number != marker.number || !tracked.due.remove(&partition) {
            return;
        }
        let State::Prepared(end) = tracked.image.state else { return };
        if !tracked.due.is_empty() {
            return;
        }
        let (image, caller) = ((*tracked.image).clone(), tracked.caller);
        let waiter = caller.zip(image.last).map(|(call, (epoch, _))| {
            let answer = Answer::Ended { id: image.id, epoch, next: image.epoch };
            Waiter::Member { call, answer }
        });
        let next = TransactionImage { state: State::Completed(end), partitions: BTreeSet::new(), ..image };
        if self.save_transaction(context, next, waiter).is_some() {
            context.count(counter_of(end) as usize, 1);
        } else if let Some(tracked) = self.transactions.as_mut().and_then(|all| all.ids.get_mut(&marker.id)) {
            // On a full disk it asks again for this marker, which is there.
            tracked.due.insert(partition);
        }
    }

    fn answer_when_committed_in(&mut self, context: &mut Context<'_, Node>, call: Call, reply: Answer) {
        let Some(id) = self.config.transactions_partition() else { return };
        let last = self.replica(id).log.end().saturating_sub(1);
        self.answer_at(context, id, last, Waiter::Member { call, answer: reply });
    }
}

/// Somebody else has begun since, or the transaction was ended without its producer.
pub(super) fn supersede(
    context: &mut Context<'_, Node>,
    call: Call,
    id: TransactionalId,
    epoch: ProducerEpoch,
) {
    context.sometimes(Point::ProducerFenced as usize);
    context.count(Counter::ProducersFenced as usize, 1);
    answer(context, call, Answer::Superseded { id, epoch });
}

const fn counter_of(end: End) -> Counter {
    match end {
        End::Commit => Counter::TransactionsCommitted,
        End::Abort => Counter::TransactionsAborted,
    }
}

fn image_of(body: &Body) -> Option<&TransactionImage> {
    let Body::Transactional(written) = body else { return None };
    if let Written::State(image) = &**written { Some(image) } else { None }
}

impl super::super::Config {
    /// Whether each transaction has an epoch of its own.
    fn bumps_each_transaction(&self) -> bool {
        self.epoch_per_transaction.is_on() && !self.has(Mutant::HangingTransaction)
    }
}

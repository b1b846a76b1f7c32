//! A broker by itself, with its log on its own disk.
//!
//! Commands that come while a sync is under way are covered together by the next one. A restart performs the commands of
//! the log again, from the last snapshot on.

use std::sync::Arc;

use serde::Serialize;
use sim_core::service::queue;
use sim_core::{Context, LocalTime, NodeId, OpId, SyncId};

use super::broker::{Broker, Journal};
use super::command::Command;
use super::config::Config;
use super::durable::{LOG, Record, SNAPSHOT, Snapshot};
use super::facts::Fact;
use super::message::Message;
use super::mutants::Mutant;
use super::state::Queue;
use super::{FaultPoint, Node};

/// A sync of the log that is under way.
#[derive(Clone, Debug, Serialize)]
struct Flush {
    sync: SyncId,
    /// How many commands it covers.
    end: u64,
    /// The queue after them, where the log has become long.
    snapshot: Option<Arc<Snapshot>>,
}

/// The log on a disk.
#[derive(Clone, Debug, Serialize)]
struct DiskLog {
    snapshot_every: u64,
    /// Whether the log has commands that no flush covers.
    is_dirty: bool,
    flush: Option<Flush>,
    /// Up to where the log is in the snapshot on disk, and up to where in one that is being written.
    snapshot_upto: u64,
    snapshot_sync: Option<(SyncId, u64)>,
}

impl Journal for DiskLog {
    fn append(&mut self, context: &mut Context<'_, Node>, at: LocalTime, command: Command) -> bool {
        let is_written = context.append(LOG, Record::Command { at, command }).is_ok();
        if is_written {
            context.fault_point(FaultPoint::Command as usize);
            self.is_dirty = true;
        }
        is_written
    }

    fn keep(&mut self, context: &mut Context<'_, Node>, queue: &Queue) {
        if !self.is_dirty || self.flush.is_some() {
            return;
        }
        self.is_dirty = false;
        let end = context.disk().log_bounds(LOG).end;
        let is_long = end - self.snapshot_upto >= self.snapshot_every;
        let snapshot = (is_long && self.snapshot_sync.is_none())
            .then(|| Arc::new(Snapshot { upto: end, queue: queue.clone() }));
        self.flush = Some(Flush { sync: context.sync(LOG), end, snapshot });
    }
}

impl DiskLog {
    const fn new(config: &Config) -> Self {
        Self {
            snapshot_every: config.snapshot_every,
            is_dirty: false,
            flush: None,
            snapshot_upto: 0,
            snapshot_sync: None,
        }
    }

    /// The queue that the disk kept, and how many commands made it.
    fn recover(&mut self, context: &mut Context<'_, Node>, empty: Queue) -> (Queue, u64) {
        let mut queue = empty;
        if let Ok(Some(Record::Snapshot(snapshot))) = context.disk().read_cell(SNAPSHOT) {
            self.snapshot_upto = snapshot.upto;
            queue = snapshot.queue.clone();
        }
        let end = context.disk().log_bounds(LOG).end;
        for index in self.snapshot_upto..end {
            let Ok(Some(Record::Command { at, command })) = context.disk().read_entry(LOG, index) else {
                // What is unreadable is beyond what is promised: it is as if the log ended before it.
                context.truncate_from(LOG, index);
                return (queue, index);
            };
            let (at, command) = (*at, *command);
            let events = queue.apply(at, command);
            context.fact(Fact::Recorded { index, at, events });
        }
        (queue, end.max(self.snapshot_upto))
    }

    /// All that is in the snapshot is on disk already, in the log.
    fn write_snapshot(&mut self, context: &mut Context<'_, Node>, snapshot: Arc<Snapshot>) {
        let upto = snapshot.upto;
        if context.replace(SNAPSHOT, Record::Snapshot(snapshot)).is_ok() {
            context.fault_point(FaultPoint::Snapshot as usize);
            self.snapshot_sync = Some((context.sync(SNAPSHOT), upto));
        }
    }
}

/// A broker by itself. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Standalone {
    pub(super) broker: Broker,
    log: DiskLog,
    #[serde(skip)]
    config: Arc<Config>,
}

impl Standalone {
    /// A broker that remembers nothing yet.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        Self { broker: Broker::boot(Arc::clone(&config), node), log: DiskLog::new(&config), config }
    }

    pub(super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        let (mut queue, end) = self.log.recover(context, Queue::new(self.config.rules));
        if self.config.has(Mutant::CountVolatile) {
            queue.forget_counts();
        }
        if self.config.has(Mutant::DedupInMemory) {
            queue.forget_known();
        }
        self.broker.resume(queue, end);
        context.fact(Fact::Recovered);
        self.broker.go_on(context, &mut self.log);
    }

    pub(super) fn on_request(
        &mut self,
        context: &mut Context<'_, Node>,
        op: OpId,
        operation: queue::Operation,
    ) {
        self.broker.on_request(context, &mut self.log, op, operation);
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Node>, from: NodeId, message: &Message) {
        self.broker.on_message(context, &mut self.log, from, message);
    }

    pub(super) fn on_deadline(&mut self, context: &mut Context<'_, Node>) {
        self.broker.on_deadline(context, &mut self.log);
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        if let Some((_, upto)) = self.log.snapshot_sync.take_if(|(waited, _)| *waited == sync) {
            self.log.snapshot_upto = upto;
            return context.truncate_before(LOG, upto);
        }
        let Some(Flush { end, snapshot, .. }) = self.log.flush.take_if(|flush| flush.sync == sync) else {
            return;
        };
        while let Some(result) = self.broker.next_result(end) {
            let (index, at, events) = (result.index, result.at, result.events.clone());
            context.fact(Fact::Recorded { index, at, events });
            self.broker.tell(context, result);
        }
        if let Some(snapshot) = snapshot {
            self.log.write_snapshot(context, snapshot);
        }
        self.broker.go_on(context, &mut self.log);
    }
}

//! How a process acts: the only way it reaches anything outside itself.

use crate::disk::{Disk, RegionId, WriteError};
use crate::fingerprint::fingerprint;
use crate::metrics::Opinion;
use crate::process::Process;
use crate::random::Stream;
use crate::service::Outcome;
use crate::world::Core;
use crate::{LocalTime, NodeId, OpId, Span, SyncId};

/// What a [`Process`] holds while it handles an input: its clocks, its random stream and its effects.
///
/// Effects happen in the order of the calls. A `CrashAfterEffect` command may cut them after any one; the
/// handler runs on unaware, and the node crashes at its end.
pub struct Context<'a, P: Process> {
    core: &'a mut Core<P>,
    node: NodeId,
}

/// Only unwinding drops a context: its process has panicked.
impl<P: Process> Drop for Context<'_, P> {
    fn drop(&mut self) {
        self.core.is_process_to_blame = true;
    }
}

impl<'a, P: Process> Context<'a, P> {
    /// Lets the process on `node` do its `work`. If that panics, the process is to blame; the rest costs nothing.
    #[inline(always)]
    pub(crate) fn during(core: &'a mut Core<P>, node: NodeId, work: impl FnOnce(&mut Self)) {
        let mut context = Self { core, node };
        work(&mut context);
        std::mem::forget(context);
    }

    /// The node that this process runs on.
    #[inline]
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// How many nodes the scenario has, running or not, spares included.
    #[inline]
    pub fn node_count(&self) -> usize {
        self.core.node_count()
    }

    /// Whether this is the node's first start: it belongs to a new group, and has lost nothing. An operator who sets
    /// up a group knows that, whatever its disks hold.
    pub fn is_first_start(&self) -> bool {
        self.core.is_first_start(self.node)
    }

    /// Whether something was durable on this node's disk once and nothing is now. An empty disk alone cannot tell a node that
    /// has lost everything from a new one: somebody outside must remember that it has written before, as the marker file
    /// in a file system of others does in Paxos Made Live §5.1.
    pub fn is_disk_lost(&self) -> bool {
        self.core.is_disk_lost(self.node)
    }

    /// The node's monotonic clock: never goes back, may drift or stand still.
    #[inline]
    pub fn now(&self) -> LocalTime {
        self.core.monotonic(self.node)
    }

    /// The node's wall clock: may also jump either way.
    pub fn wall(&self) -> LocalTime {
        self.core.wall(self.node)
    }

    /// How far the wall clock says it may be from true time, for processes that want intervals.
    pub fn clock_error(&self) -> Span {
        self.core.clock_error(self.node)
    }

    /// This process's random stream, keyed by (seed, node, incarnation).
    #[inline]
    pub fn random(&mut self) -> &mut Stream {
        self.core.process_stream(self.node)
    }

    /// Sends a message. It may be lost, delayed, duplicated or overtaken; a message to oneself is not.
    #[inline(always)]
    pub fn send(&mut self, to: NodeId, message: P::Message) {
        self.core.send(self.node, to, message);
    }

    /// Sends a message to every other node of the scenario, in order of node.
    pub fn broadcast(&mut self, message: &P::Message) {
        for index in 0..self.core.node_count() {
            let to = NodeId::new(u32::try_from(index).expect("node counts fit 31 bits"));
            if to != self.node {
                self.core.send(self.node, to, message.clone());
            }
        }
    }

    /// Arms a timer `delay` from now on the monotonic clock; moves it if it is armed.
    #[inline]
    pub fn set_timer(&mut self, timer: P::Timer, delay: Span) {
        self.core.set_timer(self.node, timer, delay);
    }

    /// Disarms a timer; nothing happens if it is not armed.
    #[inline]
    pub fn cancel_timer(&mut self, timer: P::Timer) {
        self.core.cancel_timer(self.node, timer);
    }

    /// The disk, to read from. Reads see what was written, durable or not, and are free.
    pub fn disk(&mut self) -> &Disk<P::Record> {
        self.core.disk(self.node)
    }

    /// Appends a record to a log region; returns its index.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn append(&mut self, region: RegionId, record: P::Record) -> Result<u64, WriteError> {
        let written =
            self.core.write_disk(self.node, region, fingerprint(&record), |disk| disk.append(region, record));
        written.map(Option::unwrap_or_default)
    }

    /// Removes the records of a log region from `index` on.
    pub fn truncate_from(&mut self, region: RegionId, index: u64) {
        self.core.change_disk(self.node, region, index, |disk| disk.truncate_from(region, index));
    }

    /// Removes the records of a log region before `index`.
    pub fn truncate_before(&mut self, region: RegionId, index: u64) {
        self.core.change_disk(self.node, region, index, |disk| disk.truncate_before(region, index));
    }

    /// Replaces the content of a cell region, atomically.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn replace(&mut self, region: RegionId, record: P::Record) -> Result<(), WriteError> {
        let written = self
            .core
            .write_disk(self.node, region, fingerprint(&record), |disk| disk.replace(region, record));
        written.map(Option::unwrap_or_default)
    }

    /// Adds a chunk to the staged content of a blob region.
    ///
    /// # Errors
    /// If the disk is full.
    pub fn stage(&mut self, region: RegionId, chunk: P::Record) -> Result<(), WriteError> {
        self.core
            .write_disk(self.node, region, fingerprint(&chunk), |disk| disk.stage(region, chunk))
            .map(Option::unwrap_or_default)
    }

    /// Forgets the staged chunks of a blob region.
    pub fn discard_staged(&mut self, region: RegionId) {
        self.core.change_disk(self.node, region, 0, |disk| disk.discard_staged(region));
    }

    /// Makes the staged chunks of a blob region its content, by rename.
    pub fn commit(&mut self, region: RegionId) {
        self.core.change_disk(self.node, region, 1, |disk| disk.commit(region));
    }

    /// Asks that everything written to a region so far be made durable; `on_durable` tells when it is. Syncs of
    /// one node complete in the order they were asked for.
    pub fn sync(&mut self, region: RegionId) -> SyncId {
        self.core.sync(self.node, region)
    }

    /// Answers a client.
    pub fn reply(&mut self, op: OpId, outcome: Outcome) {
        self.core.reply(self.node, op, outcome);
    }

    /// Does something to the outside world (an e-mail, a payment): recorded and digested, and final.
    pub fn effect(&mut self, outcome: &Outcome) {
        self.core.outside_effect(self.node, outcome);
    }

    /// States what just happened, for invariants. A change of standing must come with a fact. Nobody hears of facts
    /// stated after an effect that a `CrashAfterEffect` cut.
    #[inline]
    pub fn fact(&mut self, fact: P::Fact) {
        self.core.state_fact(fact);
    }

    /// A remark for people; `text` runs only while a trace is recorded.
    pub fn note(&mut self, text: impl FnOnce() -> String) {
        self.core.remark(self.node, text);
    }

    /// The handler is at a named place, between two of its effects: the index into [`Process::FAULT_POINTS`]. A plan can
    /// make the node crash right here, or act when it was reached. Costs a count while no plan names a point.
    ///
    /// # Panics
    /// If there is no such point.
    #[inline]
    pub fn fault_point(&mut self, point: usize) {
        self.core.reach_fault_point(self.node, point);
    }

    /// Sets a gauge of this process: the index into [`Process::GAUGES`]. It stands until it is set anew or the process
    /// dies, and is no effect: neither the digest nor a `CrashAfterEffect` counts it.
    ///
    /// # Panics
    /// If there is no such gauge.
    pub fn gauge(&mut self, gauge: usize, level: u64) {
        self.core.set_gauge(self.node, gauge, level);
    }

    /// Counts: the index into [`Process::COUNTERS`]. As little an effect as a gauge is.
    ///
    /// # Panics
    /// If there is no such counter.
    pub fn count(&mut self, counter: usize, amount: u64) {
        if let Some((_, own)) = self.core.own_metrics() {
            own.count(counter, amount);
        }
    }

    /// Something that takes a time begins here: the index into [`Process::LATENCIES`]. Its `key`, such as the index of an entry,
    /// tells it from others of this process; what has begun already goes on. As little an effect as a gauge is.
    ///
    /// # Panics
    /// If there is no such latency.
    pub fn begin(&mut self, latency: usize, key: u64) {
        let node = self.node;
        if let Some((now, own)) = self.core.own_metrics() {
            own.begin(now, node, latency, key);
        }
    }

    /// What has begun by this key ends, and counts with the true time that it took. Nothing happens if this process has
    /// not begun it since its last start.
    ///
    /// # Panics
    /// If there is no such latency.
    pub fn end(&mut self, latency: usize, key: u64) {
        let node = self.node;
        if let Some((now, own)) = self.core.own_metrics() {
            own.end(now, node, latency, key);
        }
    }

    /// Something took a time that the process itself knows, such as what a message says of its way here: counts with the
    /// latencies of this name. As little an effect as a gauge is.
    ///
    /// # Panics
    /// If there is no such latency.
    pub fn took(&mut self, latency: usize, span: Span) {
        if let Some((_, own)) = self.core.own_metrics() {
            own.took(latency, span);
        }
    }

    /// Nothing of this latency that the process has begun will end.
    ///
    /// # Panics
    /// If there is no such latency.
    pub fn abandon(&mut self, latency: usize) {
        let node = self.node;
        if let Some((_, own)) = self.core.own_metrics() {
            own.abandon(node, latency);
        }
    }

    /// This process is a failure detector, and watches so many others that it does not suspect. From that and from [`Context::judge`] follows
    /// how good it is: see the metrics `detection`, `mistake`, `mistake-recurrence` and `query-accuracy`. As little an effect as a
    /// gauge is.
    pub fn watch(&mut self, count: u64) {
        let node = self.node;
        if let Some((now, own)) = self.core.own_metrics() {
            own.detection().watch(now, node, count);
        }
    }

    /// What this process takes another one for has changed, or not: only a change counts. Who is not suspected is trusted as far as
    /// [`Context::watch`] counts it. As little an effect as a gauge is.
    pub fn judge(&mut self, other: NodeId, opinion: Opinion) {
        self.core.judge(self.node, other, opinion);
    }

    /// A situation worth reaching was reached: the index into [`Process::POINTS`].
    ///
    /// # Panics
    /// If there is no such point.
    pub fn sometimes(&mut self, point: usize) {
        self.core.reach_point(point);
    }
}

//! Group commit: acts that must not happen before what led to them is on disk, for protocols that write to one region.
//!
//! One flush is under way at a time; what is written meanwhile waits for the next and shares it.

use serde::Serialize;
use sim_core::disk::{RegionId, WriteError};
use sim_core::{Context, Process, SyncId};

use crate::replicated::Outbox;

/// Acts of type `A` that wait for one region of the disk, in order.
#[derive(Clone, Debug, Serialize)]
pub struct GroupCommit<A> {
    #[serde(skip)]
    region: RegionId,
    outbox: Outbox<A>,
    /// Whether something was written that no flush covers.
    is_dirty: bool,
}

impl<A> GroupCommit<A> {
    /// For what is written to `region`.
    pub fn new(region: RegionId) -> Self {
        Self { region, outbox: Outbox::default(), is_dirty: false }
    }

    /// Replaces what the region, a cell, holds.
    ///
    /// # Errors
    /// If the disk is full; then nothing was written.
    pub fn replace<P: Process>(
        &mut self,
        context: &mut Context<'_, P>,
        record: P::Record,
    ) -> Result<(), WriteError> {
        context.replace(self.region, record)?;
        self.is_dirty = true;
        Ok(())
    }

    /// Appends to the region, a log.
    ///
    /// # Errors
    /// If the disk is full; then nothing was written.
    pub fn append<P: Process>(
        &mut self,
        context: &mut Context<'_, P>,
        record: P::Record,
    ) -> Result<u64, WriteError> {
        let index = context.append(self.region, record)?;
        self.is_dirty = true;
        Ok(index)
    }

    /// Keeps an act until all that was written so far is on disk, and sees to it that it gets there; gives the act
    /// back if it is.
    pub fn after_durable<P: Process>(&mut self, context: &mut Context<'_, P>, act: A) -> Option<A> {
        self.flush(context);
        self.outbox.hold(act, self.is_dirty)
    }

    /// Sees to it that what was written gets to the disk, also if nothing waits for it.
    pub fn flush<P: Process>(&mut self, context: &mut Context<'_, P>) {
        if self.is_dirty && self.outbox.flushes_under_way() == 0 {
            self.is_dirty = false;
            self.outbox.begin(context.sync(self.region), ());
        }
    }

    /// A sync is done: what waited for it comes out of [`next_ready`](Self::next_ready).
    pub fn on_durable<P: Process>(&mut self, context: &mut Context<'_, P>, sync: SyncId) {
        if self.outbox.end(sync).is_some() {
            self.flush(context);
        }
    }

    /// The next act that waits no more.
    pub fn next_ready(&mut self) -> Option<A> {
        self.outbox.next_ready()
    }

    /// How many acts wait.
    pub fn len(&self) -> usize {
        self.outbox.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.outbox.is_empty()
    }
}

//! Receiving a leader's snapshot (§7, Figure 13).
//!
//! Chunks are staged on disk as they come. The last one makes them the snapshot, by rename; when that is durable the node
//! takes it over, and says so. A crash before leaves the old snapshot, one after the new one.

use std::fmt;

use serde::{Serialize, Serializer};
use sim_core::disk::WriteError;
use sim_core::{Context, NodeId};

use super::durable::{Deferred, Record};
use super::host::{Acts as _, Application, Host};
use super::message::{Chunk, InstallResult, InstallSnapshot, InstallSnapshotReply, Message};
use super::metrics::Counter;
use super::mutants::Mutant;
use super::role::Role;
use super::snapshot::{SNAPSHOT, Snapshot, SnapshotMeta};
use super::{Point, Replica};
use crate::replicated::Item;

/// A snapshot that arrives.
#[derive(Clone, Debug)]
pub(super) struct Incoming<I = Item> {
    meta: SnapshotMeta,
    /// What has come so far: staged on disk too.
    items: Vec<I>,
    /// Whether all of it has, and is on its way to the disk.
    is_whole: bool,
}

/// `receiving one up to 20: 3 items`.
impl<I> fmt::Display for Incoming<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_whole { ", all" } else { "" };
        write!(f, "receiving one up to {}: {} items{state}", self.meta.index, self.items.len())
    }
}

/// What the items are follows from what the snapshot is of, and how many there are.
impl<I> Serialize for Incoming<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.meta, self.items.len() as u64, self.is_whole).serialize(serializer)
    }
}

impl<A: Application> Replica<A> {
    /// The leader of the current term sends a piece of its snapshot.
    pub(super) fn on_install_snapshot(
        &mut self,
        context: &mut Context<'_, A::Host>,
        from: NodeId,
        install: &InstallSnapshot<A::Item>,
    ) {
        self.assert_no_other_leads(from, "InstallSnapshot");
        self.follow(context, from);
        let (term, round, offset) = (self.term(), install.round, install.offset);
        let reply = |result| InstallSnapshotReply { term, round, offset, result };
        let is_old = install.meta.index <= self.log.commit();
        let result = if is_old && !self.config.has(Mutant::SnapshotResetsCommit) {
            InstallResult::Installed(self.log.commit())
        } else {
            match self.take_chunk(context, install) {
                Ok(Some(next)) => InstallResult::Next(next),
                Ok(None) => {
                    let reply = reply(InstallResult::Installed(install.meta.index));
                    return self.after_durable(context, Deferred::Install { to: from, reply });
                }
                // The piece did not fit on the disk, or the whole is being written: it counts as lost.
                Err(_) => return,
            }
        };
        let message = Message::InstallSnapshotReply(reply(result));
        self.after_durable(context, Deferred::Send { to: from, message });
    }

    /// Takes a piece. Returns where the next one begins; `None` if it was the last.
    fn take_chunk(
        &mut self,
        context: &mut Context<'_, A::Host>,
        install: &InstallSnapshot<A::Item>,
    ) -> Result<Option<u64>, Unusable> {
        if self.taking.is_some() {
            return Err(Unusable::Busy);
        }
        let is_another = self.incoming.as_ref().is_none_or(|incoming| incoming.meta != install.meta);
        if is_another {
            if self.incoming.as_ref().is_some_and(|incoming| incoming.is_whole) {
                return Err(Unusable::Busy);
            }
            if install.offset > 0 {
                return Ok(Some(0));
            }
            context.discard_staged(SNAPSHOT);
            context.stage(SNAPSHOT, A::Host::record(Record::Snapshot(Box::new(install.meta))))?;
            self.incoming = Some(Incoming { meta: install.meta, items: Vec::new(), is_whole: false });
        }
        let incoming = self.incoming.as_mut().expect("there is one now");
        if incoming.is_whole {
            return Err(Unusable::Busy);
        }
        if install.offset != incoming.items.len() as u64 {
            return Ok(Some(incoming.items.len() as u64));
        }
        if !install.items.is_empty() {
            context.stage(SNAPSHOT, A::Host::record(Record::Items(install.items.clone())))?;
            incoming.items.extend(install.items.iter().cloned());
        }
        match install.progress {
            Chunk::More => Ok(Some(incoming.items.len() as u64)),
            Chunk::Last => {
                incoming.is_whole = true;
                self.commit_snapshot(context);
                Ok(None)
            }
        }
    }

    /// The leader's snapshot is durable: it takes the place of state machine and log, unless the log has come as far by
    /// itself meanwhile.
    pub(super) fn install(
        &mut self,
        context: &mut Context<'_, A::Host>,
        to: NodeId,
        reply: InstallSnapshotReply,
    ) {
        let Incoming { meta, items, .. } = self.incoming.take().expect("it was kept until it was durable");
        let is_needed = meta.index > self.log.commit() || self.config.has(Mutant::SnapshotResetsCommit);
        if is_needed && !matches!(self.role, Role::Leader(_)) {
            self.take_over(context, Snapshot { meta, items: items.into() });
        }
        // The answer is of the term in which the snapshot came: a newer leader asks by itself.
        self.send(context, to, Message::InstallSnapshotReply(reply));
    }

    fn take_over(&mut self, context: &mut Context<'_, A::Host>, snapshot: Snapshot<A::Item>) {
        context.reach(Point::SnapshotInstalled);
        context.tally(Counter::SnapshotsInstalled, 1);
        if self.config.has(Mutant::SnapshotDiscardsSuffix) {
            self.log.replace_by(&snapshot.meta, context);
        }
        self.log.restore(&snapshot.meta, context);
        let position = (snapshot.meta.index, snapshot.meta.chain);
        self.machine = self.machine.restored(position, snapshot.items.iter().cloned());
        self.snapshot = snapshot;
        self.refresh_members(context);
        self.serve_forwarded(context);
        self.flush(context);
    }
}

/// Why a piece cannot be used now.
enum Unusable {
    /// Another snapshot is on its way to the disk.
    Busy,
    /// The disk is full.
    Full,
}

impl From<WriteError> for Unusable {
    fn from(_: WriteError) -> Self {
        Self::Full
    }
}

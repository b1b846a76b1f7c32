//! A controller by itself, with what it decides on its own disk.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::Disk;
use sim_core::{Context, NodeId, SyncId};

use super::config::Config;
use super::controller::{Controller, Journal};
use super::durable::{METADATA, Record};
use super::image::Image;
use super::message::Message;
use super::{FaultPoint, Node};
use crate::group_commit::GroupCommit;

/// The image on a disk. What waits for it is a version.
#[derive(Clone, Debug, Serialize)]
struct DiskImage(GroupCommit<u64>);

impl Journal for DiskImage {
    fn write(&mut self, context: &mut Context<'_, Node>, _: &Image, image: &Arc<Image>) -> bool {
        let is_written = self.0.replace(context, Record::Image(Arc::clone(image))).is_ok();
        if is_written {
            context.fault_point(FaultPoint::Metadata as usize);
        }
        is_written
    }

    fn wait(&mut self, context: &mut Context<'_, Node>, version: u64) -> Option<u64> {
        self.0.after_durable(context, version)
    }
}

/// A controller by itself. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Standalone {
    pub(super) controller: Controller,
    disk: DiskImage,
    #[serde(skip)]
    config: Arc<Config>,
}

impl Standalone {
    /// A controller that remembers nothing yet.
    pub(super) fn boot(config: Arc<Config>) -> Self {
        let image = Arc::new(Image::initial(&config));
        let controller = Controller::new(Arc::clone(&config), image);
        Self { controller, disk: DiskImage(GroupCommit::new(METADATA)), config }
    }

    pub(super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        if let Some(image) = kept(context.disk()) {
            self.controller = Controller::new(Arc::clone(&self.config), image);
        }
        self.controller.start(context);
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Node>, from: NodeId, message: &Message) {
        self.controller.on_message(context, &mut self.disk, from, message);
    }

    pub(super) fn on_session_over(&mut self, context: &mut Context<'_, Node>, node: NodeId) {
        self.controller.on_session_over(context, &mut self.disk, node);
    }

    pub(super) fn on_rebalance(&mut self, context: &mut Context<'_, Node>) {
        self.controller.on_rebalance(context, &mut self.disk);
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        self.disk.0.on_durable(context, sync);
        while let Some(version) = self.disk.0.next_ready() {
            self.controller.release(context, version);
        }
    }
}

/// An unreadable cell is beyond what the log promises to survive.
fn kept(disk: &Disk<Record>) -> Option<Arc<Image>> {
    match disk.read_cell(METADATA) {
        Ok(Some(Record::Image(image))) => Some(Arc::clone(image)),
        Ok(
            Some(
                Record::Entry(_)
                | Record::Beginning { .. }
                | Record::Effect(_)
                | Record::Result { .. }
                | Record::Raft(_),
            )
            | None,
        )
        | Err(_) => None,
    }
}

//! Several controllers, with what they decide in Raft (`KRaft`).
//!
//! The leader of Raft is the *active* controller, once it has executed all that it found in the log. What it decides brokers are told
//! when it is committed. A controller that is not active says who is, as far as it knows.

use std::sync::Arc;

use serde::Serialize;
use sim_core::service::log;
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, SyncId};

use super::config::Config;
use super::controller::{Controller, Journal, tell_changes};
use super::facts::Fact;
use super::image::Image;
use super::message::Message;
use super::metadata::{Metadata, batch};
use super::{Node, Timer};
use crate::raft;
use crate::replicated::{Step, Told};

/// The replica of a controller.
type Replica = raft::Replica<Told<Metadata>>;

impl Journal for Replica {
    fn write(&mut self, context: &mut Context<'_, Node>, before: &Image, image: &Arc<Image>) -> bool {
        let parts = batch(before, image);
        // A disk that is full in the middle leaves a batch that is never finished.
        self.has_room_for(parts.len() as u64)
            && parts.into_iter().all(|part| self.submit(context, Step::Change(part)).is_some())
    }

    fn wait(&mut self, context: &mut Context<'_, Node>, version: u64) -> Option<u64> {
        self.spread(context);
        let decided = self.machine().state().image().version;
        (decided >= version).then_some(decided)
    }
}

/// One of several controllers. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Quorum {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    replica: Replica,
    office: raft::Office<Controller>,
}

impl Quorum {
    /// A controller that remembers nothing yet.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        let initial = Arc::new(Image::initial(&config));
        let replica = Replica::new(Arc::new(config.raft()), node, Told::new(Metadata::new(initial)));
        Self { node, config, replica, office: raft::Office::default() }
    }

    /// The log, and what it has decided.
    pub(super) const fn replica(&self) -> &Replica {
        &self.replica
    }

    /// What was decided, as far as it knows.
    pub fn image(&self) -> &Arc<Image> {
        self.replica.machine().state().image()
    }

    /// Who may do what a client asks, as far as it knows.
    pub(super) fn leader_for(&self, operation: log::Operation) -> Option<NodeId> {
        self.image().partition(self.config.partition_of(operation)?).leader
    }

    // ----- inputs -----

    pub(super) fn on_start(&mut self, context: &mut Context<'_, Node>) {
        self.replica.start(context);
    }

    pub(super) fn on_message(&mut self, context: &mut Context<'_, Node>, from: NodeId, message: Message) {
        match (message, self.office.holder_mut()) {
            (Message::Raft(message), _) => self.replica.receive(context, from, *message),
            (message, Some(controller)) => {
                context.send(from, Message::Active(Some(self.node)));
                controller.on_message(context, &mut self.replica, from, &message);
            }
            (_, None) => context.send(from, Message::Active(self.leader())),
        }
        self.settle(context);
    }

    pub(super) fn on_timer(&mut self, context: &mut Context<'_, Node>, timer: Timer) {
        match (timer, self.office.holder_mut()) {
            (Timer::Raft(timer), _) => self.replica.expire(context, timer),
            (Timer::Session(node), Some(controller)) => {
                controller.on_session_over(context, &mut self.replica, node);
            }
            (Timer::Rebalance, Some(controller)) => controller.on_rebalance(context, &mut self.replica),
            (timer, _) => unreachable!("{}, a controller, sets no timer {timer:?} now", self.node),
        }
        self.settle(context);
    }

    pub(super) fn on_durable(&mut self, context: &mut Context<'_, Node>, sync: SyncId) {
        self.replica.on_sync_done(context, sync);
        self.settle(context);
    }

    // ----- who is active -----

    /// Who else leads; nobody, if this node does and is not active yet.
    fn leader(&self) -> Option<NodeId> {
        self.replica.standing().leader.filter(|leader| *leader != self.node)
    }

    /// What follows from what the replica has done: what was decided, and who decides.
    fn settle(&mut self, context: &mut Context<'_, Node>) {
        if let Some(controller) = self.office.follow(&self.replica) {
            controller.retire(context);
        }
        for (before, image) in self.replica.machine_mut().take_news() {
            tell_changes(context, &before, &image);
            context.fact(Fact::Decided { image });
        }
        if self.office.is_vacant(&self.replica) {
            let controller = Controller::new(Arc::clone(&self.config), Arc::clone(self.image()));
            controller.take_over(context);
            self.office.begin(controller);
        }
        let decided = self.image().version;
        if let Some(controller) = self.office.holder_mut() {
            controller.release(context, decided);
        }
    }

    // ----- for people -----

    pub(super) fn status(&self) -> Status {
        let word = if self.office.holder().is_some() { "active controller" } else { "controller" };
        Status { gauge: self.image().version, ..Status::peer(word) }
    }

    /// The replica, for people.
    pub(super) fn show_replica(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.replica.show(view, request);
    }
}

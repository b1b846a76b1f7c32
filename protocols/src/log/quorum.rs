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
use crate::replicated::{Index, Machine as _};

/// The replica of a controller.
type Replica = raft::Replica<Metadata>;

impl Journal for Replica {
    fn write(&mut self, context: &mut Context<'_, Node>, before: &Image, image: &Arc<Image>) -> bool {
        let steps = batch(before, image);
        // A disk that is full in the middle leaves a batch that is never finished.
        self.has_room_for(steps.len() as u64)
            && steps.into_iter().all(|step| self.submit(context, step).is_some())
    }

    fn wait(&mut self, context: &mut Context<'_, Node>, version: u64) -> Option<u64> {
        self.spread(context);
        let decided = self.machine().image().version;
        (decided >= version).then_some(decided)
    }
}

/// A term that this controller leads.
#[derive(Clone, Serialize)]
struct Claim {
    term: raft::Term,
    /// Its first entry. When that is executed, so is all that was in the log before.
    begins: Index,
    /// What it decides by, from then on.
    active: Option<Box<Controller>>,
}

/// One of several controllers. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Quorum {
    node: NodeId,
    #[serde(skip)]
    config: Arc<Config>,
    replica: Replica,
    claim: Option<Claim>,
}

impl Quorum {
    /// A controller that remembers nothing yet.
    pub(super) fn boot(config: Arc<Config>, node: NodeId) -> Self {
        let initial = Arc::new(Image::initial(&config));
        let replica = Replica::new(Arc::new(config.raft()), node, Metadata::new(initial));
        Self { node, config, replica, claim: None }
    }

    /// What was decided, as far as it knows.
    pub fn image(&self) -> &Arc<Image> {
        self.replica.machine().image()
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
        match (message, self.claim.as_mut().and_then(|claim| claim.active.as_mut())) {
            (Message::Raft(message), _) => self.replica.receive(context, from, *message),
            (message, Some(controller)) => {
                context.send(from, Message::Active(Some(self.node)));
                controller.on_message(context, &mut self.replica, from, &message);
            }
            (_, None) => context.send(from, Message::Active(self.replica.standing().leader)),
        }
        self.settle(context);
    }

    pub(super) fn on_timer(&mut self, context: &mut Context<'_, Node>, timer: Timer) {
        match (timer, self.claim.as_mut().and_then(|claim| claim.active.as_mut())) {
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

    /// What follows from what the replica has done: what was decided, and who decides.
    fn settle(&mut self, context: &mut Context<'_, Node>) {
        let leads = self.replica.is_leader().then(|| self.replica.term());
        if self.claim.as_ref().map(|claim| claim.term) != leads {
            if let Some(Claim { active: Some(controller), .. }) = self.claim.take() {
                controller.retire(context);
            }
            let begins = self.replica.log().last_index();
            self.claim = leads.map(|term| Claim { term, begins, active: None });
        }
        for (before, image) in self.replica.machine_mut().take_news() {
            tell_changes(context, &before, &image);
            context.fact(Fact::Decided { image });
        }
        let Some(claim) = &mut self.claim else { return };
        let metadata = self.replica.machine();
        let image = Arc::clone(metadata.image());
        match &mut claim.active {
            Some(controller) => controller.release(context, image.version),
            None if metadata.applied() >= claim.begins => {
                let controller = Controller::new(Arc::clone(&self.config), image);
                controller.take_over(context);
                claim.active = Some(Box::new(controller));
            }
            None => {}
        }
    }

    // ----- for people -----

    pub(super) fn status(&self) -> Status {
        let is_active = self.claim.as_ref().is_some_and(|claim| claim.active.is_some());
        let word = if is_active { "active controller" } else { "controller" };
        Status { gauge: self.image().version, ..Status::peer(word) }
    }

    /// The replica, for people.
    pub(super) fn show_replica(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.replica.show(view, request);
    }
}

//! Who answers queries: the tail, or with apportioned queries any server (Terrace and Freedman §2.3).
//!
//! **The fence.** A server that is cut off from the master is removed from the chain and does not know. In the papers servers are
//! fail-stop, and there is none such. Here every answer to a query needs a *lease*: the master removes a server only when its last lease is
//! over, by a bound on how much clocks drift. So who answers is in the newest chain, and whatever was committed by then is in its
//! history. An update needs no lease: one that a removed tail answers has come through servers before it, and went on with them.

use sim_core::service::{Key, Outcome, Refusal};
use sim_core::{Context, NodeId, OpId};

use super::config::Reads;
use super::facts::Fact;
use super::message::Message;
use super::metrics::Counter;
use super::mutants::Mutant;
use super::server::{Part, Server};
use super::{ChainReplication, Point};
use crate::replicated::Index;

impl Server {
    /// A client wants to know what is under `key`.
    pub(super) fn on_query(&mut self, context: &mut Context<'_, ChainReplication>, op: OpId, key: Key) {
        let is_asked_rightly = self.is_tail() || self.config.reads == Reads::Apportioned;
        if self.part != Part::Serving || !is_asked_rightly {
            return self.send_on(context, op, self.configuration.tail());
        }
        if !self.has_lease(context.now()) {
            context.sometimes(Point::LeaseOver as usize);
            return context.reply(op, Outcome::Refused(Refusal::Unavailable));
        }
        if self.is_tail() || self.versions.is_clean(key) || self.config.has(Mutant::ServesDirty) {
            let counter = if self.is_tail() { Counter::QueriesAtTail } else { Counter::QueriesClean };
            context.count(counter as usize, 1);
            context.fact(Fact::Answered);
            return context.reply(op, Outcome::Value(self.machine.read(key)));
        }
        self.asking.insert(op, key);
        self.ask_version(context, op);
    }

    fn ask_version(&self, context: &mut Context<'_, ChainReplication>, op: OpId) {
        context.send(self.configuration.tail().node, Message::AskVersion { epoch: self.epoch(), op });
    }

    /// Asks the tail again, which may be another one now, or may not have heard.
    pub(super) fn ask_again(&self, context: &mut Context<'_, ChainReplication>) {
        for op in self.asking.keys() {
            self.ask_version(context, *op);
        }
    }

    /// A server asks the tail which update is the last.
    pub(super) fn on_ask_version(&self, context: &mut Context<'_, ChainReplication>, from: NodeId, op: OpId) {
        if self.is_tail() && self.has_lease(context.now()) {
            context.fact(Fact::Answered);
            context.send(from, Message::Version { epoch: self.epoch(), op, index: self.last() });
        }
    }

    /// The tail says which update was the last. By now the tail may be known to have later ones: then the version of the last of those
    /// was committed while the client waited.
    pub(super) fn on_version(&mut self, context: &mut Context<'_, ChainReplication>, op: OpId, index: Index) {
        let Some(key) = self.asking.remove(&op) else { return };
        context.sometimes(Point::DirtyRead as usize);
        context.count(Counter::QueriesDirty as usize, 1);
        let last = self.machine.read(key);
        let value = self.versions.value_at(key, index.max(self.acknowledged), last);
        context.reply(op, Outcome::Value(value));
    }
}

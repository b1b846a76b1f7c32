//! What a broker says when the log keeps a command: to who asked for it, and to all whom its events concern.

use sim_core::service::{Outcome, Refusal, Value};
use sim_core::{Context, OpId};

use super::broker::{Asker, Broker, Result};
use super::command::{Cause, Event, Holder, Receipt};
use super::facts::Fact;
use super::message::Message;
use super::metrics::Counter;
use super::mutants::Mutant;
use super::{Node, Point};

impl Broker {
    /// The log keeps a command: all whom it concerns are told what came of it.
    pub(super) fn tell(&self, context: &mut Context<'_, Node>, result: Result) {
        let Result { asker, events, .. } = result;
        for event in &events {
            self.tell_event(context, asker, event);
        }
        if let (Asker::Client(op), true) = (asker, events.iter().all(|event| !answers(event))) {
            // A redrive, whose events are about messages.
            context.reply(op, Outcome::Done);
        }
    }

    fn tell_event(&self, context: &mut Context<'_, Node>, asker: Asker, event: &Event) {
        match *event {
            Event::Enqueued { value, .. } => {
                context.count(Counter::Enqueued as usize, 1);
                self.confirm(context, asker, value);
            }
            Event::Duplicate { value } => {
                context.sometimes(Point::Deduplicated as usize);
                context.count(Counter::MessagesDeduplicated as usize, 1);
                self.confirm(context, asker, value);
            }
            Event::Full => match asker {
                Asker::Client(op) => refuse(context, op),
                Asker::Producer(node, number) => context.send(node, Message::NoRoom { number }),
                Asker::Consumer(_) | Asker::Nobody => {}
            },
            Event::Delivered { .. } => deliver(context, asker, event),
            Event::Empty => reply(context, asker, Outcome::Value(None)),
            Event::Acknowledged { receipt, .. } => {
                context.count(Counter::MessagesAcknowledged as usize, 1);
                answer(context, asker, Outcome::Done, Message::Settled(receipt));
            }
            Event::Extended { receipt, .. } => {
                context.sometimes(Point::Extended as usize);
                answer(context, asker, Outcome::Done, Message::Extended(receipt));
            }
            Event::Void { receipt } => {
                context.sometimes(Point::VoidReceipt as usize);
                context.count(Counter::VoidReceipts as usize, 1);
                answer(context, asker, Outcome::Rejected, Message::Void(receipt));
            }
            Event::Returned { receipt, cause, .. } => on_returned(context, asker, receipt, cause),
            Event::DeadLettered { .. } => {
                context.sometimes(Point::DeadLettered as usize);
                context.count(Counter::MessagesDeadLettered as usize, 1);
            }
            Event::Expired { .. } => {
                context.sometimes(Point::Expired as usize);
                context.count(Counter::MessagesExpired as usize, 1);
            }
            Event::Dropped { .. } => {
                context.sometimes(Point::Dropped as usize);
                context.count(Counter::Discarded as usize, 1);
            }
            Event::Redriven { .. } => context.sometimes(Point::Redriven as usize),
        }
    }

    fn confirm(&self, context: &mut Context<'_, Node>, asker: Asker, value: Value) {
        match asker {
            Asker::Client(op) if !self.config.has(Mutant::ConfirmBeforeSync) => {
                context.fact(Fact::Confirmed { value });
                context.reply(op, Outcome::Done);
            }
            Asker::Producer(node, number) => {
                context.fact(Fact::Confirmed { value });
                context.send(node, Message::Published { number });
            }
            Asker::Client(_) | Asker::Consumer(_) | Asker::Nobody => {}
        }
    }
}

/// Whether an event answers who asked for its command; others may come with it, because something came due.
const fn answers(event: &Event) -> bool {
    match event {
        Event::Enqueued { .. }
        | Event::Duplicate { .. }
        | Event::Full
        | Event::Delivered { .. }
        | Event::Empty
        | Event::Acknowledged { .. }
        | Event::Void { .. }
        | Event::Extended { .. }
        | Event::Returned { cause: Cause::Failure, .. } => true,
        Event::Returned { cause: Cause::Timeout, .. }
        | Event::DeadLettered { .. }
        | Event::Expired { .. }
        | Event::Dropped { .. }
        | Event::Redriven { .. } => false,
    }
}

/// There is no room for a producer's message.
pub(super) fn refuse(context: &mut Context<'_, Node>, op: OpId) {
    context.count(Counter::MessagesRefused as usize, 1);
    context.reply(op, Outcome::Refused(Refusal::Overloaded));
}

/// A message goes to who holds it now.
fn deliver(context: &mut Context<'_, Node>, asker: Asker, event: &Event) {
    let Event::Delivered { receipt, origin, value, holder, .. } = *event else {
        unreachable!("{event:?} is no delivery")
    };
    context.count(Counter::Deliveries as usize, 1);
    if receipt.delivery > 1 {
        context.sometimes(Point::Redelivered as usize);
        context.count(Counter::Redeliveries as usize, 1);
    }
    match holder {
        Holder::Consumer { node, session } => {
            context.send(node, Message::Deliver { session, receipt, origin, value });
        }
        Holder::Client(_) => {
            let (receipt, delivery) = (receipt.ticket(), receipt.delivery);
            reply(context, asker, Outcome::Received { receipt, value, delivery });
        }
    }
}

fn on_returned(context: &mut Context<'_, Node>, asker: Asker, receipt: Receipt, cause: Cause) {
    match cause {
        Cause::Timeout => {
            context.sometimes(Point::TimedOut as usize);
            context.count(Counter::VisibilityTimeouts as usize, 1);
        }
        Cause::Failure => {
            context.count(Counter::FailedDeliveries as usize, 1);
            answer(context, asker, Outcome::Done, Message::Settled(receipt));
        }
    }
}

fn reply(context: &mut Context<'_, Node>, asker: Asker, outcome: Outcome) {
    if let Asker::Client(op) = asker {
        context.reply(op, outcome);
    }
}

fn answer(context: &mut Context<'_, Node>, asker: Asker, outcome: Outcome, message: Message) {
    match asker {
        Asker::Client(op) => context.reply(op, outcome),
        Asker::Consumer(node) => context.send(node, message),
        Asker::Producer(..) | Asker::Nobody => {}
    }
}

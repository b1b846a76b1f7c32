//! The state of a node for people.

use sim_core::LocalTime;
use sim_core::view::{Table, ViewBuilder, ViewRequest};

use super::broker::{Broker, Window};
use super::command::MessageId;
use super::consumer::{Consumer, Job, Worker};
use super::producer::{Producer, Row};
use super::state::{DeadLetter, Message, Stage};
use super::store::Store;

impl Broker {
    /// The messages with who has them and for how long, the dead letters, and what consumers take.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let queue = self.queue();
        let (waiting, held) = queue.depth();
        let tally = queue.tally();
        view.number("queued", waiting);
        view.number("in flight", held);
        view.number("dead letters", queue.dead_letters().len());
        view.number("producers that wait for room", self.parked_count());
        view.group("of all messages", |view| {
            view.number("sent", tally.sent);
            view.number("acknowledged", tally.acknowledged);
            view.number("dead-lettered", tally.dead_lettered);
            view.number("expired", tally.expired);
            view.number("dropped", tally.dropped);
        });
        let now = self.time_at(view.now());
        let columns = vec!["message", "value", "stage", "holder", "time left", "deliveries", "failures"];
        let messages = queue.messages();
        let row = |(id, message): (&MessageId, &Message)| message_row(*id, message, now);
        view.table("messages", Table::of_items(columns, request, messages.len(), messages.iter(), row));
        let letters = queue.dead_letters();
        let columns = vec!["message", "value", "at first", "deliveries"];
        let row = |(id, letter): (&MessageId, &DeadLetter)| dead_row(*id, letter);
        view.table("dead", Table::of_items(columns, request, letters.len(), letters.iter(), row));
        let rows = self.windows().iter().map(|(node, Window { size, .. })| {
            let credit = self.credit(*node).map_or(0, |(_, credit)| credit);
            vec![node.to_string(), size.to_string(), credit.to_string()]
        });
        let columns = vec!["consumer", "window", "credit"];
        view.table("consumers", Table::of_rows(columns, request, rows));
    }
}

fn message_row(id: MessageId, message: &Message, now: LocalTime) -> Vec<String> {
    let none = || "-".to_owned();
    let (stage, holder, left) = match message.stage {
        Stage::Waiting => ("waiting", none(), none()),
        Stage::Delayed { until } => ("delayed", none(), until.since(now).to_string()),
        Stage::Held { until, holder } => ("in flight", holder.to_string(), until.since(now).to_string()),
    };
    let Message { value, deliveries, failures, .. } = message;
    let (deliveries, failures) = (deliveries.to_string(), failures.to_string());
    vec![id.to_string(), value.to_string(), stage.to_owned(), holder, left, deliveries, failures]
}

fn dead_row(id: MessageId, letter: &DeadLetter) -> Vec<String> {
    let DeadLetter { origin, value, deliveries } = letter;
    vec![id.to_string(), value.to_string(), origin.to_string(), deliveries.to_string()]
}

impl Producer {
    /// Its outbox: what it has done and nobody has confirmed yet.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.number("rows", self.rows().len() as u64);
        let columns = vec!["row", "value", "on disk", "published"];
        let row = |(number, row): (&u64, &Row)| {
            let is_kept = if row.is_kept { "yes" } else { "not yet" };
            vec![
                number.to_string(),
                row.value.to_string(),
                is_kept.to_owned(),
                format!("{} times", row.tries),
            ]
        };
        let rows = self.rows();
        view.table("outbox", Table::of_items(columns, request, rows.len() as u64, rows.iter(), row));
    }
}

impl Consumer {
    /// What its workers do, and what waits for them.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let busy = self.workers().iter().filter(|worker| worker.job().is_some()).count();
        view.number("workers", self.workers().len() as u64);
        view.number("busy", busy as u64);
        view.number("backlog", self.backlog().len() as u64);
        let columns = vec!["worker", "does", "message", "value", "until"];
        let rows = (1..).zip(self.workers()).map(|(number, worker): (u32, _)| {
            let does = match worker {
                Worker::Idle => "nothing",
                Worker::Claims(_) => "claims",
                Worker::Handles(_) => "handles",
                Worker::Applies(_) => "applies",
                Worker::Stalls => "stalls",
            };
            row(&number.to_string(), does, worker.job())
        });
        view.table("at work", Table::of_rows(columns.clone(), request, rows));
        let rows = self.backlog().iter().map(|job| row("-", "waits", Some(*job)));
        view.table("waiting", Table::of_rows(columns, request, rows));
    }
}

fn row(worker: &str, does: &str, job: Option<Job>) -> Vec<String> {
    let [receipt, value, until] = job.map_or_else(
        || ["-".to_owned(), "-".to_owned(), "-".to_owned()],
        |Job { receipt, value, until, .. }| [receipt.to_string(), value.to_string(), until.to_string()],
    );
    vec![worker.to_owned(), does.to_owned(), receipt, value, until]
}

impl Store {
    /// How many effects it has had, and what it knows of them.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.number("effects", self.effect_count());
        view.number("keys in the inbox", self.inbox().len());
        let rows = self.fences().iter().map(|(group, fence)| {
            vec![format!("g{group}"), super::command::Receipt::of_ticket(*fence).to_string()]
        });
        view.table("fences", Table::of_rows(vec!["group", "last delivery"], request, rows));
    }
}

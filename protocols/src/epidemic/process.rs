//! The inputs of a site, told apart.

use sim_core::check::Nodes;
use sim_core::disk::DiskPromise;
use sim_core::process::{self, Process};
use sim_core::service::{Operation, Outcome, Refusal};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, SyncId};
use strum::VariantNames;

use super::config::{Comparison, Config, Mail};
use super::database::{Branch, Database};
use super::durable::{ITEMS, Record};
use super::facts::Fact;
use super::item::Moment;
use super::message::{Message, Summary};
use super::{Epidemic, POINTS, Timer, metrics};
use crate::group_commit::GroupCommit;

impl process::Timer for Timer {
    const NAMES: &'static [&'static str] = &["comparison"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Comparison => Some(0),
        }
    }
}

impl Process for Epidemic {
    type Config = Config;
    type Message = Message;
    type Timer = Timer;
    type Record = Record;
    type Fact = Fact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &POINTS;
    const GAUGES: &'static [&'static str] = metrics::Gauge::VARIANTS;
    const COUNTERS: &'static [&'static str] = metrics::Counter::VARIANTS;

    fn boot(config: &Config, node: NodeId) -> Self {
        Self {
            node,
            config: *config,
            database: Database::new(config.depth(), config.mutant),
            dormant: std::collections::BTreeMap::new(),
            last_stamp: Moment::default(),
            commit: GroupCommit::new(ITEMS),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        context.fact(Fact::Started);
        self.recover(context);
        self.tell_levels(context);
        self.await_first_cycle(context);
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Message) {
        self.refuse_impossible(from, &message);
        self.bury(context, Moment::of(context.wall()));
        self.receive(context, from, message);
        self.commit.flush(context);
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: Timer) {
        self.bury(context, Moment::of(context.wall()));
        match timer {
            Timer::Comparison => self.on_cycle(context),
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Kv(operation) = operation else {
            return context.reply(op, Outcome::Refused(Refusal::Unsupported));
        };
        self.on_kv(context, op, operation);
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.on_sync_done(context, sync);
    }

    /// All sites are to hold the same values. Death certificates may differ while they are forgotten.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        let sites = || nodes.running().filter(|(node, _)| well.contains(node));
        let (first, one) = sites().next()?;
        let (second, other) =
            sites().find(|(_, other)| other.database.visible() != one.database.visible())?;
        Some(format!("{first} and {second} differ: {}", one.first_difference(other)))
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        Status { gauge: self.database.len(), ..Status::peer("site") }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show(view, request);
    }
}

impl Epidemic {
    /// What a message brought holds: what else it asks for.
    pub(super) fn answer(&self, context: &mut Context<'_, Self>, from: NodeId, message: &Message) {
        match message {
            Message::Mail(_) => {}
            Message::Recent(summary) => self.on_recent(context, from, summary),
            Message::Differs(summary) => self.on_differs(context, from, summary),
            Message::Tree { flow, nodes } => self.on_tree(context, from, *flow, nodes),
            Message::Versions { flow, below, versions } => {
                self.on_versions(context, from, *flow, below, versions);
            }
            Message::Updates { items: _, wanted } => self.on_wanted(context, from, wanted),
        }
    }

    /// All sites have one configuration, and with another one this message would not have been sent.
    ///
    /// # Panics
    /// If nobody sends such a message in this one.
    pub(super) fn refuse_impossible(&self, from: NodeId, message: &Message) {
        let Config { mail, anti_entropy, .. } = self.config;
        let compares = |fits: fn(Comparison) -> bool| anti_entropy.is_some_and(|it| fits(it.comparison));
        let is_possible = match message {
            Message::Mail(_) => mail == Mail::Direct,
            Message::Recent(Summary { items, .. }) | Message::Differs(Summary { items, .. }) => {
                compares(|it| matches!(it, Comparison::Recent(_)))
                    || items.is_empty() && compares(|it| it == Comparison::Checksum)
            }
            Message::Tree { .. } => compares(|it| matches!(it, Comparison::Merkle(_))),
            Message::Versions { below, .. } => {
                compares(|it| matches!(it, Comparison::Merkle(_)))
                    || **below == [Branch::ROOT] && anti_entropy.is_some()
            }
            Message::Updates { .. } => anti_entropy.is_some(),
        };
        assert!(
            is_possible,
            "{}, with {mail:?} mail and {anti_entropy:?}, was sent {message:?} by {from}",
            self.node
        );
    }

    /// In words, what the one has and the other has not, of a key where their values differ.
    fn first_difference(&self, other: &Self) -> String {
        let keys = self.database.items().chain(other.database.items()).map(|item| item.key);
        let value = |site: &Self, key| site.database.get(key).and_then(|item| item.value);
        let differing = keys.filter(|key| value(self, *key) != value(other, *key)).min();
        let Some(key) = differing else { return "in their timestamps".to_owned() };
        let told =
            |site: &Self| site.database.get(key).map_or_else(|| "nothing".to_owned(), ToString::to_string);
        format!("{key} is {} and {}", told(self), told(other))
    }
}

//! A protocol without a purpose that uses everything the engine has, at random moments.

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::disk::{DiskPromise, Record, RegionId};
use sim_core::process::{Message, Timer};
use sim_core::service::{Operation, Outcome};
use sim_core::status::{Standing, Status};
use sim_core::view::{Cell, Strip, ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, Process, Span, SyncId};

const LOG: RegionId = RegionId::new(0);
const CELL: RegionId = RegionId::new(1);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChatterConfig {
    /// Draws more than the others do at each tick.
    pub(crate) spendthrift: Option<NodeId>,
    /// Panics at its tick with this number; 0 is in its boot.
    pub(crate) panics: Option<(NodeId, u64)>,
    /// Remarks on everything.
    pub(crate) is_talkative: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) enum Saying {
    Hello { epoch: u64, number: u64 },
    Heard(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum ChatterTimer {
    Tick,
    Silence,
    Reminder(u32),
}

#[derive(Clone, Debug)]
pub(crate) enum ChatterFact {
    /// The number is one above that of the last append of this life, or the first after a start.
    Appended(u64),
    /// The standing may have changed.
    Stood,
}

#[derive(Clone, PartialEq, Serialize)]
pub(crate) struct Number(pub(crate) u64);

#[derive(Clone, Serialize)]
pub(crate) struct Chatter {
    node: NodeId,
    #[serde(skip)]
    config: ChatterConfig,
    /// Ticks of all lives, as far as the disk knows.
    pub(crate) ticks: u64,
    pub(crate) heard: u64,
    epoch: u64,
    standing: Standing,
    waiting: BTreeMap<SyncId, Option<(OpId, u64)>>,
}

impl Chatter {
    pub(crate) fn waiting_count(&self) -> usize {
        self.waiting.len()
    }

    fn tick(&mut self, context: &mut Context<'_, Self>) {
        self.ticks += 1;
        let panics = self.config.panics == Some((self.node, self.ticks));
        assert!(!panics, "{} was told to panic at tick {}", self.node, self.ticks);
        if self.config.spendthrift == Some(self.node) {
            (0..3).for_each(|_| _ = context.random().next_u64());
        }
        let to = self.draw_peer(context);
        context.send(to, Saying::Hello { epoch: self.epoch, number: self.ticks });
        self.maybe_lead(context);
        self.write(context, None);
        let pause = context.random().span(Span::millis(1), Span::millis(9));
        context.set_timer(ChatterTimer::Tick, pause);
        let number = u32::try_from(self.ticks % 5).expect("below 5");
        context.cancel_timer(ChatterTimer::Reminder((number + 2) % 5));
        context.set_timer(ChatterTimer::Reminder(number), Span::millis(12));
    }

    fn draw_peer(&self, context: &mut Context<'_, Self>) -> NodeId {
        let count = u32::try_from(context.node_count()).expect("a few");
        let other = u32::try_from(context.random().below(u64::from(count) - 1)).expect("below the count");
        NodeId::new((self.node.raw() + 1 + other) % count)
    }

    fn maybe_lead(&mut self, context: &mut Context<'_, Self>) {
        if context.random().below(6) == 0 {
            (self.epoch, self.standing) = (self.epoch + 1, Standing::Leader);
            context.fact(ChatterFact::Stood);
            context.broadcast(&Saying::Hello { epoch: self.epoch, number: self.ticks });
            context.sometimes(0);
        }
    }

    fn write(&mut self, context: &mut Context<'_, Self>, answer: Option<(OpId, u64)>) {
        let record = Number(self.ticks);
        if context.append(LOG, record.clone()).is_ok() {
            context.fact(ChatterFact::Appended(self.ticks));
        }
        _ = context.replace(CELL, record);
        let sync = context.sync(LOG);
        self.waiting.insert(sync, answer);
        context.gauge(0, self.waiting.len() as u64);
        if self.ticks.is_multiple_of(4) {
            context.sync(CELL);
        }
        self.remark(context, "writes");
    }

    fn remark(&self, context: &mut Context<'_, Self>, what: &str) {
        if self.config.is_talkative {
            let ticks = self.ticks;
            context.note(|| format!("{what} at tick {ticks}"));
        }
    }
}

impl Process for Chatter {
    type Config = ChatterConfig;
    type Message = Saying;
    type Timer = ChatterTimer;
    type Record = Number;
    type Fact = ChatterFact;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &["led"];
    const GAUGES: &'static [&'static str] = &["syncs-under-way"];

    fn kind_of(fact: &ChatterFact) -> u32 {
        match fact {
            ChatterFact::Appended(_) => 0,
            ChatterFact::Stood => 1,
        }
    }

    fn boot(config: &ChatterConfig, node: NodeId) -> Self {
        assert!(config.panics != Some((node, 0)), "{node} was told to panic in boot");
        Self {
            node,
            config: *config,
            ticks: 0,
            heard: 0,
            epoch: 0,
            standing: Standing::Follower,
            waiting: BTreeMap::new(),
        }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        let disk = context.disk();
        let end = disk.log_bounds(LOG).end;
        let last = end.checked_sub(1).and_then(|last| disk.read_entry(LOG, last).ok().flatten());
        self.ticks = last.map_or(0, |Number(ticks)| *ticks);
        context.fact(ChatterFact::Stood);
        context.gauge(0, 0);
        let pause = context.random().span(Span::ZERO, Span::millis(3));
        context.set_timer(ChatterTimer::Tick, pause);
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Saying) {
        self.heard += 1;
        context.set_timer(ChatterTimer::Silence, Span::millis(20));
        match message {
            Saying::Hello { epoch, number } => {
                if epoch > self.epoch {
                    (self.epoch, self.standing) = (epoch, Standing::Follower);
                    context.fact(ChatterFact::Stood);
                }
                context.send(from, Saying::Heard(number));
            }
            Saying::Heard(_) => self.remark(context, "was heard"),
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: ChatterTimer) {
        match timer {
            ChatterTimer::Tick => self.tick(context),
            ChatterTimer::Silence => {
                self.standing = Standing::Candidate;
                context.fact(ChatterFact::Stood);
            }
            ChatterTimer::Reminder(number) => {
                let to = self.draw_peer(context);
                context.send(to, Saying::Heard(u64::from(number)));
            }
        }
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        let Operation::Echo(value) = operation else { return };
        if context.random().below(5) == 0 {
            let to = self.draw_peer(context);
            return context.reply(op, Outcome::Redirect(Some(to)));
        }
        self.ticks += 1;
        self.write(context, Some((op, value)));
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        let answer = self.waiting.remove(&sync).flatten();
        context.gauge(0, self.waiting.len() as u64);
        if let Some((op, value)) = answer {
            return context.reply(op, Outcome::Value(Some(value)));
        }
        let to = self.draw_peer(context);
        context.send(to, Saying::Heard(self.ticks));
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        let role = match self.standing {
            Standing::Leader => "leader",
            Standing::Candidate => "candidate",
            Standing::Follower | Standing::Peer => "follower",
        };
        Status {
            role,
            standing: self.standing,
            epoch: self.epoch,
            leader: None,
            commit: self.ticks,
            gauge: self.heard,
        }
    }

    fn view(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.number("ticks", self.ticks).group("mood", |mood| {
            mood.number("heard", self.heard);
        });
        let rows = request.window(0..self.ticks);
        let cells = rows.map(|index| Cell { index, epoch: self.epoch, label: index.to_string() }).collect();
        view.strip("log", Strip { available: 0..self.ticks, cells, marks: vec![("ticks", self.ticks)] });
    }
}

impl Message for Saying {
    const KINDS: &'static [&'static str] = &["hello", "heard"];

    fn kind(&self) -> u8 {
        match self {
            Self::Hello { .. } => 0,
            Self::Heard(_) => 1,
        }
    }

    fn size(&self) -> u64 {
        64
    }
}

impl Record for Number {
    fn size(&self) -> u64 {
        8
    }
}

impl Timer for ChatterTimer {
    const NAMES: &'static [&'static str] = &["tick", "silence"];

    fn index(self) -> Option<usize> {
        match self {
            Self::Tick => Some(0),
            Self::Silence => Some(1),
            Self::Reminder(_) => None,
        }
    }
}

/// Every life of every node appends rising numbers, below a limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct AppendsInOrder {
    /// The incarnation and the last number of each node.
    pub(crate) last: BTreeMap<NodeId, (u32, u64)>,
    /// Numbers from here on are a breach, to have one.
    pub(crate) limit: Option<u64>,
}

impl Invariant<Chatter> for AppendsInOrder {
    fn about(&self) -> &'static About {
        &About {
            name: "appends-in-order",
            statement: "every life of every node appends rising numbers",
            source: "the test itself",
            leaves_out: "what a crash loses",
        }
    }

    fn on_event(
        &mut self,
        nodes: &Nodes<'_, Chatter>,
        node: NodeId,
        facts: &[ChatterFact],
    ) -> Result<(), Breach> {
        let life = nodes.incarnation(node);
        for fact in facts {
            let ChatterFact::Appended(number) = fact else { continue };
            let last = self.last.insert(node, (life, *number));
            let last = last.filter(|(before, _)| *before == life).map_or(0, |(_, last)| last);
            sim_core::ensure!(*number > last, "{node} appends {number} after {last}");
            let limit = self.limit.unwrap_or(u64::MAX);
            sim_core::ensure!(*number < limit, "{node} appends {number}, the limit is {limit}");
        }
        Ok(())
    }

    fn check_all(&self, nodes: &Nodes<'_, Chatter>) -> Result<(), Breach> {
        for (node, process) in nodes.running() {
            let limit = self.limit.unwrap_or(u64::MAX);
            sim_core::ensure!(process.ticks < limit, "{node} is at {}, the limit is {limit}", process.ticks);
            let ghost = self.last.get(&node).filter(|(life, _)| *life == nodes.incarnation(node));
            if let Some((_, number)) = ghost {
                sim_core::ensure!(*number == process.ticks, "{node} is at {}, not {number}", process.ticks);
            }
        }
        Ok(())
    }
}

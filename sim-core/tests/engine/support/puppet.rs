//! A process that does what a test says, and remembers every input.

use serde::Serialize;
use sim_core::check::{Nodes, Work};
use sim_core::disk::{DiskPromise, Record};
use sim_core::process::{Message, Timer};
use sim_core::service::Operation;
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::world::Setup;
use sim_core::{Context, LocalTime, NodeId, OpId, Process, SyncId};

use super::mesh;

/// What pulls the strings: called for each input.
pub(crate) type Strings = fn(&mut Puppet, &mut Context<'_, Puppet>, &Input);

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) enum Input {
    Start,
    Word(NodeId, u64),
    Timer(PuppetTimer),
    Request(OpId, Operation),
    Durable(SyncId),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Word(pub(crate) u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) enum PuppetTimer {
    A,
    B,
    C,
    Number(u32),
}

#[derive(Clone, Serialize)]
pub(crate) struct Puppet {
    pub(crate) node: NodeId,
    /// All inputs of this life, with the monotonic clock.
    pub(crate) heard: Vec<(LocalTime, Input)>,
    /// Whatever the test keeps.
    pub(crate) memory: Vec<u64>,
    #[serde(skip)]
    pub(crate) status: Status,
    #[serde(skip)]
    strings: Strings,
}

impl Puppet {
    /// The words heard so far.
    pub(crate) fn words(&self) -> Vec<u64> {
        let word = |input: &Input| if let Input::Word(_, word) = input { Some(*word) } else { None };
        self.heard.iter().filter_map(|(_, input)| word(input)).collect()
    }

    /// How often such an input was heard.
    pub(crate) fn count(&self, is_wanted: impl Fn(&Input) -> bool) -> usize {
        self.heard.iter().filter(|(_, input)| is_wanted(input)).count()
    }

    fn hear(&mut self, context: &mut Context<'_, Self>, input: Input) {
        (self.strings)(self, context, &input);
        self.heard.push((context.now(), input));
    }
}

/// A mesh of puppets.
pub(crate) fn puppets(seed: u64, nodes: u32, strings: Strings) -> Setup<Puppet> {
    mesh(seed, nodes, strings)
}

impl Process for Puppet {
    type Config = Strings;
    type Message = Word;
    type Timer = PuppetTimer;
    type Record = Word;
    type Fact = &'static str;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;
    const POINTS: &'static [&'static str] = &["reached"];
    const FAULT_POINTS: &'static [&'static str] = &["written", "sent"];
    const GAUGES: &'static [&'static str] = &["level"];
    const COUNTERS: &'static [&'static str] = &["starts"];
    const LATENCIES: &'static [&'static str] = &["work"];

    fn boot(config: &Strings, node: NodeId) -> Self {
        let status = Status::peer("puppet");
        Self { node, heard: Vec::new(), memory: Vec::new(), status, strings: *config }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        self.hear(context, Input::Start);
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, message: Word) {
        self.hear(context, Input::Word(from, message.0));
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, timer: PuppetTimer) {
        self.hear(context, Input::Timer(timer));
    }

    fn on_request(&mut self, context: &mut Context<'_, Self>, op: OpId, operation: Operation) {
        self.hear(context, Input::Request(op, operation));
    }

    fn on_durable(&mut self, context: &mut Context<'_, Self>, sync: SyncId) {
        self.hear(context, Input::Durable(sync));
    }

    /// All puppets are to have the same gauge.
    fn disagreement(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Option<String> {
        let all = nodes.running().filter(|(node, _)| well.contains(node));
        let mut gauges = all.map(|(node, puppet)| (node, puppet.status.gauge));
        let (first, gauge) = gauges.next()?;
        let (other, differs) = gauges.find(|(_, other)| *other != gauge)?;
        Some(format!("{first} has {gauge}, and {other} has {differs}"))
    }

    /// The puppets share one line of work: what is decided is taken in, and done up to their gauge.
    fn work(nodes: &Nodes<'_, Self>, well: &[NodeId]) -> Vec<Work> {
        let mut all = nodes.running().filter(|(node, _)| well.contains(node));
        let work = all.next().map(|(_, puppet)| Work {
            line: "the strings".to_owned(),
            taken: puppet.status.commit,
            done: puppet.status.gauge,
        });
        work.into_iter().collect()
    }

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        self.status
    }

    fn view(&self, view: &mut ViewBuilder, _request: &ViewRequest) {
        view.number("heard", self.heard.len() as u64);
    }
}

impl Message for Word {
    const KINDS: &'static [&'static str] = &["word"];

    fn kind(&self) -> u8 {
        0
    }

    fn size(&self) -> u64 {
        100
    }
}

impl Record for Word {
    fn size(&self) -> u64 {
        8
    }
}

impl Timer for PuppetTimer {
    const NAMES: &'static [&'static str] = &["a", "b", "c"];

    fn index(self) -> Option<usize> {
        match self {
            Self::A => Some(0),
            Self::B => Some(1),
            Self::C => Some(2),
            Self::Number(_) => None,
        }
    }
}

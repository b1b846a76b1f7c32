//! The causal past of a failure in sentences, in order.
//!
//! Between two lines that are told, one line says what else came of the events in between: what was decided, what was
//! lost from a log. The rest is counted by kind of message, and not told.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use sim_core::NodeId;
use sim_core::status::Standing;
use sim_core::trace::{Record, TraceKind};

use super::changes::{FlatStrip, at_most, is_same, losses};
use super::faults::Faults;
use super::moment::{Moment, told};
use super::past::Past;
use super::retold::{Retold, Scene, Scenery};

/// How many kinds of what is not told are named.
const KINDS_MAX: usize = 6;

/// How a failure came about.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Story {
    /// In order.
    pub lines: Vec<Line>,
    /// How many events and losses the failure depends on.
    pub depends_on: u64,
    /// What of them is not told, and how many times: `receives Heartbeat`.
    pub folded: BTreeMap<String, u64>,
    /// At how many moments before the failure something was done from outside.
    pub fault_moments: u64,
    /// How many of them were left out, one at a time: all, or none where there are many.
    pub faults_tried: u64,
    /// Without how many of them the run does not fail the same way.
    pub faults_needed: u64,
}

/// A sentence or two.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Line {
    /// When.
    pub at_ns: u64,
    /// With the how-manieth event.
    pub event: u64,
    /// What sort of thing.
    pub kind: LineKind,
    /// On which node or at which client, where it is one.
    pub place: Option<String>,
    /// What happened, and what came of it.
    pub text: String,
    /// Of a fault, whether the run fails no longer the same way without it; `null` where that was not tried.
    pub is_needed: Option<bool>,
    /// Whether it is one of the steps, each caused by the one before, that lead to the failure.
    pub in_chain: bool,
    /// Whether it became inevitable with this.
    pub is_turning: bool,
}

/// What sort of thing a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LineKind {
    /// Something was done from outside.
    Fault,
    /// A client asks, or asks again.
    Asked,
    /// A node went down or came up.
    Host,
    /// A message arrived.
    Message,
    /// A message was lost.
    Loss,
    /// A timer fired.
    Timer,
    /// Something became durable, or what had waited was handled.
    Local,
    /// A client's request or its answer arrived.
    Client,
    /// What came of all that is not told.
    Meanwhile,
    /// The failure.
    Violation,
}

impl Line {
    /// A line in front of this one.
    fn meanwhile(&self, text: String) -> Self {
        let kind = LineKind::Meanwhile;
        Self { kind, text, place: None, is_needed: None, in_chain: false, is_turning: false, ..self.clone() }
    }

    /// Whether another one is about faults of the same instant, and can be told with it.
    fn is_with(&self, other: &Self) -> bool {
        self.kind == LineKind::Fault && other.kind == LineKind::Fault && self.at_ns == other.at_ns
    }
}

impl LineKind {
    /// That of a record; `happening` is what it says.
    pub(super) fn of(kind: TraceKind, happening: &str) -> Self {
        match kind {
            TraceKind::Delivery => Self::Message,
            TraceKind::Drop => Self::Loss,
            TraceKind::Durable | TraceKind::HandlerStart => Self::Local,
            TraceKind::Request | TraceKind::Reply => Self::Client,
            TraceKind::Start
            | TraceKind::Crash
            | TraceKind::Restart
            | TraceKind::Pause
            | TraceKind::Resume => Self::Host,
            TraceKind::Command | TraceKind::TimerFired if is_asked(happening) => Self::Asked,
            TraceKind::Command => Self::Fault,
            TraceKind::TimerFired => Self::Timer,
        }
    }

    /// In a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fault => "fault",
            Self::Asked => "asked",
            Self::Host => "host",
            Self::Message => "message",
            Self::Loss => "loss",
            Self::Timer => "timer",
            Self::Local => "local",
            Self::Client => "client",
            Self::Meanwhile => "meanwhile",
            Self::Violation => "violation",
        }
    }
}

impl Story {
    pub(super) fn of(
        moment: &Moment,
        past: &Past,
        faults: &Faults,
        retold: &Retold,
        end: Option<Line>,
        lines_max: usize,
    ) -> Self {
        let mut teller = Meanwhile { before: None, known: 0 };
        // One line is the violation's, two may be what came before it.
        let mut spare = lines_max.saturating_sub(retold.scenes.len() + 3);
        let mut lines: Vec<Line> = Vec::new();
        for (number, scene) in &retold.scenes {
            let line = line(moment, past, faults, *number, scene);
            if let Some(last) = lines.last_mut().filter(|last| last.is_with(&line)) {
                last.text = format!("{}; {}", last.text, line.text);
                continue;
            }
            if let Some(text) = teller.until(line.event, &scene.before).filter(|_| spare > 0) {
                spare -= 1;
                lines.push(line.meanwhile(text));
            }
            lines.push(line);
            teller.before = Some(scene.left_at(moment, *number));
        }
        if let Some(end) = end {
            lines.extend(teller.until(u64::MAX, &retold.end).map(|text| end.meanwhile(text)));
            lines.extend(overwritten(moment, &retold.end).map(|text| end.meanwhile(text)));
            lines.push(end);
        }
        let (tried, needed) = faults.counts();
        Self {
            lines,
            depends_on: past.all.len() as u64,
            folded: folded(moment, past),
            fault_moments: faults.moments as u64,
            faults_tried: tried as u64,
            faults_needed: needed as u64,
        }
    }

    /// What is not told, the most frequent first, in words.
    pub fn folded_text(&self) -> String {
        let mut kinds: Vec<(&String, &u64)> = self.folded.iter().collect();
        kinds.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let rest: u64 = kinds.iter().skip(KINDS_MAX).map(|(_, count)| **count).sum();
        let mut texts: Vec<String> =
            kinds.iter().take(KINDS_MAX).map(|(kind, count)| format!("{count} × {kind}")).collect();
        if rest > 0 {
            texts.push(format!("{rest} others"));
        }
        texts.join(", ")
    }
}

fn line(moment: &Moment, past: &Past, faults: &Faults, number: u32, scene: &Scene) -> Line {
    let record = moment.told.record(number);
    let mut text = scene.happening.clone();
    if !scene.effects.is_empty() {
        text = format!("{text}: {}", scene.effects.join("; "));
    }
    let kind = LineKind::of(record.kind(), &scene.happening);
    Line {
        at_ns: record.at().as_nanos(),
        event: moment.told.event_of(number),
        kind,
        place: record.subject().map(|subject| subject.to_string()),
        text,
        is_needed: if kind == LineKind::Fault { faults.is_needed(record.at()) } else { None },
        in_chain: past.chain.contains(&number),
        is_turning: past.turning == Some(number),
    }
}

impl Scene {
    /// How the nodes stood when all of it was told, and after which event. A command comes with the event after it, and what
    /// that changed is yet to be told.
    fn left_at(&self, moment: &Moment, number: u32) -> (&Scenery, u64) {
        let event = moment.told.event_of(number);
        match moment.told.record(number).kind() {
            TraceKind::Command => (&self.before, event.saturating_sub(1)),
            _ => (&self.after, event),
        }
    }
}

/// Whether a command or a timer is a client's operation: `c1 asks …`.
fn is_asked(text: &str) -> bool {
    text.strip_prefix('c')
        .is_some_and(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with(" asks "))
}

/// The failure itself, as the last line: a property, at which node, and what shows it.
pub(super) fn at_the_end(moment: &Moment, property: &str, node: Option<String>, evidence: &str) -> Line {
    let evidence = match &moment.evidence {
        Some(evidence) => {
            let stuck: Vec<String> = evidence.stuck.iter().map(told).collect();
            let after = format!("after the longest legal prefix ({})", evidence.state);
            format!("{after} none of these can be next: {}", stuck.join("; "))
        }
        None => evidence.lines().next().unwrap_or_default().to_owned(),
    };
    Line {
        at_ns: moment.at.as_nanos(),
        event: moment.event,
        kind: LineKind::Violation,
        place: node,
        text: format!("{property} is violated: {evidence}"),
        is_needed: None,
        in_chain: false,
        is_turning: false,
    }
}

/// The first entry that one node knows to be decided where another that is concerned has a different one, or leads without
/// any, in words.
fn overwritten(moment: &Moment, end: &Scenery) -> Option<String> {
    let (decided, knows) = end.decided().filter(|_| moment.record.is_some())?;
    let flat = end.flat(knows);
    let others = moment.nodes.iter().filter(|node| **node != knows);
    let all = others.flat_map(|node| flat.strips.iter().map(move |(name, strip)| (*node, name, strip)));
    let first = |(node, name, strip): (NodeId, &String, &FlatStrip)| {
        let other = end.flat(node).strips.remove(name)?;
        let leads = end.statuses[node.index()].process.is_some_and(|it| it.standing == Standing::Leader);
        let indices = strip.cells.range(..=decided).map(|(index, _)| *index);
        let told = |index: u64| {
            let is = match (strip.cells.get(&index)?, other.cells.get(&index)) {
                (one, Some(two)) if !is_same(one, two) => format!("is ({}) on {node}", other.content(index)),
                (_, None) if leads && index >= other.available.end => {
                    format!("is missing on {node}, which leads")
                }
                _ => return None,
            };
            Some((index, format!("{}, which {knows} knows to be decided, {is}", strip.named(name, index))))
        };
        indices.into_iter().find_map(told)
    };
    all.filter_map(first).min().map(|(_, text)| text)
}

/// Tells what came of the events that are not told.
struct Meanwhile<'a> {
    /// How the nodes stood after what was told last, and with which event that came.
    before: Option<(&'a Scenery, u64)>,
    /// How far anybody was known to know things to be decided.
    known: u64,
}

impl Meanwhile<'_> {
    /// What was decided, and what was lost from logs, until an event; nothing where it is the one told last.
    fn until(&mut self, event: u64, now: &Scenery) -> Option<String> {
        let (before, told) = self.before?;
        if event <= told {
            return None;
        }
        let mut parts: Vec<String> = Vec::new();
        let known = self.known.max(before.decided().map_or(0, |(commit, _)| commit));
        self.known = known.max(now.decided().map_or(0, |(commit, _)| commit));
        if let Some((commit, node)) = now.decided().filter(|(commit, _)| *commit > known) {
            parts.push(format!("{node} knows {} to be decided", now.flat(node).up_to(commit)));
        }
        let nodes = (0..).map(NodeId::new).take(now.statuses.len());
        let changes = nodes.flat_map(|node| {
            let changes = losses(&before.flat(node), &now.flat(node)).into_iter();
            changes.map(move |change| format!("on {node}, {change}"))
        });
        parts.extend(at_most(changes.collect()));
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// How much of the past is not told, by kind: `receives Heartbeat`.
fn folded(moment: &Moment, past: &Past) -> BTreeMap<String, u64> {
    // Records of a kind differ in words by names only, and there may be a million of them.
    let kind = |record: &Record| (record.kind(), record.payload(), record.drop_reason(), record.timer());
    let mut kinds: Vec<(Record, u64)> = Vec::new();
    for number in past.all.difference(&past.told) {
        let record = moment.told.record(*number);
        match kinds.iter_mut().find(|(known, _)| kind(known) == kind(record)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((*record, 1)),
        }
    }
    let mut folded = BTreeMap::new();
    for (record, count) in kinds {
        let text = moment.told.simulation.describe(&record);
        *folded.entry(without_names(&text, record.kind())).or_default() += count;
    }
    folded
}

/// What happened, without to whom: `receives Heartbeat`.
fn without_names(text: &str, kind: TraceKind) -> String {
    let is_name = |word: &&str| {
        let rest = word.strip_prefix(['n', 'c']).unwrap_or("-");
        !rest.trim_end_matches(':').chars().all(|letter| letter.is_ascii_digit() || letter == '#')
    };
    let words: Vec<&str> = text.split_whitespace().filter(is_name).collect();
    let joined = words.join(" ");
    let end = if kind == TraceKind::Drop { joined.replace(" from to ", " ") } else { joined };
    end.trim_end_matches(" from").trim_end_matches(" for").replace(" for from", "").trim().to_owned()
}

//! The story as a space-time diagram, as data: who draws it decides on colours and sizes.
//!
//! A lane a node or client; a dot for each record that is told, and for each that sent what is told; an arrow a message;
//! a band where a node was down, paused or cut off. Rows are the dots in order, so that a drawer may space them by rows,
//! by time or by something in between.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;
use sim_core::fault::{Command, Place, Shape};
use sim_core::status::Power;
use sim_core::trace::{Record, TraceKind};
use sim_core::{Endpoint, NodeId, SimTime};

use super::moment::{Moment, Told};
use super::past::Past;
use super::retold::Retold;
use super::story::LineKind;

/// A space-time diagram.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Picture {
    /// Who has a lane: nodes, then clients.
    pub lanes: Vec<String>,
    /// What happened, in order.
    pub dots: Vec<Dot>,
    /// What was sent.
    pub arrows: Vec<Arrow>,
    /// What lasted.
    pub bands: Vec<Band>,
}

/// Something that happened.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Dot {
    /// On which lane, an index; `null` for what was done to no single node.
    pub lane: Option<u32>,
    /// When.
    pub at_ns: u64,
    /// What sort of thing.
    pub kind: LineKind,
    /// What happened and what came of it; `null` where it only sent something.
    pub label: Option<String>,
    /// Whether the failure shows here.
    pub is_violation: bool,
    /// Whether it became inevitable here.
    pub is_turning: bool,
}

/// A message from one dot to another.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Arrow {
    /// The dot where it was sent, an index.
    pub from: u32,
    /// The dot where it arrived, or was lost.
    pub to: u32,
    /// Its kind.
    pub label: String,
    /// Whether it was lost.
    pub is_lost: bool,
    /// Whether it is one of those that led to the failure.
    pub in_chain: bool,
}

/// Something that lasted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Band {
    /// On which lanes, indices.
    pub lanes: Vec<u32>,
    /// From when.
    pub from_ns: u64,
    /// Until when; `null` where it lasted still when the failure showed.
    pub to_ns: Option<u64>,
    /// What sort of thing.
    pub kind: BandKind,
    /// What: `down`, `paused`, or the command that cut somebody off.
    pub label: String,
}

/// What sort of thing lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BandKind {
    /// A node was down or paused.
    Host,
    /// Somebody was cut off from others.
    Apart,
}

impl Picture {
    pub(super) fn of(moment: &Moment, past: &Past, retold: &Retold) -> Self {
        let told = &moment.told;
        let drawn: BTreeSet<u32> = past.told.iter().copied().chain(senders(told, &past.told)).collect();
        let lanes = lanes(moment, &drawn);
        let lane = |endpoint: Option<Endpoint>| {
            let index = lanes.iter().position(|known| Some(*known) == endpoint)?;
            Some(narrow(index))
        };
        let mut dots: Vec<Dot> = Vec::new();
        let mut rows: BTreeMap<u32, u32> = BTreeMap::new();
        for number in &drawn {
            let dot = dot(moment, past, retold, *number, &lane);
            match dots.last_mut().filter(|last| last.is_with(&dot)) {
                Some(last) => {
                    last.label =
                        last.label.take().zip(dot.label).map(|(one, other)| format!("{one}; {other}"));
                }
                None => dots.push(dot),
            }
            rows.insert(*number, narrow(dots.len() - 1));
        }
        let arrows = past.told.iter().filter_map(|number| arrow(told, past, &rows, *number)).collect();
        let first = drawn.first().map_or(SimTime::ZERO, |first| told.record(*first).at());
        let mut bands = host_bands(moment, &lane);
        bands.extend(network_bands(moment, &lane));
        bands.retain(|band| band.to_ns.is_none_or(|to| to > first.as_nanos()) && !band.lanes.is_empty());
        Self { lanes: lanes.iter().map(ToString::to_string).collect(), dots, arrows, bands }
    }
}

impl Dot {
    /// Whether another one is about faults of the same instant, and both are one line across the picture.
    fn is_with(&self, other: &Self) -> bool {
        self.kind == LineKind::Fault && other.kind == LineKind::Fault && self.at_ns == other.at_ns
    }
}

fn narrow(index: usize) -> u32 {
    u32::try_from(index).expect("a picture is small")
}

/// The records that sent what is told.
fn senders<'a>(told: &'a Told, shown: &'a BTreeSet<u32>) -> impl Iterator<Item = u32> + 'a {
    shown.iter().filter_map(|number| {
        let record = told.record(*number);
        record.payload()?;
        record.cause()
    })
}

/// All nodes that are concerned or drawn, then the clients that are.
fn lanes(moment: &Moment, drawn: &BTreeSet<u32>) -> Vec<Endpoint> {
    let records = drawn.iter().map(|number| moment.told.record(*number));
    let ends = records.flat_map(|record| [record.subject(), record.peer()].into_iter().flatten());
    let (mut nodes, mut clients) = (BTreeSet::new(), BTreeSet::new());
    nodes.extend(moment.nodes.iter().copied().map(Endpoint::from));
    for end in ends {
        if end.node().is_some() {
            nodes.insert(end)
        } else {
            clients.insert(end)
        };
    }
    nodes.into_iter().chain(clients).collect()
}

fn dot(
    moment: &Moment,
    past: &Past,
    retold: &Retold,
    number: u32,
    lane: &impl Fn(Option<Endpoint>) -> Option<u32>,
) -> Dot {
    let record = moment.told.record(number);
    let scene = retold.scenes.get(&number);
    let label = scene.map(|scene| match scene.effects.as_slice() {
        [] => scene.happening.clone(),
        effects => format!("{}: {}", scene.happening, effects.join("; ")),
    });
    Dot {
        lane: lane(record.subject()),
        at_ns: record.at().as_nanos(),
        kind: LineKind::of(record.kind(), scene.map_or("", |scene| scene.happening.as_str())),
        label,
        is_violation: moment.record == Some(number),
        is_turning: past.turning == Some(number),
    }
}

fn arrow(told: &Told, past: &Past, rows: &BTreeMap<u32, u32>, number: u32) -> Option<Arrow> {
    let record = told.record(number);
    record.payload()?;
    let cause = record.cause()?;
    // What a client sends itself, and what was asked from outside, has no line.
    let from = told.record(cause);
    (from.subject() == record.peer()).then(|| Arrow {
        from: rows[&cause],
        to: rows[&number],
        label: kind_of(told, record),
        is_lost: record.kind() == TraceKind::Drop,
        in_chain: past.chain.contains(&number),
    })
}

/// What travelled, in a word or two.
fn kind_of(told: &Told, record: &Record) -> String {
    let text = told.simulation.describe(record);
    let text = text.split(" from ").next().unwrap_or(&text);
    text.rsplit(" receives ").next().unwrap_or(text).to_owned()
}

/// Where nodes were down or paused.
fn host_bands(moment: &Moment, lane: &impl Fn(Option<Endpoint>) -> Option<u32>) -> Vec<Band> {
    let mut open: BTreeMap<Endpoint, Band> = BTreeMap::new();
    let mut bands = Vec::new();
    for record in moment.told.trace().iter().take_while(|record| record.at() <= moment.at) {
        let Some((subject, power)) = record.subject().zip(record.kind().power()) else { continue };
        let at = record.at().as_nanos();
        bands.extend(open.remove(&subject).map(|band| Band { to_ns: Some(at), ..band }));
        if let Some(lane) = lane(Some(subject)).filter(|_| power != Power::Running) {
            let (kind, label) = (BandKind::Host, power.name().to_owned());
            let band = Band { lanes: vec![lane], from_ns: at, to_ns: None, kind, label };
            open.insert(subject, band);
        }
    }
    bands.extend(open.into_values());
    bands
}

/// Where nodes were cut off from others.
fn network_bands(moment: &Moment, lane: &impl Fn(Option<Endpoint>) -> Option<u32>) -> Vec<Band> {
    let plan = moment.told.simulation.plan();
    let applied = plan.entries().iter().filter_map(|entry| entry.was.as_ref());
    let mut applied: Vec<_> = applied.filter(|was| was.moment.time <= moment.at).collect();
    applied.sort_by_key(|was| (was.moment, was.place));
    let mut open: Vec<(Command, Band)> = Vec::new();
    let mut bands = Vec::new();
    for (at, command) in applied.iter().flat_map(|was| was.commands.iter().map(|one| (was.moment.time, one)))
    {
        let (over, still): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|(begun, _)| is_over(begun, command));
        open = still;
        bands.extend(over.into_iter().map(|(_, band)| Band { to_ns: Some(at.as_nanos()), ..band }));
        let apart = apart(command);
        if !apart.is_empty() {
            let lanes = apart.into_iter().filter_map(|end| lane(Some(end))).collect();
            let (kind, label) = (BandKind::Apart, command.telling());
            open.push((command.clone(), Band { lanes, from_ns: at.as_nanos(), to_ns: None, kind, label }));
        }
    }
    bands.extend(open.into_iter().map(|(_, band)| band));
    bands
}

/// Whether a later command ends what an earlier one began.
fn is_over(begun: &Command, later: &Command) -> bool {
    if matches!(later, Command::HealAll | Command::Recover) {
        return true;
    }
    match (begun, later) {
        (Command::Partition { name, .. }, Command::HealPartition(healed))
        | (Command::Partition { name, .. }, Command::Partition { name: healed, .. }) => name == healed,
        (Command::Cut { from, to, .. }, Command::Mend { from: mended, to: other, .. })
        | (Command::Hold { from, to }, Command::Release { from: mended, to: other }) => {
            let is_among = |places: &[Place], all: &[Place]| places.iter().all(|place| all.contains(place));
            is_among(from, mended) && is_among(to, other)
        }
        _ => false,
    }
}

/// Who is cut off by a command: the smaller sides.
fn apart(command: &Command) -> Vec<Endpoint> {
    let ends =
        |places: &[Place]| places.iter().map(|place| Endpoint::from(place.clone())).collect::<Vec<_>>();
    let nodes = |nodes: &[NodeId]| nodes.iter().map(|node| Endpoint::from(*node)).collect::<Vec<_>>();
    match command {
        Command::Partition { shape, .. } => match shape {
            Shape::Groups(groups) => {
                // Those in no group are one more.
                let largest = if groups.len() > 1 { groups.iter().map(Vec::len).max() } else { None };
                let is_largest = |group: &&Vec<Place>| Some(group.len()) == largest;
                let spared = groups.iter().position(|group| is_largest(&group));
                let smaller = groups.iter().enumerate().filter(|(index, _)| Some(*index) != spared);
                smaller.flat_map(|(_, group)| ends(group)).collect()
            }
            Shape::Isolate(alone) => ends(alone),
            Shape::Bridge(bridge) => nodes(&[*bridge]),
            Shape::OneWay { from, .. } => nodes(from),
            Shape::RingOfMajorities => Vec::new(),
        },
        Command::Cut { from, .. } | Command::Hold { from, .. } => ends(from),
        _ => Vec::new(),
    }
}

//! How the nodes stood when a failure showed, side by side.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use sim_core::NodeId;
use sim_core::status::{NodeStatus, Standing};

use super::changes::{Flat, FlatStrip, is_noise, name_of, singular};
use super::moment::Moment;
use super::retold::{Retold, Scenery};

/// How many nodes are shown side by side.
const COLUMNS_MAX: usize = 5;
/// How many entries of a log are.
const CELLS_MAX: usize = 8;

/// How the nodes stood.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct States {
    /// All nodes at a glance.
    pub nodes: Vec<NodeState>,
    /// Whose states are compared: those concerned.
    pub compared: Vec<String>,
    /// What differs between them; one value for each.
    pub rows: Vec<Row>,
}

/// A node at a glance.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct NodeState {
    /// Which.
    pub node: String,
    /// Whether its host runs: `up`, `paused`, `down`.
    pub power: String,
    /// The role of its process; `null` while it is down.
    pub role: Option<String>,
    /// The term-like number that it is in.
    pub epoch: Option<u64>,
    /// Whom it believes to lead.
    pub leader: Option<String>,
    /// How far it knows things to be decided.
    pub decided: Option<u64>,
}

/// One thing of several nodes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Row {
    /// What: a path into the views of the nodes, or a log and an index.
    pub name: String,
    /// For each node that is compared; `null` where it has no such thing.
    pub values: Vec<Option<String>>,
}

impl States {
    pub(super) fn of(moment: &Moment, retold: &Retold) -> Self {
        let end = &retold.end;
        let nodes =
            (0..).map(NodeId::new).zip(&end.statuses).map(|(node, status)| NodeState::of(node, status));
        let compared = compared(moment, end);
        let flats: Vec<Flat> = compared.iter().map(|node| end.flat(*node)).collect();
        let mut rows = log_rows(&flats);
        rows.extend(value_rows(&flats));
        Self { nodes: nodes.collect(), compared: compared.iter().map(ToString::to_string).collect(), rows }
    }
}

impl NodeState {
    fn of(node: NodeId, status: &NodeStatus) -> Self {
        let process = status.process;
        Self {
            node: node.to_string(),
            power: status.power.name().to_owned(),
            role: process.map(|process| process.role.to_owned()),
            epoch: process.map(|process| process.epoch),
            leader: process.and_then(|process| process.leader).map(|leader| leader.to_string()),
            decided: process.map(|process| process.commit),
        }
    }
}

/// Those concerned, and whoever knows most to be decided; one alone is compared with whoever leads as well.
fn compared(moment: &Moment, end: &Scenery) -> Vec<NodeId> {
    let mut nodes: BTreeSet<NodeId> = moment.nodes.iter().copied().collect();
    if nodes.len() == 1 {
        let leads =
            |status: &NodeStatus| status.process.is_some_and(|process| process.standing == Standing::Leader);
        let all = (0..).map(NodeId::new).zip(&end.statuses);
        nodes.extend(all.filter(|(_, status)| leads(status)).map(|(node, _)| node));
    }
    nodes.extend(end.decided().map(|(_, node)| node));
    // A node that is down has nothing to show.
    nodes.retain(|node| end.statuses[node.index()].process.is_some());
    nodes.into_iter().take(COLUMNS_MAX).collect()
}

/// The ends of logs, an index a row.
fn log_rows(flats: &[Flat]) -> Vec<Row> {
    let names: BTreeSet<&String> = flats.iter().flat_map(|flat| flat.strips.keys()).collect();
    let mut rows = Vec::new();
    for name in names {
        let strips: Vec<_> = flats.iter().map(|flat| flat.strips.get(name)).collect();
        let known: BTreeSet<u64> =
            strips.iter().flatten().flat_map(|strip| strip.cells.keys()).copied().collect();
        let cell = |index: u64| -> Vec<Option<String>> {
            let told = |strip: &FlatStrip| strip.cells.contains_key(&index).then(|| strip.content(index));
            strips.iter().map(|strip| strip.and_then(told)).collect()
        };
        // Where they differ first is what matters.
        let is_known = |index: &u64| strips.iter().flatten().all(|strip| strip.is_known(*index));
        let differ = known.iter().copied().filter(is_known).filter(|index| is_different(&cell(*index)));
        let row = |index: u64| Row { name: format!("{} {index}", singular(name)), values: cell(index) };
        rows.extend(differ.take(CELLS_MAX).map(row));
    }
    rows
}

/// Single values that differ; of one node alone, all.
fn value_rows(flats: &[Flat]) -> Vec<Row> {
    let mut paths: Vec<&String> = Vec::new();
    for (path, _) in flats.iter().flat_map(|flat| &flat.values) {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    let row = |path: &String| {
        let values: Vec<Option<String>> =
            flats.iter().map(|flat| flat.value(path).map(str::to_owned)).collect();
        // What only one has says that it is in another role, which is known.
        let known: Vec<Option<String>> = values.iter().filter(|value| value.is_some()).cloned().collect();
        let is_compared = is_different(&known);
        let is_told = (flats.len() == 1 || is_compared) && !is_noise(name_of(path));
        is_told.then(|| Row { name: path.clone(), values })
    };
    paths.into_iter().filter_map(row).collect()
}

fn is_different(values: &[Option<String>]) -> bool {
    values.windows(2).any(|pair| pair[0] != pair[1])
}

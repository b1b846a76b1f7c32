//! The logs and tables that processes declare in their views, of all nodes, side by side.
//!
//! How long they are is asked once a moment, without a row. Rows are asked for as they come into sight, in blocks, and kept
//! as long as the moment is shown: a log of a million entries costs what is on the screen.

use std::collections::BTreeMap;
use std::ops::Range;

use sim_core::view::{Content, Part, RowWindow, Strip, Table, ViewRequest};
use sim_core::{Digest, NodeId, Simulation};

use crate::session::BranchId;

/// How many rows are asked for at once.
const BLOCK: u64 = 64;
/// More blocks than this are not kept.
const BLOCKS_MAX: usize = 4_096;

/// A log of one node: how far it reaches, and its marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) available: Range<u64>,
    pub(crate) marks: Vec<(&'static str, u64)>,
}

impl Extent {
    /// The last index that would survive a crash, where the log tells.
    pub(crate) fn durable(&self) -> Option<u64> {
        self.marks.iter().find(|(name, _)| *name == "durable").map(|(_, index)| *index)
    }
}

/// The same log on all nodes that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LogRows {
    /// Where in a view it stands: `log`, `group/log`.
    pub(crate) path: String,
    /// In order of node.
    pub(crate) nodes: Vec<(NodeId, Extent)>,
}

/// The same table on all nodes that have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableRows {
    pub(crate) path: String,
    pub(crate) columns: Vec<&'static str>,
    /// In order of node: which rows it has.
    pub(crate) nodes: Vec<(NodeId, Range<u64>)>,
}

impl TableRows {
    /// How many rows all nodes have.
    pub(crate) fn count(&self) -> u64 {
        self.nodes.iter().map(|(_, rows)| rows.end - rows.start).sum()
    }

    /// Whose row the `place`th of all is, and which.
    pub(crate) fn at(&self, mut place: u64) -> Option<(NodeId, u64)> {
        for (node, rows) in &self.nodes {
            let count = rows.end - rows.start;
            if place < count {
                return Some((*node, rows.start + place));
            }
            place -= count;
        }
        None
    }
}

/// All logs and tables of one moment.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    of: Option<(BranchId, u64, Digest)>,
    pub(crate) strips: Vec<LogRows>,
    pub(crate) tables: Vec<TableRows>,
    /// By node and block.
    blocks: BTreeMap<(NodeId, u64), Vec<Part>>,
}

impl Logs {
    /// Looks anew where another moment is shown.
    pub(crate) fn update(&mut self, simulation: &dyn Simulation, tip: BranchId) {
        let of = Some((tip, simulation.events(), simulation.digest()));
        if self.of == of {
            return;
        }
        *self = Self { of, ..Self::default() };
        let request = ViewRequest { rows: RowWindow::Range(0..0) };
        for node in (0_u32..).take(simulation.node_count()).map(NodeId::new) {
            let mut found = Vec::new();
            collect("", &simulation.view(node, &request), &mut found);
            for (path, content) in found {
                match content {
                    Found::Log(extent) => self.add_log(path, node, extent),
                    Found::Table(columns, rows) => self.add_table(path, node, columns, rows),
                }
            }
        }
    }

    /// Some cells of a node's log.
    pub(crate) fn cells(
        &mut self,
        simulation: &dyn Simulation,
        (node, path): (NodeId, &str),
        indices: Range<u64>,
        mut each: impl FnMut(&sim_core::view::Cell),
    ) {
        for block in indices.start / BLOCK..indices.end.div_ceil(BLOCK) {
            let parts = self.block(simulation, node, block);
            if let Some(Content::Strip(Strip { cells, .. })) = part(parts, path) {
                cells.iter().filter(|cell| indices.contains(&cell.index)).for_each(&mut each);
            }
        }
    }

    /// A row of a node's table.
    pub(crate) fn row(
        &mut self,
        simulation: &dyn Simulation,
        (node, path): (NodeId, &str),
        index: u64,
    ) -> Vec<String> {
        let block = index / BLOCK;
        let parts = self.block(simulation, node, block);
        let Some(Content::Table(Table { rows, available, .. })) = part(parts, path) else {
            return Vec::new();
        };
        let first = (block * BLOCK).max(available.start);
        let place = usize::try_from(index - first).expect("within a block");
        rows.get(place).cloned().unwrap_or_default()
    }

    fn block(&mut self, simulation: &dyn Simulation, node: NodeId, block: u64) -> &[Part] {
        if self.blocks.len() > BLOCKS_MAX {
            self.blocks.clear();
        }
        let rows = RowWindow::Range(block * BLOCK..(block + 1) * BLOCK);
        let view = || simulation.view(node, &ViewRequest { rows });
        self.blocks.entry((node, block)).or_insert_with(view)
    }

    fn add_log(&mut self, path: String, node: NodeId, extent: Extent) {
        match self.strips.iter_mut().find(|known| known.path == path) {
            Some(known) => known.nodes.push((node, extent)),
            None => self.strips.push(LogRows { path, nodes: vec![(node, extent)] }),
        }
    }

    fn add_table(&mut self, path: String, node: NodeId, columns: Vec<&'static str>, rows: Range<u64>) {
        match self.tables.iter_mut().find(|known| known.path == path && known.columns == columns) {
            Some(known) => known.nodes.push((node, rows)),
            None => self.tables.push(TableRows { path, columns, nodes: vec![(node, rows)] }),
        }
    }
}

enum Found {
    Log(Extent),
    Table(Vec<&'static str>, Range<u64>),
}

fn collect(path: &str, parts: &[Part], into: &mut Vec<(String, Found)>) {
    for part in parts {
        let path = if path.is_empty() { part.name.clone() } else { format!("{path}/{}", part.name) };
        match &part.content {
            Content::Strip(Strip { available, marks, .. }) => {
                let extent = Extent { available: available.clone(), marks: marks.clone() };
                into.push((path, Found::Log(extent)));
            }
            Content::Table(Table { available, columns, .. }) => {
                into.push((path, Found::Table(columns.clone(), available.clone())));
            }
            Content::Group(parts) => collect(&path, parts, into),
            Content::Text(_) | Content::Number(_) | Content::Links(_) => {}
        }
    }
}

/// The part that stands at a path.
fn part<'a>(parts: &'a [Part], path: &str) -> Option<&'a Content> {
    parts.iter().find_map(|candidate| {
        let rest = path.strip_prefix(candidate.name.as_str())?;
        match (&candidate.content, rest.strip_prefix('/')) {
            (content, None) if rest.is_empty() => Some(content),
            (Content::Group(parts), Some(rest)) => part(parts, rest),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {

    use sim_core::{SimTime, Span};

    use super::*;

    use crate::session::Session;
    use crate::testing;

    fn session(name: &str, millis: u64) -> Session {
        let mut session = testing::session(name, &[], 0);
        session.seek_time(SimTime::ZERO + Span::millis(millis));
        session
    }

    /// Block by block there is what a view of everything says.
    #[test]
    fn every_cell_and_row_is_what_a_view_of_everything_says() {
        let session = session("raft/steady", 3_000);
        let simulation = session.simulation();
        let mut logs = Logs::default();
        logs.update(simulation, session.tip());
        let all = ViewRequest { rows: RowWindow::Range(0..u64::MAX) };
        let [log] = logs.strips.clone().try_into().expect("one log");
        assert_eq!(log.nodes.len(), simulation.node_count());
        let mut cell_count = 0;
        for (node, extent) in &log.nodes {
            let view = simulation.view(*node, &all);
            let Some(Content::Strip(strip)) = part(&view, &log.path) else { panic!("it is there") };
            assert_eq!((&extent.available, &extent.marks), (&strip.available, &strip.marks));
            assert!(extent.durable().is_some());
            let mut cells = Vec::new();
            let range = extent.available.clone();
            logs.cells(simulation, (*node, &log.path), range, |cell| cells.push(cell.clone()));
            assert_eq!(cells, strip.cells);
            cell_count += cells.len();
        }
        assert!(cell_count > 3 * 64, "more than a block each: {cell_count}");
        for table in logs.tables.clone() {
            for place in 0..table.count() {
                let (node, index) = table.at(place).expect("it is counted");
                let view = simulation.view(node, &all);
                let Some(Content::Table(whole)) = part(&view, &table.path) else { panic!("it is there") };
                let wanted = &whole.rows[usize::try_from(index - whole.available.start).expect("few")];
                assert_eq!(&logs.row(simulation, (node, &table.path), index), wanted);
            }
            assert_eq!(table.at(table.count()), None);
        }
        assert!(!logs.tables.is_empty(), "a leader shows its progress");
    }

    #[test]
    fn another_moment_is_looked_at_anew() {
        let mut session = session("raft/steady", 1_000);
        let mut logs = Logs::default();
        logs.update(session.simulation(), session.tip());
        let before = logs.strips.clone();
        session.seek_time(SimTime::ZERO + Span::millis(2_000));
        logs.update(session.simulation(), session.tip());
        assert_ne!(logs.strips, before);
        session.seek_time(SimTime::ZERO + Span::millis(1_000));
        logs.update(session.simulation(), session.tip());
        assert_eq!(logs.strips, before);
    }
}

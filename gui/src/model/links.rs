//! The lines between nodes that their processes tell of: a tree, a chain, whatever the protocol is.

use std::collections::BTreeMap;

use sim_core::view::{Content, Part, RowWindow, ViewRequest, Weight};
use sim_core::{NodeId, Simulation};

/// A line between two nodes, the first the one with the smaller number.
pub(crate) type Ends = [NodeId; 2];

/// What its ends say of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The least that an end says.
    pub(crate) weight: Weight,
    /// How many ends speak of it: one or both.
    pub(crate) told_by: u32,
}

/// All lines of the first `count` nodes.
pub(crate) fn lines(simulation: &dyn Simulation, count: usize) -> BTreeMap<Ends, Line> {
    let mut lines = BTreeMap::new();
    // Lines have no rows, and nothing else is looked at.
    let request = ViewRequest { rows: RowWindow::Last(0) };
    for node in (0_u32..).take(count).map(NodeId::new) {
        collect(node, &simulation.view(node, &request), &mut lines);
    }
    // A file may name nodes that it does not have.
    lines.retain(|[_, other], _| other.index() < count);
    lines
}

fn collect(node: NodeId, parts: &[Part], lines: &mut BTreeMap<Ends, Line>) {
    for part in parts {
        match &part.content {
            Content::Group(parts) => collect(node, parts, lines),
            Content::Links(told) => {
                for link in told.0.iter().filter(|link| link.to != node) {
                    let ends = [node.min(link.to), node.max(link.to)];
                    let line = lines.entry(ends).or_insert(Line { weight: link.weight, told_by: 0 });
                    line.weight = line.weight.min(link.weight);
                    line.told_by += 1;
                }
            }
            Content::Text(_) | Content::Number(_) | Content::Strip(_) | Content::Table(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn lines_at_the_end(scenario: &str) -> (BTreeMap<Ends, Line>, usize) {
        let mut session = testing::session(scenario, &[], 0);
        session.seek_time(session.end());
        let count = session.scenario().nodes as usize;
        (lines(session.simulation(), count), count)
    }

    #[test]
    fn the_tree_of_plumtree_is_there_with_one_line_fewer_than_nodes() {
        let (lines, count) = lines_at_the_end("plumtree/steady");
        let strong: Vec<&Line> = lines.values().filter(|line| line.weight == Weight::Strong).collect();
        assert_eq!(strong.len(), count - 1);
        assert!(strong.iter().all(|line| line.told_by == 2), "both ends say so");
        assert!(lines.len() > strong.len(), "the others are out of the tree");
    }

    #[test]
    fn a_chain_is_a_line_and_raft_has_none() {
        let (chain, count) = lines_at_the_end("chain/steady");
        assert_eq!(
            chain.len(),
            count - 2,
            "the master is not in it, and its servers are one after the other"
        );
        assert!(lines_at_the_end("raft/steady").0.is_empty());
    }
}

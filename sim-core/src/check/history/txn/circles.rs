//! Looking for circles of each kind, shortest first.

use std::collections::{BTreeMap, VecDeque};

use petgraph::Direction;
use petgraph::visit::EdgeRef;

use super::Isolation;
use super::graph::{Dependency, Graph, build, components, node};
use super::lists::Lists;
use crate::check::history::anomaly::{Anomaly, Circle, circle_of};
use crate::check::history::recorded::Record;

/// What a kind of circle is made of.
#[derive(Clone, Copy, Debug)]
struct Kind {
    name: &'static str,
    says: &'static str,
    /// The weakest level that forbids it.
    from: Isolation,
    /// Whether it may have `wr`.
    has_reads: bool,
    /// How many `rw` it has; 2 stands for more.
    overwrite_count: u8,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "G0",
        says: "transactions append before one another in a circle",
        from: Isolation::ReadUncommitted,
        has_reads: false,
        overwrite_count: 0,
    },
    Kind {
        name: "G1c",
        says: "information flows from transaction to transaction in a circle",
        from: Isolation::ReadCommitted,
        has_reads: true,
        overwrite_count: 0,
    },
    Kind {
        name: "G-single",
        says: "a transaction misses what another appended, and sees what followed from it",
        from: Isolation::SnapshotIsolation,
        has_reads: true,
        overwrite_count: 1,
    },
    Kind {
        name: "G2-item",
        says: "transactions miss what one another appended, in a circle",
        from: Isolation::Serializable,
        has_reads: true,
        overwrite_count: 2,
    },
];

/// An order besides that of the lists which a circle may, and then must, use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Besides {
    Nothing,
    Process,
    RealTime,
}

impl Besides {
    const fn allows(self, dependency: Dependency) -> bool {
        match dependency {
            Dependency::Process => matches!(self, Self::Process),
            Dependency::RealTime => matches!(self, Self::RealTime),
            Dependency::WriteWrite(_) | Dependency::WriteRead(_) | Dependency::ReadWrite(_) => true,
        }
    }
}

/// A circle of each kind that this level forbids, where there is one.
pub(super) fn find(record: &Record<'_>, lists: &Lists, isolation: Isolation, budget: u64) -> Vec<Anomaly> {
    let graph = build(record, lists);
    let mut besides = vec![(Besides::Nothing, "")];
    if isolation >= Isolation::StrongSessionSerializable {
        besides.push((Besides::Process, "-process"));
    }
    if isolation >= Isolation::StrictSerializable {
        besides.push((Besides::RealTime, "-realtime"));
    }
    let mut finder = Finder { graph: &graph, left: budget };
    let mut found = Vec::new();
    let mut names = Vec::new();
    for (besides, ending) in besides {
        let components = components(&graph, |dependency| besides.allows(dependency));
        if components.iter().all(Option::is_none) {
            continue;
        }
        for kind in KINDS.iter().filter(|kind| kind.from <= isolation) {
            // What is a circle without the clock is one with it, and says more.
            if names.contains(&kind.name) {
                continue;
            }
            if let Some(circle) = finder.shortest(*kind, besides, &components) {
                names.push(kind.name);
                found.push(circle_of(record, &format!("{}{ending}", kind.name), kind.says, &circle));
            }
        }
    }
    found
}

/// How far a walk has come: where, how many `rw`, whether it used the other order.
type Place = (u32, u8, bool);

struct Finder<'a> {
    graph: &'a Graph,
    left: u64,
}

impl Finder<'_> {
    /// A shortest circle of a kind; not always the shortest where the steps run out.
    fn shortest(
        &mut self,
        kind: Kind,
        besides: Besides,
        components: &[Option<u32>],
    ) -> Option<Circle<Dependency>> {
        let mut best: Option<Circle<Dependency>> = None;
        for edge in self.graph.edge_references() {
            let [from, to] =
                [edge.source(), edge.target()].map(|node| u32::try_from(node.index()).expect("small"));
            let component = components[from as usize];
            let is_inside = component.is_some() && component == components[to as usize];
            if !is_inside || !kind.begins_with(*edge.weight(), besides) {
                continue;
            }
            if best.as_ref().is_some_and(|best| best.len() <= 2 || self.left == 0) {
                break;
            }
            let limit = best.as_ref().map_or(usize::MAX, Vec::len);
            let circle = self.through(kind, besides, components, (from, to, *edge.weight()), limit);
            best = circle.or(best);
        }
        best
    }

    /// A shortest circle with this dependency in it, breadth first, if it is shorter than `limit`.
    fn through(
        &mut self,
        kind: Kind,
        besides: Besides,
        components: &[Option<u32>],
        (start, second, first): (u32, u32, Dependency),
        limit: usize,
    ) -> Option<Circle<Dependency>> {
        let begin = kind.walk((start, 0, besides == Besides::Nothing), second, first)?;
        let mut from: BTreeMap<Place, (Place, Dependency)> = BTreeMap::new();
        let mut queue = VecDeque::from([(begin, 1)]);
        while let Some((place, length)) = queue.pop_front() {
            if length + 1 >= limit {
                return None;
            }
            for edge in self.graph.edges_directed(node(place.0), Direction::Outgoing) {
                let (to, dependency) = (u32::try_from(edge.target().index()).expect("small"), *edge.weight());
                if components[to as usize] != components[start as usize]
                    || !kind.may_have(dependency, besides)
                {
                    continue;
                }
                self.left = self.left.saturating_sub(1);
                let Some(next) = kind.walk(place, to, dependency) else { continue };
                if to == start {
                    if kind.is_complete(next) {
                        let circle = walk_back(start, first, begin, (place, dependency), &from);
                        // A walk that meets itself is two circles, and neither is of this kind.
                        if is_simple(&circle) {
                            return Some(circle);
                        }
                    }
                } else if next != begin && !from.contains_key(&next) {
                    from.insert(next, (place, dependency));
                    queue.push_back((next, length + 1));
                }
            }
        }
        None
    }
}

impl Kind {
    /// Whether a circle of this kind has this dependency for sure, so that it can be looked for from there.
    fn begins_with(self, dependency: Dependency, besides: Besides) -> bool {
        match dependency {
            Dependency::ReadWrite(_) => self.overwrite_count > 0,
            Dependency::WriteRead(_) => self.overwrite_count == 0 && self.has_reads,
            Dependency::WriteWrite(_) => !self.has_reads && besides == Besides::Nothing,
            Dependency::Process | Dependency::RealTime => !self.has_reads && besides.allows(dependency),
        }
    }

    fn may_have(self, dependency: Dependency, besides: Besides) -> bool {
        match dependency {
            Dependency::WriteWrite(_) => true,
            Dependency::WriteRead(_) => self.has_reads,
            Dependency::ReadWrite(_) => self.overwrite_count > 0,
            Dependency::Process | Dependency::RealTime => besides.allows(dependency),
        }
    }

    /// A step of a walk; `None` where that has too many `rw`.
    fn walk(self, (_, overwrites, is_besides): Place, to: u32, dependency: Dependency) -> Option<Place> {
        let is_besides = is_besides || !dependency.is_of_lists();
        match dependency {
            Dependency::ReadWrite(_) if self.overwrite_count < 2 && overwrites >= self.overwrite_count => {
                None
            }
            Dependency::ReadWrite(_) => Some((to, (overwrites + 1).min(2), is_besides)),
            Dependency::WriteWrite(_)
            | Dependency::WriteRead(_)
            | Dependency::Process
            | Dependency::RealTime => Some((to, overwrites, is_besides)),
        }
    }

    fn is_complete(self, (_, overwrites, is_besides): Place) -> bool {
        overwrites == self.overwrite_count && is_besides
    }
}

fn walk_back(
    start: u32,
    first: Dependency,
    begin: Place,
    last: (Place, Dependency),
    from: &BTreeMap<Place, (Place, Dependency)>,
) -> Circle<Dependency> {
    let mut circle = vec![(last.0.0, last.1)];
    let mut place = last.0;
    while place != begin {
        let (before, dependency) = from[&place];
        circle.push((before.0, dependency));
        place = before;
    }
    circle.push((start, first));
    circle.reverse();
    circle
}

fn is_simple(circle: &[(u32, Dependency)]) -> bool {
    let mut nodes: Vec<u32> = circle.iter().map(|(node, _)| *node).collect();
    nodes.sort_unstable();
    nodes.windows(2).all(|pair| pair[0] != pair[1])
}

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

/// How far a walk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The transaction where it is.
    at: u32,
    /// How many `rw` it has; 2 stands for more.
    overwrites: u8,
    /// Whether it has used the other order, where it must.
    has_besides: bool,
    /// Whether its last step was by the other order.
    came_besides: bool,
}

impl Place {
    /// What one more step adds to the length of the walk. The other order is transitive and the graph leaves out what
    /// follows, so several steps by it, one after the other, are one.
    fn cost(self, dependency: Dependency) -> usize {
        usize::from(dependency.is_of_lists() || !self.came_besides)
    }
}

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
        mut limit: usize,
    ) -> Option<Circle<Dependency>> {
        let has_besides = besides == Besides::Nothing;
        let nowhere = Place { at: start, overwrites: 0, has_besides, came_besides: false };
        let begin = kind.walk(nowhere, second, first)?;
        let mut best = None;
        let mut from: BTreeMap<Place, (Place, Dependency)> = BTreeMap::new();
        let mut lengths = BTreeMap::from([(begin, 1)]);
        let mut queue = VecDeque::from([(begin, 1)]);
        while let Some((place, length)) = queue.pop_front() {
            if lengths[&place] < length {
                continue;
            }
            for edge in self.graph.edges_directed(node(place.at), Direction::Outgoing) {
                let (to, dependency) = (u32::try_from(edge.target().index()).expect("small"), *edge.weight());
                if components[to as usize] != components[start as usize]
                    || !kind.may_have(dependency, besides)
                {
                    continue;
                }
                self.left = self.left.saturating_sub(1);
                let Some(next) = kind.walk(place, to, dependency) else { continue };
                let cost = place.cost(dependency);
                if length + cost >= limit {
                    continue;
                }
                if to == start {
                    if kind.is_complete(next) {
                        let circle = walk_back(start, first, begin, (place, dependency), &from);
                        // A walk that meets itself is two circles, and neither is of this kind.
                        if is_simple(&circle) {
                            (limit, best) = (circle.len(), Some(circle));
                        }
                    }
                } else if lengths.get(&next).is_none_or(|known| length + cost < *known) {
                    lengths.insert(next, length + cost);
                    from.insert(next, (place, dependency));
                    match cost {
                        0 => queue.push_front((next, length)),
                        _ => queue.push_back((next, length + cost)),
                    }
                }
            }
        }
        best
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
    fn walk(self, place: Place, to: u32, dependency: Dependency) -> Option<Place> {
        let is_besides = !dependency.is_of_lists();
        let has_besides = place.has_besides || is_besides;
        let next = Place { at: to, has_besides, came_besides: is_besides, ..place };
        match dependency {
            Dependency::ReadWrite(_)
                if self.overwrite_count < 2 && place.overwrites >= self.overwrite_count =>
            {
                None
            }
            Dependency::ReadWrite(_) => Some(Place { overwrites: (place.overwrites + 1).min(2), ..next }),
            Dependency::WriteWrite(_)
            | Dependency::WriteRead(_)
            | Dependency::Process
            | Dependency::RealTime => Some(next),
        }
    }

    fn is_complete(self, place: Place) -> bool {
        place.overwrites == self.overwrite_count && place.has_besides
    }
}

/// The circle behind a walk, several steps by the other order taken together.
fn walk_back(
    start: u32,
    first: Dependency,
    begin: Place,
    last: (Place, Dependency),
    from: &BTreeMap<Place, (Place, Dependency)>,
) -> Circle<Dependency> {
    let mut circle = vec![(last.0.at, last.1)];
    let mut place = last.0;
    while place != begin {
        let (before, dependency) = from[&place];
        circle.push((before.at, dependency));
        place = before;
    }
    circle.push((start, first));
    circle.reverse();
    circle.dedup_by(|(_, later), (_, earlier)| !earlier.is_of_lists() && !later.is_of_lists());
    circle
}

fn is_simple(circle: &[(u32, Dependency)]) -> bool {
    let mut nodes: Vec<u32> = circle.iter().map(|(node, _)| *node).collect();
    nodes.sort_unstable();
    nodes.windows(2).all(|pair| pair[0] != pair[1])
}

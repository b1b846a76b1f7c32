//! Looking for circles of each kind, shortest first.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use petgraph::Direction;
use petgraph::visit::EdgeRef;

use super::Isolation;
use super::graph::{Dependency, Graph, build, components, node, ranks};
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

/// What a search for circles has found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// A circle of each kind, where there is one.
    pub(super) anomalies: Vec<Anomaly>,
    /// The kinds whose steps ran out before any circle was found: there may be some.
    pub(super) cut_short: Vec<String>,
}

/// A circle of each kind that this level forbids, where there is one. Each kind takes about `budget` steps at most.
pub(super) fn find(record: &Record<'_>, lists: &Lists, isolation: Isolation, budget: u64) -> Found {
    let graph = build(record, lists);
    let mut besides = vec![(Besides::Nothing, "")];
    if isolation >= Isolation::StrongSessionSerializable {
        besides.push((Besides::Process, "-process"));
    }
    if isolation >= Isolation::StrictSerializable {
        besides.push((Besides::RealTime, "-realtime"));
    }
    let mut found = Found { anomalies: Vec::new(), cut_short: Vec::new() };
    let mut names = Vec::new();
    for (besides, ending) in besides {
        for kind in KINDS.iter().filter(|kind| kind.from <= isolation) {
            // What is a circle without the clock is one with it, and says more.
            if names.contains(&kind.name) {
                continue;
            }
            let name = format!("{}{ending}", kind.name);
            let mut finder = Finder::new(&graph, *kind, besides, budget);
            if let Some(circle) = finder.shortest() {
                names.push(kind.name);
                found.anomalies.push(circle_of(record, &name, kind.says, &circle));
            } else if finder.left == 0 {
                found.cut_short.push(name);
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

/// One search for circles of one kind.
struct Finder<'a> {
    graph: &'a Graph,
    kind: Kind,
    besides: Besides,
    /// The components of what such circles are made of, but for those that lack some of it.
    components: Vec<Option<u32>>,
    /// Where circles have one `rw`, a place for each transaction that never falls along the other dependencies: whoever
    /// is past the start does not come back to it.
    ranks: Option<Vec<u32>>,
    left: u64,
}

impl<'a> Finder<'a> {
    fn new(graph: &'a Graph, kind: Kind, besides: Besides, budget: u64) -> Self {
        let components = kind.components(graph, besides);
        let is_worth_it = kind.overwrite_count == 1 && components.iter().any(Option::is_some);
        let ranks = is_worth_it.then(|| {
            ranks(graph, |dependency| {
                kind.may_have(dependency, besides) && !matches!(dependency, Dependency::ReadWrite(_))
            })
        });
        Self { graph, kind, besides, components, ranks, left: budget.max(1) }
    }

    /// A shortest circle; not always the shortest where the steps run out, and then perhaps none though there is one.
    fn shortest(&mut self) -> Option<Circle<Dependency>> {
        let mut best: Option<Circle<Dependency>> = None;
        for edge in self.graph.edge_references() {
            if best.as_ref().is_some_and(|best| best.len() <= 2) || self.left == 0 {
                break;
            }
            let [from, to] =
                [edge.source(), edge.target()].map(|node| u32::try_from(node.index()).expect("small"));
            if self.kind.begins_with(*edge.weight(), self.besides) && self.may_come_back(from, to) {
                let limit = best.as_ref().map_or(usize::MAX, Vec::len);
                best = self.through((from, to, *edge.weight()), limit).or(best);
            }
        }
        best
    }

    /// Whether a circle from `start` may go over `at`.
    fn may_come_back(&self, start: u32, at: u32) -> bool {
        let (start, at) = (start as usize, at as usize);
        let component = self.components[start];
        component.is_some()
            && component == self.components[at]
            && self.ranks.as_ref().is_none_or(|ranks| ranks[at] <= ranks[start])
    }

    /// A shortest circle with this dependency in it, breadth first, if it is shorter than `limit`.
    fn through(
        &mut self,
        (start, second, first): (u32, u32, Dependency),
        mut limit: usize,
    ) -> Option<Circle<Dependency>> {
        let (kind, besides) = (self.kind, self.besides);
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
            if self.left == 0 {
                break;
            }
            for edge in self.graph.edges_directed(node(place.at), Direction::Outgoing) {
                let (to, dependency) = (u32::try_from(edge.target().index()).expect("small"), *edge.weight());
                if !self.may_come_back(start, to) || !kind.may_have(dependency, besides) {
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

    /// The components of what circles of this kind are made of. Where a component lacks something that each of them has,
    /// there is none in it.
    fn components(self, graph: &Graph, besides: Besides) -> Vec<Option<u32>> {
        let mut all = components(graph, |dependency| self.may_have(dependency, besides));
        let (mut begun, mut apart) = (BTreeSet::new(), BTreeSet::new());
        for edge in graph.edge_references() {
            let [from, to] = [edge.source(), edge.target()].map(|node| all[node.index()]);
            if let (Some(component), true) = (from, from == to) {
                if self.begins_with(*edge.weight(), besides) {
                    begun.insert(component);
                }
                if besides == Besides::Nothing
                    || !edge.weight().is_of_lists() && besides.allows(*edge.weight())
                {
                    apart.insert(component);
                }
            }
        }
        for component in &mut all {
            *component = component.filter(|it| begun.contains(it) && apart.contains(it));
        }
        all
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

//! The interfaces of the three kinds of checker, and their three-valued answers.
//!
//! | kind | looks at | when | written where |
//! | --- | --- | --- | --- |
//! | [`Invariant`] | facts, and the processes behind them | after each event that states facts | with its protocol |
//! | [`HistoryChecker`] | the operations of the clients | at the end | with its service |
//! | [`LivenessCondition`] | statuses and history | after the faults have ended | here, for every protocol |
//!
//! An invariant keeps *ghost state* (who led in which term, what was committed) that it updates from facts in
//! O(1) an entry and that forks with the world. [`Invariant::check_all`] is its brute-force twin: it looks at
//! the processes alone, forgets everything, and is compared with the ghost state in tests. What several invariants keep
//! alike is a [`Ghost`]: the world holds it once for all of them.

mod ghost;
pub mod history;
mod kinds;
mod liveness;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use ghost::Ghost;
pub(crate) use ghost::Ghosts;
pub(crate) use kinds::Invariants;
pub use kinds::Kinds;
pub use liveness::{
    AllAgree, AllNodesRun, Baseline, CONDITIONS, ClientsAreServed, HasOneLeader, LeaderIsKept, LeaderIsKnown,
    LivenessCondition, NodesCatchUp, Work, WorkIsDone,
};

use crate::disk::Disk;
use crate::history::History;
use crate::process::Process;
use crate::world::NodeHost;
use crate::{LocalTime, NodeId, OpId, SimTime};

/// What a property says and where it comes from: the one place that `list`, reports and the book read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// The name in kebab-case: `election-safety`.
    pub name: &'static str,
    /// The property in a sentence.
    pub statement: &'static str,
    /// Paper and section, and the name in TLA+ where it has one.
    pub source: &'static str,
    /// What it does not check, and why.
    pub leaves_out: &'static str,
}

/// A property does not hold; the text names the nodes, terms, indices or values that show it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Breach(pub String);

/// Ends a check with a [`Breach`] unless a condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::check::Breach(format!($($text)+)));
        }
    };
}

/// What a checker says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Answer {
    /// It holds.
    Pass,
    /// It does not, and this shows it.
    Violation(String),
    /// It could not be decided within the budget, and why.
    Inconclusive(String),
}

/// A property that was found violated, at the event that violated it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// The property's name: of an invariant, a history checker or a liveness condition; or `panic`.
    pub property: String,
    /// When.
    pub at: SimTime,
    /// At the how-manieth event of the run, from 1.
    pub event: u64,
    /// At which node, where it was one.
    pub node: Option<NodeId>,
    /// The values that show it.
    pub evidence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} violated at {} (event {}", self.property, self.at, self.event)?;
        if let Some(node) = self.node {
            write!(f, ", {node}")?;
        }
        write!(f, "): {}", self.evidence)
    }
}

/// A copy of an invariant with its ghost state, for snapshots: all that can be cloned have it.
pub trait Fork<P: Process> {
    /// The copy.
    fn fork(&self) -> Box<dyn Invariant<P>>;
}

impl<P: Process, T: Invariant<P> + Clone + 'static> Fork<P> for T {
    fn fork(&self) -> Box<dyn Invariant<P>> {
        Box::new(self.clone())
    }
}

impl<P: Process> Clone for Box<dyn Invariant<P>> {
    fn clone(&self) -> Self {
        (**self).fork()
    }
}

/// A safety property, checked at every event. See the [module documentation](self).
pub trait Invariant<P: Process>: Fork<P> + fmt::Debug + Send {
    /// What it says.
    fn about(&self) -> &'static About;

    /// The kinds of facts it looks at, as [`Process::kind_of`] numbers them. Default: all.
    fn hears(&self) -> Kinds {
        Kinds::ALL
    }

    /// `node` has just handled an event and stated `facts`, in order; at least one is of a kind that it
    /// [hears](Invariant::hears).
    ///
    /// # Errors
    /// The first breach.
    fn on_event(&mut self, nodes: &Nodes<'_, P>, node: NodeId, facts: &[P::Fact]) -> Result<(), Breach>;

    /// The brute-force twin: the property of all processes as they stand, ghost state unused where it can be.
    ///
    /// # Errors
    /// The first breach.
    fn check_all(&self, nodes: &Nodes<'_, P>) -> Result<(), Breach>;

    /// The ghost states that it shares with others, as they are at the start; it finds them by [`Nodes::ghost`].
    /// Default: none.
    fn ghosts(&self) -> Vec<Box<dyn Ghost<P>>> {
        Vec::new()
    }
}

/// A property of a whole history.
pub trait HistoryChecker: Send + Sync {
    /// What it says.
    fn about(&self) -> &'static About;

    /// Judges a history in at most `budget` steps of the checker's own kind.
    fn check(&self, history: &History, budget: u64) -> Answer;

    /// The same answer, with no more of the evidence than its first line. Default: all of it.
    fn check_briefly(&self, history: &History, budget: u64) -> Answer {
        self.check(history, budget)
    }

    /// What shows a violation, as operations: the longest legal prefix, and what cannot come after it. `None` where
    /// there is no violation, or this checker proves it by something else. Default: by something else.
    fn evidence(&self, _history: &History, _budget: u64) -> Option<Box<history::linearizability::Evidence>> {
        None
    }

    /// What it measures besides; `None` where that takes more than `budget` steps, or it measures nothing. Default: it
    /// measures nothing.
    fn figures(&self, _history: &History, _budget: u64) -> Option<history::Figures> {
        None
    }

    /// Moments at which operations can have taken effect, so that all together are legal: one for each that must have.
    /// `None` where no legal order was found within the budget, or this checker looks for none. Default: it looks for
    /// none.
    fn points(&self, _history: &History, _budget: u64) -> Option<BTreeMap<OpId, SimTime>> {
        None
    }
}

/// All nodes with their processes and disks, as checkers see them.
pub struct Nodes<'a, P: Process> {
    processes: &'a [Option<P>],
    hosts: &'a [NodeHost<P>],
    ghosts: &'a Ghosts<P>,
    now: SimTime,
}

impl<'a, P: Process> Nodes<'a, P> {
    /// The nodes of a world; both slices are indexed by node.
    pub(crate) fn new(
        processes: &'a [Option<P>],
        hosts: &'a [NodeHost<P>],
        ghosts: &'a Ghosts<P>,
        now: SimTime,
    ) -> Self {
        assert_eq!(processes.len(), hosts.len(), "every node has a host and a place for its process");
        Self { processes, hosts, ghosts, now }
    }

    /// True time, which no process sees.
    pub fn now(&self) -> SimTime {
        self.now
    }

    /// What the monotonic clock of `node` shows now.
    pub fn monotonic(&self, node: NodeId) -> LocalTime {
        self.hosts[node.index()].monotonic(self.now)
    }

    /// What the wall clock of `node` shows now.
    pub fn wall(&self, node: NodeId) -> LocalTime {
        self.hosts[node.index()].wall(self.now)
    }

    /// The shared ghost state of this type.
    ///
    /// # Panics
    /// If no invariant of the world named it in [`Invariant::ghosts`].
    #[inline]
    pub fn ghost<G: Ghost<P>>(&self) -> &'a G {
        self.ghosts.get()
    }

    /// How many nodes the scenario has, running or not.
    pub fn count(&self) -> usize {
        self.processes.len()
    }

    /// The process on `node`; `None` while it is down.
    pub fn process(&self, node: NodeId) -> Option<&'a P> {
        self.processes[node.index()].as_ref()
    }

    /// The running processes, in order of node.
    pub fn running(&self) -> impl Iterator<Item = (NodeId, &'a P)> + use<'a, P> {
        (0_u32..)
            .zip(self.processes)
            .filter_map(|(index, process)| Some((NodeId::new(index), process.as_ref()?)))
    }

    /// The disk of `node`; `None` where nothing was ever written.
    pub fn disk(&self, node: NodeId) -> Option<&'a Disk<P::Record>> {
        self.hosts[node.index()].disk()
    }

    /// How many times `node` has been started, from 1; 0 for a spare never started.
    pub fn incarnation(&self, node: NodeId) -> u32 {
        self.hosts[node.index()].incarnation()
    }
}

//! Invariants and their brute-force twins, side by side, where something is violated.
//!
//! Whatever an invariant finds in the facts of an event, `check_all` should find in how the processes then stand. On
//! runs of the right protocol both are silent, which is checked and shows little. So here mutants are harassed until
//! something is violated, and both are asked at each event.
//!
//! They differ where a property is about more than the present: a twin cannot see who led before, what was said and
//! is forgotten, or which step was forbidden if the state that it led to is not. And a twin may see in a state what no fact
//! has told yet. Both kinds are listed with their reason, and nothing else may differ.
//!
//! One file a protocol says what it expects, and makes the worlds; `harassment` is what is done to them.

mod harassment;

mod chain;
mod lock;
mod log;
mod paxos;
mod plumtree;
mod raft;
mod snapshots;
mod synod;
mod two_phase_commit;
mod unique_ids;
mod vrr;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::{NodeId, Process, SimTime};

use super::Script;
use super::clients::{counting, mixed};

/// What an invariant and its twin said in a run of a protocol.
#[derive(Clone, Debug)]
struct Find {
    property: &'static str,
    ghost: Option<Complaint>,
    /// None that came after the invariant's.
    twin: Option<Complaint>,
}

/// The first complaint of one of them.
#[derive(Clone)]
struct Complaint {
    at: SimTime,
    /// At the how-manieth event at which they were asked.
    asked: u64,
    text: String,
}

impl fmt::Debug for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}, event {}: {}", self.at, self.asked, self.text)
    }
}

/// How an invariant and its twin compare in a run in which one of them complained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Both complained of the same event.
    Both,
    /// The twin did, and the invariant later.
    TwinFirst,
    /// The twin alone did.
    TwinAlone,
    /// The invariant did, and the twin not until then.
    InvariantAlone,
}

impl Find {
    fn outcome(&self) -> Outcome {
        match (&self.ghost, &self.twin) {
            (Some(ghost), Some(twin)) if ghost.asked == twin.asked => Outcome::Both,
            (Some(_), Some(_)) => Outcome::TwinFirst,
            (None, Some(_)) => Outcome::TwinAlone,
            (Some(_), None) => Outcome::InvariantAlone,
            (None, None) => unreachable!("only complaints are kept"),
        }
    }
}

/// What all pairs of a world have found.
#[derive(Clone, Debug, Default)]
struct Finds(Arc<Mutex<Vec<Find>>>);

impl Finds {
    /// Each of these, asked together with its twin.
    fn pair<P: Process>(&self, invariants: Vec<Box<dyn Invariant<P>>>) -> Vec<Box<dyn Invariant<P>>> {
        let pair = |ghost: Box<dyn Invariant<P>>| -> Box<dyn Invariant<P>> {
            Box::new(Pair { choosy: ghost.fork(), ghost, asked: 0, finds: self.clone() })
        };
        invariants.into_iter().map(pair).collect()
    }

    fn all(&self) -> Vec<Find> {
        self.0.lock().expect("one thread").clone()
    }

    /// What was said of a property so far.
    fn of(&self, property: &str) -> Option<Find> {
        self.0.lock().expect("one thread").iter().find(|find| find.property == property).cloned()
    }

    fn note(&self, find: Find) {
        let mut all = self.0.lock().expect("one thread");
        all.retain(|known| known.property != find.property);
        all.push(find);
    }
}

/// An invariant that asks its twin at each event. It is asked at each itself; another copy only where something is stated
/// that it hears, as in any other world, and that must make no difference. The world never hears of what they find, and goes on.
struct Pair<P: Process> {
    ghost: Box<dyn Invariant<P>>,
    choosy: Box<dyn Invariant<P>>,
    /// How often it was asked.
    asked: u64,
    finds: Finds,
}

/// A derived one would ask for a process that can be copied.
impl<P: Process> Clone for Pair<P> {
    fn clone(&self) -> Self {
        Self {
            ghost: self.ghost.clone(),
            choosy: self.choosy.clone(),
            asked: self.asked,
            finds: self.finds.clone(),
        }
    }
}

impl<P: Process> Pair<P> {
    fn ask(&mut self, nodes: &Nodes<'_, P>, node: NodeId, facts: &[P::Fact]) -> Result<(), Breach> {
        let ghost = self.ghost.on_event(nodes, node, facts);
        let is_heard = facts.iter().any(|fact| self.choosy.hears().has(P::kind_of(fact)));
        let choosy = if is_heard { self.choosy.on_event(nodes, node, facts) } else { Ok(()) };
        assert_eq!(choosy, ghost, "{} looks at more than it hears", self.about().name);
        self.asked += 1;
        if ghost.is_err() || self.asked.is_power_of_two() {
            let state = |of: &dyn Invariant<P>| format!("{of:?}");
            let (choosy, ghost) = (state(self.choosy.as_ref()), state(self.ghost.as_ref()));
            assert_eq!(choosy, ghost, "{} keeps more than it hears", self.about().name);
        }
        ghost
    }
}

impl<P: Process> fmt::Debug for Pair<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ghost.fmt(f)
    }
}

impl<P: Process> Invariant<P> for Pair<P> {
    fn about(&self) -> &'static About {
        self.ghost.about()
    }

    /// Where the invariant has complained what it keeps says nothing any more, to itself or to its twin. At that very event it may
    /// have kept the half of it, of which a twin that compares states with it complains, too.
    fn on_event(&mut self, nodes: &Nodes<'_, P>, node: NodeId, facts: &[P::Fact]) -> Result<(), Breach> {
        let property = self.about().name;
        let mut find = self.finds.of(property).unwrap_or(Find { property, ghost: None, twin: None });
        if find.ghost.is_some() {
            return Ok(());
        }
        let ghost = self.ask(nodes, node, facts);
        let twin = if find.twin.is_none() { self.ghost.check_all(nodes) } else { Ok(()) };
        if ghost.is_err() || twin.is_err() {
            let complaint = |Breach(text)| Complaint { at: nodes.now(), asked: self.asked, text };
            find.ghost = ghost.err().map(complaint);
            find.twin = find.twin.or(twin.err().map(complaint));
            self.finds.note(find);
        }
        Ok(())
    }

    fn check_all(&self, nodes: &Nodes<'_, P>) -> Result<(), Breach> {
        self.ghost.check_all(nodes)
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<P>>> {
        self.ghost.ghosts()
    }
}

/// An invariant that may differ from its twin where it is violated, and why.
type Difference = (&'static str, &'static str);

/// What the invariants of a protocol and their twins find in its mutants.
struct Expected {
    /// What an invariant sees and its twin does not.
    history_only: &'static [Difference],
    /// What a twin sees before its invariant, or alone.
    state_first: &'static [Difference],
    /// The properties of which both find violations, of the same event or the twin first.
    both: &'static [&'static str],
}

/// One run of a protocol.
#[derive(Clone, Copy, Debug)]
struct Run<M> {
    /// `None`: the right protocol.
    mutant: Option<M>,
    /// The how-manieth of this mutant, from 0.
    round: u64,
    seed: u64,
}

/// Compares so many runs of the right protocol, and as many of each mutant; `run` makes the world, harasses it, and says whether
/// a process has panicked.
fn compare<M: Copy + fmt::Debug>(
    mutants: &[M],
    rounds: u64,
    expected: &Expected,
    run: impl Fn(Run<M>, &Finds) -> bool,
) {
    let mutants = mutants.iter().copied().map(Some).chain([None]);
    let mut finds = Vec::new();
    for (number, mutant) in (0..).zip(mutants) {
        for round in 0..rounds {
            let (found, this) = (Finds::default(), Run { mutant, round, seed: round + 100 * number });
            let has_panicked = run(this, &found);
            let found = found.all();
            let is_fine = !has_panicked && found.is_empty();
            assert!(
                mutant.is_some() || is_fine,
                "nothing is wrong in {this:?}, panic: {has_panicked}, {found:#?}"
            );
            finds.extend(found.into_iter().map(|find| (format!("{this:?}"), find)));
        }
    }
    judge(&finds, expected);
}

/// Holds what was found against what is expected.
fn judge(finds: &[(String, Find)], expected: &Expected) {
    let mut tally = BTreeMap::<&str, BTreeMap<Outcome, u32>>::new();
    for (_, find) in finds {
        *tally.entry(find.property).or_default().entry(find.outcome()).or_default() += 1;
    }
    let lists = |list: &[Difference], property| list.iter().any(|(listed, _)| *listed == property);
    let is_stray = |(_, find): &&(String, Find)| match find.outcome() {
        Outcome::Both => false,
        Outcome::TwinFirst | Outcome::TwinAlone => !lists(expected.state_first, find.property),
        Outcome::InvariantAlone => !lists(expected.history_only, find.property),
    };
    let strays: Vec<_> = finds.iter().filter(is_stray).collect();
    assert!(strays.is_empty(), "invariant and twin differ: {strays:#?}\n{tally:#?}");
    let by_both = |property: &str| {
        let counts = tally.get(property)?;
        counts.get(&Outcome::Both).or_else(|| counts.get(&Outcome::TwinFirst))
    };
    assert!(!expected.both.is_empty(), "some property must be compared where it is violated: {tally:#?}");
    for property in expected.both {
        assert!(by_both(property).is_some(), "{property} was not found violated by both: {tally:#?}");
    }
}

fn members(count: u32) -> impl Iterator<Item = NodeId> {
    (0..count).map(NodeId::new)
}

/// Clients of a key-value store.
fn scripts() -> Vec<Script> {
    vec![mixed(1, 150), mixed(2, 150), counting(100)]
}

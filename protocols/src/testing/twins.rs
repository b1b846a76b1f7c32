//! Invariants and their brute-force twins, side by side, where something is violated.
//!
//! Whatever an invariant finds in the facts of an event, `check_all` should find in how the processes then stand. On
//! runs in which nothing happens both are silent, which shows little. So here mutants are harassed until something is
//! violated, and at that event both are asked.
//!
//! They differ where a property is about more than the present: a twin cannot see who led before, what was said and
//! is forgotten, or which step was forbidden if the state that it led to is not. And a twin may see in a state what no fact
//! has told yet. Both kinds are listed with their reason, and nothing else may differ.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use sim_core::check::{About, Breach, Ghost, Invariant, Nodes};
use sim_core::fault::Command as Fault;
use sim_core::random::{KeySource, Purpose, Stream};
use sim_core::service::{Operation, kv, transfer};
use sim_core::status::Standing;
use sim_core::world::{Breakdown, Stop};
use sim_core::{NodeId, Process, SimTime, Simulation, Span, World};

use super::clients::{counting, mixed};
use super::faults::random_fault;
use super::{Script, world};
use crate::{paxos, raft, snapshots, synod, two_phase_commit, vrr};

/// What an invariant and its twin said at the first event at which either complained.
#[derive(Clone, Debug)]
struct Find {
    property: &'static str,
    ghost: Option<String>,
    twin: Option<String>,
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
}

/// An invariant that asks its twin at each event. It is asked at each itself; another copy only where something is stated
/// that it hears, as in any other world, and that must make no difference.
struct Pair<P: Process> {
    ghost: Box<dyn Invariant<P>>,
    choosy: Box<dyn Invariant<P>>,
    /// How often it was asked.
    asked: u32,
    finds: Finds,
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

    fn on_event(&mut self, nodes: &Nodes<'_, P>, node: NodeId, facts: &[P::Fact]) -> Result<(), Breach> {
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
        let twin = self.ghost.check_all(nodes);
        let either = ghost.clone().and_then(|()| twin.clone());
        if either.is_err() {
            let said = |answer: Result<(), Breach>| answer.err().map(|Breach(text)| text);
            let find = Find { property: self.about().name, ghost: said(ghost), twin: said(twin) };
            self.finds.0.lock().expect("one thread").push(find);
        }
        either
    }

    fn check_all(&self, nodes: &Nodes<'_, P>) -> Result<(), Breach> {
        self.ghost.check_all(nodes)
    }

    fn fork(&self) -> Box<dyn Invariant<P>> {
        Box::new(Self {
            ghost: self.ghost.fork(),
            choosy: self.choosy.fork(),
            asked: self.asked,
            finds: self.finds.clone(),
        })
    }

    fn ghosts(&self) -> Vec<Box<dyn Ghost<P>>> {
        self.ghost.ghosts()
    }
}

/// Goes on under faults for a while. Half of the seeds only crash whoever leads, a few
/// milliseconds after it came to lead.
fn harass<P: Process>(world: &mut World<P>, seed: u64) {
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
    for _ in 0..120 {
        let is_over = if seed.is_multiple_of(2) {
            is_ended_by_trouble(world, &mut stream)
        } else {
            let (fault, pause) = (short_reign(world, &mut stream), stream.span(Span::ZERO, Span::millis(4)));
            is_ended_by(world, fault, pause)
        };
        if is_over {
            return;
        }
    }
}

/// Goes on under so many faults, where nobody leads.
fn trouble<P: Process>(world: &mut World<P>, seed: u64, faults: u32) {
    let mut stream = KeySource::new(seed).stream(Purpose::Faults, 0, 0);
    for _ in 0..faults {
        if is_ended_by_trouble(world, &mut stream) {
            return;
        }
    }
}

fn is_ended_by_trouble<P: Process>(world: &mut World<P>, stream: &mut Stream) -> bool {
    let fault = whole_crash(random_fault(world, stream, leader(world)));
    let pause = stream.span(Span::ZERO, Span::millis(120));
    is_ended_by(world, fault, pause)
}

/// A fault, and what comes of it for a while; whether the run is over.
fn is_ended_by<P: Process>(world: &mut World<P>, fault: Fault, pause: Span) -> bool {
    if Simulation::apply(world, fault).is_err() {
        return true;
    }
    let until = world.now() + pause;
    go_on(world, until);
    world.is_broken()
}

/// Goes on past what is violated on the way: the other properties are still compared.
fn go_on<P: Process>(world: &mut World<P>, until: SimTime) {
    let mut stop = Stop::Violation;
    while stop == Stop::Violation && !world.is_broken() {
        stop = Simulation::run(world, until, 20_000);
    }
    let is_of_process = matches!(world.breakdown(), None | Some(Breakdown::Panic));
    assert!(is_of_process, "a process may panic, and nobody else: {:?}", world.breakdown());
}

/// No crash within a handler: what a process does after the cut is in its state until it dies, and in no fact.
fn whole_crash(fault: Fault) -> Fault {
    if let Fault::CrashAfterEffect { node, .. } = fault { Fault::Crash(node) } else { fault }
}

/// Crashes the leader as soon as there is one, or brings somebody back.
fn short_reign<P: Process>(world: &mut World<P>, stream: &mut Stream) -> Fault {
    let down: Vec<NodeId> = nodes(world).filter(|node| world.process(*node).is_none()).collect();
    if 2 * down.len() + 1 >= world.nodes().count() || stream.below(3) == 0 {
        return stream.pick(&down).map_or(Fault::Recover, |node| Fault::Restart(*node));
    }
    for _ in 0..100 {
        if let Some(node) = leader(world) {
            return Fault::Crash(node);
        }
        let until = world.now() + Span::millis(5);
        go_on(world, until);
    }
    Fault::Recover
}

fn nodes<P: Process>(world: &World<P>) -> impl Iterator<Item = NodeId> + use<P> {
    (0..).map(NodeId::new).take(world.nodes().count())
}

/// Whoever leads in the highest epoch.
fn leader<P: Process>(world: &World<P>) -> Option<NodeId> {
    let led = |node: NodeId| {
        let status = world.status(node).process?;
        (status.standing == Standing::Leader).then_some((status.epoch, node))
    };
    nodes(world).filter_map(led).max().map(|(_, node)| node)
}

fn scripts() -> Vec<Script> {
    vec![mixed(1, 150), mixed(2, 150), counting(100)]
}

/// Clients that all want another value of the one register, and read before and after.
fn rivals() -> Vec<Script> {
    let ask = |wait, operation| (Span::millis(wait), Operation::Kv(operation));
    let read = |wait| ask(wait, kv::Operation::Read(synod::REGISTER));
    let write = |wait, value| ask(wait, kv::Operation::Write(synod::REGISTER, value));
    (1..=4)
        .map(|client| Script(vec![read(0), write(client % 3, client), read(5), write(0, 100 + client)]))
        .collect()
}

/// A client that moves money between four accounts.
fn mover(client: u64, steps: u64) -> Script {
    let mut stream = KeySource::new(client).stream(Purpose::Workload, client, 0);
    let mut account = move || u32::try_from(stream.below(4)).expect("few accounts");
    let ask =
        |ordinal: u64| transfer::Operation::Move { from: account(), to: account(), amount: 5 * ordinal % 70 };
    Script((0..steps).map(ask).map(|asked| (Span::millis(5), Operation::Transfer(asked))).collect())
}

fn members(count: u32) -> impl Iterator<Item = NodeId> {
    (0..count).map(NodeId::new)
}

/// An invariant that may differ from its twin where it is violated, and why.
type Difference = (&'static str, &'static str);

/// Holds what was found against what may differ, and that both found the same often enough to say so: `agreed_min` is the
/// number of properties of which they did.
fn judge(finds: Vec<Find>, history_only: &[Difference], state_first: &[Difference], agreed_min: usize) {
    let mut tally = BTreeMap::<&str, [u32; 3]>::new();
    let mut strays = Vec::new();
    let lists = |list: &[Difference], name| list.iter().any(|(listed, _)| *listed == name);
    for find in finds {
        let (column, may_be) = match (&find.ghost, &find.twin) {
            (Some(_), Some(_)) => (0, true),
            (Some(_), None) => (1, lists(history_only, find.property)),
            (None, Some(_)) => (2, lists(state_first, find.property)),
            (None, None) => unreachable!("only complaints are kept"),
        };
        tally.entry(find.property).or_default()[column] += 1;
        if !may_be {
            strays.push(find);
        }
    }
    assert!(strays.is_empty(), "invariant and twin differ: {strays:#?}\nboth, invariant, twin: {tally:?}");
    let agreed = tally.values().filter(|[both, ..]| *both > 0).count();
    assert!(agreed >= agreed_min, "too few properties were violated to compare: {tally:?}");
}

/// What only the invariants of Raft see.
const RAFT_HISTORY: &[Difference] = &[
    (
        "committed-is-durable",
        "on how many disks an entry was when it was committed; the twin compares a node with its disk",
    ),
    ("bounds", "that something fell which should only rise"),
    (
        "log-inv",
        "what was committed by a node that is down, or is compacted away: the twin compares running pairs",
    ),
    ("message-terms", "what was sent before the disk knew: the twin sees no messages"),
];

/// What their twins see before them.
const RAFT_STATE: &[Difference] = &[("vote-once", "a vote that is forgotten, before it is given to another")];

/// What only the invariants of Multi-Paxos see.
const PAXOS_HISTORY: &[Difference] = &[
    ("a1-ballots-rise", "what was accepted below a promise that still stands"),
    ("a2-accepts-its-ballot", "what was accepted below a promise that still stands"),
    ("a3-keeps-pvalues", "slots other than the next one, at which alone the twin looks"),
    ("a5-chosen-stays", "slots other than the last one of a node, at which alone the twin looks"),
    ("cs3-decided-is-chosen", "slots other than the last one of a node, at which alone the twin looks"),
    ("c2-proposals-follow-chosen", "proposals for slots that no node has decided last"),
];

/// What their twins see before them.
const PAXOS_STATE: &[Difference] = &[
    ("a1-ballots-rise", "a promise that is forgotten, before a lower one is given"),
    ("a3-keeps-pvalues", "a pvalue that is forgotten, before somebody asks for it"),
];

/// What the twins of invariants of Viewstamped Replication see before them.
const VRR_STATE: &[Difference] =
    &[("executed-once", "a client's session that is missing, before its request is executed again")];

/// What only the invariants of the Synod see.
const SYNOD_HISTORY: &[Difference] = &[
    ("one-proposal-a-ballot", "a second proposal that no acceptor holds, or holds no more"),
    ("one-value", "a value that was chosen, and that no learner who runs has learned"),
    ("promise-kept", "what was accepted below a promise that still stands"),
];

/// What their twins see before them.
const SYNOD_STATE: &[Difference] = &[
    (
        "one-value",
        "learners that differ, although no second value was chosen: one of them has learned what was not",
    ),
    ("promise-kept", "a promise that is forgotten, before it is broken"),
];

/// What only the invariants of two-phase commit see.
const TWO_PHASE_COMMIT_HISTORY: &[Difference] = &[
    (
        "ac1-agreement",
        "what a coordinator has decided and tells no more, and what a node that is down has settled",
    ),
    (
        "ac2-no-reversal",
        "a decision that is on the disk of no node that runs, such as an abort that is presumed",
    ),
    (
        "ac3-commit-needs-all-votes",
        "a commit that no coordinator tells any more: the twin sees only those that are told",
    ),
    ("conservation", "who does something twice, or what nobody has begun: the twin sees sums"),
];

/// What their twins see before them.
const TWO_PHASE_COMMIT_STATE: &[Difference] = &[(
    "conservation",
    "a transfer that one participant has done and another has aborted: the invariant waits until all have done it",
)];

/// What only the invariants of snapshots see.
const SNAPSHOTS_HISTORY: &[Difference] = &[
    (
        "reachable",
        "that a process has recorded its state twice for one snapshot: the twin is content with either",
    ),
    ("channel-states", "the same: the twin believes the states of a snapshot where they were"),
];

/// What their twins see before them.
const SNAPSHOTS_STATE: &[Difference] = &[(
    "consistent-cut",
    "states that do not fit, before the snapshot is finished or without that it ever is",
)];

#[test]
fn invariants_of_raft_and_their_twins_find_the_same_in_mutants() {
    let mut finds = Vec::new();
    for (number, mutant) in (0..).zip(raft::Mutant::ALL) {
        for seed in 0..16 {
            let found = Finds::default();
            let count = if seed % 3 == 0 { 3 } else { 5 };
            let config = raft::Config {
                append_entries_max: if seed < 8 { 1 } else { 64 },
                snapshot_every: 20,
                snapshot_trail: 5,
                mutant: Some(*mutant),
                ..raft::Config::new(members(count))
            };
            let invariants = found.pair(raft::invariants::all());
            let mut world = world(seed + 100 * number, count, config, scripts(), invariants);
            harass(&mut world, seed + 100 * number);
            finds.extend(found.all());
        }
    }
    judge(finds, RAFT_HISTORY, RAFT_STATE, 3);
}

#[test]
fn invariants_of_paxos_and_their_twins_find_the_same_in_mutants() {
    let mut finds = Vec::new();
    for (number, mutant) in (0..).zip(paxos::Mutant::ALL) {
        for seed in 0..40 {
            let found = Finds::default();
            let config = paxos::Config {
                window: 16,
                snapshot_every: Some(30),
                mutant: Some(*mutant),
                ..paxos::Config::new(members(3))
            };
            let invariants = found.pair(paxos::invariants::all(&config));
            let mut world = world(seed + 100 * number, 3, config, scripts(), invariants);
            harass(&mut world, seed + 100 * number);
            finds.extend(found.all());
        }
    }
    judge(finds, PAXOS_HISTORY, PAXOS_STATE, 2);
}

#[test]
fn invariants_of_vrr_and_their_twins_find_the_same_in_mutants() {
    let mut finds = Vec::new();
    for (number, mutant) in (0..).zip(vrr::Mutant::ALL) {
        for seed in 0..24 {
            let found = Finds::default();
            let config = vrr::Config {
                checkpoint_interval: 20,
                mutant: Some(*mutant),
                ..vrr::Config::new(members(3))
            };
            let mut world =
                world(seed + 100 * number, 3, config, scripts(), found.pair(vrr::invariants::all()));
            harass(&mut world, seed + 100 * number);
            finds.extend(found.all());
        }
    }
    judge(finds, &[], VRR_STATE, 2);
}

#[test]
fn invariants_of_the_synod_and_their_twins_find_the_same_in_mutants() {
    let mut finds = Vec::new();
    for (number, mutant) in (0..).zip(synod::Mutant::ALL) {
        for seed in 0..40 {
            let found = Finds::default();
            let config = synod::Config {
                ballot_timeout: Span::millis(5),
                backoff: Span::ZERO..=Span::millis(5),
                mutant: Some(*mutant),
                ..synod::Config::new(members(3))
            };
            let invariants = found.pair(synod::invariants::all(&config));
            let mut world = world(2 * seed, 3, config, rivals(), invariants);
            harass(&mut world, 2 * seed + 80 * number);
            finds.extend(found.all());
        }
    }
    judge(finds, SYNOD_HISTORY, SYNOD_STATE, 2);
}

#[test]
fn invariants_of_two_phase_commit_and_their_twins_find_the_same_in_mutants() {
    let mut finds = Vec::new();
    for (number, mutant) in (0..).zip(two_phase_commit::Mutant::ALL) {
        for seed in 0..6 {
            let found = Finds::default();
            let config = two_phase_commit::Config {
                accounts: 4,
                inquire_after: Span::millis(30),
                mutant: Some(*mutant),
                ..two_phase_commit::Config::new(3)
            };
            let invariants = found.pair(two_phase_commit::invariants::all(&config));
            let scripts = vec![mover(1, 60), mover(2, 60)];
            let mut world = world(seed + 100 * number, 3, config, scripts, invariants);
            trouble(&mut world, seed + 100 * number, 30);
            finds.extend(found.all());
        }
    }
    judge(finds, TWO_PHASE_COMMIT_HISTORY, TWO_PHASE_COMMIT_STATE, 2);
}

#[test]
fn invariants_of_snapshots_and_their_twins_find_the_same_in_mutants() {
    let mut finds = Vec::new();
    for (number, mutant) in (0..).zip(snapshots::Mutant::ALL) {
        let found = Finds::default();
        let config = snapshots::Config {
            initiators: 2,
            snapshot_every: Span::millis(20)..=Span::millis(60),
            pay_every: Span::millis(10)..=Span::millis(30),
            mutant: Some(*mutant),
            ..snapshots::Config::new(3)
        };
        let invariants = found.pair(snapshots::invariants::all(&config));
        let mut world = world(number, 3, config, Vec::new(), invariants);
        trouble(&mut world, number, 8);
        finds.extend(found.all());
    }
    judge(finds, SNAPSHOTS_HISTORY, SNAPSHOTS_STATE, 4);
}

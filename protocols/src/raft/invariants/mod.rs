//! Raft's safety properties, one file each.
//!
//! | property | paper | TLA+ | file |
//! | --- | --- | --- | --- |
//! | Election Safety | §5.2, Figure 3 | `ElectionSafety` over `elections`; `MoreThanOneLeaderInv` | `election_safety` |
//! | a leader has all of its term | §5.2, §5.3 | `ElectionSafetyInv` | `leader_has_own_term` |
//! | Leader Append-Only | §5.3, Figure 3 | `LeaderAppendOnly` (action property) | `leader_append_only` |
//! | Log Matching | §5.3, Figure 3 | `LogMatchingInv` | `log_matching` |
//! | Leader Completeness | §5.4, Figure 3 | `LeaderCompletenessInv`, `LogInv` | `leader_completeness` |
//! | State Machine Safety | §5.4.3, Figure 3 | `StateMachineSafety` | `state_machine_safety` |
//! | one vote a term, across restarts | §5.2 | `VoteOnce` | `vote_once` |
//! | bounds and monotony | Figure 2 | – | `bounds` |
//! | one committed sequence | §5.4.3 | `LogInv` | `log_inv` |
//! | every quorum has what is committed | §5.3 | `QuorumLogInv` | `quorum_log_inv` |
//! | who may be elected has what is committed | §5.4.1 | `MoreUpToDateCorrectInv`, weaker | `more_up_to_date_correct` |
//! | what is committed is on disks | Figure 2 | `CommittedIsDurableInv`, weaker | `committed_is_durable` |
//! | what counts as durable is on disk | Figure 2 | – | `durable_is_on_disk` |
//! | no message of a term that may be forgotten | §5.1 | `MessageTermsLtCurrentTerm`, stronger | `message_terms` |
//! | leaders have the votes of a quorum | §5.2 | `elections` of `raft.tla` | `election_record` |
//! | memberships that follow one another meet | §6 | – | `config_safety` |
//! | the last membership of the log is in force | §6 | – | `config_in_force` |
//! | a command takes effect once | §8 | – | `session_exactly_once` |
//! | a leader that is heard stays | dissertation §9.6 | – | `non_disruption` |
//!
//! All but `session_exactly_once`, which is about the key-value store, hold whatever is replicated; where replicas are parts of
//! other processes [`Hosted`] checks them.
//!
//! Each keeps ghost state from facts, in O(1) an entry, in containers whose copies share their chunks. What spec
//! authors found *not* to hold is shown in [`votes_granted`] with what refutes it, and never checked.

mod bounds;
mod committed_is_durable;
mod config_in_force;
mod config_safety;
mod durable_is_on_disk;
mod election_record;
mod election_safety;
mod leader_append_only;
mod leader_completeness;
mod leader_has_own_term;
mod log_inv;
mod log_matching;
mod message_terms;
mod more_up_to_date_correct;
mod non_disruption;
mod quorum_log_inv;
mod session_exactly_once;
mod state_machine_safety;
mod vote_once;
pub mod votes_granted;

use std::fmt;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::process::Process;

pub use bounds::Bounds;
pub use committed_is_durable::CommittedIsDurable;
pub use config_in_force::ConfigInForce;
pub use config_safety::ConfigSafety;
pub use durable_is_on_disk::DurableIsOnDisk;
pub use election_record::ElectionRecord;
pub use election_safety::ElectionSafety;
pub use leader_append_only::LeaderAppendOnly;
pub use leader_completeness::LeaderCompleteness;
pub use leader_has_own_term::LeaderHasOwnTerm;
pub use log_inv::LogInv;
pub use log_matching::LogMatching;
pub use message_terms::MessageTerms;
pub use more_up_to_date_correct::MoreUpToDateCorrect;
pub use non_disruption::NonDisruption;
pub use quorum_log_inv::QuorumLogInv;
pub use session_exactly_once::SessionExactlyOnce;
pub use state_machine_safety::StateMachineSafety;
pub use vote_once::VoteOnce;

use super::facts::every_kind;
use super::{Application, Fact, Host, Index, Membership, Raft, Replica};

/// All of them, fresh.
pub fn all() -> Vec<Box<dyn Invariant<Raft>>> {
    let mut all = of_replicas();
    // It is about the commands of the key-value store.
    all.push(Box::<SessionExactlyOnce>::default());
    all
}

/// Those that hold of replicas whatever they replicate, fresh.
fn of_replicas<H: Host>() -> Vec<Box<dyn Invariant<H>>> {
    vec![
        Box::<ElectionSafety>::default(),
        Box::<LeaderAppendOnly>::default(),
        Box::<LogMatching>::default(),
        Box::<LeaderCompleteness>::default(),
        Box::<StateMachineSafety>::default(),
        Box::<VoteOnce>::default(),
        Box::<Bounds>::default(),
        Box::<LogInv>::default(),
        Box::<QuorumLogInv>::default(),
        Box::<MoreUpToDateCorrect>::default(),
        Box::<CommittedIsDurable>::default(),
        Box::<DurableIsOnDisk>::default(),
        Box::<MessageTerms>::default(),
        Box::<ElectionRecord>::default(),
        Box::<ConfigSafety>::default(),
        Box::<ConfigInForce>::default(),
        Box::<NonDisruption>::default(),
        Box::<LeaderHasOwnTerm>::default(),
    ]
}

// ----- replicas within other processes -----

/// All that holds of replicas, as one invariant of the processes that they are part of. A breach begins with the name of the
/// property that does not hold.
///
/// It is one, and not as many as there are, so that nobody takes Raft's log for another log of the process: there is more
/// than one property called `log-matching`.
pub struct Hosted<H: Host> {
    about: &'static About,
    properties: Vec<Property<H>>,
}

/// One of Raft's invariants, and what it hears.
struct Property<H: Host> {
    hears: Kinds,
    invariant: Box<dyn Invariant<H>>,
}

impl<H: Host> Property<H> {
    fn new(invariant: Box<dyn Invariant<H>>) -> Self {
        Self { hears: invariant.hears(), invariant }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        if !facts.iter().any(|fact| self.hears.has(H::kind_of(fact))) {
            return Ok(());
        }
        let found = self.invariant.on_event(nodes, node, facts);
        self.named(found)
    }

    fn named(&self, found: Result<(), Breach>) -> Result<(), Breach> {
        found.map_err(|Breach(text)| Breach(format!("{}: {text}", self.invariant.about().name)))
    }
}

impl<H: Host> Hosted<H> {
    /// All of them, fresh, under the name and in the words of the process.
    pub fn new(about: &'static About) -> Self {
        Self { about, properties: of_replicas().into_iter().map(Property::new).collect() }
    }
}

/// A derived one would ask for a process that can be copied.
impl<H: Host> Clone for Hosted<H> {
    fn clone(&self) -> Self {
        let copies = self.properties.iter().map(|property| Property::new(property.invariant.clone()));
        Self { about: self.about, properties: copies.collect() }
    }
}

impl<H: Host> fmt::Debug for Hosted<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.properties.iter().map(|property| &property.invariant)).finish()
    }
}

impl<H: Host> Invariant<H> for Hosted<H> {
    fn about(&self) -> &'static About {
        self.about
    }

    fn hears(&self) -> Kinds {
        every_kind::<H>()
    }

    fn on_event(&mut self, nodes: &Nodes<'_, H>, node: NodeId, facts: &[H::Fact]) -> Result<(), Breach> {
        self.properties.iter_mut().try_for_each(|property| property.on_event(nodes, node, facts))
    }

    fn check_all(&self, nodes: &Nodes<'_, H>) -> Result<(), Breach> {
        self.properties.iter().try_for_each(|property| property.named(property.invariant.check_all(nodes)))
    }
}

// ----- what they look at -----

/// The replica of a node; `None` while the node is down, or where it has none.
#[inline]
fn replica<'a, H: Host>(nodes: &Nodes<'a, H>, node: NodeId) -> Option<&'a Replica<H::App>> {
    nodes.process(node)?.replica()
}

/// The replicas of the running nodes, in order of node.
fn replicas<'a, H: Host>(
    nodes: &Nodes<'a, H>,
) -> impl Iterator<Item = (NodeId, &'a Replica<H::App>)> + use<'a, H> {
    nodes.running().filter_map(|(node, process)| Some((node, process.replica()?)))
}

/// What a replica states among these facts, each with what is stated after it.
#[inline]
fn stated<H: Host>(facts: &[H::Fact]) -> impl Iterator<Item = (&Fact, &[H::Fact])> {
    facts.iter().zip(1..).filter_map(|(fact, next)| Some((H::as_fact(fact)?, &facts[next..])))
}

/// The membership that was in force when a handler stated a fact, of which it has stated these `later` ones: what it appended
/// and executed meanwhile may have brought another.
fn members_before<A: Application>(raft: &Replica<A>, later: &[<A::Host as Process>::Fact]) -> Membership {
    let first = |is_it: fn(&Fact) -> Option<Index>| {
        later.iter().filter_map(A::Host::as_fact).find_map(is_it).map(Index::previous)
    };
    let executed = first(|fact| if let Fact::Applied { index, .. } = fact { Some(*index) } else { None });
    let last = first(|fact| if let Fact::Appended { index, .. } = fact { Some(*index) } else { None });
    let executed = executed.unwrap_or(raft.machine().applied());
    raft.rightful_members(executed, last.unwrap_or(raft.log().last_index())).1
}

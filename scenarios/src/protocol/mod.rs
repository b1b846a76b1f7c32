//! The protocols that scenarios can run: their parameters as scenario files write them, and how a world is made of
//! them.
//!
//! | part | is |
//! | --- | --- |
//! | [`Protocol`] | what a scenario says: the name of a protocol with its parameters |
//! | [`ProtocolKind`] | what is known of a protocol, and how it is assembled |
//! | [`ProtocolTable`] | all that a run may use: the built-in ones, and those that a caller adds |
//!
//! To add a built-in protocol: a file here, and one line in `builtin!`.

mod chain;
mod crdt;
mod detector;
mod echo;
mod epidemic;
mod gossip;
mod kind;
mod lock;
mod log;
mod mutant;
mod objections;
mod paxos;
mod plumtree;
mod queue;
mod quorums;
mod raft;
mod snapshots;
mod swim;
mod synod;
mod table;
mod two_phase_commit;
mod unique_ids;
mod vrr;

use protocols::mutant::MutantAbout;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use sim_core::check::About;
use sim_core::fault::Sites;
use sim_core::service::Service;
use sim_core::{NodeId, Simulation};

use self::kind::Kind;
pub use self::mutant::MutantName;
pub use self::table::ProtocolTable;
use crate::assemble::Blueprint;
use crate::validate::Objection;

/// Lists the built-in protocols: how scenarios call them, and the module that knows them.
macro_rules! builtin {
    ($($(#[$doc:meta])* $variant:ident = $module:ident,)*) => {
        /// What runs on the nodes.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub enum Protocol {
            $($(#[$doc])* $variant($module::Parameters),)*
            /// A protocol that is not built in, by the name under which it was added to the table: a program of your
            /// own.
            Added(String),
        }

        impl Protocol {
            /// The name in the table.
            pub fn name(&self) -> &str {
                match self {
                    $(Self::$variant(_) => stringify!($module),)*
                    Self::Added(name) => name,
                }
            }

            /// The bug that it is to have.
            pub fn mutant(&self) -> Option<&MutantName> {
                match self {
                    $(Self::$variant(parameters) => parameters.mutant.as_ref(),)*
                    Self::Added(_) => None,
                }
            }
        }

        /// The built-in protocols.
        fn builtin() -> Vec<Box<dyn ProtocolKind>> {
            vec![$(Box::new(Kind::<$module::Parameters> {
                name: stringify!($module),
                parameters: |protocol| match protocol {
                    Protocol::$variant(parameters) => Some(parameters),
                    _ => None,
                },
            }),)*]
        }
    };
}

builtin! {
    /// Raft: a replicated log, and a key-value store on it.
    Raft = raft,
    /// Multi-Paxos: a sequence of decisions, and a key-value store on it.
    Paxos = paxos,
    /// Viewstamped Replication Revisited: a replicated log without a disk, and a key-value store on it.
    Vrr = vrr,
    /// Chain replication, with CRAQ's apportioned queries: a key-value store on servers in a row.
    Chain = chain,
    /// The Synod: single-decree Paxos, one value agreed on once.
    Synod = synod,
    /// Gossip: rumors that spread as a disease does.
    Gossip = gossip,
    /// Plumtree: broadcast by a tree that gossip mends, over `HyParView`.
    Plumtree = plumtree,
    /// Epidemic: a database on many sites that anti-entropy keeps alike.
    Epidemic = epidemic,
    /// Crdt: counters, sets and maps that merge.
    Crdt = crdt,
    /// SWIM: who is in the group, and who has failed.
    Swim = swim,
    /// A lock with leases and fencing tokens.
    Lock = lock,
    /// Two-phase commit with presumed abort: money moves between accounts on several nodes.
    TwoPhaseCommit = two_phase_commit,
    /// Snapshots of a bank whose branches send each other money, after Chandy and Lamport.
    Snapshots = snapshots,
    /// A log in partitions, replicated among brokers by a controller's word.
    Log = log,
    /// Unique ids: counters with blocks, Snowflake, hybrid logical clocks.
    UniqueIds = unique_ids,
    /// A message queue with its consumers, and the store that they have effects on.
    Queue = queue,
    /// Echo: the smallest protocol, a template.
    Echo = echo,
}

/// What is known of a protocol, and how it is assembled.
pub trait ProtocolKind: Send + Sync {
    /// What tools say of it.
    fn about(&self) -> ProtocolAbout;

    /// What of it faults can be about, with these parameters.
    fn sites(&self, protocol: &Protocol) -> Sites;

    /// What clients may ask with these parameters, the usual first. Default: what [`ProtocolKind::about`] says.
    fn services(&self, _protocol: &Protocol) -> Vec<Service> {
        self.about().services
    }

    /// Whether the parameters make sense for these members.
    ///
    /// # Errors
    /// The first thing that does not.
    fn check(&self, protocol: &Protocol, members: &[NodeId]) -> Result<(), Objection>;

    /// A world at time zero.
    ///
    /// # Panics
    /// If [`ProtocolKind::check`] objects.
    fn assemble(&self, protocol: &Protocol, members: &[NodeId], blueprint: Blueprint) -> Box<dyn Simulation>;
}

/// What tools say of a protocol.
#[derive(Clone, Debug, Serialize)]
pub struct ProtocolAbout {
    /// The name in the table: lower case.
    pub name: String,
    /// One line.
    pub summary: String,
    /// What clients may ask, the usual first.
    pub services: Vec<Service>,
    /// How many disk regions it has, numbered from 0.
    pub region_count: u16,
    /// The JSON schema of its parameters.
    pub parameters: Schema,
    /// What must always hold.
    pub invariants: Vec<About>,
    /// Wrong variants of it.
    pub mutants: Vec<MutantAbout>,
    /// The kinds of message, by number.
    pub message_kinds: Vec<&'static str>,
    /// The plain timers, by number.
    pub timers: Vec<&'static str>,
    /// Situations worth reaching.
    pub points: Vec<&'static str>,
    /// Places inside handlers where a plan can act.
    pub fault_points: Vec<&'static str>,
    /// What its processes keep in numbers: levels, counts, and what takes time.
    pub gauges: Vec<&'static str>,
    /// See `gauges`.
    pub counters: Vec<&'static str>,
    /// See `gauges`.
    pub latencies: Vec<&'static str>,
}

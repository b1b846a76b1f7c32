//! Who asks, what, and how patiently.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sim_core::{ClientId, Span};

use super::Latency;
use crate::text::units::{Exponent, NodeList, Probability, Rate, Time};

/// The clients of a run; all ask in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Clients {
    /// How many there are: 0 to 10,000. Default 3.
    pub count: u32,
    /// How many more there are that ask nothing by themselves: random faults let them add and remove nodes, transfer
    /// leadership and take snapshots. Their numbers come after the others'. Default 0; without any, the others do it.
    pub admins: u32,
    /// What they ask. Default: the first service of the protocol, as it is by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// Closed loop: how long a client thinks between an answer and its next operation. Default `10ms..50ms`. Where
    /// answers take no time, `exponential(10ms)` makes arrivals a Poisson process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub think: Option<Latency>,
    /// Open loop instead: how often each client asks, once in each interval at a drawn instant, or as soon after it
    /// as the operation before is completed. Not together with `think`. Default: closed loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// How many operations each client issues. Default: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operations: Option<u32>,
    /// How long a client waits for an answer before it asks another node. Default `250ms`.
    pub timeout: Time,
    /// How long after it began to ask it gives up; the outcome is then unknown. At least `timeout`. Default `2s`.
    pub give_up: Time,
    /// How long it waits, more or less, when nobody could serve it. Default `30ms`.
    pub backoff: Time,
    /// How likely an operation begins at a random node, as behind a load balancer, and not where the client was served
    /// last. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roaming: Option<Probability>,
    /// The nodes that clients ask. Default: all but spares.
    pub targets: NodeList,
}

impl Clients {
    /// How many there are, administrators included.
    pub const fn total(&self) -> u32 {
        self.count.saturating_add(self.admins)
    }

    /// Who asks what the scenario itself asks for: the first administrator, or the first client where there is none.
    pub const fn asker(&self) -> ClientId {
        ClientId::new(if self.admins > 0 { self.count } else { 0 })
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self {
            count: 3,
            admins: 0,
            workload: None,
            think: None,
            rate: None,
            operations: None,
            timeout: Span::millis(250).into(),
            give_up: Span::secs(2).into(),
            backoff: Span::millis(30).into(),
            roaming: None,
            targets: NodeList::default(),
        }
    }
}

/// What clients ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub enum Workload {
    /// Reads, writes, compare-and-sets and deletions of keys; every value written is unique.
    Kv {
        /// How likely an operation is a read. Default 0.5.
        #[serde(default = "half")]
        reads: Probability,
        /// How likely an operation that is no read compares and sets; others write. Default 0.2.
        #[serde(default = "fifth")]
        compare_and_set: Probability,
        /// How likely an operation that neither reads nor compares deletes. Default 0.
        #[serde(default = "none")]
        deletes: Probability,
        /// How many keys there are: 1 to 1,000,000. Default 5.
        #[serde(default = "five")]
        keys: u32,
        /// How keys are chosen. Default `Uniform`.
        #[serde(default)]
        skew: Skew,
    },
    /// Values that are to reach every node, and reads of what the asked node has; every value sent is unique.
    Broadcast {
        /// How likely an operation is a read. Default 0.5.
        #[serde(default = "half")]
        reads: Probability,
    },
    /// Additions of 1 to 10, subtractions and reads of one counter.
    Counter {
        /// How likely an operation is a read. Default 0.5.
        #[serde(default = "half")]
        reads: Probability,
        /// How likely an operation that is no read subtracts. Default 0.2.
        #[serde(default = "fifth")]
        subtractions: Probability,
    },
    /// Additions to a set that grows, and reads of all of it; every value added is unique.
    Set {
        /// How likely an operation is a read. Default 0.5.
        #[serde(default = "half")]
        reads: Probability,
    },
    /// Who is in the group, as the asked node believes.
    Membership {},
    /// Numbers that nobody else gets.
    UniqueIds {},
    /// The lock is taken, and given back by whoever took it, by turns: a client has it for as long as it thinks.
    Lock {
        /// How likely a client keeps the lock when its turn is to give it back, and asks for it again. Default 0.1.
        #[serde(default = "tenth")]
        kept: Probability,
    },
    /// Records are appended to partitions and read, and offsets of consumers are kept and read. Every value appended is
    /// unique.
    Log {
        /// How likely an operation reads records from some offset on. Default 0.5.
        #[serde(default = "half")]
        polls: Probability,
        /// How likely an operation that reads no records keeps or reads an offset. Default 0.2.
        #[serde(default = "fifth")]
        offsets: Probability,
        /// How many partitions are used: 1 to 1,000,000, and no more than the protocol has. Default 2.
        #[serde(default = "two")]
        partitions: u32,
        /// How likely an operation that reads records reads results, which a protocol with transactions has. Default 0.
        #[serde(default = "never")]
        results: Probability,
    },
    /// Money moves between accounts, and all balances are read.
    Transfer {
        /// How likely an operation reads all balances. Default 0.2.
        #[serde(default = "fifth")]
        reads: Probability,
        /// How many accounts are moved between: 1 to 1,000,000, and no more than the protocol has. Default 8.
        #[serde(default = "eight")]
        accounts: u32,
        /// How much is moved at most, at least 1. Default 40.
        #[serde(default = "forty")]
        amount_max: u64,
    },
    /// Messages that are sent; dequeues and acknowledgements by the clients themselves, if wanted. Every value sent is
    /// unique.
    Queue {
        /// How likely a client takes a message, which it acknowledges next, in the place of sending two. Default 0: consumers
        /// do.
        #[serde(default = "none")]
        dequeues: Probability,
    },
    /// A node says back what it is told; every value is unique.
    Echo {},
}

/// How keys are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Skew {
    /// Each is equally likely.
    #[default]
    Uniform,
    /// The k-th key is chosen with weight 1/k to the power of `exponent` (Zipf's law): `Zipf()`.
    Zipf {
        /// How steep: 0 is uniform, up to 10. Default 1.
        #[serde(default)]
        exponent: Exponent,
    },
}

fn none() -> Probability {
    probability("0")
}

fn two() -> u32 {
    2
}

fn never() -> Probability {
    probability("0")
}

fn half() -> Probability {
    probability("0.5")
}

fn tenth() -> Probability {
    probability("0.1")
}

fn fifth() -> Probability {
    probability("0.2")
}

fn probability(text: &str) -> Probability {
    text.parse().expect("a constant of this file is a probability")
}

const fn five() -> u32 {
    5
}

const fn eight() -> u32 {
    8
}

const fn forty() -> u64 {
    40
}

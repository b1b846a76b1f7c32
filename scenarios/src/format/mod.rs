//! What a scenario file says, typed. Every field has a default except the version, the name and the protocol, so
//! the smallest scenario is three lines:
//!
//! ```text
//! Scenario(
//!     format_version: 1, name: "hello", protocol: Raft(),
//! )
//! ```
//!
//! The doc comments here are the documentation that schemas, `list` and the book show: they give units, ranges and
//! defaults. What a single value may be is checked by its type, what values may be together by
//! [`validate`](crate::validate).

mod act;
mod clients;
mod draw;
mod endpoint;
mod faults;
mod hosts;
mod judging;
mod latency;
mod network;

use std::collections::BTreeMap;

use ron::ser::PrettyConfig;
use schemars::{JsonSchema, Schema, schema_for};
use serde::{Deserialize, Serialize};
use sim_core::NodeId;
use sim_core::fault::Domain;

pub use self::act::{Act, Harm, Loss, RecordAt, Request, ShapeOf};
pub use self::clients::{Clients, Skew, Workload};
pub use self::draw::Draw;
pub use self::endpoint::{Somebody, Who};
pub use self::faults::{Before, Event, Faults, Kinds, Periodic, Random, Timed, When};
pub use self::hosts::{Clock, Clocks, Disks, Hosts, Ties};
pub use self::judging::{Checks, Core, Expectation, Heal, HistoryChecks, Limits, Liveness, Others, Phases};
pub use self::latency::Latency;
pub use self::network::{
    Burst, LinkChange, LinkDirection, LinkOverride, Network, Reorder, Topology, Transport,
};
pub use crate::protocol::Protocol;
use crate::text::ron_options;
use crate::text::units::NodeList;

/// The newest version of the format, and the only one there is.
pub const FORMAT_VERSION: u32 = 1;

/// What to simulate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The version of the format: 1.
    pub format_version: u32,
    /// A short name, in kebab-case.
    pub name: String,
    /// One line for lists. Default: empty.
    #[serde(default)]
    pub summary: String,
    /// What runs on the nodes, with its parameters: `Raft(heartbeat: "50ms")`.
    pub protocol: Protocol,
    /// How many nodes there are, spares included: 1 to 100,000. Default 5.
    #[serde(default = "five")]
    pub nodes: u32,
    /// Nodes that are down until a command starts them. Default: none.
    #[serde(default)]
    pub spares: NodeList,
    /// Zones by name (sites, data centres), for faults that hit `zone(east)`. A node is in at most one. Default: none.
    #[serde(default)]
    pub zones: BTreeMap<String, NodeList>,
    /// Racks by name, for faults that hit `rack(r1)`. A node is in at most one, and a rack in at most one zone.
    /// Default: none.
    #[serde(default)]
    pub racks: BTreeMap<String, NodeList>,
    /// Which nodes are linked. Default: `Mesh`.
    #[serde(default)]
    pub topology: Topology,
    /// What links do to messages.
    #[serde(default)]
    pub network: Network,
    /// Who asks, and what.
    #[serde(default)]
    pub clients: Clients,
    /// What the clocks of the nodes show.
    #[serde(default)]
    pub clocks: Clocks,
    /// How long disks take, and what a crash does to them.
    #[serde(default)]
    pub disks: Disks,
    /// How long nodes take to handle things.
    #[serde(default)]
    pub hosts: Hosts,
    /// How events of the same nanosecond are ordered. Default: `Fifo`.
    #[serde(default)]
    pub ties: Ties,
    /// What goes wrong. Default: nothing.
    #[serde(default)]
    pub faults: Faults,
    /// What is checked. Default: everything.
    #[serde(default)]
    pub checks: Checks,
    /// How long the parts of a run are.
    #[serde(default)]
    pub phases: Phases,
    /// Where a run is given up.
    #[serde(default)]
    pub limits: Limits,
    /// What the run should end with. Default: `Pass`.
    #[serde(default)]
    pub expect: Expectation,
    /// Fields whose values are drawn from the seed, so that many seeds try many configurations. Default: none.
    #[serde(default)]
    pub draw: Vec<Draw>,
    /// Whether `splitbrain mutants` runs the wrong variants of the protocol against this scenario. Default `false`.
    #[serde(default)]
    pub hunt: bool,
}

const fn five() -> u32 {
    5
}

impl Scenario {
    /// The scenario as a file that [`load`](crate::load()) reads back as the same, with all defaults spelt out.
    pub fn to_text(&self) -> String {
        let fields = ron_options().to_string_pretty(self, PrettyConfig::default());
        format!("Scenario{}\n", fields.expect("a scenario is plain data"))
    }

    /// The JSON schema of scenarios: what files may say, with its documentation.
    pub fn schema() -> Schema {
        schema_for!(Self)
    }

    /// The failure domains of each node.
    pub fn domains(&self) -> Vec<Domain> {
        let mut domains = vec![Domain::default(); self.nodes as usize];
        for (name, nodes) in &self.zones {
            nodes.nodes().iter().for_each(|node| domains[node.index()].zone.clone_from(name));
        }
        for (name, nodes) in &self.racks {
            nodes.nodes().iter().for_each(|node| domains[node.index()].rack.clone_from(name));
        }
        domains
    }

    /// The nodes that take part from the start, ascending.
    pub fn members(&self) -> Vec<NodeId> {
        let spares = self.spares.nodes();
        (0..self.nodes).map(NodeId::new).filter(|node| !spares.contains(node)).collect()
    }
}

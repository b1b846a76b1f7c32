//! Checks of topology and links.

use sim_core::fault::Place;
use sim_core::network::{LISTED_NODES_MAX, Network, NetworkError};
use sim_core::random::KeySource;

use super::{
    LATENCIES_ALLOWED, LATENCIES_HINT, LATENCY_MAX, Objection, latency, no_such_client, no_such_node,
};
use crate::assemble::network_config;
use crate::format::{LinkOverride, Reorder, Scenario, Somebody, Topology};
use crate::text::Step;
use crate::text::units::{Bandwidth, Time};

/// The part of a link's properties that is checked.
struct Checked<'scenario> {
    path: String,
    latency: Option<&'scenario crate::format::Latency>,
    has_loss: bool,
    has_burst: bool,
    reorder: Option<&'scenario Reorder>,
    bandwidth: Option<Bandwidth>,
    has_buffer: bool,
}

macro_rules! checked {
    ($path:expr, $link:expr) => {
        Checked {
            path: $path,
            latency: $link.latency.as_ref(),
            has_loss: $link.loss.is_some(),
            has_burst: $link.burst.is_some(),
            reorder: $link.reorder.as_ref(),
            bandwidth: $link.bandwidth,
            has_buffer: $link.buffer.is_some(),
        }
    };
}

pub(super) fn check(scenario: &Scenario) -> Result<(), Objection> {
    let network = &scenario.network;
    check_link(&checked!("network".to_owned(), network))?;
    check_link(&checked!("network.clients".to_owned(), network.clients))?;
    for (index, item) in network.links.iter().enumerate() {
        check_ends(scenario, index, item)?;
        check_link(&checked!(format!("network.links[{index}].link"), item.link))?;
    }
    check_topology(scenario)
}

fn check_link(link: &Checked<'_>) -> Result<(), Objection> {
    let at = |field: &str| format!("{}.{field}", link.path);
    if let Some(given) = link.latency {
        latency(&at("latency"), given)?;
    }
    if link.has_loss && link.has_burst {
        let problem = "a link has `loss` or `burst`, not both";
        return Err(Objection::new(&at("burst"), problem, "one of the two, or none", "remove one of them"));
    }
    if let Some(extra) = link.reorder.map(|reorder| reorder.extra).filter(|extra| extra.span() > LATENCY_MAX)
    {
        let problem = format!("messages cannot be held back for {extra}");
        return Err(Objection::new(&at("reorder.extra"), problem, LATENCIES_ALLOWED, LATENCIES_HINT));
    }
    if link.bandwidth.is_some_and(|rate| rate.bytes_per_second() == 0) {
        let problem = "through a bandwidth of 0 nothing ever fits";
        let hint = "leave it out for a link without a bound, or cut the link with a fault";
        return Err(Objection::new(&at("bandwidth"), problem, "`1B/s` and more", hint));
    }
    if link.has_buffer && link.bandwidth.is_none() {
        let problem = "a buffer means nothing without a bandwidth";
        let allowed = "`buffer` beside `bandwidth`";
        let hint = "add a `bandwidth`, or remove `buffer`";
        return Err(Objection::new(&at("buffer"), problem, allowed, hint));
    }
    Ok(())
}

fn check_ends(scenario: &Scenario, index: usize, item: &LinkOverride) -> Result<(), Objection> {
    for (field, end) in [("from", &item.from), ("to", &item.to)] {
        check_end(scenario, end, &format!("network.links[{index}].{field}"))?;
    }
    Ok(())
}

/// That an end is one that exists.
fn check_end(scenario: &Scenario, end: &Somebody, path: &str) -> Result<(), Objection> {
    let clients = scenario.clients.total();
    match &end.0 {
        Place::Client(client) if client.raw() >= clients => Err(no_such_client(path, *client, clients)),
        Place::Client(_) => Ok(()),
        Place::Node(target) => match target.node() {
            Some(node) if node.raw() >= scenario.nodes => Err(no_such_node(path, node, scenario.nodes)),
            Some(_) => Ok(()),
            None => {
                let problem = format!("`{target}` may be another node at each moment");
                let hint = "write a name such as `\"n1\"`; faults can cut the links of a role";
                Err(Objection::new(path, problem, "nodes and clients by name", hint))
            }
        },
    }
}

fn check_topology(scenario: &Scenario) -> Result<(), Objection> {
    let topology = &scenario.topology;
    if let Topology::Regions { regions, rtt } = topology {
        check_regions(scenario, regions.len(), rtt)?;
    }
    let is_listed = !matches!(topology, Topology::Mesh | Topology::Regions { .. });
    if is_listed && scenario.nodes > LISTED_NODES_MAX {
        let problem = format!("a topology of single links has at most {LISTED_NODES_MAX} nodes");
        let allowed = "`Mesh` and `Regions` beyond that";
        return Err(Objection::new("topology", problem, allowed, "fewer nodes, or `Mesh`"));
    }
    match Network::new(&network_config(scenario), &KeySource::new(0)) {
        Ok(_) => Ok(()),
        Err(error @ NetworkError::Topology(_)) => {
            let allowed = format!("a topology of {} nodes, `n1` to `n{0}`", scenario.nodes);
            let hint = "another number in it, another number of `nodes`, or `Mesh`";
            Err(Objection::new("topology", error.to_string(), allowed, hint))
        }
        Err(error @ NetworkError::UnknownEndpoint { .. }) => {
            let allowed = "links between nodes and clients of the scenario";
            Err(Objection::new("network.links", error.to_string(), allowed, "remove the link, or add nodes"))
        }
    }
}

fn check_regions(scenario: &Scenario, count: usize, rtt: &[Vec<Time>]) -> Result<(), Objection> {
    let Topology::Regions { regions, .. } = &scenario.topology else { return Ok(()) };
    let node_count =
        |node: sim_core::NodeId| regions.iter().filter(|region| region.nodes().contains(&node)).count();
    for (index, region) in regions.iter().enumerate() {
        let within = |objection: Objection| objection.within(Step::Index(index));
        for node in region.nodes() {
            if node.raw() >= scenario.nodes {
                return Err(within(no_such_node("topology.regions", *node, scenario.nodes)));
            }
            if node_count(*node) > 1 {
                let problem = format!("{node} is in two regions");
                let allowed = "each node in one region";
                return Err(within(Objection::new(
                    "topology.regions",
                    problem,
                    allowed,
                    "remove it from one",
                )));
            }
        }
    }
    let placed: usize = regions.iter().map(|region| region.nodes().len()).sum();
    if placed != scenario.nodes as usize {
        let problem = format!("{placed} of {} nodes are in a region", scenario.nodes);
        let allowed = "each node in one region";
        return Err(Objection::new("topology.regions", problem, allowed, "put each node into one region"));
    }
    if rtt.len() != count || rtt.iter().any(|row| row.len() != count) {
        let problem = format!("{count} regions need {count} rows of {count} round trips");
        let allowed = format!("{count} lists of {count} times");
        return Err(Objection::new(
            "topology.rtt",
            problem,
            allowed,
            "a row for each region, `\"0s\"` to itself",
        ));
    }
    match rtt.iter().flatten().find(|time| time.span() > LATENCY_MAX) {
        Some(time) => {
            let problem = format!("a round trip cannot take {time}");
            Err(Objection::new("topology.rtt", problem, LATENCIES_ALLOWED, LATENCIES_HINT))
        }
        None => Ok(()),
    }
}

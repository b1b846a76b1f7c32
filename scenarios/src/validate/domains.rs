//! Checks of failure domains: zones and racks, and targets that name one.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::fault::Target;

use super::{Objection, no_such_node};
use crate::format::Scenario;
use crate::text::Step;
use crate::text::units::NodeList;

type Domains = BTreeMap<String, NodeList>;

/// That each node is in at most one zone and one rack, and each rack in at most one zone.
pub(super) fn check(scenario: &Scenario) -> Result<(), Objection> {
    let zone_of = members(&scenario.zones, "zones", scenario.nodes)?;
    members(&scenario.racks, "racks", scenario.nodes)?;
    scenario.racks.iter().try_for_each(|(rack, nodes)| check_nesting(rack, nodes.nodes(), &zone_of))
}

/// The domain of each node; `field` is `zones` or `racks`.
fn members<'scenario>(
    domains: &'scenario Domains,
    field: &str,
    node_count: u32,
) -> Result<BTreeMap<NodeId, &'scenario str>, Objection> {
    let mut domain_of: BTreeMap<NodeId, &str> = BTreeMap::new();
    for (name, nodes) in domains {
        let within = |objection: Objection| objection.within(Step::Name(name.clone()));
        for node in nodes.nodes() {
            if node.raw() >= node_count {
                return Err(within(no_such_node(field, *node, node_count)));
            }
            if let Some(other) = domain_of.insert(*node, name) {
                let problem = format!("{node} is in the {field} `{other}` and `{name}`");
                let allowed = format!("each node in at most one of the {field}");
                return Err(within(Objection::new(field, problem, allowed, "remove it from one")));
            }
        }
    }
    Ok(domain_of)
}

/// That what fails with a rack fails with one zone.
fn check_nesting(rack: &str, nodes: &[NodeId], zone_of: &BTreeMap<NodeId, &str>) -> Result<(), Objection> {
    let mut placed = nodes.iter().filter_map(|node| Some((node, *zone_of.get(node)?)));
    let Some((first, zone)) = placed.next() else { return Ok(()) };
    let Some((other, elsewhere)) = placed.find(|(_, other)| *other != zone) else { return Ok(()) };
    let problem = format!("the rack `{rack}` has {first} of zone `{zone}` and {other} of zone `{elsewhere}`");
    let allowed = "racks whose nodes are all in one zone";
    let hint = "give the racks of different zones different names";
    Err(Objection::new("racks", problem, allowed, hint).within(Step::Name(rack.to_owned())))
}

/// That the scenario has the domains that these targets name.
pub(super) fn check_targets(
    scenario: &Scenario,
    targets: impl Iterator<Item = Target>,
    path: &str,
) -> Result<(), Objection> {
    for target in targets {
        match target {
            Target::Zone(name) => known(&scenario.zones, ("zone", "zones"), &name, path)?,
            Target::Rack(name) => known(&scenario.racks, ("rack", "racks"), &name, path)?,
            _ => {}
        }
    }
    Ok(())
}

fn known(domains: &Domains, (kind, field): (&str, &str), name: &str, path: &str) -> Result<(), Objection> {
    if domains.contains_key(name) {
        return Ok(());
    }
    let names: Vec<String> = domains.keys().cloned().collect();
    let problem = format!("there is no {kind} `{name}`");
    Err(if names.is_empty() {
        let hint = format!("say which nodes it has: `{field}: {{\"{name}\": [\"n1\", \"n2\"]}}`");
        Objection::new(path, problem, format!("{field} that `{field}` names: there are none"), hint)
    } else {
        Objection::unknown(path, problem, name, &names)
    })
}

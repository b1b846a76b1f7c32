//! Checks of single acts.

use sim_core::NodeId;
use sim_core::clock::{ClockError, DRIFT_LIMIT_PPM};
use sim_core::fault::{Plan, PlanError};
use sim_core::service::{Admin, Operation};

use super::{
    LATENCIES_ALLOWED, LATENCIES_HINT, LATENCY_MAX, Objection, domains, is_slew, no_slew, no_such_client,
    no_such_node,
};
use crate::format::{Act, Scenario, Timed};
use crate::plan::Naming;
use crate::protocol::ProtocolKind;
use crate::text::units::{PointName, Ppm, Time};

/// What decides whether an act is possible.
#[derive(Clone, Copy)]
pub(super) struct Acts<'run> {
    pub(super) scenario: &'run Scenario,
    pub(super) kind: &'run dyn ProtocolKind,
}

impl Acts<'_> {
    /// That an act is possible in this scenario.
    pub(super) fn check(self, act: &Act, path: &str) -> Result<(), Objection> {
        check_numbers(act, path)?;
        self.check_regions(act, path)?;
        match act {
            Act::Ask(request) => self.check_request(request.admin(), path)?,
            Act::Issue { operation, .. } => self.check_operation(&operation.0, path)?,
            Act::CrashAtPoint { point, .. } => self.check_point(*point, path)?,
            Act::FireTimer { timer, .. } => self.check_timer(*timer, path)?,
            _ => {}
        }
        self.check_command(act, path)
    }

    /// Whatever the engine asks of commands.
    fn check_command(self, act: &Act, path: &str) -> Result<(), Objection> {
        let scenario = self.scenario;
        let at = Some(Time::default());
        let timed = Timed { at, when: None, before: None, act: act.clone(), undo_after: None, undo: None };
        let entries = Naming::of_act(act, scenario).timed(&timed);
        let targets = entries.iter().flat_map(|entry| entry.command.names());
        domains::check_targets(scenario, targets, path)?;
        let plan = Plan::new(entries, Vec::new());
        plan.validate(scenario.nodes, scenario.clients.total()).map_err(|error| match error {
            PlanError::NoSuchNode { node, .. } => no_such_node(path, node, scenario.nodes),
            PlanError::NoSuchClient { client, client_count, .. }
            | PlanError::NoSuchScript { client, client_count } => no_such_client(path, client, client_count),
            PlanError::SlowDown { percent, .. } => {
                let problem = format!("a node cannot take {percent} percent of its usual time");
                let hint = "300 is three times as slow";
                Objection::new(path, problem, "100 (usual speed) and more", hint)
            }
            PlanError::Clock { source, .. } => refuse_clock(source, path),
            PlanError::OccurrenceZero { .. } => unreachable!("the entry has a time"),
        })
    }

    /// That the protocol has the regions of the disk that an act names.
    fn check_regions(self, act: &Act, path: &str) -> Result<(), Objection> {
        let (count, protocol) =
            (self.kind.sites(&self.scenario.protocol).region_count, self.scenario.protocol.name());
        let Some(region) = act.regions().into_iter().find(|region| *region >= count) else { return Ok(()) };
        let problem = format!("`{protocol}` has no region {region} on its disks");
        Err(if count == 0 {
            let allowed = "such acts on protocols that write to disks";
            Objection::new(path, problem, allowed, "another act, or another protocol")
        } else {
            let allowed = format!("0 to {}", count - 1);
            Objection::new(path, problem, allowed, "name one of its regions")
        })
    }

    /// That the protocol has this fault point.
    pub(super) fn check_point(self, point: PointName, path: &str) -> Result<(), Objection> {
        self.check_name("fault point", point, self.kind.about().fault_points, path)
    }

    /// That there is this node.
    pub(super) fn check_node(self, node: NodeId, path: &str) -> Result<(), Objection> {
        let count = self.scenario.nodes;
        if node.raw() < count { Ok(()) } else { Err(no_such_node(path, node, count)) }
    }

    /// That the protocol has this timer.
    pub(super) fn check_timer(self, timer: PointName, path: &str) -> Result<(), Objection> {
        self.check_name("timer", timer, self.kind.about().timers, path)
    }

    fn check_name(
        self,
        what: &str,
        name: PointName,
        known: Vec<&'static str>,
        path: &str,
    ) -> Result<(), Objection> {
        let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        let name = name.to_string();
        if known.contains(&name) {
            return Ok(());
        }
        let problem = format!("`{}` has no {what} `{name}`", self.scenario.protocol.name());
        Err(Objection::unknown(path, problem, &name, &known))
    }

    /// That a client can ask this of the protocol.
    fn check_operation(self, operation: &Operation, path: &str) -> Result<(), Objection> {
        if let Operation::Admin(admin) = operation {
            return self.check_request(*admin, path);
        }
        let services = self.kind.services(&self.scenario.protocol);
        let Some(service) = operation.service().filter(|service| !services.contains(service)) else {
            return Ok(());
        };
        let problem = format!("`{}` does not offer the service `{service}`", self.scenario.protocol.name());
        let names: Vec<String> = services.iter().map(ToString::to_string).collect();
        Err(Objection::unknown(path, problem, service.name(), &names))
    }

    /// That an administrator can ask for this.
    fn check_request(self, admin: Admin, path: &str) -> Result<(), Objection> {
        let nodes = nodes_of(admin);
        if let Some(node) = nodes.iter().find(|node| node.raw() >= self.scenario.nodes) {
            return Err(no_such_node(path, *node, self.scenario.nodes));
        }
        if let [one, other] = nodes[..]
            && one == other
        {
            let problem = format!("`{one}` is named twice");
            return Err(Objection::new(path, problem, "two nodes", "name another one in one of the places"));
        }
        if self.scenario.clients.total() == 0 {
            let problem = "nobody is there to ask: the scenario has no clients";
            let allowed = "requests where there are clients or administrators";
            return Err(Objection::new(path, problem, allowed, "add `clients: (admins: 1)`"));
        }
        Ok(())
    }
}

/// The nodes that are named.
fn nodes_of(admin: Admin) -> Vec<NodeId> {
    match admin {
        Admin::AddNode(node)
        | Admin::RemoveNode(node)
        | Admin::AddLearner(node)
        | Admin::TransferLeadership(node) => vec![node],
        Admin::AddNodes(one, other) | Admin::ReplaceNode { remove: one, add: other } => vec![one, other],
        Admin::LeaveJoint | Admin::ForgetLeader | Admin::Snapshot => Vec::new(),
    }
}

/// Numbers whose type allows more than makes sense.
fn check_numbers(act: &Act, path: &str) -> Result<(), Objection> {
    match act {
        Act::DiskSlow { times: 0, .. } => {
            let problem = "a disk cannot be 0 times as slow";
            Err(Objection::new(path, problem, "1 and more", "1 is the usual speed, 10 is slow"))
        }
        Act::DiskLieFor { syncs: 0, .. } => {
            let problem = "a disk that lies for 0 syncs is honest";
            Err(Objection::new(path, problem, "1 and more", "`DiskHonest` ends all lies"))
        }
        Act::CrashAtPoint { nth: 0, .. } => {
            let problem = "occurrences count from 1";
            Err(Objection::new(path, problem, "1 and more", "write `nth: 1` for the first"))
        }
        Act::ClockSlew { rate, .. } => check_slew(*rate, path),
        Act::DelayMessage { by, .. } => check_delay(*by, path),
        Act::Reorder { extra, .. } | Act::ReorderEverywhere { extra, .. } => check_delay(*extra, path),
        _ => Ok(()),
    }
}

fn check_slew(rate: Ppm, path: &str) -> Result<(), Objection> {
    if is_slew(rate) { Ok(()) } else { Err(no_slew(path, rate)) }
}

fn check_delay(time: Time, path: &str) -> Result<(), Objection> {
    if time.span() <= LATENCY_MAX {
        return Ok(());
    }
    let problem = format!("a message cannot be held back for {time}");
    Err(Objection::new(path, problem, LATENCIES_ALLOWED, LATENCIES_HINT))
}

fn refuse_clock(error: ClockError, path: &str) -> Objection {
    let allowed = format!(
        "drifts of -{DRIFT_LIMIT_PPM}ppm to {DRIFT_LIMIT_PPM}ppm, strobes that last, times that a clock can show"
    );
    Objection::new(path, error.to_string(), allowed, "a smaller change, such as `\"100ms\"` or `\"200ppm\"`")
}

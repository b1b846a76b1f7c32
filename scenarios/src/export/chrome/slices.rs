//! What lasts: roles, faults, operations.

use std::io;

use serde_json::json;
use sim_core::fault::{Command, Teller};
use sim_core::network::PartitionId;
use sim_core::status::{Power, Status};
use sim_core::{NodeId, SimTime, Simulation};

use super::names::Lanes;
use super::{Events, TraceEvent};
use crate::export::{entries, trace_of};

/// Something that lasts until something else happens to the same node.
struct Standing {
    since: SimTime,
    name: String,
}

/// A slice for each time that a node stood the same way.
pub(super) fn write_roles(
    simulation: &dyn Simulation,
    lanes: &Lanes,
    events: &mut Events<'_>,
) -> io::Result<()> {
    let mut standing = standing_first(simulation);
    for entry in entries(trace_of(simulation)) {
        let at = entry.record.at();
        let host = entry.record.kind().power().map(Power::name);
        let host = host.zip(entry.record.subject().and_then(sim_core::Endpoint::node));
        let host = host.map(|(name, node)| (node, name.to_owned()));
        let roles = entry.changes.iter().map(|change| (change.node, role(change.after)));
        for (node, name) in host.into_iter().chain(roles) {
            let next = Standing { since: at, name };
            let last = std::mem::replace(&mut standing[node.index()], next);
            write_standing(events, lanes, node, &last, at)?;
        }
    }
    for (index, last) in (0..).zip(standing) {
        write_standing(events, lanes, NodeId::new(index), &last, simulation.now())?;
    }
    Ok(())
}

/// How nodes stood when the trace began: as before their first change, else as they do now.
fn standing_first(simulation: &dyn Simulation) -> Vec<Standing> {
    let mut statuses = Vec::new();
    simulation.statuses(&mut statuses);
    let mut roles: Vec<Option<Status>> = statuses.iter().map(|status| status.process).collect();
    let changes: Vec<_> = trace_of(simulation).status_changes(0..u32::MAX).collect();
    for change in changes.into_iter().rev() {
        roles[change.node.index()] = change.before;
    }
    roles.into_iter().map(|status| Standing { since: SimTime::ZERO, name: role(status) }).collect()
}

fn role(status: Option<Status>) -> String {
    match status {
        None => "down".to_owned(),
        Some(Status { role, epoch: 0, .. }) => role.to_owned(),
        Some(Status { role, epoch, .. }) => format!("{role}, epoch {epoch}"),
    }
}

fn write_standing(
    events: &mut Events<'_>,
    lanes: &Lanes,
    node: NodeId,
    standing: &Standing,
    until: SimTime,
) -> io::Result<()> {
    let lasting = until.since(standing.since).as_nanos();
    if lasting == 0 {
        return Ok(());
    }
    let slice = TraceEvent::new("X", lanes.role(node), &standing.name);
    events.put(&slice.at(standing.since).lasting(lasting))
}

/// An instant for each command that was applied, and a slice for each partition.
pub(super) fn write_faults(
    simulation: &dyn Simulation,
    lanes: &Lanes,
    events: &mut Events<'_>,
) -> io::Result<()> {
    let mut partitions: Vec<(PartitionId, String)> = Vec::new();
    let mut teller = Teller::default();
    for (at, command) in commands(simulation) {
        let text = teller.tell(&command);
        events.put(&TraceEvent::new("i", lanes.faults(), &text).at(at).with("s", "g"))?;
        for (id, text) in partitions.extract_if(.., |(id, _)| ends(&command, *id)) {
            events.put(&partition("e", lanes, at, id, &text))?;
        }
        if let Command::Partition { name, .. } = command {
            events.put(&partition("b", lanes, at, name, &text))?;
            partitions.push((name, text));
        }
    }
    for (id, text) in partitions {
        events.put(&partition("e", lanes, simulation.now(), id, &text))?;
    }
    Ok(())
}

/// What was applied, in order of time.
fn commands(simulation: &dyn Simulation) -> Vec<(SimTime, Command)> {
    let applied = simulation.plan().entries().iter().filter_map(|entry| entry.was.as_ref());
    let mut applied: Vec<_> = applied.collect();
    applied.sort_by_key(|was| (was.moment, was.place));
    let each = |was: &sim_core::fault::Was| {
        let at = was.moment.time;
        was.commands.clone().into_iter().map(move |command| (at, command))
    };
    applied.into_iter().flat_map(each).collect()
}

/// Whether a command ends the partition `id`.
fn ends(command: &Command, id: PartitionId) -> bool {
    match command {
        Command::Partition { name, .. } | Command::HealPartition(name) => *name == id,
        Command::HealAll | Command::Recover => true,
        _ => false,
    }
}

fn partition<'a>(
    ph: &'static str,
    lanes: &Lanes,
    at: SimTime,
    id: PartitionId,
    text: &'a str,
) -> TraceEvent<'a> {
    TraceEvent::new(ph, lanes.faults(), text).at(at).about("partition", &id)
}

/// A slice for each operation, from invocation to completion.
pub(super) fn write_operations(
    simulation: &dyn Simulation,
    lanes: &Lanes,
    events: &mut Events<'_>,
) -> io::Result<()> {
    for operation in simulation.history().operations() {
        let track = lanes.events(operation.op.client.into());
        let name = operation.operation.to_string();
        let slice = |ph, at| TraceEvent::new(ph, track, &name).at(at).about("operation", &operation.op);
        let outcome = json!({ "outcome": operation.outcome.to_string() });
        events.put(&slice("b", operation.invoked).with("args", outcome))?;
        events.put(&slice("e", operation.completed.unwrap_or(simulation.now())))?;
    }
    Ok(())
}

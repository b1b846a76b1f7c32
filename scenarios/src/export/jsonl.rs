//! One JSON object a record, one a line; what does not apply is left out.

use std::io::{self, Write};

use serde::Serialize;
use sim_core::Simulation;
use sim_core::status::Status;
use sim_core::trace::{Payload, Record, TraceKind};

use super::{Entry, Names, entries, trace_of};

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    /// From 0, in order of time.
    number: u32,
    /// Virtual time in nanoseconds.
    at_ns: u64,
    kind: TraceKind,
    /// On whose lane it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<String>,
    /// The other end.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    /// What travelled: `message`, `request`, `reply`.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'static str>,
    /// The kind of message, of deliveries and of drops of messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
    /// The timer that fired, where it has a plain name.
    #[serde(skip_serializing_if = "Option::is_none")]
    timer: Option<&'static str>,
    /// When that was sent, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    sent_at_ns: Option<u64>,
    /// The operation, of requests and replies.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<String>,
    /// Why it was dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The number of the record that caused this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<u32>,
    /// The record in words.
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'a str>,
    /// How processes look after it, of those that look different.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    status: Vec<Changed>,
}

#[derive(Serialize)]
struct Changed {
    node: String,
    /// `None`: it is down.
    after: Option<Status>,
}

pub(super) fn write(simulation: &dyn Simulation, names: &Names, writer: &mut dyn Write) -> io::Result<()> {
    for entry in entries(trace_of(simulation)) {
        serde_json::to_writer(&mut *writer, &line(simulation, names, entry))?;
        writer.write_all(b"\n")?;
    }
    Ok(())
}

fn line<'a>(simulation: &dyn Simulation, names: &Names, entry: Entry<'a>) -> Line<'a> {
    let Entry { number, record, notes, changes } = entry;
    let payload = record.payload().map(|payload| match payload {
        Payload::Message(_) => "message",
        Payload::Request => "request",
        Payload::Reply => "reply",
    });
    let changed = |change: &sim_core::trace::StatusChange| Changed {
        node: change.node.to_string(),
        after: change.after,
    };
    Line {
        number,
        at_ns: record.at().as_nanos(),
        kind: record.kind(),
        lane: record.subject().map(|lane| lane.to_string()),
        peer: record.peer().map(|peer| peer.to_string()),
        payload,
        message: message_of(record, names),
        timer: record.timer().and_then(|index| names.timers.get(index).copied()),
        sent_at_ns: trace_of(simulation).sent_at(number).map(sim_core::SimTime::as_nanos),
        operation: record.op().map(|op| op.to_string()),
        reason: record.drop_reason().map(sim_core::network::DropReason::name),
        cause: record.cause(),
        text: simulation.describe(record),
        notes,
        status: changes.into_iter().map(changed).collect(),
    }
}

fn message_of(record: &Record, names: &Names) -> Option<&'static str> {
    match record.payload()? {
        Payload::Message(kind) => names.messages.get(usize::from(kind)).copied(),
        Payload::Request | Payload::Reply => None,
    }
}

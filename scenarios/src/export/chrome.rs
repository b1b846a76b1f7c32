//! Chrome trace-event JSON, as Perfetto reads it ("Trace Event Format", Google, 2016).
//!
//! ```text
//! faults     ▏partition split {n1,n2 | n3,n4,n5}      ▏        an instant each; a slice for what lasts
//! n1         role      │ follower   │ leader, epoch 1      │   a slice for each standing, and for down and paused
//!            events    ▏▏   ▏  ▏▏▏     ▏    ▏                  a slice for each record; arrows are messages
//! c1         operations      │ write k1=7   │ read k1 │        a slice for each operation
//! ```
//!
//! A record takes no time. Its slice is drawn a microsecond long, or to the next record of the lane if that comes
//! earlier, so that arrows have something to start from.

mod names;
mod slices;

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Value, json};
use sim_core::Simulation;
use sim_core::trace::{Record, Trace};
use sim_core::{Endpoint, SimTime};

use self::names::{Lanes, Track};
use super::{entries, first_number, trace_of, words};

/// How long a record is drawn, in nanoseconds.
const RECORD_NANOS: u64 = 1_000;

/// One event of the format. `ts` and `dur` are in microseconds.
#[derive(Serialize)]
struct TraceEvent<'a> {
    ph: &'static str,
    pid: u32,
    tid: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<Value>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cat: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// The scope of an instant, or how an arrow's end binds.
    #[serde(flatten, skip_serializing_if = "Map::is_empty")]
    rest: Map<String, Value>,
}

impl<'a> TraceEvent<'a> {
    fn new(ph: &'static str, track: Track, name: &'a str) -> Self {
        let Track { pid, tid } = track;
        Self { ph, pid, tid, ts: None, dur: None, name, cat: None, id: None, rest: Map::new() }
    }

    fn at(self, at: SimTime) -> Self {
        Self { ts: Some(micros(at.as_nanos())), ..self }
    }

    fn lasting(self, nanos: u64) -> Self {
        Self { dur: Some(micros(nanos)), ..self }
    }

    fn about(self, cat: &'static str, id: &impl ToString) -> Self {
        Self { cat: Some(cat), id: Some(id.to_string()), ..self }
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.rest.insert(key.to_owned(), value.into());
        self
    }
}

/// Nanoseconds as microseconds. Doubles hold nanoseconds exactly for the first 104 days.
#[expect(clippy::cast_precision_loss, reason = "the format has microseconds as doubles")]
fn micros(nanos: u64) -> Value {
    if nanos.is_multiple_of(1_000) { json!(nanos / 1_000) } else { json!(nanos as f64 / 1e3) }
}

/// Writes events as elements of one JSON array.
struct Events<'a> {
    writer: &'a mut dyn Write,
    count: u64,
}

impl Events<'_> {
    fn put(&mut self, event: &TraceEvent<'_>) -> io::Result<()> {
        self.writer.write_all(if self.count == 0 { b"\n" } else { b",\n" })?;
        self.count += 1;
        Ok(serde_json::to_writer(&mut *self.writer, event)?)
    }
}

pub(super) fn write(simulation: &dyn Simulation, writer: &mut dyn Write) -> io::Result<()> {
    let lanes = Lanes::of(simulation);
    writer.write_all(br#"{"displayTimeUnit":"ms","traceEvents":["#)?;
    let mut events = Events { writer, count: 0 };
    lanes.write_names(&mut events)?;
    slices::write_faults(simulation, &lanes, &mut events)?;
    slices::write_roles(simulation, &lanes, &mut events)?;
    slices::write_operations(simulation, &lanes, &mut events)?;
    write_records(simulation, &lanes, &mut events)?;
    writer.write_all(b"\n]}\n")
}

/// The slice of each record, and the arrows to what it caused.
fn write_records(simulation: &dyn Simulation, lanes: &Lanes, events: &mut Events<'_>) -> io::Result<()> {
    let recorded = trace_of(simulation);
    let lengths = lengths(recorded.iter());
    let arrivals = arrivals(recorded);
    for (entry, length) in entries(recorded).zip(lengths) {
        let (number, record) = (entry.number, entry.record);
        let Some(subject) = record.subject() else { continue };
        let track = lanes.events(subject);
        let text = words(simulation, &entry);
        let lane = subject.to_string();
        let name = text.strip_prefix(&lane).map_or(text.as_str(), |rest| rest.trim_start_matches([':', ' ']));
        let slice = TraceEvent::new("X", track, name).at(record.at()).lasting(length);
        events.put(&slice.with("args", json!({ "record": number, "cause": record.cause() })))?;
        if record.payload().is_some() && record.cause().is_some() {
            events.put(&arrow("f", track, record.at(), number).with("bp", "e"))?;
        }
        for &arrival in arrivals.get(&number).map_or(&[][..], Vec::as_slice) {
            events.put(&arrow("s", track, record.at(), arrival))?;
        }
    }
    Ok(())
}

/// One end of the arrow to the record `arrival`.
fn arrow(ph: &'static str, track: Track, at: SimTime, arrival: u32) -> TraceEvent<'static> {
    TraceEvent::new(ph, track, "message").at(at).about("message", &arrival)
}

/// How long each record is drawn, in nanoseconds: to the next later one of its lane, at most [`RECORD_NANOS`].
fn lengths<'a>(records: impl Iterator<Item = &'a Record>) -> Vec<u64> {
    /// The earliest later time on a lane, and the time before that one belongs to.
    struct Ahead {
        at: SimTime,
        then: SimTime,
    }
    let records: Vec<_> = records.map(|record| (record.subject(), record.at())).collect();
    let mut lanes: BTreeMap<Option<Endpoint>, Ahead> = BTreeMap::new();
    let mut lengths = vec![RECORD_NANOS; records.len()];
    for (index, &(lane, at)) in records.iter().enumerate().rev() {
        let ahead = lanes.entry(lane).or_insert(Ahead { at, then: SimTime::MAX });
        if at < ahead.at {
            *ahead = Ahead { at, then: ahead.at };
        }
        lengths[index] = ahead.then.since(at).as_nanos().min(RECORD_NANOS);
    }
    lengths
}

/// By record, the arrivals and drops of what it sent.
fn arrivals(trace: &Trace) -> BTreeMap<u32, Vec<u32>> {
    let mut arrivals: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (number, record) in (first_number(trace)..).zip(trace) {
        if let (Some(cause), Some(_)) = (record.cause(), record.payload()) {
            arrivals.entry(cause).or_default().push(number);
        }
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use sim_core::NodeId;
    use sim_core::trace::Lifecycle;

    use super::*;

    #[test]
    fn a_record_is_drawn_to_the_next_of_its_lane() {
        let record = |nanos, node| {
            Record::lifecycle(SimTime::from_nanos(nanos), None, NodeId::new(node), Lifecycle::Start)
        };
        let records = [record(0, 0), record(0, 0), record(5, 1), record(400, 0), record(9_000, 0)];
        assert_eq!(lengths(records.iter()), [400, 400, 1_000, 1_000, 1_000]);
    }

    #[test]
    fn microseconds_are_exact() {
        assert_eq!(micros(2_000).to_string(), "2");
        assert_eq!(micros(1_234_567).to_string(), "1234.567");
    }
}

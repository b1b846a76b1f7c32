//! Which process and thread of the picture each lane is.

use std::io;

use serde_json::json;
use sim_core::trace::Trace;
use sim_core::{ClientId, Endpoint, NodeId, Simulation};

use super::{Events, TraceEvent};
use crate::export::trace_of;

/// A line of the picture: Chrome's process and thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Track {
    pub(super) pid: u32,
    pub(super) tid: u32,
}

/// The threads of a node.
const ROLE: u32 = 1;
const EVENTS: u32 = 2;

/// Faults come first, then nodes, then clients.
pub(super) struct Lanes {
    node_count: u32,
    client_count: u32,
}

impl Lanes {
    pub(super) fn of(simulation: &dyn Simulation) -> Self {
        let node_count = u32::try_from(simulation.node_count()).expect("node counts fit 31 bits");
        Self { node_count, client_count: client_count(trace_of(simulation)) }
    }

    #[expect(clippy::unused_self, reason = "asked for like the other tracks")]
    pub(super) const fn faults(&self) -> Track {
        Track { pid: 1, tid: EVENTS }
    }

    pub(super) fn role(&self, node: NodeId) -> Track {
        Track { tid: ROLE, ..self.events(node.into()) }
    }

    pub(super) fn events(&self, endpoint: Endpoint) -> Track {
        let node = endpoint.node().map(|node| 2 + node.raw());
        let client = || endpoint.client().map(|client| 2 + self.node_count + client.raw());
        Track { pid: node.or_else(client).expect("an endpoint is a node or a client"), tid: EVENTS }
    }

    /// The names of all processes and threads.
    pub(super) fn write_names(&self, events: &mut Events<'_>) -> io::Result<()> {
        name(events, "process_name", self.faults(), "faults")?;
        name(events, "thread_name", self.faults(), "commands")?;
        for node in (0..self.node_count).map(NodeId::new) {
            let track = self.events(node.into());
            name(events, "process_name", track, &node.to_string())?;
            name(events, "thread_name", self.role(node), "role")?;
            name(events, "thread_name", track, "events")?;
        }
        for client in (0..self.client_count).map(ClientId::new) {
            let track = self.events(client.into());
            name(events, "process_name", track, &client.to_string())?;
            name(events, "thread_name", track, "events")?;
        }
        Ok(())
    }
}

fn name(events: &mut Events<'_>, what: &'static str, track: Track, name: &str) -> io::Result<()> {
    events.put(&TraceEvent::new("M", track, what).with("args", json!({ "name": name })))?;
    let is_process = what == "process_name";
    let (what, order) =
        if is_process { ("process_sort_index", track.pid) } else { ("thread_sort_index", track.tid) };
    events.put(&TraceEvent::new("M", track, what).with("args", json!({ "sort_index": order })))
}

/// One more than the last client that something is recorded of.
fn client_count(trace: &Trace) -> u32 {
    let ends = trace.iter().flat_map(|record| [record.subject(), record.peer()]);
    let clients = ends.flatten().filter_map(Endpoint::client);
    clients.map(|client| client.raw() + 1).max().unwrap_or_default()
}

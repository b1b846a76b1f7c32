//! What there is to do: what liveness asks for once faults have ended.
//!
//! | line | taken in | done |
//! | --- | --- | --- |
//! | the queue | messages that have a number | up to the first that is still in the queue: those before it are acknowledged, dead letters, expired or dropped |
//! | the outbox of a producer | rows that it has written down | up to the first that it does not know to be in the queue |

use sim_core::NodeId;
use sim_core::check::{Nodes, Work};
use sim_core::process::Process;

use super::Node;
use super::durable::LOG;
use super::producer::Producer;
use super::state::Queue;

/// The work that those of `well` know that run.
pub(super) fn work(nodes: &Nodes<'_, Node>, well: &[NodeId]) -> Vec<Work> {
    let running = || nodes.running().filter(|(node, _)| well.contains(node));
    // One that does not know yet that another leads has no part in it.
    let brokers = running().filter_map(|(_, node)| Some((node.status().epoch, node.broker()?)));
    let broker = brokers.max_by_key(|(epoch, _)| *epoch);
    let queue = broker.map(|(_, broker)| of_queue(broker.queue()));
    let producers = running().filter_map(|(node, process)| Some((node, process.producer()?)));
    queue.into_iter().chain(producers.map(|(node, producer)| of_outbox(nodes, node, producer))).collect()
}

fn of_queue(queue: &Queue) -> Work {
    let taken = queue.last().0;
    let first = queue.messages().iter().next().map(|(message, _)| message.0);
    Work { line: "the queue".to_owned(), taken, done: first.map_or(taken, |first| first - 1) }
}

fn of_outbox(nodes: &Nodes<'_, Node>, node: NodeId, producer: &Producer) -> Work {
    let taken = nodes.disk(node).map_or(0, |disk| disk.log_bounds(LOG).end);
    let first = producer.rows().keys().next().copied();
    Work { line: format!("the outbox of {node}"), taken, done: first.unwrap_or(taken) }
}

//! The laws of clocks on random histories of events, against the relation "happened before" itself.

use proptest::prelude::*;
use sim_core::{LocalTime, NodeId, Span};

use super::*;

/// Nodes of a history.
const NODES: usize = 4;
/// How far their physical clocks are apart at most.
const EPSILON: Span = Span::millis(5);

/// What each node does next: who, whether it receives, which of the messages, how much time passes before, and where in ε its physical
/// clock is.
type Step = (usize, bool, usize, u64, u64);

/// An event with its times.
#[derive(Clone, Debug)]
struct Event {
    lamport: u64,
    vector: Vector,
    hybrid: Timestamp,
    physical: LocalTime,
    /// The events that happened before it.
    before: Vec<usize>,
}

/// The clocks of one node, and its last event.
struct Node {
    lamport: Lamport,
    vector: Vector,
    hybrid: Hybrid,
    physical: LocalTime,
    last: Option<usize>,
}

/// All events of a history: each sends a message that anybody else may receive, or receives one.
fn history(steps: &[Step]) -> Vec<Event> {
    let node = || Node {
        lamport: Lamport::default(),
        vector: Vector::new(NODES),
        hybrid: Hybrid::new(EPSILON),
        physical: LocalTime::ZERO,
        last: None,
    };
    let mut nodes: Vec<Node> = (0..NODES).map(|_| node()).collect();
    let (mut events, mut now) = (Vec::<Event>::new(), LocalTime::ZERO);
    for (who, receives, which, passes, offset) in steps {
        now += Span::micros(*passes);
        let node = &mut nodes[*who];
        // Within ε of all others, and never back.
        node.physical = node.physical.max(now + Span::nanos(*offset % EPSILON.as_nanos()));
        let sent = if *receives && !events.is_empty() { Some(*which % events.len()) } else { None };
        let event = happen(node, NodeId::new(u32::try_from(*who).expect("few")), sent, &events);
        node.last = Some(events.len());
        events.push(event);
    }
    events
}

/// An event of a node, which receives what the event `sent` has sent, if that is given.
fn happen(node: &mut Node, id: NodeId, sent: Option<usize>, events: &[Event]) -> Event {
    let mut before: Vec<usize> = Vec::new();
    for cause in node.last.into_iter().chain(sent) {
        before.push(cause);
        before.extend(&events[cause].before);
    }
    before.sort_unstable();
    before.dedup();
    let physical = node.physical;
    let (lamport, vector, hybrid) = match sent.map(|sent| &events[sent]) {
        None => (node.lamport.tick(), node.vector.tick(id), node.hybrid.tick(physical)),
        Some(message) => (
            node.lamport.observe(message.lamport),
            node.vector.observe(id, &message.vector),
            node.hybrid.observe(physical, message.hybrid).expect("no clock is further ahead than ε"),
        ),
    };
    Event { lamport, vector, hybrid, physical, before }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0..NODES, any::<bool>(), 0_usize..64, 0_u64..200, 0_u64..5_000_000), 1..60)
}

proptest! {
    #[test]
    fn what_happened_before_has_a_lower_lamport_time(steps in steps()) {
        let events = history(&steps);
        for event in &events {
            prop_assert!(event.before.iter().all(|earlier| events[*earlier].lamport < event.lamport));
        }
    }

    #[test]
    fn vector_times_are_ordered_exactly_as_events_are(steps in steps()) {
        let events = history(&steps);
        for (one, event) in events.iter().enumerate() {
            for (other, later) in events.iter().enumerate() {
                prop_assert_eq!(event.vector.is_before(&later.vector), later.before.contains(&one));
                let are_apart = one != other && !later.before.contains(&one) && !event.before.contains(&other);
                prop_assert_eq!(event.vector.is_concurrent(&later.vector), are_apart);
            }
        }
    }

    #[test]
    fn what_happened_before_has_a_lower_hybrid_time(steps in steps()) {
        let events = history(&steps);
        for event in &events {
            prop_assert!(event.before.iter().all(|earlier| events[*earlier].hybrid < event.hybrid));
        }
    }

    /// Theorems 2 and 3 of the paper, up to a unit, which rounding may add.
    #[test]
    fn a_hybrid_time_is_the_largest_physical_one_that_the_event_knows_and_within_epsilon(steps in steps()) {
        let events = history(&steps);
        for event in &events {
            let l = event.hybrid.physical();
            let known = event.before.iter().map(|earlier| events[*earlier].physical);
            let largest = known.fold(event.physical, LocalTime::max);
            prop_assert!(l >= largest && l < largest + Timestamp::UNIT, "l is {l}, and {largest} is known");
            prop_assert!(l >= event.physical, "{l} is before {}", event.physical);
            prop_assert!(l.since(event.physical) <= EPSILON + Timestamp::UNIT);
        }
    }

    /// Corollary 3: c counts events that happened before at the same l.
    #[test]
    fn the_counter_of_a_hybrid_time_is_bounded_by_the_events_before_it_at_that_time(steps in steps()) {
        let events = history(&steps);
        for event in &events {
            let l = event.hybrid.physical();
            let same = event.before.iter().filter(|earlier| events[**earlier].hybrid.physical() == l).count();
            prop_assert!(event.hybrid.counter() <= same as u64, "{} with {same} before", event.hybrid);
        }
    }
}

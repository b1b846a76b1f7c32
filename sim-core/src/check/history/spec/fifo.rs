//! What the order of a queue's messages says about the order of operations.
//!
//! Which of two messages was put in first is often not known when they were: their operations overlap. It shows when they
//! are taken out, which may be thousands of operations later, so a search that guesses wrong would take back all of
//! these. First in, first out says it at once:
//!
//! | known | so |
//! | --- | --- |
//! | a was taken out before b was asked for | a was put in before b |
//! | a was put in before b was | a was taken out before b |
//! | a was taken out, and b never | a was put in before b |
//!
//! Only for queues whose messages never come back, and where no message is put in or taken out twice; the last line not
//! where somebody may have taken out what nobody knows.

use std::collections::BTreeMap;

use super::CallSpan;
use crate::service::{Operation, Outcome, queue};

/// A message.
type Message = u64;

/// By message the call that put it in or took it out.
type Calls = BTreeMap<Message, u32>;

/// Who put in and who took out; `None` where a message was, twice.
struct Ways {
    inward: Calls,
    outward: Calls,
    /// Whether somebody may have taken out something that nobody knows.
    has_unknown: bool,
}

/// Pairs of calls, the first before the second in every legal order.
pub(super) fn order(calls: &[(Operation, Outcome)], spans: &[CallSpan]) -> Vec<(u32, u32)> {
    let Some(Ways { inward, outward, has_unknown }) = ways(calls) else { return Vec::new() };
    let taken: Vec<(u32, u32)> =
        outward.iter().filter_map(|(message, out)| Some((*inward.get(message)?, *out))).collect();
    let by_out = frontier(taken.iter().map(|(inward, out)| (*inward, spans[*out as usize])));
    let by_in = frontier(taken.iter().map(|(inward, out)| (*out, spans[*inward as usize])));
    let mut pairs = [by_out.pairs, by_in.pairs].concat();
    if !has_unknown {
        let kept = inward.iter().filter(|(message, _)| !outward.contains_key(message));
        pairs.extend(kept.flat_map(|(_, kept)| by_out.last.iter().map(|last| (*last, *kept))));
    }
    pairs
}

fn ways(calls: &[(Operation, Outcome)]) -> Option<Ways> {
    let mut ways = Ways { inward: Calls::new(), outward: Calls::new(), has_unknown: false };
    for (call, (operation, outcome)) in (0..).zip(calls) {
        let before = match (operation, outcome) {
            (Operation::Queue(queue::Operation::Enqueue(value)), _) => ways.inward.insert(*value, call),
            (Operation::Queue(queue::Operation::Dequeue), Outcome::Received { value, .. }) => {
                ways.outward.insert(*value, call)
            }
            (Operation::Queue(queue::Operation::Dequeue), Outcome::Unknown) => {
                ways.has_unknown = true;
                None
            }
            _ => None,
        };
        if before.is_some() {
            return None;
        }
    }
    Some(ways)
}

/// Who was over before whom was asked for.
struct Frontier {
    /// Pairs of which the others follow.
    pairs: Vec<(u32, u32)>,
    /// Those that come before nobody.
    last: Vec<u32>,
}

fn frontier(all: impl Iterator<Item = (u32, CallSpan)>) -> Frontier {
    let mut ends: Vec<(u32, bool, u32)> = Vec::new();
    for (name, span) in all {
        ends.push((span.start, false, name));
        // What never ended is before nobody.
        ends.push((span.end.unwrap_or(u32::MAX), true, name));
    }
    ends.sort_unstable();
    let mut frontier = Frontier { pairs: Vec::new(), last: Vec::new() };
    let mut implied: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (_, is_end, name) in ends {
        if is_end {
            let before = implied.remove(&name).unwrap_or_default();
            frontier.last.retain(|earlier| !before.contains(earlier));
            frontier.last.push(name);
        } else {
            frontier.pairs.extend(frontier.last.iter().map(|earlier| (*earlier, name)));
            implied.insert(name, frontier.last.clone());
        }
    }
    frontier
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn span(start: u32, end: u32) -> CallSpan {
        CallSpan { start, end: Some(end) }
    }

    fn put(value: u64) -> (Operation, Outcome) {
        (Operation::Queue(queue::Operation::Enqueue(value)), Outcome::Done)
    }

    fn took(value: u64) -> (Operation, Outcome) {
        let outcome = Outcome::Received { receipt: value, value, delivery: 1 };
        (Operation::Queue(queue::Operation::Dequeue), outcome)
    }

    #[test]
    fn messages_that_came_out_one_after_the_other_went_in_so() {
        let calls = [put(1), put(2), took(2), took(1)];
        let spans = [span(0, 3), span(1, 2), span(4, 5), span(6, 7)];
        assert_eq!(order(&calls, &spans), [(1, 0)], "2 was put in before 1");
    }

    #[test]
    fn messages_that_went_in_one_after_the_other_come_out_so() {
        let calls = [put(1), put(2), took(2), took(1)];
        let spans = [span(0, 1), span(2, 3), span(4, 6), span(5, 7)];
        assert_eq!(order(&calls, &spans), [(3, 2)], "1 is taken out before 2");
    }

    #[test]
    fn what_stays_went_in_after_all_that_came_out_unless_nobody_knows() {
        let spans = [span(0, 2), span(1, 3), span(4, 5), span(6, 7)];
        let calls = [put(1), put(2), took(2)];
        assert_eq!(order(&calls, &spans), [(1, 0)]);
        let unknown = (Operation::Queue(queue::Operation::Dequeue), Outcome::Unknown);
        assert_eq!(order(&[&calls[..], &[unknown]].concat(), &spans), []);
        assert_eq!(order(&[&calls[..], &[took(2)]].concat(), &spans), [], "taken out twice");
    }
}

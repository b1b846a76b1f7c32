//! What became of each value that was broadcast, or added to a set, as Jepsen's checker `set-full` counts it.
//!
//! A value is *known* from when its broadcast was answered, or from when a read that had it was. What decides about it
//! are the last read that has it and the last that has not, both by when they began:
//!
//! | the value is | if | takes |
//! | --- | --- | --- |
//! | stable | a read has it, and every read that began later | from when it was known until after the last read without it: 0 where no later read lacked it |
//! | lost | the last read without it began after it was known, and none that began later has it | from when it was known until after the last read with it |
//! | never read | neither: no read that could tell came after it was known | – |
//!
//! A value whose latency to be stable is not 0 was *stale*: it was known, and a later read had not got it yet. A lost
//! value may still have come after the last read; that is no violation by itself, the bound of
//! [`broadcast::Stability`](super::broadcast::Stability) is one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::broadcast::{put, reads};
use super::figures::{Figures, Quantiles};
use super::recorded::{Record, Recorded};
use crate::history::History;
use crate::service::{Certainty, Value};
use crate::{SimTime, Span};

/// What was seen of a value.
#[derive(Clone, Copy, Debug, Default)]
struct Seen<'a> {
    /// The place in the history at which it was begun to be sent.
    begun_at: u32,
    was_acknowledged: bool,
    /// Since when it was known, and at which place.
    known: Option<(u32, SimTime)>,
    present_last: Option<&'a Recorded<'a>>,
    absent_last: Option<&'a Recorded<'a>>,
}

/// What became of a value, and how long that took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stable(Span),
    Lost(Span),
    NeverRead,
}

impl Seen<'_> {
    fn on_known(&mut self, place: u32, at: SimTime) {
        if self.known.is_none_or(|(known, _)| place < known) {
            self.known = Some((place, at));
        }
    }

    fn fate(&self) -> Fate {
        let Some((known_place, known_at)) = self.known else { return Fate::NeverRead };
        let place = |read: Option<&Recorded<'_>>| read.map(|read| read.call_at);
        let after = |last: Option<&Recorded<'_>>| {
            last.map_or(Span::ZERO, |read| (read.invoked + Span::nanos(1)).since(known_at))
        };
        let (present, absent) = (place(self.present_last), place(self.absent_last));
        if present > absent {
            Fate::Stable(after(self.absent_last))
        } else if absent > Some(known_place) {
            Fate::Lost(after(self.present_last))
        } else {
            Fate::NeverRead
        }
    }
}

/// What became of all values; `None` where that takes more than `budget` steps, one a value of a read or that a read has
/// to be looked for.
pub(super) fn figures(history: &History, budget: u64) -> Option<Figures> {
    let record = Record::new(history);
    let mut seen = put_values(&record);
    let mut duplicated = BTreeSet::new();
    look(&record, &mut seen, &mut duplicated, budget)?;
    let mut latencies = [Vec::new(), Vec::new()];
    let mut never_read = 0;
    for value in seen.values() {
        match value.fate() {
            Fate::Stable(latency) => latencies[0].push(latency),
            Fate::Lost(latency) => latencies[1].push(latency),
            Fate::NeverRead => never_read += 1,
        }
    }
    let [stable, lost] = latencies;
    let late_count = stable.iter().filter(|latency| !latency.is_zero()).count();
    let counts = vec![
        ("attempted", seen.len() as u64),
        ("acknowledged", seen.values().filter(|value| value.was_acknowledged).count() as u64),
        ("stable", stable.len() as u64),
        ("stale", late_count as u64),
        ("lost", lost.len() as u64),
        ("never-read", never_read),
        ("duplicated", duplicated.len() as u64),
    ];
    let latencies = [("stable", Quantiles::of(stable)), ("lost", Quantiles::of(lost))];
    let latencies = latencies.into_iter().filter_map(|(name, all)| Some((name, all?))).collect();
    Some(Figures { counts, latencies })
}

/// All values that somebody tried to put there and was not refused.
fn put_values<'a>(record: &Record<'_>) -> BTreeMap<Value, Seen<'a>> {
    let mut seen: BTreeMap<Value, Seen<'a>> = BTreeMap::new();
    for operation in &record.operations {
        let Some(value) = put(operation.operation) else { continue };
        if operation.outcome.certainty() == Certainty::DidNotHappen {
            continue;
        }
        let value =
            seen.entry(value).or_insert_with(|| Seen { begun_at: operation.call_at, ..Seen::default() });
        if let (true, Some(at)) = (operation.is_known(), operation.completed) {
            value.was_acknowledged = true;
            value.on_known(operation.return_at, at);
        }
    }
    seen
}

/// Finds the last read with and without each value. From the last read backwards: so a value is looked for only until
/// a read lacks it.
fn look<'a>(
    record: &'a Record<'a>,
    seen: &mut BTreeMap<Value, Seen<'a>>,
    duplicated: &mut BTreeSet<Value>,
    budget: u64,
) -> Option<()> {
    let mut never_absent: BTreeSet<Value> = seen.keys().copied().collect();
    let all: Vec<_> = reads(record).collect();
    let mut steps = 0;
    for (read, values) in all.into_iter().rev() {
        steps += (values.len() + never_absent.len()) as u64;
        if steps > budget {
            return None;
        }
        let values = sorted(values);
        duplicated.extend(values.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]));
        for value in values.iter() {
            // What nobody has sent is the business of the checkers of integrity.
            let Some(value) = seen.get_mut(value) else { continue };
            value.on_known(read.return_at, read.completed.expect("it was answered"));
            value.present_last.get_or_insert(read);
        }
        never_absent.retain(|name| {
            let value = seen.get_mut(name).expect("it was put there");
            let is_absent = value.begun_at < read.return_at && values.binary_search(name).is_err();
            if is_absent {
                value.absent_last = Some(read);
            }
            !is_absent
        });
    }
    Some(())
}

fn sorted(values: &[Value]) -> Cow<'_, [Value]> {
    if values.is_sorted() {
        return Cow::Borrowed(values);
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    Cow::Owned(sorted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::history::DEFAULT_BUDGET;
    use crate::check::history::testing::{draws, history_of};
    use crate::history::HistoryOperation;
    use crate::service::broadcast::Operation as Broadcast;
    use crate::service::{Operation, Outcome, Refusal};
    use crate::{ClientId, OpId};

    const SECOND: u64 = 1_000_000_000;

    /// What it is, from when to when in seconds, and how it ended.
    type Step = (Broadcast, u64, u64, Outcome);

    /// A history of operations, each of a client of its own.
    fn history(steps: &[Step]) -> History {
        let operation = |(client, (operation, begun, ended, outcome)): (u32, &Step)| HistoryOperation {
            op: OpId { client: ClientId::new(client), ordinal: 0 },
            operation: Operation::Broadcast(*operation),
            invoked: SimTime::from_nanos(begun * SECOND),
            completed: Some(SimTime::from_nanos(ended * SECOND)),
            outcome: outcome.clone(),
        };
        history_of(&(0..).zip(steps).map(operation).collect::<Vec<_>>())
    }

    fn send(value: Value, begun: u64, ended: u64) -> Step {
        (Broadcast::Send(value), begun, ended, Outcome::Done)
    }

    fn read(begun: u64, ended: u64, values: &[Value]) -> Step {
        (Broadcast::Read, begun, ended, Outcome::Values(values.into()))
    }

    fn of(steps: &[Step]) -> Figures {
        figures(&history(steps), DEFAULT_BUDGET).expect("there are few steps")
    }

    /// The counts that are not 0, in words.
    fn counts(steps: &[Step]) -> String {
        let all = of(steps).counts.into_iter().filter(|(_, count)| *count > 0);
        all.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
    }

    /// The shortest and the longest of a latency, in seconds, rounded down.
    fn seconds(steps: &[Step], wanted: &str) -> Option<(u64, u64)> {
        let latencies = of(steps).latencies;
        let (_, all) = latencies.into_iter().find(|(name, _)| *name == wanted)?;
        Some((all.min.as_nanos() / SECOND, all.max.as_nanos() / SECOND))
    }

    #[test]
    fn a_value_that_every_later_read_has_is_stable_at_once() {
        let steps = [send(7, 0, 1), read(2, 3, &[7]), read(4, 5, &[7])];
        assert_eq!(counts(&steps), "attempted 1, acknowledged 1, stable 1");
        assert_eq!(seconds(&steps, "stable"), Some((0, 0)));
    }

    #[test]
    fn a_value_is_stale_until_after_the_last_read_without_it() {
        let steps = [send(7, 0, 1), read(2, 3, &[7]), read(4, 5, &[]), read(6, 7, &[7])];
        assert_eq!(counts(&steps), "attempted 1, acknowledged 1, stable 1, stale 1");
        assert_eq!(seconds(&steps, "stable"), Some((3, 3)), "from 1 s to 4 s");
    }

    #[test]
    fn a_read_that_began_before_the_value_was_known_makes_it_not_stale() {
        let steps = [send(7, 1, 3), read(2, 5, &[]), read(6, 7, &[7])];
        assert_eq!(counts(&steps), "attempted 1, acknowledged 1, stable 1");
        assert_eq!(seconds(&steps, "stable"), Some((0, 0)));
    }

    #[test]
    fn a_value_that_the_last_reads_lack_is_lost() {
        let steps = [send(7, 0, 1), send(8, 0, 1), read(2, 3, &[7]), read(4, 5, &[])];
        assert_eq!(counts(&steps), "attempted 2, acknowledged 2, lost 2");
        assert_eq!(seconds(&steps, "lost"), Some((0, 1)), "8 was never there, 7 until 2 s");
    }

    #[test]
    fn a_value_that_no_read_could_tell_of_was_never_read() {
        let unknown = (Broadcast::Send(9), 0, 1, Outcome::Unknown);
        let steps = [unknown, send(7, 0, 5), read(2, 3, &[]), send(8, 6, 7)];
        assert_eq!(counts(&steps), "attempted 3, acknowledged 2, never-read 3");
        assert_eq!(of(&steps).latencies, []);
    }

    #[test]
    fn a_value_without_an_answer_is_known_from_the_first_read_that_had_it() {
        let unknown = (Broadcast::Send(7), 0, 1, Outcome::Unknown);
        let steps = [unknown, read(2, 3, &[7]), read(4, 5, &[]), read(6, 7, &[7])];
        assert_eq!(counts(&steps), "attempted 1, stable 1, stale 1");
        assert_eq!(seconds(&steps, "stable"), Some((1, 1)), "from 3 s to 4 s");
    }

    #[test]
    fn what_was_refused_or_made_up_does_not_count_and_what_is_twice_in_a_read_does() {
        let refused = (Broadcast::Send(9), 0, 1, Outcome::Refused(Refusal::Overloaded));
        let steps = [refused, send(7, 0, 1), read(2, 3, &[8, 7, 7])];
        assert_eq!(counts(&steps), "attempted 1, acknowledged 1, stable 1, duplicated 1");
    }

    #[test]
    fn quantiles_are_over_values() {
        let mut steps: Vec<Step> = (1..=100).map(|value| send(value, 0, 1)).collect();
        // From second to second there is one more.
        for at in 1..=100 {
            let values: Vec<Value> = (1..=at).collect();
            steps.push(read(at + 1, at + 1, &values));
        }
        let figures = of(&steps);
        let (_, stable) = figures.latencies[0];
        let seconds = [stable.min, stable.p50, stable.p95, stable.p99, stable.max];
        // Value n is first in the read at n + 1 s, so that the last without it began at n s: n - 1 s after 1 s.
        assert_eq!(seconds.map(|span| span.as_nanos() / SECOND), [0, 49, 94, 98, 99]);
    }

    #[test]
    fn more_than_the_budget_is_not_told() {
        let history = history(&[send(7, 0, 1), read(2, 3, &[7]), read(4, 5, &[7])]);
        assert_eq!(figures(&history, 3), None);
        assert!(figures(&history, 4).is_some());
    }

    /// What became of a value, by the words of the table alone.
    fn twin(steps: &[Step], value: Value) -> Option<Fate> {
        let is_put = |step: &&Step| matches!(step.0, Broadcast::Send(sent) if sent == value);
        let begun = steps.iter().filter(is_put).map(|step| step.1).min()?;
        let reads: Vec<(u64, u64, bool)> = steps
            .iter()
            .filter_map(|(_, begun, ended, outcome)| match outcome {
                Outcome::Values(values) => Some((*begun, *ended, values.contains(&value))),
                _ => None,
            })
            .filter(|(_, ended, has)| *has || *ended > begun)
            .collect();
        let answers = steps.iter().filter(|step| is_put(step) && step.3 == Outcome::Done).map(|step| step.2);
        let seen = reads.iter().filter(|(.., has)| *has).map(|(_, ended, _)| *ended);
        let Some(known) = answers.chain(seen).min() else { return Some(Fate::NeverRead) };
        let with = reads.iter().filter(|(.., has)| *has).map(|(begun, ..)| *begun).max();
        let without = reads.iter().filter(|(.., has)| !has).map(|(begun, ..)| *begun).max();
        let after = |read: Option<u64>| {
            read.filter(|read| *read >= known)
                .map_or(Span::ZERO, |read| Span::nanos((read - known) * SECOND + 1))
        };
        Some(match (with, without) {
            (Some(with), without) if without.is_none_or(|without| without < with) => {
                Fate::Stable(after(without))
            }
            (with, Some(without)) if without > known => Fate::Lost(after(with)),
            _ => Fate::NeverRead,
        })
    }

    #[test]
    fn fates_are_those_of_a_twin_that_looks_at_everything() {
        for index in 0..500 {
            let mut stream = draws(index);
            // No two ends at one instant: then instants and places say the same.
            let mut times: Vec<u64> = (0..24).collect();
            stream.shuffle(&mut times);
            let steps: Vec<Step> = times
                .chunks(2)
                .map(|ends| {
                    let (begun, ended) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
                    match stream.below(3) {
                        0 => (Broadcast::Send(stream.below(3)), begun, ended, Outcome::Done),
                        1 => (Broadcast::Send(stream.below(3)), begun, ended, Outcome::Unknown),
                        _ => {
                            let values: Vec<Value> = (0..3).filter(|_| stream.below(2) == 0).collect();
                            read(begun, ended, &values)
                        }
                    }
                })
                .collect();
            let record = history(&steps);
            let record = Record::new(&record);
            let mut seen = put_values(&record);
            look(&record, &mut seen, &mut BTreeSet::new(), DEFAULT_BUDGET).expect("there are few steps");
            for value in 0..3 {
                assert_eq!(seen.get(&value).map(Seen::fate), twin(&steps, value), "{value} in {steps:?}");
            }
        }
    }
}

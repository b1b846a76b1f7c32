//! Session guarantees: what one client may count on from one operation to the next (Terry et al., 1994).
//!
//! | guarantee | a read must not be older than |
//! | --- | --- |
//! | read your writes | what its client has written |
//! | monotonic reads | what its client has read |
//! | monotonic writes | what a writer had written before it wrote what the client has read |
//! | writes follow reads | what a writer had read before it wrote what the client has read |
//!
//! A store has no clock that says what is older. A guarantee holds if the writes of each key can be put in some order
//! that explains all reads: each write that had to be seen comes before the one that was read instead, and the
//! writes of a client come in its order. If that asks for a circle, it does not hold, and the circle is the evidence.
//!
//! The last two are seen through the eyes of a reader, so they are judged together with monotonic reads. Where that
//! is violated already, they are inconclusive.
//!
//! Written values must be unique, and nothing deleted; otherwise the answer is inconclusive. A compare-and-set that
//! succeeds is a read and a write. One that fails is neither: it says what the value was not, so it is passed over.

use std::collections::BTreeMap;
use std::fmt;

use super::anomaly::{Anomaly, Circle, Order, circle_of};
use super::recorded::Record;
use super::registers::{Access, Accesses, Unpaired};
use super::{About, Answer, Judgement};
use crate::check::HistoryChecker;
use crate::history::History;
use crate::service::Key;
use crate::{ClientId, OpId};

/// One of the four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// A client sees what it has written.
    ReadYourWrites,
    /// A client never sees less than before.
    MonotonicReads,
    /// Writes of a client are seen in its order.
    MonotonicWrites,
    /// Who sees a write also sees what its writer had seen.
    WritesFollowReads,
}

impl Guarantee {
    /// All four.
    pub const ALL: [Self; 4] =
        [Self::ReadYourWrites, Self::MonotonicReads, Self::MonotonicWrites, Self::WritesFollowReads];

    /// Name, statement and source.
    pub const fn about(self) -> &'static About {
        match self {
            Self::ReadYourWrites => &READ_YOUR_WRITES,
            Self::MonotonicReads => &MONOTONIC_READS,
            Self::MonotonicWrites => &MONOTONIC_WRITES,
            Self::WritesFollowReads => &WRITES_FOLLOW_READS,
        }
    }
}

const SOURCE: &str = "after Terry et al., Session Guarantees for Weakly Consistent Replicated Data, 1994";
const UNIQUE: &str = "histories in which values repeat, or with deletions: who read from whom is not known; what a \
                      compare-and-set found that failed";

static READ_YOUR_WRITES: About = About {
    name: "read-your-writes",
    statement: "a read is not older than what its client has written",
    source: SOURCE,
    leaves_out: UNIQUE,
};
static MONOTONIC_READS: About = About {
    name: "monotonic-reads",
    statement: "a read is not older than what its client has read",
    source: SOURCE,
    leaves_out: UNIQUE,
};
static MONOTONIC_WRITES: About = About {
    name: "monotonic-writes",
    statement: "the writes of a client are seen in its order",
    source: SOURCE,
    leaves_out: UNIQUE,
};
static WRITES_FOLLOW_READS: About = About {
    name: "writes-follow-reads",
    statement: "who has seen a write then sees what its writer had read before",
    source: SOURCE,
    leaves_out: UNIQUE,
};

/// Checks one guarantee on registers under keys. See the [module documentation](self).
#[derive(Clone, Copy, Debug)]
pub struct Session {
    guarantee: Guarantee,
}

impl Session {
    /// The checker of this guarantee.
    pub const fn new(guarantee: Guarantee) -> Self {
        Self { guarantee }
    }

    /// Judges a history. It takes about as many steps as there are operations times clients.
    pub fn judge(&self, history: &History) -> Judgement<Anomaly> {
        let record = Record::new(history);
        let accesses = match Accesses::pair(&record) {
            Ok(accesses) => accesses,
            Err(Unpaired::OutOfThinAir(anomaly)) => return Judgement::Violation(anomaly),
            Err(Unpaired::Ambiguous(why)) => {
                return Judgement::Inconclusive(format!("it is not known who read from whom: {why}"));
            }
        };
        let needs_monotonic_reads =
            matches!(self.guarantee, Guarantee::MonotonicWrites | Guarantee::WritesFollowReads);
        if needs_monotonic_reads && versions(&record, &accesses, &[Guarantee::MonotonicReads]).is_err() {
            return Judgement::Inconclusive(
                "monotonic reads are violated, so this cannot be told".to_owned(),
            );
        }
        let all = [Guarantee::MonotonicReads, self.guarantee];
        let guarantees = if needs_monotonic_reads { &all[..] } else { &all[1..] };
        match versions(&record, &accesses, guarantees) {
            Ok(()) => Judgement::Pass,
            Err(anomaly) => {
                let name = self.guarantee.about().name.to_owned();
                Judgement::Violation(Box::new(Anomaly { name, ..*anomaly }))
            }
        }
    }
}

impl HistoryChecker for Session {
    fn about(&self) -> &'static About {
        self.guarantee.about()
    }

    fn check(&self, history: &History, _budget: u64) -> Answer {
        self.judge(history).into()
    }
}

/// Why a write comes before another in the order of versions.
#[derive(Clone, Copy, Debug)]
enum Why {
    /// The same client wrote it first.
    Program,
    /// This read had to see it and got the other.
    HadToSee { reader: OpId, because: &'static str },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("its client wrote it first"),
            Self::HadToSee { reader, because } => {
                write!(f, "{reader} had to see it, {because}, and reads the other")
            }
        }
    }
}

/// Writes of one key that a client has made or read, each with its place in the client's log.
type KeyLog = Vec<(u32, u32)>;

/// What a client has done so far.
#[derive(Default)]
struct Log {
    len: u32,
    writes: BTreeMap<Key, KeyLog>,
    reads: BTreeMap<Key, KeyLog>,
    /// For each writer how much of its log this client must have seen.
    must_see: BTreeMap<ClientId, u32>,
    /// For each key and writer, how much of that is taken care of.
    done: BTreeMap<(Key, ClientId), u32>,
}

/// Whether some order of versions explains all reads.
fn versions(record: &Record<'_>, accesses: &Accesses, guarantees: &[Guarantee]) -> Result<(), Box<Anomaly>> {
    let mut builder = Builder {
        record,
        order: Order::new(record.operations.len()),
        logs: BTreeMap::new(),
        log_lens: vec![0; record.operations.len()],
        guarantees,
        unexplained: None,
    };
    for end in &record.ends {
        let operation = end >> 1;
        let Some(place) = accesses.places[operation as usize] else { continue };
        let access = accesses.all[place as usize];
        if end & 1 == 0 {
            builder.on_call(access);
        } else {
            builder.on_return(access);
        }
    }
    builder.finish()
}

struct Builder<'a> {
    record: &'a Record<'a>,
    order: Order<Why>,
    logs: BTreeMap<ClientId, Log>,
    /// For each write how long its client's log was when it was asked for.
    log_lens: Vec<u32>,
    guarantees: &'a [Guarantee],
    /// A read of nothing by a client that had to see something.
    unexplained: Option<Box<Anomaly>>,
}

impl Builder<'_> {
    fn on_call(&mut self, access: Access) {
        let client = self.record.operations[access.operation as usize].op.client;
        let log = self.logs.entry(client).or_default();
        self.log_lens[access.operation as usize] = log.len;
        let last_write = log.writes.get(&access.key).and_then(|writes| writes.last()).copied();
        if let (true, Some((_, write))) = (access.is_write, last_write) {
            self.order.add(write, access.operation, Why::Program);
        }
        if let Some(source) = access.read {
            for (write, because) in self.had_to_see(client, access.key) {
                self.put_before(write, source, access.operation, because);
            }
        }
    }

    /// The writes of a key that a client must see by now, as far as others don't imply them.
    fn had_to_see(&mut self, client: ClientId, key: Key) -> Vec<(u32, &'static str)> {
        let mut seen = Vec::new();
        let last = |log: Option<&KeyLog>| log.and_then(|log| log.last()).map(|(_, write)| *write);
        for guarantee in self.guarantees {
            let log = &self.logs[&client];
            match guarantee {
                Guarantee::ReadYourWrites => {
                    seen.extend(last(log.writes.get(&key)).map(|write| (write, "having written it")));
                }
                Guarantee::MonotonicReads => {
                    seen.extend(last(log.reads.get(&key)).map(|write| (write, "having read it before")));
                }
                Guarantee::MonotonicWrites => {
                    let because = "having read a later write of its client";
                    seen.extend(
                        self.new_of_others(client, key, |log| &log.writes)
                            .into_iter()
                            .map(|it| (it, because)),
                    );
                }
                Guarantee::WritesFollowReads => {
                    let because = "having read what a client wrote that had read it";
                    seen.extend(
                        self.new_of_others(client, key, |log| &log.reads).into_iter().map(|it| (it, because)),
                    );
                }
            }
        }
        seen
    }

    /// What a client must see of the logs of others since its last read of the key. What it had to see then comes
    /// before what it read then, and so before what it reads now, for its reads are monotonic.
    fn new_of_others(
        &mut self,
        client: ClientId,
        key: Key,
        kind: impl Fn(&Log) -> &BTreeMap<Key, KeyLog>,
    ) -> Vec<u32> {
        let must_see = self.logs[&client].must_see.clone();
        let mut new = Vec::new();
        for (writer, len) in must_see {
            let done = self.logs[&client].done.get(&(key, writer)).copied().unwrap_or(0);
            if let Some(log) = kind(&self.logs[&writer]).get(&key) {
                let from = log.partition_point(|(place, _)| *place < done);
                let to = log.partition_point(|(place, _)| *place < len);
                new.extend(log[from.min(to)..to].iter().map(|(_, write)| *write));
            }
            self.logs.get_mut(&client).expect("it has a log").done.insert((key, writer), len);
        }
        new
    }

    fn put_before(&mut self, write: u32, source: Option<u32>, read: u32, because: &'static str) {
        let reader = self.record.operations[read as usize].op;
        match source {
            Some(source) if source == write => {}
            Some(source) => self.order.add(write, source, Why::HadToSee { reader, because }),
            None => {
                let operations = [write, read].map(|it| self.record.operations[it as usize].owned());
                let says = format!("{reader} found no value, but had to see this write, {because}");
                let anomaly =
                    Anomaly { name: String::new(), says, operations: operations.into(), links: Vec::new() };
                self.unexplained.get_or_insert(Box::new(anomaly));
            }
        }
    }

    fn on_return(&mut self, access: Access) {
        let client = self.record.operations[access.operation as usize].op.client;
        if let Some(Some(source)) = access.read {
            let writer = self.record.operations[source as usize].op.client;
            let len = self.log_lens[source as usize];
            self.logs.entry(writer).or_default();
            let log = self.logs.entry(client).or_default();
            let must_see = log.must_see.entry(writer).or_default();
            *must_see = len.max(*must_see);
            log.reads.entry(access.key).or_default().push((log.len, source));
        }
        let log = self.logs.entry(client).or_default();
        if access.is_write {
            log.writes.entry(access.key).or_default().push((log.len, access.operation));
        }
        log.len += 1;
    }

    fn finish(self) -> Result<(), Box<Anomaly>> {
        if let Some(anomaly) = self.unexplained {
            return Err(anomaly);
        }
        let circle: Option<Circle<Why>> = self.order.shortest_circle();
        circle.map_or(Ok(()), |circle| {
            let says = "no order of these writes explains what was read";
            Err(Box::new(circle_of(self.record, "", says, &circle)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimTime;
    use crate::check::history::testing::{by_hand, draws, happened, history_of, is_earlier, read, write};
    use crate::history::HistoryOperation;
    use crate::random::Stream;
    use crate::service::{Certainty, Operation, Outcome, Value, kv};

    fn write_of(operation: &HistoryOperation) -> Option<(Key, Value)> {
        match operation.operation {
            Operation::Kv(kv::Operation::Write(key, value)) => Some((key, value)),
            _ => None,
        }
    }

    fn read_of(operation: &HistoryOperation) -> Option<(Key, Option<Value>)> {
        match (&operation.operation, &operation.outcome) {
            (Operation::Kv(kv::Operation::Read(key)), Outcome::Value(value)) => Some((*key, *value)),
            _ => None,
        }
    }

    fn precedes(first: &HistoryOperation, second: &HistoryOperation) -> bool {
        let is_known = first.outcome.certainty() == Certainty::Happened;
        is_known && is_earlier(first, second) && first.op.client == second.op.client
    }

    /// The values of a key that a read must not be older than, straight from the definitions.
    fn required(
        all: &[HistoryOperation],
        read: &HistoryOperation,
        key: Key,
        guarantee: Guarantee,
    ) -> Vec<Value> {
        let earlier = |of: &HistoryOperation| -> Vec<&HistoryOperation> {
            let of = of.clone();
            all.iter().filter(move |other| precedes(other, &of)).collect()
        };
        let on_key =
            |pair: Option<(Key, Value)>| pair.filter(|(other, _)| *other == key).map(|(_, value)| value);
        let seen_on_key =
            |pair: Option<(Key, Option<Value>)>| on_key(pair.and_then(|(key, value)| Some((key, value?))));
        let sources = || {
            let seen =
                earlier(read).into_iter().filter_map(read_of).filter_map(|(key, value)| Some((key, value?)));
            seen.filter_map(|pair| all.iter().find(|other| write_of(other) == Some(pair)))
        };
        match guarantee {
            Guarantee::ReadYourWrites => {
                earlier(read).into_iter().filter_map(|it| on_key(write_of(it))).collect()
            }
            Guarantee::MonotonicReads => {
                earlier(read).into_iter().filter_map(|it| seen_on_key(read_of(it))).collect()
            }
            Guarantee::MonotonicWrites => {
                sources().flat_map(earlier).filter_map(|it| on_key(write_of(it))).collect()
            }
            Guarantee::WritesFollowReads => {
                sources().flat_map(earlier).filter_map(|it| seen_on_key(read_of(it))).collect()
            }
        }
    }

    /// The brute-force twin: all orders of the versions of each key.
    fn holds(all: &[HistoryOperation], guarantees: &[Guarantee]) -> bool {
        [Key(0), Key(1)].into_iter().all(|key| {
            let writes: Vec<&HistoryOperation> =
                all.iter().filter(|it| write_of(it).is_some_and(|(other, _)| other == key)).collect();
            // Which value comes before which.
            let mut pairs: Vec<(Value, Option<Value>)> = Vec::new();
            for first in &writes {
                for second in writes.iter().filter(|second| precedes(first, second)) {
                    let value = |it: &HistoryOperation| write_of(it).map(|(_, value)| value);
                    pairs.push((value(first).expect("a write"), value(second)));
                }
            }
            for read in all {
                let Some((_, seen)) = read_of(read).filter(|(other, _)| *other == key) else { continue };
                for guarantee in guarantees {
                    let required = required(all, read, key, *guarantee);
                    pairs.extend(required.into_iter().filter(|it| Some(*it) != seen).map(|it| (it, seen)));
                }
            }
            let values: Vec<Value> =
                writes.iter().filter_map(|it| write_of(it)).map(|(_, value)| value).collect();
            permutations(&values, &mut Vec::new(), &|order: &[Value]| {
                let place = |value: Value| order.iter().position(|other| *other == value);
                pairs.iter().all(|(before, after)| after.is_some_and(|after| place(*before) < place(after)))
            })
        })
    }

    fn permutations(rest: &[Value], order: &mut Vec<Value>, holds: &dyn Fn(&[Value]) -> bool) -> bool {
        if rest.is_empty() {
            return holds(order);
        }
        (0..rest.len()).any(|index| {
            let mut fewer = rest.to_vec();
            order.push(fewer.remove(index));
            let found = permutations(&fewer, order, holds);
            order.pop();
            found
        })
    }

    /// Three clients of a store that answers a read with the last value of the key, with an
    /// earlier one, or with nothing.
    fn weak_history(draws: &mut Stream) -> History {
        let mut history = History::new();
        let mut written = [Vec::new(), Vec::new()];
        for index in 0..8 + u32::try_from(draws.below(11)).expect("small") {
            let at = |offset: u64| SimTime::from_nanos(u64::from(index) * 10 + offset);
            let client = ClientId::new(u32::try_from(draws.below(3)).expect("small"));
            let op = OpId { client, ordinal: index };
            let place = usize::from(draws.below(2) == 0);
            let key = Key(u32::from(place == 1));
            if draws.below(5) < 2 {
                written[place].push(Value::from(index));
                history.invoke(at(0), op, Operation::Kv(kv::Operation::Write(key, Value::from(index))));
                if draws.below(8) > 0 {
                    history.complete(at(5), op, Outcome::Done);
                }
            } else {
                history.invoke(at(0), op, Operation::Kv(kv::Operation::Read(key)));
                let seen = match draws.below(8) {
                    0 => None,
                    1 | 2 => draws.pick(&written[place]).copied(),
                    _ => written[place].last().copied(),
                };
                history.complete(at(5), op, Outcome::Value(seen));
            }
        }
        history
    }

    #[test]
    fn guarantees_agree_with_all_orders_of_versions() {
        let (mut good, mut bad) = ([0; 4], [0; 4]);
        for index in 0..10_000 {
            let history = weak_history(&mut draws(index));
            let all = happened(&history);
            for (place, guarantee) in Guarantee::ALL.into_iter().enumerate() {
                let is_monotonic = holds(&all, &[Guarantee::MonotonicReads]);
                let twin = match guarantee {
                    Guarantee::ReadYourWrites | Guarantee::MonotonicReads => holds(&all, &[guarantee]),
                    Guarantee::MonotonicWrites | Guarantee::WritesFollowReads => {
                        holds(&all, &[Guarantee::MonotonicReads, guarantee])
                    }
                };
                match Session::new(guarantee).judge(&history) {
                    Judgement::Pass => {
                        assert!(twin, "history {index}, {guarantee:?}: {all:#?}");
                        good[place] += 1;
                    }
                    Judgement::Violation(anomaly) => {
                        assert!(!twin, "history {index}: {anomaly}{all:#?}");
                        bad[place] += 1;
                    }
                    Judgement::Inconclusive(why) => {
                        assert!(!is_monotonic && place >= 2, "history {index}: {why}");
                    }
                }
            }
        }
        assert!(good.iter().chain(&bad).all(|count| *count > 40), "of each: {good:?} good, {bad:?} bad");
    }

    /// Which guarantees a history violates.
    fn violated(operations: &[HistoryOperation]) -> Vec<&'static str> {
        let history = history_of(operations);
        let is_violated = |guarantee: &Guarantee| {
            matches!(Session::new(*guarantee).judge(&history), Judgement::Violation(_))
        };
        Guarantee::ALL.into_iter().filter(is_violated).map(|guarantee| guarantee.about().name).collect()
    }

    #[test]
    fn each_guarantee_is_violated_by_its_own_history() {
        assert_eq!(violated(&[write(1, 0, 1, 7), read(1, 2, 1, None)]), ["read-your-writes"]);
        assert_eq!(
            violated(&[write(1, 0, 1, 7), write(1, 2, 1, 8), read(2, 4, 1, Some(8)), read(2, 6, 1, Some(7))]),
            ["monotonic-reads"]
        );
        assert_eq!(
            violated(&[write(1, 0, 1, 7), write(1, 2, 2, 8), read(2, 4, 2, Some(8)), read(2, 6, 1, None)]),
            ["monotonic-writes"]
        );
        let reply = [write(1, 0, 1, 7), read(2, 2, 1, Some(7)), write(2, 4, 2, 8)];
        assert_eq!(
            violated(&[&reply[..], &[read(3, 6, 2, Some(8)), read(3, 8, 1, None)]].concat()),
            ["writes-follow-reads"]
        );
        assert!(
            violated(&[&reply[..], &[read(3, 6, 2, Some(8)), read(3, 8, 1, Some(7))]].concat()).is_empty()
        );
        assert!(violated(&[write(1, 0, 1, 7), read(2, 2, 1, None)]).is_empty(), "stale is allowed");
    }

    #[test]
    fn writes_of_a_client_that_are_seen_in_another_order_are_shown_as_a_circle() {
        // c2 has seen what c1 wrote after 7, so 7 is older than 9; c4 sees 9 and then 7.
        let history = [
            write(1, 0, 1, 7),
            write(1, 2, 2, 8),
            write(3, 0, 1, 9),
            read(2, 4, 2, Some(8)),
            read(2, 6, 1, Some(9)),
            read(4, 4, 1, Some(9)),
            read(4, 6, 1, Some(7)),
        ];
        assert_eq!(violated(&history), ["monotonic-writes"], "and nothing else is wrong");
        let judgement = Session::new(Guarantee::MonotonicWrites).judge(&history_of(&history));
        let Judgement::Violation(anomaly) = judgement else { panic!("{judgement:?}") };
        assert_eq!(anomaly.operations, [history[0].clone(), history[2].clone()], "the two writes");
        let text = anomaly.to_string();
        for said in [
            "c2#6 had to see it, having read a later write of its client, and reads the other",
            "c4#6 had to see it, having read it before, and reads the other",
        ] {
            assert!(text.contains(said), "{text}");
        }
    }

    #[test]
    fn two_clients_that_see_two_writes_in_different_orders_share_no_order_of_versions() {
        let writes = [write(1, 0, 1, 7), write(2, 0, 1, 8)];
        let reads =
            |client, first, second| [read(client, 5, 1, Some(first)), read(client, 7, 1, Some(second))];
        assert_eq!(violated(&[&writes[..], &reads(3, 7, 8), &reads(4, 8, 7)].concat()), ["monotonic-reads"]);
        assert!(violated(&[&writes[..], &reads(3, 7, 8), &reads(4, 7, 8)].concat()).is_empty());
    }

    #[test]
    fn an_exchange_is_a_read_and_a_write_and_one_that_failed_is_neither() {
        let exchange = |client, at, expected, value, outcome| {
            let operation = kv::Operation::CompareAndSet { key: Key(1), expected, value };
            by_hand(client, at, at + 1, Operation::Kv(operation), outcome)
        };
        let both = [write(1, 0, 1, 7), exchange(2, 2, 7, 8, Outcome::Done)];
        let forgotten = [&both[..], &[read(2, 4, 1, None)]].concat();
        assert_eq!(violated(&forgotten), ["read-your-writes", "monotonic-reads"]);
        let failed = [write(1, 0, 1, 7), exchange(1, 2, 7, 8, Outcome::Rejected), read(1, 4, 1, Some(7))];
        assert!(violated(&failed).is_empty());
        for guarantee in Guarantee::ALL {
            assert_eq!(Session::new(guarantee).judge(&history_of(&failed)), Judgement::Pass);
        }
    }

    #[test]
    fn values_that_repeat_are_inconclusive() {
        let history = history_of(&[write(1, 0, 1, 7), write(2, 0, 1, 7)]);
        let answer = Session::new(Guarantee::MonotonicReads).check(&history, 0);
        assert!(matches!(&answer, Answer::Inconclusive(why) if why.contains("both write 7")), "{answer:?}");
    }
}

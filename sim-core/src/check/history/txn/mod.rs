//! Transactions on lists: anomalies as circles of dependencies.
//!
//! Lists only grow and every value is appended once, so a read of a list says in which order its values came, and
//! with that who depends on whom (Kingsbury and Alvaro, 2020):
//!
//! | dependency | of | because |
//! | --- | --- | --- |
//! | `ww` | T2 on T1 | T2 appended right after T1 to the same list |
//! | `wr` | T2 on T1 | T2 read the list as T1 left it |
//! | `rw` | T2 on T1 | T1 read the list as it was right before T2 appended |
//! | process | T2 on T1 | the same client ran T1 first |
//! | real time | T2 on T1 | T1 had completed before T2 was asked for |
//!
//! A circle of dependencies is an anomaly (Adya, 1999), named by what it is made of:
//!
//! | anomaly | circle of |
//! | --- | --- |
//! | G0 | `ww` |
//! | G1c | `ww` and `wr`, with a `wr` |
//! | G-single | these and one `rw` |
//! | G2-item | these and several `rw` |
//! | …-process, …-realtime | these and process or real-time order |
//!
//! The anomalies that snapshot isolation adds (Adya's G-SI) speak of when transactions began and committed, which a
//! history of clients does not tell. So at `snapshot-isolation` there are only G0, G1 and G-single, which is what
//! remains of them without these times: a pass there says less than that the store has snapshot isolation.
//!
//! A transaction that was aborted is on no circle: that others have seen it is G1a.
//!
//! Some anomalies need no circle: reading what was aborted (G1a), or half of what a transaction appended (G1b), or
//! what does not fit the transaction's own earlier steps, or lists that cannot come from one order.
//!
//! Without any of these the history is serializable: every order that keeps to the dependencies is legal.
//!
//! A transaction of unknown outcome happened if somebody read what it appended; else it is left out.

mod circles;
mod graph;
mod lists;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;

use std::fmt;

use serde::Serialize;

use super::anomaly::Anomaly;
use super::recorded::Record;
use super::{About, Answer, Judgement};
use crate::check::HistoryChecker;
use crate::history::History;

use self::lists::Lists;

/// What a history of transactions promises, from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Isolation {
    /// No G0.
    ReadUncommitted,
    /// No G1 either.
    ReadCommitted,
    /// No G-single either: each transaction reads from one moment. Snapshot isolation asks for more (G-SI), which
    /// needs the moments of begin and commit.
    SnapshotIsolation,
    /// No G2-item either.
    Serializable,
    /// Serializable, and the transactions of a client in its order.
    StrongSessionSerializable,
    /// Serializable in the order of real time.
    StrictSerializable,
}

impl Isolation {
    /// All, from weak to strong.
    pub const ALL: [Self; 6] = [
        Self::ReadUncommitted,
        Self::ReadCommitted,
        Self::SnapshotIsolation,
        Self::Serializable,
        Self::StrongSessionSerializable,
        Self::StrictSerializable,
    ];

    /// The name in kebab-case.
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// Name, statement and source.
    pub const fn about(self) -> &'static About {
        match self {
            Self::ReadUncommitted => &READ_UNCOMMITTED,
            Self::ReadCommitted => &READ_COMMITTED,
            Self::SnapshotIsolation => &SNAPSHOT_ISOLATION,
            Self::Serializable => &SERIALIZABLE,
            Self::StrongSessionSerializable => &STRONG_SESSION,
            Self::StrictSerializable => &STRICT,
        }
    }
}

const SOURCE: &str = "Adya, Weak Consistency, 1999; inferred after Kingsbury and Alvaro, Elle, 2020";
const UNIQUE: &str = "histories in which a value is appended twice; predicates";

static READ_UNCOMMITTED: About = About {
    name: "read-uncommitted",
    statement: "transactions write in one order: no G0",
    source: SOURCE,
    leaves_out: UNIQUE,
};
static READ_COMMITTED: About = About {
    name: "read-committed",
    statement: "transactions read what was committed: no G0, G1a, G1b, G1c",
    source: SOURCE,
    leaves_out: UNIQUE,
};
static SNAPSHOT_ISOLATION: About = About {
    name: "snapshot-isolation",
    statement: "no G0, G1 and G-single, which snapshot isolation forbids",
    source: SOURCE,
    leaves_out: "G-SI beyond G0, G1 and G-single: it needs the moments of start and commit, which a history does not \
                 tell; values appended twice; predicates",
};
static SERIALIZABLE: About = About {
    name: "serializable",
    statement: "transactions happen one after the other: no G0, G1, G-single, G2-item",
    source: SOURCE,
    leaves_out: UNIQUE,
};
static STRONG_SESSION: About = About {
    name: "strong-session-serializable",
    statement: "transactions happen one after the other, those of each client in its order",
    source: SOURCE,
    leaves_out: UNIQUE,
};
static STRICT: About = About {
    name: "strict-serializable",
    statement: "transactions happen one after the other, each between its invocation and its completion",
    source: SOURCE,
    leaves_out: UNIQUE,
};

/// All anomalies that were found, at most one a kind, the worst first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Anomalies(pub Vec<Anomaly>);

impl fmt::Display for Anomalies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|anomaly| anomaly.fmt(f))
    }
}

/// Checks histories of transactions on lists. See the [module documentation](self).
#[derive(Clone, Copy, Debug)]
pub struct Transactions {
    isolation: Isolation,
}

impl Transactions {
    /// The checker of this level.
    pub const fn new(isolation: Isolation) -> Self {
        Self { isolation }
    }

    /// Judges a history. Circles of each kind are looked for in about `budget` steps, a step being a dependency that is
    /// followed: one that is found may then not be the shortest. Where nothing was found and the steps of a kind ran
    /// out, the answer is inconclusive.
    pub fn judge(&self, history: &History, budget: u64) -> Judgement<Anomalies> {
        let record = Record::new(history);
        let lists = match Lists::read(&record) {
            Ok(lists) => lists,
            Err(why) => return Judgement::Inconclusive(why),
        };
        let mut found: Vec<Anomaly> = lists
            .anomalies(&record)
            .into_iter()
            .filter(|(from, _)| *from <= self.isolation)
            .map(|(_, it)| it)
            .collect();
        // Lists that contradict one another give no order to depend on.
        let mut cut_short = Vec::new();
        if !lists.is_contradictory() {
            let circles = circles::find(&record, &lists, self.isolation, budget);
            found.extend(circles.anomalies);
            cut_short = circles.cut_short;
        }
        match (found.is_empty(), cut_short.is_empty()) {
            (true, true) => Judgement::Pass,
            (true, false) => Judgement::Inconclusive(format!(
                "no circle was found, but not all were looked for: {} took more than {budget} steps",
                cut_short.join(", ")
            )),
            (false, _) => Judgement::Violation(Box::new(Anomalies(found))),
        }
    }
}

impl HistoryChecker for Transactions {
    fn about(&self) -> &'static About {
        self.isolation.about()
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        self.judge(history, budget).into()
    }
}

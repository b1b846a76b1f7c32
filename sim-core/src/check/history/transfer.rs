//! Transfers between accounts: money is neither made nor lost, and all happens as on one machine.
//!
//! Two checkers, because the one is quick whatever the history, and the other says more:
//!
//! - [`Conservation`]: every read of the balances adds up to what there was at the beginning. A step a balance.
//! - [`Linearizable`]: all transfers and reads happen one after the other, and no balance goes below 0.
//!
//! Every account begins with [`OPENING_BALANCE`]. How many there are is what reads say, or the highest that was moved.

use std::collections::BTreeMap;

use super::linearizability::{self, Evidence, Linearizability};
use super::recorded::{Record, Recorded};
use super::spec::Modelled;
use super::text::Line;
use crate::check::{About, Answer, HistoryChecker};
use crate::history::History;
use crate::service::transfer::{OPENING_BALANCE, Operation as Transfer, TransferModel};
use crate::service::{Certainty, Expiry, Operation, Outcome, Service};
use crate::{OpId, SimTime};

/// Every read of the balances adds up to what there was at the beginning.
#[derive(Clone, Copy, Debug)]
pub struct Conservation;

/// All transfers and reads of balances happen at one moment between their ends each.
#[derive(Clone, Copy, Debug)]
pub struct Linearizable;

impl HistoryChecker for Conservation {
    fn about(&self) -> &'static About {
        &About {
            name: "transfer-conservation",
            statement: "Every read of the balances has all accounts, and they add up to what there was at the beginning.",
            source: "Gray (1978), Notes on Data Base Operating Systems: the transfer of funds; Jepsen's test `bank`",
            leaves_out: "whether each transfer took effect, and once: `linearizability` sees to that",
        }
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        let record = Record::new(history);
        let (mut steps, mut count) = (0, None);
        for (read, balances) in reads(&record) {
            steps += balances.len() as u64;
            if steps > budget {
                return Answer::Inconclusive(format!("no answer within a budget of {budget} steps"));
            }
            let all = *count.get_or_insert(balances.len());
            if let Some(wrong) = wrong_in(balances, all) {
                return Answer::Violation(format!("{wrong}\n  {}", Line(&read.owned())));
            }
        }
        Answer::Pass
    }
}

/// What is wrong with the balances of a read, where there are `all` accounts.
fn wrong_in(balances: &[u64], all: usize) -> Option<String> {
    let count = balances.len();
    if count != all {
        return Some(format!("{count} balances in a read, and {all} in an earlier one"));
    }
    let sum: u128 = balances.iter().map(|balance| u128::from(*balance)).sum();
    let expected = u128::from(OPENING_BALANCE) * all as u128;
    (sum != expected)
        .then(|| format!("the balances add up to {sum}, and there was {expected} at the beginning"))
}

impl Linearizable {
    /// The checker for as many accounts as the history has.
    fn checker(history: &History) -> Linearizability<Modelled<TransferModel>> {
        let balances = vec![OPENING_BALANCE; account_count(&Record::new(history))];
        let model = TransferModel::new(balances.into());
        Linearizability::new(Modelled { model, service: Service::Transfer, expiry: Expiry::Never })
    }
}

impl HistoryChecker for Linearizable {
    fn about(&self) -> &'static About {
        &linearizability::ABOUT
    }

    fn check(&self, history: &History, budget: u64) -> Answer {
        Self::checker(history).check(history, budget)
    }

    fn check_briefly(&self, history: &History, budget: u64) -> Answer {
        Self::checker(history).check_briefly(history, budget)
    }

    fn evidence(&self, history: &History, budget: u64) -> Option<Box<Evidence>> {
        Self::checker(history).evidence(history, budget)
    }

    fn points(&self, history: &History, budget: u64) -> Option<BTreeMap<OpId, SimTime>> {
        Self::checker(history).points(history, budget)
    }
}

fn account_count(record: &Record<'_>) -> usize {
    if let Some((_, balances)) = reads(record).next() {
        return balances.len();
    }
    let happened = record.operations.iter().filter(|one| one.outcome.certainty() != Certainty::DidNotHappen);
    let highest = happened.filter_map(|one| match one.operation {
        Operation::Transfer(Transfer::Move { from, to, .. }) => Some(*from.max(to)),
        _ => None,
    });
    highest.max().map_or(0, |highest| highest as usize + 1)
}

/// The reads that were answered, in order of invocation.
fn reads<'a>(record: &'a Record<'a>) -> impl Iterator<Item = (&'a Recorded<'a>, &'a [u64])> {
    record.operations.iter().filter_map(|one| match (one.operation, one.outcome) {
        (Operation::Transfer(Transfer::Balances), Outcome::Values(values)) => Some((one, &values[..])),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientId;
    use crate::check::history::DEFAULT_BUDGET;
    use crate::service::Refusal;

    /// A history: who asks what, from when to when, and what it gets.
    fn history(steps: &[(u32, Transfer, u64, u64, Outcome)]) -> History {
        let mut ends = Vec::new();
        for (ordinal, (client, operation, begun, ended, outcome)) in (0..).zip(steps) {
            let op = OpId { client: ClientId::new(*client), ordinal };
            ends.push((*begun, 0, op, Err(Operation::Transfer(*operation))));
            ends.push((*ended, 1, op, Ok(outcome.clone())));
        }
        ends.sort_by_key(|(at, order, ..)| (*at, *order));
        let mut history = History::new();
        for (at, _, op, what) in ends {
            match what {
                Err(operation) => history.invoke(SimTime::from_nanos(at), op, operation),
                Ok(outcome) => history.complete(SimTime::from_nanos(at), op, outcome),
            }
        }
        history
    }

    fn moved(from: u32, to: u32, amount: u64) -> Transfer {
        Transfer::Move { from, to, amount }
    }

    fn values(values: &[u64]) -> Outcome {
        Outcome::Values(values.into())
    }

    /// What both say: conservation, linearizability.
    fn judge(steps: &[(u32, Transfer, u64, u64, Outcome)]) -> [bool; 2] {
        let history = history(steps);
        let all: [&dyn HistoryChecker; 2] = [&Conservation, &Linearizable];
        all.map(|checker| match checker.check(&history, DEFAULT_BUDGET) {
            Answer::Pass => true,
            Answer::Violation(_) => false,
            Answer::Inconclusive(why) => panic!("{why}"),
        })
    }

    #[test]
    fn money_that_moves_is_fine() {
        let steps = [
            (0, moved(0, 1, 30), 1, 5, Outcome::Done),
            (1, Transfer::Balances, 2, 4, values(&[100, 100, 100])),
            (1, Transfer::Balances, 6, 7, values(&[70, 130, 100])),
            (0, moved(0, 2, 71), 8, 9, Outcome::Rejected),
            (2, moved(9, 0, 1), 8, 9, Outcome::Refused(Refusal::NotFound)),
        ];
        assert_eq!(judge(&steps), [true, true]);
        assert_eq!(judge(&[]), [true, true]);
    }

    #[test]
    fn half_a_transfer_in_a_read_is_found() {
        let half =
            [(0, moved(0, 1, 30), 1, 5, Outcome::Done), (1, Transfer::Balances, 2, 4, values(&[70, 100]))];
        assert_eq!(judge(&half), [false, false]);
        let fewer = [
            (1, Transfer::Balances, 1, 2, values(&[100, 100])),
            (1, Transfer::Balances, 3, 4, values(&[200])),
        ];
        assert_eq!(judge(&fewer), [false, false]);
    }

    #[test]
    fn a_transfer_that_is_lost_or_done_twice_is_found_though_money_is_conserved() {
        let moved_once = (0, moved(0, 1, 30), 1, 2, Outcome::Done);
        for balances in [[100, 100], [40, 160]] {
            let read = (1, Transfer::Balances, 3, 4, values(&balances));
            assert_eq!(judge(&[moved_once.clone(), read]), [true, false]);
        }
        let unknown = (0, moved(0, 1, 30), 1, 2, Outcome::Unknown);
        for balances in [[100, 100], [70, 130]] {
            let read = (1, Transfer::Balances, 3, 4, values(&balances));
            assert_eq!(judge(&[unknown.clone(), read]), [true, true], "it may have happened");
        }
    }

    #[test]
    fn an_overdraft_and_a_refusal_without_need_are_found() {
        let overdrawn =
            [(0, moved(0, 1, 60), 1, 2, Outcome::Done), (0, moved(0, 1, 60), 3, 4, Outcome::Done)];
        assert_eq!(judge(&overdrawn), [true, false]);
        assert_eq!(judge(&[(0, moved(0, 1, 100), 1, 2, Outcome::Rejected)]), [true, false]);
    }

    #[test]
    fn more_than_the_budget_is_inconclusive() {
        let history = history(&[(1, Transfer::Balances, 1, 2, values(&[100, 100]))]);
        assert!(matches!(Conservation.check(&history, 1), Answer::Inconclusive(_)));
        assert_eq!(Conservation.check(&history, 2), Answer::Pass);
    }
}

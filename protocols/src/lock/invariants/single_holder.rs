//! Mutual exclusion, in true time.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::durable::{Record, STATE};
use super::super::server::{Entry, Name, Tenant};
use super::super::{Fact, Lock, SERVER, Token};
use super::holders;

/// At no moment two workers count on the lock, nor one when the lock is given to another.
#[derive(Clone, Debug, Default)]
pub struct SingleHolder {
    /// The last token that was given for the workers' lock, and to whom.
    given: Option<(Token, Tenant)>,
}

impl SingleHolder {
    /// `node` states something while these count on the lock.
    fn on_fact(&mut self, node: NodeId, fact: Fact, holders: &[(NodeId, Token)]) -> Result<(), Breach> {
        match fact {
            Fact::Granted { name: Name::Guard, token, to } => {
                let is_repeated = self.given.replace((token, to)) == Some((token, to));
                if let Some((holder, held)) = holders.first().filter(|_| !is_repeated) {
                    return Err(Breach(format!("{token} is given while {holder} counts on {held}")));
                }
            }
            Fact::Leased { token, .. } => {
                let given = self.given.map(|(given, _)| given);
                let last = given.unwrap_or_default();
                ensure!(given == Some(token), "{node} counts on {token}, and {last} was given last");
                if let Some((other, held)) = holders.iter().find(|(other, _)| *other != node) {
                    return Err(Breach(format!("{node} counts on {token}, and {other} on {held}")));
                }
            }
            Fact::Granted { name: Name::Open, .. }
            | Fact::Resumed { .. }
            | Fact::Lapsed { .. }
            | Fact::Freed { .. }
            | Fact::Ended { .. }
            | Fact::Sent { .. }
            | Fact::Accepted { .. }
            | Fact::Refused { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<Lock> for SingleHolder {
    fn about(&self) -> &'static About {
        &About {
            name: "single-holder",
            statement: "At no moment of true time two workers count on the lock, nor one when it is given to another.",
            source: "Gray and Cheriton (1989), Leases §2: the server waits until the lease has expired; §5 for clocks",
            leaves_out: "clocks beyond the drift bound, and clients: the history of these is checked",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Lock>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let holders: Vec<_> = holders(nodes).collect();
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact, &holders))
    }

    /// One counts on the lock, and it is not given to another: by the server's disk, before which nobody hears of it.
    fn check_all(&self, nodes: &Nodes<'_, Lock>) -> Result<(), Breach> {
        let holders: Vec<_> = holders(nodes).collect();
        let texts: Vec<String> = holders.iter().map(|(node, token)| format!("{node} on {token}")).collect();
        ensure!(holders.len() <= 1, "several nodes count on the lock at once: {}", texts.join(", "));
        let given = on_disk(nodes).filter(|guard| guard.tenant.is_some()).map(|guard| guard.last);
        let outrun = holders.iter().find(|(_, held)| given.is_some_and(|given| given > *held));
        if let Some((holder, held)) = outrun {
            let given = given.unwrap_or_default();
            return Err(Breach(format!("{holder} counts on {held}, and {given} is given to another")));
        }
        Ok(())
    }

    fn fork(&self) -> Box<dyn Invariant<Lock>> {
        Box::new(self.clone())
    }
}

/// The workers' lock, as it is on the server's disk.
fn on_disk<'a>(nodes: &Nodes<'a, Lock>) -> Option<&'a Entry> {
    let record = nodes.disk(SERVER)?.durable_cell(STATE)?.intact()?;
    match record {
        Record::Server(books) => Some(books.entry(Name::Guard)),
        Record::Resource(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use sim_core::LocalTime;

    use super::*;

    const WORKER: NodeId = NodeId::new(2);
    const OTHER: NodeId = NodeId::new(3);

    fn granted(number: u64) -> Fact {
        let to = Tenant::Worker { node: WORKER, attempt: number };
        Fact::Granted { name: Name::Guard, token: Token::new(number), to }
    }

    fn leased(number: u64) -> Fact {
        Fact::Leased { token: Token::new(number), until: LocalTime::ZERO }
    }

    #[test]
    fn a_lock_is_given_when_nobody_counts_on_it() {
        let mut invariant = SingleHolder::default();
        let (one, two) = (Token::new(1), Token::new(2));
        assert_eq!(invariant.on_fact(WORKER, granted(1), &[]), Ok(()));
        assert_eq!(invariant.on_fact(WORKER, leased(1), &[(WORKER, one)]), Ok(()));
        assert_eq!(invariant.on_fact(WORKER, granted(1), &[(WORKER, one)]), Ok(()), "the answer was lost");
        assert!(invariant.clone().on_fact(OTHER, granted(2), &[(WORKER, one)]).is_err());
        assert_eq!(invariant.on_fact(OTHER, granted(2), &[]), Ok(()));
        assert!(invariant.clone().on_fact(OTHER, leased(2), &[(WORKER, one), (OTHER, two)]).is_err());
        assert!(
            invariant.clone().on_fact(WORKER, leased(1), &[(WORKER, one)]).is_err(),
            "not its lock any more"
        );
        assert_eq!(invariant.on_fact(OTHER, leased(2), &[(OTHER, two)]), Ok(()));
        let to = Tenant::Worker { node: OTHER, attempt: 1 };
        let clients = Fact::Granted { name: Name::Open, token: one, to };
        assert_eq!(invariant.on_fact(OTHER, clients, &[(OTHER, two)]), Ok(()), "another lock");
    }
}

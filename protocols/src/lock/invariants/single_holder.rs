//! Mutual exclusion, in true time.

use std::collections::BTreeMap;

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::{NodeId, SimTime, Span, ensure};

use super::super::durable::{Record, STATE};
use super::super::server::{Entry, Name, Tenant};
use super::super::{Fact, Lock, SERVER, Token};
use super::holders;

/// At no moment two workers count on the lock, nor one when the lock is given to another; and a client is given its lock when
/// the one before has given it back, or a TTL has passed.
///
/// Workers have clocks, and say until when they count on the lock. Clients have none: each may count on it for a TTL of true
/// time from when it asked, and the server heard of that no earlier.
#[derive(Clone, Debug)]
pub struct SingleHolder {
    ttl: Span,
    /// The last token that was given for the workers' lock, and to whom.
    given: Option<(Token, Tenant)>,
    /// The tokens that were set aside for clients and not given yet, with when: several while the disk stands still.
    reserved: BTreeMap<Token, SimTime>,
    /// What a client may count on, and until when.
    counted: Option<(Token, SimTime)>,
}

impl SingleHolder {
    /// For leases of this length.
    pub const fn new(ttl: Span) -> Self {
        Self { ttl, given: None, reserved: BTreeMap::new(), counted: None }
    }

    /// The server states something of the clients' lock.
    fn on_clients_lock(&mut self, now: SimTime, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Reserved { name: Name::Open, token } => _ = self.reserved.insert(token, now),
            Fact::Granted { name: Name::Open, token, .. } => {
                if let Some((held, until)) = self.counted.filter(|(_, until)| now < *until) {
                    let text =
                        format!("{token} is given to a client while one counts on {held} until {until}");
                    return Err(Breach(text));
                }
                self.counted = Some((token, self.lease_end(token, now)));
            }
            // Its client may have heard of it, or hears when it asks again.
            Fact::Resumed { name: Name::Open, token } => {
                self.counted = Some((token, self.lease_end(token, now)));
            }
            Fact::Freed { name: Name::Open, token } => {
                self.counted = self.counted.filter(|(held, _)| *held != token);
            }
            Fact::Reserved { name: Name::Guard, .. }
            | Fact::Granted { name: Name::Guard, .. }
            | Fact::Resumed { name: Name::Guard, .. }
            | Fact::Freed { name: Name::Guard, .. }
            | Fact::Lapsed { .. }
            | Fact::Leased { .. }
            | Fact::Ended { .. }
            | Fact::Sent { .. }
            | Fact::Accepted { .. }
            | Fact::Refused { .. } => {}
        }
        Ok(())
    }

    /// A TTL from when the token was set aside. A server that crashed in that very moment may have it on disk and have said nothing.
    fn lease_end(&mut self, token: Token, now: SimTime) -> SimTime {
        let later = self.reserved.split_off(&token.next());
        let since = self.reserved.get(&token).copied().unwrap_or(now);
        self.reserved = later;
        since + self.ttl
    }

    /// `node` states something while these count on the workers' lock.
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
            | Fact::Reserved { .. }
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
            statement: "At no moment of true time two workers count on the lock, nor one when it is given to another; a client gets its lock \
                        when the one before has given it back, or a TTL of true time after that asked.",
            source: "Gray and Cheriton (1989), Leases §2: the server waits until the lease has expired; §5 for clocks",
            leaves_out: "clocks beyond the drift bound; whether a client stops after a TTL",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Lock>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let holders: Vec<_> = holders(nodes).collect();
        facts.iter().try_for_each(|fact| {
            self.on_clients_lock(nodes.now(), *fact)?;
            self.on_fact(node, *fact, &holders)
        })
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
        let mut invariant = SingleHolder::new(Span::millis(300));
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

    #[test]
    fn a_client_is_given_the_lock_when_it_is_free_or_a_ttl_has_passed() {
        let (name, ttl) = (Name::Open, Span::millis(300));
        let reserved = |number| Fact::Reserved { name, token: Token::new(number) };
        let given = |number| {
            let to = Tenant::Worker { node: OTHER, attempt: number };
            Fact::Granted { name, token: Token::new(number), to }
        };
        let freed = |number| Fact::Freed { name, token: Token::new(number) };
        let resumed = |number| Fact::Resumed { name, token: Token::new(number) };
        let judge = |facts: &[(u64, Fact)]| {
            let mut invariant = SingleHolder::new(ttl);
            let at = |millis| SimTime::ZERO + Span::millis(millis);
            facts.iter().try_for_each(|(millis, fact)| invariant.on_clients_lock(at(*millis), *fact))
        };
        let first = [(10, reserved(1)), (40, given(1))];
        let then = |facts: &[(u64, Fact)]| judge(&[&first[..], facts].concat());
        assert_eq!(then(&[(310, reserved(2)), (310, given(2))]), Ok(()), "a TTL after it was asked for");
        assert!(then(&[(280, reserved(2)), (309, given(2))]).is_err());
        assert_eq!(then(&[(50, freed(1)), (50, reserved(2)), (60, given(2))]), Ok(()), "it was given back");
        assert!(then(&[(50, freed(7)), (60, given(2))]).is_err(), "by another than its holder");
        assert!(then(&[(50, freed(1)), (60, resumed(1)), (70, given(2))]).is_err(), "that was not on disk");
        assert!(
            judge(&[(10, reserved(1)), (50, resumed(1)), (60, given(2))]).is_err(),
            "its client asks again"
        );
        assert!(judge(&[(50, resumed(1)), (349, given(2))]).is_err());
        let stalled =
            [(10, reserved(1)), (310, reserved(2)), (500, given(1)), (500, given(2)), (609, given(3))];
        assert_eq!(judge(&stalled[..4]), Ok(()), "both were on disk late");
        assert!(judge(&stalled).is_err(), "the second lasts until 610 ms");
        assert_eq!(judge(&[(50, resumed(1)), (350, given(2))]), Ok(()));
        let lapsed = Fact::Lapsed { name, token: Token::new(1) };
        assert!(
            then(&[(100, lapsed), (110, given(2))]).is_err(),
            "the server says that it is over, too early"
        );
    }
}

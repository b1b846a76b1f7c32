//! Tokens: each above all before it.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::server::{Name, Tenant};
use super::super::{Fact, Lock, SERVER, Token};

/// Each token that is given is above all that were given before for the same lock, over restarts of the server.
#[derive(Clone, Debug, Default)]
pub struct TokensRise {
    highest: BTreeMap<Name, (Token, Tenant)>,
}

impl TokensRise {
    fn on_fact(&mut self, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Granted { name, token, to } => self.on_granted(name, token, to),
            Fact::Reserved { .. }
            | Fact::Resumed { .. }
            | Fact::Lapsed { .. }
            | Fact::Freed { .. }
            | Fact::Leased { .. }
            | Fact::Ended { .. }
            | Fact::Sent { .. }
            | Fact::Accepted { .. }
            | Fact::Refused { .. } => Ok(()),
        }
    }

    /// A token may be stated again for the same tenant, where the answer was lost.
    fn on_granted(&mut self, name: Name, token: Token, to: Tenant) -> Result<(), Breach> {
        if let Some(before) = self.highest.insert(name, (token, to)) {
            let is_fine = token > before.0 || (token, to) == before;
            let (word, (last, tenant)) = (name.word(), before);
            ensure!(is_fine, "{token} of the lock `{word}` is given to {to} after {last} to {tenant}");
        }
        Ok(())
    }
}

impl Invariant<Lock> for TokensRise {
    fn about(&self) -> &'static About {
        &About {
            name: "tokens-rise",
            statement: "The tokens that are given for a lock rise, over restarts of the server, and no two holders have the same.",
            source: "Burrows (2006), The Chubby Lock Service §2.4: the lock generation number",
            leaves_out: "gaps: a token that was written and not given is not given later",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Lock>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(*fact))
    }

    /// No worker and no resource knows a token above the server's last, and no two workers have one.
    fn check_all(&self, nodes: &Nodes<'_, Lock>) -> Result<(), Breach> {
        let Some(server) = nodes.process(SERVER).and_then(Lock::server) else { return Ok(()) };
        let last = server.books().entry(Name::Guard).last;
        let mut owners: BTreeMap<Token, NodeId> = BTreeMap::new();
        for (node, lock) in nodes.running() {
            let known = known(lock);
            ensure!(known <= last, "{node} knows {known}, and the server has given no token above {last}");
            if let Some(token) = tenure(lock)
                && let Some(other) = owners.insert(token, node)
            {
                return Err(Breach(format!("{other} and {node} both have {token}")));
            }
        }
        Ok(())
    }
}

/// The highest token a node knows.
fn known(lock: &Lock) -> Token {
    match lock {
        Lock::Server(_) => Token::ZERO,
        Lock::Resource(resource) => resource.stored().highest,
        Lock::Worker(worker) => worker.highest(),
    }
}

/// The token of a worker's tenure, over or not.
fn tenure(lock: &Lock) -> Option<Token> {
    use super::super::worker::Stage;
    match lock.worker()?.stage() {
        Stage::Holding(tenure) => Some(tenure.token),
        Stage::Resting | Stage::Asking { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_below_one_of_the_same_lock_is_found() {
        let to = |node| Tenant::Worker { node: NodeId::new(node), attempt: 0 };
        let given = |name, number| Fact::Granted { name, token: Token::new(number), to: to(2) };
        let mut invariant = TokensRise::default();
        assert_eq!(invariant.on_fact(given(Name::Guard, 1)), Ok(()));
        assert_eq!(invariant.on_fact(given(Name::Guard, 4)), Ok(()));
        assert_eq!(invariant.on_fact(given(Name::Guard, 4)), Ok(()), "the answer was lost");
        assert_eq!(invariant.on_fact(given(Name::Open, 1)), Ok(()), "the other lock");
        let other = Fact::Granted { name: Name::Guard, token: Token::new(4), to: to(3) };
        assert!(invariant.clone().on_fact(other).is_err(), "the same token to another");
        assert!(invariant.on_fact(given(Name::Guard, 3)).is_err());
    }
}

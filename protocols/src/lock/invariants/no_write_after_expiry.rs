//! Leases: nobody begins to write without one.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::server::Name;
use super::super::worker::Stage;
use super::super::{Fact, Lock, SERVER, Token};

/// A worker sends a write only while the server keeps the lock for its token.
#[derive(Clone, Debug, Default)]
pub struct NoWriteAfterExpiry {
    /// The token that the server keeps the lock for.
    kept: Option<Token>,
}

impl NoWriteAfterExpiry {
    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Granted { name: Name::Guard, token, .. } | Fact::Resumed { name: Name::Guard, token } => {
                self.kept = Some(token);
            }
            Fact::Lapsed { name: Name::Guard, token } | Fact::Freed { name: Name::Guard, token } => {
                self.kept = self.kept.filter(|kept| *kept != token);
            }
            Fact::Sent { token, .. } => {
                let kept = self.kept.map_or_else(|| "nobody".to_owned(), |kept| kept.to_string());
                let is_kept = self.kept == Some(token);
                ensure!(is_kept, "{node} writes with {token}, and the server keeps the lock for {kept}");
            }
            Fact::Resumed { name: Name::Open, .. }
            | Fact::Granted { name: Name::Open, .. }
            | Fact::Lapsed { name: Name::Open, .. }
            | Fact::Freed { name: Name::Open, .. }
            | Fact::Reserved { .. }
            | Fact::Leased { .. }
            | Fact::Ended { .. }
            | Fact::Accepted { .. }
            | Fact::Refused { .. } => {}
        }
        Ok(())
    }
}

impl Invariant<Lock> for NoWriteAfterExpiry {
    fn about(&self) -> &'static About {
        &About {
            name: "no-write-after-expiry",
            statement: "A worker sends a write only while the server keeps the lock for its token.",
            source: "Gray and Cheriton (1989), Leases §2: the holder must not act on a lease that has expired",
            leaves_out: "when the write arrives: `fenced-writes` sees to that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Lock>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    /// Each worker's last write was sent before its lease ran out by its own clock, and for one that is just sent a server that
    /// runs keeps the lock.
    fn check_all(&self, nodes: &Nodes<'_, Lock>) -> Result<(), Breach> {
        let server = nodes.process(SERVER).and_then(Lock::server);
        let guard = server.map(|server| server.books().entry(Name::Guard));
        for (node, lock) in nodes.running() {
            let Some(worker) = lock.worker() else { continue };
            let Stage::Holding(tenure) = worker.stage() else { continue };
            if let Some((sent, until)) = tenure.last_sent {
                ensure!(sent < until, "{node} wrote at {sent}, and counted on its lease until {until}");
            }
            if let Some((guard, token)) = guard.zip(worker.writing(nodes.monotonic(node), nodes.wall(node))) {
                let is_kept = guard.tenant.is_some() && guard.last == token;
                ensure!(is_kept, "{node} writes with {token}, and the server has {guard:?}");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::server::Tenant;
    use super::*;

    fn judge(facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = NoWriteAfterExpiry::default();
        facts.iter().try_for_each(|fact| invariant.on_fact(NodeId::new(2), *fact))
    }

    #[test]
    fn a_write_without_the_lock_is_found() {
        let (one, two) = (Token::new(1), Token::new(2));
        let to = Tenant::Worker { node: NodeId::new(2), attempt: 0 };
        let granted = |token| Fact::Granted { name: Name::Guard, token, to };
        let lapsed = |token| Fact::Lapsed { name: Name::Guard, token };
        let freed = |token| Fact::Freed { name: Name::Guard, token };
        let sent = |token| Fact::Sent { token, number: 1 };
        assert_eq!(judge(&[granted(one), sent(one), lapsed(one), granted(two), sent(two)]), Ok(()));
        assert!(
            judge(&[granted(one), lapsed(one), sent(one)]).is_err(),
            "nobody else has it, but it is over"
        );
        assert!(judge(&[granted(one), freed(one), sent(one)]).is_err());
        assert!(judge(&[granted(one), lapsed(one), granted(two), sent(one)]).is_err());
        let resumed = Fact::Resumed { name: Name::Guard, token: one };
        assert_eq!(
            judge(&[granted(one), lapsed(one), resumed, sent(one)]),
            Ok(()),
            "the end was not on disk"
        );
        let other = Fact::Lapsed { name: Name::Open, token: one };
        assert_eq!(judge(&[granted(one), other, sent(one)]), Ok(()), "the other lock");
    }
}

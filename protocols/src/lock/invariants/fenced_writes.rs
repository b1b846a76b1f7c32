//! Fencing: what the resource takes.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::durable::{Record, STATE};
use super::super::resource::Stored;
use super::super::{Fact, Lock, RESOURCE, Token};

/// The resource takes no write whose token is below one that it has taken.
#[derive(Clone, Debug, Default)]
pub struct FencedWrites {
    highest: Token,
}

impl FencedWrites {
    fn on_fact(&mut self, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Accepted { token, number } => {
                let highest = self.highest;
                ensure!(token >= highest, "write {number} of {token} is taken after one of {highest}");
                self.highest = token;
                Ok(())
            }
            Fact::Refused { token, highest } => {
                ensure!(token < highest, "a write of {token} is refused because of {highest}");
                Ok(())
            }
            Fact::Granted { .. }
            | Fact::Resumed { .. }
            | Fact::Lapsed { .. }
            | Fact::Freed { .. }
            | Fact::Leased { .. }
            | Fact::Ended { .. }
            | Fact::Sent { .. } => Ok(()),
        }
    }
}

impl Invariant<Lock> for FencedWrites {
    fn about(&self) -> &'static About {
        &About {
            name: "fenced-writes",
            statement: "The resource takes no write whose token is below one that it has taken.",
            source: "Kleppmann (2016), How to do distributed locking: fencing tokens",
            leaves_out: "writes of one token that overtake one another: a worker sends one at a time",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Lock>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(*fact))
    }

    /// The last write has the highest token, and the resource knows of all that is on its disk.
    fn check_all(&self, nodes: &Nodes<'_, Lock>) -> Result<(), Breach> {
        let Some(resource) = nodes.process(RESOURCE).and_then(Lock::resource) else { return Ok(()) };
        let Stored { token, highest, .. } = resource.stored();
        ensure!(token == highest, "the last write is one of {token}, and there was one of {highest}");
        let on_disk = nodes.disk(RESOURCE).and_then(|disk| disk.durable_cell(STATE)?.intact());
        if let Some(Record::Resource(stored)) = on_disk {
            let written = stored.highest;
            ensure!(
                highest >= written,
                "it knows of no token above {highest}, and has {written} on its disk"
            );
        }
        Ok(())
    }

    fn fork(&self) -> Box<dyn Invariant<Lock>> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_below_one_that_was_taken_is_found() {
        let (one, two) = (Token::new(1), Token::new(2));
        let taken = |token, number| Fact::Accepted { token, number };
        let judge = |facts: &[Fact]| {
            let mut invariant = FencedWrites::default();
            facts.iter().try_for_each(|fact| invariant.on_fact(*fact))
        };
        assert_eq!(judge(&[taken(one, 1), taken(one, 2), taken(two, 1)]), Ok(()));
        assert!(judge(&[taken(two, 1), taken(one, 2)]).is_err());
        assert!(judge(&[Fact::Refused { token: two, highest: one }]).is_err(), "nothing is above it");
    }
}

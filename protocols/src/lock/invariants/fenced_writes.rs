//! Fencing: what the resource takes.

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;

use super::super::durable::{Record, STATE};
use super::super::resource::Stored;
use super::super::{Fact, Lock, RESOURCE, Token};

/// The resource takes no write whose token is below one that it has taken, and refuses no other.
#[derive(Clone, Debug, Default)]
pub struct FencedWrites {
    highest: Token,
}

impl FencedWrites {
    /// The resource states something; `written` is the highest token on its disk, if that can be read.
    fn on_fact(&mut self, fact: Fact, written: Option<Token>) -> Result<(), Breach> {
        match fact {
            Fact::Accepted { token, number } => {
                let highest = self.highest;
                ensure!(token >= highest, "write {number} of {token} is taken after one of {highest}");
                self.highest = token;
                Ok(())
            }
            Fact::Refused { token, highest } => {
                let Some(written) = written else { return Ok(()) };
                let is_due = token < highest && highest <= written;
                ensure!(
                    is_due,
                    "a write of {token} is refused for {highest}, and the highest on disk is {written}"
                );
                Ok(())
            }
            Fact::Reserved { .. }
            | Fact::Granted { .. }
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
            statement: "The resource takes no write whose token is below one that it has taken, and refuses no other.",
            source: "Kleppmann (2016), How to do distributed locking: fencing tokens",
            leaves_out: "writes of one token that overtake one another: a worker sends one at a time",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Lock>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let written = on_disk(nodes).map(|stored| stored.highest);
        facts.iter().try_for_each(|fact| self.on_fact(*fact, written))
    }

    /// The last write has the highest token, and the resource knows of all that is on its disk.
    fn check_all(&self, nodes: &Nodes<'_, Lock>) -> Result<(), Breach> {
        let Some(resource) = nodes.process(RESOURCE).and_then(Lock::resource) else { return Ok(()) };
        let Stored { token, highest, .. } = resource.stored();
        ensure!(token == highest, "the last write is one of {token}, and there was one of {highest}");
        if let Some(Stored { highest: written, .. }) = on_disk(nodes) {
            ensure!(
                highest >= written,
                "it knows of no token above {highest}, and has {written} on its disk"
            );
        }
        Ok(())
    }
}

/// What is on the resource's disk, unless that is damaged.
fn on_disk(nodes: &Nodes<'_, Lock>) -> Option<Stored> {
    let Some(cell) = nodes.disk(RESOURCE).and_then(|disk| disk.durable_cell(STATE)) else {
        return Some(Stored::default());
    };
    match cell.intact()? {
        Record::Resource(stored) => Some(*stored),
        Record::Server(_) => None,
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
            facts.iter().try_for_each(|fact| invariant.on_fact(*fact, Some(two)))
        };
        assert_eq!(judge(&[taken(one, 1), taken(one, 2), taken(two, 1)]), Ok(()));
        assert!(judge(&[taken(two, 1), taken(one, 2)]).is_err());
        let refused = |token, highest| judge(&[Fact::Refused { token, highest }]);
        assert_eq!(refused(one, two), Ok(()));
        assert!(refused(two, two).is_err(), "it is not below");
        assert!(refused(one, Token::new(3)).is_err(), "no write of that is on disk");
    }
}

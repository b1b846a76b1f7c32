//! A command takes effect once, however often it was sent (§8; dissertation §6.3).

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::persist::{AppendLog, PersistentMap};
use sim_core::{ClientId, OpId};

use super::super::facts::{Kind, kinds};
use super::super::{Command, Fact, Index, Payload, Raft};
use sim_core::service::kv;

/// No state machine has let more commands take effect than there are different ones in the log up to where it is.
///
/// The different ones are counted from the entries themselves, by whoever executes an index first.
#[derive(Clone, Debug)]
pub struct SessionExactlyOnce {
    /// How many different commands there are up to each index.
    different: AppendLog<u64>,
    /// The operations met, in words of 64 ordinals of one client.
    seen: PersistentMap<(ClientId, u32), u64>,
}

impl Default for SessionExactlyOnce {
    fn default() -> Self {
        Self { different: AppendLog::starting_at(1), seen: PersistentMap::new() }
    }
}

impl SessionExactlyOnce {
    /// The next index was executed for the first time: the command that stands there, if it changes anything.
    fn execute(&mut self, command: Option<OpId>) {
        let before = self.different.last().copied().unwrap_or(0);
        let is_new = command.is_some_and(|op| self.is_new(op));
        self.different.push(before + u64::from(is_new));
    }

    fn is_new(&mut self, op: OpId) -> bool {
        let (word, bit) = (op.ordinal / u64::BITS, 1_u64 << (op.ordinal % u64::BITS));
        match self.seen.get_mut(&(op.client, word)) {
            Some(seen) => {
                let is_new = *seen & bit == 0;
                *seen |= bit;
                is_new
            }
            None => self.seen.insert((op.client, word), bit).is_none(),
        }
    }

    fn check(&self, node: NodeId, applied: Index, executed: u64) -> Result<(), Breach> {
        let different = match self.different.get(applied.0) {
            Some(different) => *different,
            None => return Ok(()),
        };
        ensure!(
            executed <= different,
            "{node} let {executed} commands take effect up to {applied}, and there are only {different} different ones"
        );
        Ok(())
    }
}

/// The client's command at an index; `None` for what changes nothing.
fn command_at(raft: &Raft, index: Index) -> Option<OpId> {
    match raft.log().entry_at(index)?.payload {
        Payload::Command(Command::Client { operation: kv::Operation::Read(_), .. } | Command::Noop)
        | Payload::Members(_) => None,
        Payload::Command(Command::Client {
            op,
            operation:
                kv::Operation::Write(..) | kv::Operation::CompareAndSet { .. } | kv::Operation::Delete(_),
        }) => Some(op),
    }
}

impl Invariant<Raft> for SessionExactlyOnce {
    fn about(&self) -> &'static About {
        &About {
            name: "session-exactly-once",
            statement: "A command takes effect once, however often it stands in the log, over snapshots too.",
            source: "paper §8; dissertation §6.3",
            leaves_out: "which of the copies took effect: the history of the clients shows that",
        }
    }

    fn hears(&self) -> Kinds {
        kinds::<Raft>([Kind::Applied, Kind::Restored])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Raft>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let Some(raft) = nodes.process(node) else { return Ok(()) };
        let mut has_executed = false;
        for fact in facts {
            match *fact {
                Fact::Applied { index, .. } => {
                    has_executed = true;
                    if index.0 == self.different.end_index() {
                        self.execute(command_at(raft, index));
                    }
                }
                Fact::Restored { .. } => has_executed = true,
                Fact::Recovered { .. }
                | Fact::TermChanged { .. }
                | Fact::SpokeIn { .. }
                | Fact::VoteGranted { .. }
                | Fact::BecamePreCandidate { .. }
                | Fact::BecameCandidate { .. }
                | Fact::BecameLeader { .. }
                | Fact::BecameFollower { .. }
                | Fact::Disrupted { .. }
                | Fact::Appended { .. }
                | Fact::Truncated { .. }
                | Fact::Compacted { .. }
                | Fact::Committed { .. } => {}
            }
        }
        if has_executed {
            return self.check(node, raft.machine().applied(), raft.machine().executed());
        }
        Ok(())
    }

    fn check_all(&self, nodes: &Nodes<'_, Raft>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, raft)| {
            self.check(node, raft.machine().applied(), raft.machine().executed())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_stands_twice_counts_once() {
        let op = |ordinal| Some(OpId { client: ClientId::new(1), ordinal });
        let mut invariant = SessionExactlyOnce::default();
        for command in [op(0), None, op(70), op(0), op(70), op(1)] {
            invariant.execute(command);
        }
        let check = |executed| invariant.check(NodeId::new(0), Index(6), executed);
        assert_eq!(check(3), Ok(()));
        assert_eq!(check(2), Ok(()), "one was too old to be executed at all");
        assert!(check(4).is_err(), "a retry took effect");
    }
}

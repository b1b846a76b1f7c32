//! The time in an id is when it was given.

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::{LocalTime, NodeId, Span};

use super::super::config::Kind;
use super::super::generator::time_in;
use super::super::{Fact, UniqueIds};
use crate::clocks::Timestamp;

/// As long as no wall clock has ever been wrong by more than ε, the time in an id is the true time but for ε. So of two ids of which the second was given 2 ε
/// later or more, the second is larger: ids are sorted by time, but for that. ε is that of the hybrid clock; for Snowflake it is a
/// millisecond.
#[derive(Clone, Debug)]
pub struct TimeInId {
    kind: Kind,
    /// Whether all clocks have been right so far.
    are_right: bool,
}

impl TimeInId {
    /// For ids of this kind.
    pub const fn new(kind: Kind) -> Self {
        Self { kind, are_right: true }
    }

    /// How far clocks may be off.
    const fn epsilon(&self) -> Span {
        match self.kind {
            Kind::Counter { .. } | Kind::Snowflake { .. } => Span::millis(1),
            Kind::Hybrid { epsilon, .. } => epsilon,
        }
    }

    /// Whether the clock of a node is right: its wall clock is, and no crash has put its hybrid clock ahead.
    fn is_right(&self, nodes: &Nodes<'_, UniqueIds>, node: NodeId) -> bool {
        let now = LocalTime::from_nanos(nodes.now().as_nanos());
        let is_ahead = matches!(self.kind, Kind::Hybrid { .. }) && nodes.incarnation(node) > 1;
        off(nodes.wall(node), now) <= self.epsilon() && !is_ahead
    }

    fn check(&self, node: NodeId, id: u64, now: LocalTime) -> Result<(), Breach> {
        let Some(time) = time_in(id, self.kind).filter(|_| self.are_right) else { return Ok(()) };
        // A time is cut to a millisecond, or rounded up to a unit.
        let slack = self.epsilon() + Span::millis(1).max(Timestamp::UNIT);
        ensure!(off(time, now) <= slack, "{node} gives {id} at {now}, and the time in it is {time}");
        Ok(())
    }
}

fn off(one: LocalTime, other: LocalTime) -> Span {
    one.max(other).since(one.min(other))
}

impl Invariant<UniqueIds> for TimeInId {
    fn about(&self) -> &'static About {
        &About {
            name: "time-in-id",
            statement: "As long as clocks have been right, the time in an id is when it was given, but for how far clocks may be off.",
            source: "Snowflake: roughly sorted, k-sorted; Kulkarni et al., theorem 3",
            leaves_out: "ids of counters, all ids once a clock was wrong, and those of hybrid clocks once a node was restarted: it \
                         goes on at its bound, up to one and a half blocks ahead",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, UniqueIds>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        let now = LocalTime::from_nanos(nodes.now().as_nanos());
        self.are_right &= self.is_right(nodes, node);
        facts.iter().try_for_each(|fact| match *fact {
            Fact::Given(id) => self.check(node, id, now),
            Fact::Started { .. } | Fact::Reserved { .. } | Fact::Heard(_) => Ok(()),
        })
    }

    /// What a node would give now.
    fn check_all(&self, nodes: &Nodes<'_, UniqueIds>) -> Result<(), Breach> {
        let now = LocalTime::from_nanos(nodes.now().as_nanos());
        let are_right = nodes.running().all(|(node, _)| self.is_right(nodes, node));
        let next =
            nodes.running().filter_map(|(node, process)| Some((node, process.next_id(nodes.wall(node))?)));
        next.filter(|_| are_right).try_for_each(|(node, id)| self.check(node, id, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unique_ids::Regress;

    #[test]
    fn a_time_that_is_not_now_is_found_while_clocks_are_right() {
        let kind = Kind::Snowflake { regress: Regress::Refuse, block: Span::millis(10) };
        let (mut invariant, node, now) =
            (TimeInId::new(kind), NodeId::new(1), LocalTime::from_nanos(50_000_000));
        assert_eq!(invariant.check(node, 50 << 22, now), Ok(()));
        assert!(
            invariant.check(node, 60 << 22, now).is_err() && invariant.check(node, 40 << 22, now).is_err()
        );
        invariant.are_right = false;
        assert_eq!(invariant.check(node, 60 << 22, now), Ok(()));
    }
}

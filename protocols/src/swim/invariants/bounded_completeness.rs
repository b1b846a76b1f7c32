//! Time-bounded completeness: everybody is probed within 2n − 1 periods, and the dead are found out.

use std::collections::BTreeMap;

use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::{NodeId, Span};

use super::super::member::State;
use super::super::{Config, Fact, Incarnation, ProbeOrder, Swim};

/// Of so many members, the first, it is seen whom they probe. Each lists all others: to look at all lists of a large group takes
/// a time and a memory that grow with its square.
const OBSERVED: usize = 128;

/// What a node has to do with one that it lists.
#[derive(Clone, Copy, Debug)]
struct Watched {
    /// In which of the node's periods it was probed last, or came to be listed.
    probed: u64,
    /// How many periods of the node have begun while it was down, in one go.
    down: u64,
    /// Which life of it that is.
    life: u32,
    /// In how many periods of the node it has been a suspect in one incarnation, in one go.
    suspected: u64,
    incarnation: Incarnation,
}

/// With the round-robin order, a member probes each that it lists within 2n − 1 of its periods, n being the most members that it
/// has listed; and one that is down is not believed alive for longer than that and the period in which it is probed, and then dead
/// when a suspicion has stood for as long as it may. A period is at most S + 1 times as long as that of a member that is well, so
/// that these bounds are bounds of time.
#[derive(Clone, Debug)]
pub struct BoundedCompleteness {
    config: Config,
    /// How long a period is at most.
    period_max: Span,
    /// For each node how many periods have begun, the most members that it has listed, and these.
    nodes: BTreeMap<NodeId, (u64, u64, BTreeMap<NodeId, Watched>)>,
}

impl BoundedCompleteness {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        let worst = u64::from(if config.local_health.is_on() { config.health_max } else { 0 });
        let period_max = config.probe_interval.times(worst + 1);
        Self { config: config.clone(), period_max, nodes: BTreeMap::new() }
    }

    fn on_fact(&mut self, nodes: &Nodes<'_, Swim>, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        match fact {
            Fact::Started { .. } => {
                self.nodes.remove(&node);
                Ok(())
            }
            Fact::Period => self.on_period(nodes, node),
            Fact::Pinged { target } => {
                if let Some((period, _, watched)) = self.nodes.get_mut(&node)
                    && let Some(watched) = watched.get_mut(target)
                {
                    watched.probed = *period;
                }
                Ok(())
            }
            // In a higher incarnation it is another matter.
            Fact::Heard { update, .. } => {
                if let Some((_, _, watched)) = self.nodes.get_mut(&node)
                    && let Some(watched) = watched.get_mut(&update.member)
                {
                    watched.down = 0;
                }
                Ok(())
            }
            Fact::Announced { .. }
            | Fact::Accused { .. }
            | Fact::Leaves { .. }
            | Fact::Confirmed { .. }
            | Fact::Forgot { .. }
            | Fact::Answered
            | Fact::Requested
            | Fact::GossipBegins
            | Fact::Packs
            | Fact::Gossiped
            | Fact::Queued { .. }
            | Fact::PassedOn { .. }
            | Fact::Spent { .. } => Ok(()),
        }
    }

    /// A period of `node` begins: looks at everybody that it lists.
    fn on_period(&mut self, nodes: &Nodes<'_, Swim>, node: NodeId) -> Result<(), Breach> {
        let Some(swim) = nodes.process(node) else { return Ok(()) };
        let (length, longest) = (swim.membership().period(), self.period_max);
        ensure!(length <= longest, "a period of {node} takes {length}, and must take at most {longest}");
        let (period, most, watched) = self.nodes.entry(node).or_default();
        *period += 1;
        *most = (*most).max(swim.membership().member_count().into());
        let listed = swim.membership().table().known().filter(|(_, belief)| belief.state.is_present());
        let mut now = BTreeMap::new();
        for (member, belief) in listed.filter(|(member, _)| *member != node) {
            let (life, incarnation) = (nodes.incarnation(member), belief.incarnation);
            let fresh = Watched { probed: *period, down: 0, life, suspected: 0, incarnation };
            let mut seen = watched.get(&member).copied().filter(|seen| seen.life == life).unwrap_or(fresh);
            seen.down = if nodes.process(member).is_none() { seen.down + 1 } else { 0 };
            let goes_on = belief.state == State::Suspect && seen.incarnation == incarnation;
            seen.suspected = if goes_on { seen.suspected + 1 } else { 0 };
            seen.incarnation = incarnation;
            now.insert(member, seen);
        }
        *watched = now;
        self.check(nodes, node)
    }

    fn check(&self, nodes: &Nodes<'_, Swim>, node: NodeId) -> Result<(), Breach> {
        let (Some(swim), Some((period, most, watched))) = (nodes.process(node), self.nodes.get(&node)) else {
            return Ok(());
        };
        let suspected_max = self.suspected_max(*most);
        for (member, seen) in watched {
            ensure!(
                seen.suspected <= suspected_max,
                "{node} has suspected {member} in {} for {} periods, and must come to an end within {suspected_max}",
                seen.incarnation,
                seen.suspected
            );
            if self.config.probe_order == ProbeOrder::Random {
                continue;
            }
            let (unprobed, bound) = (period - seen.probed, (2 * most).saturating_sub(1));
            ensure!(
                unprobed <= bound,
                "{node} has not probed {member} for {unprobed} periods, and must within {bound}"
            );
            let is_alive = swim.membership().table().get(*member).state == State::Alive;
            ensure!(
                !is_alive || seen.down <= bound + 1,
                "{member} is down, and {node} believes it to be alive after {} periods, and must not after {bound}",
                seen.down
            );
        }
        Ok(())
    }

    /// In how many periods a suspicion begins, stands for as long as it may, and ends, in a group of at most so many.
    fn suspected_max(&self, most: u64) -> u64 {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        self.config.suspicion_max(most).as_nanos().div_ceil(self.config.probe_interval.as_nanos()) + 1
    }
}

impl Invariant<Swim> for BoundedCompleteness {
    fn about(&self) -> &'static About {
        &About {
            name: "bounded-completeness",
            statement: "A member probes each that it lists within 2n − 1 of its periods, n being the most that it has \
                        listed; and it does not believe one that is down to be alive for longer than that and one period \
                        more, unless it hears news of it, nor suspect it in one incarnation for longer than a suspicion may \
                        stand. A period is at most S + 1 times the usual one.",
            source: "SWIM (DSN 2002) §4.3: time-bounded strong completeness; Lifeguard §4.1: S; §4.2: Max",
            leaves_out: "when whom is probed in random order; what members beyond the first 128 of \
                         a larger group do",
        }
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Swim>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        if node.index() >= OBSERVED {
            return Ok(());
        }
        facts.iter().try_for_each(|fact| self.on_fact(nodes, node, fact))
    }

    fn check_all(&self, nodes: &Nodes<'_, Swim>) -> Result<(), Breach> {
        self.nodes.keys().try_for_each(|node| self.check(nodes, *node))
    }
}

//! Interest: a site loses it when the rule says so.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Value;

use super::super::{Config, Fact, Gossip, Interest, Judging, Response, Stage};

/// With a counter, a site loses interest in a rumor after k cycles without use in a row, and then for certain; with a
/// coin, only after one.
#[derive(Clone, Debug)]
pub struct InterestByRule {
    judging: Judging,
    interest: Interest,
    /// Cycles without use since the last useful one.
    useless: BTreeMap<(NodeId, Value), u32>,
}

impl InterestByRule {
    /// For sites with this configuration.
    pub fn new(config: Config) -> Self {
        Self { judging: config.judging, interest: config.interest, useless: BTreeMap::new() }
    }

    fn on_facts(&mut self, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        for (place, fact) in facts.iter().enumerate() {
            match *fact {
                Fact::Started => self.useless.retain(|(site, _), _| *site != node),
                Fact::Judged { value, response } => {
                    let next = facts.get(place + 1);
                    let is_lost = next == Some(&Fact::LostInterest { value });
                    self.on_judged(node, value, response, is_lost)?;
                }
                Fact::LostInterest { value } => {
                    let before = place.checked_sub(1).map(|place| facts[place]);
                    let is_judged =
                        matches!(before, Some(Fact::Judged { value: judged, .. }) if judged == value);
                    ensure!(is_judged, "{node} loses interest in {value} without having shared it");
                }
                Fact::Asked { .. }
                | Fact::Learned { .. }
                | Fact::Shared { .. }
                | Fact::Called { .. }
                | Fact::Took { .. } => {}
            }
        }
        Ok(())
    }

    fn on_judged(
        &mut self,
        node: NodeId,
        value: Value,
        response: Response,
        is_lost: bool,
    ) -> Result<(), Breach> {
        let is_blind = self.judging == Judging::Blind;
        ensure!(
            is_blind == (response == Response::Shared),
            "{node} counts {response:?} for {value} with {:?}",
            self.judging
        );
        let useless = self.useless.entry((node, value)).or_default();
        *useless = if response == Response::Needed { 0 } else { *useless + 1 };
        let (may, must) = match self.interest {
            Interest::Counter(k) => (*useless >= k, *useless >= k),
            Interest::Coin(_) => (*useless > 0, false),
        };
        let count = *useless;
        ensure!(
            may || !is_lost,
            "{node} loses interest in {value} after {count} cycles without use in a row"
        );
        ensure!(
            is_lost || !must,
            "{node} keeps its interest in {value} after {count} cycles without use in a row"
        );
        if is_lost {
            self.useless.remove(&(node, value));
        }
        Ok(())
    }
}

impl Invariant<Gossip> for InterestByRule {
    fn about(&self) -> &'static About {
        &About {
            name: "interest-by-rule",
            statement: "A site loses interest in a rumor after k cycles in a row in which nobody needed it (with \
                        `Blind`, in which it was shared), and then for certain; with a coin, only after one.",
            source: "Demers et al. (PODC 1987) §1.4: blind or feedback, counter or coin",
            leaves_out: "how often a coin falls which way: the reproduction of table 2 sees to that",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Gossip>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        self.on_facts(node, facts)
    }

    /// Of what sites spread, no counter is at k.
    fn check_all(&self, nodes: &Nodes<'_, Gossip>) -> Result<(), Breach> {
        let Interest::Counter(k) = self.interest else { return Ok(()) };
        for (node, gossip) in nodes.running() {
            let hot = gossip.rumors().iter().filter(|held| held.stage == Stage::Infective);
            let over = hot.into_iter().find(|held| held.counter >= k);
            ensure!(over.is_none(), "{node} spreads {over:?}, and k is {k}");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOST: Fact = Fact::LostInterest { value: 7 };

    const fn judged(response: Response) -> Fact {
        Fact::Judged { value: 7, response }
    }

    fn judge(judging: Judging, interest: Interest, facts: &[Fact]) -> Result<(), Breach> {
        let mut invariant = InterestByRule::new(Config { judging, interest, ..Config::new(3) });
        invariant.on_facts(NodeId::new(0), facts)
    }

    #[test]
    fn a_counter_counts_cycles_without_use_in_a_row() {
        let (known, needed) = (judged(Response::Unneeded), judged(Response::Needed));
        let judge = |facts: &[Fact]| judge(Judging::Feedback, Interest::Counter(2), facts);
        assert_eq!(judge(&[known, known, LOST]), Ok(()));
        assert_eq!(judge(&[known, needed, known, known, LOST]), Ok(()));
        assert!(judge(&[known, needed, known, LOST]).is_err(), "too early");
        assert!(judge(&[known, known]).is_err(), "too late");
        assert!(judge(&[needed, LOST]).is_err());
        assert!(judge(&[LOST]).is_err());
        assert!(judge(&[judged(Response::Shared)]).is_err(), "with feedback, sharing alone says nothing");
        assert_eq!(judge(&[known, Fact::Started, known, known, LOST]), Ok(()));
    }

    #[test]
    fn a_coin_may_fall_either_way_but_only_after_a_cycle_without_use() {
        let (known, needed) = (judged(Response::Unneeded), judged(Response::Needed));
        let feedback = |facts: &[Fact]| judge(Judging::Feedback, Interest::Coin(3), facts);
        assert_eq!(feedback(&[known, known, known, known]), Ok(()));
        assert_eq!(feedback(&[known, LOST]), Ok(()));
        assert!(feedback(&[known, needed, LOST]).is_err());
        let blind = |facts: &[Fact]| judge(Judging::Blind, Interest::Coin(3), facts);
        assert_eq!(blind(&[judged(Response::Shared), LOST]), Ok(()));
        assert!(blind(&[known, LOST]).is_err(), "the blind hear nothing");
    }
}

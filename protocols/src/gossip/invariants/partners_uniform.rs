//! Partners: whoever is called is drawn evenly.
//!
//! A draw that leans towards who knows a rumor already breaks no single call, but the rates. So each call is a bet: whether
//! the site that is called knows the rumor that the caller has learned last. With an even draw it does with probability
//! (those of the others who know it) / (all others), whatever came before; what was won beyond that stays near 0. By Azuma's
//! inequality it is further off than √(30 N) after N bets with probability 2 e⁻⁶⁰ at most.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::ensure;
use sim_core::service::Value;

use super::super::{Config, Fact, Gossip};

/// Minus the logarithm of half the probability with which this may find fault with an even draw, at one call.
const DOUBT: i128 = 60;

/// Whom a site calls does not depend on who knows the rumor that it has learned last.
#[derive(Clone, Debug)]
pub struct PartnersUniform {
    /// How many others a site can call.
    others: i128,
    known: BTreeMap<Value, Sites>,
    /// What each site has learned last, since it started.
    last: BTreeMap<NodeId, Value>,
    bets: i128,
    /// What was won beyond what is due, times the number of others.
    won: i128,
}

/// Those who know a rumor.
#[derive(Clone, Debug, Default)]
struct Sites {
    knows: Vec<bool>,
    count: u32,
}

impl Sites {
    fn has(&self, site: NodeId) -> bool {
        self.knows.get(site.index()).copied().unwrap_or(false)
    }

    fn set(&mut self, site: NodeId, knows: bool) {
        if self.has(site) == knows {
            return;
        }
        if site.index() >= self.knows.len() {
            self.knows.resize(site.index() + 1, false);
        }
        self.knows[site.index()] = knows;
        if knows { self.count += 1 } else { self.count -= 1 }
    }
}

impl PartnersUniform {
    /// For sites with this configuration.
    pub fn new(config: Config) -> Self {
        let others = i128::from(config.node_count) - 1;
        Self { others, known: BTreeMap::new(), last: BTreeMap::new(), bets: 0, won: 0 }
    }

    fn on_fact(&mut self, node: NodeId, fact: Fact) -> Result<(), Breach> {
        match fact {
            Fact::Started => {
                self.known.values_mut().for_each(|sites| sites.set(node, false));
                self.last.remove(&node);
            }
            Fact::Asked { value } | Fact::Learned { value } => {
                self.known.entry(value).or_default().set(node, true);
                self.last.insert(node, value);
            }
            Fact::Called { to, .. } => self.bet(node, to)?,
            Fact::Shared { .. } | Fact::Judged { .. } | Fact::LostInterest { .. } | Fact::Took { .. } => {}
        }
        Ok(())
    }

    /// Where all others know it, or none, there is nothing to win.
    fn bet(&mut self, caller: NodeId, to: NodeId) -> Result<(), Breach> {
        let Some(sites) = self.last.get(&caller).and_then(|value| self.known.get(value)) else {
            return Ok(());
        };
        let knowing = i128::from(sites.count) - i128::from(sites.has(caller));
        if knowing == 0 || knowing == self.others {
            return Ok(());
        }
        let is_won = i128::from(sites.has(to));
        self.bets += 1;
        self.won += is_won * self.others - knowing;
        let Self { others, bets, won, .. } = *self;
        ensure!(
            2 * won * won <= DOUBT * bets * others * others,
            "{caller} calls {to}: in {bets} calls, {} more than are due went to sites that knew the caller's last rumor",
            won / others
        );
        Ok(())
    }
}

impl Invariant<Gossip> for PartnersUniform {
    fn about(&self) -> &'static About {
        &About {
            name: "partners-uniform",
            statement: "Whom a site calls does not depend on who knows the rumor that it has learned last: what calls find stays \
                        within what an even draw gives but in one of 10²⁵ runs.",
            source: "Demers et al. (PODC 1987) §1.3: another site, chosen at random; Azuma, Weighted Sums of Certain Dependent \
                     Random Variables (1967)",
            leaves_out: "a draw that leans in another way, and one that leans so little that the calls of a run do not show it",
        }
    }

    fn on_event(&mut self, _: &Nodes<'_, Gossip>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, *fact))
    }

    /// Calls are facts, and nothing that a site holds.
    fn check_all(&self, _: &Nodes<'_, Gossip>) -> Result<(), Breach> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sim_core::random::{KeySource, Purpose};

    use super::*;
    use crate::draw;

    const SITES: u32 = 9;

    /// A third of the sites know a rumor, and the first of them calls, again and again.
    fn judge(calls: u32, mut partner: impl FnMut() -> NodeId) -> Result<(), Breach> {
        let mut invariant = PartnersUniform::new(Config::new(SITES));
        for site in 0..SITES / 3 {
            invariant.on_fact(NodeId::new(site), Fact::Learned { value: 7 })?;
        }
        (0..calls)
            .try_for_each(|_| invariant.on_fact(NodeId::new(0), Fact::Called { cycle: 0, to: partner() }))
    }

    #[test]
    fn an_even_draw_is_right_and_one_that_leans_is_found() {
        let caller = NodeId::new(0);
        for seed in 0..100 {
            let mut random = KeySource::new(seed).stream(Purpose::Test, 0, 0);
            assert_eq!(judge(10_000, || draw::other(&mut random, caller, SITES)), Ok(()));
        }
        assert!(judge(100, || NodeId::new(1)).is_err(), "to one that knows");
        assert!(judge(1_000, || NodeId::new(SITES - 1)).is_err(), "to one that does not");
        let mut random = KeySource::new(1).stream(Purpose::Test, 0, 0);
        let leans = judge(3_000, || {
            if random.below(4) == 0 { NodeId::new(1) } else { draw::other(&mut random, caller, SITES) }
        });
        assert!(leans.is_err(), "one call in four");
    }

    #[test]
    fn there_is_no_bet_where_nobody_else_knows_or_all_do() {
        let mut invariant = PartnersUniform::new(Config::new(3));
        let called = Fact::Called { cycle: 0, to: NodeId::new(1) };
        let mut after = |node, fact| {
            assert_eq!(invariant.on_fact(NodeId::new(node), fact), Ok(()));
            assert_eq!(invariant.on_fact(NodeId::new(0), called), Ok(()));
            invariant.bets
        };
        let learned = Fact::Learned { value: 7 };
        assert_eq!([after(0, learned), after(1, learned), after(2, learned)], [0, 1, 1]);
        assert_eq!(after(2, Fact::Started), 2, "who starts knows nothing");
    }
}

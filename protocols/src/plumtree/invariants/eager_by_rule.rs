//! The tree: links are taken in and out of it by the rules, and by nothing else.

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::ensure;
use sim_core::service::Value;
use smallvec::SmallVec;

use super::super::facts::Kind;
use super::super::link::Push;
use super::super::message::Announcement;
use super::super::{Config, Fact, Plumtree};
use super::kinds;

/// What one node's links should be.
#[derive(Clone, Debug, Default)]
struct Links {
    pushes: BTreeMap<NodeId, Push>,
    /// What was announced and has not come: by whom, and the hops that each has told first.
    announced: BTreeMap<Value, SmallVec<[(NodeId, u32); 2]>>,
    /// The value that came last, and by whom: if it is delivered, then for the first time.
    came: Option<(NodeId, Value)>,
}

/// A link is eager from when it comes up, when a value came by it for the first time, and when it was grafted by either
/// end; it is lazy from when a duplicate came by it, and when it was pruned by the other end. A shorter way takes the place of a
/// longer one only where it is shorter by the threshold. Links are compared with each keep-alive: in between, one that crashes within a
/// handler has changed more than it could say.
#[derive(Clone, Debug)]
pub struct EagerByRule {
    optimisation: Option<u32>,
    nodes: BTreeMap<NodeId, Links>,
}

impl EagerByRule {
    /// For nodes with this configuration.
    pub const fn new(config: Config) -> Self {
        Self { optimisation: config.optimisation, nodes: BTreeMap::new() }
    }

    fn on_fact(&mut self, node: NodeId, fact: &Fact) -> Result<(), Breach> {
        let optimisation = self.optimisation;
        let links = self.nodes.entry(node).or_default();
        match fact {
            Fact::Started => *links = Links::default(),
            Fact::Up { node: peer } => _ = links.pushes.insert(*peer, Push::Eager),
            Fact::Down { node: peer, .. } => links.remove(*peer),
            Fact::Payload { from, what } => {
                links.set(*from, Push::Lazy);
                links.came = Some((*from, what.value));
            }
            Fact::Delivered(what) => {
                if let Some((from, _)) = links.came.take_if(|(_, value)| *value == what.value) {
                    links.set(from, Push::Eager);
                }
            }
            Fact::Announced { from, what } => {
                links.announce(*from, *what);
            }
            Fact::Grafted { to: peer, .. } | Fact::GraftHeard { from: peer, .. } => {
                links.set(*peer, Push::Eager);
            }
            Fact::PruneHeard { from } => links.set(*from, Push::Lazy),
            Fact::Optimised { better, graft, worse, prune } => {
                links.check_optimised(node, optimisation, (*graft, *better), (*prune, *worse))?;
                links.set(*graft, Push::Eager);
                links.set(*prune, Push::Lazy);
            }
            Fact::Ticked { .. }
            | Fact::Heard { .. }
            | Fact::Noted { .. }
            | Fact::Struck { .. }
            | Fact::Requested { .. }
            | Fact::Accepted { .. }
            | Fact::Refused { .. }
            | Fact::Walked { .. }
            | Fact::Asked { .. }
            | Fact::Pushed { .. }
            | Fact::Orphaned { .. } => {}
        }
        Ok(())
    }

    /// Who has announced what the event has brought is of interest within the event.
    fn forget_announcers(&mut self, node: NodeId, facts: &[Fact]) {
        let Some(links) = self.nodes.get_mut(&node) else { return };
        for fact in facts {
            let Fact::Delivered(Announcement { value, .. }) = fact else { continue };
            links.announced.remove(value);
        }
    }

    fn check(&self, node: NodeId, found: &BTreeMap<NodeId, Push>) -> Result<(), Breach> {
        let nothing = BTreeMap::new();
        let expected = self.nodes.get(&node).map_or(&nothing, |links| &links.pushes);
        ensure!(
            expected == found,
            "by the rules the links of {node} are {}, and they are {}",
            eager(expected),
            eager(found)
        );
        Ok(())
    }
}

impl Links {
    fn set(&mut self, peer: NodeId, push: Push) {
        if let Some(present) = self.pushes.get_mut(&peer) {
            *present = push;
        }
    }

    fn announce(&mut self, from: NodeId, what: Announcement) {
        if self.hops(from, what.value).is_none() {
            self.announced.entry(what.value).or_default().push((from, what.round));
        }
    }

    /// The hops that one has told first of a value.
    fn hops(&self, from: NodeId, value: Value) -> Option<u32> {
        let announcers = self.announced.get(&value)?;
        announcers.iter().find(|(by, _)| *by == from).map(|(_, hops)| *hops)
    }

    fn remove(&mut self, peer: NodeId) {
        self.pushes.remove(&peer);
        self.announced.retain(|_, announcers| {
            announcers.retain(|(by, _)| *by != peer);
            !announcers.is_empty()
        });
    }

    fn check_optimised(
        &self,
        node: NodeId,
        threshold: Option<u32>,
        (graft, better): (NodeId, Announcement),
        (prune, worse): (NodeId, Announcement),
    ) -> Result<(), Breach> {
        let announced = self.hops(graft, better.value);
        ensure!(
            announced == Some(better.round) && better.value == worse.value,
            "{node} takes {graft} for {better:?}, and it has announced {announced:?}"
        );
        let is_shorter = threshold.is_some_and(|by| worse.round >= better.round.saturating_add(by));
        let (long, short) = (worse.round, better.round);
        ensure!(
            is_shorter,
            "{node} takes the way by {graft} of {short} hops for that by {prune} of {long}, with a threshold of {threshold:?}"
        );
        Ok(())
    }
}

/// In words.
fn eager(links: &BTreeMap<NodeId, Push>) -> String {
    let all: Vec<String> = links.iter().map(|(node, push)| format!("{node} {}", push.name())).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// The links of a node as it has them.
fn found(one: &Plumtree) -> BTreeMap<NodeId, Push> {
    one.neighbours().iter().map(|neighbour| (neighbour.node, neighbour.push)).collect()
}

impl Invariant<Plumtree> for EagerByRule {
    fn about(&self) -> &'static About {
        &About {
            name: "eager-by-rule",
            statement: "A link is in the tree from when it comes up, brings a value first or is grafted, and out of it from \
                        when it brings a duplicate or is pruned; a way is taken for another only if it is shorter by the \
                        threshold.",
            source: "Plumtree (SRDS 2007) algorithms 1 to 4",
            leaves_out: "whether the tree connects everybody, which each failure breaks until the next value has been everywhere",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([
            Kind::Started,
            Kind::Ticked,
            Kind::Up,
            Kind::Down,
            Kind::Delivered,
            Kind::Payload,
            Kind::Announced,
            Kind::Grafted,
            Kind::Optimised,
            Kind::GraftHeard,
            Kind::PruneHeard,
        ])
    }

    fn on_event(&mut self, nodes: &Nodes<'_, Plumtree>, node: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(node, fact))?;
        self.forget_announcers(node, facts);
        let is_at_rest = facts.iter().any(|fact| matches!(fact, Fact::Ticked { .. }));
        let one = nodes.process(node).filter(|_| is_at_rest);
        one.map_or(Ok(()), |one| self.check(node, &found(one)))
    }

    fn check_all(&self, nodes: &Nodes<'_, Plumtree>) -> Result<(), Breach> {
        nodes.running().try_for_each(|(node, one)| self.check(node, &found(one)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: [NodeId; 3] = [NodeId::new(0), NodeId::new(1), NodeId::new(2)];

    const fn what(round: u32) -> Announcement {
        Announcement { value: 7, round }
    }

    /// What the link to the second node is after this.
    fn push(facts: &[Fact]) -> Push {
        let mut invariant = EagerByRule::new(Config::new(3));
        let facts = [&[Fact::Up { node: NODES[1] }], facts].concat();
        let judged = facts.iter().try_for_each(|fact| invariant.on_fact(NODES[0], fact));
        assert_eq!(judged, Ok(()));
        invariant.nodes[&NODES[0]].pushes[&NODES[1]]
    }

    #[test]
    fn a_duplicate_or_a_prune_takes_a_link_out_and_a_graft_takes_it_in() {
        let (from, delivered) = (NODES[1], Fact::Delivered(what(1)));
        let payload = Fact::Payload { from, what: what(1) };
        let grafted = Fact::GraftHeard { from, value: None, is_known: false };
        assert_eq!(push(&[]), Push::Eager);
        assert_eq!(push(&[payload, delivered]), Push::Eager);
        assert_eq!(push(&[payload, delivered, payload]), Push::Lazy);
        assert_eq!(push(&[Fact::PruneHeard { from }]), Push::Lazy);
        assert_eq!(push(&[Fact::PruneHeard { from }, payload, delivered]), Push::Eager);
        assert_eq!(push(&[Fact::PruneHeard { from }, grafted]), Push::Eager);
        assert_eq!(push(&[Fact::PruneHeard { from }, Fact::Grafted { to: from, value: 8 }]), Push::Eager);
    }

    #[test]
    fn a_way_is_taken_only_if_it_is_shorter_by_the_threshold() {
        let judge = |announced: u32, came: u32| {
            let mut invariant = EagerByRule::new(Config::new(3));
            let (graft, prune) = (NODES[1], NODES[2]);
            let optimised = Fact::Optimised { better: what(announced), graft, worse: what(came), prune };
            let told = Fact::Announced { from: graft, what: what(announced) };
            [told, optimised].iter().try_for_each(|fact| invariant.on_fact(NODES[0], fact))
        };
        assert_eq!(judge(2, 5), Ok(()));
        assert!(judge(2, 4).is_err());
        assert!(judge(5, 2).is_err());
    }

    #[test]
    fn links_that_differ_are_found() {
        let mut invariant = EagerByRule::new(Config::new(3));
        assert_eq!(invariant.on_fact(NODES[0], &Fact::Up { node: NODES[1] }), Ok(()));
        assert_eq!(invariant.check(NODES[0], &[(NODES[1], Push::Eager)].into()), Ok(()));
        assert!(invariant.check(NODES[0], &[(NODES[1], Push::Lazy)].into()).is_err());
        assert!(invariant.check(NODES[0], &BTreeMap::new()).is_err());
    }
}

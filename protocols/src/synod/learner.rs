//! The learner: knows what is chosen once a phase 2 quorum has accepted one ballot (§2.3).

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::{Context, NodeId};

use super::Synod;
use super::config::{Config, Learning};
use super::facts::Fact;
use super::message::Message;
use super::metrics::Latency;
use super::mutants::Mutant;
use super::process::send;
use super::types::{Proposal, Vote};
use crate::replicated::{Ballot, NodeSet, Phase};

/// What a learner has heard.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Learner {
    /// Who has accepted what, by ballot. A ballot has one proposal.
    votes: BTreeMap<Ballot, (Proposal, NodeSet)>,
    /// What is chosen, once it is known; it never changes.
    chosen: Option<Proposal>,
}

impl Learner {
    pub(super) const fn chosen(&self) -> Option<Proposal> {
        self.chosen
    }

    /// The votes heard of, by ballot.
    pub(super) fn votes(&self) -> impl Iterator<Item = (Ballot, Proposal, NodeSet)> {
        self.votes.iter().map(|(ballot, (proposal, set))| (*ballot, *proposal, *set))
    }

    /// An acceptor has accepted. Returns whether its proposal is known to be chosen by that.
    fn count(&mut self, config: &Config, node: NodeId, vote: Vote) -> bool {
        let (_, accepted) = self.votes.entry(vote.ballot).or_insert((vote.proposal, NodeSet::EMPTY));
        *accepted = accepted.with(node);
        let set = if config.has(Mutant::LearnerByValue) { self.supporters(vote.proposal) } else { *accepted };
        config.is_enough(Phase::Two, set)
    }

    /// Who has accepted a proposal under any ballot.
    fn supporters(&self, proposal: Proposal) -> NodeSet {
        let sets = self.votes.values().filter(|(other, _)| *other == proposal).map(|(_, set)| *set);
        sets.fold(NodeSet::EMPTY, NodeSet::union)
    }
}

impl Synod {
    /// Tells those who learn from this acceptor that it has accepted.
    pub(super) fn announce(&self, context: &mut Context<'_, Self>, vote: Vote) {
        context.fact(Fact::Accepted(vote));
        match self.config.learning {
            Learning::Proposer => send(context, vote.ballot.proposer, Message::Accepted(vote)),
            Learning::Everybody => {
                for node in all_nodes(context) {
                    send(context, node, Message::Accepted(vote));
                }
            }
        }
    }

    /// An acceptor says that it has accepted.
    pub(super) fn on_accepted(&mut self, context: &mut Context<'_, Self>, from: NodeId, vote: Vote) {
        assert!(
            self.config.member_set().contains(from),
            "{from} is no acceptor, and says that it has accepted"
        );
        if self.learner.count(&self.config, from, vote) && self.learner.chosen.is_none() {
            self.learn(context, vote.proposal);
            if self.config.learning == Learning::Proposer {
                for node in all_nodes(context).filter(|node| *node != self.node).collect::<Vec<_>>() {
                    send(context, node, Message::Chosen { proposal: vote.proposal });
                }
            }
        }
    }

    /// The proposer says what is chosen.
    pub(super) fn on_chosen(&mut self, context: &mut Context<'_, Self>, proposal: Proposal) {
        if self.learner.chosen.is_none() {
            self.learn(context, proposal);
        }
    }

    /// This node knows what is chosen: its clients get their answers, and it has nothing to propose any more.
    fn learn(&mut self, context: &mut Context<'_, Self>, proposal: Proposal) {
        assert!(self.learner.chosen.is_none(), "{:?} is chosen, and so is {proposal}", self.learner.chosen);
        self.learner.chosen = Some(proposal);
        context.fact(Fact::Learned { proposal });
        context.end(Latency::Chosen as usize, 0);
        self.finish(context, proposal);
    }
}

/// All nodes of the scenario: each of them learns.
fn all_nodes(context: &Context<'_, Synod>) -> impl Iterator<Item = NodeId> + use<> {
    (0..u32::try_from(context.node_count()).expect("node counts fit 31 bits")).map(NodeId::new)
}

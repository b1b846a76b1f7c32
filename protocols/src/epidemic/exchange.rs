//! Anti-entropy: two sites compare their databases, and what one lacks the other sends (§1.3).
//!
//! ```text
//!  Full      Versions ──> Updates                        a list of all, without values
//!  Checksum  Recent ──> Differs ──> Versions ──> …       the list only if checksums differ
//!  Recent    Recent ──> Differs ──> Versions ──> …       and only if they still do after the latest updates
//!  Merkle    Tree ──> Tree ──> … ──> Versions ──> …      a level a message, and lists of buckets that differ
//! ```
//!
//! No site keeps anything of a comparison between two messages: one that is lost is over, and others follow.

use std::collections::BTreeMap;
use std::sync::Arc;

use sim_core::service::Key;
use sim_core::{Context, NodeId};

use super::config::{AntiEntropy, Comparison, Flow};
use super::database::Branch;
use super::item::{Item, Moment, Version};
use super::message::{Message, Summary};
use super::metrics::Counter;
use super::{Epidemic, Point, Timer};
use crate::draw;

impl Epidemic {
    /// Has the next comparison begin a period from now.
    pub(super) fn await_cycle(&self, context: &mut Context<'_, Self>) {
        if let Some(AntiEntropy { period, .. }) = self.config.anti_entropy {
            context.set_timer(Timer::Comparison, period);
        }
    }

    /// The first one begins somewhere in a period, so that sites don't all call at once.
    pub(super) fn await_first_cycle(&self, context: &mut Context<'_, Self>) {
        if let Some(AntiEntropy { period, .. }) = self.config.anti_entropy {
            let after = draw::phase(context.random(), period);
            context.set_timer(Timer::Comparison, after);
        }
    }

    /// It is time to compare with another site: each is as likely as any.
    pub(super) fn on_cycle(&mut self, context: &mut Context<'_, Self>) {
        let anti_entropy = self.config.anti_entropy.expect("the timer is set only with anti-entropy");
        self.await_cycle(context);
        let partner = draw::other(context.random(), self.node, self.config.node_count);
        context.count(Counter::Comparisons as usize, 1);
        self.call(context, partner, anti_entropy);
    }

    fn call(&mut self, context: &mut Context<'_, Self>, partner: NodeId, anti_entropy: AntiEntropy) {
        let AntiEntropy { flow, comparison, .. } = anti_entropy;
        match comparison {
            Comparison::Full => self.send_versions(context, partner, flow, [Branch::ROOT].into()),
            Comparison::Checksum | Comparison::Recent(_) => {
                let summary = self.summary(context, flow);
                context.send(partner, Message::Recent(summary));
            }
            Comparison::Merkle(_) => {
                let nodes = [(Branch::ROOT, self.database.root())].into();
                context.send(partner, Message::Tree { flow, nodes });
            }
        }
    }

    /// The latest updates, if they go that way.
    fn recent(&self, context: &mut Context<'_, Self>, flow: Flow) -> Arc<[Item]> {
        let Some(AntiEntropy { comparison: Comparison::Recent(window), .. }) = self.config.anti_entropy
        else {
            return Arc::default();
        };
        if !flow.pushes() {
            return Arc::default();
        }
        let now = Moment::of(context.wall());
        let items: Arc<[Item]> = self.database.since(now.before(window)).copied().collect();
        context.count(Counter::ItemsSent as usize, items.len() as u64);
        items
    }

    /// A call: the latest updates of another site, and its checksum.
    pub(super) fn on_recent(&self, context: &mut Context<'_, Self>, from: NodeId, summary: &Summary) {
        if !self.is_same_with(context, summary) {
            let answer = self.summary(context, summary.flow.reversed());
            context.send(from, Message::Differs(answer));
        }
    }

    /// The other site has another checksum: with its latest updates it may be the same.
    pub(super) fn on_differs(&self, context: &mut Context<'_, Self>, from: NodeId, summary: &Summary) {
        if !self.is_same_with(context, summary) {
            context.sometimes(Point::RecentNotEnough as usize);
            self.send_versions(context, from, summary.flow.reversed(), [Branch::ROOT].into());
        }
    }

    /// Whether both have the same, now that the latest updates of the other site hold here.
    fn is_same_with(&self, context: &mut Context<'_, Self>, summary: &Summary) -> bool {
        let is_same = self.database.root() == summary.checksum;
        if is_same {
            Self::agree(context);
        }
        is_same
    }

    /// The database in short.
    fn summary(&self, context: &mut Context<'_, Self>, flow: Flow) -> Summary {
        Summary { flow, items: self.recent(context, flow), checksum: self.database.root() }
    }

    /// Checksums of nodes of the tree: down where they differ.
    pub(super) fn on_tree(
        &self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        flow: Flow,
        nodes: &[(Branch, u64)],
    ) {
        let own = |branch: Branch| match self.database.checksum(branch) {
            Some(checksum) => checksum,
            None => panic!("{from} asks {} for {branch:?}, which its tree does not have", self.node),
        };
        let differing = nodes.iter().filter(|(branch, checksum)| own(*branch) != *checksum);
        let differing: Arc<[Branch]> = differing.map(|(branch, _)| *branch).collect();
        let Some(first) = differing.first() else { return Self::agree(context) };
        let (is_leaf, flow) = (self.database.children(*first).next().is_none(), flow.reversed());
        if is_leaf {
            return self.send_versions(context, from, flow, differing);
        }
        let nodes = differing.iter().flat_map(|branch| self.database.children(*branch)).collect();
        context.send(from, Message::Tree { flow, nodes });
    }

    /// A list of all that is below some nodes of the tree.
    fn send_versions(&self, context: &mut Context<'_, Self>, to: NodeId, flow: Flow, below: Arc<[Branch]>) {
        let versions = self.compared(&below).map(|item| (item.key, item.version)).collect();
        context.count(Counter::Lists as usize, 1);
        context.send(to, Message::Versions { flow, below, versions });
    }

    /// What of the items below some nodes counts for comparisons.
    fn compared(&self, below: &[Branch]) -> impl Iterator<Item = &Item> {
        let items = below.iter().flat_map(|branch| self.database.below(*branch));
        items.filter(|item| self.database.is_compared(item))
    }

    /// Another site's list: sends what it lacks, and asks for what it has.
    pub(super) fn on_versions(
        &self,
        context: &mut Context<'_, Self>,
        from: NodeId,
        flow: Flow,
        below: &[Branch],
        versions: &[(Key, Version)],
    ) {
        let theirs: BTreeMap<Key, Version> = versions.iter().copied().collect();
        let has_newer = |item: &&Item| theirs.get(&item.key).is_none_or(|version| *version < item.version);
        let lacks =
            |(key, version): &&(Key, Version)| self.database.version(*key).is_none_or(|held| held < *version);
        let (mut items, mut wanted) = (Vec::new(), Vec::new());
        if flow.pulls() {
            items.extend(self.compared(below).filter(has_newer).copied());
        }
        if flow.pushes() {
            wanted.extend(versions.iter().filter(lacks).map(|(key, _)| *key));
        }
        Self::send_updates(context, from, items, wanted);
    }

    /// What the other site lacks; what this one lacked holds.
    pub(super) fn on_wanted(&self, context: &mut Context<'_, Self>, from: NodeId, wanted: &[Key]) {
        let items = wanted.iter().filter_map(|key| self.database.get(*key)).copied().collect();
        Self::send_updates(context, from, items, Vec::new());
    }

    fn send_updates(context: &mut Context<'_, Self>, to: NodeId, items: Vec<Item>, wanted: Vec<Key>) {
        if items.is_empty() && wanted.is_empty() {
            return;
        }
        context.count(Counter::ItemsSent as usize, items.len() as u64);
        context.send(to, Message::Updates { items: items.into(), wanted: wanted.into() });
    }

    fn agree(context: &mut Context<'_, Self>) {
        context.count(Counter::Agreements as usize, 1);
    }
}

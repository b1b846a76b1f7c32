//! Anti-entropy: two nodes tell each other all that they believe. Members do it now and then (memberlist's push-pull), who
//! joins begins with it, and members try it with the dead (Serf's reconnect).

use sim_core::{Context, LocalTime, NodeId, Span};

use super::host::{Acts, Host};
use super::member::{Belief, State, Table, Update};
use super::message::Message;
use super::{Membership, Point, Standing, Timer, scale};

impl Membership {
    /// How often it syncs, in a group as large as this.
    pub(super) fn push_pull_interval(&self) -> Option<Span> {
        let scale = scale::push_pull_scale(self.table.present_count());
        self.config.push_pull_interval.map(|interval| interval.times(scale))
    }

    /// It is time to sync with a member.
    pub(super) fn on_push_pull(&mut self, context: &mut Context<'_, impl Host>) {
        if let Some(interval) = self.push_pull_interval() {
            context.arm(Timer::PushPull, interval);
        }
        if let Some(other) = self.draw_member(context, |_, belief| belief.state == State::Alive) {
            context.transmit(other, Message::Sync(self.told(context.now())));
        }
    }

    /// Somebody tells what it believes, and wants to know what this node does.
    pub(super) fn on_sync(&mut self, context: &mut Context<'_, impl Host>, from: NodeId, table: &Table) {
        self.merge(context, table);
        context.transmit(from, Message::SyncReply(self.told(context.now())));
    }

    pub(super) fn on_sync_reply(&mut self, context: &mut Context<'_, impl Host>, table: &Table) {
        self.merge(context, table);
        if self.standing == Standing::Joining {
            self.become_member(context);
        }
    }

    /// What it tells others: all but who has been gone for half of the time that those are remembered. Who heard of it earlier has
    /// forgotten it by the end, and would hear of it anew from those who have not yet, and they from it, for ever.
    fn told(&self, now: LocalTime) -> Table {
        let mut table = self.table.clone();
        let is_old = |since: LocalTime| now.since(since).times(2) >= self.config.retention;
        for (member, _) in self.gone.iter().filter(|(_, since)| is_old(**since)) {
            table.set(*member, Belief::UNKNOWN);
        }
        table
    }

    /// Hears what another one believes, as far as it differs. Who is dead there and present here is suspected first, as
    /// memberlist does: the other may not know of its refutation.
    fn merge(&mut self, context: &mut Context<'_, impl Host>, table: &Table) {
        for (member, theirs) in table.known() {
            let ours = self.table.get(member);
            if theirs == ours {
                continue;
            }
            let is_doubtful = theirs.state == State::Dead && ours.state.is_present();
            let state = if is_doubtful { State::Suspect } else { theirs.state };
            let belief = Belief::new(state, theirs.incarnation);
            self.hear(context, Update { member, belief, from: self.node });
        }
    }

    // ----- the dead -----

    /// Has the next try to reach one of the dead be made when it is due. Where nobody is gone, none need be.
    pub(super) fn await_reconnect(&mut self, context: &mut Context<'_, impl Host>) {
        if let Some(interval) = self.config.reconnect_interval.filter(|_| !self.is_reconnect_due) {
            self.is_reconnect_due = true;
            context.arm(Timer::Reconnect, interval);
        }
    }

    /// Tries to reach one of the dead, each equally likely.
    pub(super) fn on_reconnect(&mut self, context: &mut Context<'_, impl Host>) {
        self.is_reconnect_due = false;
        let dead: Vec<NodeId> = self.gone.keys().copied().filter(|member| self.is_dead(*member)).collect();
        if let Some(member) = context.random().pick(&dead).copied() {
            context.reach(Point::Reconnected);
            context.transmit(member, Message::Sync(self.told(context.now())));
            self.await_reconnect(context);
        }
    }

    fn is_dead(&self, member: NodeId) -> bool {
        self.table.get(member).state == State::Dead
    }
}

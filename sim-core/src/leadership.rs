//! Who leads, and for how long nobody serves: numbers of any group that has leaders.
//!
//! All of it follows from what processes show of themselves ([`Status`]) when it changes. So no protocol counts anything
//! for it, and all of them are measured in the same way. A world is taken for one group.
//!
//! ```text
//!  n1 leads ──x crash                                       restarts ──────────── knows what was decided at its restart
//!             │            n3 campaigns ── n3 leads                  └─ catch-up ─┘
//!             │            └─ campaign ────┘  │   n2 follows n3
//!             ├─ new-leader ──────────────────────┤     n3 decides
//!             └─ outage ────────────────────────────────┘
//! ```
//!
//! **When a leader was lost.** A crash says so itself. A leader that is cut off or stands still leads on in its own eyes, until it
//! steps down or another one leads a later epoch. Then it counts as lost from the last sign of its service: the last decision,
//! or the last answer to a client. If clients did not ask at all times since, it counts from when they began to; if they
//! don't ask now, only from now on.
//!
//! **Stale reads** are judged by what a process knows, not by what it answers: one that knows less to be decided than any did
//! when the read was asked for may have missed a write, of this key or another.
//!
//! **Not measured**: how long the first leader took (a group that has never had one is not out of service), and whether a
//! leader could reach a quorum, which only its protocol knows.

use crate::metrics::{Counter, Gauge, Latency, Metrics};
use crate::status::{Standing, Status};
use crate::{NodeId, SimTime};

/// What is known of the leaders of a world. See the [module documentation](self).
#[derive(Clone, Debug, Default)]
pub(crate) struct Leadership {
    /// The highest epoch that anybody has campaigned for or led.
    epoch: Option<u64>,
    /// How many have campaigned for it.
    candidates: u32,
    /// Whether somebody has led it.
    is_led: bool,
    /// Who leads the latest epoch that had a leader, and which that is; `None` where that leader is lost.
    leader: Option<(NodeId, u64)>,
    /// Since when there is no leader that another process knows, where there was one before.
    vacant_since: Option<SimTime>,
    /// Since when nothing is decided for want of a leader, where there was one before.
    outage_since: Option<SimTime>,
    /// How far anybody has known things to be decided.
    decided: u64,
    /// When something was decided or answered last.
    served_at: SimTime,
    /// How many operations clients wait for.
    pending: u32,
    /// From when on that was never 0.
    busy_since: SimTime,
    /// Who campaigns, and since when.
    campaigns: Vec<(NodeId, SimTime)>,
    /// Who has restarted, when, and how far things were decided then.
    returning: Vec<(NodeId, SimTime, u64)>,
    /// How much was decided when the reads were asked for that a process is answering.
    reads: Vec<u64>,
}

/// A process shows another status than before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    /// When.
    pub(crate) at: SimTime,
    /// Whose process.
    pub(crate) node: NodeId,
    /// What it was; `None` where it was down.
    pub(crate) before: Option<Status>,
    /// What it is.
    pub(crate) after: Status,
    /// Whether a leader runs whose messages would reach it.
    pub(crate) hears_leader: bool,
}

/// Whether a process shows another standing, epoch or leader than before.
#[inline(always)]
pub(crate) fn is_change(before: Option<Status>, after: &Status) -> bool {
    before.is_none_or(|before| {
        (before.standing, before.epoch, before.leader) != (after.standing, after.epoch, after.leader)
    })
}

impl Leadership {
    /// A process stands otherwise, in another epoch, or knows of another leader.
    #[cold]
    pub(crate) fn on_change(&mut self, metrics: &mut Metrics, change: &Change) {
        let Change { at, node, before, after, .. } = *change;
        let is_new =
            before.is_none_or(|before| (before.standing, before.epoch) != (after.standing, after.epoch));
        match after.standing {
            Standing::Leader if is_new => self.on_leads(metrics, at, node, after.epoch),
            Standing::Candidate if is_new => self.on_campaigns(metrics, change),
            Standing::Leader | Standing::Candidate => {}
            Standing::Follower | Standing::Peer => self.forget_campaign(node),
        }
        if after.standing != Standing::Leader && self.leader() == Some(node) {
            let since = self.last_service(at);
            self.lose(metrics, since);
        }
        self.on_word(metrics, change);
    }

    /// A process knows so much to be decided. This is asked after every event, and mostly it is nothing new.
    #[inline(always)]
    pub(crate) fn maybe_progress(&mut self, metrics: &mut Metrics, at: SimTime, node: NodeId, commit: u64) {
        if commit > self.decided || !self.returning.is_empty() || !self.reads.is_empty() {
            self.on_progress(metrics, at, node, commit);
        }
    }

    /// How far anybody has known things to be decided.
    pub(crate) fn decided(&self) -> u64 {
        self.decided
    }

    /// A process answers a read that was asked for when so much was decided; what it knows itself shows when it is done.
    pub(crate) fn on_read(&mut self, decided: u64) {
        self.reads.push(decided);
    }

    /// A node crashed.
    pub(crate) fn on_crash(&mut self, metrics: &mut Metrics, now: SimTime, node: NodeId) {
        self.forget_campaign(node);
        self.returning.retain(|(returning, ..)| *returning != node);
        if self.leader() == Some(node) {
            self.lose(metrics, now);
        }
    }

    /// A node came back after a crash.
    pub(crate) fn on_restart(&mut self, now: SimTime, node: NodeId) {
        if self.decided > 0 {
            self.returning.push((node, now, self.decided));
        }
    }

    /// A client asks for something.
    #[inline]
    pub(crate) fn on_asked(&mut self, now: SimTime) {
        if self.pending == 0 {
            self.busy_since = now;
        }
        self.pending += 1;
    }

    /// A client got an answer, or gave up.
    #[inline]
    pub(crate) fn on_ended(&mut self, now: SimTime, is_answered: bool) {
        self.pending -= 1;
        if is_answered {
            self.served_at = now;
        }
    }

    /// Who leads, as far as that shows: the leader of the latest epoch that had one, unless it is lost.
    pub(crate) fn leader(&self) -> Option<NodeId> {
        self.leader.map(|(leader, _)| leader)
    }

    fn on_leads(&mut self, metrics: &mut Metrics, now: SimTime, node: NodeId, epoch: u64) {
        metrics.increment(Counter::LeadersElected);
        if let Some(place) = self.campaigns.iter().position(|(candidate, _)| *candidate == node) {
            let (_, since) = self.campaigns.swap_remove(place);
            metrics.record(Latency::Campaign, now.since(since));
        }
        self.maybe_begin_epoch(metrics, epoch);
        self.is_led |= Some(epoch) == self.epoch;
        if self.leader.is_some_and(|(_, led)| led > epoch) {
            return;
        }
        if self.leader.is_some_and(|(leader, _)| leader != node) {
            let since = self.last_service(now);
            self.lose(metrics, since);
        }
        self.leader = Some((node, epoch));
    }

    /// One that only asks whether it would win stays in its epoch: that is a campaign, but no candidacy for a new epoch.
    fn on_campaigns(&mut self, metrics: &mut Metrics, change: &Change) {
        let Change { at, node, before, after, hears_leader } = *change;
        metrics.increment(Counter::Candidacies);
        if self.campaigns.iter().all(|(candidate, _)| *candidate != node) {
            self.campaigns.push((node, at));
        }
        if before.is_some_and(|before| before.epoch >= after.epoch) {
            return;
        }
        self.maybe_begin_epoch(metrics, after.epoch);
        self.candidates += u32::from(Some(after.epoch) == self.epoch);
        if hears_leader {
            metrics.increment(Counter::CandidaciesDespiteLeader);
        }
    }

    /// If the epoch is the highest so far, the one before is over, whether it had a leader or not.
    fn maybe_begin_epoch(&mut self, metrics: &mut Metrics, epoch: u64) {
        if Some(epoch) <= self.epoch {
            return;
        }
        metrics.increment(Counter::Epochs);
        if !self.is_led && self.candidates > 0 {
            metrics.increment(Counter::EpochsWithoutLeader);
        }
        if !self.is_led && self.candidates > 1 {
            metrics.increment(Counter::SplitVotes);
        }
        (self.epoch, self.candidates, self.is_led) = (Some(epoch), 0, false);
    }

    /// From when on a leader that has not crashed counts as lost. See the [module documentation](self).
    fn last_service(&self, now: SimTime) -> SimTime {
        if self.pending == 0 { now } else { self.served_at.max(self.busy_since) }
    }

    /// The leader is lost, and was from `since` on.
    fn lose(&mut self, metrics: &mut Metrics, since: SimTime) {
        self.leader = None;
        self.vacant_since.get_or_insert(since);
        if self.outage_since.is_none() {
            self.outage_since = Some(since);
            metrics.rise(Gauge::OutOfService, since, 1);
        }
    }

    /// If the leader is news to others: the first of them has heard of it.
    fn on_word(&mut self, metrics: &mut Metrics, change: &Change) {
        let Change { at, node, after, .. } = *change;
        if let (Some((leader, epoch)), Some(since)) = (self.leader, self.vacant_since)
            && node != leader
            && (after.leader, after.epoch) == (Some(leader), epoch)
        {
            metrics.record(Latency::NewLeader, at.since(since));
            self.vacant_since = None;
        }
    }

    #[inline(never)]
    fn on_progress(&mut self, metrics: &mut Metrics, at: SimTime, node: NodeId, commit: u64) {
        for decided in self.reads.drain(..) {
            metrics.add(Counter::StaleReads, u64::from(commit < decided));
        }
        if let Some(place) = self.returning.iter().position(|(returning, ..)| *returning == node)
            && commit >= self.returning[place].2
        {
            let (_, since, _) = self.returning.swap_remove(place);
            metrics.record(Latency::CatchUp, at.since(since));
        }
        if commit > self.decided {
            metrics.add(Counter::Decided, commit - self.decided);
            (self.decided, self.served_at) = (commit, at);
            self.maybe_end_outage(metrics, at);
        }
    }

    /// Something was decided: if that is under a leader, it serves.
    fn maybe_end_outage(&mut self, metrics: &mut Metrics, now: SimTime) {
        if self.leader.is_some()
            && let Some(since) = self.outage_since.take()
        {
            metrics.record(Latency::Outage, now.since(since));
            metrics.fall(Gauge::OutOfService, now, 1);
        }
    }

    fn forget_campaign(&mut self, node: NodeId) {
        self.campaigns.retain(|(candidate, _)| *candidate != node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;
    use crate::metrics::LatencySummary;

    /// A group whose nodes change their status by hand.
    #[derive(Default)]
    struct Group {
        leadership: Leadership,
        metrics: Metrics,
        statuses: [Option<Status>; 4],
    }

    const fn at(millis: u64) -> SimTime {
        SimTime::from_nanos(millis * 1_000_000)
    }

    impl Group {
        /// At this time a node stands so in an epoch, thinks that this one leads, and knows so much to be decided.
        fn show(
            &mut self,
            millis: u64,
            node: u32,
            (standing, epoch): (Standing, u64),
            leader: u32,
            commit: u64,
        ) {
            let leader = (leader > 0).then(|| NodeId::new(leader));
            let after = Status { role: "", standing, epoch, leader, commit, gauge: 0 };
            let before = self.statuses[node as usize].replace(after);
            let change =
                Change { at: at(millis), node: NodeId::new(node), before, after, hears_leader: false };
            if is_change(before, &after) {
                self.leadership.on_change(&mut self.metrics, &change);
            }
            self.leadership.maybe_progress(&mut self.metrics, change.at, change.node, commit);
        }

        fn crash(&mut self, millis: u64, node: u32) {
            self.statuses[node as usize] = None;
            self.leadership.on_crash(&mut self.metrics, at(millis), NodeId::new(node));
        }

        /// Node 1 leads epoch 1 and has decided one thing at 10 ms; node 2 follows, nobody asks.
        fn led() -> Self {
            let mut group = Self::default();
            group.show(0, 1, (Standing::Candidate, 1), 0, 0);
            group.show(5, 1, (Standing::Leader, 1), 1, 0);
            group.show(8, 2, (Standing::Follower, 1), 1, 0);
            group.show(10, 1, (Standing::Leader, 1), 1, 1);
            group
        }

        fn samples(&self, latency: Latency) -> (u64, Span) {
            let LatencySummary { count, max, .. } = self.metrics.latency(latency);
            (count, max)
        }

        fn counts(&self) -> [u64; 3] {
            [Counter::Epochs, Counter::EpochsWithoutLeader, Counter::SplitVotes]
                .map(|counter| self.metrics.counter(counter))
        }
    }

    #[test]
    fn the_first_leader_ends_no_outage() {
        let group = Group::led();
        assert_eq!(group.samples(Latency::NewLeader), (0, Span::ZERO));
        assert_eq!(group.samples(Latency::Outage), (0, Span::ZERO));
        assert_eq!(group.samples(Latency::Campaign), (1, Span::millis(5)));
        assert_eq!(group.metrics.counter(Counter::Decided), 1);
    }

    #[test]
    fn a_crashed_leader_is_missed_from_its_crash_until_another_is_heard_of_and_decides() {
        let mut group = Group::led();
        group.crash(100, 1);
        group.show(250, 2, (Standing::Candidate, 2), 0, 1);
        group.show(260, 2, (Standing::Leader, 2), 2, 1);
        assert_eq!(group.samples(Latency::NewLeader).0, 0, "nobody else knows of it");
        group.show(270, 3, (Standing::Follower, 2), 2, 0);
        group.show(290, 2, (Standing::Leader, 2), 2, 2);
        assert_eq!(group.samples(Latency::NewLeader), (1, Span::millis(170)));
        assert_eq!(group.samples(Latency::Outage), (1, Span::millis(190)));
        let gauge = group.metrics.gauge(Gauge::OutOfService, at(380)).expect("it is kept");
        assert_eq!((gauge.last, gauge.max, gauge.mean_thousandths), (Some(0), 1, 500));
    }

    #[test]
    fn a_leader_that_is_cut_off_counts_as_lost_from_its_last_service_while_clients_waited() {
        let mut group = Group::led();
        group.leadership.on_asked(at(20));
        group.show(40, 1, (Standing::Leader, 1), 1, 2);
        group.show(300, 2, (Standing::Candidate, 2), 0, 1);
        group.show(310, 2, (Standing::Leader, 2), 2, 1);
        group.show(330, 2, (Standing::Leader, 2), 2, 3);
        assert_eq!(group.samples(Latency::Outage), (1, Span::millis(290)));
        // The old one has heard of it by now, and is missed by nobody.
        group.show(340, 1, (Standing::Follower, 2), 2, 3);
        assert_eq!(group.samples(Latency::NewLeader), (1, Span::millis(300)));
        assert_eq!(group.samples(Latency::Outage).0, 1);
    }

    #[test]
    fn a_leader_that_nobody_asked_for_anything_counts_as_lost_when_that_shows() {
        let mut group = Group::led();
        group.leadership.on_asked(at(20));
        group.leadership.on_ended(at(30), true);
        group.show(500, 1, (Standing::Follower, 2), 0, 1);
        group.show(510, 2, (Standing::Leader, 2), 2, 1);
        group.show(520, 2, (Standing::Leader, 2), 2, 2);
        assert_eq!(group.samples(Latency::Outage), (1, Span::millis(20)));
    }

    #[test]
    fn votes_are_split_where_several_campaigned_and_nobody_led() {
        let mut group = Group::led();
        group.crash(100, 1);
        group.show(200, 2, (Standing::Candidate, 2), 0, 1);
        group.show(201, 3, (Standing::Candidate, 2), 0, 1);
        assert_eq!(group.counts(), [2, 0, 0], "it may still get a leader");
        group.show(300, 2, (Standing::Candidate, 3), 0, 1);
        assert_eq!(group.counts(), [3, 1, 1]);
        group.show(400, 2, (Standing::Candidate, 4), 0, 1);
        assert_eq!(group.counts(), [4, 2, 1], "nobody else campaigned for the third");
        group.show(410, 2, (Standing::Leader, 4), 2, 1);
        assert_eq!(group.samples(Latency::Campaign), (2, Span::millis(210)));
    }

    #[test]
    fn who_only_asks_whether_it_would_win_begins_no_epoch() {
        let mut group = Group::led();
        group.show(200, 2, (Standing::Candidate, 1), 0, 1);
        group.show(220, 2, (Standing::Follower, 1), 1, 1);
        group.show(300, 2, (Standing::Candidate, 1), 0, 1);
        group.show(310, 2, (Standing::Candidate, 2), 0, 1);
        group.show(320, 2, (Standing::Leader, 2), 2, 1);
        assert_eq!(group.counts(), [2, 0, 0]);
        assert_eq!(group.samples(Latency::Campaign), (2, Span::millis(20)), "the first came to nothing");
    }

    #[test]
    fn a_read_is_stale_where_its_answer_comes_from_one_that_knew_less_than_was_decided_when_it_was_asked() {
        let mut group = Group::led();
        let asked = group.leadership.decided();
        group.show(20, 1, (Standing::Leader, 1), 1, 2);
        group.leadership.on_read(asked);
        group.show(30, 2, (Standing::Follower, 1), 1, 1);
        assert_eq!(group.metrics.counter(Counter::StaleReads), 0, "what was decided later need not be seen");
        group.leadership.on_read(group.leadership.decided());
        group.show(40, 2, (Standing::Follower, 1), 1, 1);
        assert_eq!(group.metrics.counter(Counter::StaleReads), 1);
        group.leadership.on_read(group.leadership.decided());
        group.show(50, 2, (Standing::Follower, 1), 1, 2);
        assert_eq!(group.metrics.counter(Counter::StaleReads), 1, "it learned of it in the same step");
    }

    #[test]
    fn a_node_has_caught_up_when_it_knows_what_was_decided_at_its_restart() {
        let mut group = Group::led();
        group.crash(20, 2);
        group.show(30, 1, (Standing::Leader, 1), 1, 7);
        group.leadership.on_restart(at(50), NodeId::new(2));
        group.show(50, 2, (Standing::Follower, 1), 0, 0);
        group.show(60, 1, (Standing::Leader, 1), 1, 9);
        group.show(70, 2, (Standing::Follower, 1), 1, 6);
        assert_eq!(group.samples(Latency::CatchUp).0, 0);
        group.show(80, 2, (Standing::Follower, 1), 1, 7);
        assert_eq!(group.samples(Latency::CatchUp), (1, Span::millis(30)));
    }
}

//! Coming and going: a node starts, joins, refutes what is said of it, and leaves. Its incarnation is on disk before anybody hears
//! of it.

use sim_core::service::{Outcome, Refusal};
use sim_core::{Context, NodeId, OpId, SyncId};

use super::config::{CONTACTS, Formation};
use super::facts::Fact;
use super::host::{Acts, Host};
use super::member::{Belief, Incarnation, State, Table, Update};
use super::message::Message;
use super::metrics::Counter;
use super::order::ProbeRound;
use super::{FaultPoint, Membership, Mutant, Point, Record, Standing, Timer};
use crate::draw;

impl Membership {
    // ----- starting -----

    /// At its first start a node is in incarnation 0, and one that was set up with the group knows it. Later ones go by what
    /// the disk has; an unreadable one is beyond what SWIM promises to survive.
    pub fn on_start<H: Host>(&mut self, context: &mut Context<'_, H>) {
        self.next_probe = u32::try_from(context.random().next_u64() >> 32).expect("32 bits");
        self.round = ProbeRound::new(context.random().next_u64());
        self.phase = self.draw_phase(context);
        if context.is_first_start() {
            let is_first = self.config.members.contains(&self.node);
            return self.start_first(context, is_first && self.config.formation == Formation::Known);
        }
        let kept = context.disk().read_cell(H::INCARNATION).ok().flatten().and_then(H::as_record);
        let kept = kept.unwrap_or(Record { incarnation: Incarnation(0), has_left: false });
        self.incarnation = kept.incarnation;
        self.state_start(context);
        if kept.has_left {
            self.standing = Standing::Left;
        } else {
            self.rise(context);
        }
    }

    fn start_first(&mut self, context: &mut Context<'_, impl Host>, knows_group: bool) {
        if knows_group {
            self.table = Table::clone(&self.config.group);
        }
        self.state_start(context);
        if knows_group {
            self.begin_work(context);
            self.standing = Standing::Member;
        } else {
            self.announce(context);
        }
    }

    fn state_start(&mut self, context: &mut Context<'_, impl Host>) {
        context.state(Fact::Started { incarnation: self.incarnation, table: self.table.clone() });
        self.assess(context, None);
    }

    /// Takes its place in the rhythm of periods and syncs.
    fn begin_work(&mut self, context: &mut Context<'_, impl Host>) {
        context.arm(Timer::Period, self.until_next(context, self.config.probe_interval));
        if let Some(interval) = self.push_pull_interval() {
            let delay = draw::phase(context.random(), interval);
            context.arm(Timer::PushPull, delay);
        }
    }

    // ----- incarnations -----

    /// Begins the next incarnation: writes it. What must be said waits until it is durable. A disk that takes no more
    /// leaves the node as it is, until the next occasion.
    fn rise(&mut self, context: &mut Context<'_, impl Host>) {
        self.rise_to(context, self.incarnation.next());
    }

    fn rise_to(&mut self, context: &mut Context<'_, impl Host>, incarnation: Incarnation) {
        let incarnation = if self.config.has(Mutant::RejoinsAtZero) && self.standing == Standing::Starting {
            Incarnation(0)
        } else {
            incarnation
        };
        self.write(context, Record { incarnation, has_left: false });
    }

    fn write<H: Host>(&mut self, context: &mut Context<'_, H>, record: Record) {
        if context.replace(H::INCARNATION, H::record(record)).is_ok() {
            context.reach_fault(FaultPoint::Written);
            self.writing = Some((context.sync(H::INCARNATION), record));
        } else if self.standing == Standing::Starting {
            context.arm(Timer::Join, self.config.probe_interval);
        }
    }

    /// What was written is durable: now it may be said. An older sync than the last says nothing new.
    pub fn on_durable(&mut self, context: &mut Context<'_, impl Host>, sync: SyncId) {
        let Some((_, record)) = self.writing.filter(|(last, _)| *last == sync) else { return };
        self.writing = None;
        context.reach_fault(FaultPoint::BeforeAnnounce);
        self.incarnation = record.incarnation;
        if record.has_left { self.say_goodbye(context) } else { self.announce(context) }
    }

    /// Says that it is alive, in its incarnation. Who is not a member yet begins to join.
    fn announce(&mut self, context: &mut Context<'_, impl Host>) {
        context.state(Fact::Announced { incarnation: self.incarnation });
        self.say(context, State::Alive);
        match self.standing {
            Standing::Starting | Standing::Left => {
                self.standing = Standing::Joining;
                self.begin_work(context);
                self.ask_contacts(context);
            }
            Standing::Joining | Standing::Member => {}
            Standing::Leaving => unreachable!("who leaves writes nothing but that"),
        }
    }

    fn say(&mut self, context: &mut Context<'_, impl Host>, state: State) {
        let belief = Belief::new(state, self.incarnation);
        self.table.set(self.node, belief);
        self.pass_on(context, Update { member: self.node, belief, from: self.node });
    }

    /// Somebody says something of this node. What is said of its present incarnation or a later one, and is not that it is
    /// alive in this, it refutes, in a higher one.
    pub(super) fn hear_of_self(&mut self, context: &mut Context<'_, impl Host>, belief: Belief) {
        let is_true = belief == Belief::new(State::Alive, self.incarnation);
        let takes_part = matches!(self.standing, Standing::Joining | Standing::Member);
        if !takes_part || is_true || belief.incarnation < self.incarnation {
            return;
        }
        if belief.state != State::Alive {
            context.state(Fact::Accused { incarnation: belief.incarnation });
        }
        let mutated = self.config.has(Mutant::RefuteWithoutIncarnation);
        let to = if mutated { belief.incarnation } else { belief.incarnation.next() };
        if self.writing.is_some_and(|(_, record)| record.has_left || record.incarnation >= to) {
            return;
        }
        context.tally(Counter::Refutations, 1);
        context.reach(Point::Refuted);
        self.worsen(1);
        self.rise_to(context, to);
    }

    // ----- joining -----

    /// Through whom this node joins: the first members but itself.
    fn contacts(&self) -> Vec<NodeId> {
        self.config.members.iter().copied().filter(|member| *member != self.node).take(CONTACTS).collect()
    }

    /// Asks them all to take it in, and asks again until one has.
    fn ask_contacts(&mut self, context: &mut Context<'_, impl Host>) {
        for contact in self.contacts() {
            context.transmit(contact, Message::Sync(self.table.clone()));
        }
        context.arm(Timer::Join, self.config.probe_interval);
    }

    /// It is time to try again.
    pub(super) fn on_join_due(&mut self, context: &mut Context<'_, impl Host>) {
        match self.standing {
            Standing::Starting => self.rise(context),
            Standing::Joining => self.ask_contacts(context),
            Standing::Member | Standing::Leaving | Standing::Left => {}
        }
    }

    /// A member has told it all that it believes: it is one of them.
    pub(super) fn become_member(&mut self, context: &mut Context<'_, impl Host>) {
        self.standing = Standing::Member;
        context.disarm(Timer::Join);
        self.answer_waiting(context, &Outcome::Done);
    }

    pub(super) fn on_asked_to_join(&mut self, context: &mut Context<'_, impl Host>, op: OpId) {
        match self.standing {
            Standing::Member => context.reply(op, Outcome::Done),
            Standing::Leaving => context.reply(op, Outcome::Refused(Refusal::Unavailable)),
            Standing::Starting | Standing::Joining => self.waiting.push(op),
            Standing::Left => {
                self.waiting.push(op);
                if self.writing.is_none() {
                    self.rise(context);
                }
            }
        }
    }

    // ----- leaving -----

    pub(super) fn on_asked_to_leave(&mut self, context: &mut Context<'_, impl Host>, op: OpId) {
        match self.standing {
            Standing::Left if self.writing.is_none() => context.reply(op, Outcome::Done),
            Standing::Starting | Standing::Joining | Standing::Left => {
                context.reply(op, Outcome::Refused(Refusal::Unavailable));
            }
            Standing::Leaving => self.waiting.push(op),
            Standing::Member => {
                self.waiting.push(op);
                let incarnation = self.writing.map_or(self.incarnation, |(_, record)| record.incarnation);
                self.write(context, Record { incarnation, has_left: true });
            }
        }
    }

    /// That it leaves is durable: it tells the others, and goes when enough have heard.
    fn say_goodbye(&mut self, context: &mut Context<'_, impl Host>) {
        assert_eq!(self.standing, Standing::Member, "only a member leaves");
        self.standing = Standing::Leaving;
        context.state(Fact::Leaves { incarnation: self.incarnation });
        self.say(context, State::Left);
    }

    /// Enough have heard: it is out, knows nobody, and is silent.
    pub(super) fn become_left(&mut self, context: &mut Context<'_, impl Host>) {
        self.answer_waiting(context, &Outcome::Done);
        let known: Vec<NodeId> = self.table.known().map(|(member, _)| member).collect();
        self.table = Table::default();
        for member in known {
            self.assess(context, Some(member));
        }
        let timers = [
            Timer::Period,
            Timer::ProbeTimeout,
            Timer::Gossip,
            Timer::PushPull,
            Timer::Reconnect,
            Timer::Join,
        ];
        let suspicions = self.suspicions.keys().map(|member| Timer::Suspicion(*member));
        let relays = self.relays.keys().map(|probe| Timer::Relay(*probe));
        timers.into_iter().chain(suspicions).chain(relays).for_each(|timer| context.disarm(timer));
        let (incarnation, next_probe) = (self.incarnation, self.next_probe);
        let (round, phase) = (self.round, self.phase);
        *self = Self {
            incarnation,
            next_probe,
            round,
            phase,
            standing: Standing::Left,
            ..Self::boot(self.config.clone(), self.node)
        };
        self.state_start(context);
    }

    fn answer_waiting(&mut self, context: &mut Context<'_, impl Host>, outcome: &Outcome) {
        for op in std::mem::take(&mut self.waiting) {
            context.reply(op, outcome.clone());
        }
    }
}

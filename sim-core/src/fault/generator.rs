//! Random plans: which faults, when, on whom.
//!
//! Each kind of fault is a Poisson process of its own: candidates arrive at exponential intervals, drawn from a stream of
//! the kind alone, and each candidate draws what it does from a stream of (kind, ordinal). Candidates are then admitted
//! in order of time, as far as the limits allow; one that does not fit is dropped, never moved. So no fault's time,
//! victim or length depends on another fault; only whether it is admitted may.
//!
//! | limit | keeps |
//! | --- | --- |
//! | `gap` | faults from flapping: a node's part (host, clock, disk) is left alone for so long after a fault of it |
//! | `settle` | the end of the horizon quiet |
//! | `concurrent_max` | failures readable |
//! | `down_max` | a majority up |
//! | `recovery` | those who came back whole before others go down, where nodes need the others' help for that |
//!
//! **Aim.** Some kinds act on roles, and at moments that only the run knows (so long after the next leader is elected):
//! [`Aim`]. They too have a begin and an end, so that the limits hold; what did not come up until the end is left out.
//! Who is hit is not known beforehand, so what takes aimed faults back acts on all that it could have been, and may end
//! another fault early.
//!
//! **Turning a kind off** ([`Generator::off`]) leaves every fault of the other kinds as it was: its candidates are still
//! considered, and then left out. **Swarm** (Groce et al., "Swarm Testing", ISSTA 2012) switches each kind off with
//! probability ½ per seed, and gives its room to the others: a run with everything on seldom gets deep into anything.

mod breed;

use super::kind::{About, Aim, Fault, FaultKind, GeneratorContext, Part, Rate, Severity, Sites};
use super::table::KINDS;
use super::{Entry, Plan, Trigger};
use crate::random::{Distribution, KeySource, Purpose};
use crate::{ClientId, NodeId, SimTime, Span};

/// A generator of random plans: what it draws from, and its limits.
#[derive(Clone)]
pub struct Generator {
    /// The kinds and how often each happens. A kind that is listed twice counts as its first line says.
    pub kinds: Vec<(&'static dyn FaultKind, Rate)>,
    /// The names of kinds that are turned off.
    pub off: Vec<String>,
    /// Whether each seed has its own selection of kinds.
    pub selection: Selection,
    /// The nodes that faults may hit, ascending; leave spares out.
    pub nodes: Vec<NodeId>,
    /// Nodes that are down until somebody adds them, ascending; none of `nodes`.
    pub spares: Vec<NodeId>,
    /// The nodes of each zone and each rack, as far as they are among `nodes`; none is empty.
    pub domains: Vec<Vec<NodeId>>,
    /// How many clients there are that ask by themselves.
    pub client_count: u32,
    /// How many clients there are, numbered after those, that only administer.
    pub admin_count: u32,
    /// What of the protocol faults can be about.
    pub sites: Sites,
    /// No fault begins before.
    pub start: SimTime,
    /// All faults have ended `settle` before.
    pub end: SimTime,
    /// The shortest and the longest that a fault lasts; each length in between is equally likely.
    pub duration: (Span, Span),
    /// How long a node's part is left alone between two faults.
    pub gap: Span,
    /// How long the end of the horizon is quiet.
    pub settle: Span,
    /// How many faults hold at once, at most.
    pub concurrent_max: u32,
    /// How many nodes are down at once, at most.
    pub down_max: u32,
    /// How long a node that came back still counts as down; 0 where it needs nobody's help.
    pub recovery: Span,
}

/// Which kinds a seed uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// All of them.
    All,
    /// Each with probability ½.
    Swarm,
}

/// A fault of a generated plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The name of its kind.
    pub kind: &'static str,
    /// When it begins.
    pub start: SimTime,
    /// What it does.
    pub fault: Fault,
}

impl Drawn {
    /// When it has ended.
    pub fn end(&self) -> SimTime {
        self.start + self.fault.duration
    }

    /// These faults as a plan.
    pub fn plan(faults: &[Self]) -> Plan {
        Plan::new(faults.iter().flat_map(Self::entries).collect(), Vec::new())
    }

    fn entries(&self) -> impl Iterator<Item = Entry> {
        let plain = self.fault.commands().map(|(offset, command)| Entry::at(self.start + offset, command));
        let aimed = self.fault.aimed.iter();
        plain.chain(aimed.map(|aimed| Entry {
            trigger: self.trigger(aimed.at),
            command: aimed.command.clone(),
            was: None,
        }))
    }

    fn trigger(&self, aim: Aim) -> Trigger {
        match aim {
            Aim::Offset(offset) => Trigger::at(self.start + offset),
            Aim::After { event, nth, span } => {
                Trigger::After { span, event, occurrence: nth, since: self.start, until: self.end() }
            }
            Aim::Before { node, timer, span } => {
                Trigger::Before { span, node, timer, since: self.start, until: self.end() }
            }
        }
    }

    /// Whether the two concern the same part of the same node.
    fn concerns_part_of(&self, other: &Self) -> bool {
        let (mine, others) = (&self.fault, &other.fault);
        let same_part = mine.part == others.part && (mine.part != Part::Network || self.kind == other.kind);
        // Two of one kind that are only aimed would be one at the same.
        let are_aimed_alike = self.kind == other.kind && !mine.aimed.is_empty();
        are_aimed_alike || (same_part && mine.nodes.iter().any(|node| others.nodes.contains(node)))
    }
}

impl Generator {
    /// A generator of all benign kinds that have a usual rate, at that, for `nodes`, from 0 to `end`. Faults last 100 ms to 2 s with a
    /// gap of 500 ms; the last second is quiet; at most 4 faults hold at once, and a minority is down.
    pub fn new(nodes: Vec<NodeId>, end: SimTime) -> Self {
        let is_usual = |about: About| about.severity == Severity::Benign && about.rate.mean().is_some();
        let benign = KINDS.iter().filter(|kind| is_usual(kind.about()));
        let minority = u32::try_from(nodes.len().saturating_sub(1) / 2).expect("node ids fit in 31 bits");
        Self {
            kinds: benign.map(|kind| (*kind, kind.about().rate)).collect(),
            off: Vec::new(),
            selection: Selection::All,
            nodes,
            spares: Vec::new(),
            domains: Vec::new(),
            client_count: 0,
            admin_count: 0,
            sites: Sites::default(),
            start: SimTime::ZERO,
            end,
            duration: (Span::millis(100), Span::secs(2)),
            gap: Span::millis(500),
            settle: Span::secs(1),
            concurrent_max: 4,
            down_max: minority,
            recovery: Span::ZERO,
        }
    }

    /// The plan for the seed of `source`.
    ///
    /// # Panics
    ///
    /// If the bounds of `duration` are reversed.
    pub fn plan(&self, source: &KeySource) -> Plan {
        Drawn::plan(&self.draw(source))
    }

    /// The faults of that plan, by begin.
    ///
    /// # Panics
    ///
    /// If the bounds of `duration` are reversed.
    pub fn draw(&self, source: &KeySource) -> Vec<Drawn> {
        let mut faults = self.admit(self.candidates(source));
        faults.retain(|drawn| !self.off.iter().any(|off| off == drawn.kind));
        faults
    }

    fn candidates(&self, source: &KeySource) -> Vec<Drawn> {
        let mut candidates = Vec::new();
        for (index, (kind, rate)) in self.kinds.iter().enumerate() {
            let name = kind.about().name;
            let is_first = self.kinds[..index].iter().all(|(earlier, _)| earlier.about().name != name);
            if is_first && self.is_selected(name, source) {
                self.candidates_of(*kind, *rate, source, &mut candidates);
            }
        }
        candidates.sort_by_key(|drawn| (drawn.start, drawn.kind));
        candidates
    }

    fn is_selected(&self, name: &str, source: &KeySource) -> bool {
        match self.selection {
            Selection::All => true,
            Selection::Swarm => source.stream(Purpose::Swarm, key_of(name), 0).below(2) == 0,
        }
    }

    /// Stream 0 of a kind draws when its candidates come; stream `ordinal + 1` what one of them does.
    fn candidates_of(&self, kind: &dyn FaultKind, rate: Rate, source: &KeySource, out: &mut Vec<Drawn>) {
        let Some(mean) = rate.mean() else { return };
        let name = kind.about().name;
        let mut arrivals = source.stream(Purpose::Faults, key_of(name), 0);
        let mut start = self.start;
        for ordinal in 0.. {
            start += Distribution::sample_exponential(mean, arrivals.next_u64()) + Span::nanos(1);
            if start + self.duration.0 > self.end - self.settle {
                return;
            }
            let mut stream = source.stream(Purpose::Faults, key_of(name), ordinal + 1);
            if let Some(fault) = kind.generate(&mut stream, &self.context(start, ordinal)) {
                out.push(Drawn { kind: name, start, fault });
            }
        }
    }

    fn context(&self, start: SimTime, ordinal: u32) -> GeneratorContext {
        let left = (self.end - self.settle).since(start);
        let (shortest, longest) = self.duration;
        GeneratorContext {
            nodes: self.nodes.clone(),
            spares: self.spares.clone(),
            domains: self.domains.clone(),
            client_count: self.client_count,
            admins: (self.client_count..).take(self.admin_count as usize).map(ClientId::new).collect(),
            sites: self.sites,
            duration: (shortest, longest.min(left)),
            ordinal,
        }
    }

    fn admit(&self, candidates: Vec<Drawn>) -> Vec<Drawn> {
        let mut admitted: Vec<Drawn> = Vec::new();
        for candidate in candidates {
            if self.fits(&candidate, &admitted) {
                admitted.push(candidate);
            }
        }
        admitted
    }

    /// Whether `candidate` can hold beside those that began before it.
    fn fits(&self, candidate: &Drawn, admitted: &[Drawn]) -> bool {
        let is_rested = |earlier: &Drawn| {
            earlier.end() + self.gap < candidate.start || !earlier.concerns_part_of(candidate)
        };
        let holding: Vec<&Drawn> =
            admitted.iter().filter(|earlier| earlier.end() >= candidate.start).collect();
        let is_down = |earlier: &&Drawn| earlier.end() + self.recovery >= candidate.start;
        let down = admitted.iter().filter(is_down).chain([candidate]).map(|drawn| drawn.fault.down_count());
        admitted.iter().all(is_rested)
            && holding.len() < self.concurrent_max as usize
            && (candidate.fault.down_count() == 0 || down.sum::<usize>() <= self.down_max as usize)
    }
}

/// A kind's name as the number that keys its draws (FNV-1a), so that the order of the table means nothing.
fn key_of(name: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    name.bytes().fold(0xcbf2_9ce4_8422_2325, fold)
}

#[cfg(test)]
mod tests;

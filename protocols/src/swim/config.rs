//! The parameters of SWIM, and which of them make no sense. Their defaults are those of memberlist in a local network.

use std::sync::Arc;

use sim_core::{NodeId, Span};

use super::member::{Table, Update};
use super::message::HEADER;
use super::mutants::Mutant;
use super::scale;
use crate::switch::Switch;

/// So many of the first members are those that new and restarted nodes join through. With three, of which each reaches
/// one of the others, whoever joins through any is in one group.
pub const CONTACTS: usize = 3;

/// In which order a node probes the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProbeOrder {
    /// All of them in each round, each round in a random order (§4.3).
    #[default]
    RoundRobin,
    /// In each period one is drawn from all (§3.1).
    Random,
}

/// When protocol periods begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rhythm {
    /// At each node at a moment of its own, drawn when it starts.
    #[default]
    Scattered,
    /// At all nodes at once: at multiples of the period by their clocks.
    Together,
}

/// Whom the first members know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Formation {
    /// Each other, from the start.
    #[default]
    Known,
    /// Nobody: they join, as later ones do.
    Joining,
}

/// What a scenario holds a run to, in the words of Chandra and Toueg.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Accuracy {
    /// Members may be taken for dead: partitions, pauses and losses happen.
    #[default]
    Eventual,
    /// No member that runs is declared dead.
    NoFalseDeaths,
    /// No member that runs is even suspected.
    NoFalseSuspicions,
}

/// What all nodes share.
#[derive(Clone, Debug)]
pub struct Config {
    /// The first members, ascending: those that are no spares.
    pub members: Arc<[NodeId]>,
    /// What they believe of each other at the start.
    pub group: Arc<Table>,
    /// Whether they believe it.
    pub formation: Formation,
    /// How long a protocol period is: a node probes one member in it. Default 1 s.
    pub probe_interval: Span,
    /// How long it waits for an answer before it asks others to ping; below the period. Default 500 ms.
    pub probe_timeout: Span,
    /// How many it asks: k. Default 3.
    pub indirect_checks: u32,
    /// Whether it also pings once more itself then, which stands for memberlist's ping over TCP. Default on.
    pub fallback_ping: Switch,
    /// Whom it probes. Default round robin.
    pub probe_order: ProbeOrder,
    /// When periods begin.
    pub rhythm: Rhythm,
    /// How often it gossips while it has anything to pass on. Default 200 ms.
    pub gossip_interval: Span,
    /// To how many. Default 3.
    pub gossip_nodes: u32,
    /// How long the dead are gossiped to after their death. Default 30 s.
    pub gossip_to_the_dead: Span,
    /// How often it syncs all that it believes with another one, in groups of up to 32; `None`: never. Default 30 s.
    pub push_pull_interval: Option<Span>,
    /// How often it tries to sync with one that is dead, as Serf does; `None`: never. Default 30 s.
    pub reconnect_interval: Option<Span>,
    /// How long those who are gone are remembered. Default 24 h, as Serf does; memberlist alone: 30 s.
    pub retention: Span,
    /// How often an update is passed on: this times the digits of the number of members. λ. Default 4.
    pub retransmit_mult: u32,
    /// How long a suspicion stands at least: this times max(1, log10 n) periods. α of Lifeguard. Default 4.
    pub suspicion_mult: u32,
    /// So many times as long it stands at most. β of Lifeguard; only with `confirmations`. Default 6.
    pub suspicion_max_mult: u32,
    /// Bytes of a message, at most: what updates ride in. Default 1,400.
    pub packet_size: u32,
    /// LHA-Probe: a node that gets no answers is slower to accuse. Default on.
    pub local_health: Switch,
    /// How bad it may think of itself: S of Lifeguard. Default 8.
    pub health_max: u32,
    /// LHA-Suspicion: a suspicion stands for the longest time, and shorter with each other member that shares it. Default on.
    pub confirmations: Switch,
    /// The buddy system: who pings a suspect tells it so. Default on.
    pub buddy: Switch,
    /// What the run is held to; changes nothing that nodes do.
    pub accuracy: Accuracy,
    /// The bug to have; default none.
    pub mutant: Option<Mutant>,
}

/// Why a [`Config`] is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody could be probed.
    #[error("SWIM needs at least two nodes, and there are {0}")]
    NoPeers(usize),
    /// Nobody is there to be told apart from the dead.
    #[error("`{0}` must be longer than 0, else a node acts endlessly in one instant")]
    NoTime(&'static str),
    /// Others could not be asked within the period.
    #[error("`probe_timeout` is {timeout}, and must be shorter than `probe_interval`, {interval}")]
    TimeoutTooLong {
        /// What was asked for.
        timeout: Span,
        /// What it must be shorter than.
        interval: Span,
    },
    /// Nothing would be passed on, or a member be dead as soon as it is suspected.
    #[error("`{0}` must be 1 or more")]
    NoCount(&'static str),
    /// A suspicion would be over before the probe that it came from.
    #[error(
        "a suspicion of {suspicion} is shorter than a probe, {interval}: `suspicion_mult` must be 1 or more"
    )]
    SuspicionTooShort {
        /// How long it would stand.
        suspicion: Span,
        /// How long a probe takes.
        interval: Span,
    },
    /// Who still suspects a member would tell those of it who have forgotten that it is dead.
    #[error("a `retention` of {retention} is over before a suspicion is, which stands for up to {suspicion}")]
    RetentionTooShort {
        /// What was asked for.
        retention: Span,
        /// How long a suspicion stands at most.
        suspicion: Span,
    },
    /// Not one update fits.
    #[error("`packet_size` is {0}, and a message with one update has {min}", min = HEADER + Update::SIZE)]
    PacketTooSmall(u32),
}

impl Config {
    /// These members, with memberlist's parameters for a local network.
    pub fn new(members: impl IntoIterator<Item = NodeId>) -> Self {
        let members: Arc<[NodeId]> = members.into_iter().collect();
        let group = Arc::new(Table::of_group(&members));
        Self {
            members,
            group,
            formation: Formation::Known,
            probe_interval: Span::secs(1),
            probe_timeout: Span::millis(500),
            indirect_checks: 3,
            fallback_ping: Switch::On,
            probe_order: ProbeOrder::RoundRobin,
            rhythm: Rhythm::Scattered,
            gossip_interval: Span::millis(200),
            gossip_nodes: 3,
            gossip_to_the_dead: Span::secs(30),
            push_pull_interval: Some(Span::secs(30)),
            reconnect_interval: Some(Span::secs(30)),
            retention: Span::secs(24 * 3_600),
            retransmit_mult: 4,
            suspicion_mult: 4,
            suspicion_max_mult: 6,
            packet_size: 1_400,
            local_health: Switch::On,
            health_max: 8,
            confirmations: Switch::On,
            buddy: Switch::On,
            accuracy: Accuracy::Eventual,
            mutant: None,
        }
    }

    /// Checks what the types allow and makes no sense.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if self.members.len() < 2 {
            return Err(ConfigError::NoPeers(self.members.len()));
        }
        self.validate_times()?;
        let counts = [
            ("gossip_nodes", self.gossip_nodes),
            ("retransmit_mult", self.retransmit_mult),
            ("suspicion_max_mult", self.suspicion_max_mult),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(ConfigError::NoCount(name));
        }
        if self.suspicion_mult == 0 {
            let (suspicion, interval) = (Span::ZERO, self.probe_interval);
            return Err(ConfigError::SuspicionTooShort { suspicion, interval });
        }
        let members = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        let (retention, suspicion) = (self.retention, self.suspicion_max(members));
        if retention < suspicion {
            return Err(ConfigError::RetentionTooShort { retention, suspicion });
        }
        if self.updates_max() == 0 {
            return Err(ConfigError::PacketTooSmall(self.packet_size));
        }
        Ok(())
    }

    fn validate_times(&self) -> Result<(), ConfigError> {
        let times = [
            ("probe_interval", Some(self.probe_interval)),
            ("probe_timeout", Some(self.probe_timeout)),
            ("gossip_interval", Some(self.gossip_interval)),
            ("push_pull_interval", self.push_pull_interval),
            ("reconnect_interval", self.reconnect_interval),
        ];
        if let Some((name, _)) = times.iter().find(|(_, time)| *time == Some(Span::ZERO)) {
            return Err(ConfigError::NoTime(name));
        }
        if self.probe_timeout >= self.probe_interval {
            let (timeout, interval) = (self.probe_timeout, self.probe_interval);
            return Err(ConfigError::TimeoutTooLong { timeout, interval });
        }
        Ok(())
    }

    /// How many updates a message takes.
    pub(super) fn updates_max(&self) -> usize {
        let room = u64::from(self.packet_size).saturating_sub(HEADER) / Update::SIZE;
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    /// How often an update is passed on in a group of so many.
    pub fn retransmit_limit(&self, members: u32) -> u32 {
        scale::retransmit_limit(self.retransmit_mult, members)
    }

    /// How long a suspicion stands at least in a group of so many.
    pub fn suspicion_min(&self, members: u32) -> Span {
        scale::suspicion_min(self.suspicion_mult, members, self.probe_interval)
    }

    /// How long a suspicion stands at most in a group of so many.
    pub fn suspicion_max(&self, members: u32) -> Span {
        self.suspicion_min(members).times(self.suspicion_max_mult.into())
    }

    /// Whether nodes have this bug.
    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }
}

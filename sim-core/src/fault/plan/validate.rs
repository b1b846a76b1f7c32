//! Whether a plan fits the run it is meant for.

use super::{Entry, Plan};
use crate::clock::{ClockError, NodeClock};
use crate::fault::condition::{StatusEvent, Trigger};
use crate::fault::{Command, Place, PointName, Target, TimerName};
use crate::{ClientId, Endpoint, NodeId, SimTime};

/// Why a plan does not fit. Entries are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A command names a node that does not exist.
    #[error("plan entry {entry} names {node}, but there are {node_count} nodes")]
    NoSuchNode {
        /// Which entry.
        entry: usize,
        /// Who is missing.
        node: NodeId,
        /// How many there are.
        node_count: u32,
    },
    /// A command names a client that does not exist.
    #[error("plan entry {entry} names {client}, but there are {client_count} clients")]
    NoSuchClient {
        /// Which entry.
        entry: usize,
        /// Who is missing.
        client: ClientId,
        /// How many there are.
        client_count: u32,
    },
    /// A script is for a client that does not exist.
    #[error("the plan has a script for {client}, but there are {client_count} clients")]
    NoSuchScript {
        /// Who is missing.
        client: ClientId,
        /// How many there are.
        client_count: u32,
    },
    /// A condition or a fault point that counts from 0.
    #[error("plan entry {entry} waits for occurrence 0; occurrences count from 1")]
    OccurrenceZero {
        /// Which entry.
        entry: usize,
    },
    /// A node would become faster than it is.
    #[error(
        "plan entry {entry} slows a node down to {percent} percent; allowed are 100 (usual speed) and more"
    )]
    SlowDown {
        /// Which entry.
        entry: usize,
        /// The value seen.
        percent: u32,
    },
    /// A number that clocks do not take.
    #[error("plan entry {entry}: {source}")]
    Clock {
        /// Which entry.
        entry: usize,
        /// What is wrong with it.
        source: ClockError,
    },
}

impl Plan {
    /// Checks the plan against the run it is for.
    ///
    /// # Errors
    ///
    /// The first thing that does not fit, entries before scripts.
    pub fn validate(&self, node_count: u32, client_count: u32) -> Result<(), PlanError> {
        for (index, entry) in self.entries().iter().enumerate() {
            Checker { entry: index + 1, node_count, client_count }.check(entry)?;
        }
        let stranger =
            self.clients().iter().map(|script| script.client).find(|who| who.raw() >= client_count);
        stranger.map_or(Ok(()), |client| Err(PlanError::NoSuchScript { client, client_count }))
    }
}

impl Plan {
    /// The fault points that the plan names, with repetitions: the protocol must have them.
    pub fn fault_points(&self) -> impl Iterator<Item = PointName> {
        self.entries().iter().flat_map(|entry| {
            let awaited = match entry.trigger {
                Trigger::After { event: StatusEvent::Reaches(point), .. } => Some(point),
                Trigger::After { .. } | Trigger::Before { .. } | Trigger::At(_) => None,
            };
            awaited.into_iter().chain(entry.command.fault_point())
        })
    }
}

impl Plan {
    /// The timers that the plan names, with repetitions: the protocol must have them.
    pub fn timers(&self) -> impl Iterator<Item = TimerName> {
        self.entries().iter().flat_map(|entry| {
            let awaited = if let Trigger::Before { timer, .. } = entry.trigger { Some(timer) } else { None };
            let fired = if let Command::FireTimer { timer, .. } = entry.command { Some(timer) } else { None };
            awaited.into_iter().chain(fired)
        })
    }
}

impl<N> Command<N> {
    /// The fault point that it names.
    pub const fn fault_point(&self) -> Option<PointName> {
        if let Self::CrashAtPoint { point, .. } = self { Some(*point) } else { None }
    }
}

struct Checker {
    entry: usize,
    node_count: u32,
    client_count: u32,
}

impl Checker {
    fn check(&self, entry: &Entry) -> Result<(), PlanError> {
        if matches!(entry.trigger, Trigger::After { occurrence: 0, .. }) {
            return Err(PlanError::OccurrenceZero { entry: self.entry });
        }
        if let Trigger::Before { node, .. } = entry.trigger {
            self.node(node)?;
        }
        self.command(&entry.command)?;
        let was = entry.was.iter().flat_map(|was| &was.commands);
        was.map(Command::<Target>::from).try_for_each(|command| self.command(&command))
    }

    fn command(&self, command: &Command<Target>) -> Result<(), PlanError> {
        let entry = self.entry;
        command.names().iter().filter_map(Target::node).try_for_each(|node| self.node(node))?;
        command.clients().into_iter().try_for_each(|client| self.client(client))?;
        if let &Command::SlowDown { percent, .. } = command
            && percent < 100
        {
            return Err(PlanError::SlowDown { entry, percent });
        }
        if let Command::Clock { fault, .. } = command {
            let tried = NodeClock::default().apply(SimTime::ZERO, fault);
            tried.map_err(|source| PlanError::Clock { entry, source })?;
        }
        if matches!(command, Command::CrashAtPoint { nth: 0, .. }) {
            return Err(PlanError::OccurrenceZero { entry });
        }
        if let Command::Message { id, .. } = command {
            self.endpoint(id.from).and_then(|()| self.endpoint(id.to))?;
        }
        Ok(())
    }

    fn endpoint(&self, endpoint: Endpoint) -> Result<(), PlanError> {
        match (endpoint.node(), endpoint.client()) {
            (Some(node), _) => self.node(node),
            (None, Some(client)) => self.client(client),
            (None, None) => unreachable!("an endpoint is a node or a client"),
        }
    }

    fn node(&self, node: NodeId) -> Result<(), PlanError> {
        let (entry, node_count) = (self.entry, self.node_count);
        if node.raw() < node_count { Ok(()) } else { Err(PlanError::NoSuchNode { entry, node, node_count }) }
    }

    fn client(&self, client: ClientId) -> Result<(), PlanError> {
        let (entry, client_count) = (self.entry, self.client_count);
        if client.raw() < client_count {
            Ok(())
        } else {
            Err(PlanError::NoSuchClient { entry, client, client_count })
        }
    }
}

impl<N: Clone> Command<N> {
    /// Everybody the command names as a node, in the order written, with repetitions.
    pub fn names(&self) -> Vec<N> {
        let mut names = Vec::new();
        self.expand(&mut |name| {
            names.push(name.clone());
            vec![()]
        });
        names
    }

    /// The clients that take part or ask, in the order written, with repetitions. The ends of a
    /// [`Command::Message`] are not among them.
    pub fn clients(&self) -> Vec<ClientId> {
        if let Self::Issue { client, .. } = self {
            return vec![*client];
        }
        let client = |place: &Place<N>| match place {
            Place::Client(client) => Some(*client),
            Place::Node(_) => None,
        };
        self.places().into_iter().filter_map(client).collect()
    }
}

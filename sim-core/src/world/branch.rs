//! Copies of a world, and other futures of it.

use super::World;
use super::core::Core;
use crate::check::Invariant;
use crate::process::Process;
use crate::queue::Ties;
use crate::random::{KeySource, Purpose};

impl<P: Process> World<P> {
    /// A copy of everything: processes, disks, queue, streams, plan, clients, ghost state of checkers. Both go on
    /// alike from here. `None` where a process cannot be copied.
    ///
    /// Logs, disks and histories are shared until either side writes, so a copy costs its difference.
    pub fn fork(&self) -> Option<Self> {
        let processes = self.processes.iter().map(|process| match process {
            Some(process) => process.fork().map(Some),
            None => Some(None),
        });
        Some(Self {
            processes: processes.collect::<Option<Vec<_>>>()?,
            core: self.core.clone(),
            config: self.config.clone(),
            invariants: self.invariants.clone(),
            ghosts: self.ghosts.clone(),
            violations: self.violations.clone(),
            breakdown: self.breakdown.clone(),
            agenda: self.agenda.clone(),
            domains: self.domains.clone(),
            told: self.told,
            read_ahead_of: self.read_ahead_of,
        })
    }

    /// Whether every process can be copied.
    pub fn can_fork(&self) -> bool {
        self.processes.iter().flatten().all(|process| process.fork().is_some())
    }

    /// Gives every stream of the running world new keys. The plan, what clients ask, and what is already on its
    /// way stay as they are: whatever has been drawn stands. So what is scheduled keeps its time and, where ties are
    /// shuffled, its place among what is due at the same time; what is scheduled from here on takes its place by the
    /// new key, before, between or after them.
    pub fn reseed(&mut self, seed: u64) {
        let core = &mut self.core;
        let keys = KeySource::new(seed);
        core.network.rekey(&keys);
        for (who, host) in (0_u64..).zip(&mut core.hosts) {
            host.stream = keys.stream(Purpose::Process, who, host.incarnation);
            host.disk_stream = keys.stream(Purpose::Disk, who, 0);
            host.service_stream = keys.stream(Purpose::Service, who, 0);
        }
        for (who, client) in (0_u64..).zip(&mut core.clients) {
            client.stream = keys.stream(Purpose::Client, who, 0);
        }
        if let Ties::Shuffled(_) = core.ties {
            core.former_ties.push((core.sequence, core.ties));
            core.ties = Ties::Shuffled(keys.key(Purpose::Ties, 0, 0));
        }
        core.keys = keys;
    }

    /// The invariants that still hold, with their ghost state.
    pub fn invariants(&self) -> impl Iterator<Item = &dyn Invariant<P>> {
        self.invariants.iter()
    }
}

impl<P: Process> Clone for Core<P> {
    fn clone(&self) -> Self {
        assert!(self.facts.is_empty(), "worlds are copied between events");
        Self {
            now: self.now,
            sequence: self.sequence,
            events: self.events,
            events_now: self.events_now,
            record: self.record,
            records: self.records,
            place: self.place,
            is_process_to_blame: self.is_process_to_blame,
            queue: self.queue.clone(),
            slab: self.slab.clone(),
            cancelled: self.cancelled,
            ties: self.ties,
            former_ties: self.former_ties.clone(),
            network: self.network.clone(),
            keys: self.keys.clone(),
            digest: self.digest,
            hosts: self.hosts.clone(),
            timers: self.timers.clone(),
            facts: Vec::new(),
            effects_left: self.effects_left,
            is_cut: self.is_cut,
            timing: self.timing.clone(),
            clients: self.clients.clone(),
            metrics: self.metrics.clone(),
            leadership: self.leadership.clone(),
            history: self.history.clone(),
            milestones: self.milestones.clone(),
            teller: self.teller.clone(),
            trace: self.trace.clone(),
            coverage: self.coverage.clone(),
            points: self.points.clone(),
            points_first: self.points_first.clone(),
            fault_points: self.fault_points.clone(),
            must_look: self.must_look,
            held: self.held.clone(),
        }
    }
}

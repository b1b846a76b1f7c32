//! Liveness: after the faults have ended, a run must converge and serve again within a bound.
//!
//! The conditions are asked in order; a run that does not converge is reported by the first that is not met.

use super::About;
use crate::simulation::Simulation;
use crate::status::{NodeStatus, Power, Standing, Status};

/// Something that must come to hold after the faults have ended.
pub trait LivenessCondition: Send + Sync {
    /// What it says.
    fn about(&self) -> &'static About;

    /// Whether it holds now; `since` is how things stood when the faults ended.
    ///
    /// # Errors
    /// What is missing, in words.
    fn check(&self, simulation: &dyn Simulation, since: &Baseline) -> Result<(), String>;
}

/// How things stood when the faults ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Operations invoked by then.
    pub invoked: u64,
    /// Operations completed by then.
    pub completed: u64,
}

impl Baseline {
    /// How things stand now.
    pub fn of(simulation: &dyn Simulation) -> Self {
        let count = |counter| simulation.metrics().counter(counter);
        Self {
            invoked: count(crate::metrics::Counter::OperationsInvoked),
            completed: count(crate::metrics::Counter::OperationsCompleted),
        }
    }
}

/// All conditions, in the order in which they are asked.
pub const CONDITIONS: &[&dyn LivenessCondition] =
    &[&AllNodesRun, &HasOneLeader, &LeaderIsKnown, &ClientsAreServed];

/// Every node that was ever started runs.
#[derive(Clone, Copy, Debug)]
pub struct AllNodesRun;

/// Where processes lead at all, exactly one leads in the highest epoch.
#[derive(Clone, Copy, Debug)]
pub struct HasOneLeader;

/// Most running processes follow that leader.
#[derive(Clone, Copy, Debug)]
pub struct LeaderIsKnown;

/// Clients get answers again.
#[derive(Clone, Copy, Debug)]
pub struct ClientsAreServed;

fn statuses(simulation: &dyn Simulation) -> Vec<NodeStatus> {
    let mut statuses = Vec::new();
    simulation.statuses(&mut statuses);
    statuses
}

/// The running processes and their highest epoch; `None` where all are peers and nobody leads by design.
fn led(simulation: &dyn Simulation) -> Option<(Vec<Status>, u64)> {
    let processes: Vec<Status> = statuses(simulation).iter().filter_map(|status| status.process).collect();
    let highest = processes.iter().map(|process| process.epoch).max()?;
    let has_ranks = processes.iter().any(|process| process.standing != Standing::Peer);
    has_ranks.then_some((processes, highest))
}

impl LivenessCondition for AllNodesRun {
    fn about(&self) -> &'static About {
        &About {
            name: "all-nodes-run",
            statement: "every node that was ever started runs again",
            source: "the run itself: nothing else can be expected of nodes that are down",
            leaves_out: "spares that were never started",
        }
    }

    fn check(&self, simulation: &dyn Simulation, _since: &Baseline) -> Result<(), String> {
        let statuses = statuses(simulation);
        let stopped =
            (1..).zip(&statuses).find(|(_, status)| status.incarnation > 0 && status.power != Power::Running);
        stopped
            .map_or(Ok(()), |(number, status)| Err(format!("n{number} is {:?}", status.power).to_lowercase()))
    }
}

impl LivenessCondition for HasOneLeader {
    fn about(&self) -> &'static About {
        &About {
            name: "has-one-leader",
            statement: "one process leads in the highest epoch",
            source: "Raft (Ongaro & Ousterhout, USENIX ATC 2014) §5.2: a leader is eventually elected",
            leaves_out: "protocols in which all are peers",
        }
    }

    fn check(&self, simulation: &dyn Simulation, _since: &Baseline) -> Result<(), String> {
        let Some((processes, highest)) = led(simulation) else { return Ok(()) };
        let leads = |process: &&Status| process.standing == Standing::Leader && process.epoch == highest;
        match processes.iter().filter(leads).count() {
            1 => Ok(()),
            0 => Err(format!("nobody leads in epoch {highest}, the highest")),
            count => Err(format!("{count} processes lead in epoch {highest}")),
        }
    }
}

impl LivenessCondition for LeaderIsKnown {
    fn about(&self) -> &'static About {
        &About {
            name: "leader-is-known",
            statement: "a majority of the running processes is in the leader's epoch",
            source: "Raft (Ongaro & Ousterhout, USENIX ATC 2014) §5.2: heartbeats establish authority",
            leaves_out: "protocols in which all are peers",
        }
    }

    fn check(&self, simulation: &dyn Simulation, _since: &Baseline) -> Result<(), String> {
        let Some((processes, highest)) = led(simulation) else { return Ok(()) };
        let following = processes.iter().filter(|process| process.epoch == highest).count();
        let all = processes.len();
        if following * 2 > all {
            Ok(())
        } else {
            Err(format!("{following} of {all} processes are in epoch {highest}"))
        }
    }
}

impl LivenessCondition for ClientsAreServed {
    fn about(&self) -> &'static About {
        &About {
            name: "clients-are-served",
            statement: "operations invoked after the faults have ended complete with an answer",
            source: "liveness under a fair core: what clients see of it",
            leaves_out: "runs whose clients have nothing more to ask",
        }
    }

    fn check(&self, simulation: &dyn Simulation, since: &Baseline) -> Result<(), String> {
        let now = Baseline::of(simulation);
        if now.completed > since.completed || now.invoked == since.invoked {
            return Ok(());
        }
        Err(format!("{} operations were invoked and none completed", now.invoked - since.invoked))
    }
}

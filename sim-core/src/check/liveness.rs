//! Liveness: after the faults have ended, a run must converge and serve again within a bound.
//!
//! The conditions are asked in order; a run that does not converge is reported by the first that is not met.

use super::About;
use crate::NodeId;
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

/// Work that is taken in and done in order, such as the messages of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    /// Of what, in words; what it is known by: `the queue`, `partition p0`.
    pub line: String,
    /// How much of it has been taken in.
    pub taken: u64,
    /// How much of it is done, without a gap.
    pub done: u64,
}

/// How things stood when the faults ended, and what may be expected since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Operations invoked by then.
    pub invoked: u64,
    /// Operations completed by then.
    pub completed: u64,
    /// How far any process knew things to be decided by then.
    pub commit: u64,
    /// The nodes that are well since then; `None`: every node that was ever started.
    pub well: Option<Vec<NodeId>>,
    /// Nodes that may have been made members, or none any more: nothing is expected of them but to run.
    pub in_doubt: Vec<NodeId>,
    /// Who must lead still, and in which epoch; `None` where nobody need.
    pub leader: Option<(NodeId, u64)>,
    /// The work there was when everything else had come to hold; `None` before that.
    pub work: Option<Vec<Work>>,
}

impl Baseline {
    /// How things stand now.
    pub fn of(simulation: &dyn Simulation) -> Self {
        let count = |counter| simulation.metrics().counter(counter);
        let processes = statuses(simulation).into_iter().filter_map(|status| status.process);
        Self {
            invoked: count(crate::metrics::Counter::OperationsInvoked),
            completed: count(crate::metrics::Counter::OperationsCompleted),
            commit: processes.map(|process| process.commit).max().unwrap_or_default(),
            ..Self::default()
        }
    }

    /// The nodes that are well, with how they stand now.
    fn well(&self, simulation: &dyn Simulation) -> Vec<(NodeId, NodeStatus)> {
        let all = (0..).map(NodeId::new).zip(statuses(simulation));
        let is_well = |node: NodeId, status: &NodeStatus| match &self.well {
            Some(well) => well.contains(&node),
            None => status.incarnation > 0,
        };
        all.filter(|(node, status)| is_well(*node, status)).collect()
    }

    /// The processes that are well and members for sure.
    fn members(&self, simulation: &dyn Simulation) -> Vec<(NodeId, Status)> {
        let well = self.well(simulation).into_iter();
        let running = well.filter_map(|(node, status)| Some((node, status.process?)));
        running.filter(|(node, _)| !self.in_doubt.contains(node)).collect()
    }

    /// The work that there is now, as those tell that are well and members for sure.
    pub fn work(&self, simulation: &dyn Simulation) -> Vec<Work> {
        simulation.work(&self.member_ids(simulation))
    }

    fn member_ids(&self, simulation: &dyn Simulation) -> Vec<NodeId> {
        self.members(simulation).into_iter().map(|(node, _)| node).collect()
    }

    /// Who leads among those that are well, and in which epoch: the one in the highest.
    pub fn leading(&self, simulation: &dyn Simulation) -> Option<(NodeId, u64)> {
        let well = self.well(simulation).into_iter();
        let processes = well.filter_map(|(node, status)| Some((node, status.process?)));
        let leaders = processes.filter(|(_, process)| process.standing == Standing::Leader);
        leaders.map(|(node, process)| (node, process.epoch)).max_by_key(|(_, epoch)| *epoch)
    }
}

/// All conditions, in the order in which they are asked.
pub const CONDITIONS: &[&dyn LivenessCondition] = &[
    &AllNodesRun,
    &HasOneLeader,
    &LeaderIsKnown,
    &ClientsAreServed,
    &NodesCatchUp,
    &AllAgree,
    &WorkIsDone,
    &LeaderIsKept,
];

/// Every node that is to be well runs.
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

/// Every member knows what was decided before the faults ended.
#[derive(Clone, Copy, Debug)]
pub struct NodesCatchUp;

/// Those that are well agree on what the protocol has all come to agree on.
#[derive(Clone, Copy, Debug)]
pub struct AllAgree;

/// What had been taken in when everything else had come to hold is done.
#[derive(Clone, Copy, Debug)]
pub struct WorkIsDone;

/// Once the run has converged, nobody takes the lead from whoever has it.
#[derive(Clone, Copy, Debug)]
pub struct LeaderIsKept;

fn statuses(simulation: &dyn Simulation) -> Vec<NodeStatus> {
    let mut statuses = Vec::new();
    simulation.statuses(&mut statuses);
    statuses
}

/// Whether anybody can lead here: not where all are peers.
fn is_led(simulation: &dyn Simulation) -> bool {
    let processes = statuses(simulation).into_iter().filter_map(|status| status.process);
    processes.map(|process| process.standing).any(|standing| standing != Standing::Peer)
}

/// The members that lead or follow: where some do, peers beside them have other work.
fn led(simulation: &dyn Simulation, since: &Baseline) -> Vec<(NodeId, Status)> {
    let mut members = since.members(simulation);
    members.retain(|(_, process)| process.standing != Standing::Peer);
    members
}

/// The highest epoch that a member or the leader knows.
fn highest_epoch(simulation: &dyn Simulation, since: &Baseline) -> u64 {
    let members = since.members(simulation).into_iter().map(|(_, process)| process.epoch);
    members.chain(since.leading(simulation).map(|(_, epoch)| epoch)).max().unwrap_or_default()
}

impl LivenessCondition for AllNodesRun {
    fn about(&self) -> &'static About {
        &About {
            name: "all-nodes-run",
            statement: "every node that was healed runs again",
            source: "the run itself: nothing else can be expected of nodes that are down",
            leaves_out: "spares that were never started, and nodes outside a core that was healed",
        }
    }

    fn check(&self, simulation: &dyn Simulation, since: &Baseline) -> Result<(), String> {
        let stopped = since.well(simulation).into_iter().find(|(_, status)| status.power != Power::Running);
        stopped.map_or(Ok(()), |(node, status)| Err(format!("{node} is {:?}", status.power).to_lowercase()))
    }
}

impl LivenessCondition for HasOneLeader {
    fn about(&self) -> &'static About {
        &About {
            name: "has-one-leader",
            statement: "one process leads in the highest epoch",
            source: "Raft (Ongaro & Ousterhout, USENIX ATC 2014) §5.2: a leader is eventually elected",
            leaves_out: "protocols in which all are peers; epochs of nodes that may be no members",
        }
    }

    fn check(&self, simulation: &dyn Simulation, since: &Baseline) -> Result<(), String> {
        if !is_led(simulation) {
            return Ok(());
        }
        let highest = highest_epoch(simulation, since);
        let well = since.well(simulation).into_iter().filter_map(|(_, status)| status.process);
        let leads = |process: &Status| process.standing == Standing::Leader && process.epoch == highest;
        match well.filter(leads).count() {
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
            statement: "a majority of the members that are well is in the leader's epoch",
            source: "Raft (Ongaro & Ousterhout, USENIX ATC 2014) §5.2: heartbeats establish authority",
            leaves_out: "peers; nodes that may be no members",
        }
    }

    fn check(&self, simulation: &dyn Simulation, since: &Baseline) -> Result<(), String> {
        let members = led(simulation, since);
        if !is_led(simulation) || members.is_empty() {
            return Ok(());
        }
        let highest = highest_epoch(simulation, since);
        let (all, following) =
            (members.len(), members.iter().filter(|(_, process)| process.epoch == highest));
        match following.count() {
            following if following * 2 > all => Ok(()),
            following => Err(format!("{following} of {all} processes are in epoch {highest}")),
        }
    }
}

impl LivenessCondition for NodesCatchUp {
    fn about(&self) -> &'static About {
        &About {
            name: "nodes-catch-up",
            statement: "every member that is well knows what was decided before the faults ended",
            source: "after the harness tests of etcd's raft: any connected follower reaches the commit index",
            leaves_out: "peers; nodes that may be no members",
        }
    }

    fn check(&self, simulation: &dyn Simulation, since: &Baseline) -> Result<(), String> {
        if !is_led(simulation) {
            return Ok(());
        }
        let behind = led(simulation, since).into_iter().min_by_key(|(_, process)| process.commit);
        match behind.filter(|(_, process)| process.commit < since.commit) {
            None => Ok(()),
            Some((node, process)) => {
                Err(format!("{node} knows {} to be decided, and {} was", process.commit, since.commit))
            }
        }
    }
}

impl LivenessCondition for AllAgree {
    fn about(&self) -> &'static About {
        &About {
            name: "all-agree",
            statement: "those that are well agree on what the protocol has all come to agree on: what replicas hold, who \
                        is up",
            source: "Demers et al. (PODC 1987) §1: all replicas become consistent; Shapiro et al. (SSS 2011): eventual \
                     consistency",
            leaves_out: "protocols that name nothing of the kind, as where a leader sees to it; nodes that may be no members",
        }
    }

    fn check(&self, simulation: &dyn Simulation, since: &Baseline) -> Result<(), String> {
        simulation.disagreement(&since.member_ids(simulation)).map_or(Ok(()), Err)
    }
}

impl LivenessCondition for WorkIsDone {
    fn about(&self) -> &'static About {
        &About {
            name: "work-is-done",
            statement: "what has been taken in by the time when everything else holds is done in the time that is left: \
                        messages are handled, consumers catch up",
            source: "Bronson et al., Metastable Failures in Distributed Systems (HotOS 2021) §1: what a fault has caused \
                     must not go on without it",
            leaves_out: "protocols that take in no work; what comes in later, as long as clients ask",
        }
    }

    fn check(&self, simulation: &dyn Simulation, since: &Baseline) -> Result<(), String> {
        let Some(before) = since.work.as_ref().filter(|before| !before.is_empty()) else { return Ok(()) };
        let now = since.work(simulation);
        let missing = before.iter().find_map(|Work { line, taken, .. }| {
            match now.iter().find(|work| work.line == *line).map(|work| work.done) {
                None => Some(format!("nobody knows how far {line} is")),
                Some(done) if done < *taken => {
                    Some(format!("{line} is done up to {done}, and was taken in up to {taken}"))
                }
                Some(_) => None,
            }
        });
        missing.map_or(Ok(()), Err)
    }
}

impl LivenessCondition for LeaderIsKept {
    fn about(&self) -> &'static About {
        &About {
            name: "leader-is-kept",
            statement: "without faults, whoever leads goes on leading, also when other nodes come back",
            source: "Ongaro's dissertation §4.2.3 and §9.6: disruptive servers, pre-vote",
            leaves_out: "runs that do not ask for it with `phases.steady`",
        }
    }

    fn check(&self, simulation: &dyn Simulation, since: &Baseline) -> Result<(), String> {
        let Some((node, epoch)) = since.leader else { return Ok(()) };
        match since.leading(simulation) {
            Some(leading) if leading == (node, epoch) => Ok(()),
            Some((other, now)) => Err(format!("{node} led in epoch {epoch}, and {other} leads in {now}")),
            // One that is not well may lead: that it must not is why it is asked.
            None => Err(format!("{node} led in epoch {epoch}, and none that was well all the time leads")),
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
        Err(format!(
            "no operation that was invoked after the faults had ended has completed, of {}",
            now.invoked - since.invoked
        ))
    }
}

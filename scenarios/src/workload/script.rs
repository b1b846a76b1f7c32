//! Operations that a plan lists one by one.

use sim_core::ClientId;
use sim_core::fault::{Script, Wait};
use sim_core::world::{Start, Workload, WorkloadStep};

/// The operations of one client, as a plan lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scripted(Script);

impl Scripted {
    /// The operations of `script`.
    pub const fn new(script: Script) -> Self {
        Self(script)
    }
}

impl Workload for Scripted {
    fn step(&self, client: ClientId, ordinal: u32) -> Option<WorkloadStep> {
        assert_eq!(client, self.0.client, "a script is for one client");
        let step = self.0.steps.get(ordinal as usize)?;
        let start = match step.when {
            Wait::After(span) => Start::After(span),
            Wait::At(time) => Start::At(time),
        };
        Some(WorkloadStep { start, operation: step.operation.clone() })
    }
}

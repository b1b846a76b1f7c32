//! What a person can want from the window.

use sim_core::NodeId;
use sim_core::fault::Command;

use crate::session::Speed;

/// One wish, however it was said. Panels only collect these; they are fulfilled when all has been drawn, so that a
/// frame shows one moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Intent {
    /// Let time pass.
    Play,
    /// Hold time.
    Pause,
    /// Go on by one event.
    Step,
    /// Let time pass at another pace.
    SetSpeed(Speed),
    /// Begin again at time zero, without what was done by hand.
    Restart {
        /// The seed of the new run.
        seed: u64,
    },
    /// Look into a node.
    Select(NodeId),
    /// Do something to the world.
    Apply(Command),
}

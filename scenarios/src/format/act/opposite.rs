//! What takes an act back.

use sim_core::fault::{Place, Target};

use super::Act;
use crate::format::{Somebody, Who};

impl Act {
    /// The act that takes this one back. A role may fall to another node until then, so the opposite of an act on a
    /// role is on all nodes it could have been; `None` where there is no such act.
    pub fn opposite(&self) -> Option<Self> {
        Some(match self {
            Self::Crash(node)
            | Self::CrashLosing { node, .. }
            | Self::CrashAfterEffect { node, .. }
            | Self::CrashAtPoint { node, .. } => Self::Restart(down(node)),
            Self::Pause(node) => Self::Resume(all(node)),
            Self::SlowDown { node, .. } => Self::SlowDown { node: all(node), percent: 100 },
            Self::ClockDrift { node, .. }
            | Self::ClockSlew { node, .. }
            | Self::ClockStrobe { node, .. }
            | Self::ClockOffset { node, .. } => Self::ClockHeal(all(node)),
            Self::ClockFreeze(node) => Self::ClockThaw(all(node)),
            Self::DiskCapacity { node, .. } => Self::DiskCapacity { node: all(node), size: None },
            Self::DiskSlow { node, .. } => Self::DiskSlow { node: all(node), times: 1 },
            Self::DiskStall(node) => Self::DiskUnstall(all(node)),
            Self::DiskLie(node) | Self::DiskLieFor { node, .. } => Self::DiskHonest(all(node)),
            Self::Partition { name, .. } => Self::Heal(name.clone()),
            Self::Cut { from, to, direction } => {
                let (from, to) = (everybody(from), everybody(to));
                Self::Mend { from, to, direction: *direction }
            }
            Self::Lose { from, to, .. } => {
                Self::Lose { from: everybody(from), to: everybody(to), probability: None }
            }
            Self::LoseEverywhere { .. } => Self::LoseEverywhere { probability: None },
            Self::Delay { from, to, .. } => {
                Self::Delay { from: everybody(from), to: everybody(to), percent: 100 }
            }
            Self::DelayEverywhere { .. } => Self::DelayEverywhere { percent: 100 },
            Self::Duplicate { from, to, .. } => {
                Self::Duplicate { from: everybody(from), to: everybody(to), probability: None }
            }
            Self::DuplicateEverywhere { .. } => Self::DuplicateEverywhere { probability: None },
            Self::Reorder { from, to, extra, .. } => {
                Self::Reorder { from: everybody(from), to: everybody(to), probability: None, extra: *extra }
            }
            Self::ReorderEverywhere { extra, .. } => {
                Self::ReorderEverywhere { probability: None, extra: *extra }
            }
            Self::Hold { from, to } => Self::Release { from: everybody(from), to: everybody(to) },
            Self::Ask(request) => Self::Ask(request.opposite()?),
            Self::FireTimer { .. }
            | Self::Restart(_)
            | Self::Resume(_)
            | Self::Wipe(_)
            | Self::ClockStep { .. }
            | Self::ClockThaw(_)
            | Self::ClockHeal(_)
            | Self::DiskUnstall(_)
            | Self::DiskHonest(_)
            | Self::DiskRollBack { .. }
            | Self::DiskCorrupt { .. }
            | Self::DiskMisdirect { .. }
            | Self::Mend { .. }
            | Self::Heal(_)
            | Self::HealAll
            | Self::Release { .. }
            | Self::DropMessage(_)
            | Self::DelayMessage { .. }
            | Self::DuplicateMessage(_)
            | Self::DeliverMessage(_)
            | Self::Issue { .. }
            | Self::Recover => return None,
        })
    }
}

/// The nodes that an act on `node` may have hit.
fn all(node: &Who) -> Who {
    Who(if node.0.is_fixed() { node.0.clone() } else { Target::All })
}

/// The nodes that a crash of `node` may have taken down: for a role of one, one that is down.
fn down(node: &Who) -> Who {
    Who(match &node.0 {
        Target::Node(_) | Target::Zone(_) | Target::Rack(_) => node.0.clone(),
        Target::Leader | Target::Candidate | Target::Follower(_) | Target::Any | Target::AnyDown => {
            Target::AnyDown
        }
        Target::AllDown
        | Target::Majority
        | Target::Minority
        | Target::MajorityWithoutLeader
        | Target::MinorityWithLeader
        | Target::All => Target::AllDown,
    })
}

/// The places, with roles widened to all nodes.
fn everybody(somebody: &[Somebody]) -> Vec<Somebody> {
    let widen = |one: &Somebody| match &one.0 {
        Place::Node(target) if !target.is_fixed() => Somebody(Place::Node(Target::All)),
        Place::Node(_) | Place::Client(_) => one.clone(),
    };
    somebody.iter().map(widen).collect()
}

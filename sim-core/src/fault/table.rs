//! The table of all kinds of fault.

use super::kind::FaultKind;
use super::{
    candidate_crash, clock_drift, clock_freeze, clock_slew, clock_step, clock_strobe, crash,
    crash_after_effect, crash_loop, cut, disk_corrupt, disk_full, disk_lie, disk_misdirect, disk_rollback,
    disk_rot, disk_slow, disk_stall, disk_torn, domain_failure, duplicate, flapping_link, hold, last_words,
    late_duplicates, late_messages, latency, leader_clock, leader_isolation, leader_latency, leader_pauses,
    leadership_transfer, loss_burst, membership_change, partition, pause, point_crashes, power_failure,
    reorder, short_lived_leaders, slow, snapshot, timeouts, vote_crashes, wipe,
};

/// All kinds of fault, related ones together.
pub const KINDS: &[&dyn FaultKind] = &[
    &crash::Crash,
    &crash_after_effect::CrashAfterEffect,
    &crash_loop::CrashLoop,
    &disk_torn::DiskTorn,
    &pause::Pause,
    &slow::Slow,
    &partition::Partition,
    &cut::Cut,
    &flapping_link::FlappingLink,
    &loss_burst::LossBurst,
    &latency::Latency,
    &duplicate::Duplicate,
    &reorder::Reorder,
    &hold::Hold,
    &short_lived_leaders::ShortLivedLeaders,
    &vote_crashes::VoteCrashes,
    &candidate_crash::CandidateCrash,
    &last_words::LastWords,
    &point_crashes::PointCrashes,
    &timeouts::Timeouts,
    &leader_isolation::LeaderIsolation,
    &leader_latency::LeaderLatency,
    &leader_pauses::LeaderPauses,
    &leader_clock::LeaderClock,
    &late_messages::LateMessages,
    &late_duplicates::LateDuplicates,
    &power_failure::PowerFailure,
    &domain_failure::DomainFailure,
    &membership_change::MembershipChange,
    &leadership_transfer::LeadershipTransfer,
    &snapshot::Snapshot,
    &clock_drift::ClockDrift,
    &clock_step::ClockStep,
    &clock_slew::ClockSlew,
    &clock_strobe::ClockStrobe,
    &clock_freeze::ClockFreeze,
    &disk_slow::DiskSlow,
    &disk_stall::DiskStall,
    &disk_full::DiskFull,
    &disk_corrupt::DiskCorrupt,
    &disk_lie::DiskLie,
    &disk_rollback::DiskRollback,
    &disk_misdirect::DiskMisdirect,
    &disk_rot::DiskRot,
    &wipe::Wipe,
];

/// The kind with this name.
pub fn find(name: &str) -> Option<&'static dyn FaultKind> {
    KINDS.iter().copied().find(|kind| kind.about().name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Rate;

    #[test]
    fn every_kind_is_found_by_its_name_and_explains_itself() {
        for kind in KINDS {
            let about = kind.about();
            assert_eq!(find(about.name).map(FaultKind::about), Some(about), "two kinds have the same name");
            let is_kebab = about.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            let has_rate = about.rate.mean().is_some() || about.rate == Rate::NEVER;
            assert!(is_kebab && about.help.ends_with('.') && has_rate, "{about:?}");
        }
        assert!(find("earthquake").is_none());
    }
}

//! How long this thread has worked: what a run costs, whoever else uses the machine.

use std::time::Duration;

/// Processor time of this thread.
#[cfg(unix)]
pub(super) fn time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("processor time counts from 0");
    Duration::new(seconds, u32::try_from(time.tv_nsec).expect("less than a second"))
}

/// Time on the wall, where processor time is not to be had.
#[cfg(not(unix))]
#[expect(clippy::disallowed_types, reason = "what a run costs, which nothing in it sees")]
pub(super) fn time() -> Duration {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(std::time::Instant::now).elapsed()
}

//! When a command happens: at an instant, or some time after something has happened in the world.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{PointName, TimerName, text};
use crate::status::{NodeStatus, Power, Standing, Status};
use crate::{NodeId, SimTime, Span};

/// A place between two events, where a command can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment {
    /// The instant.
    #[serde(with = "text")]
    pub time: SimTime,
    /// How many events of that instant come first; 0: before all of them. Where fewer happen, after the last.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub after_events: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Moment {
    /// Before all events at `time`.
    pub const fn before(time: SimTime) -> Self {
        Self { time, after_events: 0 }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.time.fmt(f)?;
        if self.after_events > 0 { write!(f, "+{}", self.after_events) } else { Ok(()) }
    }
}

/// When a command happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// At this moment.
    At(Moment),
    /// Once, so long after something has happened for the `occurrence`-th time, on whichever node.
    After {
        /// The delay; 0 acts right after the event that did it.
        #[serde(with = "text")]
        span: Span,
        /// What has to happen.
        event: StatusEvent,
        /// The how-manieth time, from 1, counted from `since` on.
        occurrence: u32,
        /// Only what happens from here on counts. Default: the start.
        #[serde(with = "text", default, skip_serializing_if = "is_start")]
        since: SimTime,
        /// The command is left out if it would come at or after this. Default: never.
        #[serde(with = "text", default = "never", skip_serializing_if = "is_never")]
        until: SimTime,
    },
    /// Once, at most so long before an armed timer of a node fires. Where the process sets it anew meanwhile, before that.
    Before {
        /// How long before.
        #[serde(with = "text")]
        span: Span,
        /// Whose timer.
        #[serde(with = "text")]
        node: NodeId,
        /// Which of its plain timers ([`Timer::NAMES`](crate::process::Timer::NAMES)).
        timer: TimerName,
        /// Not before. Default: the start.
        #[serde(with = "text", default, skip_serializing_if = "is_start")]
        since: SimTime,
        /// The command is left out if it would come at or after this. Default: never.
        #[serde(with = "text", default = "never", skip_serializing_if = "is_never")]
        until: SimTime,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_start(time: &SimTime) -> bool {
    *time == SimTime::ZERO
}

const fn never() -> SimTime {
    SimTime::MAX
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_never(time: &SimTime) -> bool {
    *time == never()
}

impl Trigger {
    /// Before all events at `time`.
    pub const fn at(time: SimTime) -> Self {
        Self::At(Moment::before(time))
    }

    /// `span` after something has happened for the `occurrence`-th time in the run.
    pub const fn after(span: Span, event: StatusEvent, occurrence: u32) -> Self {
        Self::After { span, event, occurrence, since: SimTime::ZERO, until: never() }
    }
}

/// `150ms`, `3ms after the second become-leader`, or `3ms before election of n2 fires`.
impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(moment) => write!(f, "at {moment}"),
            Self::After { span, event, occurrence, since, until } => {
                write!(f, "{span} after the {} {event}", Ordinal(*occurrence))?;
                write_window(f, *since, *until)
            }
            Self::Before { span, node, timer, since, until } => {
                write!(f, "{span} before {timer} of {node} fires")?;
                write_window(f, *since, *until)
            }
        }
    }
}

fn write_window(f: &mut fmt::Formatter<'_>, since: SimTime, until: SimTime) -> fmt::Result {
    if !is_start(&since) {
        write!(f, " since {since}")?;
    }
    if is_never(&until) { Ok(()) } else { write!(f, ", before {until}") }
}

/// A number as people count.
pub(super) struct Ordinal(pub(super) u32);

impl fmt::Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1 => f.write_str("first"),
            2 => f.write_str("second"),
            3 => f.write_str("third"),
            number => {
                let suffix = match (number % 10, number % 100) {
                    (1, tens) if tens != 11 => "st",
                    (2, tens) if tens != 12 => "nd",
                    (3, tens) if tens != 13 => "rd",
                    _ => "th",
                };
                write!(f, "{number}{suffix}")
            }
        }
    }
}

/// Something that happens to a node: all but the last as seen in its status before and after an event or a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum StatusEvent {
    /// A process starts to lead, or leads in another epoch than before.
    BecomesLeader,
    /// A process starts to try to lead, or tries in another epoch than before.
    BecomesCandidate,
    /// A leader leads no longer, be it by a crash.
    LosesLeadership,
    /// A process comes to know a higher epoch than before. A restart is no such event.
    EpochRises,
    /// A node that was up is down.
    Crashes,
    /// A node that has been up before is up again.
    Restarts,
    /// A process comes to know that this much is decided.
    Commits(u64),
    /// A handler reaches a fault point. What waits for it comes after that handler; to cut the handler there is
    /// [`Command::CrashAtPoint`](super::Command::CrashAtPoint).
    Reaches(PointName),
}

impl StatusEvent {
    /// Whether it has happened to a node between two looks at its status; `before` is `None` at the first look. No
    /// status shows that a fault point was reached.
    pub fn matches(self, before: Option<&NodeStatus>, after: &NodeStatus) -> bool {
        // A process does not remember what its predecessor was, so a restart in between counts as from nothing.
        let same_life = before.filter(|before| before.incarnation == after.incarnation);
        let was = same_life.and_then(|before| before.process.as_ref());
        let is = after.process.as_ref();
        match self {
            Self::BecomesLeader => starts(Standing::Leader, was, is),
            Self::BecomesCandidate => starts(Standing::Candidate, was, is),
            Self::LosesLeadership => {
                let led = before.and_then(|before| before.process.as_ref()).is_some_and(leads);
                led && !(same_life.is_some() && is.is_some_and(leads))
            }
            Self::EpochRises => was.zip(is).is_some_and(|(was, is)| is.epoch > was.epoch),
            Self::Crashes => before.is_some_and(|before| {
                before.power != Power::Down && (after.power == Power::Down || same_life.is_none())
            }),
            Self::Restarts => {
                before.is_some_and(|before| before.incarnation > 0 && after.incarnation > before.incarnation)
            }
            Self::Commits(goal) => {
                is.is_some_and(|is| is.commit >= goal) && was.is_none_or(|was| was.commit < goal)
            }
            Self::Reaches(_) => false,
        }
    }
}

fn leads(status: &Status) -> bool {
    status.standing == Standing::Leader
}

fn starts(standing: Standing, was: Option<&Status>, is: Option<&Status>) -> bool {
    is.is_some_and(|is| {
        let already = was.is_some_and(|was| was.standing == standing && was.epoch == is.epoch);
        is.standing == standing && !already
    })
}

impl fmt::Display for StatusEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BecomesLeader => f.write_str("become-leader"),
            Self::BecomesCandidate => f.write_str("become-candidate"),
            Self::LosesLeadership => f.write_str("lose-leadership"),
            Self::EpochRises => f.write_str("epoch-rise"),
            Self::Crashes => f.write_str("crash"),
            Self::Restarts => f.write_str("restart"),
            Self::Commits(goal) => write!(f, "commit({goal})"),
            Self::Reaches(point) => write!(f, "reach({point})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(incarnation: u32, standing: Standing, epoch: u64, commit: u64) -> NodeStatus {
        let process = Status { standing, epoch, commit, ..Status::peer("test") };
        NodeStatus { power: Power::Running, incarnation, process: Some(process) }
    }

    const fn down(incarnation: u32) -> NodeStatus {
        NodeStatus { power: Power::Down, incarnation, process: None }
    }

    fn seen(before: &NodeStatus, after: &NodeStatus) -> Vec<StatusEvent> {
        use StatusEvent::{
            BecomesCandidate, BecomesLeader, Commits, Crashes, EpochRises, LosesLeadership, Restarts,
        };
        let all =
            [BecomesLeader, BecomesCandidate, LosesLeadership, EpochRises, Crashes, Restarts, Commits(5)];
        all.into_iter().filter(|event| event.matches(Some(before), after)).collect()
    }

    #[test]
    fn an_election_is_seen_step_by_step() {
        use Standing::{Candidate, Follower, Leader};
        let steps =
            [up(1, Follower, 1, 0), up(1, Candidate, 2, 0), up(1, Leader, 2, 0), up(1, Follower, 3, 5)];
        assert_eq!(seen(&steps[0], &steps[0]), []);
        assert_eq!(seen(&steps[0], &steps[1]), [StatusEvent::BecomesCandidate, StatusEvent::EpochRises]);
        assert_eq!(seen(&steps[1], &steps[2]), [StatusEvent::BecomesLeader]);
        assert_eq!(
            seen(&steps[2], &steps[3]),
            [StatusEvent::LosesLeadership, StatusEvent::EpochRises, StatusEvent::Commits(5)]
        );
    }

    #[test]
    fn a_crash_ends_leadership_and_a_restart_begins_another_life() {
        let leader = up(1, Standing::Leader, 2, 9);
        assert_eq!(seen(&leader, &down(1)), [StatusEvent::LosesLeadership, StatusEvent::Crashes]);
        let again = up(2, Standing::Follower, 2, 0);
        assert_eq!(seen(&down(1), &again), [StatusEvent::Restarts]);
        assert_eq!(
            seen(&leader, &again),
            [StatusEvent::LosesLeadership, StatusEvent::Crashes, StatusEvent::Restarts]
        );
        assert_eq!(seen(&down(0), &up(1, Standing::Follower, 0, 0)), [], "a spare starts for the first time");
    }

    #[test]
    fn the_first_look_sees_what_is_and_no_change() {
        let leader = up(1, Standing::Leader, 2, 9);
        assert!(StatusEvent::BecomesLeader.matches(None, &leader));
        assert!(
            !StatusEvent::EpochRises.matches(None, &leader) && !StatusEvent::Crashes.matches(None, &down(0))
        );
    }

    #[test]
    fn triggers_read_like_sentences() {
        let after = |occurrence| Trigger::after(Span::millis(3), StatusEvent::BecomesLeader, occurrence);
        assert_eq!(after(2).to_string(), "3ms after the second become-leader");
        let Trigger::After { span, event, occurrence, .. } = after(1) else { panic!("a condition") };
        let (since, until) = (SimTime::ZERO + Span::secs(1), SimTime::ZERO + Span::secs(2));
        let within = Trigger::After { span, event, occurrence, since, until };
        assert_eq!(within.to_string(), "3ms after the first become-leader since 1s, before 2s");
        let (node, timer) = (NodeId::new(1), "election".parse().expect("a name"));
        let before = Trigger::Before { span, node, timer, since, until };
        assert_eq!(before.to_string(), "3ms before election of n2 fires since 1s, before 2s");
        let counted = [4, 11, 21, 22, 113].map(|number| Ordinal(number).to_string());
        assert_eq!(counted, ["4th", "11th", "21st", "22nd", "113th"]);
        let moment = Moment { time: SimTime::from_nanos(1_500_000_000), after_events: 2 };
        assert_eq!(Trigger::At(moment).to_string(), "at 1.5s+2");
    }
}

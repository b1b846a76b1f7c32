//! Commands as a line for people: `crash n3`, `partition p1 {n1,n2 | n3,n4,n5}`.

use std::fmt::{self, Display, Formatter};

use super::condition::Ordinal;
use super::{Command, LinkFault, MessageAct, Place, Shape};
use crate::clock::ClockFault;
use crate::disk::{Corruption, CrashLoss, DiskFault, SyncHonesty};
use crate::network::Direction;
use crate::random::Probability;

/// The items with `separator` in between.
struct Joined<'a, T>(&'a [T], &'static str);

impl<T: Display> Display for Joined<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut said: Vec<String> = Vec::new();
        for item in self.0.iter().map(ToString::to_string) {
            // Two targets, the leader and any node, may have turned out to be one.
            if !said.contains(&item) {
                write!(f, "{}{item}", if said.is_empty() { "" } else { self.1 })?;
                said.push(item);
            }
        }
        Ok(())
    }
}

const fn list<T>(items: &[T]) -> Joined<'_, T> {
    Joined(items, ",")
}

impl<N: Display> Display for Command<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::Crash(node)
            | Self::Restart(node)
            | Self::Pause(node)
            | Self::Resume(node)
            | Self::Wipe(node) => write!(f, "{name} {node}"),
            Self::CrashLosing { node, loss: CrashLoss::All } => {
                write!(f, "crash {node} losing un-synced writes")
            }
            Self::CrashLosing { node, loss: CrashLoss::Prefix } => {
                write!(f, "crash {node} losing some un-synced writes")
            }
            Self::CrashLosing { node, loss: CrashLoss::TornLast } => {
                write!(f, "crash {node} tearing an un-synced write")
            }
            Self::CrashAfterEffect { node, effects } => write!(f, "crash {node} after {effects} effects"),
            Self::CrashAtPoint { node, point, nth: 1 } => write!(f, "crash {node} at {point}"),
            Self::CrashAtPoint { node, point, nth } => {
                write!(f, "crash {node} at {point}, the {} time", Ordinal(*nth))
            }
            Self::FireTimer { node, timer } => write!(f, "fire timer {timer} of {node}"),
            Self::SlowDown { node, percent } => write!(f, "slow {node} down to {percent}% of the time"),
            Self::Clock { node, fault } => write!(f, "clock of {node}: {}", Clock(fault)),
            Self::Disk { node, fault } => write!(f, "disk of {node}: {}", Disk(fault)),
            Self::Cut { from, to, direction } | Self::Mend { from, to, direction } => {
                write!(f, "{name} {}{}{}", list(from), arrow(*direction), list(to))
            }
            Self::Partition { name, shape } => write!(f, "partition {name} {{{shape}}}"),
            Self::HealPartition(name) => write!(f, "heal partition {name}"),
            Self::HealAll => f.write_str("heal the network"),
            Self::Link { from, to, fault } => write!(f, "link {}->{}: {fault}", list(from), list(to)),
            Self::AllLinks(fault) => write!(f, "all links: {fault}"),
            Self::Hold { from, to } | Self::Release { from, to } => {
                write!(f, "{name} {}->{}", list(from), list(to))
            }
            Self::Recover => f.write_str("recover everything"),
            Self::Message { id, act: MessageAct::Drop } => write!(f, "drop message {id}"),
            Self::Message { id, act: MessageAct::Delay(span) } => write!(f, "delay message {id} by {span}"),
            Self::Message { id, act: MessageAct::Duplicate } => write!(f, "duplicate message {id}"),
            Self::Message { id, act: MessageAct::Deliver } => write!(f, "deliver message {id}"),
            Self::Issue { client, operation } => write!(f, "{client} asks {operation}"),
        }
    }
}

const fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::OneWay => "->",
        Direction::BothWays => "<->",
    }
}

impl<N: Display> Display for Place<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(name) => name.fmt(f),
            Self::Client(client) => client.fmt(f),
        }
    }
}

impl<N: Display> Display for Shape<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Groups(groups) => {
                let groups: Vec<String> = groups.iter().map(|group| list(group).to_string()).collect();
                Joined(&groups, " | ").fmt(f)
            }
            Self::Isolate(alone) => write!(f, "{} alone", Joined(alone, " alone, ")),
            Self::RingOfMajorities => f.write_str("ring of majorities"),
            Self::Bridge(bridge) => write!(f, "two halves, {bridge} between"),
            Self::OneWay { from, to } => write!(f, "{} not to {}", list(from), list(to)),
        }
    }
}

impl Display for LinkFault {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let of = |probability: Option<Probability>| {
            probability.map_or_else(|| "as usual".to_owned(), |probability| probability.to_string())
        };
        match *self {
            Self::Loss(probability) => write!(f, "loss {}", of(probability)),
            Self::Duplicate(probability) => write!(f, "duplication {}", of(probability)),
            Self::Reorder { probability: Some(probability), extra } => {
                write!(f, "reordering {probability} by {extra}")
            }
            Self::Reorder { probability: None, .. } => f.write_str("reordering as usual"),
            Self::LatencyPercent(percent) => write!(f, "latency {percent}%"),
        }
    }
}

struct Clock<'a>(&'a ClockFault);

impl Display for Clock<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            ClockFault::Offset(nanos) => write!(f, "set to true time {}", Signed(*nanos)),
            ClockFault::Drift(ppm) => write!(f, "drift {ppm:+} ppm"),
            ClockFault::Step(nanos) => write!(f, "step {}", Signed(*nanos)),
            ClockFault::Strobe { amplitude, .. } if amplitude.is_zero() => f.write_str("strobe ends"),
            ClockFault::Strobe { amplitude, period } => write!(f, "strobe by {amplitude} every {period}"),
            ClockFault::Freeze => f.write_str("freeze"),
            ClockFault::Thaw => f.write_str("thaw"),
            ClockFault::Slew(ppm) => write!(f, "slew at {ppm} ppm"),
            ClockFault::Heal => f.write_str("heal"),
        }
    }
}

/// Nanoseconds with their sign.
struct Signed(i64);

impl Display for Signed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        write!(f, "{sign}{}", crate::Span::nanos(self.0.unsigned_abs()))
    }
}

struct Disk<'a>(&'a DiskFault);

impl Display for Disk<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            DiskFault::Corrupt { at, how: Corruption::Detected } => {
                write!(f, "corrupt {}[{}]", at.region, at.index)
            }
            DiskFault::Corrupt { at, how: Corruption::Undetected(_) } => {
                write!(f, "corrupt {}[{}] unnoticed", at.region, at.index)
            }
            DiskFault::Misdirect { from, onto } => {
                write!(f, "misdirect the next write of {from} onto {}[{}]", onto.region, onto.index)
            }
            DiskFault::Sync(SyncHonesty::Honest) => f.write_str("syncs are honest"),
            DiskFault::Sync(SyncHonesty::LyingFor(count)) => write!(f, "the next {count} syncs lie"),
            DiskFault::Sync(SyncHonesty::Lying) => f.write_str("syncs lie"),
            DiskFault::RollBack { region, syncs } => write!(f, "roll {region} back by {syncs} syncs"),
            DiskFault::Capacity(Some(bytes)) => write!(f, "full at {bytes} B"),
            DiskFault::Capacity(None) => f.write_str("no longer full"),
            DiskFault::Slow(factor) => {
                write!(f, "syncs take {}/{} of the time", factor.numerator, factor.denominator)
            }
            DiskFault::Stall => f.write_str("stall"),
            DiskFault::Unstall => f.write_str("unstall"),
            DiskFault::Wipe => f.write_str("wipe"),
        }
    }
}

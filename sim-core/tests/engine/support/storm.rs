//! Every fault there is, in 400 ms of Chatter on five nodes and two clients.

use sim_core::clock::ClockFault;
use sim_core::disk::{CrashLoss, DiskFault, SlowFactor, SyncHonesty};
use sim_core::fault::{
    Command, Entry, LinkFault, MessageAct, Place, Plan, Shape, StatusEvent, Target, Trigger,
};
use sim_core::network::{Direction, PartitionId};
use sim_core::service::Operation;
use sim_core::world::{DiskTiming, HostTiming, Setup};
use sim_core::{MessageId, Span};

use super::{
    Chatter, ChatterConfig, at, c, closed_loop, constant, echoes, link, mesh, ms, n, percent, relink, uniform,
};

/// Five nodes, the last one a spare, and two clients; see the [module](self).
pub(crate) fn storm(seed: u64) -> Setup<Chatter> {
    let mut setup = mesh::<Chatter>(seed, 5, ChatterConfig::default());
    setup.spares = vec![n(5)];
    setup.clients = vec![closed_loop(4, ms(3), echoes(40)), closed_loop(4, ms(7), echoes(30))];
    relink(&mut setup, &link(uniform(ms(1), ms(5))));
    let mut timing = HostTiming { service: uniform(Span::ZERO, Span::micros(80)), ..HostTiming::default() };
    timing.inbox_limit = Some(40);
    timing.disk = DiskTiming {
        write: constant(Span::micros(20)),
        sync: uniform(Span::micros(100), ms(2)),
        ..timing.disk
    };
    setup.timing = timing;
    setup.plan = Plan::new(entries(), Vec::new());
    setup
}

fn entries() -> Vec<Entry> {
    let node = |number| Target::Node(n(number));
    let timed = timed_entries();
    let after = |span, event, occurrence, command| Entry {
        trigger: Trigger::after(span, event, occurrence),
        command,
        was: None,
    };
    let conditional = [
        after(Span::ZERO, StatusEvent::BecomesLeader, 3, Command::Pause(Target::Leader)),
        after(ms(5), StatusEvent::BecomesLeader, 3, Command::Resume(Target::All)),
        after(Span::ZERO, StatusEvent::Crashes, 1, Command::Restart(Target::AnyDown)),
        after(ms(2), StatusEvent::Restarts, 1, Command::SlowDown { node: Target::Any, percent: 300 }),
        after(Span::ZERO, StatusEvent::EpochRises, 900, Command::Crash(node(1))),
    ];
    timed.into_iter().chain(conditional).collect()
}

fn timed_entries() -> Vec<Entry> {
    let node = |number| Target::Node(n(number));
    let place = |number| Place::Node(node(number));
    let message = MessageId { from: n(1).into(), to: n(2).into(), ordinal: 9 };
    let disk = |number, fault| Command::Disk { node: node(number), fault };
    let clock = |number, fault| Command::Clock { node: node(number), fault };
    let all = [
        (5, Command::AllLinks(LinkFault::Loss(Some(percent(5))))),
        (8, Command::Message { id: message, act: MessageAct::Delay(ms(30)) }),
        (8, Command::Message { id: MessageId { ordinal: 12, ..message }, act: MessageAct::Drop }),
        (8, Command::Message { id: MessageId { ordinal: 15, ..message }, act: MessageAct::Duplicate }),
        (10, clock(1, ClockFault::Drift(20_000))),
        (11, clock(2, ClockFault::Step(5_000_000))),
        (15, Command::AllLinks(LinkFault::Duplicate(Some(percent(5))))),
        (20, Command::Cut { from: vec![place(1)], to: vec![place(2)], direction: Direction::BothWays }),
        (25, Command::Hold { from: vec![place(3)], to: vec![place(4), place(1)] }),
        (30, disk(2, DiskFault::Stall)),
        (40, Command::Release { from: vec![place(3)], to: vec![place(4), place(1)] }),
        (45, Command::CrashAfterEffect { node: node(3), effects: 2 }),
        (50, Command::Restart(node(5))),
        (55, disk(2, DiskFault::Unstall)),
        (60, Command::Mend { from: vec![place(1)], to: vec![place(2)], direction: Direction::BothWays }),
        (
            70,
            Command::Partition {
                name: PartitionId::new(1),
                shape: Shape::Isolate(vec![Place::Node(Target::Leader)]),
            },
        ),
        (75, Command::CrashLosing { node: Target::Any, loss: CrashLoss::TornLast }),
        (90, Command::Restart(Target::All)),
        (95, clock(3, ClockFault::Freeze)),
        (100, Command::HealPartition(PartitionId::new(1))),
        (105, disk(1, DiskFault::Sync(SyncHonesty::LyingFor(3)))),
        (
            110,
            Command::Link { from: vec![place(1)], to: vec![place(4)], fault: LinkFault::LatencyPercent(400) },
        ),
        (115, Command::Crash(node(1))),
        (120, clock(3, ClockFault::Thaw)),
        (125, Command::Pause(node(2))),
        (126, Command::Issue { client: c(1), operation: Operation::Echo(1_000) }),
        (130, Command::Resume(node(2))),
        (135, Command::Wipe(node(4))),
        (140, disk(2, DiskFault::Slow(SlowFactor::times(5)))),
        (150, Command::Recover),
        (160, Command::Partition { name: PartitionId::new(2), shape: Shape::RingOfMajorities }),
        (170, Command::SlowDown { node: node(2), percent: 1_000 }),
        (200, Command::HealAll),
    ];
    all.into_iter().map(|(millis, command)| Entry::at(at(millis), command)).collect()
}

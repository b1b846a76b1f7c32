//! Timers: exact against a twin, and never early by the node's own clock.

use std::collections::BTreeMap;

use proptest::prelude::*;
use sim_core::clock::{ClockFault, NodeClock};
use sim_core::fault::{Command, Entry, Plan, Target, Trigger};
use sim_core::trace::TraceKind;
use sim_core::world::Stop;
use sim_core::{SimTime, Span, World};

use crate::support::{Chatter, ChatterConfig, Input, Puppet, PuppetTimer, at, mesh, ms, n, plan, puppets};

const TIMERS: [PuppetTimer; 6] = [
    PuppetTimer::A,
    PuppetTimer::B,
    PuppetTimer::C,
    PuppetTimer::Number(0),
    PuppetTimer::Number(1),
    PuppetTimer::Number(9),
];

/// What the puppet does at its `step`-th input, drawn from its own stream: set and cancel some timers. Times are
/// few, so that many are equal. Returns (timer, delay in ms, or none for a cancel).
fn acts(random: &mut sim_core::random::Stream) -> Vec<(PuppetTimer, Option<u64>)> {
    let count = 1 + random.below(4);
    let act = |random: &mut sim_core::random::Stream| {
        let timer = *random.pick(&TIMERS).expect("there are some");
        (timer, (random.below(5) > 0).then(|| random.below(6)))
    };
    (0..count).map(|_| act(random)).collect()
}

fn pull(puppet: &mut Puppet, context: &mut sim_core::Context<'_, Puppet>, input: &Input) {
    if !matches!(input, Input::Start | Input::Timer(_)) || puppet.heard.len() > 150 {
        return;
    }
    for (timer, delay) in acts(context.random()) {
        match delay {
            Some(delay) => context.set_timer(timer, ms(delay)),
            None => context.cancel_timer(timer),
        }
    }
    // One that never runs dry, re-set to later times again and again.
    context.set_timer(PuppetTimer::C, ms(7));
}

/// The simplest thing that could be right: all armed timers, by (due, order of setting).
#[derive(Default)]
struct Twin {
    armed: BTreeMap<PuppetTimer, (u64, u64)>,
    set_count: u64,
}

impl Twin {
    fn set(&mut self, timer: PuppetTimer, due: u64) {
        self.set_count += 1;
        self.armed.insert(timer, (due, self.set_count));
    }

    fn fire(&mut self) -> Option<(u64, PuppetTimer)> {
        let (timer, (due, _)) =
            self.armed.iter().map(|(timer, key)| (*timer, *key)).min_by_key(|(_, key)| *key)?;
        self.armed.remove(&timer);
        Some((due, timer))
    }

    /// All firings of a puppet whose draws come from `random`.
    fn run(mut self, mut random: sim_core::random::Stream) -> Vec<(u64, PuppetTimer)> {
        let (mut fired, mut now, mut inputs) = (Vec::new(), 0, 0);
        loop {
            if inputs <= 150 {
                for (timer, delay) in acts(&mut random) {
                    match delay {
                        Some(delay) => self.set(timer, now + delay),
                        None => _ = self.armed.remove(&timer),
                    }
                }
                self.set(PuppetTimer::C, now + 7);
            }
            inputs += 1;
            let Some((due, timer)) = self.fire() else { return fired };
            now = due;
            fired.push((due, timer));
        }
    }
}

fn firings(puppet: &Puppet) -> Vec<(u64, PuppetTimer)> {
    let fired = puppet.heard.iter().filter_map(|(when, input)| match input {
        Input::Timer(timer) => Some((when.as_nanos() / 1_000_000, *timer)),
        _ => None,
    });
    fired.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn timers_fire_by_due_and_order_of_setting(seed: u64) {
        let mut world = World::new(puppets(seed, 1, pull));
        world.run(at(10_000), u64::MAX);
        let keys = sim_core::random::KeySource::new(seed);
        let twin = Twin::default().run(keys.stream(sim_core::random::Purpose::Process, 0, 1));
        prop_assert!(twin.len() > 20, "the twin fires {} times", twin.len());
        prop_assert_eq!(firings(world.process(n(1)).expect("it runs")), twin);
    }

    #[test]
    fn no_timer_fires_before_its_deadline_by_the_nodes_own_clock(
        seed in 0..1_000_u64,
        faults in prop::collection::vec((0..300_u64, clock_fault()), 0..12),
    ) {
        let mut setup = puppets(seed, 1, |puppet, context, input| {
            let now = context.now().as_nanos();
            if let Input::Timer(PuppetTimer::Number(number)) = input {
                let due = puppet.memory[*number as usize];
                assert!(now >= due, "timer {number} fires at {now}, before {due}");
            }
            if !matches!(input, Input::Start | Input::Timer(_)) || puppet.memory.len() > 300 {
                return;
            }
            for _ in 0..=context.random().below(2) {
                let number = u32::try_from(puppet.memory.len()).expect("a few hundred");
                let delay = context.random().span(Span::ZERO, ms(8));
                puppet.memory.push(now + delay.as_nanos());
                context.set_timer(PuppetTimer::Number(number), delay);
            }
        });
        setup.plan = plan(faults.into_iter().map(|(millis, fault)| (millis, Command::Clock { node: n(1), fault })));
        let mut world = World::new(setup);
        world.run(at(1_000), u64::MAX);
        world.apply(Command::Clock { node: n(1), fault: ClockFault::Heal });
        world.run(at(3_000), u64::MAX);
        let puppet = world.process(n(1)).expect("it runs");
        let (set, fired) = (puppet.memory.len(), puppet.count(|input| matches!(input, Input::Timer(_))));
        prop_assert_eq!(set, fired, "each fires once, in the end");
    }
}

fn clock_fault() -> impl Strategy<Value = ClockFault> {
    prop_oneof![
        (-500_000..500_000_i32).prop_map(ClockFault::Drift),
        (-50_000_000..50_000_000_i64).prop_map(ClockFault::Step),
        (-50_000_000..50_000_000_i64).prop_map(ClockFault::Offset),
        (1..500_u32).prop_map(ClockFault::Slew),
        Just(ClockFault::Freeze),
        Just(ClockFault::Thaw),
        Just(ClockFault::Heal),
    ]
}

#[test]
fn timers_of_one_deadline_keep_their_order_over_a_clock_fault() {
    use PuppetTimer::{A, B, Number};
    let mut setup = puppets(1, 1, |_, context, input| {
        if *input == Input::Start {
            for number in [7, 3, 9, 1] {
                context.set_timer(PuppetTimer::Number(number), ms(50));
            }
            // Its slot is free for the last, which then lies before those set earlier.
            context.cancel_timer(PuppetTimer::Number(7));
            context.set_timer(PuppetTimer::A, ms(2));
        } else if *input == Input::Timer(PuppetTimer::A) {
            context.set_timer(PuppetTimer::B, ms(48));
            context.set_timer(PuppetTimer::Number(3), ms(48));
        }
    });
    setup.plan = plan([(10, Command::Clock { node: n(1), fault: ClockFault::Drift(100_000) })]);
    let mut world = World::new(setup);
    world.run(at(100), u64::MAX);
    let fired: Vec<PuppetTimer> =
        firings(world.process(n(1)).expect("it runs")).into_iter().map(|(_, timer)| timer).collect();
    assert_eq!(fired, [A, Number(9), Number(1), B, Number(3)]);
}

#[test]
fn a_frozen_clock_fires_nothing_until_it_thaws() {
    let clock = |fault| Command::Clock { node: n(1), fault };
    let mut setup = puppets(1, 1, |_, context, input| {
        if *input == Input::Start {
            context.set_timer(PuppetTimer::A, ms(10));
            context.set_timer(PuppetTimer::Number(1), ms(20));
        }
    });
    setup.plan = plan([(5, clock(ClockFault::Freeze)), (100, clock(ClockFault::Thaw))]);
    let mut world = World::new(setup);
    world.run(at(104), u64::MAX);
    assert_eq!(world.process(n(1)).expect("it runs").heard.len(), 1);
    world.run(at(200), u64::MAX);
    assert_eq!(firings(world.process(n(1)).expect("it runs")).len(), 2);
    assert_eq!(world.now(), at(115), "the second is late by as long as the clock stood still");
}

#[test]
fn thousands_of_cancelled_timers_leave_the_others_alone() {
    let mut world = World::new(puppets(1, 1, |_, context, input| {
        if *input == Input::Start {
            (0..5_000).for_each(|number| {
                context.set_timer(PuppetTimer::Number(number), ms(u64::from(number % 10)));
            });
            let cancelled = (0..5_000).filter(|number| number % 50 != 0);
            cancelled.for_each(|number| context.cancel_timer(PuppetTimer::Number(number)));
        }
    }));
    world.run(at(100), u64::MAX);
    let fired = firings(world.process(n(1)).expect("it runs"));
    let expected: Vec<_> = (0..100).map(|index| (0, PuppetTimer::Number(50 * index))).collect();
    assert_eq!(fired, expected);
}

#[test]
fn a_timer_that_waits_in_the_inbox_can_still_be_taken_back() {
    let mut setup = puppets(1, 1, |_, context, input| match input {
        Input::Start => {
            context.set_timer(PuppetTimer::A, ms(10));
            context.set_timer(PuppetTimer::B, ms(10));
            context.set_timer(PuppetTimer::Number(1), ms(10));
        }
        Input::Timer(PuppetTimer::A) => {
            context.cancel_timer(PuppetTimer::B);
            context.set_timer(PuppetTimer::Number(1), ms(30));
        }
        _ => {}
    });
    setup.timing.service = crate::support::constant(ms(2));
    let mut world = World::new(setup);
    world.run(at(100), u64::MAX);
    let fired = firings(world.process(n(1)).expect("it runs"));
    assert_eq!(fired, [(12, PuppetTimer::A), (44, PuppetTimer::Number(1))]);
}

#[test]
fn chatter_under_drifting_clocks_keeps_ticking() {
    let mut setup = mesh::<Chatter>(1, 3, ChatterConfig::default());
    setup.plan = plan([(3, Command::Clock { node: n(1), fault: ClockFault::Drift(-400_000) })]);
    let mut world = crate::support::traced(setup);
    world.run(at(500), u64::MAX);
    let ticks = |node| {
        let fired = crate::support::records(&world, TraceKind::TimerFired).into_iter();
        fired.filter(|record| record.subject() == Some(n(node).into()) && record.timer() == Some(0)).count()
    };
    assert!(ticks(1) * 10 < ticks(2) * 8, "{} ticks of the slow clock, {} of a true one", ticks(1), ticks(2));
}

/// How often a timer of 15 ms by the node's clock fires from 100 to 200 ms.
fn ticks_after_recovery(own_drift_ppm: i32) -> usize {
    let mut setup = puppets(1, 1, |_, context, input| {
        if matches!(input, Input::Start | Input::Timer(_)) {
            context.set_timer(PuppetTimer::A, ms(15));
        }
    });
    setup.clocks = vec![NodeClock::default().with_own(0, own_drift_ppm).expect("in range")];
    let drift = Command::Clock { node: n(1), fault: ClockFault::Drift(-500_000) };
    setup.plan = plan([(3, drift), (100, Command::Recover)]);
    let mut world = World::new(setup);
    let fired = |world: &World<Puppet>| {
        world.process(n(1)).expect("it runs").count(|input| matches!(input, Input::Timer(_)))
    };
    world.run(at(100), u64::MAX);
    let before = fired(&world);
    world.run(at(200), u64::MAX);
    fired(&world) - before
}

#[test]
fn a_recovery_brings_back_the_clock_that_a_node_has_by_itself() {
    assert_eq!(ticks_after_recovery(0), 7, "a true clock: one tick each 15 ms, and one under way");
    assert_eq!(ticks_after_recovery(500_000), 10, "half as fast again: one tick each 10 ms");
}

/// What fires, and when by the node's clock, if three timers are set for 10, 20 and 30 ms and this happens.
fn fired_with(commands: impl IntoIterator<Item = (u64, Command)>) -> Vec<(u64, PuppetTimer)> {
    let mut setup = puppets(1, 2, |_, context, input| {
        if *input == Input::Start {
            context.set_timer(PuppetTimer::A, ms(10));
            context.set_timer(PuppetTimer::B, ms(20));
            context.set_timer(PuppetTimer::Number(1), ms(30));
        }
    });
    setup.plan = plan(commands);
    let mut world = World::new(setup);
    world.run(at(100), u64::MAX);
    firings(world.process(n(1)).expect("it runs"))
}

#[test]
fn a_timer_that_is_fired_by_command_is_due_now_and_not_again() {
    use PuppetTimer::{A, B, Number};
    let fire = |name: &str| Command::FireTimer { node: n(1), timer: name.parse().expect("a name") };
    assert_eq!(fired_with([(3, fire("b"))]), [(3, B), (10, A), (30, Number(1))]);
    let clock = |fault| Command::Clock { node: n(1), fault };
    let frozen = [(5, clock(ClockFault::Freeze)), (7, fire("b")), (50, clock(ClockFault::Thaw))];
    assert_eq!(fired_with(frozen), [(5, B), (10, A), (30, Number(1))], "by a clock that stands still");
}

#[test]
fn a_timer_that_is_not_armed_cannot_be_fired() {
    use PuppetTimer::{A, B, Number};
    let fire = |node, name: &str| Command::FireTimer { node: n(node), timer: name.parse().expect("a name") };
    let unchanged = [(10, A), (20, B), (30, Number(1))];
    for commands in
        [[(3, fire(1, "c"))], [(15, fire(1, "a"))], [(3, fire(1, "no-such"))], [(3, fire(2, "b"))]]
    {
        assert_eq!(fired_with(commands.clone()), unchanged, "{commands:?}");
    }
    let crashed = [(3, Command::Crash(n(1))), (4, fire(1, "a")), (6, Command::Restart(n(1)))];
    assert_eq!(fired_with(crashed), [(16, A), (26, B), (36, Number(1))], "those of an earlier life are void");
}

/// When an entry of this trigger is applied. Both nodes set B for 20 ms at their start, and n2 sets it anew at 15 ms.
fn applied_at(trigger: Trigger) -> Option<u64> {
    let mut setup = puppets(1, 2, |puppet, context, input| match input {
        Input::Start => {
            context.set_timer(PuppetTimer::A, ms(15));
            context.set_timer(PuppetTimer::B, ms(20));
        }
        Input::Timer(PuppetTimer::A) if puppet.node == n(2) => context.set_timer(PuppetTimer::B, ms(20)),
        _ => {}
    });
    let entry = Entry { trigger, command: Command::Pause(Target::Node(n(1))), was: None };
    setup.plan = Plan::new(vec![entry], Vec::new());
    let mut world = World::new(setup);
    world.run(at(100), u64::MAX);
    let was = world.plan().entries()[0].was.clone();
    was.map(|was| was.moment.time.as_nanos() / 1_000_000)
}

#[test]
fn a_command_comes_before_a_timer_fires_however_often_that_is_set_anew() {
    let applied = |node, name: &str, span, since, until| {
        let (node, timer) = (n(node), name.parse().expect("a name"));
        applied_at(Trigger::Before { span: ms(span), node, timer, since: at(since), until: at(until) })
    };
    assert_eq!(applied(1, "b", 3, 0, 100), Some(17));
    assert_eq!(applied(2, "b", 3, 0, 100), Some(32), "it was set anew at 15 ms");
    assert_eq!(applied(2, "b", 7, 0, 100), Some(13), "it was near before");
    assert_eq!(applied(1, "b", 3, 19, 100), Some(19), "not earlier than asked for");
    assert_eq!(applied(1, "b", 3, 0, 17), None, "too late");
    assert_eq!(applied(1, "b", 3, 25, 100), None, "it has fired");
    assert_eq!(applied(1, "c", 3, 0, 100), None, "it is never set");
}

#[test]
fn a_command_before_a_timer_that_nothing_will_set_is_not_waited_for_without_end() {
    let before = |name: &str| {
        let (node, timer) = (n(1), name.parse().expect("a name"));
        let trigger = Trigger::Before { span: ms(1), node, timer, since: at(0), until: SimTime::MAX };
        Entry { trigger, command: Command::Pause(Target::Node(node)), was: None }
    };
    let mut setup = puppets(1, 1, |_, context, input| {
        if *input == Input::Start {
            context.set_timer(PuppetTimer::A, ms(5));
        }
    });
    let restart = [(100, Command::Crash(n(1))), (200, Command::Restart(n(1)))];
    let more = Plan::new(vec![before("a"), before("b"), before("c")], Vec::new());
    setup.plan = plan(restart).merge(more);
    let mut world = World::new(setup);
    let end = SimTime::MAX - Span::nanos(1);
    assert_eq!(world.run(end, u64::MAX), Stop::Idle, "two wait for what never comes, and for each other");
    let applied = world.plan().entries().iter().filter(|entry| entry.was.is_some()).count();
    assert_eq!(applied, 3, "crash, restart, and the pause before A fires");
}

use proptest::prelude::*;

use super::*;
use crate::clock::{ClockError, ClockFault};
use crate::fault::table::KINDS;
use crate::fault::{Generator, LinkFault, MessageAct, Place, Shape, Sites, StatusEvent};
use crate::network::{Direction, PartitionId};
use crate::random::{KeySource, Probability};
use crate::service::kv;
use crate::{Endpoint, MessageId, NodeId};

const fn n(number: u32) -> NodeId {
    NodeId::new(number - 1)
}

const fn second(number: u64) -> SimTime {
    SimTime::from_nanos(number * 1_000_000_000)
}

fn target(text: &str) -> Target {
    text.parse().expect("a target")
}

fn at(number: u64, command: Command<Target>) -> Entry {
    Entry::at(second(number), command)
}

fn read(key: u32) -> Operation {
    Operation::Kv(kv::Operation::Read(crate::service::Key(key)))
}

fn script(client: u32, keys: &[u32]) -> Script {
    let step = |key: &u32| Step { when: Wait::After(Span::millis(5)), operation: read(*key) };
    Script { client: ClientId::new(client - 1), steps: keys.iter().map(step).collect() }
}

/// Crash the leader 3 ms after the second election, which was n4 at 1.2 s.
fn deposition() -> Entry {
    let trigger = Trigger::after(Span::millis(3), StatusEvent::BecomesLeader, 2);
    let moment = Moment { time: SimTime::from_nanos(1_200_000_000), after_events: 2 };
    let was = Was { moment, place: 0, commands: vec![Command::Crash(n(4))] };
    Entry { trigger, command: Command::Crash(Target::Leader), was: Some(was) }
}

fn written(plan: &Plan) -> String {
    ron::ser::to_string_pretty(plan, ron::ser::PrettyConfig::new().compact_maps(true))
        .expect("plans can be written")
}

fn reread(plan: &Plan) -> Plan {
    let text = written(plan);
    ron::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

#[test]
fn entries_stand_by_moment_with_conditions_last() {
    let mut plan = Plan::new(vec![deposition(), at(2, Command::Recover)], Vec::new());
    assert_eq!(plan.insert(at(1, Command::HealAll)), 0);
    assert_eq!(plan.insert(at(2, Command::HealAll)), 2, "behind what stands there already");
    assert_eq!(plan.insert(Entry { was: None, ..deposition() }), 4);
    let names: Vec<_> = plan.entries().iter().map(|entry| entry.command.name()).collect();
    assert_eq!(names, ["heal-all", "recover", "heal-all", "crash", "crash"]);
    plan.remove(0);
    assert_eq!(plan.entries().len(), 4);
}

#[test]
fn the_schedule_follows_what_was_and_not_what_was_asked() {
    let mut plan =
        Plan::new(vec![at(1, Command::HealAll), at(2, Command::Recover), deposition()], Vec::new());
    let indices = |plan: &Plan| plan.schedule().into_iter().map(|(_, index)| index).collect::<Vec<_>>();
    assert_eq!(indices(&plan), [0, 2, 1]);
    plan.record(0, Was { moment: Moment::before(second(3)), place: 0, commands: vec![Command::HealAll] });
    assert_eq!(indices(&plan), [2, 1, 0]);
}

#[test]
fn what_a_role_was_decides_what_is_replayed() {
    let entry = deposition();
    assert_eq!(entry.commands(), Some(vec![Command::Crash(n(4))]));
    let asked = Entry { was: None, ..entry };
    assert_eq!((asked.commands(), asked.moment()), (None, None));
    let by_id = at(1, Command::Crash(Target::Node(n(2))));
    assert_eq!(by_id.commands(), Some(vec![Command::Crash(n(2))]));
}

#[test]
fn merging_keeps_the_first_plan_first_and_joins_scripts() {
    let first = Plan::new(vec![at(1, Command::HealAll)], vec![script(2, &[1]), script(1, &[2])]);
    let other = Plan::new(vec![at(1, Command::Recover), at(0, Command::Recover)], vec![script(2, &[3])]);
    let merged = first.merge(other);
    let names: Vec<_> = merged.entries().iter().map(|entry| entry.command.name()).collect();
    assert_eq!(names, ["recover", "heal-all", "recover"]);
    assert_eq!(merged.clients(), [script(1, &[2]), script(2, &[1, 3])]);
}

#[test]
fn a_plan_for_other_nodes_is_refused_with_the_entry() {
    let refusal = |command| {
        let plan =
            Plan::new(vec![at(1, Command::HealAll), at(2, Command::Recover), at(3, command)], Vec::new());
        plan.validate(5, 2).expect_err("it does not fit").to_string()
    };
    let third = "plan entry 3";
    assert_eq!(refusal(Command::Crash(target("n9"))), format!("{third} names n9, but there are 5 nodes"));
    let client = Place::Client(ClientId::new(6));
    let hold = Command::Hold { from: vec![client], to: vec![Place::Node(Target::All)] };
    assert_eq!(refusal(hold), format!("{third} names c7, but there are 2 clients"));
    let groups = vec![vec![Place::Node(target("n1"))], vec![Place::Node(target("n8"))]];
    let partition = Command::Partition { name: PartitionId::new(0), shape: Shape::Groups(groups) };
    assert!(refusal(partition).contains("names n8"));
    let id = MessageId { from: n(1).into(), to: n(6).into(), ordinal: 0 };
    assert!(refusal(Command::Message { id, act: MessageAct::Drop }).contains("names n6"));
    let issue = Command::Issue { client: ClientId::new(2), operation: read(1) };
    assert!(refusal(issue).contains("names c3"));
    let slow = Command::SlowDown { node: Target::Leader, percent: 99 };
    assert!(refusal(slow).contains("allowed are 100"));
    let clock = Command::Clock { node: Target::Leader, fault: ClockFault::Drift(600_000) };
    assert!(refusal(clock).contains(&ClockError::Drift(600_000).to_string()));
}

#[test]
fn what_a_command_was_has_to_fit_as_well() {
    let plan = Plan::new(vec![deposition()], vec![script(3, &[1])]);
    assert_eq!(plan.validate(3, 3), Err(PlanError::NoSuchNode { entry: 1, node: n(4), node_count: 3 }));
    let client = ClientId::new(2);
    assert_eq!(plan.validate(5, 2), Err(PlanError::NoSuchScript { client, client_count: 2 }));
    assert_eq!(plan.validate(5, 3), Ok(()));
}

#[test]
fn a_condition_that_counts_from_zero_is_refused() {
    let trigger = Trigger::after(Span::ZERO, StatusEvent::Crashes, 0);
    let plan = Plan::new(vec![Entry { trigger, ..deposition() }], Vec::new());
    assert_eq!(plan.validate(5, 0), Err(PlanError::OccurrenceZero { entry: 1 }));
}

#[test]
fn a_written_plan_names_nodes_and_times_as_people_do() {
    let cut = Command::Cut {
        from: vec![Place::Client(ClientId::new(0))],
        to: vec![Place::Node(target("majority-without-leader"))],
        direction: Direction::OneWay,
    };
    let plan = Plan::new(vec![deposition(), at(2, cut)], vec![script(1, &[7])]);
    let text = written(&plan);
    for part in
        ["\"leader\"", "\"n4\"", "\"1.2s\"", "\"3ms\"", "\"c1\"", "\"majority-without-leader\"", "\"5ms\""]
    {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    assert_eq!(reread(&plan), plan);
}

#[test]
fn what_was_is_only_read_with_ids() {
    let text = written(&Plan::new(vec![deposition()], Vec::new())).replace("n4", "leader");
    let error = ron::from_str::<Plan>(&text).expect_err("a role is not what was").to_string();
    assert!(error.contains("must name nodes by id"), "{error}");
}

#[test]
fn a_written_plan_that_is_out_of_order_is_put_in_order() {
    let entry = |number| format!("(trigger: At((time: \"{number}s\")), command: Crash(\"n1\"))");
    let plan: Plan = ron::from_str(&format!("Plan(entries: [{}, {}])", entry(2), entry(1))).expect("a plan");
    let times: Vec<_> = plan.entries().iter().filter_map(Entry::moment).map(|moment| moment.time).collect();
    assert_eq!(times, [second(1), second(2)]);
}

#[test]
fn entries_read_like_sentences() {
    let crash = at(1, Command::Crash(Target::Node(n(3))));
    assert_eq!(crash.to_string(), "at 1s: crash n3");
    let was = Was { moment: Moment::before(second(1)), place: 0, commands: vec![Command::Crash(n(3))] };
    assert_eq!(Entry { was: Some(was), ..crash }.to_string(), "at 1s: crash n3", "nothing new");
    let deposed = "3ms after the second become-leader: crash leader (was at 1.2s+2: crash n4)";
    assert_eq!(deposition().to_string(), deposed);
    let was = Was { moment: Moment::before(second(1)), place: 0, commands: Vec::new() };
    let nobody = Entry { was: Some(was), ..at(1, Command::Crash(Target::Leader)) };
    assert_eq!(nobody.to_string(), "at 1s: crash leader (was at 1s: nobody)");
}

#[test]
fn every_act_on_links_and_messages_is_read_back() {
    let half = Probability::from_ratio(1, 3).ok();
    let faults = [
        LinkFault::Loss(half),
        LinkFault::Duplicate(None),
        LinkFault::Reorder { probability: half, extra: Span::micros(3) },
        LinkFault::LatencyPercent(250),
    ];
    let mut entries: Vec<Entry> = faults.map(|fault| at(1, Command::AllLinks(fault))).into();
    let id = MessageId { from: Endpoint::from(ClientId::new(3)), to: n(2).into(), ordinal: 17 };
    let acts =
        [MessageAct::Drop, MessageAct::Delay(Span::millis(1)), MessageAct::Duplicate, MessageAct::Deliver];
    entries.extend(acts.map(|act| at(2, Command::Message { id, act })));
    let plan = Plan::new(entries, Vec::new());
    assert_eq!(reread(&plan), plan);
}

proptest! {
    #[test]
    fn generated_plans_are_read_back_as_they_were(seed: u64) {
        let nodes = (0..5).map(NodeId::new).collect();
        let generator = Generator {
            kinds: KINDS.iter().map(|kind| (*kind, kind.about().rate)).collect(),
            client_count: 2,
            sites: Sites { region_count: 2, ..Sites::default() },
            ..Generator::new(nodes, second(20))
        };
        let mut plan = generator.plan(&KeySource::new(seed));
        for index in 0..plan.entries().len() {
            let entry = &plan.entries()[index];
            // What is aimed knows neither before the run.
            let Some((moment, commands)) = entry.moment().zip(entry.commands()) else { continue };
            plan.record(index, Was { moment, place: 0, commands });
        }
        prop_assert_eq!(reread(&plan), plan);
    }
}

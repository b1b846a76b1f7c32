//! What somebody does to a run by hand: lines of its plan as text to be edited, and the whole as a scenario file.

use sim_core::SimTime;
use sim_core::fault::{Command, Entry, Plan, Target};
use sim_core::network::PartitionId;

use super::lines::{Undoing, as_it_was, faults_text, instant, on_a_line, timed};
use super::{Naming, heal, plan};
use crate::format::Scenario;
use crate::load::{self, Loaded};
use crate::protocol::ProtocolTable;
use crate::run::{self, Report, RunOptions};
use crate::text::{Diagnostic, Outline, Override, text_with};

/// What a new partition of a plan is numbered: the first number that is free behind those of the scenario.
pub fn free_partition(scenario: &Scenario, plan: &Plan) -> PartitionId {
    let names = Names::of(scenario);
    let is_free = |number: &u32| {
        let is_it = |entry: &Entry| partition(&entry.command).is_some_and(|name| name.raw() == *number);
        !plan.entries().iter().any(is_it)
    };
    let number = (names.count()..u32::MAX).find(is_free);
    PartitionId::new(number.expect("a plan has fewer entries than there are numbers"))
}

/// A line of a plan as scenario files have it: `(at: "1.5s", do: Crash("n1"))`; what it was, where that is known. `None` for what
/// files have no word for.
pub fn line(entry: &Entry, scenario: &Scenario) -> Option<String> {
    let names = Names::of(scenario);
    let was = as_it_was(entry);
    let entry = was.first().filter(|_| was.len() == 1).unwrap_or(entry);
    let timed = timed(&[entry], Undoing::Apart, &|partition| names.name(partition))?;
    timed.first().map(on_a_line)
}

/// A line that somebody wrote, and what undoes it where the line says so.
///
/// # Errors
/// As for a scenario with this line among its timed faults; places are in the line.
pub fn read_line(
    text: &str,
    loaded: &Loaded,
    plan: &Plan,
    table: &ProtocolTable,
) -> Result<Vec<Entry>, Diagnostic> {
    let set = [Override::parse_for("the line", &format!("faults=(timed: [{text}])"))?];
    let read = load::load("scenario", loaded.value_text().as_bytes(), &set, table)?.scenario;
    let (ours, theirs) = (Names::of(&loaded.scenario), Naming::of(&read));
    let mut entries: Vec<Entry> = read.faults.timed.iter().flat_map(|timed| theirs.timed(timed)).collect();
    for entry in &mut entries {
        if let Command::Partition { name, .. } | Command::HealPartition(name) = &mut entry.command {
            let written = theirs.partitions[name.raw() as usize];
            *name = ours.number(written).unwrap_or_else(|| free_partition(&loaded.scenario, plan));
        }
    }
    Ok(entries)
}

/// Why a run by hand is no scenario file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// Something was done after the fault phase.
    #[error(
        "`{act}` was done at {at}, but scenario files have faults only until {end}, when everything heals; a capsule keeps it"
    )]
    Late {
        /// What was done.
        act: String,
        /// When.
        at: SimTime,
        /// When the fault phase ends.
        end: SimTime,
    },
    /// Something has no word in scenario files.
    #[error("scenario files have no word for something that was done; a capsule keeps it")]
    NoWord,
    /// The file would not be the same run: acts between events of one instant, which files cannot tell apart.
    #[error(
        "as a scenario file it would be another run: something was done between events of one instant; a capsule keeps it"
    )]
    Differs,
}

/// A run in which things were done by hand, as a scenario file that gives the same run with the same seed. Its own faults stay as
/// they are written; where lines of those were changed, all faults are written out. `report` is the run's, to its end, and
/// `heading` what the file's first line says.
///
/// # Errors
/// If files cannot say it. That the file gives the same digest was tried.
pub fn scenario_text(
    loaded: &Loaded,
    table: &ProtocolTable,
    report: &Report,
    heading: &str,
) -> Result<String, Unwritable> {
    let scenario = loaded.configured(report.seed, table).scenario.clone();
    let kind = table.find(scenario.protocol.name()).expect("a loaded scenario has a protocol of the table");
    let own = plan(&scenario, kind.sites(&scenario.protocol), report.seed);
    let is_same = |one: &Entry, other: &Entry| one.trigger == other.trigger && one.command == other.command;
    let has = |plan: &Plan, entry: &Entry| plan.entries().iter().any(|known| is_same(known, entry));
    let is_as_written = own.entries().iter().all(|entry| has(&report.plan, entry));
    let is_new = |entry: &&Entry| {
        if is_as_written {
            !has(&own, entry)
        } else {
            !heal::entries(&scenario).iter().any(|part| is_same(part, entry))
        }
    };
    let new: Vec<Entry> = report.plan.entries().iter().filter(is_new).flat_map(as_it_was).collect();
    let end = scenario.phases.heal_at();
    if let Some(late) = new.iter().find(|entry| entry.moment().is_none_or(|moment| moment.time >= end)) {
        let at = late.moment().map_or(end, instant);
        return Err(Unwritable::Late { act: late.command.to_string(), at, end });
    }
    let names = Names::of(&loaded.scenario);
    let new = timed(&new, Undoing::Apart, &|partition| names.name(partition)).ok_or(Unwritable::NoWord)?;
    let faults = if is_as_written {
        let mut faults = loaded.scenario.faults.clone();
        faults.timed.extend(new);
        on_a_line(&faults)
    } else {
        faults_text(&new)
    };
    let text = text_with(loaded.value_text(), &[&format!("faults={faults}")]).ok_or(Unwritable::NoWord)?;
    let text = format!("// {heading}\n{}\n", Outline::new(&text).laid_out("Scenario"));
    let again = load::load("by-hand.ron", text.as_bytes(), &[], table).map_err(|_| Unwritable::NoWord)?;
    let again = run::run(&again, table, report.seed, &RunOptions::PLAIN).report;
    (again.digest == report.digest).then_some(text).ok_or(Unwritable::Differs)
}

fn partition(command: &Command<Target>) -> Option<PartitionId> {
    match command {
        Command::Partition { name, .. } | Command::HealPartition(name) => Some(*name),
        _ => None,
    }
}

/// What partitions are called in lines. Names that were not in the scenario come behind its own in the alphabet, by number: so
/// that they get the same numbers when the file is read.
struct Names<'scenario> {
    own: Naming<'scenario>,
    /// What the others begin with.
    prefix: String,
}

impl<'scenario> Names<'scenario> {
    fn of(scenario: &'scenario Scenario) -> Self {
        let own = Naming::of(scenario);
        let prefix = match own.partitions.last() {
            Some(last) if *last >= "split-" => format!("{last}-split-"),
            _ => "split-".to_owned(),
        };
        Self { own, prefix }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.own.partitions.len()).expect("a file has fewer names than that")
    }

    fn name(&self, partition: PartitionId) -> String {
        match self.own.partitions.get(partition.raw() as usize) {
            Some(name) => (*name).to_owned(),
            None => format!("{}{:03}", self.prefix, partition.raw()),
        }
    }

    fn number(&self, name: &str) -> Option<PartitionId> {
        if self.own.partitions.contains(&name) {
            return Some(self.own.number(name));
        }
        let number = name.strip_prefix(&self.prefix)?.parse().ok()?;
        Some(PartitionId::new(number))
    }
}

#[cfg(test)]
mod tests {
    use sim_core::fault::{Place, Shape, Target};
    use sim_core::{NodeId, Span};

    use super::*;
    use crate::library;

    fn library(name: &str) -> (Loaded, ProtocolTable) {
        let (table, entry) = (ProtocolTable::builtin(), library::find(name).expect("the library has it"));
        (load::load(entry.path, entry.text.as_bytes(), &[], &table).expect("it is right"), table)
    }

    fn report(loaded: &Loaded, table: &ProtocolTable, seed: u64, new: Vec<Entry>) -> Report {
        let scenario = loaded.configured(seed, table).scenario.clone();
        let kind = table.find(scenario.protocol.name()).expect("it is there");
        let mut plan = plan(&scenario, kind.sites(&scenario.protocol), seed);
        for entry in new {
            plan.insert(entry);
        }
        run::run(loaded, table, seed, &RunOptions { replay: Some(plan), ..RunOptions::PLAIN }).report
    }

    fn at(millis: u64, command: Command<Target>) -> Entry {
        Entry::at(SimTime::ZERO + Span::millis(millis), command)
    }

    fn split(scenario: &Scenario, plan: &Plan, nodes: [u32; 2]) -> Command<Target> {
        let group = nodes.map(|node| Place::Node(Target::Node(NodeId::new(node)))).to_vec();
        Command::Partition { name: free_partition(scenario, plan), shape: Shape::Groups(vec![group]) }
    }

    #[test]
    fn lines_of_drawn_plans_read_back_as_they_were() {
        for (name, seed) in [("raft/random-swarm", 1), ("paxos/random-swarm", 4), ("vrr/random-swarm", 9)] {
            let (loaded, table) = library(name);
            let scenario = loaded.configured(seed, &table).scenario.clone();
            let kind = table.find(scenario.protocol.name()).expect("it is there");
            let plan = plan(&scenario, kind.sites(&scenario.protocol), seed);
            let early = |entry: &&Entry| entry.moment().is_some_and(|m| m.time < scenario.phases.heal_at());
            let mut count = 0;
            for entry in plan.entries().iter().filter(early) {
                let Some(line) = line(entry, &scenario) else { continue };
                let read = read_line(&line, &loaded, &plan, &table)
                    .unwrap_or_else(|error| panic!("{name}, `{line}`: {error}"));
                assert_eq!(read, std::slice::from_ref(entry), "{name}: `{line}`");
                count += 1;
            }
            assert!(count > 10, "{name} has only {count} lines");
        }
    }

    #[test]
    fn a_wrong_line_is_refused_with_its_place_and_what_is_allowed() {
        let (loaded, table) = library("raft/leader-crash");
        let refusal = |line| {
            let plan = Plan::default();
            read_line(line, &loaded, &plan, &table).expect_err("it is wrong").to_string()
        };
        assert!(
            refusal("(at: \"1s\", do: Crash(\"n9\"))").contains("n9"),
            "{}",
            refusal("(at: \"1s\", do: Crash(\"n9\"))")
        );
        let message = refusal("(at: \"1s\", do: Crush(\"n1\"))");
        assert!(message.contains("Crush") && message.contains("Crash"), "{message}");
        assert!(refusal("(at: \"1s\"").contains("the line"), "{}", refusal("(at: \"1s\""));
    }

    #[test]
    fn what_was_done_by_hand_is_a_scenario_file_with_the_same_digest() {
        for (name, seed) in
            [("raft/leader-crash", 3), ("raft/random-swarm", 3), ("consensus/partition-and-leader-crash", 1)]
        {
            let (loaded, table) = library(name);
            let scenario = loaded.configured(seed, &table).scenario.clone();
            let first = report(&loaded, &table, seed, Vec::new());
            let cut = split(&scenario, &first.plan, [0, 1]);
            let done = report(
                &loaded,
                &table,
                seed,
                vec![at(311, Command::Crash(NodeId::new(2).into())), at(402, cut.clone())],
            );
            let Command::Partition { name: number, .. } = cut else { panic!("it was just made") };
            let done = report(&loaded, &table, seed, {
                let mut new: Vec<Entry> = vec![at(311, Command::Crash(NodeId::new(2).into())), at(402, cut)];
                new.push(at(450, split(&scenario, &done.plan, [3, 4])));
                new.push(at(470, Command::HealPartition(number)));
                new
            });
            let text = scenario_text(&loaded, &table, &done, "By hand.")
                .unwrap_or_else(|error| panic!("{name}: {error}"));
            let again = load::load("it.ron", text.as_bytes(), &[], &table).expect("it was just read");
            let again = run::run(&again, &table, seed, &RunOptions::PLAIN).report;
            assert_eq!(again.digest, done.digest, "{name}: {text}");
            assert_ne!(again.digest, first.digest, "{name}");
        }
    }

    #[test]
    fn a_plan_from_which_a_line_was_taken_is_written_out_whole() {
        let (loaded, table) = library("raft/leader-crash");
        let mut plan = report(&loaded, &table, 3, Vec::new()).plan;
        let fault = plan.entries().iter().position(|entry| matches!(entry.command, Command::Crash(_)));
        plan.remove(fault.expect("the leader crashes"));
        plan.insert(at(700, Command::Pause(NodeId::new(1).into())));
        let done =
            run::run(&loaded, &table, 3, &RunOptions { replay: Some(plan), ..RunOptions::PLAIN }).report;
        let text = scenario_text(&loaded, &table, &done, "By hand.").expect("files can say it");
        assert!(text.contains("Pause(\"n2\")") && !text.contains("2.5s\", do: Crash"), "{text}");
    }

    #[test]
    fn what_was_done_after_the_fault_phase_is_refused_with_a_way_out() {
        let (loaded, table) = library("raft/leader-crash");
        let end = loaded.scenario.phases.heal_at();
        let late = Entry::at(end + Span::millis(1), Command::<Target>::Crash(NodeId::new(0).into()));
        let done = report(&loaded, &table, 3, vec![late]);
        let refusal = scenario_text(&loaded, &table, &done, "By hand.").expect_err("it is late");
        assert!(
            matches!(refusal, Unwritable::Late { .. }) && refusal.to_string().contains("capsule"),
            "{refusal}"
        );
    }
}

//! A process that panics, or an engine that cannot go on, is the end of its run and not of the sweep.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use scenarios::assemble::Blueprint;
use scenarios::protocol::{Protocol, ProtocolAbout, ProtocolKind};
use scenarios::run::{Inconclusive, Verdict};
use scenarios::validate::Objection;
use scenarios::{Loaded, ProtocolTable, Report, RunOptions};
use serde::Serialize;
use sim_core::check::{About, Breach, Invariant, Nodes};
use sim_core::disk::{DiskPromise, Record};
use sim_core::fault::Sites;
use sim_core::process::{Message, Timer};
use sim_core::service::{Operation, Service};
use sim_core::status::Status;
use sim_core::view::{ViewBuilder, ViewRequest};
use sim_core::{Context, NodeId, OpId, Process, Simulation, Span, SyncId, World};

use super::{DoubleCheck, Job, News, Progress, Row, Sweep};
use crate::report::VerdictKind;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Flaw {
    /// `n2` panics at its third tick, with every other seed or so.
    Tick,
    /// It panics when it is booted, with every seed.
    Boot,
    /// The invariant panics.
    Invariant,
    /// Messages become more and more.
    Flood,
    /// It counts how often it was started, in this program: no run is the same again.
    Fickle,
}

/// What a process must never look at.
static STARTS: AtomicU64 = AtomicU64::new(0);

/// A process with a flaw.
#[derive(Clone, Serialize)]
struct Flawed {
    flaw: Flaw,
    ticks: u64,
    is_armed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Ping;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Tick;

#[derive(Clone, Debug)]
struct Ticked;

impl Process for Flawed {
    type Config = Flaw;
    type Message = Ping;
    type Timer = Tick;
    type Record = Ping;
    type Fact = Ticked;

    const PROMISE: DiskPromise = DiskPromise::CRASH_FAULT;

    fn boot(flaw: &Flaw, node: NodeId) -> Self {
        assert!(*flaw != Flaw::Boot || node.raw() != 1, "{node} does not boot");
        Self { flaw: *flaw, ticks: 0, is_armed: false }
    }

    fn on_start(&mut self, context: &mut Context<'_, Self>) {
        let draws_a_panic = context.random().below(2) == 0;
        self.is_armed = self.flaw == Flaw::Tick && context.node().raw() == 1 && draws_a_panic;
        let late = if self.flaw == Flaw::Fickle { STARTS.fetch_add(1, Ordering::Relaxed) } else { 0 };
        context.set_timer(Tick, Span::millis(10) + Span::nanos(late));
    }

    fn on_message(&mut self, context: &mut Context<'_, Self>, from: NodeId, _: Ping) {
        if self.flaw == Flaw::Flood {
            context.send(from, Ping);
            context.send(from, Ping);
        }
    }

    fn on_timer(&mut self, context: &mut Context<'_, Self>, _: Tick) {
        self.ticks += 1;
        assert!(!self.is_armed || self.ticks < 3, "{} gives up at tick {}", context.node(), self.ticks);
        context.fact(Ticked);
        context.broadcast(&Ping);
        context.set_timer(Tick, Span::millis(10));
    }

    fn on_request(&mut self, _: &mut Context<'_, Self>, _: OpId, _: Operation) {}

    fn on_durable(&mut self, _: &mut Context<'_, Self>, _: SyncId) {}

    fn fork(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn status(&self) -> Status {
        Status::peer("flawed")
    }

    fn view(&self, view: &mut ViewBuilder, _: &ViewRequest) {
        view.number("ticks", self.ticks);
    }
}

impl Message for Ping {
    const KINDS: &'static [&'static str] = &["ping"];

    fn kind(&self) -> u8 {
        0
    }

    fn size(&self) -> u64 {
        8
    }
}

impl Record for Ping {
    fn size(&self) -> u64 {
        8
    }
}

impl Timer for Tick {
    const NAMES: &'static [&'static str] = &["tick"];

    fn index(self) -> Option<usize> {
        Some(0)
    }
}

/// An invariant that panics if it has the flaw.
#[derive(Clone, Debug)]
struct Watchful(Flaw);

impl Invariant<Flawed> for Watchful {
    fn about(&self) -> &'static About {
        &About { name: "watchful", statement: "nothing", source: "the test itself", leaves_out: "everything" }
    }

    fn on_event(&mut self, _: &Nodes<'_, Flawed>, node: NodeId, facts: &[Ticked]) -> Result<(), Breach> {
        assert!(self.0 != Flaw::Invariant, "cannot judge {facts:?} of {node}");
        Ok(())
    }

    fn check_all(&self, _: &Nodes<'_, Flawed>) -> Result<(), Breach> {
        Ok(())
    }
}

impl ProtocolKind for Flaw {
    fn about(&self) -> ProtocolAbout {
        ProtocolAbout {
            name: "flawed".to_owned(),
            summary: "panics".to_owned(),
            services: vec![Service::Echo],
            region_count: 0,
            parameters: schemars::Schema::default(),
            invariants: vec![*Watchful(*self).about()],
            mutants: Vec::new(),
            message_kinds: Ping::KINDS.to_vec(),
            timers: Tick::NAMES.to_vec(),
            points: Vec::new(),
            fault_points: Vec::new(),
            gauges: Vec::new(),
            counters: Vec::new(),
            latencies: Vec::new(),
        }
    }

    fn sites(&self, _protocol: &Protocol) -> Sites {
        Sites { timers: Tick::NAMES, ..Sites::default() }
    }

    fn check(&self, _: &Protocol, _: &[NodeId]) -> Result<(), Objection> {
        Ok(())
    }

    fn assemble(&self, _: &Protocol, _: &[NodeId], blueprint: Blueprint) -> Box<dyn Simulation> {
        let mut world = World::new(blueprint.setup::<Flawed>(*self, vec![Box::new(Watchful(*self))]));
        world.limit_pending(2_000);
        Box::new(world)
    }
}

/// Three nodes with a flaw, and a table that knows them.
fn flawed(flaw: Flaw) -> (ProtocolTable, Loaded) {
    let mut table = ProtocolTable::builtin();
    table.add(Box::new(flaw));
    let text = r#"Scenario(format_version: 1, name: "flawed", nodes: 3, protocol: Added("flawed"),
        clients: (count: 0), checks: (liveness: Ignored), phases: (faults: "100ms"))"#;
    let loaded = scenarios::load("flawed.ron", text.as_bytes(), &[], &table)
        .unwrap_or_else(|error| panic!("the scenario is valid: {error}"));
    (table, loaded)
}

/// The reports of a sweep over eight seeds of three nodes with a flaw.
fn sweep(flaw: Flaw) -> Vec<Report> {
    let (table, loaded) = flawed(flaw);
    let jobs = (0..8).map(|seed| Job { index: seed, loaded: &loaded, seed, options: &RunOptions::PLAIN });
    let done = Sweep::new(&table).run(jobs, |_, report| report, |_| false, &mut Progress::silent());
    let reports: Vec<Report> = done.into_iter().map(|done| done.kept).collect();
    let seeds: Vec<u64> = reports.iter().map(|report| report.seed).collect();
    assert_eq!(seeds, (0..8).collect::<Vec<_>>(), "each seed has a report");
    reports
}

/// The rows of such a sweep, each of whose runs is made twice.
fn rows_of_twice(flaw: Flaw) -> Vec<Row> {
    let (table, loaded) = flawed(flaw);
    let check = DoubleCheck::parse("100%").expect("all of them");
    let mut rows = Vec::new();
    let jobs = (0..8).map(|seed| Job { index: seed, loaded: &loaded, seed, options: &RunOptions::PLAIN });
    Sweep::new(&table).stream(
        jobs,
        |job, ended| check.row(job, ended, &table),
        |news| {
            rows.extend(if let News::Done(done) = news { Some(done.kept) } else { None });
            ControlFlow::Continue(())
        },
    );
    rows
}

#[test]
fn a_run_that_is_not_the_same_again_is_told_with_its_first_event_and_both_sides() {
    let rows = rows_of_twice(Flaw::Fickle);
    assert_eq!(rows.len(), 8);
    for row in rows {
        assert_eq!((row.verdict, row.is_failure()), (VerdictKind::NonDeterminism, true));
        assert!(row.text.contains("the runs part at event ") && row.text.contains("first `"), "{}", row.text);
        assert!(row.text.matches("tick").count() >= 1, "it is a timer that fires elsewhere: {}", row.text);
    }
    assert!(rows_of_twice(Flaw::Flood).iter().all(|row| row.verdict == VerdictKind::Inconclusive));
}

#[test]
fn a_process_that_panics_has_a_report_and_the_next_seeds_run() {
    let reports = sweep(Flaw::Tick);
    let panicked: Vec<&Report> = reports.iter().filter(|report| report.exit_code == 1).collect();
    assert!(panicked.len() < 8 && panicked.first().is_some_and(|report| report.seed < 7), "some seeds do");
    for report in &reports {
        if report.exit_code == 0 {
            assert_eq!((&report.verdict, report.violations.len()), (&Verdict::Pass, 0));
            assert!(report.simulated_ns > 90_000_000, "it ran to its end: {} ns", report.simulated_ns);
            continue;
        }
        let message = "n2 gives up at tick 3".to_owned();
        assert_eq!((&report.verdict, report.exit_code), (&Verdict::Panic { message: message.clone() }, 1));
        let [violation] = &report.violations[..] else { panic!("one violation: {:?}", report.violations) };
        assert_eq!((violation.property.as_str(), violation.node.as_deref()), ("panic", Some("n2")));
        assert_eq!((&violation.evidence, violation.at_ns), (&message, 30_000_000));
        assert_eq!(violation.event, report.events, "the last event is the one that panicked");
        // Two ticks of three nodes, each heard by the two others, and the third ticks of n1 and n2.
        assert!(violation.event >= 8 && violation.event <= 20, "{}", violation.event);
    }
}

#[test]
fn a_process_that_panics_when_it_is_booted_has_a_report() {
    for report in sweep(Flaw::Boot) {
        let message = "n2 does not boot".to_owned();
        assert_eq!((report.verdict, report.exit_code), (Verdict::Panic { message }, 1));
        let [violation] = &report.violations[..] else { panic!("one violation: {:?}", report.violations) };
        assert_eq!((violation.event, violation.at_ns, violation.node.as_deref()), (0, 0, Some("n2")));
    }
}

#[test]
fn an_invariant_that_panics_is_an_internal_error_and_no_violation() {
    for report in sweep(Flaw::Invariant) {
        let message = "cannot judge [Ticked] of n1".to_owned();
        assert_eq!((report.verdict, report.exit_code), (Verdict::InternalError { message }, 70));
        assert!(report.violations.is_empty(), "{:?}", report.violations);
    }
}

#[test]
fn more_pending_events_than_the_engine_takes_are_inconclusive() {
    for report in sweep(Flaw::Flood) {
        let limit = "more than 2000 events pending".to_owned();
        let verdict = Verdict::Inconclusive { reason: Inconclusive::EngineLimit { limit } };
        assert_eq!((report.verdict, report.exit_code), (verdict, 3));
        assert!(report.violations.is_empty(), "{:?}", report.violations);
    }
}

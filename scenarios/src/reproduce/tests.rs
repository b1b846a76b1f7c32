use super::*;

fn table() -> ProtocolTable {
    ProtocolTable::builtin()
}

fn figure(statistic: &str, expected: &str, tolerance: &str) -> Result<Prepared, Diagnostic> {
    let text = format!(
        r#"Reproduction(
            format_version: 1, name: "t", summary: "t", source: "t", scenario: "raft/steady", runs: 3,
            figures: [(
                name: "f", measure: Between(from: Start, to: Leads),
                statistic: {statistic}, expected: "{expected}", tolerance: {tolerance},
            )],
        )"#
    );
    prepare("t.ron", text.as_bytes(), &table())
}

#[test]
fn every_reproduction_is_valid_and_cites_its_source() {
    for entry in all() {
        let prepared = prepare(entry.path, entry.text.as_bytes(), &table());
        let prepared = prepared.unwrap_or_else(|error| panic!("{}: {error}", entry.path));
        assert_eq!(prepared.reproduction.name, entry.name, "{}", entry.path);
        assert!(prepared.reproduction.source.len() > 20, "{} says where its numbers are from", entry.path);
    }
}

#[test]
fn statistics_are_those_of_a_small_list_by_hand() {
    let values = [1.0, 2.0, 3.0, 10.0];
    let of = |statistic: Statistic| statistic.of(&values, 5);
    assert_eq!(of(Statistic::Mean), Some(4.0));
    assert_eq!([of(Statistic::Min), of(Statistic::Max)], [Some(1.0), Some(10.0)]);
    assert_eq!(
        [50, 51, 75, 76, 100].map(|p| of(Statistic::Percentile(p))),
        [2.0, 3.0, 3.0, 10.0, 10.0].map(Some)
    );
    assert_eq!(of(Statistic::ShareAtMost(Quantity::Number(3.0))), Some(0.6), "the fifth run has more");
    assert_eq!(of(Statistic::ShareAtLeast(Quantity::Number(3.0))), Some(0.4), "the fifth run has less");
    assert_eq!(Statistic::Mean.of(&[], 5), None);
}

#[test]
fn tolerances_accept_what_is_near_and_nothing_else() {
    let accepts =
        |tolerance: Tolerance, ours| tolerance.accepts(Quantity::Number(ours), Quantity::Number(10.0));
    let relative = Tolerance::Relative(0.1);
    assert_eq!([8.9, 9.1, 10.9, 11.1].map(|ours| accepts(relative, ours)), [false, true, true, false]);
    let absolute = Tolerance::Absolute(Quantity::Number(2.0));
    assert_eq!([7.9, 8.1, 11.9, 12.1].map(|ours| accepts(absolute, ours)), [false, true, true, false]);
    assert_eq!(
        [3.0, 4.0, 25.0, 26.0].map(|ours| accepts(Tolerance::Factor(2.5), ours)),
        [false, true, true, false]
    );
    assert_eq!([9.9, 10.0].map(|ours| accepts(Tolerance::AtLeast, ours)), [false, true]);
    assert_eq!([10.0, 10.1].map(|ours| accepts(Tolerance::AtMost, ours)), [true, false]);
}

#[test]
fn a_run_that_did_not_get_there_fails_a_mean_and_counts_in_a_share() {
    let mean = figure("Mean", "2ms", "Relative(0.5)").expect("valid").reproduction;
    let ms = |millis: f64| Some(millis * 1e6);
    let ours = mean.ours(0, &[ms(1.0), ms(3.0)]);
    assert_eq!((ours.value, ours.missing, ours.passes), (Some(Quantity::Nanos(2e6)), 0, true));
    let ours = mean.ours(0, &[ms(1.0), ms(3.0), None]);
    assert_eq!((ours.missing, ours.passes), (1, false));
    let share = figure(r#"ShareAtMost("2ms")"#, "0.5", "Absolute(\"0.1\")").expect("valid").reproduction;
    let ours = share.ours(0, &[ms(1.0), None]);
    assert_eq!((ours.value, ours.passes), (Some(Quantity::Number(0.5)), true));
}

#[test]
fn a_figure_whose_units_do_not_fit_is_refused() {
    let said = |result: Result<Prepared, Diagnostic>| result.expect_err("refused").to_string();
    assert!(said(figure("Mean", "2", "AtLeast")).contains("a time, such as `150ms`"));
    assert!(said(figure("ShareAtMost(\"2ms\")", "2ms", "AtLeast")).contains("a number without a unit"));
    assert!(said(figure("ShareAtMost(\"2\")", "0.2", "AtLeast")).contains("no bound"));
    assert!(said(figure("Mean", "soon", "AtLeast")).contains("neither a time nor a number"));
}

#[test]
fn a_measure_takes_the_first_after_the_first() {
    let prepared = figure("Mean", "2ms", "AtLeast").expect("valid");
    let report = run::run(&prepared.loaded, &table(), 0, &run::RunOptions::default()).report;
    let elected = report.milestones.iter().find(|milestone| milestone.kind == run::MilestoneKind::Leads);
    let elected = elected.expect("somebody leads").at_ns;
    assert_eq!(prepared.reproduction.values(&report), [Some(quantity::float(elected))]);
    let never = Measure::Between { from: Mark::Leads, to: Mark::Crashes };
    assert_eq!(never.value(&report), None);
    let until = |from| Measure::Until { from, point: "a vote was refused".to_owned() }.value(&report);
    assert_eq!(until(Mark::Crashes), None, "nobody crashes");
    let once = Measure::Counter("leaders-elected".to_owned()).value(&report);
    assert_eq!((once, Measure::Violates(Vec::new()).value(&report)), (Some(1.0), Some(0.0)));
}

#[test]
fn what_a_protocol_keeps_of_its_own_can_be_measured() {
    let with = |measure: &str, expected: &str| {
        let text = format!(
            r#"Reproduction(
                format_version: 1, name: "t", summary: "t", source: "t", scenario: "gossip/residue", runs: 1,
                set: ["nodes=30"],
                figures: [(
                    name: "f", measure: {measure}, statistic: Mean, expected: "{expected}", tolerance: AtLeast,
                )],
            )"#
        );
        prepare("t.ron", text.as_bytes(), &table())
    };
    let value = |measure: &str, expected: &str| {
        let prepared = with(measure, expected).unwrap_or_else(|error| panic!("{error}"));
        let report = run::run(&prepared.loaded, &table(), 0, &run::RunOptions::default()).report;
        prepared.reproduction.values(&report)[0].expect("it is there in every run")
    };
    let reached = value("Counter(\"sites-reached\")", "1");
    assert!((2.0..=30.0).contains(&reached), "{reached} of 30 sites");
    let rest = value("Rest(of: \"sites-reached\", from: 30)", "1");
    assert!((reached + rest - 30.0).abs() < 1e-9, "{reached} and {rest} are all");
    let last = value("Latency(name: \"spread\", part: Max)", "1s");
    assert!(last >= 1e9, "the last site hears it after a cycle or more, not {last} ns");
    let refused = with("Counter(\"sites-lost\")", "1").expect_err("gossip has no such counter");
    assert!(refused.to_string().contains("there is no counter `sites-lost`"));
}

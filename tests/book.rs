//! Holds the book against the program: its links, its scenarios, and the tables that repeat what the code knows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use scenarios::protocol::ProtocolKind;
use scenarios::{ProtocolTable, Scenario};
use schemars::schema_for;
use serde_json::Value;
use sim_core::fault::{self, Severity, Target};
use sim_core::metrics::{Counter, Gauge, Latency};
use sim_core::ratio::{RATIOS, THROUGHPUT};

/// Objects of a report that have names as keys, not fields.
const NAMED: [&str; 6] = ["counters", "fault_points", "gauges", "latencies", "points", "ratios"];
/// An object of a report that has names as keys, and under each the names of nodes.
const NAMED_TWICE: &str = "process_gauges";

// ----- links -----

#[test]
fn every_chapter_is_in_the_summary_and_the_summary_has_no_other() {
    let linked: BTreeSet<String> = links(&chapter("SUMMARY.md")).into_iter().collect();
    let written: BTreeSet<String> = chapters().into_iter().filter(|name| name != "SUMMARY.md").collect();
    assert_eq!(linked, written, "left: linked from `SUMMARY.md`; right: files in `book/src/`");
}

#[test]
fn every_link_between_chapters_leads_somewhere() {
    for name in chapters() {
        let inner = links(&chapter(&name)).into_iter().filter(|link| !link.contains("://"));
        for link in inner {
            let target = link.split('#').next().unwrap_or_default();
            assert!(source().join(target).is_file(), "{name} links to `{link}`, which does not exist");
        }
    }
}

#[test]
fn every_source_path_that_the_book_names_exists() {
    for name in chapters() {
        for path in places(&chapter(&name)).into_iter().filter(|text| is_source(text)) {
            assert!(root().join(&path).exists(), "{name} names `{path}`, which does not exist");
        }
    }
}

// ----- scenarios -----

#[test]
fn every_scenario_in_the_book_is_valid() {
    let mut count = 0;
    for name in chapters() {
        for text in blocks(&chapter(&name), "ron,scenario") {
            let loaded = scenarios::load(&name, text.as_bytes(), &[], &ProtocolTable::builtin());
            assert!(loaded.is_ok(), "{}", loaded.expect_err("it was not loaded"));
            count += 1;
        }
    }
    assert!(count > 0, "the book shows no scenario");
}

#[test]
fn the_shrunk_scenario_of_the_book_fails_as_it_says() {
    let table = ProtocolTable::builtin();
    let blocks = blocks(&chapter("shrinking.md"), "ron,scenario");
    let [text] = blocks.as_slice() else { panic!("one scenario, not {}", blocks.len()) };
    let loaded = scenarios::load("shrinking.md", text.as_bytes(), &[], &table).expect("it is valid");
    let report = scenarios::run(&loaded, &table, 20, &scenarios::RunOptions::default()).report;
    let expected = scenarios::Verdict::ExpectedViolation { property: "linearizability".to_owned() };
    assert_eq!(report.verdict, expected);
}

#[test]
fn the_book_has_every_field_and_variant_of_a_scenario() {
    let names = names_of(&Value::from(schema_for!(Scenario)));
    let page = words(&chapter("scenarios.md"));
    let missing: Vec<_> = names.difference(&page).collect();
    assert!(missing.is_empty(), "`scenarios.md` does not name {missing:?}");
}

#[test]
fn every_scenario_that_the_book_names_is_in_the_library() {
    let table = ProtocolTable::builtin();
    let mutants_of = |protocol: scenarios::protocol::ProtocolAbout| {
        let name = protocol.name;
        protocol.mutants.into_iter().map(move |mutant| format!("{name}/{}", mutant.name))
    };
    let mutants: BTreeSet<String> = table.iter().flat_map(|protocol| mutants_of(protocol.about())).collect();
    for name in chapters() {
        for text in places(&chapter(&name)).into_iter().filter(|text| is_scenario_name(text)) {
            let is_known = scenarios::library::find(&text).is_some() || mutants.contains(&text);
            assert!(is_known, "{name} names the scenario `{text}`");
        }
    }
}

// ----- tables that repeat what the code knows -----

#[test]
fn the_table_of_faults_is_that_of_the_engine() {
    let written: Vec<[String; 2]> = rows(&chapter("faults.md"), "kind");
    let known = fault::KINDS.iter().map(|kind| {
        let about = kind.about();
        let severity = match about.severity {
            Severity::Benign => "benign",
            Severity::BeyondCrashFault => "beyond",
        };
        [format!("`{}`", about.name), severity.to_owned()]
    });
    assert_eq!(written, known.collect::<Vec<_>>(), "left: `faults.md`; right: the engine");
}

#[test]
fn every_fault_point_is_in_the_book() {
    let table = ProtocolTable::builtin();
    let of = |protocols: &str| -> Vec<String> { protocols.split(", ").map(str::to_owned).collect() };
    let rows = rows(&chapter("faults.md"), "fault point").into_iter();
    let written: BTreeSet<(String, String)> = rows
        .flat_map(|[point, protocols]| {
            of(&protocols).into_iter().map(move |protocol| (protocol, point.clone()))
        })
        .collect();
    let known = table.iter().flat_map(|protocol| {
        let about = protocol.about();
        let names =
            about.fault_points.iter().map(|point| (format!("`{}`", about.name), format!("`{point}`")));
        names.collect::<Vec<_>>()
    });
    assert_eq!(written, known.collect(), "left: `faults.md`; right: the protocols");
    for name in table.iter().flat_map(|protocol| protocol.about().fault_points) {
        assert!(name.parse::<fault::PointName>().is_ok(), "`{name}` cannot be written in a scenario");
    }
}

#[test]
fn every_latency_and_ratio_is_in_the_book() {
    let named = |header| -> BTreeSet<String> {
        let cells = rows(&chapter("reports.md"), header).into_iter().map(|[names, _]| names);
        cells
            .flat_map(|names| {
                names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect::<Vec<_>>()
            })
            .collect()
    };
    let latencies = Latency::ALL.map(|latency| latency.name().to_owned());
    assert_eq!(named("latency"), latencies.into(), "left: `reports.md`; right: the engine");
    let ratios = RATIOS.map(|ratio| ratio.name).into_iter().chain([THROUGHPUT]);
    assert_eq!(named("ratio"), ratios.map(str::to_owned).collect(), "left: `reports.md`; right: the engine");
    let page = chapter("reports.md");
    for counter in [
        Counter::Epochs,
        Counter::EpochsWithoutLeader,
        Counter::SplitVotes,
        Counter::CandidaciesDespiteLeader,
        Counter::Decided,
        Counter::StaleReads,
    ] {
        assert!(page.contains(&format!("`{counter}`")), "`reports.md` does not name `{counter}`");
    }
}

#[test]
fn what_protocols_keep_is_in_the_book_and_has_names_of_its_own() {
    let page = chapter("reports.md");
    let written: BTreeSet<String> = rows(&page, "of the protocol")
        .into_iter()
        .flat_map(|[names, kept]| {
            let (protocol, names) = names.split_once(": ").expect("`protocol`: `name`, …");
            let whole = |name: &str| format!("{protocol} {kept} {name}");
            names.split(", ").map(whole).collect::<Vec<_>>()
        })
        .collect();
    let table = ProtocolTable::builtin();
    let known = table.iter().flat_map(|protocol| {
        let about = protocol.about();
        let kept = [("gauge", about.gauges), ("counter", about.counters), ("latency", about.latencies)];
        kept.into_iter().flat_map(move |(kept, names)| {
            let protocol = about.name.clone();
            names.into_iter().map(move |name| format!("`{protocol}` {kept} `{name}`"))
        })
    });
    assert_eq!(written, known.collect(), "left: `reports.md`; right: the protocols");
    for about in table.iter().map(ProtocolKind::about) {
        let of_engine = |name: &&str| {
            Counter::ALL.iter().any(|counter| counter.name() == *name)
                || Latency::ALL.iter().any(|latency| latency.name() == *name)
                || Gauge::ALL.iter().any(|gauge| gauge.name() == *name)
        };
        let own: Vec<_> = [about.gauges, about.counters, about.latencies].concat();
        assert_eq!(
            own.iter().find(|name| of_engine(name)),
            None,
            "{} takes a name of the engine",
            about.name
        );
        assert_eq!(own.iter().collect::<BTreeSet<_>>().len(), own.len(), "{}: {own:?}", about.name);
    }
}

#[test]
fn the_table_of_gauges_is_that_of_the_engine() {
    let written = rows(&chapter("reports.md"), "gauge").into_iter().map(|[name, _]| name);
    let known = Gauge::ALL.map(|gauge| format!("`{gauge}`"));
    assert_eq!(written.collect::<Vec<_>>(), known, "left: `reports.md`; right: the engine");
}

#[test]
fn every_target_is_in_the_book() {
    let page = chapter("faults.md");
    for form in Target::FORMS {
        assert!(page.contains(&format!("`{form}`")), "`faults.md` does not name the target `{form}`");
    }
}

#[test]
fn every_invariant_of_a_protocol_with_a_chapter_is_in_it() {
    let table = ProtocolTable::builtin();
    for name in [
        "raft",
        "vrr",
        "chain",
        "gossip",
        "plumtree",
        "epidemic",
        "crdt",
        "swim",
        "queue",
        "lock",
        "two_phase_commit",
        "snapshots",
        "unique_ids",
    ] {
        let protocol = table.find(name).expect("it is built in").about();
        let page = format!("{}.md", name.replace('_', "-"));
        let written: BTreeSet<String> =
            rows(&chapter(&page), "invariant").into_iter().map(|[name, _]| name).collect();
        let known = protocol.invariants.iter().map(|invariant| format!("`{}`", invariant.name)).collect();
        assert_eq!(written, known, "left: `{page}`; right: what is checked");
    }
}

#[test]
fn every_parameter_and_mutant_of_raft_is_in_the_book() {
    let table = ProtocolTable::builtin();
    let raft = table.find("raft").expect("Raft is built in").about();
    let first = |header| -> BTreeSet<String> {
        rows(&chapter("raft.md"), header).into_iter().map(|[name, _]| name).collect()
    };
    let schema = Value::from(raft.parameters);
    let fields = schema["properties"].as_object().expect("the parameters are a struct");
    let known = fields.keys().map(|name| format!("`{name}`")).collect();
    assert_eq!(first("parameter"), known, "left: `raft.md`; right: the parameters");
    let known = raft.mutants.iter().map(|mutant| format!("`{}`", mutant.name)).collect();
    assert_eq!(first("mutant"), known, "left: `raft.md`; right: the mutants");
}

#[test]
fn every_conversation_that_the_page_of_raft_names_exists() {
    let folder = root().join("protocols/src/raft/conversations");
    let scripts = quoted(&chapter("raft.md"))
        .into_iter()
        .filter(|text| Path::new(text).extension().is_some_and(|ending| ending == "txt"));
    let missing: Vec<String> = scripts.filter(|script| !folder.join(script).is_file()).collect();
    assert!(missing.is_empty(), "`raft.md` names {missing:?}");
}

#[test]
fn the_page_of_linearizability_shows_what_the_program_prints() {
    let mut shown = 0;
    for block in blocks(&chapter("linearizability.md"), "console") {
        for part in block.split("$ splitbrain ").filter(|part| !part.trim().is_empty()) {
            let (call, expected) = part.split_once('\n').unwrap_or((part, ""));
            let arguments: Vec<&str> = call.split_whitespace().collect();
            let printed = printed(&arguments);
            assert!(!printed.is_empty(), "{call}");
            if !expected.trim().is_empty() {
                assert_eq!(printed.trim_end(), expected.trim_end(), "{call}");
                shown += 1;
            }
        }
    }
    assert!(shown >= 2, "{shown} blocks show what is printed");
}

#[test]
fn the_page_of_sweeping_shows_what_the_program_prints() {
    assert!(shown_as_printed("sweeping.md") >= 2, "too few blocks show what is printed");
}

#[test]
fn the_page_of_comparing_shows_what_the_program_prints() {
    assert!(shown_as_printed("comparing.md") >= 2, "too few blocks show what is printed");
}

#[test]
fn every_field_of_a_comparison_is_in_the_book() {
    assert_names_fields("comparison", "comparing.md");
}

#[test]
fn the_schema_of_comparisons_is_that_of_the_program() {
    assert_schema("comparison");
}

#[test]
fn every_field_of_an_ablation_is_in_the_book() {
    assert_names_fields("ablation", "sweeping.md");
}

#[test]
fn the_schema_of_ablations_is_that_of_the_program() {
    assert_schema("ablation");
}

#[test]
fn every_field_of_a_search_is_in_the_book() {
    assert_names_fields("search", "searching.md");
}

#[test]
fn the_schema_of_searches_is_that_of_the_program() {
    assert_schema("search");
}

/// Asserts that a page names every field of this document.
fn assert_names_fields(document: &str, page: &str) {
    let words = words(&chapter(page));
    let named = names_of(&json(&["list", "--schema", document]));
    let missing: Vec<String> = named.into_iter().filter(|name| !words.contains(name)).collect();
    assert!(missing.is_empty(), "`{page}` does not name {missing:?}");
}

/// Asserts that the book has the schema of this document.
fn assert_schema(name: &str) {
    let page = format!("{name}.schema.json");
    let written: Value = serde_json::from_str(&chapter(&page)).expect("the schema is JSON");
    let printed = json(&["list", "--schema", name]);
    assert!(written == printed, "it has changed: `splitbrain list --schema {name} > book/src/{page}`");
}

/// Asserts that each command of a page prints what is shown there, but for how long it took; says how many there are.
fn shown_as_printed(page: &str) -> usize {
    let blocks = blocks(&chapter(page), "console");
    for block in &blocks {
        let (call, expected) = block.trim_start().split_once('\n').expect("a command, and what it prints");
        let call = call.strip_prefix("$ splitbrain ").expect("a command");
        let printed = printed(&call.split_whitespace().collect::<Vec<_>>());
        // How long it took is another each time.
        let [printed, expected] = [printed.as_str(), expected].map(|text| {
            let lines = text.trim().lines().filter(|line| !line.starts_with("time "));
            lines.map(str::trim_end).collect::<Vec<_>>().join("\n")
        });
        assert_eq!(printed, expected, "left: `{call}`; right: `{page}`");
    }
    blocks.len()
}

/// The capsule of the page on shrinking, explained as the page on explaining does it; the last is where it was done.
fn explained(more: &[&str], name: &str) -> (String, PathBuf) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("cargo's folder can be written to");
    let blocks = blocks(&chapter("shrinking.md"), "ron,scenario");
    fs::write(folder.join("stale.shrunk.ron"), &blocks[0]).expect("the folder is ours");
    let capsule = "stale.shrunk.capsule.ron";
    printed_in(&folder, &["run", "stale.shrunk.ron", "--seed", "20", "--save", capsule]);
    (printed_in(&folder, &[&["explain", capsule], more].concat()), folder)
}

#[test]
fn the_page_of_explaining_shows_what_the_program_prints_and_draws() {
    let blocks = blocks(&chapter("explaining.md"), "console");
    let [block] = blocks.as_slice() else { panic!("one call, not {}", blocks.len()) };
    let (call, shown) = block.split_once('\n').expect("a command, and what it prints");
    let arguments = call.strip_prefix("$ splitbrain explain stale.shrunk.capsule.ron ").expect("the command");
    let (printed, folder) = explained(&arguments.split_whitespace().collect::<Vec<_>>(), "explaining");
    assert_eq!(printed.trim_end(), shown.trim_end(), "left: `{call}`; right: `explaining.md`");
    let drawn = fs::read_to_string(folder.join("stale.svg")).expect("it was drawn");
    assert!(drawn == chapter("explaining.svg"), "`explaining.svg` is not what `{call}` draws");
}

#[test]
fn every_field_of_an_explanation_is_in_the_book() {
    let (printed, _) = explained(&["--samples", "4", "--format", "json"], "explaining-json");
    let document: Value = serde_json::from_str(&printed).expect("one document");
    let page: BTreeSet<String> = quoted(&chapter("explaining.md")).into_iter().collect();
    let Value::Object(fields) = document else { panic!("an object") };
    let versions = ["explanation_version", "splitbrain_version", "capsule"];
    let missing: Vec<&String> =
        fields.keys().filter(|name| !page.contains(*name) && !versions.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "`explaining.md` does not name {missing:?}");
}

#[test]
fn the_schema_of_explanations_is_that_of_the_program() {
    assert_schema("explanation");
}

#[test]
fn every_field_of_a_report_is_in_the_book() {
    let report = json(&["run", "echo/hello", "--twice", "--format", "json"]);
    let page: BTreeSet<String> = quoted(&chapter("reports.md")).into_iter().collect();
    let named = names_of(&json(&["list", "--schema", "report"])).into_iter().chain(keys(&report));
    let missing: BTreeSet<String> = named.filter(|key| !page.contains(key)).collect();
    assert!(missing.is_empty(), "`reports.md` does not name {missing:?}");
}

#[test]
fn the_schema_of_reports_is_that_of_the_program() {
    assert_schema("report");
}

// ----- the pages -----

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn source() -> PathBuf {
    root().join("book/src")
}

/// The names of all chapters, in order.
fn chapters() -> Vec<String> {
    let entries = fs::read_dir(source()).expect("the book has chapters");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let names = paths.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let mut names: Vec<String> = names.map(|path| file_name(&path)).collect();
    names.sort();
    names
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a file has a name").to_string_lossy().into_owned()
}

fn chapter(name: &str) -> String {
    fs::read_to_string(source().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Where the links of a page lead.
fn links(page: &str) -> Vec<String> {
    let after = page.split("](").skip(1);
    after.filter_map(|rest| rest.split_once(')').map(|(link, _)| link.to_owned())).collect()
}

/// What stands between backticks on one line.
fn quoted(page: &str) -> Vec<String> {
    let lines = page.lines().filter(|line| !line.starts_with("```"));
    lines.flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// What could be a path or the name of a scenario, in texts and commands.
fn places(page: &str) -> Vec<String> {
    let parts = page.split(|letter: char| letter.is_whitespace() || "`\"'()".contains(letter));
    parts.map(|part| part.trim_end_matches(['.', ',', ';', ':']).to_owned()).collect()
}

/// All words of a page, split at everything that no name has.
fn words(page: &str) -> BTreeSet<String> {
    page.split(|letter: char| !letter.is_alphanumeric() && letter != '_').map(str::to_owned).collect()
}

/// The blocks of code that are marked so.
fn blocks(page: &str, mark: &str) -> Vec<String> {
    let parts = page.split("\n```").collect::<Vec<_>>();
    let marked = parts.iter().filter_map(|part| part.strip_prefix(mark)?.strip_prefix('\n'));
    marked.map(str::to_owned).collect()
}

/// The first two columns of the table whose first header is this.
fn rows(page: &str, header: &str) -> Vec<[String; 2]> {
    let start = format!("| {header} |");
    let table = page.lines().skip_while(|line| !line.starts_with(&start)).skip(2);
    let cells = table.take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        [(); 2].map(|()| cells.next().expect("a row has two cells"))
    });
    cells.collect()
}

/// Whether a text is a path into the source, and no pattern.
fn is_source(text: &str) -> bool {
    let tops = ["sim-core/", "protocols/", "scenarios/", "src/", "benches/", "tests/", "ci/"];
    tops.iter().any(|top| text.starts_with(top)) && !text.contains(['<', '*'])
}

fn is_scenario_name(text: &str) -> bool {
    let is_named =
        |area: &str| text.strip_prefix(area).is_some_and(|name| !name.is_empty() && !name.contains('/'));
    ["raft/", "vrr/", "echo/"].into_iter().any(is_named) && !text.contains('<')
}

// ----- schemas and documents -----

/// The names of all fields and variants in a schema.
fn names_of(schema: &Value) -> BTreeSet<String> {
    match schema {
        Value::Object(object) => {
            let properties = object.get("properties").and_then(Value::as_object);
            let own = properties.into_iter().flat_map(|properties| properties.keys().cloned());
            let units = object.get("enum").and_then(Value::as_array).into_iter().flatten();
            let constants = units.chain(object.get("const")).filter_map(Value::as_str).map(str::to_owned);
            own.chain(constants).chain(object.values().flat_map(names_of)).collect()
        }
        Value::Array(items) => items.iter().flat_map(names_of).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}

/// What the program prints, called like this.
fn printed(arguments: &[&str]) -> String {
    printed_in(Path::new("."), arguments)
}

/// The same, called in a folder.
fn printed_in(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_splitbrain"));
    let output = command.args(arguments).current_dir(folder).output().expect("the program runs");
    String::from_utf8(output.stdout).expect("the program prints UTF-8")
}

/// The same as a document.
fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&printed(arguments)).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

/// The fields of a document and of all in it.
fn keys(document: &Value) -> BTreeSet<String> {
    match document {
        Value::Object(object) => {
            let inner = object.iter().flat_map(|(key, value)| {
                if key == NAMED_TWICE {
                    values(value).flat_map(keys_of_values).collect()
                } else if NAMED.contains(&key.as_str()) {
                    keys_of_values(value)
                } else {
                    keys(value)
                }
            });
            object.keys().cloned().chain(inner).collect()
        }
        Value::Array(items) => items.iter().flat_map(keys).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => BTreeSet::new(),
    }
}

/// The fields of what an object has under names.
fn keys_of_values(named: &Value) -> BTreeSet<String> {
    values(named).flat_map(keys).collect()
}

fn values(object: &Value) -> impl Iterator<Item = &Value> {
    object.as_object().into_iter().flat_map(|object| object.values())
}

//! `splitbrain explain` through its command line.

use std::fs;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value;

use crate::support::{self, code_and, command, folder, splitbrain, write};

/// The run of a scenario as a capsule in a folder of its own.
fn capsule(name: &str, scenario: &str, seed: &str) -> String {
    let file = format!("{}/it.capsule.ron", folder(name));
    let saved = splitbrain(&["run", scenario, "--seed", seed, "--save", &file]);
    code_and(&saved, 0, "as expected");
    file
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in:\n{text}"))
}

/// The texts of a story.
fn story(document: &Value) -> Vec<String> {
    let lines = document["story"]["lines"].as_array().expect("a story has lines");
    lines.iter().map(|line| line["text"].as_str().expect("a line has a text").to_owned()).collect()
}

fn assert_told(story: &[String], parts: &[&str]) {
    for part in parts {
        assert!(story.iter().any(|line| line.contains(part)), "`{part}` is not told:\n{}", story.join("\n"));
    }
}

#[test]
fn the_story_of_figure_8_names_the_entry_that_was_committed_and_is_lost() {
    let capsule = capsule("explain-figure-8", "tests/shrunk/commit-prior-term.ron", "141");
    let ended = splitbrain(&["explain", &capsule, "--samples", "0"]);
    code_and(&ended, 0, "more-up-to-date-correct is violated");
    let told: Vec<&str> = ended
        .stdout
        .lines()
        .skip_while(|line| *line != "how it came about")
        .take_while(|line| !line.is_empty())
        .collect();
    assert!(told.len() <= 60, "{} lines:\n{}", told.len(), told.join("\n"));
    let text = told.iter().flat_map(|line| line.split_whitespace()).collect::<Vec<_>>().join(" ");
    for part in [
        "crash n5",
        "n3 becomes leader in epoch 18",
        "log 8 (epoch 8: noop), which n1 knows to be decided, is (epoch 13: noop) on n3",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    let row = ended.stdout.lines().find(|line| line.starts_with("  log 8")).expect("the logs are compared");
    assert!(row.contains("epoch 8: noop") && row.contains("epoch 13: noop"), "{row}");
    assert!(ended.stdout.contains("source") && ended.stdout.contains("§5.4.1"), "{ended:?}");
}

#[test]
fn the_story_of_a_lease_names_the_clock_that_was_wrong() {
    let capsule = capsule("explain-lease", "tests/shrunk/lease-ignores-drift.ron", "119");
    let ended = splitbrain(&["explain", &capsule, "--samples", "0", "--format", "json"]);
    let document = json(&ended.stdout);
    assert_eq!((ended.code, document["failure"]["property"].as_str()), (0, Some("linearizability")));
    let stuck = document["legal_prefix"]["stuck"][0].as_str().expect("a read cannot be placed");
    assert!(stuck.contains("read k0"), "{stuck}");
    assert_told(&story(&document), &["drift", "becomes leader", "read k0", "linearizability is violated"]);
}

#[test]
fn the_story_of_a_lost_update_names_the_pause_and_the_leader_who_wrote_over_it() {
    let capsule = capsule("explain-lost", "tests/shrunk/lost-write.ron", "231");
    let ended = splitbrain(&["explain", &capsule, "--samples", "0", "--format", "json"]);
    let document = json(&ended.stdout);
    let parts = [
        "pause n1",
        "n2 becomes leader in epoch 2; slot 11 (c1#13 write k2=3000000077 (b1.n1)) is replaced by 11 (noop (b2.n2))",
        "n1 handles what waited (n1 receives Accepted from n3)",
        "c1 receives a reply for c1#13 from n1: done",
        "c1 receives a reply for c1#14 from n2: value 2000000076",
    ];
    assert_told(&story(&document), &parts);
    let contradiction = document["legal_prefix"]["contradiction"].as_array().expect("operations").len();
    assert_eq!(contradiction, 3, "the value before, the write that was lost, the read");
}

#[test]
fn the_story_of_a_message_that_was_never_sent_names_the_crash_before_it() {
    let capsule = capsule("explain-missing", "tests/shrunk/own-value.ron", "2");
    let ended = splitbrain(&["explain", &capsule, "--samples", "0", "--format", "json"]);
    let parts =
        ["crash n5 after 0 effects", "n1 becomes leader in epoch 2", "is replaced by 1 (noop (b2.n1))"];
    assert_told(&story(&json(&ended.stdout)), &parts);
}

#[test]
fn the_explanation_is_the_same_on_one_processor_and_on_two() {
    let capsule = capsule("explain-threads", "tests/shrunk/commit-prior-term.ron", "141");
    let on = |threads: &str| {
        let mut command = command(&["explain", &capsule, "--format", "json", "--samples", "20"]);
        command.env("RAYON_NUM_THREADS", threads).output().expect("the program starts")
    };
    let (one, two) = (on("1"), on("2"));
    assert!(one.status.success(), "{one:?}");
    assert_eq!(String::from_utf8(one.stdout), String::from_utf8(two.stdout));
}

#[test]
fn the_drawing_is_well_formed_and_has_a_lane_for_each_node() {
    let capsule = capsule("explain-svg", "tests/shrunk/own-value.ron", "2");
    let svg = capsule.replace(".capsule.ron", ".svg");
    code_and(&splitbrain(&["explain", &capsule, "--samples", "0", "--svg", &svg]), 0, "drawn in");
    let text = fs::read_to_string(&svg).expect("it was drawn");
    let (mut lanes, mut texts) = (0, Vec::new());
    let mut reader = Reader::from_str(&text);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error} in:\n{text}")) {
            Event::Eof => break,
            Event::Empty(element)
                if element.attributes().any(|attribute| {
                    attribute.unwrap_or_else(|error| panic!("{error} in:\n{text}")).value.as_ref() == b"lane"
                }) =>
            {
                lanes += 1;
            }
            Event::Text(part) => texts.push(String::from_utf8(part.to_vec()).expect("text")),
            _ => {}
        }
    }
    let heads = ["n1", "n2", "n3", "n4", "n5", "c1"];
    assert!(heads.iter().all(|head| texts.iter().any(|text| text == head)), "{texts:?}");
    assert_eq!(lanes, heads.len(), "{text}");
    assert!(text.contains("class=\"violation\""), "{text}");
}

#[test]
fn the_regression_test_that_is_written_can_be_run() {
    let capsule = capsule("explain-test", "tests/shrunk/own-value.ron", "2");
    let test = capsule.replace(".capsule.ron", ".test.ron");
    code_and(&splitbrain(&["explain", &capsule, "--samples", "0", "--test", &test]), 0, "splitbrain run ");
    code_and(
        &splitbrain(&["run", &test, "--seed", "2"]),
        0,
        "violates c2-proposals-follow-chosen, as expected",
    );
}

#[test]
fn a_regression_test_fails_with_the_mutant_and_passes_once_the_bug_is_mended() {
    for (name, seed) in [
        ("own-value", "2"),
        ("commit-prior-term", "141"),
        ("lease-ignores-drift", "119"),
        ("lost-write", "231"),
    ] {
        let capsule = capsule(&format!("explain-mended-{name}"), &format!("tests/shrunk/{name}.ron"), seed);
        let test = capsule.replace(".capsule.ron", ".test.ron");
        let ended = splitbrain(&["explain", &capsule, "--samples", "0", "--test", &test, "--format", "json"]);
        let regression = &json(&ended.stdout)["regression"];
        let said =
            |field: &str| regression[field].as_str().unwrap_or_else(|| panic!("`{field}` in {ended:?}"));
        assert_eq!(regression["seed"].to_string(), seed);
        code_and(&splitbrain(&["run", &test, "--seed", seed]), 0, said("verdict"));
        let written = fs::read_to_string(&test).expect("it was written");
        let begin = written.find(", mutant: ").expect("the scenario has the bug");
        let end = begin + 2 + written[begin + 2..].find([',', ')']).expect("a field ends");
        let mended = [&written[..begin], &written[end..]].concat();
        fs::write(&test, &mended).expect("the folder is ours");
        code_and(&splitbrain(&["run", &test, "--seed", seed]), 1, "was expected to be violated, and was not");
        let expectation = said("expectation");
        assert_eq!(mended.matches(expectation).count(), 1, "{mended}");
        fs::write(&test, mended.replace(&format!("{expectation},"), "")).expect("the folder is ours");
        code_and(&splitbrain(&["run", &test, "--seed", seed]), 0, "verdict    pass\n");
    }
}

#[test]
fn a_replay_that_is_interrupted_tells_nothing_and_writes_nothing() {
    let folder = folder("explain-replay");
    let capsule = format!("{folder}/it.capsule.ron");
    let long = ["--set", "phases.faults=10s", "--set", "limits.events=18000000000000000000"];
    splitbrain(&[&["run", "raft/steady", "--save", &capsule][..], &long].concat());
    let text = fs::read_to_string(&capsule).expect("it was just written");
    let longer = text.replace("faults: \"10s\"", "faults: \"720h\"");
    assert_ne!(longer, text, "its length is set");
    fs::write(&capsule, longer).expect("the folder is ours");
    let svg = format!("{folder}/it.svg");
    let ended = support::interrupted_at(
        &["explain", &capsule, "--svg", &svg, "--log", "splitbrain=info"],
        "replaying",
    );
    code_and(&ended, 130, "interrupted before the run was replayed");
    assert_eq!(ended.stdout, "");
    assert_eq!(fs::read_dir(&folder).expect("the folder is ours").count(), 1, "only the capsule");
}

#[test]
fn the_explanation_as_json_has_what_its_schema_says() {
    let capsule = capsule("explain-json", "tests/shrunk/own-value.ron", "2");
    let ended = splitbrain(&["explain", &capsule, "--samples", "10", "--format", "json"]);
    let document = json(&ended.stdout);
    let schema = json(&splitbrain(&["list", "--schema", "explanation"]).stdout);
    let fields =
        |value: &Value| -> Vec<String> { value.as_object().expect("an object").keys().cloned().collect() };
    assert_eq!(fields(&document), fields(&schema["properties"]), "left: the document; right: its schema");
    let shares = document["inevitable"]["shares"].as_array().expect("moments were tried");
    let rates = document["rates"].as_array().expect("each has a rate");
    assert_eq!(shares.len(), rates.len());
    for (share, rate) in shares.iter().zip(rates) {
        assert_eq!(share["event"], rate["event"]);
        let at = |key: &str| rate[key].as_f64().expect("a number");
        assert!(at("low") <= at("share") && at("share") <= at("high"), "{rate}");
    }
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let folder = folder("explain-refused");
    let passes = format!("{folder}/run.capsule.ron");
    splitbrain(&["run", "raft/steady", "--save", &passes]);
    code_and(&splitbrain(&["explain", &passes]), 2, "does not fail: pass");
    code_and(&splitbrain(&["explain", "missing.capsule.ron"]), 2, "hint");
    code_and(&splitbrain(&["explain", &folder]), 2, "is a directory");
    code_and(&splitbrain(&["explain", &write(&folder, "empty.capsule.ron", b"")]), 2, "the file is empty");
    code_and(&splitbrain(&["explain", &passes, "--svg", "/nowhere/it.svg"]), 2, "cannot write");
    code_and(&splitbrain(&["explain", &passes, "--lines", "1"]), 2, "allowed");
    for option in ["--svg", "--test"] {
        code_and(&splitbrain(&["explain", &passes, option, &passes]), 2, "are the same file");
    }
    let one = format!("{folder}/one.file");
    code_and(&splitbrain(&["explain", &passes, "--svg", &one, "--test", &one]), 2, "are the same file");
    let left = fs::read_dir(&folder).expect("the folder is there").count();
    assert_eq!(left, 2, "only the capsules");
}

#[test]
fn a_full_device_is_an_error_of_an_explanation_too() {
    let capsule = capsule("explain-full", "tests/shrunk/own-value.ron", "2");
    let ended = support::shell(&format!("{} explain {capsule} --samples 0 > /dev/full", support::PROGRAM));
    code_and(&ended, 2, "cannot write to standard output");
}

#[test]
fn a_capsule_of_another_version_is_explained_and_said_to_be_so() {
    let capsule = capsule("explain-version", "tests/shrunk/own-value.ron", "2");
    let text = fs::read_to_string(&capsule).expect("it was just written");
    let version = format!("made_by: \"{}\"", env!("CARGO_PKG_VERSION"));
    fs::write(&capsule, text.replace(&version, "made_by: \"99.0.0\"")).expect("the folder is ours");
    let ended = splitbrain(&["explain", &capsule, "--samples", "0"]);
    code_and(&ended, 0, "made by version 99.0.0");
    let digest = support::line_of(&text, "    digest: ");
    fs::write(&capsule, text.replace(digest, "    digest: \"0123456789abcdef\","))
        .expect("the folder is ours");
    code_and(&splitbrain(&["explain", &capsule, "--samples", "0"]), 0, "not the run of the capsule");
}

#[test]
fn an_interrupted_search_leaves_what_is_known() {
    let capsule = capsule("explain-interrupted", "tests/shrunk/commit-prior-term.ron", "141");
    let events = u64::MAX.to_string();
    let long =
        ["explain", &capsule, "--samples", "100000", "--events-max", &events, "--log", "splitbrain=info"];
    let ended = support::interrupted_at(&long, "trying other futures");
    code_and(&ended, 130, "more-up-to-date-correct is violated");
    for part in [
        "what stands above is what is known so far",
        "regression test",
        "Not found: the search was broken off",
    ] {
        assert!(
            ended.stdout.contains(part) || ended.stderr.contains(part),
            "`{part}` is missing in {ended:?}"
        );
    }
}

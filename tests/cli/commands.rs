//! Each command does what its help says.

use serde_json::Value;

use crate::support::{self, Ended, code_and, folder, line_of, splitbrain, write};

/// The value behind a heading of the text for people: `digest     0123…`.
fn headed<'a>(ended: &'a Ended, heading: &str) -> &'a str {
    line_of(&ended.stdout, heading).trim_start_matches(heading).trim()
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}", ended.stdout))
}

#[test]
fn a_run_prints_scenario_seed_timeline_metrics_verdict_digest_and_speed() {
    let ended = splitbrain(&["run", "raft/leader-crash"]);
    code_and(&ended, 0, "scenario   ");
    assert_eq!(ended.stderr, "", "nothing to talk about");
    for part in ["seed       0", "timeline", "leads", "crash n", "operations-invoked", "p99"] {
        assert!(ended.stdout.contains(part), "`{part}` is missing in:\n{}", ended.stdout);
    }
    assert_eq!(headed(&ended, "verdict"), "pass");
    assert_eq!(headed(&ended, "digest").len(), 16);
    assert!(headed(&ended, "time ").ends_with(" a second"));
    assert!(!ended.stdout.contains("replay"), "a run that passes needs no replay");
}

#[test]
fn json_and_text_say_the_same() {
    let text = splitbrain(&["run", "raft/leader-crash", "--seed", "3"]);
    let document = json(&splitbrain(&["run", "raft/leader-crash", "--seed", "3", "--format", "json"]));
    assert_eq!(document["digest"], headed(&text, "digest"));
    assert_eq!(document["verdict"]["text"], headed(&text, "verdict"));
    assert_eq!(document["verdict"]["exit_code"], text.code);
    assert_eq!(document["seed"], 3);
    assert_eq!(document["scenario"]["source"], "raft/leader-crash");
    assert!(document["timeline"].as_array().is_some_and(|lines| !lines.is_empty()));
}

#[test]
fn a_file_and_its_name_in_the_library_are_the_same_run() {
    let by_name = splitbrain(&["run", "raft/steady"]);
    let by_path = splitbrain(&["run", "scenarios/library/raft/steady.ron"]);
    assert_eq!(headed(&by_name, "digest"), headed(&by_path, "digest"));
}

#[test]
fn a_field_can_be_set() {
    let ended = splitbrain(&["run", "raft/steady", "--set", "nodes=3", "--set", "network.loss=0.05"]);
    assert!(ended.stdout.contains("raft, 3 nodes"), "{}", ended.stdout);
    assert!(ended.stdout.contains("set        network.loss=0.05"), "{}", ended.stdout);
}

#[test]
fn a_random_seed_is_shown_first_and_repeats_the_run() {
    let drawn = splitbrain(&["run", "raft/steady", "--seed", "random"]);
    let seed = headed(&drawn, "seed");
    assert_eq!(drawn.stderr, format!("seed {seed} was drawn\n"));
    let again = splitbrain(&["run", "raft/steady", "--seed", seed]);
    assert_eq!(headed(&drawn, "digest"), headed(&again, "digest"));
}

#[test]
fn a_run_made_twice_is_the_same() {
    let ended = splitbrain(&["run", "raft/leader-crash", "--twice"]);
    assert_eq!((ended.code, headed(&ended, "twice")), (0, "digests equal"));
    let document = json(&splitbrain(&["run", "raft/steady", "--twice", "--format", "json"]));
    assert_eq!(document["twice"]["equal"], true);
}

#[test]
fn verbose_shows_each_message_and_changes_nothing() {
    let plain = splitbrain(&["run", "raft/steady"]);
    let verbose = splitbrain(&["run", "raft/steady", "-v"]);
    let causes = splitbrain(&["run", "raft/steady", "-vv"]);
    assert!(verbose.stdout.contains("receives AppendEntries from n"));
    assert!(causes.stdout.contains(" <- "));
    for other in [&verbose, &causes] {
        assert_eq!(headed(other, "digest"), headed(&plain, "digest"));
    }
}

#[test]
fn a_failing_run_ends_with_a_command_that_replays_it() {
    let expect = "expect=Violation(\"election-safety\")";
    let failed = splitbrain(&["run", "raft/steady", "--seed", "5", "--set", expect]);
    assert_eq!(failed.code, 1, "{}", failed.stdout);
    let command = headed(&failed, "replay");
    assert!(failed.stdout.trim_end().ends_with(command), "the command stands last");
    let replayed = support::shell(command);
    assert_eq!(replayed.code, 1, "{}", replayed.stderr);
    assert_eq!(headed(&replayed, "digest"), headed(&failed, "digest"));
}

#[test]
fn a_run_out_of_budget_is_inconclusive() {
    let ended = splitbrain(&["run", "raft/steady", "--set", "limits.events=100"]);
    code_and(&ended, 3, "inconclusive: the event budget is spent");
}

#[test]
fn a_disk_harmed_beyond_the_promise_is_told_apart() {
    let wiped = "faults.timed=[(at: \"1s\", do: Wipe(\"n1\"))]";
    let ended = splitbrain(&["run", "raft/steady", "--set", wiped]);
    code_and(&ended, 5, "beyond the promise");
}

#[test]
fn an_interrupted_run_prints_what_it_reached() {
    let long = ["--set", "phases.faults=720h", "--set", "limits.events=18000000000000000000"];
    let ended = support::interrupted(&[&["run", "raft/steady"][..], &long].concat());
    code_and(&ended, 130, "inconclusive: interrupted");
    assert_eq!(headed(&ended, "digest").len(), 16);
}

#[test]
fn an_interrupted_second_run_is_not_taken_for_another_one() {
    let long = ["--set", "phases.faults=10m", "--twice", "--log", "splitbrain=info"];
    let ended =
        support::interrupted_at(&[&["run", "raft/steady"][..], &long].concat(), "the second run begins");
    code_and(&ended, 130, "interrupted in the second run: nothing was compared");
    assert!(!ended.stdout.contains("not deterministic"), "{ended:?}");
}

#[test]
fn logging_has_the_virtual_time_in_each_line_and_is_off_by_default() {
    let ended = splitbrain(&["run", "raft/leader-crash", "--log", "sim_core=debug"]);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert!(lines.iter().any(|line| line.contains("DEBUG") && line.contains("crash n")), "{}", ended.stderr);
    for line in lines {
        let time = line.strip_prefix('[').and_then(|line| line.split_once(']')).map(|(time, _)| time.trim());
        assert!(time.is_some_and(|time| time.ends_with('s')), "no virtual time: {line}");
    }
}

#[test]
fn nothing_is_coloured_when_piped() {
    for arguments in [&["run", "raft/leader-crash"][..], &["list"], &["--help"], &["run", "nowhere"]] {
        let ended = splitbrain(arguments);
        assert!(!ended.stdout.contains('\u{1b}') && !ended.stderr.contains('\u{1b}'), "{arguments:?}");
    }
}

#[test]
fn check_reports_every_wrong_file_and_counts() {
    let files = folder("check");
    write(&files, "good.ron", b"Scenario(format_version: 1, name: \"good\", protocol: Raft())");
    write(&files, "inside/bad.ron", b"Scenario(format_version: 1, nam: \"bad\", protocol: Raft())");
    write(&files, "inside/worse.ron", b"Scenario(");
    write(&files, "other.txt", b"not looked at");
    let ended = splitbrain(&["check", &files]);
    code_and(&ended, 2, "1 valid, 2 wrong\n");
    code_and(&ended, 2, "unknown field `nam`");
    code_and(&ended, 2, "worse.ron:1:");
    code_and(&splitbrain(&["check", "scenarios/library"]), 0, " 0 wrong");
    code_and(&splitbrain(&["check", &folder("check-empty")]), 4, "no .ron file");
}

#[test]
fn every_section_is_listed_for_people_and_for_scripts() {
    let all = json(&splitbrain(&["list", "--format", "json"]));
    for section in ["scenarios", "protocols", "faults", "checkers", "workloads"] {
        let items = all[section].as_array().unwrap_or_else(|| panic!("{section} is no list"));
        assert!(!items.is_empty(), "{section} is empty");
        let text = splitbrain(&["list", section]);
        for item in items {
            let (name, help) = (&item["name"], &item["help"]);
            assert!(help.as_str().is_some_and(|help| !help.is_empty()), "{section}: {name} has no help");
            assert!(text.stdout.contains(name.as_str().unwrap_or("?")), "{section}: {name} is not listed");
        }
    }
}

#[test]
fn a_protocol_is_listed_with_its_parameters_and_their_defaults() {
    let ended = splitbrain(&["list", "protocols", "raft"]);
    let heartbeat = ended.stdout.lines().find(|line| line.starts_with("  heartbeat  "));
    assert!(heartbeat.is_some_and(|line| line.contains("50ms")), "{}", ended.stdout);
    assert!(ended.stdout.contains("election-safety"), "{}", ended.stdout);
    code_and(&splitbrain(&["list", "protocols", "rafd"]), 4, "did you mean `raft`?");
}

#[test]
fn the_report_has_what_its_schema_says() {
    let schema = json(&splitbrain(&["list", "--schema", "report"]));
    let document = json(&splitbrain(&["run", "raft/steady", "--format", "json"]));
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&schema["properties"]), keys(&document));
    assert_eq!(json(&splitbrain(&["list", "--schema", "scenario"]))["title"], "Scenario");
}

#[test]
fn completions_and_manual_pages_are_printed() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        code_and(&splitbrain(&["completions", shell]), 0, "splitbrain");
    }
    code_and(&splitbrain(&["man"]), 0, ".TH splitbrain 1");
    code_and(&splitbrain(&["man", "history", "check"]), 0, ".TH splitbrain-history-check 1");
    code_and(&splitbrain(&["man", "rnu"]), 2, "there is no command `rnu`");
    code_and(&splitbrain(&["man", "run", "fast"]), 2, "nothing more");
}

/// The commands that the help of the program lists.
fn commands() -> Vec<String> {
    let help = splitbrain(&["--help"]).stdout;
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.map(|line| line.split_whitespace().next().expect("a name").to_owned());
    names.filter(|name| name != "help").collect()
}

/// The options that a help names: `--seed`.
fn options(help: &str) -> Vec<&str> {
    let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let names = options.filter_map(|line| line.split([' ', ',', '=']).find(|word| word.starts_with("--")));
    names.map(|name| name.trim_end_matches('.')).collect()
}

#[test]
fn every_command_is_completed_and_has_a_manual_page_with_its_options_and_examples() {
    let commands = commands();
    for name in ["sweep", "compare", "ablate", "explain", "shrink", "replay"] {
        assert!(commands.iter().any(|known| known == name), "`{name}` is not among {commands:?}");
    }
    let script = splitbrain(&["completions", "bash"]).stdout;
    for command in &commands {
        assert!(script.contains(&format!("splitbrain__subcmd__{command})")), "`{command}` is not completed");
        let page = splitbrain(&["man", command]).stdout.replace('\\', "");
        assert!(page.contains(&format!(".TH splitbrain-{command} 1")), "{page}");
        let help = splitbrain(&[command, "--help"]).stdout;
        assert!(help.contains("Examples:\n") && page.contains("Examples:\n"), "{command}:\n{help}");
        for option in options(&help) {
            assert!(page.contains(option), "`{option}` of `{command}` is not in its page:\n{page}");
            assert!(script.contains(option), "`{option}` of `{command}` is not completed");
        }
    }
}

#[test]
fn help_names_exit_codes() {
    // The others do nothing that could end in more than one way; those of `history` stand with its own commands.
    let others = ["history", "gui", "completions", "man"];
    for command in commands().iter().filter(|name| !others.contains(&name.as_str())) {
        let help = splitbrain(&[command, "--help"]).stdout;
        assert!(help.contains("Exit codes:\n"), "{command}:\n{help}");
    }
}

#[test]
fn a_run_that_is_saved_is_replayed_as_it_was() {
    let folder = folder("replay");
    let capsule = format!("{folder}/run.capsule.ron");
    let saved = splitbrain(&["run", "raft/random-swarm", "--seed", "5", "--save", &capsule]);
    let again = splitbrain(&["replay", &capsule]);
    code_and(&again, saved.code, "the same run (made by version ");
    for heading in ["digest", "verdict", "seed"] {
        assert_eq!(headed(&again, heading), headed(&saved, heading));
    }
    let document = json(&splitbrain(&["replay", &capsule, "--format", "json"]));
    assert_eq!(document["replayed"]["equal"], true);
    assert_eq!(document["digest"], headed(&saved, "digest"));
}

#[test]
fn a_failure_is_shrunk_to_a_scenario_and_a_capsule_that_fail_the_same() {
    let folder = folder("shrink");
    let capsule = format!("{folder}/failure.capsule.ron");
    let mutant = "protocol.mutant=vote-not-persisted";
    let failed = splitbrain(&["run", "raft/crash-while-voting", "--set", mutant, "--save", &capsule]);
    code_and(&failed, 1, "violation of message-terms");
    let shrunk = splitbrain(&["shrink", &capsule, "--events-max", "200000", "--format", "json"]);
    let document = json(&shrunk);
    assert_eq!((shrunk.code, document["property"].as_str()), (0, Some("message-terms")), "{shrunk:?}");
    let size = |when: &str| document[when]["faults"].as_u64().expect("a number of faults");
    assert!(size("after") * 10 <= size("before"), "{document}");
    let (small, seed) = (format!("{folder}/failure.shrunk.ron"), document["seed"].to_string());
    code_and(&splitbrain(&["run", &small, "--seed", &seed]), 0, "violates message-terms, as expected");
    code_and(&splitbrain(&["replay", &format!("{folder}/failure.shrunk.capsule.ron")]), 0, "the same run");
}

#[test]
fn what_cannot_be_shrunk_is_refused_and_nothing_is_written() {
    let folder = folder("shrink-refused");
    let capsule = format!("{folder}/run.capsule.ron");
    splitbrain(&["run", "raft/steady", "--save", &capsule]);
    code_and(&splitbrain(&["shrink", &capsule]), 2, "does not fail: pass");
    code_and(&splitbrain(&["shrink", &capsule, "-o", "/nowhere/it"]), 2, "cannot write");
    code_and(&splitbrain(&["shrink", &capsule, "--events-max", "0"]), 2, "allowed");
    let left = std::fs::read_dir(&folder).expect("the folder is there").count();
    assert_eq!(left, 1, "only the capsule");
}

#[test]
fn a_capsule_that_was_changed_by_hand_is_not_passed_off_as_the_same_run() {
    let folder = folder("replay-changed");
    let capsule = format!("{folder}/run.capsule.ron");
    splitbrain(&["run", "raft/leader-crash", "--save", &capsule]);
    let text = std::fs::read_to_string(&capsule).expect("it was just written");
    let other_seed = write(&folder, "seed.capsule.ron", text.replace("seed: 0,", "seed: 1,").as_bytes());
    code_and(&splitbrain(&["replay", &other_seed]), 70, "not the run of the capsule");
    let version = format!("made_by: \"{}\"", env!("CARGO_PKG_VERSION"));
    let newer = text.replace("seed: 0,", "seed: 1,").replace(&version, "made_by: \"99.0.0\"");
    let newer = splitbrain(&["replay", &write(&folder, "newer.capsule.ron", newer.as_bytes())]);
    code_and(&newer, 0, "another run: it has ");
    assert!(newer.stderr.contains("made by version 99.0.0"), "{newer:?}");
}

#[test]
fn what_is_no_capsule_is_refused_with_a_hint() {
    let folder = folder("replay-refused");
    code_and(&splitbrain(&["replay", &folder]), 2, "is a directory");
    code_and(&splitbrain(&["replay", "missing.capsule.ron"]), 2, "hint");
    code_and(&splitbrain(&["replay", "scenarios/library/raft/steady.ron"]), 2, "allowed");
    let empty = write(&folder, "empty.capsule.ron", b"");
    code_and(&splitbrain(&["replay", &empty]), 2, "the file is empty");
    let whole = format!("{folder}/whole.capsule.ron");
    splitbrain(&["run", "raft/steady", "--save", &whole]);
    let text = std::fs::read_to_string(&whole).expect("it was just written");
    let newer =
        write(&folder, "newer.ron", text.replace("format_version: 1,", "format_version: 99,").as_bytes());
    let edited = write(&folder, "edited.ron", text.replace("seed: 0,", "seed: none,").as_bytes());
    let cut = write(&folder, "cut.ron", &text.as_bytes()[..text.len() / 2]);
    for command in ["replay", "shrink", "explain"] {
        code_and(&splitbrain(&[command, &newer]), 2, "format version 99 is newer than this program");
        code_and(&splitbrain(&[command, &edited]), 2, "= seen: `none`");
        code_and(&splitbrain(&[command, &cut]), 2, "never closed");
    }
    code_and(&splitbrain(&["run", "raft/steady", "--save", "/nowhere/it.ron"]), 2, "cannot write");
    code_and(&splitbrain(&["run", "raft/steady", "--save", &folder]), 2, "is a directory");
}

#[test]
fn an_interrupted_run_leaves_the_capsule_that_was_there() {
    let folder = folder("replay-interrupted");
    let capsule = write(&folder, "run.capsule.ron", b"from before");
    let long = ["--set", "phases.faults=720h", "--set", "limits.events=18000000000000000000"];
    let ended = support::interrupted(&[&["run", "raft/steady", "--save", &capsule][..], &long].concat());
    code_and(&ended, 130, "is not written");
    let files: Vec<_> = std::fs::read_dir(&folder).expect("the folder is ours").collect();
    assert_eq!(files.len(), 1, "nothing is left beside it: {files:?}");
    assert_eq!(std::fs::read_to_string(&capsule).expect("it is still there"), "from before");
}

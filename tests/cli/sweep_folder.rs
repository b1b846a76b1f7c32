//! Sweeps on disk: whatever ends one, nothing that was finished is lost, and the results follow from the runs alone.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, RowAccessor};

use crate::support::{Ended, PROGRAM, code_and, folder, interrupted_at, killed_at, shell, splitbrain};

/// A mutant that almost every seed catches.
const MUTANT: &str = "protocol.mutant=no-uptodate-check";

/// A sweep that takes many times as long as the first shard, also on a fast machine.
const SWEEP: [&str; 9] =
    ["sweep", "raft/random-elections", "--seeds", "0..300", "--set", MUTANT, "--vary", "nodes=3,5", "--out"];

fn sweep(out: &str, more: &[&str]) -> Ended {
    splitbrain(&[&SWEEP[..], &[out], more].concat())
}

/// The results of a sweep, by file: the table, and all below `failures/`.
fn results(out: &str) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![Path::new(out).join("failures")];
    files.insert(
        "results.parquet".to_owned(),
        fs::read(Path::new(out).join("results.parquet")).expect("it is there"),
    );
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(out).expect("it is below").display().to_string();
                files.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

fn out(name: &str) -> String {
    format!("{}/out", folder(&format!("sweep-{name}")))
}

/// Shards that an earlier start has left.
fn shard_of(out: &str) -> String {
    format!("{out}/shards/000001.jsonl.zst")
}

#[test]
fn equal_runs_give_equal_bytes_on_one_thread_and_on_two_and_after_a_kill() {
    let [one, two, killed] = ["one", "two", "killed"].map(out);
    code_and(&sweep(&one, &["--jobs", "1"]), 1, "600 runs on 1 thread");
    code_and(&sweep(&two, &["--jobs", "2"]), 1, "600 runs on 2 threads");
    let expected = results(&one);
    assert_eq!(expected, results(&two), "on one thread and on two");
    assert!(expected.keys().any(|name| name.ends_with(".capsule.ron")), "{:?}", expected.keys());
    killed_at(
        &[&SWEEP[..], &[&killed, "--jobs", "1", "--log", "splitbrain=info"]].concat(),
        "a shard is on disk",
    );
    assert!(!Path::new(&killed).join("results.parquet").exists(), "it came before the end");
    let resumed = sweep(&killed, &["--resume"]);
    code_and(&resumed, 1, "of them done before");
    assert_eq!(expected, results(&killed), "after a kill");
    let again = sweep(&killed, &["--resume"]);
    code_and(&again, 1, "600 of them done before");
    assert_eq!(expected, results(&killed), "nothing was left to do");
}

#[test]
fn a_sweep_that_is_interrupted_keeps_what_was_finished_and_goes_on() {
    let out = out("interrupted");
    let arguments = [&SWEEP[..], &[&out, "--jobs", "1", "--log", "splitbrain=info"]].concat();
    let ended = interrupted_at(&arguments, "a shard is on disk");
    code_and(&ended, 130, "interrupted");
    let rows = rows(&out);
    assert!(rows > 0 && rows < 600, "{rows}");
    let resumed = sweep(&out, &["--resume"]);
    code_and(&resumed, 1, &format!("{rows} of them done before"));
    assert_eq!(self::rows(&out), 600, "none is repeated, none is left out");
}

/// How many rows the table of results has.
fn rows(out: &str) -> i64 {
    table(out).metadata().file_metadata().num_rows()
}

fn table(out: &str) -> SerializedFileReader<File> {
    let file = File::open(Path::new(out).join("results.parquet")).expect("it is there");
    SerializedFileReader::new(file).expect("a table")
}

#[test]
fn the_table_has_a_row_a_run_with_what_was_set_and_what_came_of_it() {
    let out = out("table");
    code_and(
        &splitbrain(&["sweep", "echo/hello", "--seeds", "7..10", "--vary", "nodes=2,3", "--out", &out]),
        0,
        "6 runs",
    );
    let table = table(&out);
    let names: Vec<String> = table
        .metadata()
        .file_metadata()
        .schema()
        .get_fields()
        .iter()
        .map(|field| field.name().to_owned())
        .collect();
    for name in [
        "scenario",
        "seed",
        "set.nodes",
        "verdict",
        "property",
        "digest",
        "events",
        "messages_sent",
        "points",
    ] {
        assert!(names.iter().any(|known| known == name), "`{name}` is missing in {names:?}");
    }
    assert!(names.iter().all(|name| !name.contains("wall") && !name.contains("host")), "{names:?}");
    let place = |name: &str| names.iter().position(|known| known == name).expect("just seen");
    let rows: Vec<_> = table.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
    let told: Vec<(u64, String, String)> = rows
        .iter()
        .map(|row| {
            let text = |name| row.get_string(place(name)).expect("a text").clone();
            (row.get_ulong(place("seed")).expect("a number"), text("set.nodes"), text("verdict"))
        })
        .collect();
    let expected = |seed, nodes: &str| (seed, nodes.to_owned(), "pass".to_owned());
    assert_eq!(told[..3], [expected(7, "2"), expected(7, "3"), expected(8, "2")]);
    let run = splitbrain(&["run", "echo/hello", "--seed", "7", "--set", "nodes=2"]);
    let digest = rows[0].get_string(place("digest")).expect("a text");
    assert!(run.stdout.contains(&format!("digest     {digest}")), "{digest}\n{}", run.stdout);
}

#[test]
fn what_processes_keep_has_columns_those_of_all_protocols_with_nulls_where_one_has_none() {
    let outs = ["own-one", "own-two"].map(out);
    let sweep = |out: &str, jobs: &str| {
        splitbrain(
            &[
                &["sweep", "raft/snapshot-catch-up", "paxos/steady-leader", "--seeds", "0..2"],
                &["--jobs", jobs, "--out", out][..],
            ]
            .concat(),
        )
    };
    code_and(&sweep(&outs[0], "1"), 0, "4 runs");
    code_and(&sweep(&outs[1], "2"), 0, "4 runs");
    let bytes = outs.each_ref().map(|out| fs::read(format!("{out}/results.parquet")).expect("it is there"));
    assert!(bytes[0] == bytes[1], "equal runs give equal bytes");
    let rows: Vec<BTreeMap<String, Field>> = table(&outs[0])
        .get_row_iter(None)
        .expect("rows")
        .map(|row| row.expect("a row").into_columns().into_iter().collect())
        .collect();
    let [raft, paxos] = [&rows[0], &rows[1]];
    let number = |row: &BTreeMap<String, Field>, name: &str| match &row[name] {
        Field::ULong(number) => *number,
        other => panic!("`{name}` is {other}"),
    };
    assert!(number(raft, "snapshots_taken") > 0 && number(raft, "commit_latency_count") > 0, "{raft:?}");
    assert!(number(raft, "commit_latency_p50_ns") <= number(raft, "commit_latency_max_ns"));
    assert!(number(paxos, "prepares") > 0 && number(paxos, "chosen_latency_count") > 0, "{paxos:?}");
    for name in ["prepares", "gap_slots", "chosen_latency_count"] {
        assert_eq!(raft[name], Field::Null, "Raft has no {name}");
    }
    for name in ["truncations", "commit_latency_mean_ns"] {
        assert_eq!(paxos[name], Field::Null, "Paxos has no {name}");
    }
    let run = splitbrain(&["run", "raft/snapshot-catch-up", "--seed", "0", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).expect("one document");
    let counted = report["metrics"]["counters"]["snapshots-taken"].as_u64();
    assert_eq!(counted, Some(number(raft, "snapshots_taken")), "as the run by itself says");
}

#[test]
fn a_capsule_of_a_failure_replays_it() {
    let out = out("capsule");
    let ended = sweep(&out, &["--until-failures", "3"]);
    code_and(&ended, 1, "so many failures as were asked for");
    let name = results(&out).into_keys().find(|name| name.ends_with(".capsule.ron")).expect("there is one");
    code_and(&splitbrain(&["replay", &format!("{out}/{name}")]), 1, "violation of ");
}

#[test]
fn failures_are_told_apart_by_the_faults_that_they_need() {
    let out = out("needs");
    let mutant = ["--set", "protocol.mutant=commit-prior-term"];
    let sweep = ["sweep", "raft/short-lived-leaders", "--seeds", "0..30", "--out", &out];
    code_and(&splitbrain(&[&sweep[..], &mutant].concat()), 1, "violation");
    let files = results(&out);
    let readmes: Vec<(&String, String)> = files
        .iter()
        .filter(|(name, _)| name.ends_with("README.txt"))
        .map(|(name, text)| (name, String::from_utf8_lossy(text).into_owned()))
        .collect();
    assert!(!readmes.is_empty());
    for (name, text) in readmes {
        assert!(name.contains("-crash/"), "without crashes leaders live long: {name}");
        assert!(text.contains("\nneeds      crash\n"), "{text}");
        assert!(text.contains(" that failed so need the same"), "{text}");
    }
}

#[test]
fn a_folder_with_something_else_in_it_is_refused_and_not_touched() {
    let out = out("other");
    let first = ["sweep", "echo/hello", "--seeds", "0..3", "--out", &out];
    code_and(&splitbrain(&first), 0, "no run failed");
    let before = fs::read(format!("{out}/results.parquet")).expect("it is there");
    let cases: [(&[&str], &str); 5] = [
        (&["echo/hello", "--seeds", "0..3"], "holds this sweep already"),
        (&["echo/hello", "--seeds", "0..4", "--resume"], "holds another sweep: it has seeds 0..3"),
        (
            &["raft/steady", "--seeds", "0..3", "--resume"],
            "it has `echo/hello` where this one has `raft/steady`",
        ),
        (&["echo/hello", "--seeds", "0..3", "--set", "nodes=3", "--resume"], "where this one has"),
        (&["echo/hello", "raft/steady", "--seeds", "0..3", "--resume"], "1 configurations, not 2"),
    ];
    for (arguments, said) in cases {
        let ended = splitbrain(&[&["sweep"], arguments, &["--out", &out]].concat());
        code_and(&ended, 2, said);
        assert!(ended.stdout.is_empty(), "{ended:?}");
    }
    assert_eq!(before, fs::read(format!("{out}/results.parquet")).expect("it is there"));
    let manifest = format!("{out}/sweep.json");
    let whole = fs::read_to_string(&manifest).expect("it is there");
    let newer = whole.replace("\"format_version\": 2", "\"format_version\": 99");
    for (text, said) in [
        (&whole[..whole.len() / 2], "is not what a sweep has written"),
        ("{\"letter\": \"dear\"}", "is not what a sweep has written"),
        (&newer, "it has format version 99"),
    ] {
        fs::write(&manifest, text).expect("ours");
        code_and(&splitbrain(&[&first[..], &["--resume"]].concat()), 2, said);
        assert_eq!(fs::read_to_string(&manifest).expect("it is there"), text, "it is left as it is");
    }
    assert_eq!(before, fs::read(format!("{out}/results.parquet")).expect("it is there"));
    let home = folder("sweep-home");
    fs::write(format!("{home}/letter.txt"), "dear").expect("ours");
    code_and(&splitbrain(&["sweep", "echo/hello", "--out", &home]), 2, "is not empty, and holds no sweep");
    assert_eq!(fs::read_dir(&home).expect("ours").count(), 1);
}

#[test]
fn a_shard_that_is_damaged_or_of_another_sweep_is_refused() {
    let [out, other] = ["damaged", "foreign"].map(out);
    let sweep = |out: &str, seeds: &str, more: &[&str]| {
        splitbrain(&[&["sweep", "echo/hello", "--seeds", seeds, "--out", out], more].concat())
    };
    code_and(&sweep(&out, "0..5", &[]), 0, "no run failed");
    code_and(&sweep(&other, "0..6", &[]), 0, "no run failed");
    let whole = fs::read(shard_of(&out)).expect("it is there");
    let foreign = fs::read(shard_of(&other)).expect("it is there");
    let cases: [(&[u8], &str); 4] = [
        (&whole[..whole.len() / 2], "cut off"),
        (&foreign, "it belongs to another sweep"),
        (b"letters", "it is no shard"),
        (b"", "cut off"),
    ];
    for (bytes, said) in cases {
        fs::write(shard_of(&out), bytes).expect("ours");
        code_and(&sweep(&out, "0..5", &["--resume"]), 2, said);
        assert_eq!(fs::read(shard_of(&out)).expect("it is there"), bytes, "it is left as it is");
    }
    fs::remove_file(shard_of(&out)).expect("ours");
    code_and(&sweep(&out, "0..5", &["--resume"]), 0, "5 runs");
}

#[test]
fn a_place_that_cannot_be_written_to_is_known_before_anything_runs() {
    for place in ["/dev/null/results", "/proc/results"] {
        let ended = splitbrain(&["sweep", "echo/hello", "--out", place]);
        code_and(&ended, 2, "cannot write");
        assert!(ended.stdout.is_empty(), "{ended:?}");
    }
}

/// In a namespace of its own, where it may mount what it likes, and nobody else sees that.
#[cfg(target_os = "linux")]
fn with_mounts(script: &str) -> Ended {
    shell(&format!("unshare --map-root-user --mount sh -euc '{script}'"))
}

#[test]
#[cfg(target_os = "linux")]
#[expect(clippy::print_stderr, reason = "who runs the tests should see what was left out")]
fn a_disk_that_fills_up_loses_nothing_and_the_sweep_goes_on_when_there_is_room() {
    let place = folder("sweep-small-disk");
    if with_mounts(&format!("mount -t tmpfs -o size=700k tmpfs {place}")).code != 0 {
        eprintln!("not tested: this machine lets nobody mount a disk");
        return;
    }
    let sweep = format!("{PROGRAM} sweep echo/hello --seeds 0..12000 --out {place}/out --quiet");
    let ended = with_mounts(&format!(
        "mount -t tmpfs -o size=700k tmpfs {place}
        {sweep} || echo ended with $?
        ls {place}/out/shards
        mount -o remount,size=64m {place}
        {sweep} --resume --format json"
    ));
    code_and(&ended, 0, "ended with 2");
    assert!(
        ended.stderr.contains("no space left on device; all runs that were finished are kept"),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("000001.jsonl.zst") && !ended.stdout.contains(".part"), "{ended:?}");
    let (_, document) = ended.stdout.split_once("\n{").expect("a document");
    let document: serde_json::Value = serde_json::from_str(&format!("{{{document}")).expect("one document");
    assert_eq!((&document["runs"], &document["verdicts"]["pass"]), (&12_000.into(), &12_000.into()));
}

#[test]
#[cfg(target_os = "linux")]
fn a_disk_that_is_full_at_the_end_loses_nothing() {
    let out = out("full");
    fs::create_dir_all(format!("{out}/shards")).expect("ours");
    let arguments = ["sweep", "echo/hello", "--seeds", "0..5", "--out", &out];
    code_and(&splitbrain(&arguments), 0, "no run failed");
    let expected = fs::read(format!("{out}/results.parquet")).expect("it is there");
    std::os::unix::fs::symlink("/dev/full", format!("{out}/results.parquet.part")).expect("ours");
    let ended = splitbrain(&[&arguments[..], &["--resume"]].concat());
    code_and(&ended, 2, "no space left on device; all runs that were finished are kept");
    assert_eq!(
        expected,
        fs::read(format!("{out}/results.parquet")).expect("it is there"),
        "nothing is overwritten"
    );
    code_and(&splitbrain(&[&arguments[..], &["--resume"]].concat()), 0, "5 of them done before");
}

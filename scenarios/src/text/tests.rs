//! Claims about reading, locating, reporting and overriding, on a scenario-like type.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::units::{NodeName, Probability, Time, TimeRange};
use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    format_version: u32,
    #[serde(default)]
    name: String,
    nodes: u32,
    protocol: Protocol,
    #[serde(default)]
    network: Network,
    #[serde(default)]
    faults: Vec<Fault>,
    #[serde(default)]
    links: BTreeMap<String, u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Protocol {
    Echo,
    Raft(Raft),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raft {
    heartbeat: Time,
    election_timeout: TimeRange,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Network {
    loss: Option<Probability>,
    latency: Option<TimeRange>,
    size_max: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Fault {
    Crash { node: NodeName, at: Time },
    Heal { at: Time },
}

const SAMPLE: &str = r#"// A leader crash.
Scenario(
    format_version: 1,
    name: "crash \"of\" (the leader",
    nodes: 5,
    protocol: Raft(
        heartbeat: "50ms",
        election_timeout: "150ms..300ms",
    ),
    network: (loss: 0.05, /* none ( */ latency: "5ms"),
    faults: [
        Crash(node: "n1", at: "2s"),
        Heal(at: "5s"),
    ],
    links: { "n1": 3 },
)
"#;

fn document(text: &str) -> Document {
    Document::read("crash.ron", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn error_of(text: &str) -> Diagnostic {
    parse::<Scenario>(&document(text)).expect_err("the text is wrong")
}

/// The error for the sample with `from` replaced by `to`.
fn error_with(from: &str, to: &str) -> Diagnostic {
    assert!(SAMPLE.contains(from), "the sample has `{from}`");
    error_of(&SAMPLE.replacen(from, to, 1))
}

fn with_overrides(texts: &[&str]) -> Result<Document, Diagnostic> {
    let overrides: Vec<Override> = texts.iter().map(|text| Override::parse(text).unwrap()).collect();
    apply(&document(SAMPLE), &overrides)
}

fn overridden(texts: &[&str]) -> Scenario {
    let document = with_overrides(texts).unwrap_or_else(|error| panic!("{error}"));
    parse(&document).unwrap_or_else(|error| panic!("{error}in {}", document.text()))
}

fn text_at(path: &str) -> Option<(&'static str, &'static str)> {
    let found = Outline::new(SAMPLE).find(&Path::parse(path).unwrap())?;
    Some((&SAMPLE[found.key], &SAMPLE[found.value]))
}

#[test]
fn the_sample_parses() {
    let scenario: Scenario = parse(&document(SAMPLE)).unwrap();
    assert_eq!(scenario.faults.len(), 2);
    assert_eq!(scenario.network.loss.unwrap().to_string(), "0.05");
}

#[test]
fn an_unknown_field_shows_its_key_and_the_nearest_name() {
    let shown = error_with("heartbeat: ", "heartbeet: ").to_string();
    let expected = "\
error: unknown field `heartbeet` in `Raft`
  --> crash.ron:7:9
   |
 7 |         heartbeet: \"50ms\",
   |         ^^^^^^^^^
   = allowed: `heartbeat`, `election_timeout`
   = hint: did you mean `heartbeat`?
";
    assert_eq!(shown, expected);
}

#[test]
fn each_kind_of_error_points_at_its_cause() {
    let cases = [
        ("Raft(", "Rafd(", (6, 15), "unknown variant `Rafd` of `Protocol`"),
        ("Heal(", "Hael(", (13, 9), "unknown variant `Hael` of `Fault`"),
        ("    nodes: 5,\n", "", (2, 1), "the field `nodes` is missing in `Scenario`"),
        ("heartbeat: \"50ms\",", "", (6, 15), "the field `heartbeat` is missing in `Raft`"),
        ("nodes: 5,", "nodes: 5, nodes: 6,", (5, 15), "the field `nodes` stands twice in `Scenario`"),
        ("\"50ms\"", "\"50\"", (7, 20), "`50` has no unit"),
        ("\"50ms\"", "50", (7, 20), "`50` has no unit"),
        ("\"2s\"", "\"2x\"", (12, 31), "`2x` has the unknown unit `x`"),
        ("0.05", "1.5", (10, 21), "`1.5` is above 1"),
        ("latency: \"5ms\"", "latency: \"5ms..1ms\"", (10, 49), "`5ms..1ms` ends before it begins"),
        ("nodes: 5,", "nodes 5,", (5, 11), "expected colon"),
        ("\"n1\", at", "\"n1\" at", (12, 26), "expected comma"),
        ("nodes: 5", "nodes: \"5\"", (5, 12), "expected integer"),
        ("nodes: 5", "nodes: -3", (5, 12), "`-3` is out of range"),
        ("nodes: 5", "nodes: 1.5", (5, 12), "`1.5` is no whole number"),
        ("    ],\n", "", (11, 13), "the `[` that opens here is never closed"),
    ];
    let unclosed_text = ("{ \"n1\": 3 }", "\"n1", (15, 12), "the `\"` that opens here is never closed");
    for (from, to, place, message) in cases.into_iter().chain([unclosed_text]) {
        let error = error_with(from, to);
        let found = (error.place.line, error.place.column);
        assert_eq!((found, error.message.as_str()), (place, message), "for `{to}`:\n{error}");
    }
}

#[test]
fn an_unquoted_quantity_is_told_to_be_quoted() {
    for (from, to) in [("\"50ms\"", "50ms"), ("nodes: 5", "nodes: 5ms"), ("\"2s\"", "2s")] {
        let error = error_with(from, to);
        let bare = to.trim_start_matches("nodes: ");
        assert_eq!(&*error.hint, format!("write `\"{bare}\"`"), "{error}");
    }
}

#[test]
fn documents_that_are_no_text_are_refused_with_their_line() {
    let read = |bytes: &[u8]| Document::read("x.ron", bytes).map(|_| ()).unwrap_err();
    for empty in ["", " \n\t", "// only\n/* comments */\n", "\u{FEFF}\r\n"] {
        assert_eq!(read(empty.as_bytes()).message, "the file is empty");
    }
    let error = read(b"(\n a: \"\xff\")");
    assert_eq!((error.place.line, error.place.column), (2, 6));
    assert_eq!(error.message, "the file is not UTF-8: byte 0xFF at offset 7");
    let deep = format!("\n{}{}", "[".repeat(200), "]".repeat(200));
    let error = read(deep.as_bytes());
    assert_eq!((error.place.line, error.place.column), (2, document::DEPTH_MAX + 1));
    assert!(Document::check_size("x.ron", document::LEN_MAX).is_ok());
    assert!(Document::check_size("x.ron", document::LEN_MAX + 1).is_err());
}

#[derive(Debug, PartialEq, Deserialize)]
struct Nested(Vec<Nested>);

#[test]
fn the_deepest_nesting_allowed_fits_the_stack() {
    let deepest = "[".repeat(document::DEPTH_MAX) + &"]".repeat(document::DEPTH_MAX);
    let mut nested = &parse::<Nested>(&document(&deepest)).unwrap_or_else(|error| panic!("{error}"));
    let mut depth = 1;
    while let [inner] = nested.0.as_slice() {
        (nested, depth) = (inner, depth + 1);
    }
    assert_eq!(depth, document::DEPTH_MAX);
}

#[test]
fn byte_order_marks_and_windows_line_ends_change_nothing() {
    let windows = format!("\u{FEFF}{}", SAMPLE.replace('\n', "\r\n"));
    assert_eq!(parse::<Scenario>(&document(&windows)), parse(&document(SAMPLE)));
    let error = error_of(&windows.replace("heartbeat: ", "heartbeet: "));
    assert_eq!((error.place.line, error.place.column), (7, 9));
    assert_eq!(error.place.text, "        heartbeet: \"50ms\",");
}

#[test]
fn paths_find_keys_and_values() {
    assert_eq!(text_at("network.loss"), Some(("loss", "0.05")));
    assert_eq!(text_at("network.latency"), Some(("latency", "\"5ms\"")));
    assert_eq!(text_at("faults[1].at"), Some(("at", "\"5s\"")));
    assert_eq!(text_at("faults[1].Heal.at"), Some(("at", "\"5s\"")));
    assert_eq!(text_at("faults[0]").unwrap().1, "Crash(node: \"n1\", at: \"2s\")");
    assert_eq!(text_at("protocol.Raft.heartbeat"), Some(("heartbeat", "\"50ms\"")));
    assert_eq!(text_at("links.n1"), Some(("\"n1\"", "3")));
    assert_eq!(text_at("name"), Some(("name", r#""crash \"of\" (the leader""#)));
    assert_eq!(text_at("network.lost"), None);
    assert_eq!(text_at("faults[2]"), None);
    assert_eq!(Path::parse("faults[2][0].at").unwrap().to_string(), "faults[2][0].at");
    for wrong in ["", "a..b", "a.", "a[", "a[x]", "a[1]b"] {
        assert_eq!(Path::parse(wrong), None, "`{wrong}` is no path");
    }
}

#[test]
fn cross_field_errors_find_the_nearest_place_there_is() {
    let place = document(SAMPLE).place_of(&Path::parse("faults[0].node").unwrap());
    assert_eq!((place.line, place.column, place.width), (12, 21, 4));
    let key = document(SAMPLE).place_of_key(&Path::parse("network.absent.deeper").unwrap());
    assert_eq!((key.line, key.column, key.width), (10, 5, 7));
}

#[test]
fn overrides_replace_and_insert_values() {
    let scenario = overridden(&[
        "nodes=7",
        "protocol.heartbeat=20ms",
        "network.loss=0.5",
        "network.size_max=9",
        "faults[0].node=n3",
        "faults[1].at=7s",
        "links.n2=4",
        "name=say \"hi\"",
    ]);
    assert_eq!((scenario.nodes, scenario.network.size_max), (7, Some(9)));
    assert_eq!(scenario.network.loss.unwrap().to_string(), "0.5");
    let Protocol::Raft(raft) = &scenario.protocol else { panic!("still Raft") };
    assert_eq!(raft.heartbeat.to_string(), "20ms");
    assert_eq!(scenario.faults[0], ron::from_str("Crash(node: \"n3\", at: \"2s\")").unwrap());
    assert_eq!(scenario.faults[1], ron::from_str("Heal(at: \"7s\")").unwrap());
    assert_eq!(scenario.links.get("n2"), Some(&4));
    assert_eq!(scenario.name, "say \"hi\"");
}

#[test]
fn overrides_replace_whole_sections_and_each_other() {
    let scenario = overridden(&["protocol=Echo", "faults=[]", "network=(loss: 0.1)", "network.loss=0.2"]);
    assert_eq!((scenario.protocol, scenario.faults.len()), (Protocol::Echo, 0));
    assert_eq!(scenario.network.loss.unwrap().to_string(), "0.2");
    let bare = document("Scenario(format_version: 1, nodes: 3, protocol: Echo)");
    let change = Override::parse("network.loss=0.25").unwrap();
    let scenario: Scenario = parse(&apply(&bare, &[change]).unwrap()).unwrap();
    assert_eq!(scenario.network.loss.unwrap().to_string(), "0.25");
}

#[test]
fn an_error_in_an_override_shows_the_override() {
    let error = parse::<Scenario>(&with_overrides(&["network.loss=2"]).unwrap()).unwrap_err();
    let expected = "\
error: `2` is above 1
  --> --set network.loss=2
   |
   | network.loss=2
   |              ^
   = allowed: a decimal from 0 to 1 with at most 18 places
   = hint: write `0.02`
";
    assert_eq!(error.to_string(), expected);
    let error = parse::<Scenario>(&with_overrides(&["network.los=0.1"]).unwrap()).unwrap_err();
    let source = Source::Set { flag: "--set", text: "network.los=0.1".to_owned() };
    assert_eq!(error.place.source, source);
    assert_eq!(&*error.hint, "did you mean `loss`?");
}

/// What is underlined in an override that is refused, where it is given with `flag`.
fn underlined(flag: &'static str, text: &str) -> String {
    let change = Override::parse_for(flag, text).unwrap();
    let changed = apply(&document(SAMPLE), std::slice::from_ref(&change));
    let error = changed.and_then(|changed| parse::<Scenario>(&changed)).unwrap_err();
    assert_eq!(error.place.source, Source::Set { flag, text: text.to_owned() }, "{error}");
    text.chars().skip(error.place.column - 1).take(error.place.width).collect()
}

#[test]
fn an_error_in_an_override_names_its_option_and_underlines_the_part_that_is_wrong() {
    for (text, part) in [
        ("network.los=0.1", "los"),
        ("nods=3", "nods"),
        ("network = (los: 0.1)", "los"),
        ("network=(loss: 2)", "2"),
        ("faults.[1].at=5x", "5x"),
        ("faults[7].at=5s", "[7]"),
        ("nodes.count.x=5", "count"),
        ("protocol.Raft.heartbeat= 5parsecs", "5parsecs"),
        ("größe=3", "größe"),
    ] {
        assert_eq!(underlined("--set-b", text), part, "{text}");
    }
}

#[test]
fn an_override_that_takes_back_another_one_is_refused_and_both_are_named() {
    let checked = |texts: [(&'static str, &str); 2]| {
        let overrides = texts.map(|(flag, text)| Override::parse_for(flag, text).unwrap());
        check_apart(&document(SAMPLE), &overrides)
    };
    for (earlier, later) in [
        ("nodes=3", "nodes=5"),
        ("nodes=3", "nodes = 3"),
        ("network.loss=0.1", "network=(loss: 0.2)"),
        ("protocol.heartbeat=1ms", "protocol.Raft.heartbeat=2ms"),
        ("faults[0].at=1s", "faults=[]"),
    ] {
        let error = checked([("--set", earlier), ("--vary", later)]).unwrap_err();
        assert!(error.message.ends_with(" is set twice"), "{error}");
        assert_eq!(&*error.hint, format!("keep one of `--set {earlier}` and `--vary {later}`"));
    }
    for (earlier, later) in
        [("network=(loss: 0.1)", "network.loss=0.2"), ("faults[0].at=1s", "faults[1].at=1s")]
    {
        assert_eq!(checked([("--set", earlier), ("--set", later)]), Ok(()), "{earlier} {later}");
    }
}

#[test]
fn lines_of_the_file_stay_true_behind_an_override() {
    let broken = SAMPLE.replacen("\"5s\"", "\"5x\"", 1);
    let change = Override::parse("network.size_max=1000000").unwrap();
    let error = parse::<Scenario>(&apply(&document(&broken), &[change]).unwrap()).unwrap_err();
    assert_eq!((error.place.line, error.place.column), (13, 18));
    assert_eq!(error.place.source, Source::File("crash.ron".to_owned()));
}

#[test]
fn overrides_that_lead_nowhere_or_break_out_are_refused() {
    for (text, message) in [
        ("faults[2].at=5s", "`faults[2].at` has no item 2"),
        ("faults.at=5s", "`faults.at` leads to no field: there is no `at`"),
        ("nodes.count=5", "`nodes.count` leads to no field: there is no `count`"),
        ("network=(loss: 1", "the value is not valid RON: expected comma"),
        ("network=(loss: 1), (x: 2)", "the value is not valid RON: non-whitespace trailing characters"),
    ] {
        assert_eq!(with_overrides(&[text]).unwrap_err().message, message);
    }
    assert_eq!(overridden(&["name=1 // not a comment"]).name, "1 // not a comment");
    for text in ["nodes", "=5", ".a=5", "a[=5"] {
        assert!(Override::parse(text).is_err(), "`{text}` is no override");
    }
}

#[test]
fn long_and_hostile_lines_are_shown_safely() {
    let long =
        format!("Scenario(name: \"{}\u{1b}[31m\", nodes: x, y: \"{}\")", "é".repeat(300), "z".repeat(300));
    let shown = error_of(&long).to_string();
    assert!(!shown.contains('\u{1b}'), "control characters are escaped");
    assert!(shown.lines().all(|line| line.chars().count() < 140), "lines are clipped:\n{shown}");
    let line = shown.lines().find(|line| line.contains("nodes: x")).expect("the place is in view");
    let marks = shown.lines().find(|line| line.contains('^')).expect("the place is underlined");
    let column = line.chars().position(|character| character == 'x').expect("it is there");
    assert_eq!(marks.chars().position(|character| character == '^'), Some(column), "{shown}");
}

/// What a careless editor or a bad disk does to a file.
#[derive(Clone, Debug)]
enum Mangling {
    Flip(prop::sample::Index, u8),
    Truncate(prop::sample::Index),
    Insert(prop::sample::Index, String),
    Remove(prop::sample::Index, usize),
}

fn mangling() -> impl Strategy<Value = Mangling> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Mangling::Flip(at, byte)),
        at().prop_map(Mangling::Truncate),
        (at(), "[(){}\\[\\]\"',:/*#r\\\\a-z0-9 \n-]{1,4}").prop_map(|(at, text)| Mangling::Insert(at, text)),
        (at(), 1..20_usize).prop_map(|(at, count)| Mangling::Remove(at, count)),
    ]
}

fn mangle(bytes: &mut Vec<u8>, mangling: Mangling) {
    if bytes.is_empty() {
        return;
    }
    let len = bytes.len();
    match mangling {
        Mangling::Flip(at, byte) => bytes[at.index(len)] = byte,
        Mangling::Truncate(at) => bytes.truncate(at.index(len)),
        Mangling::Insert(at, text) => {
            bytes.splice(at.index(len)..at.index(len), text.bytes());
        }
        Mangling::Remove(at, count) => {
            bytes.drain(at.index(len)..len.min(at.index(len) + count));
        }
    }
}

fn points_into(bytes: &[u8], error: &Diagnostic) {
    let lines = String::from_utf8_lossy(bytes).matches('\n').count() + 1;
    assert!((1..=lines).contains(&error.place.line), "line {} of {lines}:\n{error}", error.place.line);
    assert!(
        error.place.column <= error.place.text.chars().count() + 1,
        "the column is in the line:\n{error}"
    );
    assert!(!error.to_string().is_empty());
}

proptest! {
    #[test]
    fn mangled_files_parse_or_say_where_they_are_wrong(manglings in prop::collection::vec(mangling(), 1..4)) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for mangling in manglings {
            mangle(&mut bytes, mangling);
        }
        match Document::read("crash.ron", &bytes).and_then(|document| parse::<Scenario>(&document)) {
            Ok(_) => {}
            Err(error) => points_into(&bytes, &error),
        }
    }

    #[test]
    fn mangled_files_take_overrides_or_refuse_them(
        manglings in prop::collection::vec(mangling(), 0..3),
        path in "[a-z]{1,3}(\\.[a-z]{1,3}|\\[[0-9]\\]){0,2}|network.loss|faults\\[0\\].at|protocol.x.y",
        value in "\\PC{0,8}|[(){}\\[\\]\",:a-z0-9]{0,8}",
    ) {
        let mut bytes = SAMPLE.as_bytes().to_vec();
        for mangling in manglings {
            mangle(&mut bytes, mangling);
        }
        let change = Override::parse(&format!("{path}={value}"));
        if let (Ok(document), Ok(change)) = (Document::read("crash.ron", &bytes), change) {
            let result = apply(&document, &[change.clone(), change]);
            let _ = result.and_then(|changed| parse::<Scenario>(&changed)).map_err(|error| error.to_string());
        }
    }

    #[test]
    fn arbitrary_text_has_an_outline(text in "\\PC{0,40}|[(){}\\[\\]\"',:/*#r\\\\a-z0-9 \n!-]{0,80}", path in "[a-z.0-9\\[\\]]{0,8}") {
        let found = Path::parse(&path).and_then(|path| Outline::new(&text).find(&path));
        prop_assert!(found.is_none_or(|found| text.get(found.key).is_some() && text.get(found.value).is_some()));
    }

    #[test]
    fn any_field_of_any_text_can_be_taken_out(text in "[(){}\\[\\]\",:a-z0-9 ]{0,60}") {
        for path in Outline::new(&text).fields(3) {
            let less = Outline::new(&text).without(&path);
            prop_assert!(less.is_none_or(|less| less.len() <= text.len()), "{}", path);
        }
    }

    #[test]
    fn overrides_set_what_they_say(nodes in any::<u32>(), loss in 0..=1000_u32, at in 0..1_000_000_u64, name in "\\PC{0,12}") {
        let loss = format!("{}.{:03}", loss / 1000, loss % 1000);
        let texts = [
            format!("nodes={nodes}"), format!("network.loss={loss}"), format!("faults[1].at={at}us"),
            format!("network.latency={at}ns..{at}us"), format!("name={}", ron::to_string(&name).unwrap()),
        ];
        let scenario = overridden(&texts.each_ref().map(String::as_str));
        prop_assert_eq!(scenario.nodes, nodes);
        prop_assert_eq!(scenario.network.loss, loss.parse().ok());
        prop_assert_eq!(scenario.network.latency, format!("{at}ns..{at}us").parse().ok());
        prop_assert_eq!(&scenario.faults[1], &Fault::Heal { at: format!("{at}us").parse().unwrap() });
        prop_assert_eq!(scenario.name, name);
    }
}

#[test]
fn a_field_is_taken_out_with_its_comma() {
    let text = "S(a: 1, b: (c: 2, d: [3, 4]), e: P(f: 5))";
    let without = |path: &str| Outline::new(text).without(&Path::parse(path).expect("well-formed"));
    assert_eq!(without("a").as_deref(), Some("S(b: (c: 2, d: [3, 4]), e: P(f: 5))"));
    assert_eq!(without("b.d").as_deref(), Some("S(a: 1, b: (c: 2), e: P(f: 5))"));
    assert_eq!(without("e").as_deref(), Some("S(a: 1, b: (c: 2, d: [3, 4]))"));
    assert_eq!(without("e.f").as_deref(), Some("S(a: 1, b: (c: 2, d: [3, 4]), e: P())"));
    assert_eq!((without("x"), without("b.x"), without("b.d[0]")), (None, None, None));
}

#[test]
fn fields_are_named_from_the_outside_in() {
    let outline = Outline::new("S(a: 1, b: (c: 2, d: [3, (e: 4)]), f: P(g: 5))");
    let named = |depth| outline.fields(depth).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(named(1), "a b f");
    assert_eq!(named(2), "a b b.c b.d f f.g");
    assert_eq!(outline.top_fields(), [("a", "1"), ("b", "(c: 2, d: [3, (e: 4)])"), ("f", "P(g: 5)")]);
}

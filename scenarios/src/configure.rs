//! The configuration of a seed: fields of a scenario that say from what they are drawn.
//!
//! Each field is drawn by a key of its own, so that another one in the list shifts nothing. Values are put into the text
//! as `--set` does it. Where they contradict one another, all are drawn again, and after [`TRIES`] times the scenario
//! runs as it is written: that never happens while at least one combination in a few is valid.
//!
//! What is set by hand wins: such a field is not drawn (unless it lies in a section that was set together with `draw`), and where a drawn section contains it, it is set again there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use sim_core::fingerprint::fingerprint;
use sim_core::random::{KeySource, Purpose};

use crate::format::{Draw, Scenario};
use crate::load::{Loaded, parse_and_validate};
use crate::protocol::ProtocolTable;
use crate::text::{self, Diagnostic, Document, Override, Path};

/// How often values are drawn anew.
const TRIES: u32 = 100;
/// More combinations than this are not kept.
const KNOWN_MAX: usize = 1_000;

/// A scenario as a seed has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Configured {
    /// With the drawn values in it.
    pub scenario: Scenario,
    /// What was drawn; as overrides of the file these give this scenario for every seed.
    pub drawn: Vec<Override>,
}

impl Loaded {
    /// The fields whose values are drawn from the seed: those of `draw`, but for what was set by hand.
    pub fn draws(&self) -> impl Iterator<Item = &Draw> {
        self.scenario.draw.iter().filter(|draw| !self.is_set(draw))
    }

    /// The scenario as `seed` has it; `table` is the one that it was loaded with.
    pub fn configured(&self, seed: u64, table: &ProtocolTable) -> Arc<Configured> {
        let fields: Vec<&Draw> = self.draws().collect();
        let drawn = |attempt| fields.iter().map(|draw| Chosen::of(draw, seed, attempt)).collect::<Vec<_>>();
        let tries = (0..TRIES).map(drawn).find_map(|drawn| self.with_drawn(&drawn, table));
        tries.unwrap_or_else(|| Arc::new(Configured { scenario: self.scenario.clone(), drawn: Vec::new() }))
    }

    /// The scenario with these drawn values; `None` where they contradict one another.
    fn with_drawn(&self, drawn: &[Chosen<'_>], table: &ProtocolTable) -> Option<Arc<Configured>> {
        let places = drawn.iter().map(|chosen| chosen.place).collect();
        self.known.find_or_read(places, || {
            let drawn: Vec<Override> =
                drawn.iter().map(|chosen| set(&chosen.draw.path, chosen.value())).collect();
            let scenario =
                if drawn.is_empty() { self.scenario.clone() } else { self.with(&drawn, table).ok()? };
            Some(Arc::new(Configured { scenario, drawn }))
        })
    }

    /// Whether the field, or something around it, was set by hand. What is around it may be, if the draws were too: then the
    /// field is meant to be drawn in what was set.
    fn is_set(&self, draw: &Draw) -> bool {
        let Some(path) = Path::parse(draw.path.trim()) else { return false };
        let mut by_hand = self.overrides().iter().map(Override::path);
        let are_draws_set = Path::parse("draw").is_some_and(|draws| by_hand.clone().any(|set| *set == draws));
        by_hand.any(|set| if are_draws_set { *set == path } else { set.contains(&path) })
    }

    /// The scenario with these values, and with what was set by hand inside of them.
    fn with(&self, drawn: &[Override], table: &ProtocolTable) -> Result<Scenario, Diagnostic> {
        let is_inside = |by_hand: &&Override| drawn.iter().any(|drawn| drawn.path().contains(by_hand.path()));
        let inside = self.overrides().iter().filter(is_inside);
        let all: Vec<Override> = drawn.iter().chain(inside).cloned().collect();
        parse_and_validate(&text::apply(self.document(), &all)?, table)
    }

    /// That a value is valid by itself, or together with one of another field.
    fn check_value(&self, path: &str, value: &str, table: &ProtocolTable) -> Result<(), Diagnostic> {
        let mine = set(path, value);
        let Err(wrong) = self.with(std::slice::from_ref(&mine), table) else { return Ok(()) };
        let others = self
            .scenario
            .draw
            .iter()
            .filter(|other| other.path != path && Path::parse(&other.path).is_some());
        let mut pairs = others.flat_map(|other| other.from.iter().map(|value| set(&other.path, value)));
        let is_valid = pairs.any(|other| self.with(&[mine.clone(), other], table).is_ok());
        if is_valid { Ok(()) } else { Err(wrong) }
    }

    /// Checks what may be drawn, value by value.
    pub(crate) fn check_draws(&self, table: &ProtocolTable) -> Result<(), Diagnostic> {
        for (index, draw) in self.scenario.draw.iter().enumerate() {
            let here = |part: &str| format!("draw[{index}].{part}");
            if Path::parse(draw.path.trim()).is_none() {
                let problem = format!("`{}` is no path to a field", draw.path);
                let (allowed, hint) =
                    ("paths such as `nodes` or `network.loss`", "write the path of one field");
                return Err(at(self.document(), &here("path"), problem, allowed, hint));
            }
            if ["draw", "format_version"].contains(&first_step(&draw.path)) {
                let problem = format!("`{}` cannot be drawn", draw.path);
                let allowed = "any other field";
                return Err(at(self.document(), &here("path"), problem, allowed, "remove this draw"));
            }
            if draw.from.is_empty() {
                let problem = "there is nothing to draw from".to_owned();
                let hint = "name values, such as `from: [\"3\", \"5\"]`";
                return Err(at(self.document(), &here("from"), problem, "one value and more", hint));
            }
            if self.is_set(draw) {
                continue;
            }
            for (place, value) in draw.from.iter().enumerate() {
                self.check_value(&draw.path, value, table).map_err(|wrong| {
                    let problem = format!("`{value}` is no value for `{}`: {}", draw.path, wrong.message);
                    at(
                        self.document(),
                        &here(&format!("from[{place}]")),
                        problem,
                        &wrong.allowed,
                        &wrong.hint,
                    )
                })?;
            }
        }
        Ok(())
    }
}

fn first_step(path: &str) -> &str {
    path.trim().split(['.', '[']).next().unwrap_or_default()
}

fn at(document: &Document, path: &str, problem: String, allowed: &str, hint: &str) -> Diagnostic {
    let path = Path::parse(path).expect("paths in code are well-formed");
    Diagnostic::new(problem, document.place_of(&path), allowed, hint)
}

/// What the seed has for one field.
struct Chosen<'a> {
    draw: &'a Draw,
    /// Which of the values to draw from.
    place: usize,
}

impl<'a> Chosen<'a> {
    fn of(draw: &'a Draw, seed: u64, attempt: u32) -> Self {
        let mut stream =
            KeySource::new(seed).stream(Purpose::Configuration, fingerprint(&draw.path), attempt);
        let place = stream.below(draw.from.len() as u64);
        Self { draw, place: usize::try_from(place).expect("it is an index") }
    }

    fn value(&self) -> &'a str {
        &self.draw.from[self.place]
    }
}

/// The scenarios of combinations of drawn values, by the places of the values; `None` for one that contradicts itself.
/// What is known here changes nothing but the time that it takes, so copies may share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownConfigurations(Arc<Mutex<Known>>);

type Known = BTreeMap<Vec<usize>, Option<Arc<Configured>>>;

impl KnownConfigurations {
    /// The scenario of a combination; what is read is kept, as long as there is room.
    fn find_or_read(
        &self,
        places: Vec<usize>,
        read: impl FnOnce() -> Option<Arc<Configured>>,
    ) -> Option<Arc<Configured>> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&places) {
            return known.clone();
        }
        // Not under the lock: reading takes long, and two who read the same come to the same.
        let made = read();
        let mut known = lock();
        if known.len() < KNOWN_MAX {
            known.insert(places, made.clone());
        }
        made
    }
}

fn set(path: &str, value: &str) -> Override {
    Override::parse(&format!("{}={value}", path.trim())).expect("checked: it begins with a path")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::load::load;
    use crate::run::{RunOptions, run};

    fn try_loaded(fields: &str) -> Result<Loaded, Diagnostic> {
        let text = format!("Scenario(format_version: 1, name: \"drawn\", protocol: Raft(),\n{fields}\n)");
        load("test.ron", text.as_bytes(), &[], &ProtocolTable::builtin())
    }

    fn loaded(fields: &str) -> Loaded {
        try_loaded(fields).unwrap_or_else(|error| panic!("{error}"))
    }

    fn set_by_hand(fields: &str, overrides: &[&str]) -> Loaded {
        let text = format!("Scenario(format_version: 1, name: \"drawn\", protocol: Raft(),\n{fields}\n)");
        let overrides: Vec<Override> =
            overrides.iter().map(|text| Override::parse(text).expect("a path and a value")).collect();
        load("test.ron", text.as_bytes(), &overrides, &ProtocolTable::builtin())
            .unwrap_or_else(|error| panic!("{error}"))
    }

    const TWO: &str = r#"draw: [(path: "nodes", from: ["3", "4", "5"]), (path: "protocol.heartbeat", from: ["20ms", "50ms"])]"#;

    #[test]
    fn seeds_have_all_combinations_and_each_seed_its_own_again() {
        let (scenario, table) = (loaded(TWO), ProtocolTable::builtin());
        let drawn = |seed| {
            let configured = scenario.configured(seed, &table);
            assert_eq!(configured, scenario.configured(seed, &table));
            let drawn: Vec<String> = configured.drawn.iter().map(ToString::to_string).collect();
            assert_eq!(drawn[0], format!("nodes={}", configured.scenario.nodes));
            drawn
        };
        let combinations: BTreeSet<_> = (0..200).map(drawn).collect();
        assert_eq!(combinations.len(), 6, "{combinations:?}");
    }

    #[test]
    fn one_more_field_shifts_no_other() {
        let table = ProtocolTable::builtin();
        let more = loaded(&TWO.replace("draw: [", r#"draw: [(path: "network.loss", from: ["0", "0.1"]), "#));
        for seed in 0..20 {
            let (few, many) = (loaded(TWO).configured(seed, &table), more.configured(seed, &table));
            assert_eq!(few.drawn[..], many.drawn[1..]);
        }
    }

    #[test]
    fn what_contradicts_itself_is_drawn_again() {
        let fields = r#"draw: [
            (path: "protocol.heartbeat", from: ["50ms", "100ms"]),
            (path: "protocol.election_timeout", from: ["80ms..160ms", "150ms..300ms"])]"#;
        let (scenario, table) = (loaded(fields), ProtocolTable::builtin());
        let drawn: BTreeSet<Vec<String>> = (0..100)
            .map(|seed| scenario.configured(seed, &table).drawn.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(drawn.len(), 3, "a heartbeat of 100 ms does not go with timeouts from 80 ms: {drawn:?}");
    }

    #[test]
    fn a_value_that_needs_another_is_drawn_with_it() {
        let fields = r#"draw: [
            (path: "protocol.heartbeat", from: ["50ms", "160ms"]),
            (path: "protocol.election_timeout", from: ["150ms..300ms", "400ms..800ms"])]"#;
        let (scenario, table) = (loaded(fields), ProtocolTable::builtin());
        let of_seed = |seed| scenario.configured(seed, &table).drawn.clone();
        let slow = (0..100).map(of_seed).filter(|drawn| drawn[0].value() == "160ms");
        let timeouts: BTreeSet<String> = slow.map(|drawn| drawn[1].value().to_owned()).collect();
        assert_eq!(timeouts, ["400ms..800ms".to_owned()].into());
    }

    #[test]
    fn a_run_says_what_was_drawn_and_the_same_as_overrides_gives_the_same_run() {
        let table = ProtocolTable::builtin();
        let scenario = loaded(TWO);
        let report = run(&scenario, &table, 9, &RunOptions::default()).report;
        assert_eq!(
            (report.drawn.len(), report.drawn[0].as_str()),
            (2, format!("nodes={}", report.nodes).as_str())
        );
        let text = r#"Scenario(format_version: 1, name: "drawn", protocol: Raft())"#;
        let drawn = &scenario.configured(9, &table).drawn;
        let fixed =
            load("test.ron", text.as_bytes(), drawn, &table).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(run(&fixed, &table, 9, &RunOptions::default()).report.digest, report.digest);
    }

    #[test]
    fn what_is_set_by_hand_is_not_drawn() {
        let table = ProtocolTable::builtin();
        let (free, fixed) = (loaded(TWO), set_by_hand(TWO, &["nodes=7"]));
        for seed in 0..20 {
            let configured = fixed.configured(seed, &table);
            assert_eq!(configured.scenario.nodes, 7);
            assert_eq!(configured.drawn[..], free.configured(seed, &table).drawn[1..], "the rest stays");
        }
        let section = set_by_hand(TWO, &["protocol=Raft(heartbeat: \"30ms\")"]);
        assert_eq!(section.configured(3, &table).drawn.len(), 1, "the section is set, its heartbeat with it");
    }

    #[test]
    fn draws_that_are_set_by_hand_are_drawn_in_sections_that_are_set_too() {
        let table = ProtocolTable::builtin();
        let draws = r#"draw=[(path: "protocol.heartbeat", from: ["20ms", "40ms"]), (path: "nodes", from: ["3", "5"])]"#;
        let set = set_by_hand(TWO, &["protocol=Raft(heartbeat: \"30ms\")", draws, "nodes=7"]);
        for seed in 0..20 {
            let configured = set.configured(seed, &table);
            assert_eq!(configured.scenario.nodes, 7, "the field itself is set");
            assert_eq!(configured.drawn.len(), 1, "the heartbeat is drawn");
        }
    }

    #[test]
    fn what_is_set_by_hand_within_a_drawn_section_stays() {
        let table = ProtocolTable::builtin();
        let fields = r#"network: (latency: "1ms"),
            draw: [(path: "network", from: ["(latency: \"2ms\")", "(latency: \"3ms\", loss: 0.5)"])]"#;
        let fixed = set_by_hand(fields, &["network.loss=0.25"]);
        let latencies: BTreeSet<String> = (0..20)
            .map(|seed| {
                let network = &fixed.configured(seed, &table).scenario.network;
                assert_eq!(network.loss.map(|it| it.to_string()).as_deref(), Some("0.25"));
                network.latency.as_ref().expect("drawn").to_string()
            })
            .collect();
        assert_eq!(latencies, ["2ms".to_owned(), "3ms".to_owned()].into());
    }

    #[test]
    fn lists_of_nodes_are_drawn_as_texts_also_after_the_scenario_was_written() {
        let table = ProtocolTable::builtin();
        let fields = r#"clients: (targets: "n1, n2"),
            draw: [(path: "clients.targets", from: ["n1", "n1, n2", "[\"n2\", \"n3\"]"])]"#;
        let first = loaded(fields);
        let text = first.scenario.to_text();
        let second =
            load("written.ron", text.as_bytes(), &[], &table).unwrap_or_else(|error| panic!("{error}"));
        for seed in 0..20 {
            let [first, second] = [&first, &second].map(|it| it.configured(seed, &table));
            assert_eq!(first.scenario, second.scenario, "seed {seed}");
        }
    }

    #[test]
    fn a_value_that_is_none_is_refused_at_its_place() {
        let cases = [
            (r#"draw: [(path: "nodes", from: ["3", "0"])]"#, "a scenario cannot have 0 nodes"),
            (r#"draw: [(path: "nodes", from: ["many"])]"#, "`many` is no value for `nodes`"),
            (r#"draw: [(path: "nodes", from: [])]"#, "nothing to draw from"),
            (r#"draw: [(path: "nods", from: ["3"])]"#, "is no value for `nods`"),
            (r#"draw: [(path: "..", from: ["3"])]"#, "is no path"),
            (r#"draw: [(path: "draw[0].path", from: ["3"])]"#, "cannot be drawn"),
        ];
        for (fields, said) in cases {
            let error = try_loaded(fields).expect_err("it is refused").to_string();
            assert!(error.contains(said) && error.contains("--> test.ron:2:"), "{error}");
        }
    }
}

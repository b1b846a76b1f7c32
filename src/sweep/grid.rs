//! What a sweep goes through: scenarios, each with each combination of varied fields, each with each seed.
//!
//! Jobs are numbered seed by seed: all configurations with the first seed, then all with the second. So a sweep that ends
//! early has tried every configuration about as often.

use std::collections::BTreeSet;
use std::ops::Range;

use scenarios::library;
use scenarios::text::{Override, Path};
use scenarios::{Loaded, ProtocolTable, RunOptions};

use super::Job;
use crate::failure::{Failure, Usage};
use crate::input::ScenarioText;

/// More configurations than this are refused.
const CONFIGURATIONS_MAX: usize = 10_000;
/// More runs than this are refused: a machine would need thousands of years.
const RUNS_MAX: u64 = 1 << 48;

/// A field and the values that it takes: `nodes=3,5,7`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Varied {
    path: String,
    values: Vec<String>,
}

impl Varied {
    /// Reads `path=a,b,c`. A comma within brackets or quotes belongs to its value.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (path, values) = text.split_once('=').ok_or("it has no `=`: write `path=a,b,c`")?;
        let path = path.trim();
        if Path::parse(path).is_none() {
            return Err(format!("`{path}` is no path to a field, such as `nodes` or `network.loss`"));
        }
        let values: Vec<String> = apart(values).into_iter().map(|value| value.trim().to_owned()).collect();
        if let Some(place) = values.iter().position(String::is_empty) {
            let which = if values.len() == 1 {
                "there is no value".to_owned()
            } else {
                format!("value {} is empty", place + 1)
            };
            return Err(format!("{which}: write `{path}=a,b,c`"));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = values.iter().find(|value| !seen.insert(*value)) {
            return Err(format!("`{twice}` is there twice"));
        }
        Ok(Self { path: path.to_owned(), values })
    }

    /// The field with one of its values.
    fn set(&self, value: &str) -> Override {
        let text = format!("{}={value}", self.path);
        Override::parse_for("--vary", &text)
            .expect("it begins with a path: that was checked when it was read")
    }
}

/// Parts between commas that no bracket or quote encloses.
fn apart(text: &str) -> Vec<&str> {
    let (mut depth, mut is_quoted, mut is_escaped, mut start) = (0_i32, false, false, 0);
    let mut parts = Vec::new();
    for (place, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..place]);
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// What the command line asks for.
pub(crate) struct Asked<'a> {
    /// Files, names of the library, `raft/` for all below, `all`.
    pub(crate) scenarios: &'a [String],
    /// `path=value`, for all.
    pub(crate) set: &'a [String],
    pub(crate) vary: &'a [Varied],
    pub(crate) seeds: Range<u64>,
}

/// One side of those that are compared.
pub(crate) struct SideAsked<'a> {
    /// A file or a name of the library.
    scenario: &'a str,
    set: Vec<Override>,
}

impl<'a> SideAsked<'a> {
    /// What is set for one side (`own`, by the option `flag`) wins over what is set for all.
    pub(crate) fn new(
        scenario: &'a str,
        common: &[String],
        (flag, own): (&'static str, &[String]),
    ) -> Result<Self, Failure> {
        let own = parsed(flag, own)?;
        let mut set = parsed("--set", common)?;
        set.retain(|common| own.iter().all(|own| !own.path().contains(common.path())));
        set.extend(own);
        Ok(Self { scenario, set })
    }
}

/// What is set with an option.
fn parsed(flag: &'static str, set: &[String]) -> Result<Vec<Override>, Failure> {
    Ok(set.iter().map(|text| Override::parse_for(flag, text)).collect::<Result<_, _>>()?)
}

/// One scenario with one combination of values.
pub(crate) struct Configuration {
    /// How the command line calls the scenario.
    pub(crate) scenario: String,
    /// What is set: first what is the same for all, then what varies. `path=value`.
    pub(crate) set: Vec<String>,
    pub(crate) loaded: Loaded,
    /// The names of the protocol's points, then those of its fault points.
    pub(crate) points: Vec<String>,
    /// What its processes count.
    pub(crate) own_counters: Vec<&'static str>,
    /// Of what its processes keep how long it takes.
    pub(crate) own_latencies: Vec<&'static str>,
}

impl Configuration {
    /// The protocol, with its mutant if it is one: `raft/commit-prior-term`.
    pub(crate) fn protocol(&self) -> String {
        let protocol = &self.loaded.scenario.protocol;
        match protocol.mutant() {
            Some(mutant) => format!("{}/{}", protocol.name(), mutant.0),
            None => protocol.name().to_owned(),
        }
    }

    /// What `splitbrain` is to be told to run it with a seed.
    pub(crate) fn command(&self, seed: u64) -> String {
        use crate::cli::quoted;
        let set = self.set.iter().map(|set| format!(" --set {}", quoted(set)));
        format!("splitbrain run {} --seed {seed}{}", quoted(&self.scenario), set.collect::<String>())
    }
}

/// All that a sweep goes through.
pub(crate) struct Grid {
    pub(crate) configurations: Vec<Configuration>,
    pub(crate) seeds: Range<u64>,
}

impl Grid {
    /// Reads all scenarios with all combinations, so that whatever is wrong is known before anything runs.
    pub(crate) fn new(asked: &Asked<'_>, table: &ProtocolTable) -> Result<Self, Failure> {
        let set = parsed("--set", asked.set)?;
        let combinations = combinations(asked.vary);
        let texts = selected(asked.scenarios)?;
        check_size(texts.len(), combinations.len(), &asked.seeds)?;
        let mut configurations = Vec::new();
        for (scenario, text) in &texts {
            for combination in &combinations {
                let set = [&set[..], combination].concat();
                configurations.push(configuration(scenario, text, &set, table)?);
            }
        }
        Ok(Self { configurations, seeds: asked.seeds.clone() })
    }

    /// Sides that are compared, each with all seeds: the runs of all sides with the first seed, in order, then those with the
    /// second.
    pub(crate) fn of_sides(
        sides: Vec<SideAsked<'_>>,
        seeds: Range<u64>,
        table: &ProtocolTable,
    ) -> Result<Self, Failure> {
        check_size(1, sides.len(), &seeds)?;
        let side = |SideAsked { scenario, set }| {
            configuration(scenario, &ScenarioText::named(scenario)?, &set, table)
        };
        let configurations = sides.into_iter().map(side).collect::<Result<_, Failure>>()?;
        Ok(Self { configurations, seeds })
    }

    /// How many runs it is.
    pub(crate) fn len(&self) -> u64 {
        (self.seeds.end - self.seeds.start) * self.configurations.len() as u64
    }

    /// Which configuration a job has, by its place.
    pub(crate) fn place(&self, index: u64) -> usize {
        let place = index % self.configurations.len() as u64;
        usize::try_from(place).expect("it is below the number of configurations")
    }

    /// Which configuration a job has.
    pub(crate) fn configuration(&self, index: u64) -> &Configuration {
        &self.configurations[self.place(index)]
    }

    /// Which seed a job has.
    pub(crate) fn seed(&self, index: u64) -> u64 {
        self.seeds.start + index / self.configurations.len() as u64
    }

    /// A job by its number.
    pub(crate) fn job(&self, index: u64) -> Job<'_> {
        let loaded = &self.configuration(index).loaded;
        Job { index, loaded, seed: self.seed(index), options: &RunOptions::PLAIN }
    }
}

fn configuration(
    scenario: &str,
    text: &ScenarioText,
    set: &[Override],
    table: &ProtocolTable,
) -> Result<Configuration, Failure> {
    let loaded = text.load(set, table)?;
    let kind = table.find(loaded.scenario.protocol.name()).expect("the scenario was loaded with this table");
    let about = kind.about();
    let points = about.points.iter().chain(&about.fault_points).map(ToString::to_string).collect();
    let set = set.iter().map(ToString::to_string).collect();
    let (own_counters, own_latencies) = (about.counters, about.latencies);
    Ok(Configuration { scenario: scenario.to_owned(), set, loaded, points, own_counters, own_latencies })
}

/// The scenarios that are named, each once, with how the command line should call them.
fn selected(names: &[String]) -> Result<Vec<(String, ScenarioText)>, Failure> {
    let mut seen = BTreeSet::new();
    let mut texts = Vec::new();
    for name in names {
        let below: Vec<_> = library::all().iter().filter(|entry| is_below(entry.name, name)).collect();
        if below.is_empty() && name.ends_with('/') {
            return Err(no_such_folder(name));
        }
        let found = match below.as_slice() {
            [] => vec![(name.clone(), ScenarioText::named(name)?)],
            entries => {
                entries.iter().map(|entry| (entry.name.to_owned(), ScenarioText::of_entry(entry))).collect()
            }
        };
        texts.extend(found.into_iter().filter(|(name, _)| seen.insert(name.clone())));
    }
    Ok(texts)
}

/// Whether a scenario of the library is meant by `all` or by the folder it lies in.
fn is_below(entry: &str, asked: &str) -> bool {
    asked == "all" || asked.ends_with('/') && entry.starts_with(asked)
}

fn no_such_folder(asked: &str) -> Failure {
    let folders: BTreeSet<&str> =
        library::all().iter().filter_map(|entry| entry.name.split_inclusive('/').next()).collect();
    let folders: Vec<&str> = folders.into_iter().collect();
    let allowed = folders.iter().map(|folder| format!("`{folder}`")).collect::<Vec<_>>().join(", ");
    let message = format!("the library has no scenarios below `{asked}`");
    Usage::unknown(message, allowed, asked, &folders, "`splitbrain list scenarios` shows all").into()
}

/// Every combination of the values, the last field varying fastest.
fn combinations(vary: &[Varied]) -> Vec<Vec<Override>> {
    vary.iter().fold(vec![Vec::new()], |combinations, varied| {
        let extend = |before: &Vec<Override>| -> Vec<Vec<Override>> {
            let with = |value: &String| before.iter().cloned().chain([varied.set(value)]).collect();
            varied.values.iter().map(with).collect()
        };
        combinations.iter().take(CONFIGURATIONS_MAX + 1).flat_map(extend).collect()
    })
}

fn check_size(scenarios: usize, combinations: usize, seeds: &Range<u64>) -> Result<(), Failure> {
    let configurations = scenarios.saturating_mul(combinations);
    if configurations > CONFIGURATIONS_MAX {
        let message = format!("{scenarios} scenarios with {combinations} combinations each are too many");
        let hint = "vary fewer fields at once";
        return Err(Usage::new(message, format!("up to {CONFIGURATIONS_MAX} configurations"), hint).into());
    }
    let runs = (seeds.end - seeds.start).checked_mul(configurations as u64);
    if runs.is_none_or(|runs| runs > RUNS_MAX) {
        let message = format!(
            "{configurations} configurations with seeds {}..{} are too many runs",
            seeds.start, seeds.end
        );
        return Err(Usage::new(message, format!("up to {RUNS_MAX} runs"), "take fewer seeds").into());
    }
    Ok(())
}

/// Reads a range of seeds, `0..1000`: the end is not in it.
pub(crate) fn parse_seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("seeds are `A..B`, from 0 to {}, and B is not among them", u64::MAX);
    let (start, end) = text.split_once("..").ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    let (start, end) = (number(start)?, number(end)?);
    if start >= end {
        return Err(format!("there is no seed from {start} up to, but without, {end}"));
    }
    Ok(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_apart_at_commas_outside_of_brackets_and_quotes() {
        let cases = [
            ("3,5,7", vec!["3", "5", "7"]),
            ("log-normal(3ms, 0.5),5ms", vec!["log-normal(3ms, 0.5)", "5ms"]),
            (r#"["n1", "n2"],["a,\"b"]"#, vec![r#"["n1", "n2"]"#, r#"["a,\"b"]"#]),
            ("", vec![""]),
        ];
        for (text, expected) in cases {
            assert_eq!(apart(text), expected, "{text}");
        }
    }

    #[test]
    fn a_varied_field_needs_a_path_and_values_that_differ() {
        let good = Varied::parse("network.loss = 0, 0.01").expect("it is good");
        assert_eq!((good.path.as_str(), good.values.len()), ("network.loss", 2));
        for wrong in ["nodes", "nodes=", "nodes=3,,5", "nodes=3,3", "=3"] {
            assert!(Varied::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn seeds_are_a_range_that_is_not_empty() {
        assert_eq!(parse_seeds("0..100"), Ok(0..100));
        assert_eq!(parse_seeds("18446744073709551614..18446744073709551615"), Ok(u64::MAX - 1..u64::MAX));
        for wrong in
            ["5..5", "7..3", "-1..3", "0..18446744073709551616", "10", "..5", "a..b", "0...5", "0..=5"]
        {
            assert!(parse_seeds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn jobs_go_seed_by_seed_through_every_combination() {
        let table = ProtocolTable::builtin();
        let vary =
            [Varied::parse("nodes=3,5").expect("good"), Varied::parse("network.loss=0,0.1").expect("good")];
        let scenarios = ["raft/steady".to_owned(), "echo/".to_owned(), "echo/hello".to_owned()];
        let asked = Asked { scenarios: &scenarios, set: &[], vary: &vary, seeds: 7..9 };
        let grid = Grid::new(&asked, &table).unwrap_or_else(|failure| panic!("{failure}"));
        let echoes = library::all().iter().filter(|entry| entry.name.starts_with("echo/")).count();
        let jobs_a_seed = (1 + echoes) * 4;
        let jobs: Vec<(u64, &str, String)> = (0..grid.len())
            .map(|index| {
                (
                    grid.seed(index),
                    grid.configuration(index).scenario.as_str(),
                    grid.configuration(index).set.join(" "),
                )
            })
            .collect();
        assert_eq!(jobs.len(), 2 * jobs_a_seed, "a scenario that is named twice is taken once");
        assert_eq!(jobs[1], (7, "raft/steady", "nodes=3 network.loss=0.1".to_owned()));
        assert_eq!(jobs[4], (7, "echo/hello", "nodes=3 network.loss=0".to_owned()));
        assert_eq!(jobs[jobs_a_seed], (8, "raft/steady", "nodes=3 network.loss=0".to_owned()));
        assert_eq!(grid.job(3).loaded.scenario.nodes, 5);
    }
}

//! From what stands on the command line to a scenario: a file, or a name of the library.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use clap::Args;
use scenarios::capsule::{self, Opened};
use scenarios::library::Entry;
use scenarios::text::diagnostic::nearest_name;
use scenarios::text::document::LEN_MAX;
use scenarios::text::units::Time;
use scenarios::text::{Document, Override};
use scenarios::{Loaded, ProtocolTable, library};

use crate::failure::{Failure, Usage};

/// Which scenario, and with what changes.
#[derive(Debug, Args)]
pub(crate) struct Selection {
    /// A scenario file, or the name of a scenario of the library (`splitbrain list scenarios`)
    #[arg(value_name = "FILE|NAME")]
    pub(crate) scenario: String,

    /// Change a field of the scenario: `nodes=3`, `network.loss=0.05`, `faults.timed[0].at=5s`
    #[arg(long, value_name = "PATH=VALUE", help_heading = "What to run")]
    pub(crate) set: Vec<String>,

    /// The seed that decides everything: a number, or `random` to have one drawn and shown
    #[arg(long, value_name = "N|random", default_value = "0", value_parser = parse_seed, help_heading = "What to run")]
    pub(crate) seed: Seed,
}

/// Which seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seed {
    /// This one.
    Given(u64),
    /// One that nobody chose.
    Random,
}

pub(crate) fn parse_seed(text: &str) -> Result<Seed, String> {
    if text == "random" {
        return Ok(Seed::Random);
    }
    let wrong = || format!("a seed is a whole number from 0 to {}, or `random`", u64::MAX);
    text.parse().map(Seed::Given).map_err(|_| wrong())
}

/// Reads how long something may take: `30s`, `10m`, `8h`.
pub(crate) fn parse_time(text: &str) -> Result<Duration, String> {
    let time: Time =
        text.parse().map_err(|_| "a time is a number and its unit, such as `30s`, `10m` or `8h`")?;
    if time.span().is_zero() {
        return Err("no run is done in no time".to_owned());
    }
    Ok(Duration::from_nanos(time.span().as_nanos()))
}

impl Seed {
    /// The number. One that is drawn has at most 53 bits, so that every reader of JSON keeps all of them.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Given(number) => number,
            Self::Random => drawn() >> 11,
        }
    }
}

/// 64 bits from the operating system.
#[expect(
    clippy::disallowed_types,
    reason = "a seed that was asked to be random; it is shown, so the run repeats"
)]
fn drawn() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0)
}

impl Selection {
    /// Reads the scenario and makes the changes.
    pub(crate) fn load(&self, table: &ProtocolTable) -> Result<Loaded, Failure> {
        let overrides: Vec<Override> =
            self.set.iter().map(|text| Override::parse(text)).collect::<Result<_, _>>()?;
        ScenarioText::named(&self.scenario)?.load(&overrides, table)
    }
}

/// The text of a scenario, from a file or from the library.
pub(crate) struct ScenarioText {
    /// What errors call it.
    name: String,
    bytes: Cow<'static, [u8]>,
}

impl ScenarioText {
    /// That of a file, or else of a scenario of the library.
    pub(crate) fn named(asked: &str) -> Result<Self, Failure> {
        let path = Path::new(asked);
        if path.exists() {
            return Self::of_file(path);
        }
        Ok(Self::of_entry(library::find(asked).ok_or_else(|| not_found(asked))?))
    }

    /// That of a scenario of the library.
    pub(crate) fn of_entry(entry: &Entry) -> Self {
        Self { name: entry.path.to_owned(), bytes: Cow::Borrowed(entry.text.as_bytes()) }
    }

    fn of_file(path: &Path) -> Result<Self, Failure> {
        let (name, bytes) = read_file(path, "a scenario file")?;
        Ok(Self { name, bytes: Cow::Owned(bytes) })
    }

    /// What it says, with changes.
    pub(crate) fn load(&self, overrides: &[Override], table: &ProtocolTable) -> Result<Loaded, Failure> {
        Ok(scenarios::load(&self.name, &self.bytes, overrides, table)?)
    }
}

/// Reads a scenario file. A file that is too large is refused before it is read.
pub(crate) fn load_file(
    path: &Path,
    overrides: &[Override],
    table: &ProtocolTable,
) -> Result<Loaded, Failure> {
    ScenarioText::of_file(path)?.load(overrides, table)
}

/// Reads a capsule.
pub(crate) fn open_capsule(path: &str, table: &ProtocolTable) -> Result<Opened, Failure> {
    let (name, bytes) = read_file(Path::new(path), "a capsule, as `run --save FILE` writes it")?;
    Ok(capsule::open(&name, &bytes, table)?)
}

/// The name and the bytes of a file; `what` is what it should be.
fn read_file(path: &Path, what: &str) -> Result<(String, Vec<u8>), Failure> {
    let name = path.display().to_string();
    if path.is_dir() {
        let hint = "name a file in it; `splitbrain check` validates all scenarios of a directory";
        return Err(Usage::new(format!("`{name}` is a directory"), what, hint).into());
    }
    let cannot = |error: io::Error| Usage::read(&name, &error);
    let file = File::open(path).map_err(cannot)?;
    let len = file.metadata().map_err(cannot)?.len();
    Document::check_size(&name, len)?;
    let mut bytes = Vec::new();
    // What is no plain file may be longer than it says.
    file.take(LEN_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok((name, bytes))
}

/// There is neither a file nor a scenario of that name.
fn not_found(asked: &str) -> Failure {
    let plain = asked.trim_end_matches(".ron").trim_start_matches("scenarios/library/");
    let names: Vec<&str> = library::all().iter().map(|entry| entry.name).collect();
    let last = |name: &&str| name.rsplit('/').next().unwrap_or_default().to_owned();
    let lasts: Vec<String> = names.iter().map(last).collect();
    let lasts: Vec<&str> = lasts.iter().map(String::as_str).collect();
    let by_last = || {
        let near = nearest_name(&last(&plain), &lasts)?;
        lasts.iter().position(|name| *name == near).map(|index| names[index])
    };
    let hint = match nearest_name(plain, &names).or_else(by_last) {
        Some(near) => format!("the library has `{near}`"),
        None => "`splitbrain list scenarios` shows what the library has".to_owned(),
    };
    let message = format!("there is neither a file nor a library scenario `{asked}`");
    Usage::new(message, "the name of a scenario file or of a library scenario", hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_number_or_random() {
        assert_eq!(parse_seed("18446744073709551615"), Ok(Seed::Given(u64::MAX)));
        assert_eq!(parse_seed("random"), Ok(Seed::Random));
        for wrong in ["-1", "1.5", "", "18446744073709551616"] {
            assert!(parse_seed(wrong).is_err(), "{wrong}");
        }
        assert!(Seed::Random.number() < 1 << 53);
    }
}

//! Prints `NAME DIGEST` for each scenario of the library, for comparing architectures, profiles and runs.
//!
//! `digests [FILTER] [--seeds A..B]`: only names that contain the filter; the default is seed 0. With several seeds the
//! digest of a scenario is over the digests of its runs. Scenarios run in parallel, on as many threads as there are cores or
//! `RAYON_NUM_THREADS` says.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "printing is what this program does")]

use std::process::ExitCode;

use rayon::prelude::*;
use scenarios::library::{self, Entry};
use scenarios::text::units::SeedRange;
use scenarios::{ProtocolTable, RunOptions, load, run};
use sim_core::fingerprint::fingerprint;

fn main() -> ExitCode {
    match print_digests(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}\nusage: digests [FILTER] [--seeds A..B]");
            ExitCode::from(2)
        }
    }
}

fn print_digests(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let mut filter = String::new();
    let mut seeds = "0..1".parse::<SeedRange>().map_err(|error| error.to_string())?;
    while let Some(argument) = arguments.next() {
        if argument == "--seeds" {
            let range = arguments.next().ok_or("`--seeds` needs a range such as `0..100`")?;
            seeds = range.parse::<SeedRange>().map_err(|error| error.to_string())?;
        } else if argument.starts_with('-') {
            return Err(format!("there is no option `{argument}`"));
        } else {
            filter = argument;
        }
    }
    let entries: Vec<_> = library::all().iter().filter(|entry| entry.name.contains(&filter)).collect();
    let digests: Vec<_> = entries.par_iter().map(|entry| digest(entry, &seeds)).collect();
    for (entry, digest) in entries.iter().zip(digests) {
        println!("{} {:016x}", entry.name, digest?);
    }
    Ok(())
}

fn digest(entry: &Entry, seeds: &SeedRange) -> Result<u64, String> {
    let table = ProtocolTable::builtin();
    let loaded = load(entry.path, entry.text.as_bytes(), &[], &table).map_err(|error| error.to_string())?;
    let of_seed = |seed| run(&loaded, &table, seed, &RunOptions::default()).report.digest.as_u64();
    let digests: Vec<u64> = seeds.seeds().map(of_seed).collect();
    Ok(if let [only] = digests[..] { only } else { fingerprint(&digests) })
}

//! From a name to a run: a scenario, a capsule or a recording in a file, or a scenario of the library.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use scenarios::text::document::LEN_MAX;
use scenarios::text::{Diagnostic, Document, Override};
use scenarios::{Loaded, ProtocolTable, capsule, library, recording};
use sim_core::fault::Plan;
use sim_core::simulation::Recording;

use crate::session::Session;

/// What capsules are called: `*.capsule.ron`.
pub const CAPSULE_ENDING: &str = ".capsule.ron";
/// What recordings are called: `*.recording.json`.
pub const RECORDING_ENDING: &str = ".recording.json";

/// A run that can be shown.
#[derive(Debug)]
pub struct Opened {
    /// What is simulated.
    pub loaded: Loaded,
    /// Of a capsule: the seed and the plan of its run.
    pub kept: Option<(u64, Plan)>,
    /// Of a recording: the seed of its run, and what happened.
    pub recorded: Option<(u64, Recording)>,
}

impl Opened {
    /// A session with it; `seed` is for what has none of its own.
    pub fn session(self, table: Arc<ProtocolTable>, seed: u64) -> Session {
        let Self { loaded, kept, recorded } = self;
        if let Some((seed, recording)) = recorded {
            return Session::of_recording(recording::Opened { recording, loaded, seed }, table);
        }
        let (seed, plan) = kept.map_or((seed, None), |(seed, plan)| (seed, Some(plan)));
        Session::following(loaded, table, seed, plan.as_ref())
    }
}

/// Why there is no scenario to show. Says all of it, with its line end.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file says something wrong.
    #[error(transparent)]
    Text(#[from] Diagnostic),
    /// The file cannot be read.
    #[error("error: cannot read `{name}`: {source}\n")]
    Read {
        /// Which one.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// There is nothing of that name.
    #[error(
        "error: there is neither a file nor a library scenario `{0}`\n   = hint: `splitbrain list scenarios` shows what \
         the library has\n"
    )]
    NotFound(String),
}

/// What is in the file `name`, or else the scenario of that name in the library; with fields of a scenario set by hand.
///
/// # Errors
/// If there is none, or it says something wrong.
pub fn open(name: &str, set: &[Override], table: &ProtocolTable) -> Result<Opened, OpenError> {
    let path = Path::new(name);
    if !path.exists() {
        let entry = library::find(name).ok_or_else(|| OpenError::NotFound(name.to_owned()))?;
        return of_bytes(entry.path, entry.text.as_bytes(), set, table);
    }
    of_bytes(name, &read(name, path)?, set, table)
}

/// What a file holds, by its name.
///
/// # Errors
/// If it says something wrong.
pub fn of_bytes(
    name: &str,
    bytes: &[u8],
    set: &[Override],
    table: &ProtocolTable,
) -> Result<Opened, OpenError> {
    if name.ends_with(CAPSULE_ENDING) {
        let capsule::Opened { capsule, loaded } = capsule::open(name, bytes, table)?;
        return Ok(Opened { loaded, kept: Some((capsule.seed, capsule.plan)), recorded: None });
    }
    if name.ends_with(RECORDING_ENDING) {
        let recording::Opened { recording, loaded, seed } = recording::open(name, bytes, table)?;
        return Ok(Opened { loaded, kept: None, recorded: Some((seed, recording)) });
    }
    Ok(Opened { loaded: scenarios::load(name, bytes, set, table)?, kept: None, recorded: None })
}

/// Reads a file. One that is too large is refused before it is read.
fn read(name: &str, path: &Path) -> Result<Vec<u8>, OpenError> {
    let cannot = |source| OpenError::Read { name: name.to_owned(), source };
    let file = File::open(path).map_err(cannot)?;
    let is_recording = name.ends_with(RECORDING_ENDING);
    let len_max = if is_recording { recording::LEN_MAX } else { LEN_MAX };
    if !is_recording {
        Document::check_size(name, file.metadata().map_err(cannot)?.len())?;
    }
    let mut bytes = Vec::new();
    // What is no plain file may be longer than it says.
    file.take(len_max + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

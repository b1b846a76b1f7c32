//! A recorded run in a file: what happened, to be shown again without running again, and of which scenario it was.
//!
//! The file is JSON, for it has no place for a person's hand: a capsule is what somebody reads and edits. Beside the
//! data of `sim_core` stand the seed and the fields that were set by hand, so that the scenario is the one of the run.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use sim_core::Simulation;
use sim_core::simulation::{Recording, RecordingData};

use crate::capsule::VERSION;
use crate::load::{self, Loaded};
use crate::protocol::ProtocolTable;
use crate::text::diagnostic::{Place, Source};
use crate::text::{Diagnostic, Document, Override};

/// The newest version of the format, and the only one there is.
pub const FORMAT_VERSION: u32 = 1;

/// The largest file that is read, in bytes: 256 MiB.
pub const LEN_MAX: u64 = 256 << 20;

/// So much of a line is shown where it is wrong: a recording may be one line.
const SHOWN_MAX: usize = 60;

/// What the file says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    format_version: u32,
    made_by: String,
    seed: u64,
    set: Vec<String>,
    recording: RecordingData,
}

/// A recording that was read and checked.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What happened.
    pub recording: Recording,
    /// Of which scenario.
    pub loaded: Loaded,
    /// With which seed.
    pub seed: u64,
}

/// Writes a recording of a run of `loaded`.
///
/// # Errors
/// If the writer has some.
pub fn write(recording: &Recording, loaded: &Loaded, seed: u64, writer: &mut dyn Write) -> io::Result<()> {
    let recorded = Recorded {
        format_version: FORMAT_VERSION,
        made_by: VERSION.to_owned(),
        seed,
        set: loaded.overrides().iter().map(ToString::to_string).collect(),
        recording: RecordingData::from(recording),
    };
    serde_json::to_writer(&mut *writer, &recorded)?;
    writer.write_all(b"\n")
}

/// Reads and checks a recording. `name` is what errors call the file; `table` has the protocol that it is of.
///
/// # Errors
/// The first thing that is wrong, in the file or in the scenario that it holds.
pub fn open(name: &str, bytes: &[u8], table: &ProtocolTable) -> Result<Opened, Diagnostic> {
    let wrong = |message: String, line: usize| {
        let allowed = "a recording that this program has saved";
        Diagnostic::new(
            message,
            place(name, bytes, line),
            allowed,
            "save it anew, or open a capsule of the run",
        )
    };
    if bytes.len() as u64 > LEN_MAX {
        return Err(wrong(format!("the file has more than {LEN_MAX} bytes (256 MiB)"), 1));
    }
    let read: Result<Recorded, _> = serde_json::from_slice(bytes);
    let recorded = read.map_err(|error| wrong(format!("this is no recording: {error}"), error.line()))?;
    if recorded.format_version > FORMAT_VERSION {
        let version = recorded.format_version;
        return Err(wrong(format!("format version {version} is newer than this program"), 1));
    }
    let recording = Recording::try_from(recorded.recording);
    let recording = recording.map_err(|error| wrong(format!("this is no recording: {error}"), 1))?;
    let parse = |text: &String| Override::parse_for("set:", text);
    let set = recorded.set.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
    let document = Document::read(&format!("the scenario in {name}"), recording.text().as_bytes())?;
    let loaded = load::checked(document, &set, &[], table)?;
    let configured = loaded.configured(recorded.seed, table);
    let (nodes, clients) = (configured.scenario.nodes, configured.scenario.clients.total());
    let asked = recording.history().range(0..recording.history().len()).map(|event| event.op.client);
    if let Some(stranger) = asked.into_iter().find(|client| client.index() >= clients as usize) {
        return Err(wrong(format!("{stranger} is named, and the scenario has {clients} clients"), 1));
    }
    if recording.node_count() != nodes as usize {
        let recorded = recording.node_count();
        return Err(wrong(format!("{recorded} nodes were recorded, and the scenario has {nodes}"), 1));
    }
    Ok(Opened { recording, loaded, seed: recorded.seed })
}

/// The beginning of a line of the file.
fn place(name: &str, bytes: &[u8], line: usize) -> Place {
    let line = line.max(1);
    let text = bytes.split(|byte| *byte == b'\n').nth(line - 1).unwrap_or_default();
    let text = String::from_utf8_lossy(&text[..text.len().min(SHOWN_MAX)]).into_owned();
    Place { source: Source::File(name.to_owned()), line, column: 1, width: 1, text }
}

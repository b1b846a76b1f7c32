//! From what stands on the command line to a scenario: a file, or a name of the library.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use scenarios::text::document::LEN_MAX;
use scenarios::text::{Diagnostic, Document};
use scenarios::{Loaded, ProtocolTable, library};

/// Why there is no scenario to show. Says all of it, with its line end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
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

/// The scenario in the file `name`, or else the one of that name in the library.
///
/// # Errors
/// If there is none, or it says something wrong.
pub(crate) fn open(name: &str, table: &ProtocolTable) -> Result<Loaded, OpenError> {
    let path = Path::new(name);
    if path.exists() {
        let bytes = read(name, path)?;
        return Ok(scenarios::load(name, &bytes, &[], table)?);
    }
    let entry = library::find(name).ok_or_else(|| OpenError::NotFound(name.to_owned()))?;
    Ok(scenarios::load(entry.path, entry.text.as_bytes(), &[], table)?)
}

/// Reads a file. One that is too large is refused before it is read.
fn read(name: &str, path: &Path) -> Result<Vec<u8>, OpenError> {
    let cannot = |source| OpenError::Read { name: name.to_owned(), source };
    let file = File::open(path).map_err(cannot)?;
    Document::check_size(name, file.metadata().map_err(cannot)?.len())?;
    let mut bytes = Vec::new();
    // What is no plain file may be longer than it says.
    file.take(LEN_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

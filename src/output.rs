//! The one place that prints: data to standard output, talk to standard error, or data to a file.
//!
//! A reader that goes away (`splitbrain list | head`) is no error: what is written after that vanishes. Colours are
//! written as they are and taken out here unless the stream is a terminal and `NO_COLOR` is unset.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::AutoStream;
use serde::Serialize;

use crate::failure::Failure;

/// Where a command's data goes.
pub(crate) struct Output {
    writer: BufWriter<Box<dyn Write>>,
    /// `None`: standard output.
    path: Option<PathBuf>,
    /// The reader has gone.
    is_closed: bool,
}

impl Output {
    /// Standard output.
    pub(crate) fn stdout() -> Self {
        Self::new(Box::new(AutoStream::auto(io::stdout())), None)
    }

    /// A file, emptied first; `-` is standard output.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Self::stdout());
        }
        let file = File::create(path).map_err(|error| Failure::write_file(path, &error))?;
        Ok(Self::new(Box::new(file), Some(path.to_owned())))
    }

    fn new(writer: Box<dyn Write>, path: Option<PathBuf>) -> Self {
        Self { writer: BufWriter::new(writer), path, is_closed: false }
    }

    /// Writes what `data` says of itself.
    pub(crate) fn print(&mut self, data: impl fmt::Display) -> Result<(), Failure> {
        self.fill(|writer| write!(writer, "{data}"))
    }

    /// Writes a document, and ends its last line.
    pub(crate) fn json(&mut self, document: &impl Serialize) -> Result<(), Failure> {
        self.fill(|writer| {
            serde_json::to_writer_pretty(&mut *writer, document)?;
            writer.write_all(b"\n")
        })
    }

    /// Lets `write` write, as much as it likes. It should stop at its first error.
    pub(crate) fn fill(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        if self.is_closed {
            return Ok(());
        }
        let written = write(&mut self.writer);
        self.settle(written)
    }

    /// Writes out what is still held back. Data that is not flushed may be lost without a word.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.fill(|writer| writer.flush())
    }

    fn settle(&mut self, written: io::Result<()>) -> Result<(), Failure> {
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            Err(error) => {
                self.is_closed = true;
                Err(self.path.as_ref().map_or_else(
                    || Failure::write("to standard output", &error),
                    |path| Failure::write_file(path, &error),
                ))
            }
            Ok(()) => Ok(()),
        }
    }
}

/// A file that appears when all of it is written, and not before: what stood at its place stays until then.
pub(crate) struct NewFile {
    path: PathBuf,
    /// Beside it, so that it can be renamed.
    part: PathBuf,
    file: File,
}

impl NewFile {
    /// Finds out whether it can be written to its place.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        Self::try_create(path).map_err(|error| Failure::write_file(path, &error))
    }

    /// The same, for those who know more of what went wrong.
    pub(crate) fn try_create(path: &Path) -> io::Result<Self> {
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::create(&part)?;
        Ok(Self { path: path.to_owned(), part, file })
    }

    /// Where it is to be written, before it is put in its place.
    pub(crate) const fn file(&self) -> &File {
        &self.file
    }

    /// It is written: puts it in its place.
    pub(crate) fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.part, &self.path)
    }

    /// Writes it, and puts it in its place.
    pub(crate) fn finish(self, text: &str) -> Result<(), Failure> {
        let path = self.path.clone();
        let written = self.file().write_all(text.as_bytes()).and_then(|()| self.keep());
        written.map_err(|error| Failure::write_file(&path, &error))
    }
}

/// What was not finished goes away; after the renaming there is nothing to remove.
impl Drop for NewFile {
    fn drop(&mut self) {
        let _it_may_be_finished = fs::remove_file(&self.part);
    }
}

/// Says something to the person at the terminal. Nothing can be done where nobody listens.
pub(crate) fn talk(text: impl fmt::Display) {
    let mut stderr = AutoStream::auto(io::stderr()).lock();
    let _nobody_listens = write!(stderr, "{text}").and_then(|()| stderr.flush());
}

/// Says one line.
pub(crate) fn talk_line(text: impl fmt::Display) {
    talk(format_args!("{text}\n"));
}

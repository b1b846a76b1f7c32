//! Rows on disk while a sweep runs: a few at a time in a file of their own, which appears when it is whole.
//!
//! ```text
//! {"sweep": "…", "counters": […], …}     a head: which sweep, and what the numbers of a row are
//! {"job": 17, …}                         a row a run, in the order in which they finished
//! …
//! {"rows": 153, "digest": "…"}           a footer
//! ```
//!
//! JSON lines, compressed by zstd. Without its footer, or with another digest, a shard is damaged.

use std::fs;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sim_core::fingerprint::fingerprint;
use sim_core::metrics::{Counter, Gauge, Latency};

use super::super::Row;
use crate::failure::reason;
use crate::output::NewFile;

/// How hard it is compressed: rows shrink to a fifth, and that costs a few microseconds each.
const LEVEL: i32 = 3;
/// The largest text of a shard that is read: many times what is ever written.
const TEXT_MAX: u64 = 1 << 30;

/// The first line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    sweep: String,
    counters: Vec<String>,
    gauges: Vec<String>,
    latencies: Vec<String>,
}

/// The last line.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Footer {
    rows: u64,
    digest: String,
}

impl Head {
    fn new(sweep: &str) -> Self {
        let texts = |names: Vec<&'static str>| names.into_iter().map(str::to_owned).collect();
        Self {
            sweep: sweep.to_owned(),
            counters: texts(Counter::ALL.map(Counter::name).to_vec()),
            gauges: texts(Gauge::ALL.map(Gauge::name).to_vec()),
            latencies: texts(Latency::ALL.map(Latency::name).to_vec()),
        }
    }
}

/// A shard that is being filled.
pub(super) struct Shard {
    /// The lines so far.
    text: Vec<u8>,
    rows: u64,
    /// The lowest job in it.
    first: u64,
}

impl Shard {
    /// An empty one for a sweep, by its digest.
    pub(super) fn new(sweep: &str) -> Self {
        let mut shard = Self { text: Vec::new(), rows: 0, first: u64::MAX };
        shard.line(&Head::new(sweep));
        shard
    }

    pub(super) fn put(&mut self, row: &Row) {
        self.line(row);
        self.rows += 1;
        self.first = self.first.min(row.job);
    }

    fn line(&mut self, line: &impl Serialize) {
        serde_json::to_writer(&mut self.text, line).expect("plain data, and memory takes every text");
        self.text.push(b'\n');
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// How many bytes it takes uncompressed.
    pub(super) const fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// Writes it to its place.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        let file = NewFile::try_create(path)?;
        let footer = Footer { rows: self.rows, digest: digest(&self.text) };
        let mut encoder = zstd::stream::Encoder::new(BufWriter::new(file.file()), LEVEL)?;
        encoder.write_all(&self.text)?;
        serde_json::to_writer(&mut encoder, &footer)?;
        encoder.write_all(b"\n")?;
        encoder.finish()?.flush()?;
        file.keep()
    }
}

fn digest(text: &[u8]) -> String {
    let text = str::from_utf8(text).expect("JSON is UTF-8");
    format!("{:016x}", fingerprint(text))
}

/// The rows of a shard of a sweep, or what is wrong with it.
pub(super) fn read(path: &Path, sweep: &str) -> Result<Vec<Row>, String> {
    let bytes = fs::read(path).map_err(|error| reason(&error))?;
    let text = decoded(&bytes)?;
    let is_cut = || "it is cut off".to_owned();
    let body = text.strip_suffix('\n').ok_or_else(is_cut)?;
    let (lines, footer) = body.rsplit_once('\n').ok_or_else(is_cut)?;
    let footer: Footer = serde_json::from_str(footer).map_err(|_| is_cut())?;
    // With their last line end: what the digest is of.
    let lines = &text[..=lines.len()];
    if footer.digest != digest(lines.as_bytes()) {
        return Err("its lines are not those that were written".to_owned());
    }
    let mut lines = lines.lines();
    let head: Head = parsed(lines.next().unwrap_or_default(), 1)?;
    if head != Head::new(sweep) {
        return Err("it belongs to another sweep".to_owned());
    }
    let rows: Vec<Row> =
        (2..).zip(lines).map(|(number, line)| parsed(line, number)).collect::<Result<_, _>>()?;
    if rows.len() as u64 == footer.rows { Ok(rows) } else { Err(is_cut()) }
}

fn decoded(bytes: &[u8]) -> Result<String, String> {
    let not_ours = || "it is no shard, or it is cut off".to_owned();
    let mut text = Vec::new();
    let decoder = zstd::stream::Decoder::new(bytes).map_err(|_| not_ours())?;
    decoder.take(TEXT_MAX).read_to_end(&mut text).map_err(|_| not_ours())?;
    String::from_utf8(text).map_err(|_| not_ours())
}

fn parsed<'a, T: Deserialize<'a>>(line: &'a str, number: usize) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| format!("its line {number} makes no sense: {error}"))
}

//! A scenario's text, checked to be worth parsing, and knowing where each part of it came from.

use std::ops::Range;

use super::diagnostic::{Diagnostic, Place, Source};
use super::lex::{Lexer, TokenKind};
use super::locate::{Outline, Path};
use super::overrides::{Insertion, Override};

/// The largest text that is read, in bytes: 16 MiB.
pub const LEN_MAX: u64 = 16 << 20;

/// The deepest nesting of brackets; beyond, a parser's stack would be at risk.
pub const DEPTH_MAX: usize = 128;

/// A text of at most 16 MiB, not empty and not too deep, with `\n` line ends.
#[derive(Clone, Debug)]
pub struct Document {
    name: String,
    /// As read.
    file: String,
    /// With overrides applied.
    text: String,
    /// What `text` is made of, in order: the lengths add up to its length.
    pieces: Vec<Piece>,
}

/// A stretch of the text with one origin.
#[derive(Clone, Debug)]
struct Piece {
    len: usize,
    /// Where it begins in what it is from, in bytes.
    start: usize,
    origin: Origin,
}

#[derive(Clone, Debug)]
enum Origin {
    File,
    /// Put in by an override.
    Set(Override, Insertion),
}

impl Document {
    /// Refuses a file too long to be read, before it is.
    ///
    /// # Errors
    ///
    /// `len`, in bytes, is above [`LEN_MAX`].
    pub fn check_size(name: &str, len: u64) -> Result<(), Diagnostic> {
        if len <= LEN_MAX {
            return Ok(());
        }
        let allowed = format!("up to {LEN_MAX} bytes (16 MiB)");
        let hint = "a scenario has a few KiB: is this the file that was meant?";
        let diagnostic = Diagnostic::new("the file is too large", start_of(name, ""), allowed, hint);
        Err(diagnostic.seen(format!("{len} bytes")))
    }

    /// Reads the bytes of a file. A byte order mark is dropped, and `\r\n` becomes `\n`, so that a value does not
    /// depend on how the file was checked out.
    ///
    /// # Errors
    ///
    /// The text is too long, not UTF-8, empty but for blanks and comments, or nested deeper than [`DEPTH_MAX`].
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, Diagnostic> {
        Self::check_size(name, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        let text = str::from_utf8(bytes).map_err(|error| not_utf8(name, bytes, error.valid_up_to()))?;
        let file = text.strip_prefix('\u{FEFF}').unwrap_or(text).replace("\r\n", "\n");
        let document = Self {
            name: name.to_owned(),
            text: file.clone(),
            pieces: vec![Piece { len: file.len(), start: 0, origin: Origin::File }],
            file,
        };
        document.check()?;
        Ok(document)
    }

    /// The text, with overrides applied.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value in the text, without comments before and behind it.
    pub fn value_text(&self) -> &str {
        &self.text[Outline::new(&self.text).find(&Path::new(Vec::new())).expect("a text is a value").value]
    }

    /// The value at `path` alone, its places those of the whole; `None` where there is none.
    pub fn part(&self, path: &Path) -> Option<Self> {
        let span = Outline::new(&self.text).find(path)?.value;
        // A letter of several bytes leaves several blanks, so that offsets stay.
        let blank =
            |text: &str| text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect::<String>();
        let (before, after) = (blank(&self.text[..span.start]), blank(&self.text[span.end..]));
        let text = [before.as_str(), &self.text[span], &after].concat();
        Some(Self { text, ..self.clone() })
    }

    /// The name the text was read under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The place of the value at `path`, or of the nearest value around it: for errors found after parsing.
    pub fn place_of(&self, path: &Path) -> Place {
        let outline = Outline::new(&self.text);
        let (found, _) = outline.descend(path.steps());
        self.place(found.value.span.clone())
    }

    /// The place of the key at `path`, or of the nearest key or value around it.
    pub fn place_of_key(&self, path: &Path) -> Place {
        let outline = Outline::new(&self.text);
        let (found, _) = outline.descend(path.steps());
        self.place(found.key.unwrap_or(&found.value.span).clone())
    }

    /// The place of a stretch of the text, in the file or override it came from.
    pub(super) fn place(&self, span: Range<usize>) -> Place {
        let (origin, offset) = self.origin_of(span.start);
        let covered = self.text.get(span).unwrap_or_default();
        match origin {
            Origin::File => place_in(&self.name, &self.file, offset, first_line(covered).chars().count()),
            Origin::Set(change, insertion) => change.place_of(insertion.written(offset, covered.len())),
        }
    }

    /// What the text at `offset` is from, and where in that it is. The end of the text belongs to the last piece.
    fn origin_of(&self, offset: usize) -> (&Origin, usize) {
        let mut start = 0;
        for piece in &self.pieces {
            if offset < start + piece.len {
                return (&piece.origin, piece.start + offset - start);
            }
            start += piece.len;
        }
        let last = self.pieces.last().expect("a document has a piece");
        (&last.origin, last.start + last.len)
    }

    /// Replaces `span` by what an override puts in.
    ///
    /// # Errors
    ///
    /// The text would get too long or too deep.
    pub(super) fn replace(
        &mut self,
        span: Range<usize>,
        change: &Override,
        insertion: Insertion,
    ) -> Result<(), Diagnostic> {
        let first = self.split_at(span.start);
        let after = self.split_at(span.end);
        self.text.replace_range(span, &insertion.text);
        let len = insertion.text.len();
        let piece = Piece { len, start: 0, origin: Origin::Set(change.clone(), insertion) };
        self.pieces.splice(first..after, [piece]);
        assert_eq!(
            self.pieces.iter().map(|piece| piece.len).sum::<usize>(),
            self.text.len(),
            "pieces cover the text"
        );
        self.check()
    }

    /// Makes a piece begin at `offset`, and returns its position.
    fn split_at(&mut self, offset: usize) -> usize {
        let mut start = 0;
        for position in 0..self.pieces.len() {
            if offset <= start {
                return position;
            }
            let len = self.pieces[position].len;
            if offset < start + len {
                let mut tail = self.pieces[position].clone();
                tail.len = start + len - offset;
                tail.start += offset - start;
                self.pieces[position].len = offset - start;
                self.pieces.insert(position + 1, tail);
                return position + 1;
            }
            start += len;
        }
        self.pieces.len()
    }

    /// Holds what the type promises.
    fn check(&self) -> Result<(), Diagnostic> {
        Self::check_size(&self.name, u64::try_from(self.text.len()).unwrap_or(u64::MAX))?;
        if Lexer::new(&self.text).next().is_none() {
            let hint = "a scenario begins with `Scenario(format_version: 1, …)`, a capsule with `Capsule(…)`";
            let start = start_of(&self.name, &self.file);
            return Err(Diagnostic::new("the file is empty", start, "one value in RON", hint));
        }
        match too_deep(&self.text) {
            None => Ok(()),
            Some(span) => {
                let allowed = format!("up to {DEPTH_MAX} levels");
                let hint = "look for brackets before this one that are not closed";
                Err(Diagnostic::new("brackets are nested too deeply", self.place(span), allowed, hint))
            }
        }
    }
}

/// The first bracket beyond the deepest level allowed.
fn too_deep(text: &str) -> Option<Range<usize>> {
    let mut depth = 0_usize;
    for token in Lexer::new(text) {
        match token.kind {
            TokenKind::Open(_) if depth == DEPTH_MAX => return Some(token.span),
            TokenKind::Open(_) => depth += 1,
            TokenKind::Close(_) => depth = depth.saturating_sub(1),
            TokenKind::Comma
            | TokenKind::Colon
            | TokenKind::Word
            | TokenKind::Quoted
            | TokenKind::Unclosed => {}
        }
    }
    None
}

fn not_utf8(name: &str, bytes: &[u8], offset: usize) -> Diagnostic {
    let text = String::from_utf8_lossy(bytes);
    let valid = str::from_utf8(&bytes[..offset]).expect("valid up to the error").len();
    let message = format!("the file is not UTF-8: byte 0x{:02X} at offset {offset}", bytes[offset]);
    Diagnostic::new(message, place_in(name, &text, valid, 1), "text in UTF-8", "save the file as UTF-8")
}

fn start_of(name: &str, text: &str) -> Place {
    place_in(name, text, 0, 1)
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or_default()
}

/// The place at a byte offset of a file's `text`. At the end of a text that ends with a line end, the last line
/// with something in it is meant: an editor would show no other.
fn place_in(name: &str, text: &str, offset: usize, width: usize) -> Place {
    let offset = if offset >= text.len() { text.trim_end().len() } else { offset };
    let before = &text[..offset];
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    Place {
        source: Source::File(name.to_owned()),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        width: width.max(1),
        text: first_line(&text[line_start..]).trim_end_matches('\r').to_owned(),
    }
}

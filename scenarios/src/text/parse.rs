//! From text to values, with errors that point at what was written.
//!
//! RON's own errors say where its cursor stood, mostly behind the culprit. The path that led to the error says more:
//! the [`Outline`] turns it into the place of the value or of the key.

use std::ops::Range;

use ron::error::{Error, SpannedError};
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::diagnostic::{Diagnostic, lower_first, nearest_name};
use super::document::{DEPTH_MAX, Document};
use super::lex::{Lexer, Token, TokenKind};
use super::locate::{Node, Outline, Step};

/// RON counts a field, its `Some`, its variant and its brackets as a level each.
const RON_LEVELS_PER_BRACKET: usize = 4;

/// Reads a value. `Some(…)` and the second pair of brackets in `Raft((…))` may be left out.
///
/// # Errors
///
/// The text is not RON or not a `T`; the diagnostic points at the first thing wrong.
pub fn parse<T: DeserializeOwned>(document: &Document) -> Result<T, Diagnostic> {
    let options = ron::Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_default_extension(Extensions::UNWRAP_NEWTYPES)
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES)
        .with_recursion_limit(DEPTH_MAX * RON_LEVELS_PER_BRACKET);
    let mut steps = Vec::new();
    let seed = Tracked { steps: &mut steps, value: std::marker::PhantomData };
    match options.from_str_seed(document.text(), seed) {
        Ok(value) => Ok(value),
        Err(error) => Err(Report::new(document, &error).diagnostic(&steps, error.code)),
    }
}

/// Deserializes a `T`, and leaves the path of an error behind.
struct Tracked<'steps, T> {
    steps: &'steps mut Vec<Step>,
    value: std::marker::PhantomData<T>,
}

impl<'de, T: DeserializeOwned> serde::de::DeserializeSeed<'de> for Tracked<'_, T> {
    type Value = T;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            self.steps.extend(error.path().iter().map_while(step_of));
            error.into_inner()
        })
    }
}

fn step_of(segment: &Segment) -> Option<Step> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Name(key.clone())),
        Segment::Enum { variant } => Some(Step::Name(variant.clone())),
        Segment::Unknown => None,
    }
}

/// An error of the parser on its way to becoming a diagnostic.
struct Report<'document> {
    document: &'document Document,
    outline: Outline<'document>,
    /// Where the parser stood, in bytes.
    offset: usize,
}

impl<'document> Report<'document> {
    fn new(document: &'document Document, error: &SpannedError) -> Self {
        let text = document.text();
        let offset = offset_of(text, error.span.end.line, error.span.end.col);
        Self { document, outline: Outline::new(text), offset }
    }

    fn diagnostic(&self, steps: &[Step], error: Error) -> Diagnostic {
        if let Some(diagnostic) = self.never_closed() {
            return diagnostic;
        }
        let (place, missing) = self.outline.descend(around(steps, &error));
        let node = place.value;
        match error {
            Error::NoSuchStructField { expected, found, outer } => {
                let message = format!("unknown field `{found}`{}", self.within(node, outer));
                self.at(self.key_in(node, &found)).report(message).allowed_names(&found, expected)
            }
            Error::NoSuchEnumVariant { expected, found, outer } => {
                let kind = outer.map_or(String::new(), |outer| format!(" of `{outer}`"));
                let here = node.name.clone().filter(|name| self.text(name) == found);
                let message = format!("unknown variant `{found}`{kind}");
                self.at(here.unwrap_or_else(|| self.token().span))
                    .report(message)
                    .allowed_names(&found, expected)
            }
            Error::MissingStructField { field, outer } => self.missing_field(node, field, outer),
            Error::DuplicateStructField { field, outer } => {
                let message = format!("the field `{field}` stands twice{}", self.within(node, outer));
                self.at(self.key_in(node, field)).report(message).hint("remove one of them")
            }
            Error::InvalidValueForType { expected, found } => {
                let span = if missing.is_empty() { node.span.clone() } else { self.token().span };
                let report = self.at(span.clone()).report("the value has the wrong type");
                self.quote_hint(span, report.seen(found).allowed(expected))
            }
            Error::ExpectedDifferentLength { expected, found } => {
                let report = self.at(node.span.clone()).report("the number of elements is wrong");
                report.seen(format!("{found} elements")).allowed(expected)
            }
            Error::Message(message) if missing.is_empty() => self.said_by_type(&message, node.span.clone()),
            Error::Message(message) => self.said_by_type(&message, self.token().span),
            syntax => self.syntax(&syntax),
        }
    }

    fn missing_field(&self, node: &Node, field: &str, outer: Option<String>) -> Diagnostic {
        let message = format!("the field `{field}` is missing{}", self.within(node, outer));
        let head = node.name.clone().unwrap_or(node.span.start..node.inner_start);
        let keys: Vec<&str> = self.outline.keys(node).collect();
        let report = self.at(head).report(message);
        match nearest_name(field, &keys) {
            Some(key) => report.hint(format!("is `{key}` meant to be `{field}`?")),
            None => report.hint(format!("add `{field}: …`")),
        }
    }

    /// An error of a type's own reader, in the form `problem; allowed: …; hint: …`.
    fn said_by_type(&self, message: &str, span: Range<usize>) -> Diagnostic {
        let (rest, hint) = split_note(message, "; hint: ");
        let (problem, allowed) = split_note(rest, "; allowed: ");
        let mut diagnostic = self.at(span.clone()).report(problem);
        diagnostic.allowed = allowed.map(Into::into);
        diagnostic.hint = hint.map(Into::into);
        self.quote_hint(span, diagnostic)
    }

    /// An error of the notation itself.
    fn syntax(&self, error: &Error) -> Diagnostic {
        let span = self.token().span;
        let seen = if span.is_empty() {
            "the end of the file".to_owned()
        } else {
            format!("`{}`", self.text(&span))
        };
        let report = self.at(span.clone()).report(lower_first(&error.to_string()));
        self.quote_hint(span, report.seen(seen))
    }

    /// A text or bracket that nothing closes, if it opens before the error: it is then the cause, however far behind
    /// it the parser came to a halt.
    fn never_closed(&self) -> Option<Diagnostic> {
        let open = never_closed(self.document.text()).filter(|open| open.start <= self.offset)?;
        let what = self.text(&open).chars().next()?;
        Some(self.at(open).report(format!("the `{what}` that opens here is never closed")))
    }

    /// Where a bare quantity such as `150ms` stands, the hint that it is written as text.
    fn quote_hint(&self, span: Range<usize>, diagnostic: Diagnostic) -> Diagnostic {
        let word = self.text(&span);
        let is_quantity = word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && word.ends_with(|c: char| c.is_ascii_alphanumeric())
            && word.parse::<f64>().is_err()
            && !word.contains(['(', '[', '{', '"', '\n']);
        if is_quantity { diagnostic.hint(format!("write `\"{word}\"`")) } else { diagnostic }
    }

    fn at(&self, span: Range<usize>) -> Here<'_> {
        Here { document: self.document, span }
    }

    fn text(&self, span: &Range<usize>) -> &str {
        self.document.text().get(span.clone()).unwrap_or_default()
    }

    /// The token the parser stood in or before; empty at the end of the text.
    fn token(&self) -> Token {
        let end = self.document.text().len();
        let at_end = Token { kind: TokenKind::Word, span: end..end };
        Lexer::new(self.document.text()).find(|token| token.span.end > self.offset).unwrap_or(at_end)
    }

    /// The last field called `name`: of two, the one too many.
    fn key_in(&self, node: &Node, name: &str) -> Range<usize> {
        let keys = node.items.iter().chain(node.items.iter().flat_map(|item| &item.value.items));
        let named = keys.filter_map(|item| item.key.as_ref()).filter(|key| self.text(key) == name);
        named.max_by_key(|key| key.start).cloned().unwrap_or_else(|| self.token().span)
    }

    /// The words that name the struct: as written, else as its type is called.
    fn within(&self, node: &Node, outer: Option<String>) -> String {
        let written = self.outline.name_of(node).map(str::to_owned);
        written.or(outer).map_or(String::new(), |name| format!(" in `{name}`"))
    }
}

/// A stretch of a document that something is to be said about.
struct Here<'document> {
    document: &'document Document,
    span: Range<usize>,
}

impl Here<'_> {
    fn report(self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message, self.document.place(self.span))
    }
}

fn split_note<'text>(text: &'text str, mark: &str) -> (&'text str, Option<&'text str>) {
    text.split_once(mark).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The steps to the struct that an unknown or double field stands in: the path of such an error ends with the field.
fn around<'steps>(steps: &'steps [Step], error: &Error) -> &'steps [Step] {
    let field = match error {
        Error::NoSuchStructField { found, .. } => found.as_str(),
        Error::DuplicateStructField { field, .. } => field,
        _ => return steps,
    };
    match steps.split_last() {
        Some((Step::Name(last), outer)) if last == field => outer,
        _ => steps,
    }
}

/// The byte offset of a line and column, both from 1 and in characters; the end of the text beyond it.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let line_start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let inside = text[line_start..].char_indices().nth(column.saturating_sub(1));
    inside.map_or(text.len(), |(offset, _)| line_start + offset)
}

/// The first character of a string that reaches to the end of the text, else the first bracket that is closed by
/// another kind or still open at the end.
fn never_closed(text: &str) -> Option<Range<usize>> {
    let mut open = Vec::new();
    let mut mismatch = None;
    for token in Lexer::new(text) {
        match token.kind {
            TokenKind::Open(_) => open.push(token),
            TokenKind::Close(close) => {
                let closed = open.pop().filter(|open| open.kind != TokenKind::Open(opening(close)));
                mismatch = mismatch.or(closed.map(|open| open.span));
            }
            TokenKind::Unclosed => return Some(token.span.start..token.span.start + 1),
            TokenKind::Comma | TokenKind::Colon | TokenKind::Word | TokenKind::Quoted => {}
        }
    }
    mismatch.or_else(|| open.pop().map(|open| open.span))
}

fn opening(close: char) -> char {
    match close {
        ']' => '[',
        '}' => '{',
        _ => '(',
    }
}

//! From text to values, with errors that point at what was written.
//!
//! RON's own errors say where its cursor stood, mostly behind the culprit. The path that led to the error says more:
//! the [`Outline`] turns it into the place of the value or of the key.

use std::ops::Range;

use ron::error::{Error, SpannedError};
use ron::extensions::Extensions;
use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use super::diagnostic::{Diagnostic, Place, lower_first, nearest_name};
use super::document::{DEPTH_MAX, Document};
use super::lex::{Lexer, Token, TokenKind};
use super::locate::{Node, Outline, Step};
use super::notation;

/// RON counts a field, its `Some`, its variant and its brackets as a level each.
const RON_LEVELS_PER_BRACKET: usize = 4;

/// Reads a value. `Some(…)` and the second pair of brackets in `Raft((…))` may be left out.
///
/// # Errors
///
/// The text is not RON or not a `T`; the diagnostic points at the first thing wrong.
pub fn parse<T: DeserializeOwned>(document: &Document) -> Result<T, Diagnostic> {
    read::<T>(document.text()).map_err(|wrong| {
        let try_text = |text: &str| read::<T>(text).err();
        let report = Report::new(document, &wrong, &try_text);
        report.diagnostic(wrong.error.code)
    })
}

/// An error of the parser, and the path of the value it was in.
struct Wrong {
    error: SpannedError,
    steps: Vec<Step>,
}

/// The notation of all files, for reading and writing alike.
pub(crate) fn ron_options() -> ron::Options {
    ron::Options::default()
        .with_default_extension(Extensions::IMPLICIT_SOME)
        .with_default_extension(Extensions::UNWRAP_NEWTYPES)
        .with_default_extension(Extensions::UNWRAP_VARIANT_NEWTYPES)
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Box<Wrong>> {
    let options = ron_options().with_recursion_limit(DEPTH_MAX * RON_LEVELS_PER_BRACKET);
    let mut steps = Vec::new();
    let seed = Tracked { steps: &mut steps, value: std::marker::PhantomData };
    options.from_str_seed(text, seed).map_err(|error| Box::new(Wrong { error, steps }))
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
    /// The path of the value that the parser was in.
    steps: Vec<Step>,
    /// What is wrong with another text for the same type: what the parser does not say, it shows by what it takes.
    try_text: &'document dyn Fn(&str) -> Option<Box<Wrong>>,
}

impl<'document> Report<'document> {
    fn new(
        document: &'document Document,
        wrong: &Wrong,
        try_text: &'document dyn Fn(&str) -> Option<Box<Wrong>>,
    ) -> Self {
        let text = document.text();
        let end = wrong.error.span.end;
        let offset = offset_of(text, end.line, end.col);
        Self { document, outline: Outline::new(text), offset, steps: wrong.steps.clone(), try_text }
    }

    fn diagnostic(&self, error: Error) -> Diagnostic {
        if let Some(diagnostic) = self.never_closed() {
            return diagnostic;
        }
        let (place, missing) = self.outline.descend(around(&self.steps, &error));
        let node = place.value;
        let value = if missing.is_empty() { node.span.clone() } else { self.token().span };
        match error {
            Error::NoSuchStructField { expected, found, outer } => {
                let message = format!("unknown field `{found}`{}", self.within(node, outer));
                Diagnostic::unknown(message, self.place(self.key_in(node, &found)), &found, expected)
            }
            Error::NoSuchEnumVariant { expected, found, outer } => {
                let kind = outer.map_or(String::new(), |outer| format!(" of `{outer}`"));
                let here = node.name.clone().filter(|name| self.text(name) == found);
                let message = format!("unknown variant `{found}`{kind}");
                let place = self.place(here.unwrap_or_else(|| self.token().span));
                Diagnostic::unknown(message, place, &found, expected)
            }
            Error::MissingStructField { field, outer } => self.missing_field(node, field, outer),
            Error::DuplicateStructField { field, outer } => {
                let message = format!("the field `{field}` stands twice{}", self.within(node, outer));
                let place = self.place(self.key_in(node, field));
                Diagnostic::new(message, place, "each field once", "remove one of them")
            }
            Error::InvalidValueForType { expected, .. } => self.wrong_type(node, value, &expected),
            Error::ExpectedDifferentLength { expected, found } => {
                let (message, place) = ("the number of elements is wrong", self.place(node.span.clone()));
                let hint = "add what is missing, or remove what is too much";
                Diagnostic::new(message, place, expected, hint).seen(format!("{found} elements"))
            }
            Error::Message(message) => self.said_by_type(&message, value),
            Error::IntegerOutOfBounds if is_leaf(node) => self.out_of_range(value),
            Error::SuggestRawIdentifier(_) | Error::ExpectedIdentifier => {
                self.no_variant(value).unwrap_or_else(|| self.syntax(&error))
            }
            syntax => self.syntax(&syntax),
        }
    }

    /// A value in a form that its type does not have. `expected` may end with a hint.
    fn wrong_type(&self, node: &Node, span: Range<usize>, expected: &str) -> Diagnostic {
        let (allowed, hint) = split_note(expected, "; hint: ");
        let inner = match node.items.as_slice() {
            [item] if self.text(&item.value.span).starts_with('"') => Some(self.text(&item.value.span)),
            _ => None,
        };
        let hint = match (self.quoted(&span), inner, hint) {
            (Some(quoted), _, _) => quoted,
            (None, Some(inner), Some(_)) => format!("write `{inner}`"),
            (None, _, Some(hint)) => hint.to_owned(),
            (None, _, None) => format!("write {allowed}"),
        };
        let message = "the value has the wrong type";
        let seen = self.seen(&span);
        Diagnostic::new(message, self.place(span), allowed, hint).seen(seen)
    }

    /// A whole number that its type has no room for.
    fn out_of_range(&self, span: Range<usize>) -> Diagnostic {
        let takes = |number: &i128| {
            let wrong = self.with(&span, &number.to_string());
            wrong.is_none_or(|wrong| {
                wrong.error.code != Error::IntegerOutOfBounds || wrong.steps != self.steps
            })
        };
        let (lowest, highest) = notation::integer_bounds(takes);
        let written = self.text(&span);
        let positive = written.trim_start_matches('-');
        let hint = match positive.parse::<i128>() {
            Ok(number) if lowest == 0 && number <= highest => format!("write `{positive}`"),
            Ok(_) | Err(_) => "write a number of this range".to_owned(),
        };
        let message = format!("`{written}` is out of range");
        Diagnostic::new(message, self.place(span), format!("whole numbers from {lowest} to {highest}"), hint)
    }

    /// Something where the name of a variant stands, if that is the case: the parser names those it knows as soon as
    /// it sees a name.
    fn no_variant(&self, span: Range<usize>) -> Option<Diagnostic> {
        let wrong = self.with(&span, "no_variant_has_this_name")?;
        let Error::NoSuchEnumVariant { expected, .. } = wrong.error.code else { return None };
        let written = self.text(&span);
        let message = format!("{} is no name of a variant", self.seen(&span));
        Some(Diagnostic::unknown(message, self.place(span.clone()), written.trim_matches('"'), expected))
    }

    /// What is wrong with the text that has `with` in this place.
    fn with(&self, span: &Range<usize>, with: &str) -> Option<Box<Wrong>> {
        let mut text = self.document.text().to_owned();
        text.replace_range(span.clone(), with);
        (self.try_text)(&text)
    }

    fn missing_field(&self, node: &Node, field: &str, outer: Option<String>) -> Diagnostic {
        let message = format!("the field `{field}` is missing{}", self.within(node, outer));
        let head = node.name.clone().unwrap_or(node.span.start..node.inner_start);
        let keys: Vec<&str> = self.outline.keys(node).collect();
        let hint = match nearest_name(field, &keys) {
            Some(key) => format!("is `{key}` meant to be `{field}`?"),
            None => format!("add `{field}: …`"),
        };
        Diagnostic::new(message, self.place(head), format!("`{field}` and a value"), hint)
    }

    /// An error of a type's own reader, in the form `problem; allowed: …; hint: …`.
    fn said_by_type(&self, message: &str, span: Range<usize>) -> Diagnostic {
        let (rest, hint) = split_note(message, "; hint: ");
        let (problem, allowed) = split_note(rest, "; allowed: ");
        let hint = hint.map_or_else(|| "write another value".to_owned(), str::to_owned);
        let hint = self.quoted(&span).unwrap_or(hint);
        Diagnostic::new(problem, self.place(span), allowed.unwrap_or("values that the field can have"), hint)
    }

    /// An error of the notation itself.
    fn syntax(&self, error: &Error) -> Diagnostic {
        let span = self.token().span;
        let word = self.text(&span);
        if span.start < self.offset && word.parse::<f64>().is_ok() {
            // The parser took what stands before the point, and stumbled over the rest.
            let whole = word.split('.').next().unwrap_or_default();
            let message = format!("`{word}` is no whole number");
            return Diagnostic::new(message, self.place(span), "whole numbers", format!("write `{whole}`"));
        }
        if let Some(quoted) = self.quoted(&span) {
            let message = format!("`{word}` is no number");
            return Diagnostic::new(message, self.place(span), "a number, or a text in quotes", quoted);
        }
        let (allowed, hint) = notation::advice(error);
        let hint =
            unquoted_number(word).map_or_else(|| hint.to_owned(), |number| format!("write `{number}`"));
        let seen = self.seen(&span);
        let message = match error {
            Error::SuggestRawIdentifier(_) | Error::InvalidIdentifier(_) => format!("{seen} is no name"),
            other => lower_first(&other.to_string()),
        };
        Diagnostic::new(message, self.place(span), allowed, hint).seen(seen)
    }

    /// What stands there, as far as it is short.
    fn seen(&self, span: &Range<usize>) -> String {
        const LONGEST: usize = 40;
        let text = self.text(span);
        let line = text.lines().next().unwrap_or_default();
        match line.char_indices().nth(LONGEST) {
            _ if text.is_empty() => "the end of the file".to_owned(),
            Some((end, _)) => format!("`{}…`", &line[..end]),
            None if line.len() < text.len() => format!("`{line}…`"),
            None => format!("`{line}`"),
        }
    }

    /// A text or bracket that nothing closes, if it opens before the error: it is then the cause, however far behind
    /// it the parser came to a halt.
    fn never_closed(&self) -> Option<Diagnostic> {
        let open = never_closed(self.document.text()).filter(|open| open.start <= self.offset)?;
        let what = self.text(&open).chars().next()?;
        let close = closing(what);
        let message = format!("the `{what}` that opens here is never closed");
        Some(Diagnostic::new(
            message,
            self.place(open),
            format!("`{close}` further on"),
            format!("add `{close}`"),
        ))
    }

    /// Where a bare quantity such as `150ms` stands, the hint that it is written as text.
    fn quoted(&self, span: &Range<usize>) -> Option<String> {
        let word = self.text(span);
        let is_quantity = word.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && word.ends_with(|c: char| c.is_ascii_alphanumeric())
            && word.parse::<f64>().is_err()
            && !word.contains(['(', '[', '{', '"', '\n']);
        is_quantity.then(|| format!("write `\"{word}\"`"))
    }

    fn place(&self, span: Range<usize>) -> Place {
        self.document.place(span)
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

/// Whether a node is a word, not brackets and what they hold.
fn is_leaf(node: &Node) -> bool {
    node.bracket.is_none() && !node.span.is_empty()
}

/// The whole number in a quoted `word`.
fn unquoted_number(word: &str) -> Option<&str> {
    let inner = word.strip_prefix('"')?.strip_suffix('"')?;
    inner.parse::<i128>().is_ok().then_some(inner)
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

/// What closes a bracket or a text.
fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        _ => '"',
    }
}

fn opening(close: char) -> char {
    match close {
        ']' => '[',
        '}' => '{',
        _ => '(',
    }
}

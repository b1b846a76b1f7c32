//! `--set path=value`: changing fields of a scenario without changing its file.
//!
//! The value replaces the text of the one that stands at the path, or is put into the struct or map where the field
//! is missing, with the sections around it. Field names are not known here: a wrong one is found by the parser, which
//! then points at the override.
//!
//! | value | becomes |
//! | --- | --- |
//! | `5`, `0.05`, `true`, `"x"`, `[1, 2]`, `(loss: 0.1)`, `Some(3)` | itself |
//! | `Shuffled`, a name | itself; a string where a string or a list stood, so that `n1` is a list of one node |
//! | `exponential(5ms)`, a name with what is no RON | a string where a string stood |
//! | `150ms`, `0..100`, `10/s`, anything else | a string |

use std::fmt;
use std::ops::Range;

use super::diagnostic::{Diagnostic, Place, Source, lower_first};
use super::document::Document;
use super::lex::{Lexer, Token, TokenKind};
use super::locate::{Node, Outline, Path, Step};

/// A value for a path: `network.loss=0.05`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The option that it was given with.
    flag: &'static str,
    /// As written, `path=value`.
    text: String,
    path: Path,
    /// Where in `text` the value begins, in bytes.
    value_start: usize,
}

/// What an override puts into a text.
#[derive(Clone, Debug)]
pub(super) struct Insertion {
    pub(super) text: String,
    /// In order, the parts of it that were written by hand.
    parts: Vec<Part>,
}

/// A part of what is put in.
#[derive(Clone, Debug)]
struct Part {
    /// Where it begins in what is put in, in bytes.
    start: usize,
    /// Where it stands in the override, in bytes.
    written: Range<usize>,
    form: PartForm,
}

/// Whether letters of a part stand in the override as they stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PartForm {
    AsWritten,
    Quoted,
}

impl Insertion {
    fn new() -> Self {
        Self { text: String::new(), parts: Vec::new() }
    }

    /// Adds what nobody wrote.
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds what was written there in the override.
    fn push_part(&mut self, text: &str, written: Range<usize>, form: PartForm) {
        self.parts.push(Part { start: self.text.len(), written, form });
        self.push(text);
    }

    /// Where in the override stands what begins at `offset`; the part before it, where nobody wrote that.
    pub(super) fn written(&self, offset: usize, len: usize) -> Range<usize> {
        let before = self.parts.iter().rev().find(|part| part.start <= offset);
        let part = before.or(self.parts.first()).expect("the value, at least, was written");
        let Range { start, end } = part.written;
        let begin = start + offset.saturating_sub(part.start);
        if part.form == PartForm::Quoted || begin >= end {
            return start..end;
        }
        begin..end.min(begin + len.max(1))
    }
}

impl Override {
    /// Reads the `path=value` of a `--set`; the value is everything after the first `=`.
    ///
    /// # Errors
    ///
    /// There is no `=`, or what stands before it is no path.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        Self::parse_for("--set", text)
    }

    /// The same for another option, by which errors call it.
    ///
    /// # Errors
    ///
    /// As [`Self::parse`].
    pub fn parse_for(flag: &'static str, text: &str) -> Result<Self, Diagnostic> {
        let wrong = |message: &str| {
            let place = place_in(flag, text, 0..text.len());
            let allowed = "`path=value`, such as `network.loss=0.05` or `faults[2].at=5s`";
            Diagnostic::new(message, place, allowed, "write the path of a field, `=` and its value")
        };
        let (path_text, _) = text.split_once('=').ok_or_else(|| wrong("the override has no `=`"))?;
        let path =
            Path::parse(path_text.trim()).ok_or_else(|| wrong("the override does not begin with a path"))?;
        Ok(Self { flag, text: text.to_owned(), path, value_start: path_text.len() + 1 })
    }

    /// What is set.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is set to, as written.
    pub fn value(&self) -> &str {
        &self.text[self.value_start..]
    }

    /// The place of some bytes of it.
    pub(super) fn place_of(&self, written: Range<usize>) -> Place {
        place_in(self.flag, &self.text, written)
    }

    fn place(&self) -> Place {
        self.place_of(0..self.text.len())
    }

    /// Where a step of the path stands: its name, or its index with brackets; in bytes.
    fn step(&self, index: usize) -> Range<usize> {
        let path = &self.text[..self.value_start - 1];
        let begins = path.match_indices(['.', '[']).map(|(at, _)| at);
        let mut starts: Vec<usize> = begins.filter(|at| !path[*at..].starts_with(".[")).collect();
        // An index begins with its bracket, a name behind its dot; the first name with the path.
        if !path.trim_start().starts_with('[') {
            starts.insert(0, path.len() - path.trim_start().len());
        }
        let start = starts[index];
        let end = starts.get(index + 1).copied().unwrap_or(path.trim_end().len());
        if path[start..].starts_with('.') { start + 1..end } else { start..end }
    }

    /// Where the value stands, without blanks around it; in bytes.
    fn value_span(&self) -> Range<usize> {
        let value = self.value();
        let start = self.value_start + value.len() - value.trim_start().len();
        start..start + value.trim().len()
    }

    /// Adds the value as RON text that is complete in itself, so that it cannot reach beyond its place.
    fn push_value(&self, insertion: &mut Insertion, replaces: Option<TokenKind>) -> Result<(), Diagnostic> {
        let tokens: Vec<Token> = Lexer::new(self.value()).collect();
        let covered = span_of(&tokens).map_or("", |span| &self.value()[span]);
        let form = if covered == self.value().trim() { Form::of(&tokens, covered) } else { Form::Text };
        let form = match form {
            Form::Name if is_text_or_list(replaces) && covered != "None" => PartForm::Quoted,
            Form::Text => PartForm::Quoted,
            Form::Name | Form::Number => PartForm::AsWritten,
            Form::Ron => match ron::from_str::<ron::Value>(covered) {
                Ok(_) => PartForm::AsWritten,
                // `exponential(5ms)` looks like an enum, and is a text where one stood.
                Err(_) if replaces == Some(TokenKind::Quoted) && begins_with_name(&tokens) => {
                    PartForm::Quoted
                }
                Err(error) => return Err(self.broken(&error.code)),
            },
        };
        let written = self.value_span();
        let value = &self.text[written.clone()];
        match form {
            PartForm::AsWritten => insertion.push_part(value, written, form),
            PartForm::Quoted => insertion.push_part(&quoted(value), written, form),
        }
        Ok(())
    }

    fn broken(&self, error: &ron::Error) -> Diagnostic {
        let message = format!("the value is not valid RON: {}", lower_first(&error.to_string()));
        let allowed = "a number, a name, a text, or RON with all its brackets and quotes";
        let hint = format!("quote it for the shell: `{} 'name=\"a text\"'`", self.flag);
        Diagnostic::new(message, self.place(), allowed, hint)
    }
}

/// The place of some bytes of `path=value`.
fn place_in(flag: &'static str, text: &str, written: Range<usize>) -> Place {
    let characters = |range: Range<usize>| text[range].chars().count();
    Place {
        source: Source::Set { flag, text: text.to_owned() },
        line: 1,
        column: characters(0..written.start) + 1,
        width: characters(written).max(1),
        text: text.to_owned(),
    }
}

/// `path=value`, as written.
impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How a value of the command line is meant.
enum Form {
    /// A word that may be an enum variant, `true`, or a text.
    Name,
    Number,
    /// With brackets or quotes of its own.
    Ron,
    /// Anything else.
    Text,
}

impl Form {
    fn of(tokens: &[Token], text: &str) -> Self {
        match tokens {
            [Token { kind: TokenKind::Word, .. }] if is_name(text) => Self::Name,
            [Token { kind: TokenKind::Word, .. }] if is_number(text) => Self::Number,
            [Token { kind: TokenKind::Quoted | TokenKind::Unclosed | TokenKind::Open(_), .. }, ..] => {
                Self::Ron
            }
            [Token { kind: TokenKind::Word, span }, Token { kind: TokenKind::Open('('), .. }, ..]
                if is_name(&text[..span.len()]) =>
            {
                Self::Ron
            }
            _ => Self::Text,
        }
    }
}

/// Whether no name can take the place of what begins so: a string, or a list.
fn is_text_or_list(replaced: Option<TokenKind>) -> bool {
    matches!(replaced, Some(TokenKind::Quoted | TokenKind::Open('[')))
}

fn begins_with_name(tokens: &[Token]) -> bool {
    tokens.first().is_some_and(|token| token.kind == TokenKind::Word)
}

fn is_name(text: &str) -> bool {
    let text = text.strip_prefix("r#").unwrap_or(text);
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && ron::from_str::<ron::Value>(text).is_ok_and(|value| matches!(value, ron::Value::Number(_)))
}

fn span_of(tokens: &[Token]) -> Option<Range<usize>> {
    Some(tokens.first()?.span.start..tokens.last()?.span.end)
}

/// `text` as a RON string.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r");
    format!("\"{escaped}\"")
}

/// The document with the overrides applied, in order: a later one sees what an earlier one put in.
///
/// # Errors
///
/// A path leads through something that has no such part, a value is broken RON, or the text gets too long or deep.
pub fn apply(document: &Document, overrides: &[Override]) -> Result<Document, Diagnostic> {
    let mut changed = document.clone();
    for change in overrides {
        let (span, insertion) = edit(&changed, change)?;
        changed.replace(span, change, insertion)?;
    }
    Ok(changed)
}

/// A scenario's text with fields set, as `--set` does it; `None` where that cannot be.
pub(crate) fn text_with(text: &str, set: &[&str]) -> Option<String> {
    let overrides: Option<Vec<Override>> = set.iter().map(|set| Override::parse(set).ok()).collect();
    let document = Document::read("written", text.as_bytes()).ok()?;
    Some(apply(&document, &overrides?).ok()?.value_text().to_owned())
}

/// Refuses overrides of which one takes back what another one before it says: that would be lost without a word.
///
/// # Errors
///
/// The first such override, and the one that it takes back.
pub fn check_apart(document: &Document, overrides: &[Override]) -> Result<(), Diagnostic> {
    if overrides.len() < 2 {
        return Ok(());
    }
    let outline = Outline::new(document.text());
    let paths: Vec<Path> = overrides.iter().map(|change| outline.plain(&change.path)).collect();
    for (place, change) in overrides.iter().enumerate() {
        let earlier = (0..place).find(|earlier| paths[place].contains(&paths[*earlier]));
        if let Some(earlier) = earlier {
            return Err(taken_back(&overrides[earlier], change));
        }
    }
    Ok(())
}

fn taken_back(earlier: &Override, later: &Override) -> Diagnostic {
    let message = format!("`{}` is set twice", earlier.path);
    let path = later.text[..later.value_start - 1].trim();
    let start = later.step(0).start;
    let allowed = "each field once; what holds a field before the field itself";
    let hint = format!("keep one of `{} {}` and `{} {}`", earlier.flag, earlier.text, later.flag, later.text);
    Diagnostic::new(message, later.place_of(start..start + path.len()), allowed, hint)
}

/// What to replace in the text, and by what.
fn edit(document: &Document, change: &Override) -> Result<(Range<usize>, Insertion), Diagnostic> {
    let text = document.text();
    let outline = Outline::new(text);
    let steps = change.path.steps();
    let (place, missing) = outline.descend(steps);
    let node = place.value;
    let mut insertion = Insertion::new();
    if missing.is_empty() {
        let stood = Lexer::new(&text[node.span.clone()]).next().map(|token| token.kind);
        change.push_value(&mut insertion, stood)?;
        return Ok((node.span.clone(), insertion));
    }
    let section = section_of(node);
    let taken = steps.len() - missing.len();
    let are_names = missing.iter().all(|step| matches!(step, Step::Name(_)));
    if !takes_fields(section) || !are_names {
        return Err(no_such_part(change, &outline, node, taken));
    }
    let (at, separator) = insertion_point(section);
    insertion.push(separator);
    push_fields(&mut insertion, change, taken, section.bracket)?;
    Ok((at..at, insertion))
}

/// Adds `a: (b: value)` for the steps `a`, `b`, which begin at `first`; in a map, `"a": (b: value)`.
fn push_fields(
    insertion: &mut Insertion,
    change: &Override,
    first: usize,
    bracket: Option<char>,
) -> Result<(), Diagnostic> {
    let count = change.path.steps().len();
    for index in first..count {
        let written = change.step(index);
        let name = &change.text[written.clone()];
        if index > first {
            insertion.push("(");
        }
        if index == first && bracket == Some('{') {
            insertion.push_part(&quoted(name), written, PartForm::Quoted);
        } else {
            insertion.push_part(name, written, PartForm::AsWritten);
        }
        insertion.push(": ");
    }
    change.push_value(insertion, None)?;
    insertion.push(&")".repeat(count - first - 1));
    Ok(())
}

/// The struct meant by `Some((…))` or `Raft((…))`, and the value itself otherwise.
fn section_of(node: &Node) -> &Node {
    match node.items.as_slice() {
        [item] if item.key.is_none() && node.bracket == Some('(') && item.value.bracket.is_some() => {
            section_of(&item.value)
        }
        _ => node,
    }
}

fn takes_fields(node: &Node) -> bool {
    matches!(node.bracket, Some('(' | '{')) && node.items.iter().all(|item| item.key.is_some())
}

/// Behind the last entry, or in the empty brackets; and what must stand before a new one.
fn insertion_point(section: &Node) -> (usize, &'static str) {
    match section.items.last() {
        Some(last) => (last.value.span.end, ", "),
        None => (section.inner_start, ""),
    }
}

/// The step that leads nowhere is the `index`-th.
fn no_such_part(change: &Override, outline: &Outline<'_>, node: &Node, index: usize) -> Diagnostic {
    let place = change.place_of(change.step(index));
    match &change.path.steps()[index] {
        Step::Index(index) => {
            let message = format!("`{}` has no item {index}", change.path);
            let (allowed, hint) = match node.items.len() {
                0 => ("a list with items at this place".to_owned(), "set the whole list: `path=[…]`"),
                count => (format!("`[0]` to `[{}]`", count - 1), "items count from 0"),
            };
            Diagnostic::new(message, place, allowed, hint)
        }
        Step::Name(name) => {
            let keys: Vec<&str> = outline.keys(node).collect();
            let message = format!("`{}` leads to no field: there is no `{name}`", change.path);
            Diagnostic::unknown(message, place, name, &keys)
        }
    }
}

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
    /// As written, `path=value`.
    text: String,
    path: Path,
    /// Where in `text` the value begins, in bytes.
    value_start: usize,
}

impl Override {
    /// Reads `path=value`; the value is everything after the first `=`.
    ///
    /// # Errors
    ///
    /// There is no `=`, or what stands before it is no path.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let wrong = |message: &str| {
            let width = text.chars().count().max(1);
            let place = Place {
                source: Source::Set(text.to_owned()),
                line: 1,
                column: 1,
                width,
                text: text.to_owned(),
            };
            let allowed = "`path=value`, such as `network.loss=0.05` or `faults[2].at=5s`";
            Diagnostic::new(message, place, allowed, "write the path of a field, `=` and its value")
        };
        let (path_text, _) = text.split_once('=').ok_or_else(|| wrong("the override has no `=`"))?;
        let path =
            Path::parse(path_text.trim()).ok_or_else(|| wrong("the override does not begin with a path"))?;
        Ok(Self { text: text.to_owned(), path, value_start: path_text.len() + 1 })
    }

    /// What is set.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is set to, as written.
    pub fn value(&self) -> &str {
        &self.text[self.value_start..]
    }

    /// Where the value begins, in characters.
    fn value_column(&self) -> usize {
        self.text[..self.value_start].chars().count()
    }

    fn place(&self) -> Place {
        let width = self.text.chars().count();
        let source = Source::Set(self.text.clone());
        Place { source, line: 1, column: 1, width, text: self.text.clone() }
    }

    /// The value as RON text that is complete in itself, so that it cannot reach beyond its place.
    fn ron(&self, replaces: Option<TokenKind>) -> Result<String, Diagnostic> {
        let tokens: Vec<Token> = Lexer::new(self.value()).collect();
        let covered = span_of(&tokens).map_or("", |span| &self.value()[span]);
        let form = if covered == self.value().trim() { Form::of(&tokens, covered) } else { Form::Text };
        match form {
            Form::Name if is_text_or_list(replaces) && covered != "None" => Ok(quoted(covered)),
            Form::Text => Ok(quoted(self.value().trim())),
            Form::Name | Form::Number => Ok(covered.to_owned()),
            Form::Ron => match ron::from_str::<ron::Value>(covered) {
                Ok(_) => Ok(covered.to_owned()),
                // `exponential(5ms)` looks like an enum, and is a text where one stood.
                Err(_) if replaces == Some(TokenKind::Quoted) && begins_with_name(&tokens) => {
                    Ok(quoted(covered))
                }
                Err(error) => {
                    let problem = lower_first(&error.code.to_string());
                    let message = format!("the value is not valid RON: {problem}");
                    let allowed = "a number, a name, a text, or RON with all its brackets and quotes";
                    let hint = "quote it for the shell: `--set 'name=\"a text\"'`";
                    Err(Diagnostic::new(message, self.place(), allowed, hint))
                }
            },
        }
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
        let (span, with) = edit(&changed, change)?;
        changed.replace(span, &with, change.text.clone(), change.value_column())?;
    }
    Ok(changed)
}

/// What to replace in the text, and by what.
fn edit(document: &Document, change: &Override) -> Result<(Range<usize>, String), Diagnostic> {
    let text = document.text();
    let outline = Outline::new(text);
    let (place, missing) = outline.descend(change.path.steps());
    let node = place.value;
    let Some((name, deeper)) = missing.split_first() else {
        let stood = Lexer::new(&text[node.span.clone()]).next().map(|token| token.kind);
        return Ok((node.span.clone(), change.ron(stood)?));
    };
    let section = section_of(node);
    let (Step::Name(name), Some(inner)) = (name, nested(deeper, &change.ron(None)?)) else {
        return Err(no_such_part(change, &outline, node, name));
    };
    if !takes_fields(section) {
        return Err(no_such_part(change, &outline, node, &Step::Name(name.clone())));
    }
    let entry = if section.bracket == Some('{') {
        format!("{}: {inner}", quoted(name))
    } else {
        format!("{name}: {inner}")
    };
    Ok(insertion(section, entry))
}

/// `(a: (b: value))` for the steps `a`, `b`; `None` where a step is an index, which nothing can be put at.
fn nested(steps: &[Step], value: &str) -> Option<String> {
    steps.iter().rev().try_fold(value.to_owned(), |inner, step| match step {
        Step::Name(name) => Some(format!("({name}: {inner})")),
        Step::Index(_) => None,
    })
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

/// Puts `entry` behind the last entry, or into the empty brackets.
fn insertion(section: &Node, entry: String) -> (Range<usize>, String) {
    match section.items.last() {
        Some(last) => (last.value.span.end..last.value.span.end, format!(", {entry}")),
        None => (section.inner_start..section.inner_start, entry),
    }
}

fn no_such_part(change: &Override, outline: &Outline<'_>, node: &Node, step: &Step) -> Diagnostic {
    match step {
        Step::Index(index) => {
            let message = format!("`{}` has no item {index}", change.path);
            let (allowed, hint) = match node.items.len() {
                0 => ("a list with items at this place".to_owned(), "set the whole list: `path=[…]`"),
                count => (format!("`[0]` to `[{}]`", count - 1), "items count from 0"),
            };
            Diagnostic::new(message, change.place(), allowed, hint)
        }
        Step::Name(name) => {
            let keys: Vec<&str> = outline.keys(node).collect();
            let message = format!("`{}` leads to no field: there is no `{name}`", change.path);
            Diagnostic::unknown(message, change.place(), name, &keys)
        }
    }
}

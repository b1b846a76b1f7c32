//! Finds the place of a field in a RON text, so that an error found after parsing can still point at its line.
//!
//! The [`Outline`] is a forgiving tree of the text: keys, values, brackets. It judges nothing, is made of any text in
//! one pass, and a broken text gives the outline of what can be recognised. Nesting is limited by
//! [`DEPTH_MAX`], which the document checks before.
//!
//! | path | finds |
//! | --- | --- |
//! | `network.loss` | the field `loss` of the field `network` |
//! | `faults[2].at` | in the third item of the list |
//! | `protocol.Raft.heartbeat` | in the variant `Raft(…)`; its name may be left out |
//! | `links.n1` | the map entry with the key `"n1"` |

use std::fmt;
use std::iter::Peekable;
use std::ops::Range;

use super::document::DEPTH_MAX;
use super::lex::{Lexer, Token, TokenKind};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A field, a map key or an enum variant.
    Name(String),
    /// A position in a list or tuple, from 0.
    Index(usize),
}

/// Where in a scenario something stands: `faults[2].at`. Empty is the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
}

impl Path {
    /// The path of these steps, from the outside in.
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps }
    }

    /// Reads `faults[2].at`; `None` where a name is empty or an index is no number.
    pub fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, indices) = part.split_at(part.find('[').unwrap_or(part.len()));
            if !name.is_empty() {
                steps.push(Step::Name(name.to_owned()));
            } else if indices.is_empty() {
                return None;
            }
            parse_indices(indices, &mut steps)?;
        }
        Some(Self { steps })
    }

    /// The steps, from the outside in.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether `other` is the same place or one inside it.
    pub fn contains(&self, other: &Self) -> bool {
        other.steps.starts_with(&self.steps)
    }
}

/// Reads `[2][0]`.
fn parse_indices(text: &str, steps: &mut Vec<Step>) -> Option<()> {
    let mut rest = text;
    while !rest.is_empty() {
        let (index, after) = rest.strip_prefix('[')?.split_once(']')?;
        steps.push(Step::Index(index.parse().ok()?));
        rest = after;
    }
    Some(())
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                Step::Name(name) if position == 0 => f.write_str(name)?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Byte offsets of what a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The field's name or map key; the value again for items of lists and the whole.
    pub key: Range<usize>,
    /// The value, with the name of a struct or variant before its bracket; empty where it is missing.
    pub value: Range<usize>,
}

/// A value: `Name(…)`, `[…]`, `{…}`, or one token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    /// Of a struct or variant before its `(`, and of a value that is one word.
    pub(super) name: Option<Range<usize>>,
    /// The opening bracket; `None` for one token.
    pub(super) bracket: Option<char>,
    /// Behind the opening bracket, or behind the token.
    pub(super) inner_start: usize,
    pub(super) items: Vec<Item>,
}

/// What stands between two commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) key: Option<Range<usize>>,
    pub(super) value: Node,
}

/// The tree of a text.
#[derive(Clone, Debug)]
pub struct Outline<'text> {
    text: &'text str,
    root: Node,
}

impl<'text> Outline<'text> {
    /// The outline of any text, however broken. Brackets deeper than the limit are not looked into.
    pub fn new(text: &'text str) -> Self {
        let mut builder = Builder { tokens: Lexer::new(text).peekable(), end: 0 };
        let root = builder.value(0);
        Self { text, root }
    }

    /// The place of `path`, if the text has it.
    pub fn find(&self, path: &Path) -> Option<Found> {
        let (item, rest) = self.descend(path.steps());
        rest.is_empty().then(|| Found {
            key: item.key.unwrap_or(&item.value.span).clone(),
            value: item.value.span.clone(),
        })
    }

    /// The paths of all fields down to a depth, outer ones before what they hold: `network`, `network.loss`, `nodes`.
    pub fn fields(&self, depth: usize) -> Vec<Path> {
        let mut paths = Vec::new();
        self.add_fields(&self.root, &[], depth, &mut paths);
        paths
    }

    fn add_fields(&self, node: &Node, before: &[Step], depth: usize, paths: &mut Vec<Path>) {
        let fields = if depth > 0 { node.items.as_slice() } else { &[] };
        for item in fields {
            let Some(key) = &item.key else { continue };
            let name = Step::Name(bare(&self.text[key.clone()]).to_owned());
            let steps = [before, &[name]].concat();
            paths.push(Path::new(steps.clone()));
            self.add_fields(&item.value, &steps, depth - 1, paths);
        }
    }

    /// The fields of the whole, as written: name and value.
    pub fn top_fields(&self) -> Vec<(&'text str, &'text str)> {
        let text = |span: &Range<usize>| &self.text[span.clone()];
        let named = self
            .root
            .items
            .iter()
            .filter_map(|item| Some((text(item.key.as_ref()?), text(&item.value.span))));
        named.collect()
    }

    /// The whole as a value called `name`, a field a line, in the order written.
    pub(crate) fn laid_out(&self, name: &str) -> String {
        let lines = self.top_fields().into_iter().map(|(name, value)| format!("    {name}: {value},\n"));
        format!("{name}(\n{})", lines.collect::<String>())
    }

    /// The text without a field and its comma; `None` where there is no such field.
    pub fn without(&self, path: &Path) -> Option<String> {
        let (last, before) = path.steps().split_last()?;
        let (Step::Name(name), (place, [])) = (last, self.descend(before)) else { return None };
        let items = &place.value.items;
        let index = items.iter().position(|item| self.key_is(item, name))?;
        let start = |item: &Item| item.key.as_ref().map_or(item.value.span.start, |key| key.start);
        let span = match (index.checked_sub(1), items.get(index + 1)) {
            (_, Some(next)) => start(&items[index])..start(next),
            (Some(before), None) => items[before].value.span.end..items[index].value.span.end,
            (None, None) => place.value.inner_start..place.value.span.end.saturating_sub(1),
        };
        Some([&self.text[..span.start], &self.text[span.end..]].concat())
    }

    /// Follows `steps` as far as the text has them: the last value found, and the steps not taken.
    pub(super) fn descend<'steps>(&self, steps: &'steps [Step]) -> (Place<'_>, &'steps [Step]) {
        let mut place = Place { key: None, value: &self.root };
        for (position, step) in steps.iter().enumerate() {
            match self.take(place, step) {
                Some(next) => place = next,
                None => return (place, &steps[position..]),
            }
        }
        (place, &[])
    }

    /// The path without steps that only name the struct or variant they are in: `protocol.heartbeat` for
    /// `protocol.Raft.heartbeat`.
    pub(super) fn plain(&self, path: &Path) -> Path {
        let mut place = Some(Place { key: None, value: &self.root });
        let is_part = |step: &&Step| {
            let next = place.and_then(|place| self.take(place, step));
            let is_same =
                next.zip(place).is_some_and(|(next, before)| std::ptr::eq(next.value, before.value));
            place = next;
            !is_same
        };
        Path::new(path.steps.iter().filter(is_part).cloned().collect())
    }

    fn take<'node>(&self, place: Place<'node>, step: &Step) -> Option<Place<'node>> {
        let node = place.value;
        let child = match step {
            Step::Index(index) => node.items.get(*index),
            Step::Name(name) => node.items.iter().find(|item| self.key_is(item, name)),
        };
        if let Some(item) = child {
            return Some(Place { key: item.key.as_ref(), value: &item.value });
        }
        match (step, node.items.as_slice()) {
            // `protocol.Raft` is the value of `protocol`, which is a `Raft(…)`.
            (Step::Name(name), _) if self.name_of(node) == Some(name) => Some(place),
            // `Some((loss: …))` and `Raft((heartbeat: …))` hold one value, which is meant.
            (Step::Name(_), [Item { key: None, value }]) if node.bracket == Some('(') => {
                self.take(Place { key: place.key, value }, step)
            }
            _ => None,
        }
    }

    fn key_is(&self, item: &Item, name: &str) -> bool {
        item.key.as_ref().is_some_and(|key| bare(&self.text[key.clone()]) == name)
    }

    /// The name before the bracket.
    pub(super) fn name_of(&self, node: &Node) -> Option<&'text str> {
        node.name.as_ref().map(|name| bare(&self.text[name.clone()]))
    }

    /// The keys of the value's fields or entries, in the order written.
    pub(super) fn keys<'node>(&'node self, node: &'node Node) -> impl Iterator<Item = &'text str> + 'node {
        node.items.iter().filter_map(|item| item.key.as_ref()).map(|key| bare(&self.text[key.clone()]))
    }
}

/// A value and the key it stands under.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'node> {
    pub(super) key: Option<&'node Range<usize>>,
    pub(super) value: &'node Node,
}

/// A name or key without `r#` or its quotes.
fn bare(text: &str) -> &str {
    let text = text.strip_prefix("r#").filter(|rest| !rest.starts_with('"')).unwrap_or(text);
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

/// Builds nodes from tokens; each call of a method consumes what it describes.
struct Builder<'text> {
    tokens: Peekable<Lexer<'text>>,
    /// Where the last consumed token ended.
    end: usize,
}

impl Builder<'_> {
    fn peek(&mut self) -> Option<TokenKind> {
        self.tokens.peek().map(|token| token.kind)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.next()?;
        self.end = token.span.end;
        Some(token)
    }

    /// A value, or an empty node where none stands here.
    fn value(&mut self, depth: usize) -> Node {
        match self.peek() {
            Some(TokenKind::Word | TokenKind::Quoted | TokenKind::Unclosed) => self.word(depth),
            Some(TokenKind::Open(bracket)) => self.group(bracket, None, depth),
            Some(TokenKind::Comma | TokenKind::Colon | TokenKind::Close(_)) | None => Node {
                span: self.end..self.end,
                name: None,
                bracket: None,
                inner_start: self.end,
                items: Vec::new(),
            },
        }
    }

    fn word(&mut self, depth: usize) -> Node {
        let token = self.next().expect("the caller saw a token");
        let name = (token.kind == TokenKind::Word).then(|| token.span.clone());
        if name.is_some() && self.peek() == Some(TokenKind::Open('(')) {
            return self.group('(', name, depth);
        }
        Node { span: token.span, name, bracket: None, inner_start: self.end, items: Vec::new() }
    }

    /// A bracket with what it holds, up to the closing bracket of any kind or the end.
    fn group(&mut self, bracket: char, name: Option<Range<usize>>, depth: usize) -> Node {
        let open = self.next().expect("the caller saw a bracket").span.start;
        let start = name.as_ref().map_or(open, |name| name.start);
        let inner_start = self.end;
        let mut items = Vec::new();
        if depth >= DEPTH_MAX {
            self.skip_group();
        }
        while let Some(kind) = self.peek().filter(|_| depth < DEPTH_MAX) {
            match kind {
                TokenKind::Close(_) => {
                    self.next();
                    break;
                }
                TokenKind::Comma => {
                    self.next();
                }
                TokenKind::Colon
                | TokenKind::Open(_)
                | TokenKind::Word
                | TokenKind::Quoted
                | TokenKind::Unclosed => {
                    items.push(self.item(depth + 1));
                }
            }
        }
        Node { span: start..self.end, name, bracket: Some(bracket), inner_start, items }
    }

    /// `key: value`, or a value alone.
    fn item(&mut self, depth: usize) -> Item {
        let first = self.value(depth);
        if self.peek() != Some(TokenKind::Colon) {
            return Item { key: None, value: first };
        }
        self.next();
        Item { key: Some(first.span), value: self.value(depth) }
    }

    /// Passes over the rest of a bracket that is too deep to look into.
    fn skip_group(&mut self) {
        let mut open = 1_usize;
        while let Some(token) = self.next() {
            match token.kind {
                TokenKind::Open(_) => open += 1,
                TokenKind::Close(_) => open -= 1,
                TokenKind::Comma
                | TokenKind::Colon
                | TokenKind::Word
                | TokenKind::Quoted
                | TokenKind::Unclosed => {}
            }
            if open == 0 {
                return;
            }
        }
    }
}

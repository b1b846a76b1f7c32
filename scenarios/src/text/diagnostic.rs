//! What is wrong with a text a person wrote, where, and what to do about it.
//!
//! ```text
//! error: unknown field `heartbeet` in `Raft`
//!   --> leader-crash.ron:12:5
//!    |
//! 12 |     heartbeet: "50ms",
//!    |     ^^^^^^^^^
//!    = allowed: `heartbeat`, `election_timeout`
//!    = hint: did you mean `heartbeat`?
//! ```

use std::fmt;

/// Longer lines are clipped around the place, in characters.
const LINE_MAX: usize = 100;
/// How much of a clipped line is kept before the place.
const LINE_BEFORE: usize = 40;
/// Beyond this many, allowed names are cut off.
const ALLOWED_MAX: usize = 32;

/// Where a text came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file, by the name it was read under.
    File(String),
    /// An override.
    Set {
        /// The option that it was given with: `--set`.
        flag: &'static str,
        /// As written, `path=value`.
        text: String,
    },
}

/// A stretch of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The text's origin.
    pub source: Source,
    /// From 1.
    pub line: usize,
    /// From 1, in characters; one past the last where something is missing at the end.
    pub column: usize,
    /// Characters to underline, at least 1.
    pub width: usize,
    /// The whole line, without its end.
    pub text: String,
}

/// An error in a text, ready to show. Colourless; the parts are public for who wants to colour them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong: a sentence without its full stop, literals in backticks.
    pub message: String,
    /// Where.
    pub place: Box<Place>,
    /// The value seen, where the message does not say it.
    pub seen: Option<Box<str>>,
    /// What may stand there.
    pub allowed: Box<str>,
    /// What to do.
    pub hint: Box<str>,
}

impl Diagnostic {
    /// A `message` about a `place`, with what is `allowed` there and a `hint` what to do.
    pub fn new(
        message: impl Into<String>,
        place: Place,
        allowed: impl Into<Box<str>>,
        hint: impl Into<Box<str>>,
    ) -> Self {
        let (allowed, hint) = (allowed.into(), hint.into());
        Self { message: message.into(), place: Box::new(place), seen: None, allowed, hint }
    }

    /// A `message` about a name, `seen`, that is none of the `names` allowed; the hint is the nearest, if one is near.
    pub fn unknown(message: impl Into<String>, place: Place, seen: &str, names: &[&str]) -> Self {
        let (allowed, hint) = name_advice(seen, names);
        Self::new(message, place, allowed, hint)
    }

    /// Adds the value seen.
    pub fn seen(mut self, seen: impl Into<String>) -> Self {
        self.seen = Some(seen.into().into());
        self
    }
}

/// What is allowed where one of `names` may stand, and a hint for who wrote `seen`.
pub(crate) fn name_advice(seen: &str, names: &[&str]) -> (String, String) {
    if names.is_empty() {
        return ("none".to_owned(), "leave it out".to_owned());
    }
    let shown: Vec<String> = names.iter().take(ALLOWED_MAX).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > ALLOWED_MAX { ", …" } else { "" };
    let hint = match nearest_name(seen, names) {
        Some(name) => format!("did you mean `{name}`?"),
        None => "write one of the names allowed".to_owned(),
    };
    (shown.join(", ") + more, hint)
}

/// The name that a person most likely meant by `seen`: at most a third of it mistyped, letter case aside.
pub fn nearest_name<'name>(seen: &str, names: &[&'name str]) -> Option<&'name str> {
    let distance = |name: &str| strsim::damerau_levenshtein(&seen.to_lowercase(), &name.to_lowercase());
    let limit = (seen.chars().count() / 3).max(1);
    let nearest = names.iter().map(|name| (distance(name), *name)).min_by_key(|(distance, _)| *distance)?;
    (nearest.0 <= limit).then_some(nearest.1)
}

impl std::error::Error for Diagnostic {}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", printable(&self.message))?;
        let indent = self.place.fmt_with_line(f)?;
        let seen = self.seen.iter().map(|seen| ("seen", seen));
        for (name, note) in seen.chain([("allowed", &self.allowed), ("hint", &self.hint)]) {
            writeln!(f, "{:indent$} = {name}: {}", "", printable(note))?;
        }
        Ok(())
    }
}

impl Place {
    /// Writes the arrow, the line and the underline; returns the width of the line number.
    fn fmt_with_line(&self, f: &mut fmt::Formatter<'_>) -> Result<usize, fmt::Error> {
        let (number, arrow) = match &self.source {
            Source::File(name) => {
                let name = printable(name);
                (self.line.to_string(), format!("{name}:{}:{}", self.line, self.column))
            }
            Source::Set { flag, text } => (String::new(), format!("{flag} {}", printable(text))),
        };
        let indent = number.len().max(2);
        let (line, underline) = self.clipped();
        writeln!(f, "{:indent$}--> {arrow}", "")?;
        writeln!(f, "{:indent$} |", "")?;
        writeln!(f, "{number:>indent$} | {line}")?;
        writeln!(f, "{:indent$} | {underline}", "")?;
        Ok(indent)
    }

    /// The part of the line around the place, and the underline below it.
    fn clipped(&self) -> (String, String) {
        let length = self.text.chars().count();
        let before = self.column.saturating_sub(1).min(length);
        let start = if length > LINE_MAX { before.saturating_sub(LINE_BEFORE) } else { 0 };
        let end = length.min(start + LINE_MAX);
        let part = |from: usize, to: usize| {
            printable(&self.text.chars().skip(from).take(to.saturating_sub(from)).collect::<String>())
        };
        let place_end = (before + self.width.max(1)).min(end);
        let (head, middle, tail) = (part(start, before), part(before, place_end), part(place_end, end));
        let (opening, closing) = (if start > 0 { "…" } else { "" }, if end < length { "…" } else { "" });
        let blank = " ".repeat(opening.chars().count() + head.chars().count());
        let marks = "^".repeat(middle.chars().count().max(1));
        (format!("{opening}{head}{middle}{tail}{closing}"), format!("{blank}{marks}"))
    }
}

/// A library's sentence as a part of ours.
pub(super) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_lowercase().chain(characters).collect())
}

/// `text` with tabs as blanks and other control characters escaped, so that no file drives a terminal.
fn printable(text: &str) -> String {
    let mut printed = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => printed.push_str("    "),
            // Bidirectional overrides and the like are not control characters, and as bad.
            '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => {
                printed.extend(character.escape_unicode());
            }
            _ if character.is_control() => printed.extend(character.escape_default()),
            _ => printed.push(character),
        }
    }
    printed
}

//! Splits RON into tokens, forgivingly: whatever the text is, the tokens cover it in order and the end is reached.
//! Strings, characters and comments are recognised so that brackets within them do not count.

use std::ops::Range;

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// `(`, `[` or `{`.
    Open(char),
    /// `)`, `]` or `}`.
    Close(char),
    Comma,
    Colon,
    /// A name, a number, or anything else without blanks: `heartbeat`, `r#type`, `-1.5`, `150ms`, `0..100`.
    Word,
    /// A string of any kind or a character, with its quotes.
    Quoted,
    /// A string without its closing quote: the rest of the text.
    Unclosed,
}

/// A stretch of text, as byte offsets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

/// The tokens of a text, comments and blanks left out.
#[derive(Clone)]
pub(super) struct Lexer<'text> {
    text: &'text str,
    /// On a character boundary, at most the length of the text.
    offset: usize,
}

impl<'text> Lexer<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        Self { text, offset: 0 }
    }

    fn rest(&self) -> &'text str {
        &self.text[self.offset..]
    }

    /// Skips blanks, comments and `#![…]` attributes.
    fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            let skipped = match rest {
                _ if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                _ if rest.starts_with("/*") => block_comment_len(rest),
                _ if rest.starts_with("#![") => rest.find(']').map_or(rest.len(), |end| end + 1),
                _ => rest.len() - rest.trim_start().len(),
            };
            if skipped == 0 {
                return;
            }
            self.offset += skipped;
        }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_blanks();
        let rest = self.rest();
        let first = rest.chars().next()?;
        let (kind, len) = match first {
            '(' | '[' | '{' => (TokenKind::Open(first), 1),
            ')' | ']' | '}' => (TokenKind::Close(first), 1),
            ',' => (TokenKind::Comma, 1),
            ':' => (TokenKind::Colon, 1),
            _ => match quote_at_start(rest) {
                Quote::None => (TokenKind::Word, word_len(rest)),
                Quote::Closed(len) => (TokenKind::Quoted, len),
                Quote::Unclosed => (TokenKind::Unclosed, rest.len()),
            },
        };
        let start = self.offset;
        self.offset += len;
        Some(Token { kind, span: start..self.offset })
    }
}

/// The length of the block comment, possibly nested, that `text` starts with.
fn block_comment_len(text: &str) -> usize {
    let (mut level, mut offset) = (0_usize, 0);
    while let Some(found) = text[offset..].find(['/', '*']) {
        offset += found;
        let rest = &text[offset..];
        if rest.starts_with("/*") {
            level += 1;
        } else if rest.starts_with("*/") {
            level -= 1;
        } else {
            offset += 1;
            continue;
        }
        offset += 2;
        if level == 0 {
            return offset;
        }
    }
    text.len()
}

/// What a text starts with.
enum Quote {
    None,
    /// A string or character of this length.
    Closed(usize),
    Unclosed,
}

impl Quote {
    fn of(closed: Option<usize>) -> Self {
        closed.map_or(Self::Unclosed, Self::Closed)
    }
}

fn quote_at_start(text: &str) -> Quote {
    for prefix in ["br", "r"] {
        let rest = text.strip_prefix(prefix).unwrap_or_default();
        if rest.trim_start_matches('#').starts_with('"') {
            return Quote::of(raw_string_len(text, prefix.len()));
        }
    }
    for prefix in ["b", ""] {
        let rest = text.strip_prefix(prefix).unwrap_or_default();
        if rest.starts_with('"') {
            return Quote::of(escaped_len(rest).map(|len| prefix.len() + len));
        }
    }
    character_len(text).map_or(Quote::None, Quote::Closed)
}

/// A raw string ends with a quote and as many `#` as it began with.
fn raw_string_len(text: &str, prefix: usize) -> Option<usize> {
    let hashes = text[prefix..].bytes().take_while(|byte| *byte == b'#').count();
    let open = prefix + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    text[open..].find(&end).map(|close| open + close + end.len())
}

/// The length of a string with escapes, from its quote.
fn escaped_len(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (offset, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(offset + 1),
            _ => {}
        }
    }
    None
}

/// The length of `'x'`, `'\n'`, `'\u{1F980}'` or `b'x'`. A quote that no other follows soon is no character.
fn character_len(text: &str) -> Option<usize> {
    const LONGEST: usize = "'\\u{10FFFF}'".len();
    let prefix = usize::from(text.starts_with("b'"));
    let inner = text[prefix..].strip_prefix('\'')?;
    let mut characters = inner.char_indices().take(LONGEST);
    let (_, first) = characters.next()?;
    if first == '\\' {
        characters.next()?;
    }
    let (close, _) = characters.find(|(_, character)| matches!(character, '\'' | '\n'))?;
    let is_one = first == '\\' || close == first.len_utf8();
    (is_one && inner[close..].starts_with('\'')).then_some(prefix + 1 + close + 1)
}

/// The length of a word: up to a blank, a bracket, a separator, a string or a comment; at least one character.
fn word_len(text: &str) -> usize {
    let ends = |(offset, character): &(usize, char)| {
        let is_delimiter = matches!(character, '(' | ')' | '[' | ']' | '{' | '}' | ',' | ':' | '"');
        let rest = &text[*offset..];
        is_delimiter || character.is_whitespace() || rest.starts_with("//") || rest.starts_with("/*")
    };
    text.char_indices().skip(1).find(ends).map_or(text.len(), |(offset, _)| offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        Lexer::new(text).map(|token| &text[token.span]).collect()
    }

    #[test]
    fn brackets_in_strings_and_comments_do_not_count() {
        let text = r##"#![enable(implicit_some)] a: "(\"[", /* ( /* [ */ */ r#")"#: b"}" // )
            r#type '(' b'[' '\u{7D}' 'x"##;
        let expected = [
            "a",
            ":",
            r#""(\"[""#,
            ",",
            "r#\")\"#",
            ":",
            "b\"}\"",
            "r#type",
            "'('",
            "b'['",
            r"'\u{7D}'",
            "'x",
        ];
        assert_eq!(texts(text), expected);
    }

    #[test]
    fn numbers_ranges_and_bare_quantities_are_one_word() {
        assert_eq!(
            texts("[-1.5e3,0..100 150ms,10/s]"),
            ["[", "-1.5e3", ",", "0..100", "150ms", ",", "10/s", "]"]
        );
    }

    proptest::proptest! {
        #[test]
        fn tokens_advance_through_any_text(text in "\\PC{0,60}|[-a-z0-9(){}\\[\\],:\"'#/*\\\\ \nrb!]{0,80}") {
            let mut end = 0;
            for token in Lexer::new(&text) {
                proptest::prop_assert!(token.span.start >= end && token.span.end > token.span.start);
                end = token.span.end;
            }
        }
    }
}

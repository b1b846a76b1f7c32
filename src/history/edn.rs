//! EDN, as far as histories use it: <https://github.com/edn-format/edn>. Tags are read over; characters and ratios are
//! not read.

use super::entry::Entry;
use super::item::{Item, Map};
use super::problem::Problem;

/// Deeper nesting is refused, for the sake of the stack.
const DEPTH_MAX: usize = 64;

/// The entries of a text: a vector or list of maps, or maps one after the other.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Problem> {
    let mut reader = Reader::new(text, 1);
    let mut entries = Vec::new();
    while let Some((line, item)) = reader.next()? {
        match item {
            Item::Map(map) => entries.push(Entry::of_map(&map)?),
            Item::List(items) => {
                for item in items {
                    let Item::Map(map) = item else { return Err(no_map(line)) };
                    entries.push(Entry::of_map(&map)?);
                }
            }
            Item::Nil | Item::Bool(_) | Item::Int(_) | Item::Text(_) | Item::Word(_) | Item::Number(_) => {
                return Err(no_map(line));
            }
        }
    }
    Ok(entries)
}

/// The items of one line.
pub(super) fn items(text: &str, line: usize) -> Result<Vec<Item>, Problem> {
    let mut reader = Reader::new(text, line);
    let mut items = Vec::new();
    while let Some((_, item)) = reader.next()? {
        items.push(item);
    }
    Ok(items)
}

fn no_map(line: usize) -> Problem {
    Problem::new(line, "an entry is a map").hint("`{:process 0, :type :invoke, :f :read, :value nil}`")
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    const fn new(text: &'a str, line: usize) -> Self {
        Self { rest: text, line, depth: 0 }
    }

    /// The next item with its line; `None` at the end.
    fn next(&mut self) -> Result<Option<(usize, Item)>, Problem> {
        self.skip_blanks()?;
        let line = self.line;
        match self.peek() {
            None => Ok(None),
            Some(_) => Ok(Some((line, self.item()?))),
        }
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn advance(&mut self, len: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(len);
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    /// Over blanks, commas, comments and what `#_` takes out.
    fn skip_blanks(&mut self) -> Result<(), Problem> {
        loop {
            let blank = self.rest.find(|letter: char| !letter.is_whitespace() && letter != ',');
            self.advance(blank.unwrap_or(self.rest.len()));
            if self.rest.starts_with(';') {
                self.advance(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else if self.rest.starts_with("#_") {
                self.advance(2);
                self.next()?;
            } else {
                return Ok(());
            }
        }
    }

    fn item(&mut self) -> Result<Item, Problem> {
        match self.peek().ok_or_else(|| self.problem("the text ends where a value should stand"))? {
            '[' => self.list(1, ']'),
            '(' => self.list(1, ')'),
            '{' => self.map(),
            '"' => self.text(),
            '#' if self.rest.starts_with("#{") => self.list(2, '}'),
            '#' => self.tagged(),
            ']' | ')' | '}' => Err(self.problem("a bracket closes that was not opened")),
            _ => self.atom(),
        }
    }

    fn list(&mut self, opening: usize, closing: char) -> Result<Item, Problem> {
        let line = self.line;
        self.advance(opening);
        self.deeper()?;
        let mut items = Vec::new();
        while !self.closes(line, closing)? {
            items.push(self.item()?);
        }
        Ok(Item::List(items))
    }

    fn map(&mut self) -> Result<Item, Problem> {
        let line = self.line;
        self.advance(1);
        self.deeper()?;
        let mut pairs = Vec::new();
        while !self.closes(line, '}')? {
            let key = self.item()?;
            if self.closes(line, '}')? {
                return Err(self.problem("a key of this map has no value"));
            }
            pairs.push((key, self.item()?));
        }
        Ok(Item::Map(Map { line, pairs }))
    }

    fn deeper(&mut self) -> Result<(), Problem> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.problem("brackets are nested too deep").hint(format!("up to {DEPTH_MAX}")));
        }
        Ok(())
    }

    /// Whether the bracket that opened in `line` closes here.
    fn closes(&mut self, line: usize, closing: char) -> Result<bool, Problem> {
        self.skip_blanks()?;
        match self.peek() {
            None => Err(self
                .problem(format!("the text ends before the bracket of line {line} closes"))
                .hint("the file may have been cut off")),
            Some(letter) if letter == closing => {
                self.advance(1);
                self.depth -= 1;
                Ok(true)
            }
            Some(_) => Ok(false),
        }
    }

    fn text(&mut self) -> Result<Item, Problem> {
        let line = self.line;
        self.advance(1);
        let mut text = String::new();
        loop {
            let Some(letter) = self.peek() else {
                return Err(Problem::new(line, "this text has no end").hint("the file may have been cut off"));
            };
            self.advance(letter.len_utf8());
            match letter {
                '"' => return Ok(Item::Text(text)),
                '\\' => {
                    let escaped = self.peek().unwrap_or('\\');
                    self.advance(self.peek().map_or(0, char::len_utf8));
                    text.push(match escaped {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        other => other,
                    });
                }
                other => text.push(other),
            }
        }
    }

    /// `#jepsen.history.Op{…}`: the tag says nothing that matters here.
    fn tagged(&mut self) -> Result<Item, Problem> {
        self.advance(1);
        self.atom()?;
        self.skip_blanks()?;
        self.item()
    }

    fn atom(&mut self) -> Result<Item, Problem> {
        let ends = |letter: char| letter.is_whitespace() || ",[](){}\";".contains(letter);
        let len = self.rest.find(ends).unwrap_or(self.rest.len());
        let word = self.advance(len);
        let is_number =
            word.trim_start_matches(['-', '+']).starts_with(|letter: char| letter.is_ascii_digit());
        Ok(match word {
            "" => return Err(self.problem("a value should stand here")),
            "nil" => Item::Nil,
            "true" => Item::Bool(true),
            "false" => Item::Bool(false),
            _ if is_number => match word.trim_end_matches('N').parse() {
                Ok(number) => Item::Int(number),
                Err(_) if word.parse::<f64>().is_ok() => Item::Number(word.to_owned()),
                Err(_) => return Err(self.problem(format!("`{word}` is no number that is understood"))),
            },
            _ if word.starts_with('\\') => return Err(self.problem("characters are not understood")),
            _ => Item::Word(word.strip_prefix(':').unwrap_or(word).to_owned()),
        })
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(self.line, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Item {
        let mut items = items(text, 1).expect("it is EDN");
        assert_eq!(items.len(), 1, "{text}");
        items.remove(0)
    }

    #[test]
    fn data_of_all_kinds_is_read() {
        let word = |name: &str| Item::Word(name.to_owned());
        assert_eq!(
            read("[1 -2 3N nil true :cas x]"),
            Item::List(vec![
                Item::Int(1),
                Item::Int(-2),
                Item::Int(3),
                Item::Nil,
                Item::Bool(true),
                word("cas"),
                word("x"),
            ])
        );
        assert_eq!(read("#{1, 2}"), Item::List(vec![Item::Int(1), Item::Int(2)]));
        assert_eq!(read(r#""a \"b\"\n""#), Item::Text("a \"b\"\n".to_owned()));
        assert_eq!(read("#inst 1.5"), Item::Number("1.5".to_owned()));
        assert_eq!(read("; said\n#_ {:gone 1} 7"), Item::Int(7));
    }

    #[test]
    fn entries_have_their_lines() {
        let vector = "; a history\n[{:process 0, :type :invoke, :f :read, :value nil}\n {:type :ok :process 0 :f :read :value 3, :time 7}]";
        let read = entries(vector).expect("a history");
        assert_eq!(read.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((read[1].time, &read[1].value), (Some(7), &Item::Int(3)));
        let lines = vector.replace(['[', ']'], "");
        assert_eq!(entries(&lines).expect("maps"), read);
    }

    #[test]
    fn what_is_cut_off_or_out_of_place_is_refused_with_its_line() {
        for (text, line, said) in [
            ("[{:process 0,\n :type :invoke", 2, "ends before the bracket of line 1 closes"),
            ("{:process 0, :type :invoke, :f \"re", 1, "this text has no end"),
            ("\n{:process 0, :type :begin, :f :read}", 2, "`begin` is no type"),
            ("{:process 0, :type}", 1, "a key of this map has no value"),
            ("{:type :ok, :f :read}", 1, "has no `process`"),
            ("7", 1, "an entry is a map"),
            ("]", 1, "closes that was not opened"),
        ] {
            let problem = entries(text).expect_err(text);
            assert!(problem.line == line && problem.message.contains(said), "{text}: {problem:?}");
        }
        assert!(entries(&"[".repeat(100_000)).expect_err("deep").message.contains("nested too deep"));
    }
}

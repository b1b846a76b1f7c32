//! The text of a script: comments, commands, outputs; and how two texts of outputs differ.

use std::fmt::Write;

/// A script as it stands in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A comment or a blank line.
    Prose(String),
    Block(Block),
}

/// A command and its output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// Counted from 1.
    pub(super) line: usize,
    /// Without the `> `.
    pub(super) command: String,
    /// One text a line, with its indentation.
    pub(super) output: Vec<String>,
}

impl Script {
    /// Reads a file.
    ///
    /// # Errors
    /// If it does not begin with a comment, or a line stands where none may.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('#') {
            return Err("line 1: a script begins with a comment that says what it shows".to_owned());
        }
        let mut parts: Vec<Part> = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            if let Some(command) = text.strip_prefix("> ") {
                let command = command.trim().to_owned();
                parts.push(Part::Block(Block { line, command, output: Vec::new() }));
            } else if text.is_empty() || text.starts_with('#') {
                parts.push(Part::Prose(text.to_owned()));
            } else if let Some(Part::Block(block)) = parts.last_mut() {
                block.output.push(text.to_owned());
            } else {
                return Err(format!("line {line}: an output stands right below its command"));
            }
        }
        Ok(Self { parts })
    }

    /// The commands, in order.
    pub(super) fn blocks(&mut self) -> impl Iterator<Item = &mut Block> {
        self.parts.iter_mut().filter_map(|part| match part {
            Part::Prose(_) => None,
            Part::Block(block) => Some(block),
        })
    }

    /// The file.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Prose(line) => _ = writeln!(text, "{line}"),
                Part::Block(block) => block.write(&mut text),
            }
        }
        text
    }
}

impl Block {
    fn write(&self, text: &mut String) {
        _ = writeln!(text, "> {}", self.command);
        for line in &self.output {
            _ = writeln!(text, "{line}");
        }
    }

    /// How the output differs from what was expected; `None` if it does not. Equal lines before and after the
    /// difference are left out.
    pub(super) fn difference(&self, got: &[String]) -> Option<String> {
        if self.output == got {
            return None;
        }
        let equal = |one: &mut dyn Iterator<Item = &String>, other: &mut dyn Iterator<Item = &String>| {
            one.zip(other).take_while(|(one, other)| one == other).count()
        };
        let before = equal(&mut self.output.iter(), &mut got.iter());
        let (expected, got) = (&self.output[before..], &got[before..]);
        let after = equal(&mut expected.iter().rev(), &mut got.iter().rev());
        let mut text = format!("line {}: > {}\n", self.line, self.command);
        for line in &expected[..expected.len() - after] {
            _ = writeln!(text, "  -{line}");
        }
        for line in &got[..got.len() - after] {
            _ = writeln!(text, "  +{line}");
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A claim.\n> cluster nodes=3\n\n> state\n  n1 up\n  n2 up\n# More.\n> heal\n";

    #[test]
    fn a_script_is_written_as_it_was_read() {
        let mut script = Script::parse(TEXT).expect("a valid script");
        assert_eq!(script.text(), TEXT);
        let blocks: Vec<_> = script.blocks().map(|block| (block.line, block.output.len())).collect();
        assert_eq!(blocks, [(2, 0), (4, 2), (8, 0)]);
    }

    #[test]
    fn a_script_without_a_claim_or_with_a_stray_line_is_refused() {
        assert!(Script::parse("> cluster nodes=3\n").is_err());
        let error = Script::parse("# A claim.\n> heal\n\n  stray\n").expect_err("no command is above it");
        assert!(error.starts_with("line 4"), "{error}");
    }

    #[test]
    fn a_difference_shows_what_differs_and_no_more() {
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let block = Block { line: 7, command: "state".to_owned(), output: lines("a\nb\nc\nd") };
        assert_eq!(block.difference(&lines("a\nb\nc\nd")), None);
        let difference = block.difference(&lines("a\nx\ny\nd"));
        assert_eq!(difference.as_deref(), Some("line 7: > state\n  -b\n  -c\n  +x\n  +y\n"));
        assert_eq!(block.difference(&lines("a\nb\nc")).as_deref(), Some("line 7: > state\n  -d\n"));
    }
}

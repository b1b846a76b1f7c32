//! JSON lines: an object a line, with the keys that Jepsen's maps have.

use serde_json::Value;

use super::entry::Entry;
use super::item::{Item, Map};
use super::problem::Problem;

/// An entry, as a hint.
const EXAMPLE: &str = "an entry is like `{\"process\":0,\"type\":\"invoke\",\"f\":\"read\",\"value\":null}`";

/// The entries of a text. Empty lines are passed over.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Problem> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(line, text)| entry(line, text)).collect()
}

fn entry(line: usize, text: &str) -> Result<Entry, Problem> {
    if text.trim_start().starts_with('[') {
        return Err(Problem::new(line, "this is an array, and an entry is an object")
            .hint("one object a line, without an array around them"));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        // The parser counts lines within this one, and says so at the end.
        let text = error.to_string().replace(" at line 1 column ", " at column ");
        let problem = Problem::new(line, format!("this is not JSON: {text}"));
        problem.hint(if error.is_eof() { "the file may have been cut off" } else { EXAMPLE })
    })?;
    match item(line, value) {
        Item::Map(map) => Entry::of_map(&map),
        _ => Err(Problem::new(line, "an entry is an object").hint(EXAMPLE)),
    }
}

fn item(line: usize, value: Value) -> Item {
    match value {
        Value::Null => Item::Nil,
        Value::Bool(value) => Item::Bool(value),
        Value::Number(number) => match number.to_string().parse() {
            Ok(whole) => Item::Int(whole),
            Err(_) => Item::Number(number.to_string()),
        },
        Value::String(text) => Item::Text(text),
        Value::Array(values) => Item::List(values.into_iter().map(|value| item(line, value)).collect()),
        Value::Object(object) => {
            let pairs = object.into_iter().map(|(key, value)| (Item::Text(key), item(line, value)));
            Item::Map(Map { line, pairs: pairs.collect() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_entries() {
        let text =
            "{\"process\":3,\"type\":\"ok\",\"f\":\"read\",\"key\":1,\"value\":[1,null],\"time\":9}\n\n";
        let read = entries(text).expect("a history");
        assert_eq!((read.len(), read[0].line, read[0].time), (1, 1, Some(9)));
        assert_eq!(read[0].value, Item::List(vec![Item::Int(1), Item::Nil]));
        assert_eq!(read[0].key, Some(Item::Int(1)));
    }

    #[test]
    fn what_is_cut_off_is_refused_with_its_line() {
        let problem = entries("\n{\"process\":0,\"type\":\"inv").expect_err("cut off");
        assert_eq!((problem.line, problem.hint.is_some()), (2, true), "{problem:?}");
        assert!(entries("7").expect_err("a number").message.contains("an object"));
        assert!(entries("[{\"process\":0},").expect_err("an array").message.contains("an array"));
    }
}

//! Entries as EDN or JSON lines.

use std::fmt::{self, Write as _};

use clap::ValueEnum;

use super::entry::Entry;
use super::item::Item;

/// In which form to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A map a line.
    Edn,
    /// An object a line.
    Jsonl,
}

/// One line an entry.
pub(crate) fn write(entries: &[Entry], form: Form) -> String {
    let mut text = String::new();
    for entry in entries {
        writeln!(text, "{}", Line { entry, form }).expect("a string takes every text");
    }
    text
}

struct Line<'a> {
    entry: &'a Entry,
    form: Form,
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { process, kind, function, key, value, time, error, .. } = self.entry;
        let word = |name: &str| Item::Word(name.to_owned());
        let mut pairs =
            vec![("process", process.clone()), ("type", word(kind.name())), ("f", word(function))];
        pairs.extend(key.clone().map(|key| ("key", key)));
        pairs.push(("value", value.clone()));
        pairs.extend(time.map(|time| ("time", Item::Int(i128::from(time)))));
        pairs.extend(error.clone().map(|error| ("error", error)));
        let pairs: Vec<(Item, Item)> = pairs.into_iter().map(|(key, value)| (word(key), value)).collect();
        self.write_map(f, &pairs)
    }
}

impl Line<'_> {
    fn write_map(&self, f: &mut fmt::Formatter<'_>, pairs: &[(Item, Item)]) -> fmt::Result {
        f.write_char('{')?;
        for (place, (key, value)) in pairs.iter().enumerate() {
            if place > 0 {
                f.write_str(if self.form == Form::Edn { ", " } else { "," })?;
            }
            self.write_key(f, key)?;
            f.write_str(if self.form == Form::Edn { " " } else { ":" })?;
            self.write_item(f, value)?;
        }
        f.write_char('}')
    }

    /// Keys of JSON are texts.
    fn write_key(&self, f: &mut fmt::Formatter<'_>, key: &Item) -> fmt::Result {
        match (self.form, key) {
            (Form::Edn, _) | (Form::Jsonl, Item::Word(_) | Item::Text(_)) => self.write_item(f, key),
            (Form::Jsonl, other) => {
                let mut text = String::new();
                write!(text, "{}", Shown { line: self, item: other })?;
                write!(f, "{}", serde_json::Value::String(text))
            }
        }
    }

    fn write_item(&self, f: &mut fmt::Formatter<'_>, item: &Item) -> fmt::Result {
        match (item, self.form) {
            (Item::Nil, Form::Edn) => f.write_str("nil"),
            (Item::Nil, Form::Jsonl) => f.write_str("null"),
            (Item::Bool(value), _) => write!(f, "{value}"),
            (Item::Int(number), _) => write!(f, "{number}"),
            (Item::Number(number), _) => f.write_str(number),
            (Item::Word(name), Form::Edn) => write!(f, ":{name}"),
            (Item::Word(text) | Item::Text(text), _) => {
                write!(f, "{}", serde_json::Value::from(text.as_str()))
            }
            (Item::List(items), _) => {
                f.write_char('[')?;
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        f.write_str(if self.form == Form::Edn { " " } else { "," })?;
                    }
                    self.write_item(f, item)?;
                }
                f.write_char(']')
            }
            (Item::Map(map), _) => self.write_map(f, &map.pairs),
        }
    }
}

struct Shown<'a> {
    line: &'a Line<'a>,
    item: &'a Item,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line.write_item(f, self.item)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Input, entries};
    use super::*;

    const EDN: &str = "{:process 0, :type :invoke, :f :txn, :value [[:append 1 2] [:r \"x\" nil]], :time 5}\n\
                       {:process :nemesis, :type :info, :f :kill, :value {:a -1}, :error :timeout}\n";

    #[test]
    fn what_is_written_is_read_again() {
        let first = entries(EDN, Input::Auto).expect("EDN");
        assert_eq!(write(&first, Form::Edn), EDN);
        let json = write(&first, Form::Jsonl);
        assert!(json.starts_with("{\"process\":0,\"type\":\"invoke\",\"f\":\"txn\",\"value\":[[\"append\",1,2],[\"r\",\"x\",null]]"), "{json}");
        let second = entries(&json, Input::Auto).expect("JSON lines");
        assert_eq!(write(&second, Form::Jsonl), json);
    }
}

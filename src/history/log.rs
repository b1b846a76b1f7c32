//! Lines of Jepsen's console log: `INFO  jepsen.util - 3  :invoke  :cas  [1 2]`. Lines without `jepsen.util` are other
//! talk and passed over.

use super::edn;
use super::entry::{Entry, EntryType};
use super::item::Item;
use super::problem::Problem;

/// The entries of a text.
pub(super) fn entries(text: &str) -> Result<Vec<Entry>, Problem> {
    let lines = (1..).zip(text.lines()).filter(|(_, line)| line.contains("jepsen.util"));
    let entries: Vec<Entry> = lines.map(|(line, text)| entry(line, text)).collect::<Result<_, _>>()?;
    if entries.is_empty() && !text.trim().is_empty() {
        return Err(Problem::new(1, "there is no history in this file")
            .hint("a history is EDN (`{` or `[` first), JSON lines, or a log with lines of `jepsen.util`"));
    }
    Ok(entries)
}

fn entry(line: usize, text: &str) -> Result<Entry, Problem> {
    let after = text.split_once("jepsen.util").map_or("", |(_, after)| after);
    let after = after.trim_start().trim_start_matches('-').trim_start();
    let malformed = || {
        Problem::new(line, "this line is not `PROCESS :TYPE :F VALUE`")
            .hint("for example `jepsen.util - 0 :invoke :read nil`; the file may have been cut off")
    };
    let items = edn::items(after, line)?;
    let [process, Item::Word(type_name), Item::Word(function), values @ ..] = &items[..] else {
        return Err(malformed());
    };
    let kind = EntryType::named(type_name).ok_or_else(malformed)?;
    let (value, error) = match values {
        [] => return Err(malformed()),
        // What stands in the place of a value is a reason.
        [Item::Word(reason), ..] => (Item::Nil, Some(Item::Word(reason.clone()))),
        [value, ..] => (value.clone(), None),
    };
    Ok(Entry {
        line,
        process: process.clone(),
        kind,
        function: function.clone(),
        key: None,
        value,
        time: None,
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_log_are_entries() {
        let text = "INFO  jepsen.core - starting\nINFO  jepsen.util - 3\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 3\t:info\t:cas\t:timed-out\n";
        let read = entries(text).expect("a history");
        assert_eq!(read.iter().map(|entry| entry.line).collect::<Vec<_>>(), [2, 3]);
        assert_eq!(read[0].value, Item::List(vec![Item::Int(1), Item::Int(2)]));
        assert_eq!((read[1].kind, &read[1].value), (EntryType::Info, &Item::Nil));
    }

    #[test]
    fn a_line_that_is_cut_off_is_refused() {
        for text in ["INFO  jepsen.util - 3\t:inv", "INFO  jepsen.util - 3\t:invoke\t:read"] {
            assert_eq!(entries(text).expect_err(text).line, 1);
        }
        assert!(entries("hello").expect_err("no history").message.contains("no history"));
    }
}

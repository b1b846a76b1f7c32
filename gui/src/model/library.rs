//! The scenarios of the library, with what each is in a line.

use std::cell::OnceCell;

use scenarios::format::Expectation;
use scenarios::{ProtocolTable, library};

/// A scenario of the library.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// In a line; may be empty.
    pub(crate) summary: String,
    /// What runs on its nodes.
    pub(crate) protocol: String,
    /// The property that it should violate, if it should.
    pub(crate) expects: Option<String>,
}

impl Entry {
    fn new(entry: &library::Entry, table: &ProtocolTable) -> Self {
        let loaded = scenarios::load(entry.path, entry.text.as_bytes(), &[], table);
        let scenario = loaded.expect("every scenario of the library is loaded by a test").scenario;
        let expects = match scenario.expect {
            Expectation::Violation(property) => Some(property),
            Expectation::Pass => None,
        };
        let protocol = scenario.protocol.name().to_owned();
        Self { name: entry.name, summary: scenario.summary, protocol, expects }
    }

    /// Whether a person who looks for this means it.
    pub(crate) fn matches(&self, wanted: &str) -> bool {
        let expects = self.expects.as_deref().unwrap_or_default();
        let text = format!("{} {} {} {expects}", self.name, self.protocol, self.summary).to_lowercase();
        wanted.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}

/// All of them, read when they are first asked for.
#[derive(Default)]
pub(crate) struct Library(OnceCell<Vec<Entry>>);

impl Library {
    /// In the order of their names; `table` has the protocols that they use.
    pub(crate) fn entries(&self, table: &ProtocolTable) -> &[Entry] {
        self.0.get_or_init(|| library::all().iter().map(|entry| Entry::new(entry, table)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_library_says_what_it_is() {
        let (library, table) = (Library::default(), ProtocolTable::builtin());
        assert_eq!(library.entries(&table).len(), library::all().len());
        assert!(library.entries(&table).iter().all(|entry| !entry.summary.is_empty()));
    }
}

//! The scenarios of the library, with what each is in a line.

use std::cell::OnceCell;

use scenarios::{ProtocolTable, library};

/// A scenario of the library.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// In a line; may be empty.
    pub(crate) summary: String,
}

/// All of them, read when they are first asked for.
#[derive(Default)]
pub(crate) struct Library(OnceCell<Vec<Entry>>);

impl Library {
    /// In the order of their names; `table` has the protocols that they use.
    pub(crate) fn entries(&self, table: &ProtocolTable) -> &[Entry] {
        self.0.get_or_init(|| {
            let entry = |entry: &library::Entry| {
                let loaded = scenarios::load(entry.path, entry.text.as_bytes(), &[], table);
                let summary = loaded.map(|loaded| loaded.scenario.summary.clone()).unwrap_or_default();
                Entry { name: entry.name, summary }
            };
            library::all().iter().map(entry).collect()
        })
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

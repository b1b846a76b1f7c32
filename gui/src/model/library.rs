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
    /// In the order of their names.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.0.get_or_init(|| {
            let table = ProtocolTable::builtin();
            let entry = |entry: &library::Entry| {
                let loaded = scenarios::load(entry.path, entry.text.as_bytes(), &[], &table);
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
        let library = Library::default();
        assert_eq!(library.entries().len(), library::all().len());
        assert!(library.entries().iter().all(|entry| !entry.summary.is_empty()));
    }
}

//! The scenario library, embedded at build time so that a browser has it too.

include!(concat!(env!("OUT_DIR"), "/library.rs"));

/// A scenario of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it stands below the library's folder: `raft/leader-crash.ron`.
    pub path: &'static str,
    /// The path without its ending: `raft/leader-crash`.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

/// All scenarios, by path.
pub const fn all() -> &'static [Entry] {
    ENTRIES
}

/// The scenario of this name: `raft/leader-crash`, or `leader-crash` where no other folder has one.
pub fn find(name: &str) -> Option<&'static Entry> {
    let name = name.strip_suffix(".ron").unwrap_or(name);
    if let Some(entry) = all().iter().find(|entry| entry.name == name) {
        return Some(entry);
    }
    let mut matching = all().iter().filter(|entry| entry.name.rsplit('/').next() == Some(name));
    matching.next().filter(|_| matching.next().is_none())
}

//! The table of protocols.

use std::fmt;

use super::{ProtocolKind, builtin};

/// The protocols that scenarios may run. A value that is handed in, not a static, so that a caller can add its own.
pub struct ProtocolTable {
    /// By name: what a kind says of itself is long.
    kinds: Vec<(String, Box<dyn ProtocolKind>)>,
}

impl ProtocolTable {
    /// The built-in protocols.
    pub fn builtin() -> Self {
        let mut table = Self { kinds: Vec::new() };
        for kind in builtin() {
            table.add(kind);
        }
        table
    }

    /// Adds a protocol, which scenarios name `Added("name")`. One of the same name is replaced.
    pub fn add(&mut self, kind: Box<dyn ProtocolKind>) {
        let name = kind.about().name;
        self.kinds.retain(|(known, _)| *known != name);
        self.kinds.push((name, kind));
    }

    /// The protocol with this name.
    pub fn find(&self, name: &str) -> Option<&dyn ProtocolKind> {
        self.kinds.iter().find(|(known, _)| known == name).map(|(_, kind)| kind.as_ref())
    }

    /// All of them, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &dyn ProtocolKind> {
        self.kinds.iter().map(|(_, kind)| kind.as_ref())
    }

    /// The names of all.
    pub fn names(&self) -> Vec<String> {
        self.kinds.iter().map(|(name, _)| name.clone()).collect()
    }
}

impl fmt::Debug for ProtocolTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

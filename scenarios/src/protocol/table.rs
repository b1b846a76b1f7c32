//! The table of protocols.

use std::fmt;

use super::{ProtocolKind, builtin};

/// The protocols that scenarios may run. A value that is handed in, not a static, so that a caller can add its own.
pub struct ProtocolTable {
    kinds: Vec<Box<dyn ProtocolKind>>,
}

impl ProtocolTable {
    /// The built-in protocols.
    pub fn builtin() -> Self {
        Self { kinds: builtin() }
    }

    /// Adds a protocol, which scenarios name `Added("name")`. One of the same name is replaced.
    pub fn add(&mut self, kind: Box<dyn ProtocolKind>) {
        let name = kind.about().name;
        self.kinds.retain(|known| known.about().name != name);
        self.kinds.push(kind);
    }

    /// The protocol with this name.
    pub fn find(&self, name: &str) -> Option<&dyn ProtocolKind> {
        self.iter().find(|kind| kind.about().name == name)
    }

    /// All of them, the built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = &dyn ProtocolKind> {
        self.kinds.iter().map(AsRef::as_ref)
    }

    /// The names of all.
    pub fn names(&self) -> Vec<String> {
        self.iter().map(|kind| kind.about().name).collect()
    }
}

impl fmt::Debug for ProtocolTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

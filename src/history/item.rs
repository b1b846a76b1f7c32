//! What stands in a history file, whether it is EDN or JSON.

/// A piece of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Nil,
    Bool(bool),
    Int(i128),
    /// A text in quotes.
    Text(String),
    /// A keyword without its colon, or a symbol.
    Word(String),
    /// A vector, list or set.
    List(Vec<Item>),
    Map(Map),
    /// A number that is no integer, as it stands.
    Number(String),
}

/// Keys and values in their order, and the line where it begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map {
    pub(crate) line: usize,
    pub(crate) pairs: Vec<(Item, Item)>,
}

impl Map {
    /// The value of a key, which may be a keyword or a text.
    pub(crate) fn get(&self, name: &str) -> Option<&Item> {
        self.pairs.iter().find(|(key, _)| key.name() == Some(name)).map(|(_, value)| value)
    }
}

impl Item {
    /// A keyword, symbol or text.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Word(name) | Self::Text(name) => Some(name),
            Self::Nil | Self::Bool(_) | Self::Int(_) | Self::List(_) | Self::Map(_) | Self::Number(_) => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// Two items in a list.
    pub(crate) fn pair(&self) -> Option<(&Self, &Self)> {
        if let Some([first, second]) = self.list() { Some((first, second)) } else { None }
    }
}

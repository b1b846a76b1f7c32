//! Parts of protocols that can be left out.

use serde::Serialize;

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Switch {
    /// It is.
    On,
    /// It is not.
    Off,
}

impl Switch {
    /// Whether it is on.
    pub const fn is_on(self) -> bool {
        matches!(self, Self::On)
    }
}

impl From<bool> for Switch {
    fn from(is_on: bool) -> Self {
        if is_on { Self::On } else { Self::Off }
    }
}

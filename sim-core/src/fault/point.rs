//! The names of fault points, places inside handlers that a plan can act at, and of timers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a fault point ([`Process::FAULT_POINTS`](crate::Process::FAULT_POINTS)): lower-case words with `-` in
/// between, at most [`PointName::LENGTH_MAX`] letters. Copied like a number, so that triggers stay small.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PointName {
    /// Zeros behind the end.
    letters: [u8; Self::LENGTH_MAX],
}

/// The name of a plain timer ([`Timer::NAMES`](crate::process::Timer::NAMES)), written like that of a fault point.
pub type TimerName = PointName;

/// Why a text is no [`PointName`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` names no fault point and no timer; allowed are lower-case letters, digits and `-`, up to 32"
)]
pub struct PointNameError {
    /// What was read.
    pub text: String,
}

impl PointName {
    /// The longest name.
    pub const LENGTH_MAX: usize = 32;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        let length = self.letters.iter().position(|letter| *letter == 0).unwrap_or(Self::LENGTH_MAX);
        std::str::from_utf8(&self.letters[..length]).expect("the letters are ASCII")
    }
}

impl FromStr for PointName {
    type Err = PointNameError;

    fn from_str(text: &str) -> Result<Self, PointNameError> {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > Self::LENGTH_MAX || !text.bytes().all(is_letter) {
            return Err(PointNameError { text: text.to_owned() });
        }
        let mut letters = [0; Self::LENGTH_MAX];
        letters[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { letters })
    }
}

impl TryFrom<String> for PointName {
    type Error = PointNameError;

    fn try_from(text: String) -> Result<Self, PointNameError> {
        text.parse()
    }
}

impl From<PointName> for String {
    fn from(name: PointName) -> Self {
        name.as_str().to_owned()
    }
}

impl fmt::Display for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_prints_as_it_is_read() {
        for text in ["a", "vote-written", "x2", "a-name-that-has-just-32-letters-"] {
            assert_eq!(text.parse::<PointName>().expect("a name").to_string(), text);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["", "Vote", "vote written", "vöte", "a-name-that-has-just-33-letters--", "a\0b"] {
            let error = text.parse::<PointName>().expect_err(text);
            assert!(error.to_string().contains("names no fault point"), "{error}");
        }
    }
}

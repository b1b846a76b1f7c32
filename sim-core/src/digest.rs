//! The rolling fingerprint of a run, always on.
//!
//! It folds the time, kind and ids of each event, the kind and ids of each effect, and the content of each
//! message once, when it is sent. Notes, checkers, the recorder and the type of the event queue don't touch it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fingerprint::fold;
use crate::{Endpoint, SimTime};

/// What is folded. The numbers are part of the digest: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mark {
    Delivery = 1,
    Timer = 2,
    Durable = 3,
    Request = 4,
    Reply = 5,
    Handler = 6,
    Client = 7,
    Start = 8,
    Crash = 9,
    Command = 10,
    Drop = 11,
    Send = 16,
    SetTimer = 17,
    CancelTimer = 18,
    Write = 19,
    Sync = 20,
    Effect = 22,
    Ask = 23,
}

/// The digest of a run so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(u64);

impl Digest {
    /// The digest as a number.
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The digest that [`Digest::as_u64`] gave.
    pub const fn from_u64(digest: u64) -> Self {
        Self(digest)
    }

    /// Folds an event at its instant. Runs end long before 2^56 ns (two years), so kind and time share a word.
    #[inline(always)]
    pub(crate) fn event(&mut self, mark: Mark, at: SimTime, subject: Endpoint, peer: u32) {
        self.0 = fold(self.0, at.as_nanos() ^ ((mark as u64) << 56), ids(subject, peer));
    }

    /// Folds an effect of the event under way.
    #[inline(always)]
    pub(crate) fn effect(&mut self, mark: Mark, subject: Endpoint, peer: u32, content: u64) {
        self.0 = fold(self.0, content ^ ((mark as u64) << 56), ids(subject, peer));
    }
}

#[inline(always)]
fn ids(subject: Endpoint, peer: u32) -> u64 {
    u64::from(subject.raw()) << 32 | u64::from(peer)
}

/// Sixteen hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::str::FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        if text.len() != 16 {
            return Err(DigestError(text.to_owned()));
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| DigestError(text.to_owned()))
    }
}

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no digest: it has sixteen hexadecimal digits")]
pub struct DigestError(String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeId;

    #[test]
    fn order_kind_time_and_ids_all_matter() {
        let n1 = Endpoint::from(NodeId::new(0));
        let fold_all = |marks: &[(Mark, u64, u32)]| {
            let mut digest = Digest::default();
            for (mark, at, peer) in marks {
                digest.event(*mark, SimTime::from_nanos(*at), n1, *peer);
            }
            digest
        };
        let base = fold_all(&[(Mark::Timer, 1, 0), (Mark::Delivery, 2, 1)]);
        for other in [
            fold_all(&[(Mark::Delivery, 2, 1), (Mark::Timer, 1, 0)]),
            fold_all(&[(Mark::Timer, 1, 0), (Mark::Timer, 2, 1)]),
            fold_all(&[(Mark::Timer, 1, 0), (Mark::Delivery, 3, 1)]),
            fold_all(&[(Mark::Timer, 1, 0), (Mark::Delivery, 2, 2)]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_digest_reads_back_from_its_text() {
        let digest = Digest::from_u64(0x00ab_cdef_0123_4567);
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert!("12".parse::<Digest>().is_err());
    }
}

//! The draws of a message: each a function of (seed, purpose, link, ordinal) and of nothing else.

use crate::id::{Endpoint, MessageId};
use crate::random::{Key, KeySource, Purpose, squares64};

/// One key a purpose, so that none shifts another.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) latency: Key,
    pub(super) loss: Key,
    pub(super) burst: Key,
    pub(super) duplicate: Key,
    pub(super) duplicate_latency: Key,
    pub(super) reorder: Key,
    pub(super) corrupt: Key,
}

impl Keys {
    pub(super) fn new(source: &KeySource) -> Self {
        let key = |purpose| source.key(purpose, 0, 0);
        Self {
            latency: key(Purpose::Latency),
            loss: key(Purpose::Loss),
            burst: key(Purpose::Burst),
            duplicate: key(Purpose::Duplicate),
            duplicate_latency: key(Purpose::DuplicateLatency),
            reorder: key(Purpose::Reorder),
            corrupt: key(Purpose::Corrupt),
        }
    }
}

/// The draws of one message on one link: at one counter, whatever the key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws(u64);

impl Draws {
    /// The draws of a message that goes directly.
    #[inline]
    pub(super) const fn of_message(id: MessageId) -> Self {
        Self(mix(id.from, id.to).wrapping_add(id.ordinal as u64))
    }

    /// The draws of the same message on a link from `from` to `to` of its path, unlike those of others that
    /// pass there.
    pub(super) const fn on_leg(self, from: Endpoint, to: Endpoint) -> Self {
        Self(self.0.wrapping_add(mix(from, to)))
    }

    /// The draw for the purpose of `key`.
    #[inline]
    pub(super) const fn of(self, key: Key) -> u64 {
        squares64(self.0, key)
    }
}

/// Spreads links over the counters, so that the ordinals of two links practically never meet (the finalizer
/// of
/// `MurmurHash3`, which maps different links to different numbers).
#[inline]
pub(super) const fn mix(from: Endpoint, to: Endpoint) -> u64 {
    let mut link = (from.raw() as u64) << 32 | to.raw() as u64;
    link = (link ^ link >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    link = (link ^ link >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    link ^ link >> 33
}

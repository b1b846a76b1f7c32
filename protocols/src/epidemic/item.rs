//! What a database holds: timestamped values and death certificates.

use std::fmt;

use serde::Serialize;
use sim_core::fingerprint::fingerprint;
use sim_core::service::{Key, Value};
use sim_core::{LocalTime, NodeId, Span};

/// A time of day in milliseconds, as sites stamp with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment that a wall clock shows.
    pub const fn of(wall: LocalTime) -> Self {
        Self(wall.since(LocalTime::ZERO).as_nanos() / 1_000_000)
    }

    /// The next one that can be told apart.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// So long before, at most at the beginning of time.
    #[must_use]
    pub const fn before(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.as_nanos() / 1_000_000))
    }

    /// How long ago it was at `now`; nothing, if it is still to come there.
    pub const fn age(self, now: Self) -> Span {
        Span::millis(now.0.saturating_sub(self.0))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// When an item was written, and where: no two updates have the same (§1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Timestamp {
    /// When, by the site's clock.
    pub at: Moment,
    /// The site, which decides between equal times.
    pub site: NodeId,
}

impl Timestamp {
    /// The time above, the site below: for sites with numbers below 65,536 the order is the same.
    pub(super) fn as_number(self) -> u64 {
        self.at.0 << 16 | u64::from(self.site.raw())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.at, self.site)
    }
}

/// What decides which of two items of a key is newer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Version {
    /// When it was written.
    pub written: Timestamp,
    /// When it was written; of a death certificate that has been awakened, when that was (§2.2, activation timestamps). It
    /// decides how long a certificate is kept, and never what it cancels.
    pub activated: Moment,
}

/// An item of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The key.
    pub key: Key,
    /// The value; `None` for a death certificate.
    pub value: Option<Value>,
    /// Which of two items is newer.
    pub version: Version,
    /// Of a death certificate: the first of its retention sites, drawn when it is made; the others follow in order of
    /// number.
    pub retention: NodeId,
}

impl Item {
    /// Its size on the wire and on disk, in bytes.
    pub const SIZE: u64 = 40;

    /// Whether it says that something was deleted.
    pub const fn is_certificate(&self) -> bool {
        self.value.is_none()
    }

    /// Whether `site` is one of its `count` retention sites among `node_count`.
    pub const fn is_retained_at(&self, site: NodeId, count: u32, node_count: u32) -> bool {
        let distance = (site.raw() + node_count - self.retention.raw()) % node_count;
        self.is_certificate() && distance < count
    }

    /// What of it goes into checksums.
    pub(super) fn checksum(&self) -> u64 {
        fingerprint(&(self.key, self.value, self.version))
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, version: Version { written, activated }, .. } = self;
        match value {
            Some(value) => write!(f, "{key}={value}@{written}"),
            None if *activated == written.at => write!(f, "{key} deleted@{written}"),
            None => write!(f, "{key} deleted@{written} activated@{activated}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_sites_are_neighbours_in_a_ring() {
        let written = Timestamp { at: Moment(5), site: NodeId::new(0) };
        let version = Version { written, activated: Moment(5) };
        let certificate = Item { key: Key(1), value: None, version, retention: NodeId::new(3) };
        let sites = |item: &Item| -> Vec<u32> {
            (0..5).filter(|&site| item.is_retained_at(NodeId::new(site), 3, 5)).collect()
        };
        assert_eq!(sites(&certificate), [0, 3, 4]);
        assert!(sites(&Item { value: Some(7), ..certificate }).is_empty(), "a value is kept everywhere");
    }

    #[test]
    fn the_site_decides_between_equal_times_and_activation_comes_last() {
        let version = |at, site, activated| Version {
            written: Timestamp { at: Moment(at), site: NodeId::new(site) },
            activated: Moment(activated),
        };
        let rising =
            [version(4, 2, 4), version(5, 0, 9), version(5, 1, 5), version(5, 1, 6), version(6, 0, 6)];
        assert!(rising.is_sorted_by(|earlier, later| earlier < later));
    }
}

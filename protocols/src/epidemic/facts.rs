//! What a site states about itself.

use sim_core::service::Key;

use super::item::{Item, Moment, Timestamp, Version};

/// A statement of one site about what it has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// It has started, and goes on from what is on its disk.
    Started,
    /// It found this item on its disk.
    Recovered(Item),
    /// A client updates an item here: it is stamped, and holds when it is on disk.
    Stamped(Item),
    /// It takes an item, because it is newer than what it has: from another site, or its own when that is on disk.
    Took {
        /// The item.
        item: Item,
        /// What its clock shows.
        now: Moment,
    },
    /// It told a client that an update is done.
    Acknowledged {
        /// Of which key.
        key: Key,
        /// Which update.
        written: Timestamp,
    },
    /// It forgets a death certificate that it need not keep.
    Discarded {
        /// Of which key.
        key: Key,
        /// Which one.
        version: Version,
        /// What its clock shows.
        now: Moment,
    },
    /// It keeps a death certificate to itself from now on.
    LaidDormant {
        /// Of which key.
        key: Key,
        /// Which one.
        version: Version,
        /// What its clock shows.
        now: Moment,
    },
    /// It forgets a dormant death certificate.
    DormantDiscarded {
        /// Of which key.
        key: Key,
        /// Which one.
        version: Version,
        /// What its clock shows.
        now: Moment,
    },
    /// An item that was deleted has come back, and it spreads the certificate again.
    Awakened {
        /// The certificate, activated anew.
        certificate: Item,
    },
}

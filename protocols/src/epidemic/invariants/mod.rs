//! The safety properties of the replicated database, one file each.
//!
//! | property | Demers et al. | file |
//! | --- | --- | --- |
//! | only what was written is there, under timestamps of its own | §1.1 | `only_written` |
//! | the newest item wins, and no crash takes it | §1.1 | `newest_wins` |
//! | what is deleted stays so where a certificate is, and is not brought back from where one was | §2 | `no_resurrection` |
//! | certificates are kept, sleep and wake by the rule | §2.1, §2.2 | `certificates_by_rule` |
//! | what a client was told survives | §0.1 | `acknowledged_survives` |
//!
//! That all sites come to hold the same is asked after the faults: `all-agree`.

mod acknowledged_survives;
mod certificates_by_rule;
mod newest_wins;
mod no_resurrection;
mod only_written;

use std::collections::BTreeMap;

use sim_core::NodeId;
use sim_core::check::Invariant;
use sim_core::service::Key;

pub use acknowledged_survives::AcknowledgedSurvives;
pub use certificates_by_rule::CertificatesByRule;
pub use newest_wins::NewestWins;
pub use no_resurrection::NoResurrection;
pub use only_written::OnlyWritten;

use super::item::Timestamp;
use super::{Config, Epidemic, Item};

/// All of them, fresh, for sites with this configuration.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Epidemic>>> {
    vec![
        Box::<OnlyWritten>::default(),
        Box::<NewestWins>::default(),
        Box::<NoResurrection>::default(),
        Box::new(CertificatesByRule::new(*config)),
        Box::<AcknowledgedSurvives>::default(),
    ]
}

/// The latest that each site has ever held under a key. No crash takes it, and who has buried a certificate has had it.
#[derive(Clone, Debug, Default)]
struct Had(BTreeMap<NodeId, BTreeMap<Key, Timestamp>>);

impl Had {
    fn hold(&mut self, node: NodeId, item: &Item) {
        let latest = self.0.entry(node).or_default().entry(item.key).or_insert(item.version.written);
        *latest = item.version.written.max(*latest);
    }

    fn get(&self, node: NodeId, key: Key) -> Option<Timestamp> {
        self.0.get(&node)?.get(&key).copied()
    }

    fn all(&self, node: NodeId) -> impl Iterator<Item = (Key, Timestamp)> {
        self.0.get(&node).into_iter().flatten().map(|(key, latest)| (*key, *latest))
    }
}

#[cfg(test)]
mod samples {
    //! Items for tests.

    use sim_core::NodeId;
    use sim_core::service::{Key, Value};

    use super::super::item::{Item, Moment, Timestamp, Version};

    /// Of `k1`, written at n1, kept from n1 on.
    pub(super) fn item(value: Option<Value>, at: u64) -> Item {
        let written = Timestamp { at: Moment(at), site: NodeId::new(0) };
        Item {
            key: Key(1),
            value,
            version: Version { written, activated: Moment(at) },
            retention: NodeId::new(0),
        }
    }

    /// The same certificate, activated later.
    pub(super) fn awakened(certificate: Item, at: u64) -> Item {
        Item { version: Version { activated: Moment(at), ..certificate.version }, ..certificate }
    }
}

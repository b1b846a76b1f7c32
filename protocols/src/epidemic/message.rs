//! What sites send each other.

use std::fmt::{self, Display};
use std::slice;
use std::sync::Arc;

use serde::Serialize;
use sim_core::process;
use sim_core::service::Key;

use super::config::Flow;
use super::database::Branch;
use super::item::{Item, Version};

/// A database in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Which way updates go, said by the sender.
    pub flow: Flow,
    /// What was written there lately, if the flow goes that way.
    pub items: Arc<[Item]>,
    /// That of all.
    pub checksum: u64,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { flow, items, checksum } = self;
        write!(f, "{} {} checksum={}", flow.name(), list(&**items), short(*checksum))
    }
}

/// A message between sites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// Direct mail: an update that was made here.
    Mail(Item),
    /// A call.
    Recent(Summary),
    /// The answer where the checksum differs, also with what was sent.
    Differs(Summary),
    /// A call, or the answer to one: checksums of nodes of the tree, all of one level.
    Tree {
        /// Which way updates go, said by the sender.
        flow: Flow,
        /// The nodes.
        nodes: Arc<[(Branch, u64)]>,
    },
    /// A call, or the answer to one: all that the sender has below these nodes of the tree, without values.
    Versions {
        /// Which way updates go, said by the sender.
        flow: Flow,
        /// The nodes.
        below: Arc<[Branch]>,
        /// What it has.
        versions: Arc<[(Key, Version)]>,
    },
    /// What the other side lacks.
    Updates {
        /// Newer items.
        items: Arc<[Item]>,
        /// Keys of which the sender lacks a newer item.
        wanted: Arc<[Key]>,
    },
}

impl Message {
    /// The items that it brings.
    pub(super) fn items(&self) -> &[Item] {
        match self {
            Self::Mail(item) => slice::from_ref(item),
            Self::Recent(Summary { items, .. })
            | Self::Differs(Summary { items, .. })
            | Self::Updates { items, .. } => items,
            Self::Tree { .. } | Self::Versions { .. } => &[],
        }
    }
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &["Mail", "Recent", "Differs", "Tree", "Versions", "Updates"];

    fn kind(&self) -> u8 {
        match self {
            Self::Mail(_) => 0,
            Self::Recent(_) => 1,
            Self::Differs(_) => 2,
            Self::Tree { .. } => 3,
            Self::Versions { .. } => 4,
            Self::Updates { .. } => 5,
        }
    }

    fn size(&self) -> u64 {
        8 + match self {
            Self::Mail(_) => Item::SIZE,
            Self::Recent(summary) | Self::Differs(summary) => 8 + Item::SIZE * summary.items.len() as u64,
            Self::Tree { nodes, .. } => 12 * nodes.len() as u64,
            Self::Versions { below, versions, .. } => 4 * below.len() as u64 + 28 * versions.len() as u64,
            Self::Updates { items, wanted } => Item::SIZE * items.len() as u64 + 4 * wanted.len() as u64,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Mail(item) => format!("Mail {item}"),
            Self::Recent(summary) => format!("Recent {summary}"),
            Self::Differs(summary) => format!("Differs {summary}"),
            Self::Tree { flow, nodes } => {
                let nodes =
                    nodes.iter().map(|(Branch(node), checksum)| format!("{node}:{}", short(*checksum)));
                format!("Tree {} {}", flow.name(), list(nodes))
            }
            Self::Versions { flow, below, versions } => {
                let below = list(below.iter().map(|Branch(node)| node));
                let versions =
                    list(versions.iter().map(|(key, version)| format!("{key}@{}", version.written)));
                format!("Versions {} below {below}: {versions}", flow.name())
            }
            Self::Updates { items, wanted } => {
                format!("Updates {} wanted={}", list(&**items), list(&**wanted))
            }
        }
    }
}

impl Flow {
    /// The word for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Pull => "pull",
            Self::PushPull => "push-pull",
        }
    }
}

/// So much of a checksum as tells two apart at a glance.
fn short(checksum: u64) -> String {
    format!("{:04x}", checksum >> 48)
}

fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    let texts: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(",") }
}

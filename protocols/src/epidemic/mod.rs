//! A database on many sites, kept alike by gossip, after Demers et al.: direct mail, anti-entropy, death certificates.
//!
//! Any site takes any update and answers at once. What the others have is seen to later: an update is *mailed* to all of
//! them, which mostly arrives, and from time to time each site compares its copy with that of another one
//! (*anti-entropy*), which in the end brings everything everywhere. What is deleted leaves a *death certificate*, or else
//! it would come back from a site that has not heard of it.
//!
//! # What it guarantees
//!
//! | property | says | checked in |
//! | --- | --- | --- |
//! | validity | a site holds only what a client has written, and no two updates have the same timestamp | [`invariants::OnlyWritten`] |
//! | monotony | what a site holds under a key only gets newer, also over a crash, and an update overrides all that its site has had | [`invariants::NewestWins`] |
//! | no resurrection | where a death certificate is, active or dormant, nothing that it cancels is taken; where it was, no crash brings that back | [`invariants::NoResurrection`] |
//! | certificates | one is active for τ1, then dormant at its retention sites for τ2, and active again when it is needed | [`invariants::CertificatesByRule`] |
//! | durability | an update that a client was told of survives the crashes of its site | [`invariants::AcknowledgedSurvives`] |
//! | eventual consistency | when updates and faults end, all sites come to hold the same values | `all-agree`, after the faults |
//!
//! So what was deleted comes back from a site that has not had the certificate while it was kept, or in a message that was under
//! way for so long, and not otherwise. A site whose disk takes nothing meanwhile is one that has not had it.
//!
//! **What it does not** is agree on an order. Two clients may read the old and the new value in turn, and of two updates
//! at once the one with the lower timestamp is lost, though its client was told `Done`. A history is not linearizable,
//! and where clients go from site to site not even monotonic.
//!
//! # The way of an update
//!
//! ```text
//!        n1                        n2                        n3
//!  write k1=7 │                      │                         │
//!  stamps it  │                      │                         │
//!  syncs      │── Mail k1=7 ────────>│ syncs, takes it         │
//!  done       │── Mail k1=7 ─────────────── lost ──╳           │
//!             │                      │<── Recent checksum=a1 ──│ its period is over: n3 calls n2
//!             │                      │── Differs k1=7 ────────>│ syncs, takes it: the checksums are equal
//! ```
//!
//! 1. A client's update gets a [`item::Timestamp`]: the site's clock, and its number. It is written to disk and holds when it is
//!    synced ([`durable`]): only then is it mailed ([`Message::Mail`]), compared, and answered.
//! 2. Whoever is sent an item takes it if its [`item::Version`] is higher than that of what it has ([`update`]), and again when it
//!    is synced: the rest of the message is answered after that.
//! 3. Each period a site calls another one, drawn from all, and the two find out in what they differ ([`exchange`]): by a
//!    list of all versions, or by a checksum and the list only if that differs, or by exchanging the latest updates
//!    first, or by a tree of checksums. Updates go to who is called (push), to who calls (pull), or both ways ([`Flow`]).
//! 4. A deletion is an update without a value ([`certificate`]). After τ1 ([`Certificates::active`]) it is forgotten, but for r
//!    retention sites, where it is dormant: it is not compared, and when something comes that it cancels it is activated
//!    anew, and spreads.
//!
//! # The paper's words
//!
//! | Demers et al. | here |
//! | --- | --- |
//! | site, `ValueOf`: K → (V × T) | node, [`Database`] of [`Item`]s |
//! | timestamp, `Now[]` | [`item::Timestamp`], in milliseconds |
//! | direct mail, `PostMail` | [`Mail::Direct`] |
//! | anti-entropy, `ResolveDifference` | [`exchange`] |
//! | push, pull, push-pull | [`Flow`] |
//! | checksum, recent update list, τ | [`Comparison::Checksum`], [`Comparison::Recent`] |
//! | death certificate, τ1, τ2, r | an [`Item`] without a value, [`Certificates`] |
//! | activation timestamp | [`item::Version::activated`] |
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | peel back, by an inverted index of timestamps (§1.3) | where the latest updates are not enough, a list of all is sent |
//! | rumors (§1.4) in front of anti-entropy: the protocol `gossip` has them | mail is sent to all others by one site |
//! | redistribution of what anti-entropy finds (§1.5) | an update that few have spreads as fast as sites call |
//! | connection limit, hunting, spatial distributions (§3) | a site may be called by many at once, from anywhere |
//! | cleaning of the log on disk | it grows with every update |
//! | changing sets of sites | certificates wait for nobody, and who is away longer than τ1 + τ2 brings back the dead |
//! | taking an item before it is on disk | each site on an item's way adds a sync, and one whose disk is full or stalls falls behind |
//!
//! # Sources
//!
//! - A. Demers, D. Greene, C. Hauser, W. Irish, J. Larson, S. Shenker, H. Sturgis, D. Swinehart, D. Terry: Epidemic
//!   Algorithms for Replicated Database Maintenance, PODC 1987; Xerox PARC CSL-89-1. "§" is a section of it.
//! - G. `DeCandia` et al.: Dynamo, SOSP 2007, §4.7: Merkle trees for anti-entropy.

pub mod certificate;
pub mod config;
pub mod database;
pub mod durable;
pub mod exchange;
pub mod facts;
pub mod invariants;
pub mod item;
pub mod message;
mod metrics;
pub mod mutants;
mod process;
pub mod update;
mod view;

use std::collections::BTreeMap;

use serde::Serialize;
use sim_core::NodeId;
use sim_core::service::Key;

pub use config::{AntiEntropy, Certificates, Comparison, Config, ConfigError, Flow, Mail};
pub use database::Database;
pub use facts::Fact;
pub use item::Item;
pub use message::Message;
pub use mutants::Mutant;

use crate::group_commit::GroupCommit;
use durable::Act;
use item::Moment;

/// What a site waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Timer {
    /// The time to compare with another site.
    Comparison,
}

/// Situations worth reaching in a sweep; the index is the place in [`POINTS`].
#[derive(Clone, Copy, Debug)]
enum Point {
    Obsolete,
    RecentNotEnough,
    Dormant,
    Awakened,
    NoRoom,
}

const POINTS: [&str; 5] = [
    "a site was sent what it had, or something older",
    "two sites still differed after they had exchanged their latest updates",
    "a death certificate went dormant",
    "a deleted item came back to a site where its certificate was dormant",
    "a site's disk had no room for what another one sent",
];

/// One site. See the [module documentation](self).
#[derive(Clone, Serialize)]
pub struct Epidemic {
    node: NodeId,
    config: Config,
    database: Database,
    /// Death certificates that it keeps to itself, as one of their retention sites.
    dormant: BTreeMap<Key, Item>,
    /// The highest time that it has stamped with, or found on its disk, or on a certificate that it has buried.
    last_stamp: Moment,
    /// The log, and what waits for it.
    commit: GroupCommit<Act>,
}

impl Epidemic {
    /// Its copy of the database.
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// The death certificates that it keeps to itself.
    pub const fn dormant(&self) -> &BTreeMap<Key, Item> {
        &self.dormant
    }
}

#[cfg(test)]
mod conversations;
#[cfg(test)]
mod tests;

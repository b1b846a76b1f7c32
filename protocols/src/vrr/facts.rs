//! What a replica states about itself, for invariants, traces and timelines.
//!
//! Statements about the log, execution and acknowledgements are made by the containers that do the deed ([`Log`],
//! [`StateMachine`], the one function that sends), not by the handlers that ask for it.
//!
//! [`Log`]: super::log::Log
//! [`StateMachine`]: crate::replicated::StateMachine

use serde::Serialize;
use sim_core::Context;

use super::Vrr;
use super::types::{Epoch, View};
use crate::replicated::{Chain, Index, NodeSet};

/// A statement of one replica about what it has just done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Fact {
    /// It has been started anew, remembers nothing, and recovers.
    RecoveryStarted,
    /// It knows again what its peers know, and takes part.
    Recovered {
        /// In which view.
        view: View,
        /// The last entry that it got.
        op: Index,
    },
    /// It gave up the view it was in, and wants this one.
    ViewChangeStarted {
        /// The wanted view.
        view: View,
    },
    /// It starts a view as its primary.
    BecamePrimary {
        /// Which view.
        view: View,
    },
    /// It takes part in a view as a backup.
    BecameBackup {
        /// Which view.
        view: View,
    },
    /// An entry was added to its log.
    Appended {
        /// The op-number.
        index: Index,
        /// The view in which the entry got that.
        view: View,
        /// The chain up to and including the entry.
        chain: Chain,
    },
    /// Entries were removed from the end of its log.
    Truncated {
        /// The first that was removed.
        from: Index,
    },
    /// Its log was replaced by one that begins after a checkpoint.
    Installed {
        /// The last entry that the checkpoint covers.
        index: Index,
        /// The chain up to and including it.
        chain: Chain,
    },
    /// A `PrepareOk` left it: it holds all entries up to this one, in this view.
    Acknowledged {
        /// The view.
        view: View,
        /// The last of the entries.
        index: Index,
    },
    /// It knows all entries up to this one to be committed.
    Committed {
        /// The view that it was in when it learned that.
        view: View,
        /// The last of them.
        index: Index,
        /// The chain up to and including it.
        chain: Chain,
    },
    /// It leaves an epoch that it is a member of, for good, whether it has taken part in it or not.
    EpochLeft {
        /// Which epoch.
        epoch: Epoch,
    },
    /// It knows of a new epoch, and is on its way there if it belongs there.
    EpochLearned {
        /// Which epoch.
        epoch: Epoch,
        /// Its group.
        members: NodeSet,
        /// The last op-number of the epoch before.
        op: Index,
        /// The chain up to there.
        chain: Chain,
    },
    /// It is not needed any more: it was replaced, and enough of the new group have started.
    Retired {
        /// The epoch that does without it.
        epoch: Epoch,
    },
    /// Its state machine has executed an entry.
    Applied {
        /// The op-number.
        index: Index,
        /// The chain of everything executed so far, computed from what was executed.
        chain: Chain,
        /// Whether it was known from before.
        effect: Effect,
    },
}

/// What executing an entry did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Effect {
    /// It was executed.
    Fresh,
    /// The client table knew the request: its effect was not repeated.
    Repeated,
}

/// Who hears statements: the context of a handler, or the list of a test.
pub trait Witness {
    /// States a fact.
    fn state(&mut self, fact: Fact);
}

impl Witness for Vec<Fact> {
    fn state(&mut self, fact: Fact) {
        self.push(fact);
    }
}

impl Witness for Context<'_, Vrr> {
    #[inline]
    fn state(&mut self, fact: Fact) {
        self.fact(fact);
    }
}

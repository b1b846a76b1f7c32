//! What a process does only while its replica leads.
//!
//! A leader may begin once it has executed the first entry of its own term: then it has executed all that it found in the log,
//! and nobody else can have answered anybody by more.

use serde::Serialize;

use super::Replica;
use super::host::Application;
use super::types::Term;
use crate::replicated::Index;

/// An office that the process has while its replica leads, and what it does there.
#[derive(Clone, Serialize)]
pub struct Office<T> {
    claim: Option<Claim<T>>,
}

/// A term that the replica leads.
#[derive(Clone, Serialize)]
struct Claim<T> {
    term: Term,
    /// Its first entry.
    begins: Index,
    /// There once it has begun.
    holder: Option<T>,
}

impl<T> Default for Office<T> {
    fn default() -> Self {
        Self { claim: None }
    }
}

impl<T> Office<T> {
    /// What does the work, while this process does.
    pub fn holder(&self) -> Option<&T> {
        self.claim.as_ref()?.holder.as_ref()
    }

    /// What does the work, to do some.
    pub fn holder_mut(&mut self) -> Option<&mut T> {
        self.claim.as_mut()?.holder.as_mut()
    }

    /// Takes note of who leads now. To be called after each input of the replica, before anything else is added to its log.
    /// Returns what did the work until now, if its term is over.
    pub fn follow<A: Application>(&mut self, replica: &Replica<A>) -> Option<T> {
        let leads = replica.is_leader().then(|| replica.term());
        if self.claim.as_ref().map(|claim| claim.term) == leads {
            return None;
        }
        let begins = replica.log().last_index();
        let claim = leads.map(|term| Claim { term, begins, holder: None });
        std::mem::replace(&mut self.claim, claim).and_then(|claim| claim.holder)
    }

    /// Whether somebody may begin to do the work, and nobody does.
    pub fn is_vacant<A: Application>(&self, replica: &Replica<A>) -> bool {
        self.claim
            .as_ref()
            .is_some_and(|claim| claim.holder.is_none() && replica.machine().applied() >= claim.begins)
    }

    /// This does the work from here on.
    ///
    /// # Panics
    /// If the replica does not lead.
    pub fn begin(&mut self, holder: T) {
        self.claim.as_mut().expect("only a leader begins").holder = Some(holder);
    }
}

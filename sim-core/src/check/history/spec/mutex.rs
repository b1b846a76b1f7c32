//! A lock without tokens, as other systems' histories have it.

use super::{Bonds, Spec};
use crate::service::lock::Operation as LockOperation;
use crate::service::{Operation, Outcome};

/// A lock that is held or free. `Ticket` is a success whatever the token, and so is `Done`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mutex;

impl Spec for Mutex {
    /// Whether it takes the lock, and whether it failed.
    type Call = (bool, bool);
    type State = bool;

    fn part(&self, operation: &Operation) -> Option<u64> {
        matches!(operation, Operation::Lock(_)).then_some(0)
    }

    fn part_name(&self, _part: u64) -> Option<String> {
        None
    }

    fn compile(&self, operation: &Operation, outcome: &Outcome) -> Option<(bool, bool)> {
        let Operation::Lock(operation) = operation else { return None };
        Some((matches!(operation, LockOperation::Acquire), *outcome == Outcome::Rejected))
    }

    fn initial(&self) -> bool {
        false
    }

    fn step(&self, is_held: &bool, (acquires, has_failed): &(bool, bool)) -> Option<bool> {
        let fits = if *has_failed { is_held == acquires } else { is_held != acquires };
        fits.then_some(is_held ^ !has_failed)
    }

    fn is_pure(&self, (_, has_failed): &(bool, bool)) -> bool {
        *has_failed
    }

    fn hash(&self, is_held: &bool) -> u128 {
        u128::from(*is_held)
    }

    fn describe(&self, is_held: &bool) -> String {
        if *is_held { "it is held" } else { "it is free" }.to_owned()
    }

    fn bonds(&self, _call: &(bool, bool)) -> Bonds {
        Bonds::NONE
    }
}

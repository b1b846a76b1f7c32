//! `lock`: a lock with fencing tokens.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Expiry, Model, Outcome};

/// What can be asked of a `lock` service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Take the lock: `Ticket` with the fencing token, or `Rejected` while somebody holds it.
    Acquire,
    /// Give it back: `Done`, or `Rejected` where the token does not hold it.
    Release {
        /// From `Ticket`; [`LAST_TICKET`](super::LAST_TICKET) is the client's last.
        token: u64,
    },
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Acquire => f.write_str("acquire"),
            Self::Release { token } => write!(f, "release {token}"),
        }
    }
}

/// Who has the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Holder {
    /// It is free.
    Nobody,
    /// Whoever has this token.
    Token(u64),
    /// An `acquire` took it whose outcome was never seen.
    Unseen,
}

/// The lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// Who has it.
    pub holder: Holder,
    /// The highest token seen; later ones are higher.
    pub last_token: Option<u64>,
}

/// The sequential meaning of `lock`: at most one holder, and tokens rise from holder to holder, so that what
/// is guarded can refuse a former one. With [`Expiry::Possible`] the lock may become free by itself.
#[derive(Clone, Copy, Debug)]
pub struct LockModel {
    /// Whether holding the lock ends by itself.
    pub expiry: Expiry,
}

impl Model for LockModel {
    type State = Lock;

    fn initial(&self) -> Lock {
        Lock { holder: Holder::Nobody, last_token: None }
    }

    fn step(&self, state: &Lock, operation: &super::Operation, outcome: &Outcome) -> Option<Lock> {
        let super::Operation::Lock(operation) = operation else { return None };
        match *operation {
            Operation::Acquire => self.acquire(*state, outcome),
            Operation::Release { token } => self.release(*state, token, outcome),
        }
    }

    fn describe(&self, state: &Lock) -> String {
        match state.holder {
            Holder::Nobody => "a free lock".to_owned(),
            Holder::Token(token) => format!("the lock held with token {token}"),
            Holder::Unseen => "the lock held by an unseen `acquire`".to_owned(),
        }
    }
}

impl LockModel {
    fn acquire(self, lock: Lock, outcome: &Outcome) -> Option<Lock> {
        let is_free = lock.holder == Holder::Nobody;
        if *outcome == Outcome::Unknown {
            return Some(if is_free { Lock { holder: Holder::Unseen, ..lock } } else { lock });
        }
        if *outcome == Outcome::Rejected {
            return (!is_free).then_some(lock);
        }
        let Outcome::Ticket(token) = *outcome else { return None };
        let may_acquire = is_free || self.expiry == Expiry::Possible;
        let is_higher = lock.last_token.is_none_or(|last| token > last);
        (may_acquire && is_higher).then_some(Lock { holder: Holder::Token(token), last_token: Some(token) })
    }

    fn release(self, lock: Lock, token: u64, outcome: &Outcome) -> Option<Lock> {
        if lock.holder != Holder::Token(token) {
            return outcome.may_be(&Outcome::Rejected).then_some(lock);
        }
        let has_expired = *outcome == Outcome::Rejected && self.expiry == Expiry::Possible;
        (outcome.may_be(&Outcome::Done) || has_expired).then_some(Lock { holder: Holder::Nobody, ..lock })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: LockModel = LockModel { expiry: Expiry::Never };
    const LEASED: LockModel = LockModel { expiry: Expiry::Possible };

    fn acquired(token: u64) -> (Operation, Outcome) {
        (Operation::Acquire, Outcome::Ticket(token))
    }

    fn released(token: u64, outcome: Outcome) -> (Operation, Outcome) {
        (Operation::Release { token }, outcome)
    }

    /// Whether all steps are legal one after the other.
    fn accepts(model: LockModel, steps: &[(Operation, Outcome)]) -> bool {
        let step = |state, (operation, outcome): &(Operation, Outcome)| {
            model.step(&state, &super::super::Operation::Lock(*operation), outcome)
        };
        steps.iter().try_fold(model.initial(), step).is_some()
    }

    #[test]
    fn the_lock_has_one_holder() {
        assert!(accepts(STRICT, &[acquired(1), (Operation::Acquire, Outcome::Rejected)]));
        assert!(accepts(STRICT, &[acquired(1), released(1, Outcome::Done), acquired(2)]));
        assert!(!accepts(STRICT, &[acquired(1), acquired(2)]));
        assert!(!accepts(STRICT, &[(Operation::Acquire, Outcome::Rejected)]), "it is free");
    }

    #[test]
    fn tokens_rise() {
        for model in [STRICT, LEASED] {
            let then = |token| accepts(model, &[acquired(5), released(5, Outcome::Done), acquired(token)]);
            assert_eq!([then(4), then(5), then(6), then(9)], [false, false, true, true]);
        }
    }

    #[test]
    fn only_the_holder_releases() {
        assert!(accepts(STRICT, &[acquired(1), released(2, Outcome::Rejected)]));
        assert!(!accepts(STRICT, &[acquired(1), released(2, Outcome::Done)]));
        assert!(!accepts(STRICT, &[acquired(1), released(1, Outcome::Rejected)]));
    }

    #[test]
    fn an_expired_lock_goes_to_the_next_and_its_former_holder_cannot_release_it() {
        let taken_over = [acquired(1), acquired(2)];
        let then = |step| accepts(LEASED, &[&taken_over[..], &[step]].concat());
        assert!(then(released(1, Outcome::Rejected)));
        assert!(!then(released(1, Outcome::Done)));
        assert!(then(released(2, Outcome::Done)));
    }

    #[test]
    fn an_unseen_acquire_holds_the_lock() {
        let unseen = (Operation::Acquire, Outcome::Unknown);
        assert!(!accepts(STRICT, &[unseen.clone(), acquired(1)]));
        assert!(accepts(STRICT, &[unseen.clone(), (Operation::Acquire, Outcome::Rejected)]));
        assert!(accepts(LEASED, &[unseen, acquired(1)]));
    }

    #[test]
    fn a_lock_is_shown_with_its_holder() {
        let shown = |holder| STRICT.describe(&Lock { holder, last_token: Some(3) });
        assert_eq!(shown(Holder::Nobody), "a free lock");
        assert_eq!(shown(Holder::Token(3)), "the lock held with token 3");
        assert_eq!(shown(Holder::Unseen), "the lock held by an unseen `acquire`");
    }
}

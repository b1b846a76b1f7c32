//! The Synod's safety properties, one file each.
//!
//! | property | Paxos Made Simple | file |
//! | --- | --- | --- |
//! | CS1: only a proposed value is chosen | §2.1 | `only_proposed` |
//! | CS2: only one value is chosen | §2.1 | `one_value` |
//! | CS3: what is learned is chosen | §2.1 | `learned_is_chosen` |
//! | P2c: proposals follow what may be chosen | §2.2 | `p2c` |
//! | P1a: promises are kept, restarts or not | §2.2, §2.5 | `promise_kept` |
//! | one proposal a ballot | §2.5 | `one_proposal_a_ballot` |
//!
//! Each keeps ghost state from facts. Votes are counted in [`votes`], from what acceptors said as it left them, so that an
//! acceptor that forgets does not make the ghost forget. The Synod decides once, so the ghosts are as small as the number
//! of ballots.

mod learned_is_chosen;
mod one_proposal_a_ballot;
mod one_value;
mod only_proposed;
mod p2c;
mod promise_kept;
mod votes;

use std::sync::Arc;

use sim_core::check::Invariant;

pub use learned_is_chosen::LearnedIsChosen;
pub use one_proposal_a_ballot::OneProposalABallot;
pub use one_value::OneValue;
pub use only_proposed::OnlyProposed;
pub use p2c::P2c;
pub use promise_kept::PromiseKept;

use super::{Config, Synod};

/// All of them, fresh, for nodes with this configuration: it says what a quorum is.
pub fn all(config: &Config) -> Vec<Box<dyn Invariant<Synod>>> {
    let config = Arc::new(config.clone());
    vec![
        Box::<OnlyProposed>::default(),
        Box::new(OneValue::new(config.clone())),
        Box::new(LearnedIsChosen::new(config.clone())),
        Box::new(P2c::new(config)),
        Box::<PromiseKept>::default(),
        Box::<OneProposalABallot>::default(),
    ]
}

//! What replicated state machines share, whatever agrees on their order: Raft, Multi-Paxos, Viewstamped Replication.
//!
//! | part | is |
//! | --- | --- |
//! | [`Index`] | a position in the agreed order: Raft's index, Paxos's slot, the op-number of Viewstamped Replication |
//! | [`Command`] | what is agreed on: nothing, or a client's operation with the id under which retries are known |
//! | [`Chain`] | the fingerprint of a whole prefix, so that prefixes are compared without a scan |
//! | [`ChainedLog`] | a sequence of entries without holes that knows the chain up to each, and may be compacted |
//! | [`Machine`] | what a state machine must be able to do so that it can be replicated |
//! | [`StateMachine`] | registers under keys, and sessions: the state that the agreed commands make |
//! | [`Told`] | a state machine that answers nobody, and tells its process what has come of each change |
//! | [`Checkpoint`] | a state machine on its way to another node |
//! | [`NodeSet`] | a set of nodes in one word |
//! | [`PerNode`] | something for each node |
//! | [`check_members`] | who can be a member |
//! | [`quorum`] | how many are enough |
//! | [`Quorums`] | which sets of members are enough, for each of the two phases of Paxos |
//! | [`Ballot`] | a proposal number of Paxos |
//! | [`Life`] | tells a node that has lost its memory from the one it was |
//! | [`Outbox`] | acts that wait for the disk |
//! | [`Entries`] | entries on their way to others |
//! | [`AgreedOrder`] | for invariants: the one order in which everything is executed |
//! | [`Round`] | how a leader makes sure that it still leads |
//!
//! None of it sends, waits or writes to a disk. It is the same on all nodes because it is a function of what was agreed
//! on, and of nothing else.

mod agreed;
mod ballot;
mod chain;
mod checkpoint;
mod command;
mod entries;
mod index;
mod life;
mod log;
mod machine;
mod members;
mod node_set;
mod outbox;
mod per_node;
pub mod quorum;
mod quorums;
mod round;
mod session;
mod told;

pub use agreed::AgreedOrder;
pub use ballot::Ballot;
pub use chain::Chain;
pub use checkpoint::Checkpoint;
pub use command::{Agreeable, Command};
pub use entries::Entries;
pub use index::Index;
pub use life::Life;
pub use log::ChainedLog;
pub use machine::{Executable, Item, Machine, Piece, StateMachine};
pub use members::{MEMBERS_MAX, MembersError, check_member_set, check_members};
pub use node_set::NodeSet;
pub use outbox::Outbox;
pub use per_node::PerNode;
pub use quorums::{Phase, Quorums, QuorumsError};
pub use round::Round;
pub use session::{Memory, Session, SessionPolicy};
pub use told::{Change, Saved, State, Step, Told};

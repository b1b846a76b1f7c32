//! What replicas send each other: the paper's messages (§4, §5.2), and the two that crash vectors need.

use std::fmt;

use serde::Serialize;
use sim_core::process;

use super::crash_vector::CrashVector;
use super::types::{Entries, Entry, Nonce, Round, View};
use crate::replicated::{Chain, Index, StateMachine};

/// A message between replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// A primary gives requests their op-numbers (§4.1, step 3).
    Prepare(Prepare),
    /// A backup holds everything up to an op-number (§4.1, step 4); also the answer to `Commit`.
    PrepareOk(PrepareOk),
    /// A primary lives, and has committed so much (§4.1, step 6).
    Commit(Commit),
    /// A replica gives up on its view and wants a newer one (§4.2, step 1).
    StartViewChange {
        /// The wanted view.
        view: View,
        /// The sender's commit-number: who sends it a log may begin there.
        commit: Index,
        /// Whose crashes the sender knows of.
        crash_vector: CrashVector,
    },
    /// A replica tells the primary of a new view what it has (§4.2, step 2).
    DoViewChange(Box<DoViewChange>),
    /// The primary of a new view starts it (§4.2, step 3).
    StartView(Box<StartView>),
    /// A replica asks which of its incarnations are known, and makes its own known (Michael et al. 2017).
    CrashVectorRequest {
        /// Tells the answers from others.
        nonce: Nonce,
        /// Whose crashes the sender knows of.
        crash_vector: CrashVector,
    },
    /// The answer to it.
    CrashVectorReply {
        /// Of the request.
        nonce: Nonce,
        /// What the sender knows.
        crash_vector: CrashVector,
    },
    /// A replica that recovers asks for the state (§4.3, step 1).
    Recovery {
        /// Of this recovery.
        nonce: Nonce,
        /// With the sender's new incarnation.
        crash_vector: CrashVector,
    },
    /// The answer to it (§4.3, step 2).
    RecoveryResponse(Box<RecoveryResponse>),
    /// A replica lacks entries, or has heard of a newer view (§5.2).
    GetState(GetState),
    /// The answer to it.
    NewState(Box<NewState>),
}

/// ⟨PREPARE v, m, n, k⟩, for several requests at once (§6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prepare {
    /// The primary's view.
    pub view: View,
    /// The op-number before that of the first entry.
    pub after: Index,
    /// The requests, at least one.
    pub entries: Entries,
    /// The primary's commit-number.
    pub commit: Index,
    /// The last round that the primary has started.
    pub round: Round,
}

/// ⟨PREPAREOK v, n, i⟩.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PrepareOk {
    /// The backup's view.
    pub view: View,
    /// It holds all entries of the view up to here.
    pub op: Index,
    /// The round of what it answers.
    pub round: Round,
}

/// ⟨COMMIT v, k⟩.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// The primary's view.
    pub view: View,
    /// The primary's commit-number.
    pub commit: Index,
    /// What was sent long enough ago to have arrived: a backup without it has lost something.
    pub expected: Index,
    /// The last round that the primary has started.
    pub round: Round,
}

/// ⟨DOVIEWCHANGE v, l, v′, n, k, i⟩.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DoViewChange {
    /// The new view.
    pub view: View,
    /// The last view in which the sender's status was normal: v′.
    pub last_normal: View,
    /// The sender's op-number.
    pub op: Index,
    /// The sender's commit-number.
    pub commit: Index,
    /// The sender's log from where the new primary needs it (§5.3).
    pub log: LogPart,
    /// Whose crashes the sender knows of.
    pub crash_vector: CrashVector,
}

/// ⟨STARTVIEW v, l, n, k⟩.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StartView {
    /// The new view.
    pub view: View,
    /// The primary's commit-number.
    pub commit: Index,
    /// The log of the view from where the receiver needs it.
    pub log: LogPart,
    /// Whose crashes the primary knows of.
    pub crash_vector: CrashVector,
}

/// ⟨RECOVERYRESPONSE v, x, l, n, k, j⟩.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecoveryResponse {
    /// Of the request.
    pub nonce: Nonce,
    /// The sender's view, in which its status is normal.
    pub view: View,
    /// Whose crashes the sender knows of.
    pub crash_vector: CrashVector,
    /// What the view has come to; only its primary says that.
    pub state: Option<Known>,
}

/// What a primary knows of its view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Known {
    /// Its commit-number.
    pub commit: Index,
    /// Its log, with a checkpoint.
    pub log: LogPart,
}

/// ⟨GETSTATE v, n′, i⟩.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GetState {
    /// The view whose log is wanted.
    pub view: View,
    /// The last view in which the sender's status was normal: its log is of that view.
    pub last_normal: View,
    /// The sender's op-number.
    pub op: Index,
    /// The sender's commit-number.
    pub commit: Index,
}

/// ⟨NEWSTATE v, l, n, k⟩.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NewState {
    /// The sender's view, in which its status is normal.
    pub view: View,
    /// Its commit-number.
    pub commit: Index,
    /// Its log from where the receiver needs it.
    pub log: LogPart,
}

/// The end of a log, and if the receiver needs more than the sender's log still has, a checkpoint before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogPart {
    /// The state that everything up to `after` has made.
    pub checkpoint: Option<Checkpoint>,
    /// The op-number before the first entry.
    pub after: Index,
    /// The chain up to there.
    pub chain: Chain,
    /// All that follows in the sender's log.
    pub entries: Entries,
}

impl LogPart {
    /// The op-number of the last entry.
    pub fn op(&self) -> Index {
        self.after.plus(self.entries.len() as u64)
    }

    fn size(&self) -> u64 {
        16 + Entry::SIZE * self.entries.len() as u64 + self.checkpoint.as_ref().map_or(0, Checkpoint::size)
    }
}

/// A state machine on its way. Copies share their contents.
#[derive(Clone, Serialize)]
pub struct Checkpoint(pub StateMachine);

impl Checkpoint {
    /// Size on the wire in bytes: key and value of each register, client and window of each session.
    fn size(&self) -> u64 {
        16 * self.0.register_count() + 24 * self.0.session_count()
    }
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Checkpoint({}, {})", self.0.applied(), self.0.chain())
    }
}

/// By the chain of what was executed.
impl PartialEq for Checkpoint {
    fn eq(&self, other: &Self) -> bool {
        (self.0.applied(), self.0.chain()) == (other.0.applied(), other.0.chain())
    }
}

impl Eq for Checkpoint {}

/// Bytes of a message without contents: headers, view, numbers.
const HEADER: u64 = 64;

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &[
        "Prepare",
        "PrepareOk",
        "Commit",
        "StartViewChange",
        "DoViewChange",
        "StartView",
        "CrashVectorRequest",
        "CrashVectorReply",
        "Recovery",
        "RecoveryResponse",
        "GetState",
        "NewState",
    ];

    #[inline]
    fn kind(&self) -> u8 {
        match self {
            Self::Prepare(_) => 0,
            Self::PrepareOk(_) => 1,
            Self::Commit(_) => 2,
            Self::StartViewChange { .. } => 3,
            Self::DoViewChange(_) => 4,
            Self::StartView(_) => 5,
            Self::CrashVectorRequest { .. } => 6,
            Self::CrashVectorReply { .. } => 7,
            Self::Recovery { .. } => 8,
            Self::RecoveryResponse(_) => 9,
            Self::GetState(_) => 10,
            Self::NewState(_) => 11,
        }
    }

    #[inline]
    fn size(&self) -> u64 {
        HEADER
            + match self {
                Self::Prepare(prepare) => Entry::SIZE * prepare.entries.len() as u64,
                Self::PrepareOk(_) | Self::Commit(_) | Self::GetState(_) => 0,
                Self::DoViewChange(change) => change.log.size() + change.crash_vector.size(),
                Self::StartView(start) => start.log.size() + start.crash_vector.size(),
                Self::StartViewChange { crash_vector, .. }
                | Self::CrashVectorRequest { crash_vector, .. }
                | Self::CrashVectorReply { crash_vector, .. }
                | Self::Recovery { crash_vector, .. } => crash_vector.size(),
                Self::RecoveryResponse(response) => {
                    let state = response.state.as_ref().map_or(0, |state| state.log.size());
                    state + response.crash_vector.size()
                }
                Self::NewState(state) => state.log.size(),
            }
    }

    fn describe(&self) -> String {
        match self {
            Self::Prepare(Prepare { view, after, entries, commit, round }) => {
                let ops = ops(*after, entries);
                format!("Prepare view={} {ops} commit={commit} round={}", view.0, round.0)
            }
            Self::PrepareOk(PrepareOk { view, op, round }) => {
                format!("PrepareOk view={} op={op} round={}", view.0, round.0)
            }
            Self::Commit(Commit { view, commit, expected, round }) => {
                format!("Commit view={} commit={commit} expected={expected} round={}", view.0, round.0)
            }
            Self::StartViewChange { view, commit, crash_vector } => {
                format!("StartViewChange view={} commit={commit} crashes={crash_vector}", view.0)
            }
            Self::DoViewChange(change) => change.describe(),
            Self::StartView(start) => {
                let StartView { view, commit, log, crash_vector } = start.as_ref();
                format!("StartView view={} {log} commit={commit} crashes={crash_vector}", view.0)
            }
            Self::CrashVectorRequest { nonce, crash_vector } => {
                format!("CrashVectorRequest nonce={nonce} crashes={crash_vector}")
            }
            Self::CrashVectorReply { nonce, crash_vector } => {
                format!("CrashVectorReply nonce={nonce} crashes={crash_vector}")
            }
            Self::Recovery { nonce, crash_vector } => {
                format!("Recovery nonce={nonce} crashes={crash_vector}")
            }
            Self::RecoveryResponse(response) => response.describe(),
            Self::GetState(GetState { view, last_normal, op, commit }) => {
                format!("GetState view={} last-normal={} op={op} commit={commit}", view.0, last_normal.0)
            }
            Self::NewState(state) => {
                let NewState { view, commit, log } = state.as_ref();
                format!("NewState view={} {log} commit={commit}", view.0)
            }
        }
    }
}

impl DoViewChange {
    fn describe(&self) -> String {
        let Self { view, last_normal, op, commit, log, crash_vector } = self;
        format!(
            "DoViewChange view={} last-normal={} op={op} {log} commit={commit} crashes={crash_vector}",
            view.0, last_normal.0
        )
    }
}

impl RecoveryResponse {
    fn describe(&self) -> String {
        let Self { nonce, view, crash_vector, state } = self;
        let state = match state {
            Some(Known { commit, log }) => format!(" {log} commit={commit}"),
            None => String::new(),
        };
        format!("RecoveryResponse nonce={nonce} view={}{state} crashes={crash_vector}", view.0)
    }
}

/// `ops=5..7`, `checkpoint=4 ops=none`.
impl fmt::Display for LogPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Checkpoint(machine)) = &self.checkpoint {
            write!(f, "checkpoint={} ", machine.applied())?;
        }
        f.write_str(&ops(self.after, &self.entries))
    }
}

/// `ops=5..7` is 5, 6 and 7.
fn ops(after: Index, entries: &Entries) -> String {
    match entries.len() as u64 {
        0 => format!("ops=none after={after}"),
        1 => format!("op={}", after.next()),
        count => format!("ops={}..{}", after.next(), after.plus(count)),
    }
}

#[cfg(test)]
mod tests {
    use sim_core::process::Message as _;

    use super::super::types::Entry;
    use super::*;
    use crate::replicated::Command;

    fn entries(count: usize) -> Entries {
        std::iter::repeat_n(Entry { view: View(3), command: Command::Noop }, count).collect()
    }

    fn prepare(count: usize) -> Message {
        let (view, after, commit, round) = (View(3), Index(7), Index(6), Round(9));
        Message::Prepare(Prepare { view, after, entries: entries(count), commit, round })
    }

    #[test]
    fn a_message_describes_itself_in_the_papers_words() {
        assert_eq!(prepare(1).describe(), "Prepare view=3 op=8 commit=6 round=9");
        assert_eq!(prepare(3).describe(), "Prepare view=3 ops=8..10 commit=6 round=9");
        let ok = Message::PrepareOk(PrepareOk { view: View(3), op: Index(8), round: Round(9) });
        assert_eq!(ok.describe(), "PrepareOk view=3 op=8 round=9");
    }

    #[test]
    fn a_part_of_a_log_says_what_it_covers() {
        let part = |checkpoint, count| LogPart {
            checkpoint,
            after: Index(4),
            chain: Chain(1),
            entries: entries(count),
        };
        assert_eq!(part(None, 0).to_string(), "ops=none after=4");
        let checkpoint = Checkpoint(StateMachine::default());
        assert_eq!(part(Some(checkpoint), 2).to_string(), "checkpoint=0 ops=5..6");
        assert_eq!(part(None, 2).op(), Index(6));
    }

    #[test]
    fn entries_and_crash_vectors_are_paid_for() {
        assert_eq!((prepare(1).size(), prepare(3).size()), (104, 184));
        let recovery = Message::Recovery { nonce: Nonce(1), crash_vector: CrashVector::new(5) };
        assert_eq!(recovery.size(), 104);
    }
}

//! Messages on their way: kinds, sizes, and the paper's words for them.

use std::fmt;

use sim_core::process;

use super::message::{
    Checkpoint, Commit, DoViewChange, GetState, Known, LogPart, Message, NewState, Prepare, PrepareOk,
    RecoveryResponse, StartView,
};
use super::types::{Entries, Entry, Epoch};
use crate::replicated::Index;

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
        "StartEpoch",
        "EpochStarted",
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
            Self::StartEpoch(_) => 12,
            Self::EpochStarted { .. } => 13,
        }
    }

    #[inline]
    fn size(&self) -> u64 {
        HEADER
            + match self {
                Self::Prepare(prepare) => Entry::SIZE * prepare.entries.len() as u64,
                Self::PrepareOk(_) | Self::Commit(_) | Self::GetState(_) | Self::EpochStarted { .. } => 0,
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
                Self::StartEpoch(start) => start.size(),
            }
    }

    fn describe(&self) -> String {
        match self {
            Self::Prepare(Prepare { view, after, entries, commit, round }) => {
                let ops = ops(*after, entries);
                format!("Prepare view={} {ops} commit={commit} round={}", view.label(), round.0)
            }
            Self::PrepareOk(PrepareOk { view, op, round }) => {
                format!("PrepareOk view={} op={op} round={}", view.label(), round.0)
            }
            Self::Commit(Commit { view, commit, expected, round }) => {
                format!("Commit view={} commit={commit} expected={expected} round={}", view.label(), round.0)
            }
            Self::StartViewChange { view, commit, crash_vector } => {
                format!("StartViewChange view={} commit={commit} crashes={crash_vector}", view.label())
            }
            Self::DoViewChange(change) => change.describe(),
            Self::StartView(start) => {
                let StartView { view, commit, log, crash_vector } = start.as_ref();
                format!("StartView view={} {log} commit={commit} crashes={crash_vector}", view.label())
            }
            Self::CrashVectorRequest { epoch, nonce, crash_vector } => {
                format!("CrashVectorRequest{} nonce={nonce} crashes={crash_vector}", of(*epoch))
            }
            Self::CrashVectorReply { epoch, nonce, crash_vector } => {
                format!("CrashVectorReply{} nonce={nonce} crashes={crash_vector}", of(*epoch))
            }
            Self::Recovery { epoch, nonce, crash_vector } => {
                format!("Recovery{} nonce={nonce} crashes={crash_vector}", of(*epoch))
            }
            Self::RecoveryResponse(response) => response.describe(),
            Self::GetState(GetState { view, last_normal, op, commit }) => {
                format!(
                    "GetState view={} last-normal={} op={op} commit={commit}",
                    view.label(),
                    last_normal.label()
                )
            }
            Self::NewState(state) => {
                let NewState { view, commit, log } = state.as_ref();
                format!("NewState view={} {log} commit={commit}", view.label())
            }
            Self::StartEpoch(start) => format!("StartEpoch {start}"),
            Self::EpochStarted { epoch } => format!("EpochStarted {epoch}"),
        }
    }
}

impl DoViewChange {
    fn describe(&self) -> String {
        let Self { view, last_normal, op, commit, log, crash_vector } = self;
        format!(
            "DoViewChange view={} last-normal={} op={op} {log} commit={commit} crashes={crash_vector}",
            view.label(),
            last_normal.label()
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
        format!("RecoveryResponse nonce={nonce} view={}{state} crashes={crash_vector}", view.label())
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

/// ` epoch=1`; nothing for the first, which most groups never leave.
fn of(epoch: Epoch) -> String {
    if epoch == Epoch(0) { String::new() } else { format!(" epoch={}", epoch.0) }
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

    use super::super::crash_vector::CrashVector;
    use super::super::types::{Nonce, Request, Round, View};
    use super::*;
    use crate::replicated::{Chain, Command, StateMachine};

    fn entries(count: usize) -> Entries {
        std::iter::repeat_n(Entry { view: View::first(3), request: Request::Execute(Command::Noop) }, count)
            .collect()
    }

    fn prepare(count: usize) -> Message {
        let (view, after, commit, round) = (View::first(3), Index(7), Index(6), Round(9));
        Message::Prepare(Prepare { view, after, entries: entries(count), commit, round })
    }

    #[test]
    fn a_message_describes_itself_in_the_papers_words() {
        assert_eq!(prepare(1).describe(), "Prepare view=3 op=8 commit=6 round=9");
        assert_eq!(prepare(3).describe(), "Prepare view=3 ops=8..10 commit=6 round=9");
        let ok = Message::PrepareOk(PrepareOk { view: View::first(3), op: Index(8), round: Round(9) });
        assert_eq!(ok.describe(), "PrepareOk view=3 op=8 round=9");
        let later = View { epoch: Epoch(2), number: 3 };
        let ok = Message::PrepareOk(PrepareOk { view: later, op: Index(8), round: Round(9) });
        assert_eq!((ok.describe().as_str(), ok.epoch()), ("PrepareOk view=e2v3 op=8 round=9", Epoch(2)));
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
        assert_eq!((prepare(1).size(), prepare(3).size()), (108, 196));
        let recovery =
            Message::Recovery { epoch: Epoch(0), nonce: Nonce(1), crash_vector: CrashVector::new(5) };
        assert_eq!(recovery.size(), 104);
    }
}

//! How far a follower has come, as its leader knows it, and what may be sent to it now.
//!
//! ```text
//!            reply: the logs agree                conflict, or silent for long
//!   probe ──────────────────────────> stream ────────────────────────────────────> probe
//!     │                                                                               ▲
//!     ╰── what is next to send is compacted ──> snapshot ── installed ───> stream     │
//!                                                  ╰────── has it by other means ─────╯
//! ```
//!
//! A leader *probes* until it has found where the logs agree, one question at a time; then it *streams*: it supposes
//! that what it sent arrives, and sends on until a window is full. A follower whose next entry is compacted gets a
//! *snapshot*, a chunk at a time, and no entries meanwhile. These are the states of etcd's `tracker/progress.go`.

use std::collections::VecDeque;

use serde::Serialize;

use super::types::Round;
use crate::replicated::Index;

/// What is known of one follower (Figure 2: `nextIndex[]`, `matchIndex[]`).
#[derive(Clone, Debug, Serialize)]
pub(super) struct Progress {
    /// The follower durably has the leader's log up to here. Never falls.
    pub(super) match_index: Index,
    /// The next entry to send. After `match_index`.
    pub(super) next_index: Index,
    /// How entries are sent.
    pub(super) mode: Mode,
    /// The latest round of heartbeats it has answered.
    pub(super) round: Round,
    /// Heartbeats since its last reply.
    silent: u64,
    /// The last entry of each message on its way while streaming, ascending, all after `match_index`.
    in_flight: VecDeque<Index>,
}

/// How a leader sends entries to a follower.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Mode {
    /// Where the logs agree is not known, and the next question may be sent.
    Probe,
    /// A question is on its way. A heartbeat repeats it.
    ProbeSent,
    /// The logs agree before `next_index`, for all the leader knows.
    Stream,
    /// What it lacks is compacted: the snapshot up to here is on its way.
    Snapshot(Index),
}

/// How much may be on its way to one follower.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Messages.
    pub(super) messages: u64,
    /// Entries; a message may begin below it and end above.
    pub(super) entries: u64,
}

impl Progress {
    pub(super) const fn new(next_index: Index) -> Self {
        let (match_index, round) = (Index::ZERO, Round(0));
        Self { match_index, next_index, mode: Mode::Probe, round, silent: 0, in_flight: VecDeque::new() }
    }

    /// A reply came, whatever it says: it answers `round`.
    #[inline]
    pub(super) fn on_reply(&mut self, round: Round) {
        self.round = self.round.max(round);
        self.silent = 0;
    }

    /// Whether the next entries may be sent now.
    #[inline]
    pub(super) fn is_ready(&self, window: Window) -> bool {
        match self.mode {
            Mode::Probe => true,
            Mode::ProbeSent | Mode::Snapshot(_) => false,
            Mode::Stream => {
                self.messages_in_flight() < window.messages && self.entries_in_flight() < window.entries
            }
        }
    }

    /// Whether a snapshot is on its way.
    #[inline]
    pub(super) const fn is_installing(&self) -> bool {
        matches!(self.mode, Mode::Snapshot(_))
    }

    /// Entries sent and not acknowledged.
    pub(super) const fn entries_in_flight(&self) -> u64 {
        self.next_index.previous().since(self.match_index)
    }

    /// Messages sent and not acknowledged.
    pub(super) fn messages_in_flight(&self) -> u64 {
        self.in_flight.len() as u64
    }

    /// Heartbeats since its last reply: its last contact.
    pub(super) const fn silent_heartbeats(&self) -> u64 {
        self.silent
    }

    /// A message with `count` entries from `next_index` on was sent.
    #[inline]
    pub(super) fn on_sent(&mut self, count: u64) {
        match self.mode {
            Mode::Probe | Mode::ProbeSent => self.mode = Mode::ProbeSent,
            Mode::Stream => {
                self.next_index = self.next_index.plus(count);
                self.in_flight.push_back(self.next_index.previous());
            }
            Mode::Snapshot(_) => unreachable!("no entries are sent while a snapshot is on its way"),
        }
    }

    /// The follower has the log up to `index`. Returns whether that is news: replies may be late or come twice.
    #[inline]
    pub(super) fn on_match(&mut self, index: Index) -> bool {
        if index <= self.match_index {
            return false;
        }
        self.match_index = index;
        match self.mode {
            Mode::Snapshot(snapshot) if index < snapshot => {}
            Mode::Snapshot(_) | Mode::Probe | Mode::ProbeSent | Mode::Stream => self.become_stream(),
        }
        true
    }

    fn become_stream(&mut self) {
        self.mode = Mode::Stream;
        self.next_index = self.next_index.max(self.match_index.next());
        while self.in_flight.front().is_some_and(|last| *last <= self.match_index) {
            self.in_flight.pop_front();
        }
    }

    /// The follower's log differs before or at `refused`. Returns whether that is news.
    pub(super) fn on_conflict(&mut self, refused: Index, next_index: Index) -> bool {
        let is_stale = match self.mode {
            Mode::Probe | Mode::ProbeSent => refused != self.next_index.previous(),
            Mode::Stream => false,
            Mode::Snapshot(_) => true,
        };
        if is_stale || refused <= self.match_index {
            return false;
        }
        self.become_probe(next_index);
        true
    }

    /// Asks again where the logs agree, from `next_index` on.
    pub(super) fn become_probe(&mut self, next_index: Index) {
        self.next_index = next_index.max(self.match_index.next());
        self.mode = Mode::Probe;
        self.in_flight.clear();
    }

    /// A snapshot up to `index` is on its way; after it entries go on.
    pub(super) fn become_snapshot(&mut self, index: Index) {
        self.mode = Mode::Snapshot(index);
        self.next_index = index.next().max(self.match_index.next());
        self.in_flight.clear();
    }

    /// Time for a heartbeat. A question that got no answer may be lost, and is asked again; a stream to a follower that
    /// has not answered the last `silent_max` heartbeats goes nowhere (etcd: `ReportUnreachable`). And where what was
    /// sent last is compacted up to `base`, no heartbeat can show any more that it was lost.
    #[inline]
    pub(super) fn on_heartbeat(&mut self, silent_max: u64, base: Index) {
        self.silent += 1;
        match self.mode {
            Mode::ProbeSent => self.mode = Mode::Probe,
            Mode::Stream if !self.in_flight.is_empty() => {
                if self.silent > silent_max || self.next_index <= base {
                    self.become_probe(self.match_index.next());
                }
            }
            Mode::Probe | Mode::Stream | Mode::Snapshot(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Window = Window { messages: 100, entries: u64::MAX };

    fn streaming(match_index: u64) -> Progress {
        let mut progress = Progress::new(Index(match_index + 1));
        assert!(progress.on_match(Index(match_index)));
        progress
    }

    #[test]
    fn late_and_repeated_replies_change_nothing() {
        let mut progress = streaming(5);
        progress.on_sent(3);
        assert!(!progress.on_match(Index(4)));
        assert!(!progress.on_match(Index(5)));
        assert!(!progress.on_conflict(Index(5), Index(2)));
        assert_eq!(
            (progress.match_index, progress.next_index, progress.mode),
            (Index(5), Index(9), Mode::Stream)
        );
    }

    #[test]
    fn a_stream_stops_when_its_window_is_full_and_goes_on_with_the_next_reply() {
        let two = Window { messages: 2, entries: u64::MAX };
        let mut progress = streaming(5);
        progress.on_sent(3);
        assert!(progress.is_ready(two));
        progress.on_sent(1);
        assert!(!progress.is_ready(two), "two messages are on their way");
        assert!(progress.on_match(Index(6)), "part of the first");
        assert!(!progress.is_ready(two));
        assert!(progress.on_match(Index(8)));
        assert!(progress.is_ready(two));
    }

    #[test]
    fn a_window_also_counts_entries() {
        let window = Window { messages: 100, entries: 2 };
        let mut progress = streaming(5);
        progress.on_sent(1);
        assert!(progress.is_ready(window));
        progress.on_sent(1);
        assert!(!progress.is_ready(window));
    }

    #[test]
    fn a_lost_entry_turns_a_stream_into_one_probe() {
        let mut progress = streaming(5);
        progress.on_sent(3);
        assert!(progress.on_conflict(Index(8), Index(6)));
        assert_eq!((progress.next_index, progress.mode), (Index(6), Mode::Probe));
        progress.on_sent(4);
        assert_eq!((progress.next_index, progress.is_ready(WIDE)), (Index(6), false));
        assert!(!progress.on_conflict(Index(7), Index(6)), "the refusal of another message of the stream");
        assert!(progress.on_match(Index(9)));
        assert_eq!((progress.next_index, progress.mode), (Index(10), Mode::Stream));
    }

    #[test]
    fn a_snapshot_pauses_entries_until_it_is_installed() {
        let mut progress = Progress::new(Index(1));
        progress.become_snapshot(Index(20));
        assert!(!progress.is_ready(WIDE));
        assert!(progress.on_match(Index(7)), "an old reply");
        assert_eq!(progress.mode, Mode::Snapshot(Index(20)));
        assert!(!progress.on_conflict(Index(19), Index(3)), "and another one");
        assert!(progress.on_match(Index(20)));
        assert_eq!((progress.next_index, progress.mode), (Index(21), Mode::Stream));
    }

    #[test]
    fn a_stream_whose_end_is_compacted_is_probed_because_no_heartbeat_can_show_what_was_lost() {
        let mut progress = streaming(5);
        progress.on_sent(3);
        progress.on_heartbeat(9, Index(8));
        assert_eq!(progress.mode, Mode::Stream, "the entry before the next is the base");
        progress.on_heartbeat(9, Index(9));
        assert_eq!((progress.next_index, progress.mode), (Index(6), Mode::Probe));
    }

    #[test]
    fn a_silent_stream_is_probed_from_what_is_known() {
        let mut progress = streaming(5);
        progress.on_heartbeat(0, Index::ZERO);
        assert_eq!(progress.mode, Mode::Stream, "nothing is on its way");
        progress.on_reply(Round(1));
        progress.on_sent(3);
        progress.on_heartbeat(1, Index::ZERO);
        assert_eq!(progress.mode, Mode::Stream);
        progress.on_heartbeat(1, Index::ZERO);
        assert_eq!((progress.next_index, progress.mode), (Index(6), Mode::Probe));
    }
}

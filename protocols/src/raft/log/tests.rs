//! Tests of the log against a plain vector of entries.

use proptest::prelude::*;
use sim_core::NodeId;

use super::*;
use crate::raft::Payload;
use crate::replicated::Command;

/// A disk that takes everything, or so many writes.
struct Disk {
    room: usize,
    facts: Vec<Fact>,
}

impl Default for Disk {
    fn default() -> Self {
        Self { room: usize::MAX, facts: Vec::new() }
    }
}

impl Witness for Disk {
    fn state(&mut self, fact: Fact) {
        self.facts.push(fact);
    }
}

impl Journal for Disk {
    fn append(&mut self, _entry: Entry) -> Result<(), WriteError> {
        self.room = self.room.checked_sub(1).ok_or(WriteError::Full {
            capacity: 0,
            used: 0,
            wanted: Entry::<Command>::SIZE,
        })?;
        Ok(())
    }

    fn truncate_from(&mut self, _index: Index) {}

    fn truncate_to(&mut self, _index: Index) {}

    fn diverged(&mut self, _entries: u64) {}
}

fn entries(terms: &[u64]) -> Vec<Entry> {
    terms.iter().map(|term| Entry::command(Term(*term), Command::Noop)).collect()
}

fn voters() -> Membership {
    Membership::of([0, 1, 2].map(NodeId::new))
}

fn initial() -> SnapshotMeta {
    SnapshotMeta::initial(voters())
}

fn log(terms: &[u64]) -> Log {
    Log::recover(&initial(), entries(terms), &mut Vec::new())
}

fn terms(log: &Log) -> Vec<u64> {
    log.entries.range(Index(1), u64::MAX).map(|entry| entry.term.0).collect()
}

#[test]
fn matching_entries_and_what_follows_them_survive_an_old_message() {
    let mut log = log(&[1, 1, 2, 2]);
    let mut disk = Disk::default();
    assert_eq!(log.merge(Index(1), &entries(&[1, 2]), &mut disk), Index(3));
    assert_eq!(terms(&log), [1, 1, 2, 2]);
    assert_eq!(disk.facts, [], "nothing changed, nothing is stated");
}

#[test]
fn a_conflict_removes_the_entry_and_all_after_it() {
    let mut log = log(&[1, 1, 2, 2, 2]);
    let mut disk = Disk::default();
    assert_eq!(log.merge(Index(2), &entries(&[3]), &mut disk), Index(3));
    assert_eq!(terms(&log), [1, 1, 3]);
    assert_eq!(disk.facts[0], Fact::Truncated { from: Index(3) });
    let chain = log.last_chain();
    assert_eq!(disk.facts[1], Fact::Appended { index: Index(3), term: Term(3), chain });
    assert_eq!(log.durable(), Index(2), "the new entry is not on disk");
}

#[test]
#[should_panic(expected = "entries up to 2 are committed")]
fn committed_entries_are_never_removed() {
    let mut log = log(&[1, 1, 1]);
    log.commit_to(Index(2), &mut Vec::new());
    log.merge(Index(1), &entries(&[2]), &mut Disk::default());
}

#[test]
fn a_full_disk_keeps_what_fitted() {
    let mut log = Log::new(voters());
    let mut disk = Disk { room: 2, ..Disk::default() };
    assert_eq!(log.merge(Index(0), &entries(&[1, 1, 1]), &mut disk), Index(2));
    assert_eq!(terms(&log), [1, 1]);
}

#[test]
fn what_was_removed_is_not_durable_and_a_mark_beyond_the_end_counts_up_to_it() {
    let mut log = log(&[1, 1, 1]);
    log.merge(Index(1), &entries(&[2]), &mut Disk::default());
    assert_eq!((log.durable(), log.is_dirty()), (Index(1), true));
    log.begin_sync();
    log.mark_durable(Index(9));
    assert_eq!((log.durable(), log.is_dirty()), (Index(2), false));
    log.mark_durable(Index(1));
    assert_eq!(log.durable(), Index(2), "an older flush");
}

#[test]
fn a_membership_is_in_the_log_until_its_entry_is_removed() {
    let mut log = log(&[1]);
    let one = Membership::of([NodeId::new(0)]);
    let change = Entry { term: Term(1), payload: Payload::Members(one) };
    log.append(change, &mut Disk::default()).expect("there is room");
    assert_eq!(log.membership(), (Index(2), one));
    assert_eq!(log.membership_at(Index(1)), (Index(0), voters()));
    log.merge(Index(1), &entries(&[2, 2]), &mut Disk::default());
    assert_eq!(log.membership(), (Index(0), voters()), "the one before is in force again");
}

fn snapshot_of(log: &Log, index: u64) -> SnapshotMeta {
    let index = Index(index);
    let (members_index, members) = log.membership_at(index);
    let term = log.term_at(index).expect("in the log");
    SnapshotMeta { index, term, chain: log.chain_at(index).expect("in the log"), members, members_index }
}

#[test]
fn a_compacted_log_answers_from_its_base_on_as_before() {
    let mut log = log(&[1, 1, 2, 2, 3]);
    let whole = log.clone();
    log.commit_to(Index(4), &mut Vec::new());
    log.compact_to(Index(3), &mut Disk::default());
    assert_eq!((log.base(), log.last_index(), log.last_term()), (Index(3), Index(5), Term(3)));
    assert_eq!((log.term_at(Index(3)), log.term_at(Index(2))), (Some(Term(2)), None));
    assert_eq!(log.chain_at(Index(5)), whole.chain_at(Index(5)));
    assert!(log.agrees_at(Index(1), Term(1)), "what is compacted is committed");
    assert!(!log.agrees_at(Index(4), Term(1)));
    assert_eq!(log.merge(Index(1), &entries(&[1, 2, 2]), &mut Disk::default()), Index(4), "an old message");
    assert_eq!(log.last_index(), Index(5));
    assert_eq!(log.hint(Index(4)), whole.hint(Index(4)));
}

#[test]
fn a_snapshot_of_a_prefix_keeps_what_follows_it() {
    let mut follower = log(&[1, 1, 2, 2]);
    let meta = snapshot_of(&follower, 2);
    let mut disk = Disk::default();
    follower.restore(&meta, &mut disk);
    assert_eq!((follower.base(), follower.commit(), follower.last_index()), (Index(2), Index(2), Index(4)));
    assert!(disk.facts.contains(&Fact::Restored { index: Index(2), term: Term(1), chain: meta.chain }));
}

#[test]
fn a_snapshot_that_conflicts_with_the_log_or_is_longer_replaces_it() {
    let meta = snapshot_of(&log(&[1, 2, 2, 2]), 3);
    for terms in [&[1, 1, 1, 1][..], &[1][..], &[][..]] {
        let mut follower = log(terms);
        follower.restore(&meta, &mut Disk::default());
        assert_eq!((follower.base(), follower.last_index()), (Index(3), Index(3)), "{terms:?}");
        assert_eq!((follower.last_term(), follower.last_chain()), (Term(2), meta.chain));
        assert_eq!(follower.commit(), Index(3));
    }
}

#[test]
fn commit_never_falls_and_is_stated_once() {
    let mut log = log(&[1, 1, 1]);
    let mut facts = Vec::new();
    for index in [2, 1, 2, 3] {
        log.commit_to(Index(index), &mut facts);
    }
    assert_eq!((log.commit(), facts.len()), (Index(3), 2));
}

#[test]
fn the_later_term_wins_a_vote_and_the_longer_log_among_equals() {
    let log = log(&[1, 2, 2]);
    assert!(log.is_covered_by(Term(3), Index(1)));
    assert!(log.is_covered_by(Term(2), Index(3)));
    assert!(!log.is_covered_by(Term(2), Index(2)));
    assert!(!log.is_covered_by(Term(1), Index(9)));
}

#[test]
fn a_hint_skips_a_whole_term() {
    // The paper's Figure 7 (f): terms 2 and 3 of the follower are nowhere in the leader's log.
    let follower = log(&[1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]);
    let leader = log(&[1, 1, 1, 4, 4, 5, 5, 6, 6, 6]);
    let hint = follower.hint(Index(10));
    assert_eq!(hint, Hint { term: Some(Term(3)), first_index: Index(7) });
    let next = leader.next_after(hint, Index(10));
    assert_eq!(next, Index(7));
    let hint = follower.hint(next.previous());
    assert_eq!(leader.next_after(hint, next.previous()), Index(4), "one question a term");
}

proptest! {
    #[test]
    fn backtracking_ends_at_a_common_entry_and_never_stands_still(
        common in 0_usize..20,
        mut ours in prop::collection::vec(1_u64..8, 20..40),
        mut theirs in prop::collection::vec(1_u64..8, 20..40),
    ) {
        // Each term has one leader: what follows the common part is of odd terms here and of even terms there.
        ours.sort_unstable();
        theirs.sort_unstable();
        for (ours, theirs) in ours.iter_mut().zip(&mut theirs).take(common) {
            (*ours, *theirs) = (1, 1);
        }
        ours.iter_mut().skip(common).for_each(|term| *term = *term * 2 + 1);
        theirs.iter_mut().skip(common).for_each(|term| *term *= 2);
        let (leader, follower) = (log(&ours), log(&theirs));
        let mut previous = leader.last_index();
        let mut steps = 0;
        while !follower.matches(previous, leader.term_at(previous).expect("previous is in the leader's log")) {
            let next = leader.next_after(follower.hint(previous), previous);
            prop_assert!(next <= previous, "{} after {}", next, previous);
            previous = next.previous();
            steps += 1;
        }
        prop_assert_eq!(previous, Index(common as u64));
        prop_assert!(steps <= 8, "{} steps for 7 terms a side", steps);
    }

    #[test]
    fn a_log_is_a_vector_with_chains(
        batches in prop::collection::vec((0_u64..30, prop::collection::vec(0_u64..2, 0..8)), 1..30),
    ) {
        let (mut log, mut twin) = (Log::new(voters()), Vec::new());
        for (term, (previous, steps)) in (1_u64..).zip(batches) {
            let previous = previous.min(twin.len() as u64);
            let mut batch = entries(&steps);
            for entry in &mut batch {
                entry.term = Term(term);
            }
            let matched = log.merge(Index(previous), &batch, &mut Disk::default());
            prop_assert_eq!(matched, Index(previous + batch.len() as u64));
            if !batch.is_empty() {
                twin.truncate(usize::try_from(previous).expect("short"));
                twin.extend(batch);
            }
            let rebuilt = Log::recover(&initial(), twin.clone(), &mut Vec::new());
            prop_assert_eq!(terms(&log), terms(&rebuilt));
            prop_assert_eq!(log.last_chain(), rebuilt.last_chain());
            prop_assert_eq!(&log.runs, &rebuilt.runs);
        }
    }
}

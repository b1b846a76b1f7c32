//! Raft gone wrong, one bug each. See [`crate::mutant`].

crate::mutants! {
    /// A leader commits entries of earlier terms by counting who has them.
    CommitPriorTerm = "commit-prior-term",
        breaks ["leader-completeness", "state-machine-safety"],
        source "paper §5.4.2, Figure 8";
    /// A voter does not look whether the candidate's log covers its own.
    NoUpToDateCheck = "no-up-to-date-check",
        breaks ["leader-completeness", "state-machine-safety"],
        source "paper §5.4.1";
    /// A leader answers reads without making sure that it still leads.
    StaleRead = "stale-read",
        breaks ["linearizability"],
        source "paper §8; dissertation §6.4";
}

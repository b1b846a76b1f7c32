//! The names of what the engine keeps: closed sets that index arrays.

use std::fmt;

use serde::Serialize;

/// Declares a closed set of names that index arrays.
macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($(#[$variant_doc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum $type {
            $($(#[$variant_doc])* #[serde(rename = $name)] $variant,)*
        }

        impl $type {
            /// All of them, in the order of their declaration.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name in reports, in kebab-case.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            pub(super) const fn index(self) -> usize {
                self as usize
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

names! {
    /// What is counted, from 0 at the start of the run.
    Counter {
        /// Messages that processes sent to other nodes.
        MessagesSent = "messages-sent",
        /// Messages that arrived at a running process, duplicates included.
        MessagesDelivered = "messages-delivered",
        /// Messages, requests and replies that were lost on their way, for whatever reason.
        MessagesDropped = "messages-dropped",
        /// Extra copies that a link made.
        MessagesDuplicated = "messages-duplicated",
        /// Sizes of the messages sent, in bytes.
        BytesSent = "bytes-sent",
        /// Timers that fired.
        TimersFired = "timers-fired",
        /// Requests that arrived at a running process.
        Requests = "requests",
        /// Replies that processes gave.
        Replies = "replies",
        /// Operations that clients invoked.
        OperationsInvoked = "operations-invoked",
        /// Operations that completed with an answer or a refusal.
        OperationsCompleted = "operations-completed",
        /// Operations that clients gave up with an unknown outcome.
        OperationsUnknown = "operations-unknown",
        /// Requests that clients sent again.
        Retries = "retries",
        /// Requests that clients sent elsewhere because they were told to.
        Redirects = "redirects",
        /// Records that processes wrote to disk.
        DiskWrites = "disk-writes",
        /// Syncs that completed.
        Syncs = "syncs",
        /// Nodes that crashed.
        Crashes = "crashes",
        /// Nodes that started again after a crash.
        Restarts = "restarts",
        /// Inputs that waited in the inbox of a node that crashed.
        InputsLost = "inputs-lost",
        /// Effects on the outside world.
        OutsideEffects = "outside-effects",
        /// Times that a process started to lead, or led in another epoch.
        LeadersElected = "leaders-elected",
        /// Times that a process started to try to lead.
        Candidacies = "candidacies",
        /// Commands that were applied.
        Commands = "commands",
        /// How far processes have known things to be decided: entries of a log, slots.
        Decided = "decided",
        /// Reads that were answered by a process that knew less to be decided than any did when they were asked.
        StaleReads = "stale-reads",
        /// Epochs that somebody campaigned for or led: terms, ballots, views.
        Epochs = "epochs",
        /// Epochs that were campaigned for, led by nobody, and followed by another one.
        EpochsWithoutLeader = "epochs-without-leader",
        /// Of these, the ones that several campaigned for.
        SplitVotes = "split-votes",
        /// Candidacies for a new epoch while a leader ran whose messages would have reached the candidate.
        CandidaciesDespiteLeader = "candidacies-despite-leader",
    }
}

names! {
    /// What goes up and down in the world as a whole.
    Gauge {
        /// Messages, requests and replies on their way, those that wait on held links included. There only where
        /// somebody asked for it: [`World::watch_flight`](crate::World::watch_flight).
        InFlight = "in-flight",
        /// Inputs that have arrived and wait for their node's processor.
        InboxDepth = "inbox-depth",
        /// Writes to disks that a crash could take back: not durable yet, or only said to be.
        UnsyncedWrites = "unsynced-writes",
        /// Operations that clients have invoked and neither completed nor given up.
        OperationsPending = "operations-pending",
        /// Nodes that have power, paused ones included. Its extremes are those after the start of the run.
        NodesUp = "nodes-up",
        /// 1 while nothing is decided because a leader was lost, else 0: see [`leadership`](crate::leadership). Its mean is
        /// the share of time without service.
        OutOfService = "out-of-service",
    }
}

names! {
    /// What takes a time, in true time.
    Latency {
        /// From invocation to completion of an operation that completed with an answer or a refusal: reads and writes.
        Operation = "operation",
        /// The same of the operations that only read.
        Read = "read",
        /// The same of all others.
        Write = "write",
        /// From the loss of a leader until another process has heard of the next one.
        NewLeader = "new-leader",
        /// From the loss of a leader until something is decided under another one.
        Outage = "outage",
        /// From when a process began to campaign until it led, where it did.
        Campaign = "campaign",
        /// From the restart of a node until it knew all to be decided that anybody did at its restart.
        CatchUp = "catch-up",
    }
}

impl Latency {
    /// What its samples are those of: itself, or others.
    pub const fn parts(self) -> &'static [Self] {
        match self {
            Self::Operation => &[Self::Read, Self::Write],
            Self::Read => &[Self::Read],
            Self::Write => &[Self::Write],
            Self::NewLeader => &[Self::NewLeader],
            Self::Outage => &[Self::Outage],
            Self::Campaign => &[Self::Campaign],
            Self::CatchUp => &[Self::CatchUp],
        }
    }
}

//! Why a message never reaches the handler it was meant for.

use std::fmt;

/// What ended a message; each drop is an event on the receiver's lane and says one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DropReason {
    /// Lost on its own.
    Loss = 0,
    /// Lost in a burst.
    Burst = 1,
    /// The link is cut, at the send or at the arrival.
    Cut = 2,
    /// The ends are parted, at the send or at the arrival.
    Partition = 3,
    /// The ends are not linked, and no usable path leads from one to the other.
    NoRoute = 4,
    /// Too much waits for the link's bandwidth.
    BufferFull = 5,
    /// The message is longer than the link takes.
    TooBig = 6,
    /// The checksum did not match.
    Corrupt = 7,
    /// The receiver is down when the message arrives. That alone decides: a node that was down at the send may be
    /// up again by then, and what a sender has sent before it went down still arrives.
    NodeDown = 8,
    /// The connection was reset: one of its ends restarted while the message was in flight.
    ConnectionReset = 9,
    /// The receiver's bounded inbox has no room.
    InboxFull = 10,
    /// The message was for an earlier incarnation of the receiver.
    OldIncarnation = 11,
    /// A plan dropped just this message.
    Targeted = 12,
}

impl DropReason {
    /// All reasons, by number.
    pub const ALL: [Self; 13] = [
        Self::Loss,
        Self::Burst,
        Self::Cut,
        Self::Partition,
        Self::NoRoute,
        Self::BufferFull,
        Self::TooBig,
        Self::Corrupt,
        Self::NodeDown,
        Self::ConnectionReset,
        Self::InboxFull,
        Self::OldIncarnation,
        Self::Targeted,
    ];

    /// The reason in kebab case, as traces and reports show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Burst => "burst",
            Self::Cut => "cut",
            Self::Partition => "partition",
            Self::NoRoute => "no-route",
            Self::BufferFull => "buffer-full",
            Self::TooBig => "too-big",
            Self::Corrupt => "corrupt",
            Self::NodeDown => "node-down",
            Self::ConnectionReset => "connection-reset",
            Self::InboxFull => "inbox-full",
            Self::OldIncarnation => "old-incarnation",
            Self::Targeted => "targeted",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

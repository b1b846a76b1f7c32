//! One record of the trace in 24 bytes.

use serde::{Deserialize, Serialize};

use crate::network::DropReason;
use crate::status::Power;
use crate::{ClientId, Endpoint, NodeId, OpId, SimTime, SyncId};

/// In place of an endpoint or a record number: there is none.
const NONE: u32 = u32::MAX;

/// What a record is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum TraceKind {
    /// A message arrived.
    Delivery,
    /// A message, request or reply was lost on its way, at the moment it was, on the receiver's lane.
    Drop,
    /// A timer fired.
    TimerFired,
    /// A sync of a disk completed.
    Durable,
    /// A client's request arrived at a node.
    Request,
    /// A node's reply arrived at a client.
    Reply,
    /// The handler of an input that had waited in the inbox ran.
    HandlerStart,
    /// A node started for the first time.
    Start,
    /// A node crashed.
    Crash,
    /// A node started again.
    Restart,
    /// A node was paused.
    Pause,
    /// A node went on after a pause.
    Resume,
    /// A command was applied; its note says which.
    Command,
}

impl TraceKind {
    /// How the host of the node stands after a record of this kind; `None` for what leaves it as it is.
    pub const fn power(self) -> Option<Power> {
        match self {
            Self::Start | Self::Restart | Self::Resume => Some(Power::Running),
            Self::Pause => Some(Power::Paused),
            Self::Crash => Some(Power::Down),
            Self::Delivery
            | Self::Drop
            | Self::TimerFired
            | Self::Durable
            | Self::Request
            | Self::Reply
            | Self::HandlerStart
            | Self::Command => None,
        }
    }
}

/// What becomes of a node's host: the kinds of record that have nothing but a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// It starts for the first time.
    Start,
    /// It crashes.
    Crash,
    /// It starts again.
    Restart,
    /// It is paused.
    Pause,
    /// It goes on after a pause.
    Resume,
}

/// What travelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A message of the protocol: its kind, an index into `Message::KINDS`.
    Message(u8),
    /// A client's request.
    Request,
    /// A node's reply.
    Reply,
}

/// One event, drop or command: when, where, and which earlier record caused it.
///
/// | kind | subject (whose lane) | peer | first byte | detail |
/// | --- | --- | --- | --- | --- |
/// | delivery | receiver | sender | message kind | |
/// | drop | receiver | sender | message kind | payload, reason |
/// | timer fired | owner | | | timer index |
/// | durable | node | | | sync (in the peer's place) |
/// | request | node | client | | ordinal of the operation, 24 bits |
/// | reply | client | node | | the same |
/// | command | node or client, if one is meant | | | |
/// | all others | node | | | |
///
/// There is no record of a send: a message leaves at the instant of the record that caused its arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    at: SimTime,
    cause: u32,
    subject: u32,
    peer: u32,
    kind: TraceKind,
    detail: [u8; 3],
}

/// Second byte of a drop's detail.
const MESSAGE: u8 = 0;
const REQUEST: u8 = 1;
const REPLY: u8 = 2;

/// A record's cause: the number of an earlier record; `None` for what came from outside.
pub type Cause = Option<u32>;

impl Record {
    /// A message of `message_kind` arrived at `to`.
    pub fn delivery(at: SimTime, cause: Cause, from: Endpoint, to: Endpoint, message_kind: u8) -> Self {
        Self::new(TraceKind::Delivery, at, cause).on(to).with_peer(from).with_detail([message_kind, 0, 0])
    }

    /// What `from` sent to `to` was lost.
    pub fn drop(
        at: SimTime,
        cause: Cause,
        from: Endpoint,
        to: Endpoint,
        payload: Payload,
        reason: DropReason,
    ) -> Self {
        let (kind, tag) = match payload {
            Payload::Message(kind) => (kind, MESSAGE),
            Payload::Request => (0, REQUEST),
            Payload::Reply => (0, REPLY),
        };
        Self::new(TraceKind::Drop, at, cause).on(to).with_peer(from).with_detail([kind, tag, reason as u8])
    }

    /// A timer of `owner` fired; `timer` is its index among the plain ones, `None` for one with a payload (and
    /// for an index above 254).
    pub fn timer_fired(at: SimTime, cause: Cause, owner: Endpoint, timer: Option<usize>) -> Self {
        let index = timer.and_then(|index| u8::try_from(index).ok()).unwrap_or(u8::MAX);
        Self::new(TraceKind::TimerFired, at, cause).on(owner).with_detail([index, 0, 0])
    }

    /// A sync of `node`'s disk completed.
    pub fn durable(at: SimTime, cause: Cause, node: NodeId, sync: SyncId) -> Self {
        Self { peer: sync.raw(), ..Self::new(TraceKind::Durable, at, cause).on(node.into()) }
    }

    /// The request of an operation arrived at `node`.
    pub fn request(at: SimTime, cause: Cause, node: NodeId, op: OpId) -> Self {
        Self::new(TraceKind::Request, at, cause).on(node.into()).with_peer(op.client.into()).with_ordinal(op)
    }

    /// The reply of `node` arrived at the client of an operation.
    pub fn reply(at: SimTime, cause: Cause, node: NodeId, op: OpId) -> Self {
        Self::new(TraceKind::Reply, at, cause).on(op.client.into()).with_peer(node.into()).with_ordinal(op)
    }

    /// `node` handles an input whose arrival was the record `cause`.
    pub fn handler_start(at: SimTime, cause: Cause, node: NodeId) -> Self {
        Self::new(TraceKind::HandlerStart, at, cause).on(node.into())
    }

    /// The host of `node` changed.
    pub fn lifecycle(at: SimTime, cause: Cause, node: NodeId, change: Lifecycle) -> Self {
        let kind = match change {
            Lifecycle::Start => TraceKind::Start,
            Lifecycle::Crash => TraceKind::Crash,
            Lifecycle::Restart => TraceKind::Restart,
            Lifecycle::Pause => TraceKind::Pause,
            Lifecycle::Resume => TraceKind::Resume,
        };
        Self::new(kind, at, cause).on(node.into())
    }

    /// A command was applied, to `target` if it is about one endpoint.
    pub fn command(at: SimTime, target: Option<Endpoint>) -> Self {
        let command = Self::new(TraceKind::Command, at, None);
        target.map_or(command, |target| command.on(target))
    }

    /// When.
    pub const fn at(&self) -> SimTime {
        self.at
    }

    /// What it is about.
    pub const fn kind(&self) -> TraceKind {
        self.kind
    }

    /// The number of the record that caused this one; `None` for what came from outside.
    pub const fn cause(&self) -> Cause {
        if self.cause == NONE { None } else { Some(self.cause) }
    }

    /// On whose lane it stands; `None` for a command about no single endpoint.
    pub const fn subject(&self) -> Option<Endpoint> {
        if self.subject == NONE { None } else { Some(Endpoint::from_raw(self.subject)) }
    }

    /// The other end: who sent what was delivered or dropped.
    pub const fn peer(&self) -> Option<Endpoint> {
        let is_sync = matches!(self.kind, TraceKind::Durable);
        if is_sync || self.peer == NONE { None } else { Some(Endpoint::from_raw(self.peer)) }
    }

    /// What travelled, of what arrived or was dropped.
    pub const fn payload(&self) -> Option<Payload> {
        match self.kind {
            TraceKind::Delivery => Some(Payload::Message(self.detail[0])),
            TraceKind::Request => Some(Payload::Request),
            TraceKind::Reply => Some(Payload::Reply),
            TraceKind::Drop => Some(self.dropped()),
            TraceKind::TimerFired
            | TraceKind::Durable
            | TraceKind::HandlerStart
            | TraceKind::Start
            | TraceKind::Crash
            | TraceKind::Restart
            | TraceKind::Pause
            | TraceKind::Resume
            | TraceKind::Command => None,
        }
    }

    /// Why it was dropped, of a drop.
    pub fn drop_reason(&self) -> Option<DropReason> {
        (self.kind == TraceKind::Drop).then(|| DropReason::ALL[usize::from(self.detail[2])])
    }

    /// The index of the timer that fired; `None` where it has a payload, and for other records.
    pub fn timer(&self) -> Option<usize> {
        let index = self.detail[0];
        (self.kind == TraceKind::TimerFired && index != u8::MAX).then_some(usize::from(index))
    }

    /// The sync that completed, of a durable record.
    pub fn sync(&self) -> Option<SyncId> {
        (self.kind == TraceKind::Durable).then(|| SyncId::new(self.peer))
    }

    /// The operation, of requests and replies. Ordinals above 16,777,215 come out as
    /// that.
    pub fn op(&self) -> Option<OpId> {
        let client: ClientId = match self.kind {
            TraceKind::Request => self.peer()?.client()?,
            TraceKind::Reply => self.subject()?.client()?,
            TraceKind::Delivery
            | TraceKind::Drop
            | TraceKind::TimerFired
            | TraceKind::Durable
            | TraceKind::HandlerStart
            | TraceKind::Start
            | TraceKind::Crash
            | TraceKind::Restart
            | TraceKind::Pause
            | TraceKind::Resume
            | TraceKind::Command => return None,
        };
        let [low, middle, high] = self.detail;
        Some(OpId { client, ordinal: u32::from_le_bytes([low, middle, high, 0]) })
    }

    /// Whether every part means something: a record that was read may be damaged.
    pub(crate) fn is_sound(&self) -> bool {
        self.kind != TraceKind::Drop || usize::from(self.detail[2]) < DropReason::ALL.len()
    }

    const fn dropped(&self) -> Payload {
        match self.detail[1] {
            MESSAGE => Payload::Message(self.detail[0]),
            REQUEST => Payload::Request,
            _ => Payload::Reply,
        }
    }

    /// The record in words, given the names of message kinds and plain timers: `n2 receives Vote from n1`.
    pub fn describe(&self, kinds: &[&str], timers: &[&str]) -> String {
        let name = |names: &[&str], index: usize| {
            names.get(index).map_or_else(|| index.to_string(), ToString::to_string)
        };
        let end = |end: Option<Endpoint>| end.map_or_else(String::new, |end| end.to_string());
        let (subject, peer) = (end(self.subject()), end(self.peer()));
        let what = match self.payload() {
            Some(Payload::Message(kind)) => name(kinds, usize::from(kind)),
            Some(Payload::Request) => "a request".to_owned(),
            Some(Payload::Reply) => "a reply".to_owned(),
            None => String::new(),
        };
        match self.kind {
            TraceKind::Delivery => format!("{subject} receives {what} from {peer}"),
            TraceKind::Request | TraceKind::Reply => {
                let op = self.op().map_or_else(String::new, |op| format!(" for {op}"));
                format!("{subject} receives {what}{op} from {peer}")
            }
            TraceKind::Drop => {
                let reason = self.drop_reason().map_or("unknown", DropReason::name);
                format!("{what} from {peer} to {subject} is dropped: {reason}")
            }
            TraceKind::TimerFired => match self.timer() {
                Some(index) => format!("{subject}: timer {} fires", name(timers, index)),
                None => format!("{subject}: a timer fires"),
            },
            TraceKind::Durable => format!("{subject}: a sync completes"),
            TraceKind::HandlerStart => format!("{subject} handles what waited"),
            TraceKind::Start => format!("{subject} starts"),
            TraceKind::Crash => format!("{subject} crashes"),
            TraceKind::Restart => format!("{subject} restarts"),
            TraceKind::Pause => format!("{subject} pauses"),
            TraceKind::Resume => format!("{subject} resumes"),
            TraceKind::Command => "a command".to_owned(),
        }
    }

    fn new(kind: TraceKind, at: SimTime, cause: Cause) -> Self {
        Self { at, cause: cause.unwrap_or(NONE), subject: NONE, peer: NONE, kind, detail: [0; 3] }
    }

    fn on(self, subject: Endpoint) -> Self {
        Self { subject: subject.raw(), ..self }
    }

    fn with_peer(self, peer: Endpoint) -> Self {
        Self { peer: peer.raw(), ..self }
    }

    fn with_detail(self, detail: [u8; 3]) -> Self {
        Self { detail, ..self }
    }

    fn with_ordinal(self, op: OpId) -> Self {
        let [low, middle, high, _] = op.ordinal.min((1 << 24) - 1).to_le_bytes();
        self.with_detail([low, middle, high])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: SimTime = SimTime::from_nanos(5);

    #[test]
    fn a_record_takes_24_bytes() {
        assert_eq!(size_of::<Record>(), 24);
    }

    #[test]
    fn a_drop_gives_back_everything_it_was_made_of() {
        let (from, to) = (Endpoint::from(NodeId::new(1)), Endpoint::from(ClientId::new(2)));
        for reason in DropReason::ALL {
            for payload in [Payload::Message(0), Payload::Message(255), Payload::Request, Payload::Reply] {
                let record = Record::drop(AT, Some(3), from, to, payload, reason);
                assert_eq!((record.at(), record.cause()), (AT, Some(3)));
                assert_eq!((record.subject(), record.peer()), (Some(to), Some(from)));
                assert_eq!((record.payload(), record.drop_reason()), (Some(payload), Some(reason)));
            }
        }
    }

    #[test]
    fn an_operation_is_found_in_all_four_of_its_records() {
        let (node, op) = (NodeId::new(0), OpId { client: ClientId::new(7), ordinal: 70_000 });
        let records = [Record::request(AT, None, node, op), Record::reply(AT, None, node, op)];
        for record in records {
            assert_eq!(record.op(), Some(op), "{record:?}");
        }
        assert_eq!(Record::handler_start(AT, None, node).op(), None);
    }

    #[test]
    fn syncs_and_timers_are_no_peers() {
        let node = NodeId::new(0);
        let durable = Record::durable(AT, None, node, SyncId::new(9));
        assert_eq!((durable.sync(), durable.peer()), (Some(SyncId::new(9)), None));
        let timer = |index| Record::timer_fired(AT, None, node.into(), index).timer();
        assert_eq!(
            [timer(Some(0)), timer(Some(254)), timer(Some(255)), timer(None)],
            [Some(0), Some(254), None, None]
        );
    }

    #[test]
    fn a_command_may_be_about_nobody() {
        assert_eq!(Record::command(AT, None).subject(), None);
        let client = Endpoint::from(ClientId::new(0));
        assert_eq!(Record::command(AT, Some(client)).subject(), Some(client));
    }
}

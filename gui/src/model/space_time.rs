//! What a space-time diagram shows of a stretch of time: a lane an endpoint, what happened there, and the messages between.

use std::ops::Range;

use sim_core::trace::{Payload, Record, Trace, TraceKind};
use sim_core::{ClientId, Endpoint, NodeId, SimTime};

use super::scale::Scale;

/// More things than this are not drawn one by one: their number is.
pub(crate) const THINGS_MAX: usize = 4_000;
/// In so many columns the number is told.
pub(crate) const COLUMNS: usize = 240;
/// No more records than this are looked at for it: of more, every so-manieth.
const COUNTED_MAX: usize = 200_000;
/// The same where each is looked at for whether it is wanted.
const SIFTED_MAX: usize = 10_000;

/// Whether a record, by its number, is wanted.
pub(crate) type Wanted<'a> = &'a dyn Fn(u32, &Record) -> bool;

/// A message, drawn from where it was sent to where it arrived or was lost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Arrow {
    pub(crate) record: u32,
    pub(crate) from: Endpoint,
    pub(crate) to: Endpoint,
    pub(crate) sent: SimTime,
    pub(crate) at: SimTime,
    pub(crate) payload: Payload,
    pub(crate) is_lost: bool,
}

/// Something that happened at one endpoint alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dot {
    pub(crate) record: u32,
    pub(crate) on: Endpoint,
    pub(crate) at: SimTime,
    pub(crate) kind: TraceKind,
}

/// What is shown.
#[derive(Debug, PartialEq)]
pub(crate) enum Content {
    /// Everything, one by one.
    Things { arrows: Vec<Arrow>, dots: Vec<Dot> },
    /// How much happened: of each lane, of each column, as a share of the most.
    Density(Vec<Vec<f32>>),
}

/// The lanes: these nodes, then so many clients.
pub(crate) fn lanes(nodes: Range<u32>, clients: u32) -> Vec<Endpoint> {
    let nodes = nodes.map(|node| NodeId::new(node).into());
    nodes.chain((0..clients).map(|client| ClientId::new(client).into())).collect()
}

/// Which of the lanes is that of an endpoint, if it has one.
pub(crate) fn lane_of(lanes: &[Endpoint], end: Endpoint) -> Option<usize> {
    let index = match (end.node(), end.client()) {
        (Some(node), _) => node.index().checked_sub(lanes.first()?.node()?.index())?,
        (None, Some(client)) => lanes.partition_point(|lane| lane.node().is_some()) + client.index(),
        (None, None) => return None,
    };
    (lanes.get(index) == Some(&end)).then_some(index)
}

/// What a trace has for a stretch of time, on these lanes; all of it, or what is wanted.
pub(crate) fn content(
    trace: &Trace,
    scale: Scale,
    lanes: &[Endpoint],
    wanted: Option<Wanted<'_>>,
) -> Content {
    let (first, end) = (trace.first_at(scale.first()), trace.first_at(scale.last()));
    if (end - first) as usize > THINGS_MAX {
        return Content::Density(density(trace, scale, lanes, first..end, wanted));
    }
    let mut arrows = Vec::new();
    let mut dots = Vec::new();
    // What was sent in this time may arrive later: as far as anything is looked at one by one.
    let later = u32::try_from(THINGS_MAX).unwrap_or(u32::MAX).min(trace.len() - end);
    let all = (first..end + later).zip(trace.range(first..end + later));
    for (record, what) in all.filter(|(record, what)| wanted.is_none_or(|wanted| wanted(*record, what))) {
        let arrow = arrow(trace, record, what);
        if arrow.is_none() && record < end {
            dots.extend(what.subject().map(|on| Dot { record, on, at: what.at(), kind: what.kind() }));
        }
        arrows.extend(arrow.filter(|arrow| arrow.sent <= scale.last()));
    }
    Content::Things { arrows, dots }
}

/// The message that a record is about, if it is one.
fn arrow(trace: &Trace, record: u32, what: &Record) -> Option<Arrow> {
    let (payload, from, to) = (what.payload()?, what.peer()?, what.subject()?);
    let sent = trace.sent_at(record).unwrap_or(what.at());
    Some(Arrow { record, from, to, sent, at: what.at(), payload, is_lost: what.kind() == TraceKind::Drop })
}

fn density(
    trace: &Trace,
    scale: Scale,
    lanes: &[Endpoint],
    records: Range<u32>,
    wanted: Option<Wanted<'_>>,
) -> Vec<Vec<f32>> {
    let mut counts = vec![vec![0_u32; COLUMNS]; lanes.len()];
    let most = if wanted.is_some() { SIFTED_MAX } else { COUNTED_MAX };
    let step = records.len().div_ceil(most).max(1);
    for number in records.step_by(step) {
        let record = trace.get(number).filter(|record| wanted.is_none_or(|wanted| wanted(number, record)));
        let Some(record) = record else { continue };
        let lane = record.subject().and_then(|on| lane_of(lanes, on));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a column of the screen"
        )]
        let column = (scale.place(record.at()) * COLUMNS as f64) as usize;
        if let Some(lane) = lane {
            counts[lane][column.min(COLUMNS - 1)] += 1;
        }
    }
    let most = counts.iter().flatten().copied().max().unwrap_or(0).max(1);
    #[expect(clippy::cast_precision_loss, reason = "a share of the screen")]
    let share = |count: u32| count as f32 / most as f32;
    counts.into_iter().map(|lane| lane.into_iter().map(share).collect()).collect()
}

/// What happened later because of a record, as far as it lies in a trace: numbers in order, the record itself first.
/// Looks at no more than `most` records.
pub(crate) fn causal_future(trace: &Trace, number: u32, most: u32) -> Vec<u32> {
    let mut future = vec![number];
    let end = trace.len().min(number.saturating_add(most));
    for (later, record) in (number + 1..end).zip(trace.range(number + 1..end)) {
        if record.cause().is_some_and(|cause| cause >= number && future.binary_search(&cause).is_ok()) {
            future.push(later);
        }
    }
    future
}

#[cfg(test)]
mod tests {

    use proptest::prelude::*;
    use sim_core::{NodeId, Span};

    use super::*;

    use crate::session::Session;
    use crate::testing;

    fn session(events: u64) -> Session {
        let mut session = testing::session("raft/steady", &[], 3);
        while session.simulation().events() < events {
            session.seek_events(events);
            session.on_frame(std::time::Duration::ZERO);
        }
        session
    }

    fn trace(session: &Session) -> &Trace {
        session.run().trace().expect("it is recorded")
    }

    #[test]
    fn every_message_that_was_on_its_way_is_an_arrow_and_nothing_else_is() {
        let session = session(2_000);
        let trace = trace(&session);
        let scale = Scale::new(SimTime::ZERO + Span::millis(300), SimTime::ZERO + Span::millis(400));
        let Content::Things { arrows, dots } = content(trace, scale, &[], None) else {
            panic!("so few are drawn")
        };
        let is_shown = |record: u32| arrows.iter().any(|arrow| arrow.record == record);
        for (number, record) in (0..trace.len()).zip(trace.iter()) {
            let sent = trace.sent_at(number).unwrap_or(record.at());
            let was_on_its_way = record.at() >= scale.first() && sent <= scale.last();
            let is_message = record.payload().is_some() && record.peer().is_some();
            assert_eq!(is_shown(number), is_message && was_on_its_way, "record {number}: {record:?}");
        }
        assert!(arrows.len() > 20 && dots.len() > 5, "{} arrows, {} dots", arrows.len(), dots.len());
    }

    #[test]
    fn what_is_not_wanted_is_neither_drawn_nor_counted() {
        let session = session(20_000);
        let [n1, n2]: [Endpoint; 2] = [0, 1].map(|node| NodeId::new(node).into());
        let wanted = |_: u32, record: &Record| record.subject() == Some(n1);
        let show = |scale| content(trace(&session), scale, &[n1, n2], Some(&wanted));
        let short = Scale::new(SimTime::ZERO + Span::millis(300), SimTime::ZERO + Span::millis(400));
        let Content::Things { arrows, dots } = show(short) else { panic!("so few are drawn") };
        assert!(arrows.iter().all(|arrow| arrow.to == n1) && dots.iter().all(|dot| dot.on == n1));
        assert!(arrows.len() > 5, "{} arrows", arrows.len());
        let Content::Density(lanes) = show(Scale::new(SimTime::ZERO, session.run().now())) else {
            panic!("these are many")
        };
        let is_empty = |lane: &[f32]| lane.iter().all(|share| *share == 0.0);
        assert_eq!([is_empty(&lanes[0]), is_empty(&lanes[1])], [false, true]);
    }

    #[test]
    fn where_too_much_happens_its_density_is_shown() {
        let session = session(20_000);
        let lanes: Vec<Endpoint> = (0..3).map(|node| NodeId::new(node).into()).collect();
        let scale = Scale::new(SimTime::ZERO, session.run().now());
        let Content::Density(lanes) = content(trace(&session), scale, &lanes, None) else {
            panic!("these are many")
        };
        assert_eq!(lanes.len(), 3);
        assert!(lanes.iter().flatten().any(|share| (*share - 1.0).abs() < f32::EPSILON));
        assert!(lanes.iter().flatten().all(|share| (0.0..=1.0).contains(share)));
    }

    proptest! {
        #[test]
        fn an_endpoint_has_the_lane_that_stands_for_it_and_no_other(
            first in 0_u32..5, nodes in 1_u32..5, clients in 0_u32..4, node in 0_u32..12, client in 0_u32..6,
        ) {
            let lanes = lanes(first..first + nodes, clients);
            for end in [Endpoint::from(NodeId::new(node)), ClientId::new(client).into()] {
                prop_assert_eq!(lane_of(&lanes, end), lanes.iter().position(|lane| *lane == end));
            }
        }
    }

    #[test]
    fn what_follows_from_a_record_has_it_in_its_past() {
        let session = session(2_000);
        let trace = trace(&session);
        let mut longest = 0;
        for record in 300..340 {
            let future = causal_future(trace, record, 1_000);
            longest = longest.max(future.len());
            for later in &future {
                assert!(
                    trace.causal_past(*later).contains(&record) || *later == record,
                    "{later} of {record}"
                );
            }
        }
        assert!(longest > 4, "{longest}");
    }
}

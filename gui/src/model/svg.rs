//! The space-time diagram as a picture file: what led to a moment, time from the top to the bottom, a lane an endpoint.

use std::fmt::Write as _;

use sim_core::trace::{Trace, TraceKind};
use sim_core::{Endpoint, SimTime, Simulation, Span};

use super::scale::{Scale, seconds};
use super::space_time::{Arrow, Content, Dot, content, lane_of};

/// Writing to a string cannot fail.
const WRITES: &str = "a string takes every text";
/// So many records before the moment are shown at most.
const RECORDS_MAX: u32 = 2_000;
/// Between two lanes, from the top to the first moment, from the left to the first lane, and for each record, in points.
const LANE: f64 = 110.0;
const TOP: f64 = 40.0;
const LEFT: f64 = 90.0;
const ROW: f64 = 9.0;

/// What led to `moment` on these lanes. `None` where nothing is recorded.
pub(crate) fn space_time(run: &dyn Simulation, lanes: &[Endpoint], moment: SimTime) -> Option<String> {
    let trace = run.trace()?;
    let last = trace.first_at(moment + Span::nanos(1));
    let first = last.saturating_sub(RECORDS_MAX);
    let from = trace.get(first).map_or(SimTime::ZERO, sim_core::trace::Record::at);
    let scale = Scale::new(from, moment);
    let Content::Things { arrows, dots } = content(trace, scale, lanes, None) else { return None };
    let rows = last - first + 2;
    let sheet =
        Sheet { scale, lanes, height: f64::from(rows) * ROW, told: &|record| told(run, trace, record) };
    Some(sheet.text(&arrows, &dots))
}

fn told(run: &dyn Simulation, trace: &Trace, record: u32) -> String {
    trace.get(record).map(|what| run.describe(what)).unwrap_or_default()
}

struct Sheet<'a> {
    scale: Scale,
    lanes: &'a [Endpoint],
    height: f64,
    told: &'a dyn Fn(u32) -> String,
}

impl Sheet<'_> {
    fn text(&self, arrows: &[Arrow], dots: &[Dot]) -> String {
        let count = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        let (width, height) = (LEFT + LANE * f64::from(count), self.height + 2.0 * TOP);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"sans-serif\" \
             font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        );
        for lane in self.lanes {
            let (x, end) = (self.x(*lane), TOP + self.height);
            writeln!(
                text,
                "<text x=\"{x:.1}\" y=\"24\" text-anchor=\"middle\" font-weight=\"bold\">{lane}</text>\
                 <line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{end:.1}\" stroke=\"#bbb\"/>"
            )
            .expect(WRITES);
        }
        let (ticks, unit) = self.scale.ticks(self.height / 80.0);
        for time in ticks {
            let y = self.y(time) + 4.0;
            writeln!(text, "<text x=\"4\" y=\"{y:.1}\" fill=\"#666\">{}</text>", unit.tell(time))
                .expect(WRITES);
        }
        for arrow in arrows {
            self.arrow(&mut text, arrow);
        }
        for dot in dots {
            self.dot(&mut text, dot);
        }
        let moment = seconds(self.scale.last());
        let y = TOP + self.height + 24.0;
        writeln!(text, "<text x=\"4\" y=\"{y:.1}\" fill=\"#666\">what led to {moment}</text>\n</svg>")
            .expect(WRITES);
        text
    }

    fn arrow(&self, text: &mut String, arrow: &Arrow) {
        let (from, to) = (self.x(arrow.from), self.x(arrow.to));
        let (sent, at) = (self.y(arrow.sent), self.y(arrow.at));
        let (stroke, dashes) =
            if arrow.is_lost { ("#d5501e", " stroke-dasharray=\"5 4\"") } else { ("#0072b2", "") };
        let title = escaped(&(self.told)(arrow.record));
        writeln!(
            text,
            "<line x1=\"{from:.1}\" y1=\"{sent:.1}\" x2=\"{to:.1}\" y2=\"{at:.1}\" stroke=\"{stroke}\"{dashes}>\
             <title>{title}</title></line><circle cx=\"{to:.1}\" cy=\"{at:.1}\" r=\"3\" fill=\"{stroke}\"/>"
        )
        .expect(WRITES);
    }

    fn dot(&self, text: &mut String, dot: &Dot) {
        let (x, y, title) = (self.x(dot.on), self.y(dot.at), escaped(&(self.told)(dot.record)));
        let fill = if dot.kind == TraceKind::Command { "#d5501e" } else { "#444" };
        writeln!(
            text,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\" fill=\"{fill}\"><title>{title}</title></circle>"
        )
        .expect(WRITES);
    }

    fn x(&self, end: Endpoint) -> f64 {
        let lane = lane_of(self.lanes, end).unwrap_or_default();
        LEFT + LANE * (f64::from(u32::try_from(lane).unwrap_or(u32::MAX)) + 0.5)
    }

    fn y(&self, time: SimTime) -> f64 {
        TOP + self.scale.place(time).clamp(0.0, 1.0) * self.height
    }
}

/// A text inside an element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

//! The space-time diagram as a drawing: time goes down, a lane a node, what happened in words on the right.
//!
//! Rows are spaced by their order, with some more room where much time passes: a drawing in true proportion has all of its
//! events on one another.

use std::fmt;

use scenarios::explain::{Arrow, Band, BandKind, Dot, Explanation, LineKind, Picture};
use scenarios::export::Clock;
use sim_core::SimTime;

use super::text::wrapped;

/// Where the first lane is.
const LEFT: f64 = 150.0;
/// How far lanes are apart.
const LANE: f64 = 96.0;
/// Where rows begin.
const TOP: f64 = 112.0;
/// How high a row is, with a line of words.
const ROW: f64 = 24.0;
/// How high each further line of words is.
const LINE: f64 = 14.0;
/// How wide the words are, and how many letters fit.
const WORDS: (f64, usize) = (760.0, 104);
/// How many lines of words a row has at most.
const LINES_MAX: usize = 3;
/// Where a lost message ends, as a part of its way.
const LOST_AT: f64 = 0.72;

const STYLE: &str = "\
text{font-family:ui-sans-serif,system-ui,'DejaVu Sans',sans-serif;font-size:12px;fill:#1f2933}\
.title{font-size:16px;font-weight:700}.small{font-size:10.5px;fill:#616e7c}.label{font-size:10.5px;fill:#52606d;paint-order:stroke;stroke:#ffffff;stroke-width:3px}.head{font-weight:700;font-size:13px}\
.lane{stroke:#9aa5b1;stroke-width:1.5}.guide{stroke:#e4e7eb;stroke-width:1}\
.message{stroke:#7b8794;stroke-width:1.3;fill:none}.chain{stroke:#0b69a3;stroke-width:2.4;fill:none}\
.lost{stroke:#c52707;stroke-width:1.5;stroke-dasharray:5 3;fill:none}.cross{stroke:#c52707;stroke-width:2}\
.fault{stroke:#de911d;stroke-width:1.4;stroke-dasharray:2 3}.faulttext{fill:#8d5400}\
.down{fill:#7b8794;fill-opacity:.32}.apart{fill:#f7c948;fill-opacity:.35}\
.dot{fill:#323f4b}.dotchain{fill:#0b69a3}.violation{fill:none;stroke:#c52707;stroke-width:3}.turning{fill:none;stroke:#de911d;stroke-width:2.5}.violationtext{fill:#c52707;font-weight:700}";

/// The drawing of an explanation.
pub(crate) struct Drawing<'a>(pub(crate) &'a Explanation);

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation { failure, picture, .. } = self.0;
        let page = Page::new(picture);
        let (width, height) = (page.width(), page.bottom + 64.0);
        writeln!(f, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
        writeln!(
            f,
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">"#
        )?;
        writeln!(f, "<title>{}</title>", Escaped(&format!("why {} is violated", failure.property)))?;
        writeln!(f, "<style>{STYLE}</style>")?;
        writeln!(f, r##"<rect width="100%" height="100%" fill="#ffffff"/>"##)?;
        let title = format!("{} is violated", failure.property);
        write_text(f, (24.0, 32.0), "title", &title)?;
        let evidence = failure.evidence.lines().next().unwrap_or_default();
        for (index, line) in wrapped(evidence, 150).iter().take(2).enumerate() {
            write_text(f, (24.0, 52.0 + 15.0 * small(index)), "small", line)?;
        }
        page.write(f)?;
        writeln!(f, "</svg>")
    }
}

/// Where everything is.
struct Page<'a> {
    picture: &'a Picture,
    /// The height of each dot.
    rows: Vec<f64>,
    /// Its words, in lines.
    words: Vec<Vec<String>>,
    bottom: f64,
}

impl<'a> Page<'a> {
    fn new(picture: &'a Picture) -> Self {
        let words: Vec<Vec<String>> = picture.dots.iter().map(words).collect();
        let mut rows = Vec::new();
        let mut y = TOP;
        let mut before: Option<&Dot> = None;
        for (dot, lines) in picture.dots.iter().zip(&words) {
            y += before.map_or(0.0, |before| room(dot.at_ns - before.at_ns));
            rows.push(y);
            y += if lines.is_empty() { ROW * 0.6 } else { ROW + LINE * small(lines.len() - 1) };
            before = Some(dot);
        }
        Self { picture, rows, words, bottom: y + 8.0 }
    }

    fn right(&self) -> f64 {
        LEFT + LANE * small(self.picture.lanes.len().saturating_sub(1))
    }

    fn width(&self) -> f64 {
        self.right() + 48.0 + WORDS.0
    }

    fn row(&self, dot: u32) -> f64 {
        self.rows[usize::try_from(dot).expect("a picture is small")]
    }

    /// The height of a time, between the rows around it.
    fn height(&self, at_ns: u64) -> f64 {
        let dots = &self.picture.dots;
        let next = dots.partition_point(|dot| dot.at_ns < at_ns);
        match (next.checked_sub(1), dots.get(next)) {
            (_, Some(dot)) if dot.at_ns == at_ns => self.rows[next],
            (None, _) => TOP - 14.0,
            (Some(_), None) => self.bottom,
            (Some(before), Some(dot)) => {
                let begin = dots[before].at_ns;
                let share = ratio(at_ns - begin, dot.at_ns - begin);
                self.rows[before] + share * (self.rows[next] - self.rows[before])
            }
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.picture.bands.iter().try_for_each(|band| self.write_band(f, band))?;
        for (dot, (y, words)) in self.picture.dots.iter().zip(self.rows.iter().zip(&self.words)) {
            self.write_guide(f, dot, *y, words)?;
        }
        for (lane, name) in (0..).zip(&self.picture.lanes) {
            let x = x_of(lane);
            line(f, "lane", (x, TOP - 14.0), (x, self.bottom))?;
            writeln!(
                f,
                r#"<text class="head" x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                TOP - 22.0,
                Escaped(name)
            )?;
        }
        self.picture.arrows.iter().try_for_each(|arrow| self.write_arrow(f, arrow))?;
        self.picture.dots.iter().zip(&self.rows).try_for_each(|(dot, y)| write_dot(f, dot, *y))?;
        self.write_legend(f)
    }

    fn write_band(&self, f: &mut fmt::Formatter<'_>, band: &Band) -> fmt::Result {
        let begin = self.height(band.from_ns);
        let end = band.to_ns.map_or(self.bottom, |to| self.height(to)).max(begin + 4.0);
        let (class, half) = match band.kind {
            BandKind::Host => ("down", 9.0),
            BandKind::Apart => ("apart", 20.0),
        };
        for lane in &band.lanes {
            let (x, width, height) = (x_of(*lane) - half, half * 2.0, end - begin);
            write!(
                f,
                r#"<rect class="{class}" x="{x:.1}" y="{begin:.1}" width="{width:.1}" height="{height:.1}">"#
            )?;
            writeln!(f, "<title>{}</title></rect>", Escaped(&band.label))?;
        }
        Ok(())
    }

    /// The time on the left, the words on the right, and what ties them to the dot.
    fn write_guide(&self, f: &mut fmt::Formatter<'_>, dot: &Dot, y: f64, words: &[String]) -> fmt::Result {
        if words.is_empty() {
            return Ok(());
        }
        let begin = dot.lane.map_or(LEFT - 30.0, x_of);
        let class = if dot.kind == LineKind::Fault { "fault" } else { "guide" };
        line(f, class, (begin, y), (self.right() + 34.0, y))?;
        let clock = Clock(SimTime::from_nanos(dot.at_ns)).to_string();
        write_text(f, (16.0, y + 4.0), "small", clock.trim())?;
        let class = match dot.kind {
            _ if dot.is_violation => "violationtext",
            LineKind::Fault | LineKind::Host => "faulttext",
            _ => "",
        };
        for (index, words) in words.iter().enumerate() {
            write_text(f, (self.right() + 40.0, y + 4.0 + LINE * small(index)), class, words)?;
        }
        Ok(())
    }

    fn write_arrow(&self, f: &mut fmt::Formatter<'_>, arrow: &Arrow) -> fmt::Result {
        let dots = &self.picture.dots;
        let lane = |dot: u32| dots[usize::try_from(dot).expect("a picture is small")].lane;
        let (Some(from), Some(to)) = (lane(arrow.from), lane(arrow.to)) else { return Ok(()) };
        let begin = (x_of(from), self.row(arrow.from));
        let end = (x_of(to), self.row(arrow.to));
        if arrow.is_lost {
            let along = |from: f64, to: f64| from + LOST_AT * (to - from);
            let end = (along(begin.0, end.0), along(begin.1, end.1));
            line(f, "lost", begin, end)?;
            line(f, "cross", (end.0 - 5.0, end.1 - 5.0), (end.0 + 5.0, end.1 + 5.0))?;
            line(f, "cross", (end.0 - 5.0, end.1 + 5.0), (end.0 + 5.0, end.1 - 5.0))?;
        } else {
            let class = if arrow.in_chain { "chain" } else { "message" };
            line(f, class, begin, end)?;
            head(f, if arrow.in_chain { "dotchain" } else { "dot" }, begin, end)?;
        }
        let middle = (f64::midpoint(begin.0, end.0), f64::midpoint(begin.1, end.1) - 4.0);
        writeln!(
            f,
            r#"<text class="label" x="{:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
            middle.0,
            middle.1,
            Escaped(&arrow.label)
        )
    }

    fn write_legend(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let y = self.bottom + 32.0;
        line(f, "chain", (24.0, y), (60.0, y))?;
        write_text(f, (68.0, y + 4.0), "small", "led to it")?;
        line(f, "message", (150.0, y), (186.0, y))?;
        write_text(f, (194.0, y + 4.0), "small", "message")?;
        line(f, "lost", (270.0, y), (306.0, y))?;
        write_text(f, (314.0, y + 4.0), "small", "lost")?;
        for (x, class, label) in [(370.0, "down", "down or paused"), (500.0, "apart", "cut off from some")] {
            writeln!(f, r#"<rect class="{class}" x="{x:.1}" y="{:.1}" width="24" height="16"/>"#, y - 8.0)?;
            write_text(f, (x + 32.0, y + 4.0), "small", label)?;
        }
        writeln!(f, r#"<circle class="violation" cx="660" cy="{y:.1}" r="8"/>"#)?;
        write_text(f, (676.0, y + 4.0), "small", "the failure")?;
        writeln!(f, r#"<circle class="turning" cx="772" cy="{y:.1}" r="7"/>"#)?;
        write_text(
            f,
            (788.0, y + 4.0),
            "small",
            "inevitable from here on; squares are timers; time is not to scale",
        )
    }
}

fn write_dot(f: &mut fmt::Formatter<'_>, dot: &Dot, y: f64) -> fmt::Result {
    let Some(lane) = dot.lane else { return Ok(()) };
    let x = x_of(lane);
    if dot.is_violation {
        writeln!(f, r#"<circle class="violation" cx="{x:.1}" cy="{y:.1}" r="10"/>"#)?;
    }
    if dot.is_turning {
        writeln!(f, r#"<circle class="turning" cx="{x:.1}" cy="{y:.1}" r="8"/>"#)?;
    }
    match dot.kind {
        LineKind::Timer => {
            writeln!(f, r#"<rect class="dot" x="{:.1}" y="{:.1}" width="8" height="8"/>"#, x - 4.0, y - 4.0)
        }
        LineKind::Loss => Ok(()),
        _ => writeln!(f, r#"<circle class="dot" cx="{x:.1}" cy="{y:.1}" r="4"/>"#),
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, at: (f64, f64), class: &str, text: &str) -> fmt::Result {
    writeln!(f, r#"<text class="{class}" x="{:.1}" y="{:.1}">{}</text>"#, at.0, at.1, Escaped(text))
}

/// Where a lane is.
fn x_of(lane: u32) -> f64 {
    LEFT + LANE * f64::from(lane)
}

/// What a dot says, in lines.
fn words(dot: &Dot) -> Vec<String> {
    let Some(label) = &dot.label else { return Vec::new() };
    let turning = if dot.is_turning { " (from here on nearly every future fails)" } else { "" };
    // The failure is in bold, which is wider.
    let width = if dot.is_violation { WORDS.1 - 12 } else { WORDS.1 };
    let mut lines = wrapped(&format!("{label}{turning}"), width);
    if lines.len() > LINES_MAX {
        lines.truncate(LINES_MAX);
        lines[LINES_MAX - 1].push('…');
    }
    lines
}

/// How much more room two rows have because of the time between them: more where it is more, never much.
fn room(nanos: u64) -> f64 {
    let digits = nanos.checked_ilog10().map_or(0, |log| log + 1);
    f64::from(digits.saturating_sub(5)) * 4.0
}

fn line(f: &mut fmt::Formatter<'_>, class: &str, from: (f64, f64), to: (f64, f64)) -> fmt::Result {
    let ((x1, y1), (x2, y2)) = (from, to);
    writeln!(f, r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#)
}

/// The head of an arrow, short of the dot.
fn head(f: &mut fmt::Formatter<'_>, class: &str, from: (f64, f64), to: (f64, f64)) -> fmt::Result {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = (dx * dx + dy * dy).sqrt().max(1.0);
    let (ux, uy) = (dx / length, dy / length);
    let tip = (to.0 - 4.0 * ux, to.1 - 4.0 * uy);
    let back = (tip.0 - 9.0 * ux, tip.1 - 9.0 * uy);
    let side = (-uy * 4.0, ux * 4.0);
    writeln!(
        f,
        r#"<polygon class="{class}" points="{:.1},{:.1} {:.1},{:.1} {:.1},{:.1}"/>"#,
        tip.0,
        tip.1,
        back.0 + side.0,
        back.1 + side.1,
        back.0 - side.0,
        back.1 - side.1
    )
}

#[expect(clippy::cast_precision_loss, reason = "places on a page")]
const fn small(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "places on a page")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// A text inside of XML: what would be markup is written as what stands for it, and what XML has no place for is left out.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&apos;")?,
                letter if letter.is_control() || ('\u{fffe}'..='\u{ffff}').contains(&letter) => {
                    f.write_str(" ")?;
                }
                letter => write!(f, "{letter}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_markup_is_escaped() {
        let text = Escaped("a<b> & \"c\" 'd'\u{1}\n").to_string();
        assert_eq!(text, "a&lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;  ");
    }

    #[test]
    fn a_thousand_times_the_time_has_little_more_room() {
        assert!(room(1_000_000_000) - room(1_000_000) < ROW);
        assert!(room(0) < room(1_000_000));
    }
}

//! What was counted and measured, over simulated time.

use egui::{Label, Rect, RichText, Role, ScrollArea, Ui, WidgetInfo, vec2};
use egui_plot::{HoverPosition, Line, Plot, PlotPoints, Points, VLine};
use sim_core::SimTime;

use super::look::{self, CHOSEN};
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::series::{Graph, Series};

/// What the panel keeps.
#[derive(Default)]
pub(crate) struct Kept {
    series: Series,
}

/// What mouse and keys do.
pub(crate) const HELP: &str = "Rates, latencies and levels between two samples, over simulated time; the line across is what is shown elsewhere. \
Press in a graph to go there, drag to move, Ctrl and scroll to zoom, double-press to see all.";

const HEIGHT: f32 = 130.0;
/// So few points are dots, too: one alone is no line.
const FEW: usize = 8;
/// How wide lines are.
const THIN: f32 = 1.5;
const WIDE: f32 = 3.0;
/// Two graphs stand side by side where there is so much room.
const WIDTH_OF_TWO: f32 = 620.0;

/// Shows the graphs.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let samples = scene.session.samples();
    desk.metrics.series.update(samples, scene.session.tip());
    let graphs: Vec<&Graph> = desk.metrics.series.graphs().collect();
    if graphs.is_empty() && scene.session.hindrance().is_some() {
        ui.weak("a recording keeps what was counted by its end, and nothing of how it came to that");
        return;
    }
    if graphs.is_empty() {
        ui.weak(format!("nothing was measured yet: press Play; a sample is taken every {}", samples.step()));
        return;
    }
    let columns = if ui.available_width() >= WIDTH_OF_TWO { 2 } else { 1 };
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for row in graphs.chunks(columns) {
            ui.columns(columns, |columns| {
                for (ui, graph) in columns.iter_mut().zip(row) {
                    show_graph(ui, scene, graph, intents);
                }
            });
        }
    });
}

fn show_graph(ui: &mut Ui, scene: &Scene<'_>, graph: &Graph, intents: &mut Vec<Intent>) {
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&graph.title).strong());
        if !graph.unit.is_empty() {
            ui.weak(graph.unit);
        }
        for (index, name) in graph.lines.keys().enumerate().filter(|_| graph.lines.len() > 1) {
            let sign = RichText::new(format!("■ {name}")).color(look::kind(index)).small();
            ui.add(Label::new(sign).extend());
        }
    });
    let size = vec2(ui.available_width(), HEIGHT);
    if !ui.is_rect_visible(Rect::from_min_size(ui.cursor().min, size)) {
        ui.allocate_space(size);
        return;
    }
    let (unit, playhead) = (graph.unit, scene.session.playhead());
    let plot = Plot::new(("metrics", &graph.title))
        .height(HEIGHT)
        .link_axis(ui.ctx().viewport_id().0.with("metrics"), [true, false])
        .allow_scroll(false)
        .allow_drag([true, false])
        .allow_zoom([true, false])
        .allow_boxed_zoom(false)
        .include_x(0.0)
        .include_y(0.0)
        .y_axis_min_width(40.0)
        .x_axis_formatter(|mark, _| format!("{} s", round(mark.value)))
        .label_formatter(move |hover| told(hover, unit));
    let shown = plot.show(ui, |plot| {
        for (index, (name, points)) in graph.lines.iter().enumerate() {
            let line = Line::new(name.clone(), PlotPoints::from(points.clone()));
            // The first is seen also where another lies over it.
            let width = if index == 0 { WIDE } else { THIN };
            plot.line(line.color(look::kind(index)).width(width));
            if points.len() <= FEW {
                let dots = Points::new(name.clone(), PlotPoints::from(points.clone()));
                plot.points(dots.color(look::kind(index)).radius(WIDE));
            }
        }
        plot.vline(VLine::new("", seconds(playhead)).color(CHOSEN).width(1.5));
        plot.pointer_coordinate()
    });
    let label = format!("{} over time", graph.title);
    shown.response.widget_info(|| WidgetInfo::labeled(Role::Canvas, true, &label));
    if let Some(place) = shown.inner.filter(|_| shown.response.clicked()) {
        intents.push(Intent::SeekTime(time(place.x)));
    }
}

fn told(hover: &HoverPosition<'_>, unit: &str) -> Option<String> {
    match hover {
        HoverPosition::NearDataPoint { plot_name, position, .. } if !plot_name.is_empty() => {
            Some(format!("{plot_name}: {} {unit}\n{} s", round(position.y), round(position.x)))
        }
        HoverPosition::NearDataPoint { .. } | HoverPosition::Elsewhere { .. } => None,
    }
}

/// With as many digits as say something.
fn round(value: f64) -> String {
    let digits = if value.abs() >= 100.0 { 0 } else { 3 };
    let text = format!("{value:.digits$}");
    if digits == 0 { text } else { text.trim_end_matches('0').trim_end_matches('.').to_owned() }
}

#[expect(clippy::cast_precision_loss, reason = "places in a graph")]
fn seconds(time: SimTime) -> f64 {
    time.as_nanos() as f64 / 1e9
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is clamped; places in a graph"
)]
fn time(seconds: f64) -> SimTime {
    SimTime::from_nanos((seconds * 1e9).clamp(0.0, 9e18) as u64)
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable;
    use sim_core::Span;

    use super::*;
    use crate::testing::panel;

    #[test]
    fn the_usual_graphs_are_there_and_a_press_goes_to_its_time() {
        let mut window = panel("raft/steady", "Metrics");
        for title in
            ["Throughput", "Latency: operation", "What waits", "Elections so far", "Messages an operation"]
        {
            let label = format!("{title} over time");
            assert!(window.query_by_label(&label).is_some(), "{label}");
        }
        let before = window.state().session.playhead();
        window.get_by_label("Throughput over time").click();
        window.run();
        let after = window.state().session.playhead();
        assert!(after < before && after > SimTime::ZERO + Span::millis(200), "{after}");
    }

    #[test]
    fn where_nothing_was_measured_yet_a_hint_says_so() {
        let mut window = panel("raft/steady", "Metrics");
        window.state_mut().session.restart(1);
        window.run();
        assert!(window.query_by_label_contains("nothing was measured yet").is_some());
    }

    #[test]
    fn numbers_are_told_with_the_digits_that_say_something() {
        assert_eq!([0.0, 0.25, 12.0, 1_234.5].map(round), ["0", "0.25", "12", "1234"]);
    }
}

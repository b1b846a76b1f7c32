//! What there is of a node beside its process: clocks against true time, timers, inbox, and what of its disk is durable.

use std::cmp::Ordering;

use egui::{Grid, RichText, Ui};
use sim_core::simulation::{ClockView, HostView, RegionView};
use sim_core::{SimTime, Span};

use super::Scene;
use super::look::UNUSUAL;
use crate::model::scale::seconds;

/// Shows it.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, host: &HostView) {
    let now = scene.session.simulation().now();
    Grid::new("host").num_columns(2).show(ui, |ui| {
        clocks(ui, &host.clock, now);
        if host.slow_percent != 100 {
            row(ui, "speed", &format!("{} % of the usual service time", host.slow_percent), true);
        }
        for timer in &host.timers {
            let due = timer.due.map_or_else(|| "its clock stands still".to_owned(), |due| soon(due, now));
            row(ui, &format!("timer {}", timer.name), &due, timer.due.is_none());
        }
        row(ui, "inbox", &format!("{} inputs wait", host.inbox.len()), !host.inbox.is_empty());
        for waiting in host.inbox.iter().take(8) {
            row(ui, "", &format!("{} from {}: {}", waiting.kind, waiting.from, waiting.text), false);
        }
        for region in &host.regions {
            row(ui, &format!("disk {}", region.region), &told(region), region.unsynced > 0);
        }
        for due in &host.syncs {
            let due = due.map_or_else(|| "stalled".to_owned(), |due| soon(due, now));
            row(ui, "sync", &due, false);
        }
    });
}

fn row(ui: &mut Ui, name: &str, value: &str, is_unusual: bool) {
    ui.weak(name);
    let text = RichText::new(value).monospace();
    ui.label(if is_unusual { text.color(UNUSUAL) } else { text });
    ui.end_row();
}

fn clocks(ui: &mut Ui, clock: &ClockView, now: SimTime) {
    let ahead = |local: u64| {
        let offset = Span::nanos(local.abs_diff(now.as_nanos()));
        match local.cmp(&now.as_nanos()) {
            Ordering::Equal => "shows true time".to_owned(),
            Ordering::Greater => format!("{offset} ahead of true time"),
            Ordering::Less => format!("{offset} behind true time"),
        }
    };
    let is_off = |local: u64| local != now.as_nanos();
    let (wall, monotonic) = (clock.wall.as_nanos(), clock.monotonic.as_nanos());
    row(ui, "wall clock", &ahead(wall), is_off(wall));
    row(ui, "monotonic clock", &ahead(monotonic), is_off(monotonic));
    if clock.is_frozen {
        row(ui, "drift", "both clocks stand still", true);
    } else if clock.drift_ppm != 0 {
        row(ui, "drift", &format!("{:+} ppm", clock.drift_ppm), true);
    }
}

/// When something is due, and how far off that is.
fn soon(due: SimTime, now: SimTime) -> String {
    if due < now {
        return format!("{}, overdue", seconds(due));
    }
    format!("{}, in {}", seconds(due), due.since(now))
}

/// What of a region is durable.
fn told(region: &RegionView) -> String {
    let kind = format!("{:?}", region.kind).to_lowercase();
    let places = |range: &std::ops::Range<u64>| range.end.saturating_sub(range.start);
    let (seen, durable) = (places(&region.seen), places(&region.durable));
    let unsynced = region.unsynced;
    if unsynced == 0 {
        return format!("{kind} of {seen}, all durable");
    }
    format!("{kind} of {seen}, {durable} durable; {unsynced} writes are not")
}

//! A tour of the window: a few steps, each with a frame around the part that it is about.

use std::collections::BTreeMap;

use egui::{
    Align2, Area, Color32, Context, Frame, Id, Key, Modifiers, Order, Pos2, Rect, RichText, Stroke,
    StrokeKind, Ui, Vec2, pos2, vec2,
};
use serde::{Deserialize, Serialize};

use super::look::CHOSEN;
use super::{Desk, PANELS};
use crate::command::Intent;

/// The row at the top, as a part of the window.
pub(crate) const BAR: &str = "bar";
/// The timeline at the bottom, as a part of the window.
pub(crate) const TIMELINE: &str = "timeline";

/// How wide the text is.
const WIDTH: f32 = 320.0;

/// What the tour keeps.
#[derive(Default)]
pub(crate) struct Kept {
    /// What is kept from one start of the program to the next.
    pub(crate) seen: Seen,
    stage: Stage,
    /// Where the parts of the window are, this frame.
    parts: BTreeMap<&'static str, Rect>,
}

/// Whether a person was asked already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// The tour was taken or declined.
    pub(crate) is_over: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Away,
    /// Somebody is asked whether to take it.
    Offered,
    Step(usize),
}

/// A step.
struct Step {
    /// The part of the window that it is about: the bar, the timeline or a panel by its name.
    part: &'static str,
    title: &'static str,
    text: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        part: BAR,
        title: "Let time pass",
        text: "Play (Space) lets simulated time pass, Step and Back (arrow keys) go by one event; the seed decides everything, and \
               another seed is another run.",
    },
    Step {
        part: "Cluster",
        title: "See it, break it",
        text: "Nodes and the messages between them: press a node to look into it, press the right button for what can be done to \
               it, and draw a line around some nodes to part them from the others.",
    },
    Step {
        part: TIMELINE,
        title: "Go back in time",
        text: "Press or drag here to go to any moment; what you do there begins a branch, and what was tried before is kept.",
    },
    Step {
        part: "Space-time",
        title: "Who caused what",
        text: "A lane for each node, a line for each message: press an event, and what led to it and what came of it stands out.",
    },
    Step {
        part: "Node",
        title: "Look inside",
        text: "The state of the selected node: its log, its timers, what is on its disk.",
    },
    Step {
        part: "Why",
        title: "Ask why",
        text: "Choose an event and press W: what led to it is told in sentences, and each sentence leads to its moment.",
    },
    Step {
        part: "Setup",
        title: "Change it",
        text: "All parameters of the scenario, and wrong variants of the protocol as switches; U runs seed after seed until \
               something breaks.",
    },
    Step {
        part: BAR,
        title: "Find everything else",
        text: "Find… (Ctrl+P) searches in all commands, panels and scenarios, and ? lists the keys. This tour is there, too.",
    },
];

/// What a person wants next.
enum Turn {
    Next,
    Back,
    End,
}

impl Kept {
    /// Asks whether to take it, unless that was asked before.
    pub(crate) fn offer(&mut self) {
        if !self.seen.is_over {
            self.stage = Stage::Offered;
        }
    }

    /// Goes to the first step.
    pub(crate) fn begin(&mut self) {
        (self.stage, self.seen.is_over) = (Stage::Step(0), true);
    }

    /// Whether a step is shown: keys are its then.
    pub(crate) fn is_on(&self) -> bool {
        matches!(self.stage, Stage::Step(_))
    }

    /// A frame begins: where parts of the window were is no longer known.
    pub(crate) fn forget_places(&mut self) {
        self.parts.clear();
    }

    /// Says where a part of the window is.
    pub(crate) fn mark(&mut self, part: &'static str, rect: Rect) {
        self.parts.insert(part, rect);
    }

    /// Where a part of the window is.
    #[cfg(test)]
    pub(crate) fn place(&self, part: &str) -> Option<Rect> {
        self.parts.get(part).copied()
    }

    fn turn(&mut self, turn: &Turn) {
        self.stage = match (turn, self.stage) {
            (Turn::Next, Stage::Step(step)) if step + 1 < STEPS.len() => Stage::Step(step + 1),
            (Turn::Next, Stage::Offered | Stage::Away) => Stage::Step(0),
            (Turn::Back, Stage::Step(step)) => Stage::Step(step.saturating_sub(1)),
            (Turn::Back, stage) => stage,
            (Turn::End, _) | (Turn::Next, Stage::Step(_)) => Stage::Away,
        };
        self.seen.is_over = true;
    }
}

/// Shows the step, if there is one.
pub(crate) fn show(ui: &Ui, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let kept = &mut desk.tour;
    let turn = match kept.stage {
        Stage::Away => None,
        Stage::Offered => offer(ui.ctx()),
        Stage::Step(step) => show_step(ui.ctx(), step, &kept.parts),
    };
    if let Some(turn) = turn {
        kept.turn(&turn);
        if let Stage::Step(step) = kept.stage {
            intents.extend(
                PANELS
                    .iter()
                    .any(|panel| panel.name == STEPS[step].part)
                    .then_some(Intent::Reveal(STEPS[step].part)),
            );
        }
    }
}

/// The question whether to take it.
fn offer(ctx: &Context) -> Option<Turn> {
    let area = Area::new(Id::unique("tour")).order(Order::Foreground);
    let area = area.anchor(Align2::CENTER_BOTTOM, vec2(0.0, -180.0)).show(ctx, |ui| {
        card(ui, ctx, |ui| {
            ui.strong("New here?");
            ui.label(format!("A tour shows what is where, in {} steps.", STEPS.len()));
            ui.horizontal(|ui| {
                if ui.button("Take the tour").clicked() {
                    return Some(Turn::Next);
                }
                ui.button("Not now").clicked().then_some(Turn::End)
            })
            .inner
        })
    });
    area.inner
}

fn show_step(ctx: &Context, step: usize, parts: &BTreeMap<&'static str, Rect>) -> Option<Turn> {
    let Step { part, title, text } = &STEPS[step];
    let (screen, part) = (ctx.content_rect(), parts.get(part).copied());
    if let Some(part) = part {
        spotlight(ctx, screen, part);
    }
    let size = vec2(WIDTH.min(screen.width() - 20.0), 130.0);
    let place = beside(screen, part, size);
    let area = Area::new(Id::unique("tour")).order(Order::Tooltip).fixed_pos(place).constrain_to(screen);
    let pressed = area.show(ctx, |ui| {
        card(ui, ctx, |ui| {
            ui.horizontal(|ui| {
                ui.strong(*title);
                ui.weak(format!("{} of {}", step + 1, STEPS.len()));
            });
            ui.label(*text);
            ui.horizontal(|ui| buttons(ui, step)).inner
        })
    });
    pressed.inner.or_else(|| key(ctx))
}

fn card<R>(ui: &mut Ui, ctx: &Context, add: impl FnOnce(&mut Ui) -> R) -> R {
    let frame = Frame::popup(ui.style()).stroke(Stroke::new(1.0, CHOSEN));
    frame
        .show(ui, |ui| {
            ui.set_max_width(WIDTH.min(ctx.content_rect().width() - 40.0));
            add(ui)
        })
        .inner
}

fn buttons(ui: &mut Ui, step: usize) -> Option<Turn> {
    let is_last = step + 1 == STEPS.len();
    let back =
        ui.add_enabled(step > 0, egui::Button::new("Previous")).on_hover_text("the step before (left arrow)");
    let next = ui.button(if is_last { "Done" } else { "Next" }).on_hover_text("go on (right arrow, Enter)");
    let skip = ui.add_enabled(!is_last, egui::Button::new("Skip")).on_hover_text("end the tour (Escape)");
    ui.weak(RichText::new("← → Esc").small());
    if back.clicked() {
        Some(Turn::Back)
    } else if next.clicked() {
        Some(Turn::Next)
    } else {
        skip.clicked().then_some(Turn::End)
    }
}

/// What keys say; where a button has the focus, all but Escape are its.
fn key(ctx: &Context) -> Option<Turn> {
    let is_free = ctx.memory(|memory| memory.focused().is_none());
    ctx.input_mut(|input| {
        let mut is_pressed = |key| input.consume_key(Modifiers::NONE, key);
        if is_free && (is_pressed(Key::ArrowRight) || is_pressed(Key::Enter)) {
            Some(Turn::Next)
        } else if is_free && is_pressed(Key::ArrowLeft) {
            Some(Turn::Back)
        } else {
            is_pressed(Key::Escape).then_some(Turn::End)
        }
    })
}

/// Darkens all but a part of the window, and frames that.
fn spotlight(ctx: &Context, screen: Rect, part: Rect) {
    let painter = ctx.layer_painter(egui::LayerId::new(Order::Foreground, Id::unique("spotlight")));
    let part = part.expand(2.0).intersect(screen);
    let around = [
        Rect::from_min_max(screen.min, pos2(screen.right(), part.top())),
        Rect::from_min_max(pos2(screen.left(), part.bottom()), screen.max),
        Rect::from_min_max(pos2(screen.left(), part.top()), part.left_bottom()),
        Rect::from_min_max(part.right_top(), pos2(screen.right(), part.bottom())),
    ];
    for rect in around.into_iter().filter(Rect::is_positive) {
        painter.rect_filled(rect, 0.0, Color32::from_black_alpha(110));
    }
    painter.rect_stroke(part, 4.0, Stroke::new(2.0, CHOSEN), StrokeKind::Inside);
}

/// Where a text of this size stands so that it hides as little as can be of a part.
fn beside(screen: Rect, part: Option<Rect>, size: Vec2) -> Pos2 {
    const GAP: f32 = 10.0;
    let Some(part) = part else { return screen.center() - size / 2.0 };
    let most = (screen.right() - size.x - GAP).max(screen.left() + GAP);
    let left = (part.center().x - size.x / 2.0).clamp(screen.left() + GAP, most);
    let top = part.center().y - size.y / 2.0;
    let places = [
        pos2(left, part.bottom() + GAP),
        pos2(left, part.top() - GAP - size.y),
        pos2(part.right() + GAP, top),
        pos2(part.left() - GAP - size.x, top),
    ];
    let fits = |place: &Pos2| screen.contains_rect(Rect::from_min_size(*place, size));
    places.into_iter().find(fits).unwrap_or(pos2(left, top))
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::testing::{app, digest, key, of, press, window};

    #[test]
    fn the_tour_goes_through_all_steps_and_opens_the_panels_that_it_tells_of() {
        let mut window = window("raft/steady");
        key(&mut window, Key::F1);
        for (place, step) in STEPS.iter().enumerate() {
            let count = format!("{} of {}", place + 1, STEPS.len());
            assert!(window.query_by_label(step.title).is_some(), "{}", step.title);
            assert!(window.query_by_label(&count).is_some());
            press(&mut window, if place + 1 == STEPS.len() { "Done" } else { "Next" });
        }
        assert!(!window.state().desk.tour.is_on());
    }

    #[test]
    fn the_tour_is_led_by_keys_and_they_move_nothing_else() {
        let mut window = window("raft/steady");
        let before = digest(&window);
        key(&mut window, Key::F1);
        key(&mut window, Key::ArrowRight);
        assert!(window.query_by_label("2 of 8").is_some());
        key(&mut window, Key::ArrowLeft);
        assert!(window.query_by_label("1 of 8").is_some());
        key(&mut window, Key::Escape);
        assert!(!window.state().desk.tour.is_on());
        assert_eq!(digest(&window), before);
    }

    #[test]
    fn it_is_offered_once() {
        let mut app = app("raft/steady");
        app.offer_tour();
        let mut window = of(app, vec2(1400.0, 900.0));
        press(&mut window, "Not now");
        assert!(window.query_by_label("New here?").is_none());
        window.state_mut().offer_tour();
        window.run();
        assert!(window.query_by_label("New here?").is_none());
    }

    #[test]
    fn the_text_stands_inside_of_the_window_and_not_on_the_part_if_there_is_room() {
        let screen = Rect::from_min_size(Pos2::ZERO, vec2(1400.0, 900.0));
        let size = vec2(320.0, 130.0);
        let parts = [
            Rect::from_min_size(Pos2::ZERO, vec2(1400.0, 60.0)),
            Rect::from_min_size(pos2(0.0, 700.0), vec2(1400.0, 200.0)),
            Rect::from_min_size(pos2(0.0, 60.0), vec2(460.0, 640.0)),
            Rect::from_min_size(pos2(900.0, 60.0), vec2(500.0, 840.0)),
        ];
        for part in parts {
            let text = Rect::from_min_size(beside(screen, Some(part), size), size);
            assert!(screen.contains_rect(text), "{text:?}");
            assert!(!text.intersects(part), "{text:?} hides {part:?}");
        }
    }
}

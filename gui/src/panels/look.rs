//! Colours. They say again what a shape or a word says; those of epochs are told apart by people who see few colours
//! (Okabe and Ito, 2008).

use egui::text::{LayoutJob, TextWrapping};
use egui::{
    Color32, Context, FontDefinitions, FontFamily, FontId, Painter, Pos2, Rect, Response, Rgba, TextStyle,
    Theme, Tooltip, Visuals, pos2,
};
use sim_core::status::{Power, Standing};

use crate::model::lanes::State;

/// All is well.
pub(crate) const GOOD: Color32 = Color32::from_rgb(0, 158, 115);
/// Something is amiss, but may be meant to.
pub(crate) const UNUSUAL: Color32 = Color32::from_rgb(214, 139, 0);
/// Something is wrong.
pub(crate) const BAD: Color32 = Color32::from_rgb(213, 80, 30);
/// What is selected, and what belongs to it.
pub(crate) const CHOSEN: Color32 = Color32::from_rgb(86, 150, 255);

/// Entries and lanes of one epoch share one; neighbouring epochs differ.
const EPOCHS: [Color32; 7] = [
    Color32::from_rgb(0, 114, 178),
    Color32::from_rgb(190, 120, 0),
    Color32::from_rgb(0, 138, 100),
    Color32::from_rgb(176, 92, 144),
    Color32::from_rgb(64, 150, 200),
    Color32::from_rgb(190, 84, 10),
    Color32::from_rgb(120, 120, 60),
];

/// The colour of an epoch.
#[expect(clippy::cast_possible_truncation, reason = "the remainder is below the length, a `usize`")]
pub(crate) const fn epoch(epoch: u64) -> Color32 {
    EPOCHS[(epoch % EPOCHS.len() as u64) as usize]
}

/// The colour of a role among equals: the same wherever it is shown.
fn role(name: &str) -> Color32 {
    epoch(name.bytes().fold(0, |hash: u64, byte| hash.wrapping_mul(31).wrapping_add(byte.into())))
}

/// What a host does, and its colour.
pub(crate) const fn power(power: Power) -> (&'static str, Color32) {
    match power {
        Power::Running => ("running", GOOD),
        Power::Paused => ("paused", UNUSUAL),
        Power::Down => ("down", BAD),
    }
}

/// The colour of a stretch of a lane, or of a node: strong for who leads, in that epoch's colour.
pub(crate) fn state(state: &State, visuals: &Visuals) -> Color32 {
    match (state.power, state.standing) {
        (Power::Down, _) => visuals.extreme_bg_color,
        (Power::Paused, _) => UNUSUAL.gamma_multiply(0.5),
        (Power::Running, Standing::Leader) => epoch(state.epoch),
        (Power::Running, Standing::Candidate) => epoch(state.epoch).gamma_multiply(0.65),
        (Power::Running, Standing::Follower) => epoch(state.epoch).gamma_multiply(0.35),
        (Power::Running, Standing::Peer) => role(state.role).gamma_multiply(0.6),
    }
}

/// The number of a kind of message that is known by name: the one that records have, where the simulation tells it.
pub(crate) fn kind_number(kinds: &[&str], name: &str) -> usize {
    let known = kinds.iter().position(|kind| *kind == name);
    known.unwrap_or_else(|| name.bytes().fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % 1_009))
}

/// Kinds of messages: the first few of a protocol have a colour of their own.
pub(crate) fn kind(index: usize) -> Color32 {
    EPOCHS[index % EPOCHS.len()]
}

/// How far a point is from a line between two.
pub(crate) fn distance([from, to]: [Pos2; 2], at: Pos2) -> f32 {
    let (along, to_point) = (to - from, at - from);
    let share = (to_point.dot(along) / along.length_sq().max(f32::EPSILON)).clamp(0.0, 1.0);
    at.distance(from + along * share)
}

/// How much of their colour weak texts have on a light ground: egui's are pale there.
const WEAK_ON_LIGHT: f32 = 0.8;
/// Beside a text in a bar.
const MARGIN: f32 = 3.0;
/// How large small texts are: what egui has is hard to read.
const SMALL: f32 = 11.0;

/// Has texts of any width use the signs that only the font of one width has, such as arrows, and small and weak ones be legible.
pub(crate) fn set_fonts(ctx: &Context) {
    ctx.all_styles_mut(|style| {
        style.text_styles.insert(TextStyle::Small, FontId::proportional(SMALL));
    });
    ctx.style_mut_of(Theme::Light, |style| style.visuals.weak_text_alpha = WEAK_ON_LIGHT);
    let mut fonts = FontDefinitions::default();
    let of = |family: FontFamily, fonts: &FontDefinitions| {
        fonts.families.get(&family).cloned().unwrap_or_default()
    };
    let others = of(FontFamily::Monospace, &fonts);
    let mut all = of(FontFamily::Proportional, &fonts);
    all.extend(others.into_iter().filter(|name| !of(FontFamily::Proportional, &fonts).contains(name)));
    fonts.families.insert(FontFamily::Proportional, all);
    ctx.set_fonts(fonts);
}

/// Above this luminance black is easier to read than white (WCAG 2.2, contrast ratio).
const LUMINANCE: f32 = 0.179;

/// Black or white, whichever is easier to read on a colour that is painted on the window's ground.
pub(super) fn on(fill: Color32, visuals: &Visuals) -> Color32 {
    let [red, green, blue, _] = Rgba::from(visuals.panel_fill.blend(fill)).to_array();
    let luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    if luminance > LUMINANCE { Color32::BLACK } else { Color32::WHITE }
}

/// Writes a line into a bar, from its left; what has no room ends with dots.
pub(super) fn write(painter: &Painter, bar: Rect, text: &str, size: f32, colour: Color32) {
    let mut job = LayoutJob::simple_singleline(text.to_owned(), FontId::proportional(size), colour);
    job.wrap = TextWrapping::truncate_at_width(bar.width() - 2.0 * MARGIN);
    let galley = painter.layout_job(job);
    let at = pos2(bar.left() + MARGIN, bar.center().y - galley.size().y / 2.0);
    painter.galley(at, galley, colour);
}

/// Tells what lies under the mouse, beside it. The place has an id of its own, as a menu of the picture has its.
pub(crate) fn tell(response: &Response, text: impl Into<String>) {
    let (ctx, id) = (response.ctx.clone(), response.id.with("told"));
    let place = Tooltip::always_open(ctx, response.layer_id, id, egui::PopupAnchor::Pointer).gap(14.0);
    place.show(|ui| ui.label(text.into()));
}

/// How often a node has been started, in words.
pub(super) fn starts(incarnation: u32) -> String {
    match incarnation {
        1 => "started once".to_owned(),
        times => format!("started {times} times"),
    }
}

/// So many of something: `1 node`, `2 nodes`.
pub(super) fn count(number: usize, of: &str) -> String {
    format!("{number} {of}{}", if number == 1 { "" } else { "s" })
}

//! Why something happened: its causal past as a story in sentences, as `splitbrain explain` tells it.

use egui::text::{LayoutJob, TextFormat};
use egui::{Button, Color32, FontId, RichText, ScrollArea, Ui};
use scenarios::explain::{Inquiry, Line, LineKind, Question, Story};
use sim_core::SimTime;

use super::look::{BAD, CHOSEN, UNUSUAL};
use super::{Desk, Scene};
use crate::command::Intent;
use crate::model::scale::seconds;
use crate::session::{BranchId, Session};

/// What mouse and keys do.
pub(crate) const HELP: &str = "Ask why the chosen event came, why a property was violated, or why a node stands as it does. Press a \
                               sentence of the answer to go to that moment.";

/// How many events of a run are gone through in a frame.
const FRAME_EVENTS: u64 = 20_000;

/// What the panel keeps.
#[derive(Default)]
pub(crate) struct Kept {
    asked: Option<Asked>,
    /// Whether the question that suggests itself is to be asked.
    is_wished: bool,
}

/// A question, and the answer as far as it is known.
struct Asked {
    /// In words.
    question: String,
    inquiry: Inquiry,
    /// About which run.
    run: (u64, u64, BranchId),
}

impl Kept {
    /// Asks the question that suggests itself: about the chosen event, else about the violation, else about the node.
    pub(crate) fn wish(&mut self) {
        self.is_wished = true;
    }

    fn ask(&mut self, (question, inquiry): (String, Question), session: &Session) {
        self.asked = Some(Asked { question, inquiry: session.inquire(inquiry), run: run_of(session) });
    }
}

/// What an answer is about: of another seed, scenario or branch it is none.
fn run_of(session: &Session) -> (u64, u64, BranchId) {
    (session.loaded().text_digest, session.seed(), session.tip())
}

/// Shows the question and the answer.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let kept = &mut desk.why;
    if kept.asked.as_ref().is_some_and(|asked| asked.run != run_of(scene.session)) {
        kept.asked = None;
    }
    questions(ui, scene, kept);
    ui.separator();
    let Some(asked) = &mut kept.asked else {
        ui.weak(
            "Choose an event in another panel and ask why it came, or ask why the selected node stands as it does. The answer is \
             what led to it, in sentences.",
        );
        return;
    };
    ui.strong(&asked.question);
    if !asked.inquiry.go_on(FRAME_EVENTS) {
        ui.horizontal(|ui| {
            ui.spinner();
            ui.weak(format!("computing… {} events", asked.inquiry.events()));
        });
        ui.ctx().request_repaint();
        return;
    }
    match asked.inquiry.story() {
        Some(story) => tell(ui, scene, story, intents),
        None => {
            ui.weak("there is nothing to tell: nothing has happened there yet");
        }
    }
}

fn questions(ui: &mut Ui, scene: &Scene<'_>, kept: &mut Kept) {
    let [event, violation] = [about_event(scene), about_violation(scene)];
    let mut wished = None;
    ui.horizontal_wrapped(|ui| {
        let mut offer = |name: String, question: Option<(String, Question)>, why_not: &str| {
            let button = ui.add_enabled(question.is_some(), Button::new(name));
            if button.on_disabled_hover_text(why_not).clicked() {
                wished.clone_from(&question);
            }
        };
        offer("Why this event?".to_owned(), event.clone(), "choose an event in another panel");
        offer("Why the violation?".to_owned(), violation.clone(), "nothing is violated yet");
        offer(format!("Why is {} like this?", scene.selected), Some(about_node(scene)), "");
    });
    if std::mem::take(&mut kept.is_wished) {
        wished = event.or(violation).or_else(|| Some(about_node(scene)));
    }
    if let Some(question) = wished {
        kept.ask(question, scene.session);
    }
}

fn about_event(scene: &Scene<'_>) -> Option<(String, Question)> {
    let run = scene.session.run();
    let number = scene.chosen?.record;
    let record = run.trace()?.get(number)?;
    Some((format!("Why: {}?", run.describe(record)), Question::Record(number)))
}

fn about_violation(scene: &Scene<'_>) -> Option<(String, Question)> {
    let first = scene.session.violations().next()?;
    Some((format!("Why is {} violated?", first.property), scene.session.question(first)))
}

fn about_node(scene: &Scene<'_>) -> (String, Question) {
    let (node, status) = (scene.selected, scene.statuses[scene.selected.index()]);
    let stands = match status.process {
        Some(process) => format!("{}, epoch {}", process.role, process.epoch),
        None => "down".to_owned(),
    };
    let events = scene.session.simulation().events();
    let time = seconds(scene.session.playhead());
    (format!("Why is {node} {stands}, at {time}?"), Question::Stands { node, events })
}

fn tell(ui: &mut Ui, scene: &Scene<'_>, story: &Story, intents: &mut Vec<Intent>) {
    let events = scene.session.simulation().events();
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        for line in &story.lines {
            let sentence = Button::selectable(line.event == events, sentence(ui, line)).wrap();
            let chain =
                if line.in_chain { "\nPart of the chain, each step caused by the one before." } else { "" };
            if ui.add(sentence).on_hover_text(format!("go to event {}{chain}", line.event)).clicked() {
                intents.push(Intent::SeekEvents(line.event));
            }
        }
        ui.separator();
        let depends = format!("It depends on {} events.", story.depends_on);
        let folded = story.folded_text();
        let folded = if folded.is_empty() { folded } else { format!(" Not told: {folded}.") };
        ui.label(RichText::new(format!("{depends}{folded}")).weak().small());
    });
}

/// `1.250 s  fault  n2 crashes`: the chain in full colour, the rest beside it.
fn sentence(ui: &Ui, line: &Line) -> LayoutJob {
    let visuals = ui.visuals();
    let body = egui::TextStyle::Body.resolve(ui.style());
    let mono = FontId::monospace(body.size * 0.85);
    let plain =
        |font: &FontId, color: Color32| TextFormat { font_id: font.clone(), color, ..TextFormat::default() };
    let mut job = LayoutJob::default();
    job.append(&millis(line.at_ns), 0.0, plain(&mono, visuals.weak_text_color()));
    job.append(line.kind.name(), 8.0, plain(&body, colour(line.kind).unwrap_or(visuals.weak_text_color())));
    let is_main = line.in_chain || line.kind == LineKind::Violation;
    let color = if is_main { visuals.strong_text_color() } else { visuals.text_color() };
    job.append(&line.text, 8.0, plain(&body, color));
    job
}

const fn colour(kind: LineKind) -> Option<Color32> {
    match kind {
        LineKind::Violation | LineKind::Loss => Some(BAD),
        LineKind::Fault | LineKind::Host => Some(UNUSUAL),
        LineKind::Asked | LineKind::Client => Some(CHOSEN),
        LineKind::Message | LineKind::Timer | LineKind::Local | LineKind::Meanwhile => None,
    }
}

/// `1.250 s`.
fn millis(nanos: u64) -> String {
    let micros = SimTime::from_nanos(nanos).as_nanos() / 1_000;
    format!("{}.{:06} s", micros / 1_000_000, micros % 1_000_000)
}

#[cfg(test)]
mod tests {
    use egui_kittest::kittest::Queryable;

    use crate::testing::{Window, panel, press};

    /// Lets frames pass until the answer is there.
    fn answered(window: &mut Window) {
        for _ in 0..2_000 {
            window.step();
            if window.query_by_label_contains("computing").is_none() {
                return;
            }
        }
        panic!("no answer comes");
    }

    #[test]
    fn a_node_that_leads_is_told_by_its_election_and_a_sentence_goes_there() {
        let mut window = panel("raft/steady", "Why");
        let leads = |status: &sim_core::status::NodeStatus| {
            status.process.is_some_and(|process| process.standing == sim_core::status::Standing::Leader)
        };
        let leader = window.state().statuses.iter().position(leads).expect("somebody leads after a second");
        window.state_mut().selected = sim_core::NodeId::new(u32::try_from(leader).expect("few"));
        window.run_steps(2);
        press_stepping(&mut window, &format!("Why is n{} like this?", leader + 1));
        answered(&mut window);
        let sentence = format!("n{} becomes leader", leader + 1);
        let before = window.state().session.simulation().events();
        window.get_by_label_contains(&sentence).click();
        window.run_steps(3);
        let after = window.state().session.simulation().events();
        assert!(after < before && after > 0, "{after} of {before}");
    }

    fn press_stepping(window: &mut Window, label: &str) {
        window.get_by_label(label).click();
        window.run_steps(2);
    }

    #[test]
    fn what_cannot_be_asked_is_grey_and_the_panel_says_what_to_do() {
        let mut window = panel("raft/steady", "Why");
        assert!(window.query_by_label_contains("Choose an event").is_some());
        press(&mut window, "Why the violation?");
        assert!(window.query_by_label_contains("Choose an event").is_some());
    }

    #[test]
    fn the_chosen_event_is_the_one_that_is_asked_about() {
        let mut window = panel("raft/leader-crash", "Why");
        let trace = window.state().session.run().trace().expect("it is recorded");
        let record = trace.len() / 2;
        let told = window.state().session.run().describe(trace.get(record).expect("it is there"));
        window.state_mut().choose(Some(record));
        window.run_steps(2);
        press_stepping(&mut window, "Why this event?");
        answered(&mut window);
        assert!(window.query_by_label(&format!("Why: {told}?")).is_some());
        assert!(window.query_by_label_contains("It depends on").is_some());
    }
}

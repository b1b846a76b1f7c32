//! All nodes and what is on its way between them. Nodes can be pressed, moved, parted by drawing a line around some, and
//! have a menu. What is drawn is in `picture.rs`.

use std::collections::{BTreeMap, BTreeSet};

use egui::{PointerButton, Pos2, Response, Sense, Shape, Stroke, Ui};
use sim_core::simulation::{ClockView, InFlight};
use sim_core::{ClientId, Endpoint, NodeId, SimTime};

use super::look::{self, CHOSEN};
use super::picture::{FLIGHTS_MAX, NAMED_MAX, Picture, legend};
use super::{Desk, Scene, acts};
use crate::command::Intent;
use crate::model::apart::apart;
use crate::model::force::{self, Force};
use crate::model::layout::Layout;
use crate::model::links::{self, Ends, Line};
use crate::model::regions::Regions;
use crate::session::BranchId;

/// Above so many nodes they are not asked for lines to others.
const TOLD_MAX: usize = 200;

/// What lies at a place of the picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Hit {
    Node(NodeId),
    Client(ClientId),
    /// Something that is on its way.
    Flight(InFlight),
    /// The line between two nodes, the first the one with the smaller number.
    Link(Endpoint, Endpoint),
    #[default]
    Nothing,
}

/// What the picture keeps.
#[derive(Default)]
pub(crate) struct Kept {
    layout: Layout,
    /// Nodes that somebody has moved, until another layout is chosen.
    moved: BTreeMap<NodeId, [f32; 2]>,
    force: Option<Force>,
    /// What the menu is about.
    pressed: Hit,
    /// What the mouse is drawing.
    drag: Drag,
    /// What is on its way, and the moment for which that was asked.
    flights: Vec<InFlight>,
    /// The lines that processes tell of, where nodes are not too many.
    lines: BTreeMap<Ends, Line>,
    /// What the clocks of few nodes show at that moment.
    clocks: Vec<Option<ClockView>>,
    asked: Option<(BranchId, u64, SimTime)>,
    /// The kinds of what is on its way.
    travelling: Vec<&'static str>,
    /// The kinds of what has been on its way, for the legend.
    kinds: BTreeSet<(usize, &'static str)>,
}

/// What a mouse that is held down does.
#[derive(Clone, Debug, Default, PartialEq)]
enum Drag {
    #[default]
    Nothing,
    /// It moves a node.
    Node(NodeId),
    /// It draws a line around nodes.
    Lasso(Vec<Pos2>),
}

/// What mouse and keys do.
pub(crate) const HELP: &str = "Press a node to look into it, press with the other button for what can be done to it, drag it to another place. \
Draw a line around some nodes to part them from the others.";

/// Shows the picture.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let kept = &mut desk.cluster;
    kept.ask(scene);
    let regions = Regions::of(scene.session.scenario());
    ui.horizontal_wrapped(|ui| choose(ui, kept, regions.as_ref()));
    legend(ui, scene.session.simulation().message_kinds(), &kept.kinds, &kept.travelling);
    kept.settle(ui, scene);
    let (response, painter) = ui.allocate_painter(ui.available_size(), Sense::click_and_drag());
    let simulation = scene.session.simulation();
    let clients = scene.session.scenario().clients.total() as usize;
    let mut places = kept.layout.places(scene.statuses.len(), clients, kept.force.as_ref(), regions.as_ref());
    for (node, place) in &kept.moved {
        places.nodes.get_mut(node.index()).into_iter().for_each(|old| *old = *place);
    }
    let apart = apart(simulation.plan(), scene.session.playhead());
    let picture = Picture::new(painter, response.rect, places, apart, scene, &kept.flights);
    let menu = response.context_menu(|ui| {
        acts::menu(ui, scene, &kept.pressed, intents);
    });
    let hovered = response.hover_pos().filter(|_| kept.drag == Drag::Nothing && menu.is_none());
    let hit = hovered.map_or(Hit::Nothing, |hovered| hit(&picture, &kept.flights, hovered));
    picture.draw(ui, scene, &kept.lines, &kept.flights, regions.as_ref(), &hit);
    picture.dials(ui.visuals(), simulation.now(), &kept.clocks);
    drag(ui, &response, &picture, scene, kept, intents);
    press(&response, &picture, scene, kept, intents);
    if let Some(text) = told(scene, &picture, &hit) {
        look::tell(&response, text);
    }
}

/// The layouts, to choose one.
fn choose(ui: &mut Ui, kept: &mut Kept, regions: Option<&Regions>) {
    for (layout, name) in Layout::ALL {
        let is_there = layout != Layout::Regions || regions.is_some();
        let row = egui::Button::selectable(kept.layout == layout, name);
        let response = ui.add_enabled(is_there, row).on_hover_text(match layout {
            Layout::Ring => "nodes on a circle",
            Layout::Grid => "nodes in rows",
            Layout::Force => "who has exchanged messages lately is drawn together",
            Layout::Regions => "nodes by region, zone or rack; regions as far apart as messages take",
        });
        let response = response
            .on_disabled_hover_text("this scenario names no regions, zones or racks that nodes stand in");
        if response.clicked() {
            kept.layout = layout;
            kept.force = None;
            kept.moved.clear();
            ui.close();
        }
    }
}

impl Kept {
    /// What is on its way takes a look at all that is pending, so it is asked once a moment.
    fn ask(&mut self, scene: &Scene<'_>) {
        let simulation = scene.session.simulation();
        let now = (scene.session.tip(), simulation.events(), simulation.now());
        if self.asked != Some(now) {
            self.asked = Some(now);
            self.flights = simulation.in_flight();
            let told = if scene.statuses.len() <= TOLD_MAX { scene.statuses.len() } else { 0 };
            self.lines = links::lines(simulation, told);
            let few = if scene.statuses.len() <= NAMED_MAX { scene.statuses.len() } else { 0 };
            let nodes = (0_u32..).take(few).map(NodeId::new);
            self.clocks = nodes.map(|node| Some(simulation.host(node)?.clock)).collect();
            let known = simulation.message_kinds();
            self.travelling.clear();
            for flight in &self.flights {
                if !self.travelling.contains(&flight.kind) {
                    self.travelling.push(flight.kind);
                }
            }
            self.kinds.extend(self.travelling.iter().map(|name| (look::kind_number(known, name), *name)));
        }
    }

    /// Lets nodes find their places, where forces arrange them.
    fn settle(&mut self, ui: &Ui, scene: &Scene<'_>) {
        if self.layout != Layout::Force {
            return;
        }
        let count = scene.statuses.len();
        if self.force.as_ref().is_none_or(|force| force.count() != count) {
            let pairs = scene.session.run().trace().map(force::pairs).unwrap_or_default();
            self.force = Some(Force::new(count, &pairs));
        }
        if self.force.as_mut().is_some_and(Force::go_on) {
            ui.ctx().request_repaint();
        }
    }
}

fn press(
    response: &Response,
    picture: &Picture,
    scene: &Scene<'_>,
    kept: &mut Kept,
    intents: &mut Vec<Intent>,
) {
    if !response.clicked() && !response.secondary_clicked() {
        return;
    }
    let at = response.interact_pointer_pos();
    let hit = at.map_or(Hit::Nothing, |at| hit(picture, &kept.flights, at));
    if let Hit::Node(node) = hit
        && node != scene.selected
    {
        intents.push(Intent::Select(node));
    }
    if response.secondary_clicked() {
        kept.pressed = hit;
    }
}

/// A drag that begins on a node moves it, one that begins on empty ground draws a line around nodes.
fn drag(
    ui: &Ui,
    response: &Response,
    picture: &Picture,
    scene: &Scene<'_>,
    kept: &mut Kept,
    intents: &mut Vec<Intent>,
) {
    if response.drag_started_by(PointerButton::Primary) {
        let origin = ui.input(|input| input.pointer.press_origin());
        let node = origin.and_then(|at| picture.node_at(at));
        kept.drag = node.map_or(Drag::Lasso(Vec::new()), Drag::Node);
    }
    if response.dragged_by(PointerButton::Primary) {
        let at = response.interact_pointer_pos();
        match &mut kept.drag {
            Drag::Nothing => {}
            Drag::Node(node) => kept.moved.extend(at.map(|at| (*node, picture.place_of(at)))),
            Drag::Lasso(line) => {
                let is_new = |at: &Pos2| line.last().is_none_or(|last| last.distance(*at) > 3.0);
                line.extend(at.filter(is_new));
                lasso(picture, line);
            }
        }
    } else if response.drag_stopped() {
        if let Drag::Lasso(line) = std::mem::take(&mut kept.drag) {
            let inside = inside(picture, &line);
            intents.extend(scene.partition(&inside).and_then(|command| scene.act(command)));
        }
        ui.ctx().request_repaint();
    }
}

/// The line that is being drawn, and whom it holds.
fn lasso(picture: &Picture, line: &[Pos2]) {
    picture.painter.add(Shape::closed_line(line.to_vec(), Stroke::new(2.0, CHOSEN)));
    for node in inside(picture, line) {
        let stroke = Stroke::new(2.0, CHOSEN);
        picture.painter.circle_stroke(picture.node(node.index()), picture.size() + 5.0, stroke);
    }
}

/// The nodes inside a line.
fn inside(picture: &Picture, line: &[Pos2]) -> Vec<NodeId> {
    let ids = (0_u32..).take(picture.places.nodes.len()).map(NodeId::new);
    ids.filter(|id| contains(line, picture.node(id.index()))).collect()
}

/// What lies here: what is small first, as it lies on top.
fn hit(picture: &Picture, flights: &[InFlight], at: Pos2) -> Hit {
    let flight = || {
        let drawn = picture.flying.iter().take(FLIGHTS_MAX);
        let distance = |place: &Option<Pos2>| place.map_or(f32::INFINITY, |place| place.distance(at));
        nearest(drawn.map(distance), 6.0).map(|index| flights[index])
    };
    picture
        .node_at(at)
        .map(Hit::Node)
        .or_else(|| flight().map(Hit::Flight))
        .or_else(|| picture.client_at(at).map(Hit::Client))
        .or_else(|| picture.link_at(at).map(|[one, other]| Hit::Link(one, other)))
        .unwrap_or_default()
}

/// What lies under the mouse, in words.
fn told(scene: &Scene<'_>, picture: &Picture, hit: &Hit) -> Option<String> {
    match hit {
        Hit::Node(node) => {
            let status = &scene.statuses[node.index()];
            let host = match picture.apart.slow.get(node) {
                Some(percent) => {
                    format!("{}, takes {percent} % of the usual time", look::power(status.power).0)
                }
                None => look::power(status.power).0.to_owned(),
            };
            let process = status.process.map_or_else(String::new, |process| {
                let leader = process.leader.map_or_else(|| "nobody".to_owned(), |leader| leader.to_string());
                format!(
                    "\n{} in epoch {}, follows {leader}\nknows all up to {} to be decided",
                    process.role, process.epoch, process.commit
                )
            });
            Some(format!("{node}, {host}, {}{process}", look::starts(status.incarnation)))
        }
        Hit::Flight(flight) => {
            let when = match flight.due {
                Some(due) => format!("arrives at {due}"),
                None => "the link is held".to_owned(),
            };
            let text = scene.session.simulation().describe_flight(flight)?;
            Some(format!("{} to {}: {text}\n{when}", flight.id.from, flight.id.to))
        }
        Hit::Client(client) => Some(format!("client {client}")),
        Hit::Link(one, other) => Some(format!("the link between {one} and {other}")),
        Hit::Nothing => None,
    }
}

/// The place of the smallest distance, if it is not above `most`.
pub(super) fn nearest(distances: impl Iterator<Item = f32>, most: f32) -> Option<usize> {
    let near = distances.enumerate().filter(|(_, distance)| *distance <= most);
    near.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(index, _)| index)
}

/// Whether a point lies inside a closed line: a ray from it crosses the line an odd number of times.
fn contains(line: &[Pos2], point: Pos2) -> bool {
    let next = line.iter().cycle().skip(1);
    let crosses = |(from, to): &(&Pos2, &Pos2)| {
        let is_between = (from.y > point.y) != (to.y > point.y);
        is_between && point.x < (to.x - from.x) * (point.y - from.y) / (to.y - from.y) + from.x
    };
    line.iter().zip(next).filter(crosses).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use egui::{Event, Modifiers, pos2};
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::testing::{Window, panel};

    /// Presses a place of the window with the other button.
    fn press_otherwise(window: &mut Window, at: Pos2) {
        window.hover_at(at);
        window.run();
        for pressed in [true, false] {
            let (button, modifiers) = (PointerButton::Secondary, Modifiers::NONE);
            window.event(Event::PointerButton { pos: at, button, pressed, modifiers });
            window.run();
        }
    }

    #[test]
    fn the_menu_is_that_of_what_was_pressed() {
        let mut window = panel("raft/steady", "Cluster");
        let pressed = |window: &Window| window.state().desk.cluster.pressed.clone();
        // The first node stands at the top, right in the middle.
        press_otherwise(&mut window, pos2(501.0, 200.0));
        assert_eq!(pressed(&window), Hit::Node(NodeId::new(0)));
        assert!(window.query_by_label_contains("Cut the node off").is_some());
        let mut window = panel("raft/steady", "Cluster");
        press_otherwise(&mut window, pos2(60.0, 300.0));
        assert_eq!(pressed(&window), Hit::Nothing);
        assert!(window.query_by_label_contains("Cut the node off").is_none());
        assert!(window.query_by_label_contains("Mend the network").is_some());
    }

    #[test]
    fn a_node_is_dragged_to_another_place_and_stays_there_until_a_layout_is_chosen() {
        let mut window = panel("raft/steady", "Cluster");
        let moved = |window: &Window| window.state().desk.cluster.moved.clone();
        let (from, to) = (pos2(501.0, 200.0), pos2(700.0, 400.0));
        window.hover_at(from);
        window.run();
        window.drag_at(from);
        window.run();
        for share in [0.2_f32, 0.6, 1.0] {
            window.hover_at(from.lerp(to, share));
            window.run();
        }
        window.drop_at(to);
        window.run();
        assert_eq!(moved(&window).keys().copied().collect::<Vec<_>>(), [NodeId::new(0)]);
        assert_eq!(window.state().session.acts().len(), 0, "nobody was parted");
        window.get_by_label("force").click();
        window.run_steps(30);
        assert_eq!(moved(&window).len(), 0);
        assert!(window.state().desk.cluster.force.is_some());
    }

    #[test]
    fn a_line_holds_what_lies_inside_it_and_nothing_else() {
        // An octagon.
        let corners = [
            (10.0, 4.0),
            (4.0, 10.0),
            (-4.0, 10.0),
            (-10.0, 4.0),
            (-10.0, -4.0),
            (-4.0, -10.0),
            (4.0, -10.0),
            (10.0, -4.0),
        ];
        let line = corners.map(|(x, y)| pos2(x, y));
        for (x, y, is_inside) in
            [(0.0, 0.0, true), (9.0, 0.5, true), (11.0, 0.0, false), (8.0, 8.0, false), (0.0, -9.5, true)]
        {
            assert_eq!(contains(&line, pos2(x, y)), is_inside, "{x}, {y}");
        }
        assert!(!contains(&[], pos2(0.0, 0.0)));
    }
}

//! All nodes and what is on its way between them. Nodes can be pressed, parted by drawing a line around some, and have a
//! menu.

use egui::{
    Align2, Color32, FontId, Painter, PointerButton, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, vec2,
};
use sim_core::simulation::InFlight;
use sim_core::status::{NodeStatus, Power, Standing};
use sim_core::{ClientId, Endpoint, NodeId, SimTime};

use super::look::{self, BAD, CHOSEN, GOOD, UNUSUAL};
use super::{Desk, Scene, acts};
use crate::command::Intent;
use crate::model::apart::{Apart, apart};
use crate::model::lanes::State;
use crate::model::layout::Layout;
use crate::session::BranchId;

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
    /// What the menu is about.
    pressed: Hit,
    /// The line that is being drawn around nodes.
    lasso: Vec<Pos2>,
    /// What is on its way, and the moment for which that was asked.
    flights: Vec<InFlight>,
    asked: Option<(BranchId, u64, SimTime)>,
}

/// What mouse and keys do.
pub(crate) const HELP: &str = "Press a node to look into it, press with the other button for what can be done to it. \
Draw a line around some nodes to part them from the others.";

/// More on their way than this are drawn as lines between nodes without their place.
const FLIGHTS_MAX: usize = 5_000;
/// How far along its link something is drawn that waits there, held.
const HELD_AT: f32 = 0.8;
/// Above so many nodes, names and roles are told only for the one under the mouse.
const NAMED_MAX: usize = 40;

/// Shows the picture.
pub(crate) fn show(ui: &mut Ui, scene: &Scene<'_>, desk: &mut Desk, intents: &mut Vec<Intent>) {
    let kept = &mut desk.cluster;
    kept.ask(scene);
    let (response, painter) = ui.allocate_painter(ui.available_size(), Sense::click_and_drag());
    let simulation = scene.session.simulation();
    let clients = clients(scene);
    let picture = Picture {
        painter,
        rect: response.rect,
        nodes: kept.layout.nodes(scene.statuses.len()),
        clients: kept.layout.clients(clients),
        radius: kept.layout.radius(scene.statuses.len()),
        apart: apart(simulation.plan(), scene.session.playhead()),
    };
    picture.draw(ui, scene, &kept.flights);
    lasso(ui, &response, &picture, scene, kept, intents);
    press(&response, &picture, scene, kept, intents);
    let menu = response.context_menu(|ui| {
        acts::menu(ui, scene, &kept.pressed, intents);
        ui.separator();
        for (layout, name) in Layout::ALL {
            if ui.radio(kept.layout == layout, name).clicked() {
                kept.layout = layout;
                ui.close();
            }
        }
    });
    let hovered = response.hover_pos().filter(|_| kept.lasso.is_empty() && menu.is_none());
    let hit = hovered.map_or(Hit::Nothing, |hovered| picture.hit(scene, &kept.flights, hovered));
    if let Some(text) = told(scene, &hit) {
        look::tell(&response, text);
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
        }
    }
}

/// How many clients there are: as many as have asked or travel.
fn clients(scene: &Scene<'_>) -> usize {
    scene.session.scenario().clients.total() as usize
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
    let hit = at.map_or(Hit::Nothing, |at| picture.hit(scene, &kept.flights, at));
    if let Hit::Node(node) = hit
        && node != scene.selected
    {
        intents.push(Intent::Select(node));
    }
    if response.secondary_clicked() {
        kept.pressed = hit;
    }
}

fn lasso(
    ui: &Ui,
    response: &Response,
    picture: &Picture,
    scene: &Scene<'_>,
    kept: &mut Kept,
    intents: &mut Vec<Intent>,
) {
    if response.dragged_by(PointerButton::Primary) {
        let is_new = |at: &Pos2| kept.lasso.last().is_none_or(|last| last.distance(*at) > 3.0);
        let new = response.interact_pointer_pos().filter(is_new);
        kept.lasso.extend(new);
        let inside = picture.inside(&kept.lasso);
        let line = Shape::closed_line(kept.lasso.clone(), Stroke::new(2.0, CHOSEN));
        picture.painter.add(line);
        for node in &inside {
            picture.painter.circle_stroke(
                picture.node(node.index()),
                picture.size() + 5.0,
                Stroke::new(2.0, CHOSEN),
            );
        }
    } else if response.drag_stopped() {
        let inside = picture.inside(&kept.lasso);
        intents.extend(scene.partition(&inside).and_then(|command| scene.act(command)));
        kept.lasso.clear();
        ui.ctx().request_repaint();
    }
}

struct Picture {
    painter: Painter,
    rect: Rect,
    nodes: Vec<[f32; 2]>,
    clients: Vec<[f32; 2]>,
    radius: f32,
    apart: Apart,
}

impl Picture {
    fn half(&self) -> f32 {
        self.rect.width().min(self.rect.height()) / 2.0
    }

    fn at(&self, [x, y]: [f32; 2]) -> Pos2 {
        self.rect.center() + vec2(x, y) * self.half()
    }

    fn node(&self, index: usize) -> Pos2 {
        self.at(self.nodes[index])
    }

    /// How large a node is drawn.
    fn size(&self) -> f32 {
        (self.radius * self.half()).max(2.0)
    }

    fn end(&self, end: Endpoint) -> Option<Pos2> {
        let place = match (end.node(), end.client()) {
            (Some(node), _) => self.nodes.get(node.index()),
            (None, Some(client)) => self.clients.get(client.index()),
            (None, None) => None,
        };
        place.map(|place| self.at(*place))
    }

    /// What lies here: what is small first, as it lies on top.
    fn hit(&self, scene: &Scene<'_>, flights: &[InFlight], at: Pos2) -> Hit {
        self.node_at(at)
            .map(Hit::Node)
            .or_else(|| self.flight_at(scene, flights, at).map(Hit::Flight))
            .or_else(|| self.client_at(at).map(Hit::Client))
            .or_else(|| self.link_at(at).map(|[one, other]| Hit::Link(one, other)))
            .unwrap_or_default()
    }

    fn node_at(&self, at: Pos2) -> Option<NodeId> {
        let index = nearest(self.nodes.iter().map(|place| self.at(*place).distance(at)), self.size() + 4.0)?;
        u32::try_from(index).ok().map(NodeId::new)
    }

    fn client_at(&self, at: Pos2) -> Option<ClientId> {
        let index = nearest(self.clients.iter().map(|place| self.at(*place).distance(at)), 9.0)?;
        u32::try_from(index).ok().map(ClientId::new)
    }

    fn flight_at(&self, scene: &Scene<'_>, flights: &[InFlight], at: Pos2) -> Option<InFlight> {
        let drawn = flights.iter().take(FLIGHTS_MAX);
        let distance = |flight| self.place(scene, flight).map_or(f32::INFINITY, |place| place.distance(at));
        nearest(drawn.map(distance), 6.0).map(|index| flights[index].clone())
    }

    /// The link whose line passes here. Where many nodes are, some line passes everywhere.
    fn link_at(&self, at: Pos2) -> Option<[Endpoint; 2]> {
        if self.nodes.len() > NAMED_MAX {
            return None;
        }
        let ids: Vec<NodeId> = (0_u32..).take(self.nodes.len()).map(NodeId::new).collect();
        let pairs = || {
            ids.iter()
                .enumerate()
                .flat_map(|(place, one)| ids[place + 1..].iter().map(move |other| [*one, *other]))
        };
        let index =
            nearest(pairs().map(|ends| look::distance(ends.map(|end| self.node(end.index())), at)), 4.0)?;
        pairs().nth(index).map(|ends| ends.map(Endpoint::from))
    }

    /// The nodes inside a line.
    fn inside(&self, line: &[Pos2]) -> Vec<NodeId> {
        let ids = (0_u32..).take(self.nodes.len()).map(NodeId::new);
        ids.filter(|id| contains(line, self.node(id.index()))).collect()
    }

    fn draw(&self, ui: &Ui, scene: &Scene<'_>, flights: &[InFlight]) {
        let colour = ui.visuals().weak_text_color();
        for (from, to) in &self.apart.cuts {
            if let (Some(from), Some(to)) = (self.end(*from), self.end(*to)) {
                self.painter.extend(Shape::dashed_line(&[from, to], Stroke::new(1.5, BAD), 6.0, 5.0));
            }
        }
        for index in 0..self.clients.len() {
            self.client(ui, index);
        }
        for flight in flights.iter().take(FLIGHTS_MAX) {
            self.flight(scene, flight);
        }
        for (index, status) in scene.statuses.iter().enumerate() {
            self.draw_node(ui, scene, index, status);
        }
        for (row, told) in (0_u8..).zip(&self.apart.told) {
            let at = self.rect.left_top() + vec2(8.0, 8.0 + 16.0 * f32::from(row));
            self.painter.text(at, Align2::LEFT_TOP, told, FontId::proportional(13.0), BAD);
        }
        let on_their_way = format!("{} on their way", flights.len());
        let at = self.rect.left_bottom() + vec2(8.0, -8.0);
        self.painter.text(at, Align2::LEFT_BOTTOM, on_their_way, FontId::proportional(12.0), colour);
    }

    fn client(&self, ui: &Ui, index: usize) {
        let at = self.at(self.clients[index]);
        let colour = ui.visuals().weak_text_color();
        let square = Rect::from_center_size(at, vec2(9.0, 9.0));
        self.painter.rect_filled(square, 1.0, colour);
        if self.clients.len() <= NAMED_MAX {
            let name = ClientId::new(u32::try_from(index).unwrap_or(u32::MAX)).to_string();
            self.painter.text(
                at + vec2(0.0, 7.0),
                Align2::CENTER_TOP,
                name,
                FontId::proportional(11.0),
                colour,
            );
        }
    }

    /// Where something that is on its way is now.
    fn place(&self, scene: &Scene<'_>, flight: &InFlight) -> Option<Pos2> {
        let (from, to) = (self.end(flight.id.from)?, self.end(flight.id.to)?);
        // What a held link keeps waits before its receiver.
        let Some(due) = flight.due else { return Some(from + (to - from) * HELD_AT) };
        let sent = flight.sent.unwrap_or(due);
        let (whole, gone) = (due.since(sent), scene.session.playhead().max(sent).since(sent));
        #[expect(clippy::cast_precision_loss, reason = "places on a screen")]
        let share = gone.as_nanos() as f32 / whole.as_nanos().max(1) as f32;
        Some(from + (to - from) * share.clamp(0.0, 1.0))
    }

    fn flight(&self, scene: &Scene<'_>, flight: &InFlight) {
        let Some(at) = self.place(scene, flight) else { return };
        let colour = look::kind(kind_number(flight.kind));
        let (from, to) = (self.end(flight.id.from), self.end(flight.id.to));
        if let (Some(from), Some(to)) = (from, to) {
            self.painter.line_segment([from, to], Stroke::new(1.0, colour.gamma_multiply(0.25)));
        }
        if flight.id.from.client().is_none() && flight.id.to.client().is_none() {
            self.painter.circle_filled(at, 4.5, colour);
        } else {
            self.painter.rect_filled(Rect::from_center_size(at, vec2(7.0, 7.0)), 0.0, colour);
        }
    }

    fn draw_node(&self, ui: &Ui, scene: &Scene<'_>, index: usize, status: &NodeStatus) {
        let (at, size, visuals) = (self.node(index), self.size(), ui.visuals());
        let node = NodeId::new(u32::try_from(index).unwrap_or(u32::MAX));
        let outline = match self.apart.groups.get(&Endpoint::from(node)) {
            Some(group) => look::epoch(*group as u64 + 4),
            None => visuals.weak_text_color(),
        };
        if scene.selected == node {
            self.painter.circle_filled(at, size + 4.0, CHOSEN);
        }
        let border = if self.apart.groups.is_empty() { 1.0 } else { 3.0 };
        self.painter.circle_filled(at, size, outline);
        let background = visuals.panel_fill;
        self.painter.circle_filled(at, size - border, background);
        self.painter.circle_filled(at, size - border, colour_of(status, visuals));
        if self.nodes.len() > NAMED_MAX {
            return;
        }
        let text = visuals.strong_text_color();
        let shift = if size > 22.0 { size * 0.2 } else { 0.0 };
        self.painter.text(
            at - vec2(0.0, shift),
            Align2::CENTER_CENTER,
            node.to_string(),
            FontId::proportional(size.clamp(9.0, 18.0)),
            text,
        );
        if size > 22.0 {
            let (mark, colour) = mark(status);
            self.painter.text(
                at + vec2(0.0, size * 0.38),
                Align2::CENTER_CENTER,
                mark,
                FontId::proportional(11.0),
                colour.unwrap_or(text),
            );
        }
        if let Some(process) = status.process.filter(|_| size > 16.0) {
            let text = format!("{} {}", process.role, process.epoch);
            let below = at + vec2(0.0, size + 4.0);
            let galley = self.painter.layout_no_wrap(text, FontId::proportional(11.0), visuals.text_color());
            let place =
                Rect::from_center_size(below + vec2(0.0, galley.size().y / 2.0), galley.size()).expand(1.0);
            self.painter.rect_filled(place, 2.0, background.gamma_multiply(0.8));
            self.painter.galley(place.min + vec2(1.0, 1.0), galley, visuals.text_color());
        }
    }
}

/// What lies under the mouse, in words.
fn told(scene: &Scene<'_>, hit: &Hit) -> Option<String> {
    match hit {
        Hit::Node(node) => {
            let status = &scene.statuses[node.index()];
            let host = look::power(status.power).0;
            let process = status.process.map_or_else(String::new, |process| {
                let leader = process.leader.map_or_else(|| "nobody".to_owned(), |leader| leader.to_string());
                format!(
                    "\n{} in epoch {}, follows {leader}\nknows all up to {} to be decided",
                    process.role, process.epoch, process.commit
                )
            });
            Some(format!("{node}, {host}, started {} times{process}", status.incarnation))
        }
        Hit::Flight(flight) => {
            let when = match flight.due {
                Some(due) => format!("arrives at {due}"),
                None => "the link is held".to_owned(),
            };
            Some(format!("{} to {}: {}\n{when}", flight.id.from, flight.id.to, flight.text))
        }
        Hit::Client(client) => Some(format!("client {client}")),
        Hit::Link(one, other) => Some(format!("the link between {one} and {other}")),
        Hit::Nothing => None,
    }
}

/// The place of the smallest distance, if it is not above `most`.
fn nearest(distances: impl Iterator<Item = f32>, most: f32) -> Option<usize> {
    let near = distances.enumerate().filter(|(_, distance)| *distance <= most);
    near.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(index, _)| index)
}

/// A shape for the standing, so that colour is not needed: a crown for who leads.
fn mark(status: &NodeStatus) -> (&'static str, Option<Color32>) {
    match (status.power, status.process.map(|process| process.standing)) {
        (Power::Down, _) => ("✖ down", Some(BAD)),
        (Power::Paused, _) => ("⏸ paused", Some(UNUSUAL)),
        (Power::Running, Some(Standing::Leader)) => ("★ leads", None),
        (Power::Running, Some(Standing::Candidate)) => ("? campaigns", None),
        (Power::Running, Some(Standing::Follower)) => ("follows", None),
        (Power::Running, Some(Standing::Peer) | None) => ("", Some(GOOD)),
    }
}

fn colour_of(status: &NodeStatus, visuals: &egui::Visuals) -> Color32 {
    let Some(process) = status.process else { return visuals.extreme_bg_color };
    let state =
        State { power: status.power, role: process.role, standing: process.standing, epoch: process.epoch };
    look::state(&state, visuals)
}

/// A number for the kind of a message, the same for the same name.
fn kind_number(kind: &str) -> usize {
    kind.bytes().fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % 1_009)
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
        press_otherwise(&mut window, pos2(501.0, 182.0));
        assert_eq!(pressed(&window), Hit::Node(NodeId::new(0)));
        assert!(window.query_by_label_contains("Cut the node off").is_some());
        let mut window = panel("raft/steady", "Cluster");
        press_otherwise(&mut window, pos2(60.0, 300.0));
        assert_eq!(pressed(&window), Hit::Nothing);
        assert!(window.query_by_label_contains("Cut the node off").is_none());
        assert!(window.query_by_label_contains("Mend the network").is_some());
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

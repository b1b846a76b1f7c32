//! How the cluster is drawn: nodes, links, what is on its way, who is apart from whom. With many nodes or messages less
//! is said of each.

use std::collections::{BTreeMap, BTreeSet};

use egui::accesskit::Role;
use egui::emath::Rot2;
use egui::text::LayoutJob;
use egui::{
    Align, Align2, Color32, FontId, Painter, Pos2, Rect, Sense, Shape, Stroke, TextFormat, Ui, Visuals,
    WidgetInfo, pos2, vec2,
};
use sim_core::simulation::{ClockView, InFlight};
use sim_core::status::{NodeStatus, Power, Standing};
use sim_core::view::Weight;
use sim_core::{ClientId, Endpoint, NodeId, SimTime};

use super::Scene;
use super::cluster::{Hit, nearest};
use super::ink::{Form, Ink, around, hull};
use super::look::{self, BAD, CHOSEN, GOOD, UNUSUAL};
use crate::model::apart::Apart;
use crate::model::lanes::State;
use crate::model::layout::Places;
use crate::model::links::{Ends, Line};
use crate::model::regions::Regions;
use crate::model::scale::{dial, offset};

/// More on their way than this are not drawn.
pub(super) const FLIGHTS_MAX: usize = 5_000;
/// More on their way than this are drawn without the line that they go along.
const TRACKS_MAX: usize = 400;
/// How far along its link something is drawn that waits there, held.
const HELD_AT: f32 = 0.8;
/// Above so many nodes, names and roles are told only for the one under the mouse.
pub(super) const NAMED_MAX: usize = 40;
/// Up to so many nodes, each link is a line.
const LINKED_MAX: usize = 12;
/// So much room is around the picture for the names of clients.
const NAMES: f32 = 12.0;
/// So much room has a sign of the legend.
const SIGN_WIDTH: f32 = 15.0;
/// The legend has no more entries.
const LEGEND_MAX: usize = 12;

/// A picture of one moment, before it is drawn.
pub(super) struct Picture {
    pub(super) painter: Painter,
    rect: Rect,
    pub(super) places: Places,
    pub(super) apart: Apart,
    /// Where what is on its way is, in its order.
    pub(super) flying: Vec<Option<Pos2>>,
    kinds: &'static [&'static str],
    most: u64,
}

impl Picture {
    pub(super) fn new(
        painter: Painter,
        rect: Rect,
        places: Places,
        apart: Apart,
        scene: &Scene<'_>,
        flights: &[InFlight],
    ) -> Self {
        let kinds = scene.session.simulation().message_kinds();
        let gauges = scene.statuses.iter().filter_map(|status| status.process.map(|process| process.gauge));
        let most = gauges.max().unwrap_or(0);
        let mut picture = Self { painter, rect, places, apart, flying: Vec::new(), kinds, most };
        let drawn = flights.iter().take(FLIGHTS_MAX);
        picture.flying = drawn.map(|flight| picture.place(scene, flight)).collect();
        picture
    }

    /// Half a side of the square, without the room for names around it.
    fn half(&self) -> f32 {
        (self.rect.width().min(self.rect.height()) / 2.0 - NAMES).max(1.0)
    }

    fn at(&self, [x, y]: [f32; 2]) -> Pos2 {
        self.rect.center() + vec2(x, y) * self.half()
    }

    /// The place in the layout's square that is drawn here.
    pub(super) fn place_of(&self, at: Pos2) -> [f32; 2] {
        let inside = at.clamp(self.rect.min, self.rect.max) - self.rect.center();
        [inside.x / self.half(), inside.y / self.half()]
    }

    pub(super) fn node(&self, index: usize) -> Pos2 {
        self.at(self.places.nodes[index])
    }

    /// How large a node is drawn.
    pub(super) fn size(&self) -> f32 {
        (self.places.radius * self.half()).max(2.0)
    }

    fn end(&self, end: Endpoint) -> Option<Pos2> {
        let place = match (end.node(), end.client()) {
            (Some(node), _) => self.places.nodes.get(node.index()),
            (None, Some(client)) => self.places.clients.get(client.index()),
            (None, None) => None,
        };
        place.map(|place| self.at(*place))
    }

    pub(super) fn node_at(&self, at: Pos2) -> Option<NodeId> {
        let distances = self.places.nodes.iter().map(|place| self.at(*place).distance(at));
        let index = nearest(distances, self.size() + 4.0)?;
        u32::try_from(index).ok().map(NodeId::new)
    }

    pub(super) fn client_at(&self, at: Pos2) -> Option<ClientId> {
        let index = nearest(self.places.clients.iter().map(|place| self.at(*place).distance(at)), 9.0)?;
        u32::try_from(index).ok().map(ClientId::new)
    }

    /// The link whose line passes here. Where many nodes are, some line passes everywhere.
    pub(super) fn link_at(&self, at: Pos2) -> Option<[Endpoint; 2]> {
        if self.places.nodes.len() > NAMED_MAX {
            return None;
        }
        let links = self.links();
        let index = nearest(links.iter().map(|(_, line)| look::distance(*line, at)), 4.0)?;
        Some(links[index].0)
    }

    fn links(&self) -> Vec<([Endpoint; 2], [Pos2; 2])> {
        let ids: Vec<NodeId> = (0_u32..).take(self.places.nodes.len()).map(NodeId::new).collect();
        let pairs = ids
            .iter()
            .enumerate()
            .flat_map(|(place, one)| ids[place + 1..].iter().map(|other| [*one, *other]));
        pairs.map(|ends| (ends.map(Endpoint::from), ends.map(|end| self.node(end.index())))).collect()
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

    pub(super) fn draw(
        &self,
        ui: &Ui,
        scene: &Scene<'_>,
        lines: &BTreeMap<Ends, Line>,
        flights: &[InFlight],
        regions: Option<&Regions>,
        hit: &Hit,
    ) {
        let visuals = ui.visuals();
        self.regions(visuals, regions);
        self.groups(visuals, scene.statuses.len());
        self.wires(visuals, lines, hit);
        self.clients(visuals);
        let mut ink = Ink::new(self.rect);
        self.flights(&mut ink, flights);
        let is_named = self.places.nodes.len() <= NAMED_MAX;
        if !is_named {
            self.crowd(&mut ink, visuals, scene);
        }
        ink.draw(&self.painter);
        if is_named {
            for (index, status) in scene.statuses.iter().enumerate() {
                self.person(visuals, scene, index, status);
            }
        }
        self.words(visuals, flights);
    }

    /// Regions that the scenario names, as circles.
    fn regions(&self, visuals: &Visuals, regions: Option<&Regions>) {
        for (index, (middle, reach)) in self.places.regions.iter().enumerate() {
            let (at, reach) = (self.at(*middle), reach * self.half());
            self.painter.circle(
                at,
                reach,
                visuals.faint_bg_color,
                Stroke::new(1.0, visuals.weak_text_color()),
            );
            let name = regions.map_or("", |regions| regions.name(index));
            let place = at - vec2(0.0, reach - 4.0);
            let font = FontId::proportional(12.0);
            self.painter.text(place, Align2::CENTER_TOP, name, font, visuals.weak_text_color());
        }
    }

    /// Who is apart: a tinted ground under each group, with its number.
    fn groups(&self, visuals: &Visuals, nodes: usize) {
        if self.apart.groups.is_empty() {
            return;
        }
        let mut members: BTreeMap<Option<usize>, Vec<Pos2>> = BTreeMap::new();
        for node in (0_u32..).take(nodes).map(NodeId::new) {
            let group = self.apart.groups.get(&Endpoint::from(node)).copied();
            members.entry(group).or_default().extend(around(self.node(node.index()), self.size() + 12.0));
        }
        for (group, points) in members {
            let line = hull(&points);
            let colour = group.map_or(visuals.weak_text_color(), group_colour);
            let tint = colour.gamma_multiply(0.16);
            self.painter.add(Shape::convex_polygon(line.clone(), tint, Stroke::NONE));
            let closed: Vec<Pos2> = line.iter().copied().chain(line.first().copied()).collect();
            self.painter.extend(Shape::dashed_line(&closed, Stroke::new(1.5, colour), 7.0, 5.0));
            let text = group.map_or("the others".to_owned(), |group| format!("part {group}"));
            let Some(top) = line.iter().copied().min_by(|one, other| one.y.total_cmp(&other.y)) else {
                continue;
            };
            let at = pos2(top.x, top.y.max(self.rect.top() + 16.0) - 2.0);
            self.painter.text(at, Align2::CENTER_BOTTOM, text, FontId::proportional(12.0), colour);
        }
    }

    /// Links and cuts.
    fn wires(&self, visuals: &Visuals, lines: &BTreeMap<Ends, Line>, hit: &Hit) {
        let weak = visuals.weak_text_color().gamma_multiply(0.22);
        let chosen = |ends: &[Endpoint; 2]| matches!(hit, Hit::Link(one, other) if [*one, *other] == *ends);
        if self.places.nodes.len() <= NAMED_MAX {
            let is_drawn = self.places.nodes.len() <= LINKED_MAX;
            for (ends, line) in self.links() {
                if chosen(&ends) {
                    self.painter.line_segment(line, Stroke::new(2.0, CHOSEN));
                } else if is_drawn {
                    self.painter.line_segment(line, Stroke::new(1.0, weak));
                }
            }
        }
        self.told_lines(visuals, lines);
        for (from, to) in &self.apart.cuts {
            let (Some(from), Some(to)) = (self.end(*from), self.end(*to)) else { continue };
            self.painter.extend(Shape::dashed_line(&[from, to], Stroke::new(1.5, BAD), 6.0, 5.0));
            // A cut goes one way: the cross stands before whom it keeps from hearing.
            let mut ink = Ink::new(self.rect);
            ink.cross(from + (to - from) * 0.7, 5.0, BAD);
            ink.draw(&self.painter);
        }
    }

    /// Lines that processes tell of: full where they are used, dashed where they are there in case. What only one end tells of is
    /// thinner.
    fn told_lines(&self, visuals: &Visuals, lines: &BTreeMap<Ends, Line>) {
        for (ends, Line { weight, told_by }) in lines {
            let line = ends.map(|end| self.node(end.index()));
            let width = if *told_by > 1 { 2.5 } else { 1.5 };
            match weight {
                Weight::Strong => {
                    let colour = visuals.text_color().gamma_multiply(0.7);
                    self.painter.line_segment(line, Stroke::new(width, colour));
                }
                Weight::Weak => {
                    let stroke = Stroke::new(width / 2.0, visuals.weak_text_color());
                    self.painter.extend(Shape::dashed_line(&line, stroke, 3.0, 5.0));
                }
            }
        }
    }

    fn clients(&self, visuals: &Visuals) {
        let colour = visuals.weak_text_color();
        let count = self.places.clients.len();
        let mut ink = Ink::new(self.rect);
        for (index, place) in self.places.clients.iter().enumerate() {
            let at = self.at(*place);
            let size = if count <= NAMED_MAX { 9.0 } else { 4.0 };
            ink.rect(Rect::from_center_size(at, vec2(size, size)), colour);
            if count <= NAMED_MAX {
                let name = ClientId::new(u32::try_from(index).unwrap_or(u32::MAX)).to_string();
                // On the side that is away from the nodes.
                let (down, anchor) =
                    if place[1] < 0.0 { (-6.0, Align2::CENTER_BOTTOM) } else { (6.0, Align2::CENTER_TOP) };
                self.painter.text(at + vec2(0.0, down), anchor, name, FontId::proportional(11.0), colour);
            }
        }
        ink.draw(&self.painter);
    }

    fn flights(&self, ink: &mut Ink, flights: &[InFlight]) {
        let is_tracked = flights.len() <= TRACKS_MAX;
        // Few kinds are many messages.
        let mut signs: Vec<(&str, (Form, Color32))> = Vec::new();
        for (flight, at) in flights.iter().zip(&self.flying) {
            let Some(at) = *at else { continue };
            let known = signs.iter().find(|(kind, _)| *kind == flight.kind).map(|(_, sign)| *sign);
            let (form, colour) = known.unwrap_or_else(|| {
                let sign = sign(self.kinds, flight.kind);
                signs.push((flight.kind, sign));
                sign
            });
            if is_tracked && let (Some(from), Some(to)) = (self.end(flight.id.from), self.end(flight.id.to)) {
                ink.line([from, to], 1.0, colour.gamma_multiply(0.22));
            }
            if flight.due.is_none() {
                ink.form(Form::Square, at, 8.0, UNUSUAL.gamma_multiply(0.5));
            }
            ink.form(form, at, if is_tracked { 5.0 } else { 3.5 }, colour);
        }
    }

    /// Many nodes: a form each.
    fn crowd(&self, ink: &mut Ink, visuals: &Visuals, scene: &Scene<'_>) {
        let size = self.size();
        let mut before = None;
        for (index, status) in scene.statuses.iter().enumerate() {
            let node = NodeId::new(u32::try_from(index).unwrap_or(u32::MAX));
            let (at, form, colour) = (self.node(index), self.form(node, status), colour_of(status, visuals));
            let group = self.apart.groups.get(&Endpoint::from(node));
            let is_selected = scene.selected == node;
            // What would lie over its like in the same pixel is left out.
            let looks = Some((at.round(), form, colour, group, is_selected));
            if std::mem::replace(&mut before, looks) == looks {
                continue;
            }
            if is_selected {
                ink.form(form, at, size + 3.0, CHOSEN);
            }
            if let Some(group) = group {
                ink.form(form, at, size + 1.5, group_colour(*group));
            }
            ink.form(form, at, size, visuals.panel_fill);
            ink.form(form, at, size, colour);
        }
    }

    /// The form of a node says how its host does.
    fn form(&self, node: NodeId, status: &NodeStatus) -> Form {
        match status.power {
            Power::Down => Form::Diamond,
            Power::Paused => Form::Square,
            Power::Running if self.apart.slow.contains_key(&node) => Form::Hexagon,
            Power::Running => Form::Disc,
        }
    }

    /// Few nodes: each with what it does.
    fn person(&self, visuals: &Visuals, scene: &Scene<'_>, index: usize, status: &NodeStatus) {
        let (at, size) = (self.node(index), self.size());
        let node = NodeId::new(u32::try_from(index).unwrap_or(u32::MAX));
        let form = self.form(node, status);
        let group = self.apart.groups.get(&Endpoint::from(node));
        if scene.selected == node {
            self.body(form, at, size + 4.0, CHOSEN);
        }
        self.body(form, at, size, group.map_or(visuals.weak_text_color(), |group| group_colour(*group)));
        let inner = size - if self.apart.groups.is_empty() { 1.0 } else { 3.0 };
        self.body(form, at, inner, visuals.panel_fill);
        self.body(form, at, inner, colour_of(status, visuals));
        let text = look::on(colour_of(status, visuals), visuals);
        let shift = if size > 22.0 { size * 0.2 } else { 0.0 };
        let font = FontId::proportional(size.clamp(9.0, 18.0));
        self.painter.text(at - vec2(0.0, shift), Align2::CENTER_CENTER, node.to_string(), font, text);
        if size > 22.0 {
            let (mark, colour) = mark(status, self.apart.slow.contains_key(&node));
            let place = at + vec2(0.0, size * 0.38);
            let colour = colour.unwrap_or(text);
            self.painter.text(place, Align2::CENTER_CENTER, mark, FontId::proportional(11.0), colour);
        }
        if size > 16.0 {
            self.state(visuals, at + vec2(0.0, size + 4.0), status);
        }
    }

    fn body(&self, form: Form, at: Pos2, size: f32, colour: Color32) {
        if form == Form::Disc {
            self.painter.circle_filled(at, size, colour);
        } else {
            self.painter.add(Shape::convex_polygon(form.at(at, size), colour, Stroke::NONE));
        }
    }

    /// Under a node: its role and epoch, how far things are decided, and its gauge as a bar beside the largest.
    fn state(&self, visuals: &Visuals, below: Pos2, status: &NodeStatus) {
        let Some(process) = status.process else { return };
        let mut lines = format!("{} {}", process.role, process.epoch);
        if process.commit > 0 {
            lines = format!("{lines}\ncommit {}", process.commit);
        }
        let format = TextFormat::simple(FontId::proportional(11.0), visuals.text_color());
        let mut job = LayoutJob::single_section(lines, format);
        job.halign = Align::Center;
        let galley = self.painter.layout_job(job);
        let place =
            Rect::from_center_size(below + vec2(0.0, galley.size().y / 2.0), galley.size()).expand(2.0);
        self.painter.rect_filled(place, 2.0, visuals.panel_fill.gamma_multiply(0.85));
        self.painter.galley(place.center_top() + vec2(0.0, 2.0), galley, visuals.text_color());
        if self.most == 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a share of a bar")]
        let share = process.gauge as f32 / self.most as f32;
        let bar = Rect::from_min_size(pos2(below.x - 22.0, place.bottom() + 1.0), vec2(44.0, 3.0));
        self.painter.rect_filled(bar, 1.0, visuals.weak_text_color().gamma_multiply(0.35));
        let filled = Rect::from_min_size(bar.min, vec2(44.0 * share, 3.0));
        self.painter.rect_filled(filled, 1.0, visuals.text_color());
    }

    /// Beside each node whose wall clock is off: how far, as a hand that points up while it shows true time and turns to
    /// the right where it is ahead.
    pub(super) fn dials(&self, visuals: &Visuals, now: SimTime, clocks: &[Option<ClockView>]) {
        for (index, clock) in clocks.iter().enumerate() {
            let Some(clock) = clock else { continue };
            let off = i128::from(clock.wall.as_nanos()) - i128::from(now.as_nanos());
            if self.size() < 10.0 || (off == 0 && !clock.is_frozen) {
                continue;
            }
            let (reach, aside) = (9.0, self.size() * 0.75 + 7.0);
            let at = self.node(index) + vec2(aside, -aside);
            self.painter.circle(at, reach, visuals.panel_fill, Stroke::new(1.0, visuals.weak_text_color()));
            let hand = Rot2::from_angle(dial(off) * 2.6) * vec2(0.0, 1.5 - reach);
            self.painter.line_segment([at, at + hand], Stroke::new(1.5, UNUSUAL));
            let text = if clock.is_frozen { "stands still".to_owned() } else { offset(off) };
            let (place, font) = (at + vec2(reach + 3.0, 0.0), FontId::proportional(10.0));
            self.painter.text(place, Align2::LEFT_CENTER, text, font, UNUSUAL);
        }
    }

    /// What holds, and how much is on its way.
    fn words(&self, visuals: &Visuals, flights: &[InFlight]) {
        for (row, told) in (0_u8..).zip(&self.apart.told) {
            let at = self.rect.left_top() + vec2(8.0, 4.0 + 16.0 * f32::from(row));
            self.painter.text(at, Align2::LEFT_TOP, told, FontId::proportional(13.0), BAD);
        }
        let text = match flights.len() {
            count if count > FLIGHTS_MAX => format!("{count} on their way, {FLIGHTS_MAX} of them drawn"),
            count => format!("{count} on their way"),
        };
        let at = self.rect.left_bottom() + vec2(8.0, -8.0);
        let font = FontId::proportional(12.0);
        self.painter.text(at, Align2::LEFT_BOTTOM, text, font, visuals.weak_text_color());
    }
}

/// The signs of the kinds of message that were on their way, above the picture, where there is room.
pub(super) fn legend(ui: &mut Ui, known: &[&str], kinds: &BTreeSet<(usize, &'static str)>, now: &[&str]) {
    if kinds.is_empty() || ui.available_width() < 260.0 || ui.available_height() < 260.0 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        for (_, name) in kinds.iter().take(LEGEND_MAX) {
            let visuals = ui.visuals();
            let text = if now.contains(name) { visuals.text_color() } else { visuals.weak_text_color() };
            let galley = ui.painter().layout_no_wrap((*name).to_owned(), FontId::proportional(11.0), text);
            let size = galley.size() + vec2(SIGN_WIDTH, 0.0);
            let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
            response.widget_info(|| WidgetInfo::labeled(Role::Label, true, *name));
            let (form, colour) = sign(known, name);
            let mut ink = Ink::new(rect);
            ink.form(form, rect.left_center() + vec2(SIGN_WIDTH / 2.0 - 2.0, 0.0), 5.0, colour);
            ink.draw(ui.painter());
            ui.painter().galley(rect.left_top() + vec2(SIGN_WIDTH, 0.0), galley, text);
        }
    });
}

/// Form and colour of a kind of message. Requests and replies of clients look the same in every protocol.
fn sign(kinds: &[&str], name: &str) -> (Form, Color32) {
    match name {
        "request" => (Form::Up, UNUSUAL),
        "reply" => (Form::Down, GOOD),
        name => {
            let number = look::kind_number(kinds, name);
            (Form::kind(number), look::kind(number))
        }
    }
}

fn group_colour(group: usize) -> Color32 {
    look::epoch(group as u64 + 4)
}

/// A sign for the standing, so that colour is not needed: a star for who leads.
fn mark(status: &NodeStatus, is_slow: bool) -> (&'static str, Option<Color32>) {
    match (status.power, status.process.map(|process| process.standing)) {
        (Power::Down, _) => ("✖ down", Some(BAD)),
        (Power::Paused, _) => ("⏸ paused", Some(UNUSUAL)),
        (Power::Running, _) if is_slow => ("⏳ slow", Some(UNUSUAL)),
        (Power::Running, Some(Standing::Leader)) => ("★ leads", None),
        (Power::Running, Some(Standing::Candidate)) => ("? campaigns", None),
        (Power::Running, Some(Standing::Follower)) => ("follows", None),
        (Power::Running, Some(Standing::Peer) | None) => ("", Some(GOOD)),
    }
}

fn colour_of(status: &NodeStatus, visuals: &Visuals) -> Color32 {
    let Some(process) = status.process else { return visuals.extreme_bg_color };
    let state =
        State { power: status.power, role: process.role, standing: process.standing, epoch: process.epoch };
    look::state(&state, visuals)
}

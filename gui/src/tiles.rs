//! Where the panels are: they can be moved, closed, opened again and brought to the front.

use egui::{Ui, WidgetText};
use egui_tiles::{
    Behavior, Container, Linear, LinearDir, SimplificationOptions, Tile, TileId, Tiles, Tree, UiResponse,
};

use crate::command::Intent;
use crate::panels::{Desk, PANELS, Scene, place};

/// Where the panels are at first.
pub(crate) fn arrangement() -> Tree<usize> {
    let mut tiles = Tiles::default();
    let mut tabs = |names: &[&str]| {
        let panes = names.iter().map(|name| tiles.insert_pane(place(name))).collect();
        tiles.insert_tab_tile(panes)
    };
    let left = tabs(&["Cluster", "Nodes"]);
    let middle = tabs(&["Space-time", "History", "Logs", "Metrics"]);
    let node = tabs(&["Node", "Checks"]);
    let events = tabs(&["Events", "Milestones", "Plan", "Branches", "Why", "Setup", "Library"]);
    let right = tiles.insert_vertical_tile(vec![node, events]);
    let mut row = Linear::new(LinearDir::Horizontal, vec![left, middle, right]);
    row.shares.set_share(left, 1.0);
    row.shares.set_share(middle, 1.0);
    row.shares.set_share(right, 1.1);
    let root = tiles.insert_new(Tile::Container(Container::Linear(row)));
    Tree::new(egui::Id::unique("panels"), root, tiles)
}

/// Shows a panel, wherever it is.
pub(crate) fn reveal(tree: &mut Tree<usize>, name: &str) {
    let place = place(name);
    let is_shown = |tile: TileId| tree.is_visible(tile) && tree.active_tiles().contains(&tile);
    if !tree.tiles.find_pane(&place).is_some_and(is_shown) {
        toggle(tree, place);
    }
}

/// Closes a panel that is there, or opens it beside the others.
pub(crate) fn toggle(tree: &mut Tree<usize>, place: usize) {
    let known = tree.tiles.find_pane(&place);
    if let Some(tile) = known.filter(|tile| tree.is_visible(*tile) && tree.active_tiles().contains(tile)) {
        tree.tiles.set_visible(tile, false);
        return;
    }
    let tile = known.unwrap_or_else(|| tree.tiles.insert_pane(place));
    tree.tiles.set_visible(tile, true);
    if known.is_none() {
        let root = tree.root();
        match root {
            Some(root) => tree.move_tile_to_container(tile, root, usize::MAX, true),
            None => *tree = Tree::new(egui::Id::unique("panels"), tile, std::mem::take(&mut tree.tiles)),
        }
    }
    tree.make_active(|id, _| id == tile);
}

/// How the tiles draw their panels.
pub(crate) struct Panes<'a> {
    pub(crate) scene: &'a Scene<'a>,
    pub(crate) desk: &'a mut Desk,
    pub(crate) intents: &'a mut Vec<Intent>,
}

impl Behavior<usize> for Panes<'_> {
    fn pane_ui(&mut self, ui: &mut Ui, _tile: TileId, place: &mut usize) -> UiResponse {
        let margin = egui::Margin::same(6);
        self.desk.tour.mark(PANELS[*place].name, ui.max_rect());
        egui::Frame::new().inner_margin(margin).show(ui, |ui| {
            (PANELS[*place].show)(ui, self.scene, self.desk, self.intents);
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, place: &usize) -> WidgetText {
        PANELS[*place].name.into()
    }

    fn on_tab_button(
        &mut self,
        tiles: &mut Tiles<usize>,
        tile: TileId,
        button: egui::Response,
    ) -> egui::Response {
        match tiles.get_pane(&tile) {
            Some(place) => button.on_hover_text(PANELS[*place].help),
            None => button,
        }
    }

    fn is_tab_closable(&self, _tiles: &Tiles<usize>, _tile: TileId) -> bool {
        true
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions { all_panes_must_have_tabs: true, ..SimplificationOptions::default() }
    }

    fn tab_title_spacing(&self, _visuals: &egui::Visuals) -> f32 {
        10.0
    }
}

//! The field in which a person writes what to search for.

use egui::accesskit::Role;
use egui::{TextEdit, Ui, WidgetInfo};

use super::look::BAD;
use crate::model::filter::{ALLOWED, Filter, FilterError};

/// What is searched for.
#[derive(Default)]
pub(super) struct Search {
    text: String,
    /// The text that was read last, and what it means.
    read: String,
    filter: Filter,
    error: Option<FilterError>,
}

impl Search {
    /// The field. What can't be meant finds everything, and [`Search::complain`] says why.
    pub(super) fn show(&mut self, ui: &mut Ui, label: &str, width: f32) {
        let field = TextEdit::singleline(&mut self.text)
            .hint_text("search: words, kind:vote, node:n1, time>1s")
            .desired_width(width);
        let response = ui.add(field).on_hover_text(ALLOWED);
        response.widget_info(|| WidgetInfo::labeled(Role::TextInput, true, label));
        if self.read != self.text {
            self.read.clone_from(&self.text);
            let read = Filter::parse(&self.text);
            self.error = read.as_ref().err().cloned();
            self.filter = read.unwrap_or_default();
        }
    }

    /// What is wrong with what was written, if anything is.
    pub(super) fn complain(&self, ui: &mut Ui) {
        if let Some(error) = &self.error {
            ui.colored_label(BAD, error.to_string());
        }
    }

    /// What was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// What it means.
    pub(super) const fn filter(&self) -> &Filter {
        &self.filter
    }
}

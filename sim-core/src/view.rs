//! The state of one process as a tree that tools can show, compare and search without knowing the protocol:
//! fields, nested groups, log strips (cells along an index), tables, and lines to other nodes. Long strips and tables are
//! asked for by row window, so that a log of a million entries costs what is on the screen.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::{LocalTime, NodeId};

/// Which rows of long parts are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewRequest {
    /// Rows of strips and tables, by the index the part itself uses. Default: the last 64.
    pub rows: RowWindow,
}

/// A window of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowWindow {
    /// The last so many rows.
    Last(u64),
    /// These rows; parts of the range that do not exist are left out.
    Range(Range<u64>),
}

impl Default for ViewRequest {
    fn default() -> Self {
        Self { rows: RowWindow::Last(64) }
    }
}

impl ViewRequest {
    /// The wanted rows of a part that has the rows `available`.
    pub fn window(&self, available: Range<u64>) -> Range<u64> {
        match &self.rows {
            RowWindow::Last(count) => {
                let start = available.end.saturating_sub(*count).max(available.start);
                start..available.end
            }
            RowWindow::Range(range) => {
                let start = range.start.clamp(available.start, available.end);
                start..range.end.clamp(start, available.end)
            }
        }
    }
}

/// One named part of a view.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// The name, as the protocol's paper has it.
    pub name: String,
    /// What it holds.
    pub content: Content,
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Content {
    /// A value as text.
    Text(String),
    /// A number.
    Number(u64),
    /// Parts that belong together.
    Group(Vec<Part>),
    /// A replicated log or the like: cells along an index.
    Strip(Strip),
    /// Rows of text under column heads.
    Table(Table),
    /// Lines from this node to others, which tools may draw between them: a tree, a chain.
    Links(Links),
}

/// Lines from one node to others, in order of node or whatever order means something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Links(pub Vec<Link>);

/// A line from one node to another, as this end has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// To whom.
    pub to: NodeId,
    /// What it is, in a word: `eager`.
    pub kind: &'static str,
    /// How it is drawn.
    pub weight: Weight,
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Weight {
    /// It is there in case it is needed.
    Weak,
    /// It is used.
    Strong,
}

/// `n2 eager, n5 lazy`, or `none`.
impl fmt::Display for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (place, Link { to, kind, .. }) in self.0.iter().enumerate() {
            let separator = if place > 0 { ", " } else { "" };
            write!(f, "{separator}{to} {kind}")?;
        }
        Ok(())
    }
}

/// A window of a log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Strip {
    /// All indices that exist.
    pub available: Range<u64>,
    /// The cells asked for, in order of index.
    pub cells: Vec<Cell>,
    /// Marks at indices: `commit`, `applied`, `durable`, `snapshot`.
    pub marks: Vec<(&'static str, u64)>,
}

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Its index.
    pub index: u64,
    /// Its term-like number: cells of one epoch share a colour.
    pub epoch: u64,
    /// Its content, short.
    pub label: String,
}

/// A window of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Table {
    /// Column heads.
    pub columns: Vec<&'static str>,
    /// All rows that exist.
    pub available: Range<u64>,
    /// The rows asked for; each has one text a column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Of `count` items the rows that are asked for, each made by `row`; the others are not made.
    pub fn of_items<T>(
        columns: Vec<&'static str>,
        request: &ViewRequest,
        count: u64,
        items: impl IntoIterator<Item = T>,
        row: impl Fn(T) -> Vec<String>,
    ) -> Self {
        let available = 0..count;
        let window = request.window(available.clone());
        let shown = (0_u64..).zip(items).filter(|(place, _)| window.contains(place));
        Self { columns, available, rows: shown.map(|(_, item)| row(item)).collect() }
    }

    /// Of a few rows those that are asked for.
    pub fn of_rows(
        columns: Vec<&'static str>,
        request: &ViewRequest,
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Self {
        let rows: Vec<_> = rows.into_iter().collect();
        Self::of_items(columns, request, rows.len() as u64, rows, |row| row)
    }
}

/// Collects the parts of a view, in the order of the calls.
#[derive(Clone, Debug, Default)]
pub struct ViewBuilder {
    parts: Vec<Part>,
    now: LocalTime,
}

impl ViewBuilder {
    /// An empty view of a node whose monotonic clock has just been started.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty view of a node whose monotonic clock shows this.
    pub(crate) fn at(now: LocalTime) -> Self {
        Self { parts: Vec::new(), now }
    }

    /// What the monotonic clock of the node shows: for what counts down between two inputs.
    pub const fn now(&self) -> LocalTime {
        self.now
    }

    /// Adds a value as text.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "callers hand over ids, numbers and literals as they are"
    )]
    pub fn text(&mut self, name: &str, value: impl ToString) -> &mut Self {
        self.add(name, Content::Text(value.to_string()))
    }

    /// Adds a number.
    pub fn number(&mut self, name: &str, value: u64) -> &mut Self {
        self.add(name, Content::Number(value))
    }

    /// Adds a group that `fill` fills.
    pub fn group(&mut self, name: &str, fill: impl FnOnce(&mut ViewBuilder)) -> &mut Self {
        let mut inner = Self::at(self.now);
        fill(&mut inner);
        self.add(name, Content::Group(inner.parts))
    }

    /// Adds a log strip.
    pub fn strip(&mut self, name: &str, strip: Strip) -> &mut Self {
        self.add(name, Content::Strip(strip))
    }

    /// Adds a table.
    ///
    /// # Panics
    /// If a row has not one text a column.
    pub fn table(&mut self, name: &str, table: Table) -> &mut Self {
        for row in &table.rows {
            assert_eq!(row.len(), table.columns.len(), "table `{name}`: a row must have one text a column");
        }
        self.add(name, Content::Table(table))
    }

    /// Adds lines to other nodes.
    pub fn links(&mut self, name: &str, links: impl IntoIterator<Item = Link>) -> &mut Self {
        self.add(name, Content::Links(Links(links.into_iter().collect())))
    }

    /// The finished parts.
    pub fn finish(self) -> Vec<Part> {
        self.parts
    }

    fn add(&mut self, name: &str, content: Content) -> &mut Self {
        self.parts.push(Part { name: name.to_owned(), content });
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_cut_to_the_rows_that_exist() {
        let last = ViewRequest { rows: RowWindow::Last(10) };
        assert_eq!(last.window(5..100), 90..100);
        assert_eq!(last.window(95..100), 95..100);
        let range = ViewRequest { rows: RowWindow::Range(0..50) };
        assert_eq!(range.window(5..20), 5..20);
        assert_eq!(range.window(60..70), 60..60);
    }

    #[test]
    fn links_are_told_in_words_and_groups_know_the_time() {
        let link = |to: u32, kind, weight| Link { to: NodeId::new(to), kind, weight };
        let links = Links(vec![link(1, "eager", Weight::Strong), link(4, "lazy", Weight::Weak)]);
        assert_eq!(
            (links.to_string(), Links::default().to_string()),
            ("n2 eager, n5 lazy".into(), "none".into())
        );
        let mut view = ViewBuilder::at(LocalTime::from_nanos(7));
        view.group("inner", |view| {
            view.text("now", view.now());
        });
        assert_eq!(view.now(), LocalTime::from_nanos(7));
        let Content::Group(inner) = &view.parts[0].content else { panic!("it is a group") };
        assert_eq!(inner[0].content, Content::Text("7ns".to_owned()));
    }

    #[test]
    #[should_panic(expected = "one text a column")]
    fn a_table_with_a_short_row_is_refused() {
        let table = Table { columns: vec!["a", "b"], available: 0..1, rows: vec![vec!["x".to_owned()]] };
        ViewBuilder::new().table("t", table);
    }
}

//! `results.parquet`: a row a run, for `DuckDB`, Polars, pandas and others.
//!
//! Columns are made here and nowhere else. They have no wall time and no host in them, rows come in the order of jobs, and
//! row groups have a fixed size: equal runs give equal bytes.

use std::fs::File;
use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};
use sim_core::metrics::{Counter, Gauge, Latency};

use super::super::{Configuration, Grid, Row};
use crate::sweep::row::{Measured, Took};

/// How many rows are in memory before they are written.
const ROWS_OF_GROUP: usize = 8_192;

/// What a column has of a row.
enum Cell {
    Text(Option<String>),
    Number(Option<u64>),
    /// A list of texts.
    Texts(Vec<String>),
}

/// What kind of values a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Texts,
}

/// What a column has of a row of a grid.
type CellOf = dyn Fn(&Grid, &Row) -> Cell;

/// Of a level, or of how long something took.
type NumberOf<T> = fn(&T) -> u64;

/// A column: how it is called, and what it has of a row.
struct Column {
    name: String,
    kind: Kind,
    repetition: Repetition,
    of: Box<CellOf>,
}

impl Column {
    fn new(
        name: impl Into<String>,
        kind: Kind,
        repetition: Repetition,
        of: impl Fn(&Grid, &Row) -> Cell + 'static,
    ) -> Self {
        Self { name: name.into(), kind, repetition, of: Box::new(of) }
    }

    fn text(name: &str, of: impl Fn(&Grid, &Row) -> String + 'static) -> Self {
        let of = move |grid: &Grid, row: &Row| Cell::Text(Some(of(grid, row)));
        Self::new(name, Kind::Text, Repetition::REQUIRED, of)
    }

    fn text_or_null(name: impl Into<String>, of: impl Fn(&Grid, &Row) -> Option<String> + 'static) -> Self {
        Self::new(name, Kind::Text, Repetition::OPTIONAL, move |grid, row| Cell::Text(of(grid, row)))
    }

    fn number(name: impl Into<String>, of: impl Fn(&Grid, &Row) -> u64 + 'static) -> Self {
        let of = move |grid: &Grid, row: &Row| Cell::Number(Some(of(grid, row)));
        Self::new(name, Kind::Number, Repetition::REQUIRED, of)
    }

    fn number_or_null(name: impl Into<String>, of: impl Fn(&Row) -> Option<u64> + 'static) -> Self {
        Self::new(name, Kind::Number, Repetition::OPTIONAL, move |_, row| Cell::Number(of(row)))
    }

    /// What readers are told of it.
    fn schema(&self) -> Result<TypePtr, ParquetError> {
        let leaf = |name: &str, repetition: Repetition| {
            let (physical, logical) = match self.kind {
                Kind::Text | Kind::Texts => (Physical::BYTE_ARRAY, LogicalType::String),
                Kind::Number => (Physical::INT64, LogicalType::integer(64, false)),
            };
            let builder = Type::primitive_type_builder(name, physical).with_repetition(repetition);
            builder.with_logical_type(Some(logical)).build().map(Arc::new)
        };
        if self.kind != Kind::Texts {
            return leaf(&self.name, self.repetition);
        }
        let list = Type::group_type_builder("list").with_repetition(Repetition::REPEATED);
        let list = list.with_fields(vec![leaf("element", Repetition::REQUIRED)?]).build()?;
        let outer = Type::group_type_builder(&self.name).with_repetition(Repetition::REQUIRED);
        let outer = outer.with_logical_type(Some(LogicalType::List)).with_fields(vec![Arc::new(list)]);
        outer.build().map(Arc::new)
    }

    fn write(
        &self,
        writer: &mut SerializedColumnWriter<'_>,
        grid: &Grid,
        rows: &[Row],
    ) -> Result<(), ParquetError> {
        let mut values = Values::default();
        for row in rows {
            values.put((self.of)(grid, row));
        }
        let definitions = match self.kind {
            Kind::Texts => Some(&values.definitions[..]),
            Kind::Text | Kind::Number => {
                (self.repetition == Repetition::OPTIONAL).then_some(&values.definitions[..])
            }
        };
        let repetitions = (self.kind == Kind::Texts).then_some(&values.repetitions[..]);
        match self.kind {
            Kind::Number => {
                writer.typed::<Int64Type>().write_batch(&values.numbers, definitions, repetitions)
            }
            Kind::Text | Kind::Texts => {
                writer.typed::<ByteArrayType>().write_batch(&values.texts, definitions, repetitions)
            }
        }
        .map(|_| ())
    }
}

/// The values of a column as the format has them: what is there, and in between how much is.
#[derive(Default)]
struct Values {
    texts: Vec<ByteArray>,
    numbers: Vec<i64>,
    /// 1 where there is a value.
    definitions: Vec<i16>,
    /// 0 where a list begins.
    repetitions: Vec<i16>,
}

impl Values {
    fn put(&mut self, cell: Cell) {
        let texts = match cell {
            Cell::Number(number) => {
                self.numbers.extend(number.map(u64::cast_signed));
                self.definitions.push(i16::from(number.is_some()));
                return;
            }
            Cell::Text(text) => text.into_iter().collect(),
            Cell::Texts(texts) => texts,
        };
        let count = texts.len();
        self.texts.extend(texts.into_iter().map(|text| ByteArray::from(text.into_bytes())));
        self.definitions.extend(std::iter::repeat_n(i16::from(count > 0), count.max(1)));
        self.repetitions.extend((0..count.max(1)).map(|place| i16::from(place > 0)));
    }
}

/// The file, while it is written.
pub(super) struct Results<'a> {
    writer: SerializedFileWriter<&'a File>,
    columns: Vec<Column>,
    grid: &'a Grid,
    /// Of the row group that is not full yet.
    rows: Vec<Row>,
}

impl<'a> Results<'a> {
    pub(super) fn new(file: &'a File, grid: &'a Grid) -> io::Result<Self> {
        let columns = columns(grid);
        let fields = columns.iter().map(Column::schema).collect::<Result<_, _>>().map_err(io_error)?;
        let schema = Type::group_type_builder("run").with_fields(fields).build().map_err(io_error)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(format!("splitbrain {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer =
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).map_err(io_error)?;
        Ok(Self { writer, columns, grid, rows: Vec::new() })
    }

    /// The next row.
    pub(super) fn put(&mut self, row: Row) -> io::Result<()> {
        self.rows.push(row);
        if self.rows.len() < ROWS_OF_GROUP { Ok(()) } else { self.write_group().map_err(io_error) }
    }

    /// Writes what is left, and the footer.
    pub(super) fn finish(mut self) -> io::Result<()> {
        if !self.rows.is_empty() {
            self.write_group().map_err(io_error)?;
        }
        self.writer.close().map(|_| ()).map_err(io_error)
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for column in &self.columns {
            let mut writer = group.next_column()?.expect("the schema has all columns");
            column.write(&mut writer, self.grid, &self.rows)?;
            writer.close()?;
        }
        group.close()?;
        self.rows.clear();
        Ok(())
    }
}

/// The disk's own error where there is one, so that a full disk is called so.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(inner) => match inner.downcast::<io::Error>() {
            Ok(inner) => *inner,
            Err(inner) => io::Error::other(inner.to_string()),
        },
        other => io::Error::other(other.to_string()),
    }
}

/// All columns, in order.
fn columns(grid: &Grid) -> Vec<Column> {
    let mut columns = about_the_run();
    columns.extend(parameters(grid));
    columns.extend(about_the_verdict());
    columns.extend(numbers());
    columns.extend(numbers_of_protocols(grid));
    columns
}

fn about_the_run() -> Vec<Column> {
    vec![
        Column::text("scenario", |grid, row| grid.configuration(row.job).scenario.clone()),
        Column::text("scenario_digest", |grid, row| {
            format!("{:016x}", grid.configuration(row.job).loaded.text_digest)
        }),
        Column::text("protocol", |grid, row| grid.configuration(row.job).protocol()),
        Column::number("nodes", |_, row| u64::from(row.nodes)),
        Column::number("seed", |grid, row| grid.seed(row.job)),
        Column::new("drawn", Kind::Texts, Repetition::REQUIRED, |_, row| Cell::Texts(row.drawn.clone())),
    ]
}

/// A column for each field that is set, `set.network.loss`, as it is written.
fn parameters(grid: &Grid) -> Vec<Column> {
    // All configurations of a grid set the same fields.
    let first =
        grid.configurations.first().map(|configuration| configuration.set.as_slice()).unwrap_or_default();
    let column = |(place, set): (usize, &String)| {
        let path = set.split_once('=').map_or(set.as_str(), |(path, _)| path).trim();
        Column::text_or_null(format!("set.{path}"), move |grid, row| {
            value(grid.configuration(row.job), place)
        })
    };
    first.iter().enumerate().map(column).collect()
}

/// What is set in a place.
fn value(configuration: &Configuration, place: usize) -> Option<String> {
    configuration.set.get(place)?.split_once('=').map(|(_, value)| value.trim().to_owned())
}

fn about_the_verdict() -> Vec<Column> {
    vec![
        Column::text("verdict", |_, row| row.verdict.name().to_owned()),
        Column::text("verdict_text", |_, row| row.text.clone()),
        Column::text_or_null("property", |_, row| row.property().map(str::to_owned)),
        Column::text_or_null("violation_node", |_, row| row.violation.as_ref()?.node.clone()),
        Column::number_or_null("violation_at_ns", |row| Some(row.violation.as_ref()?.at_ns)),
        Column::number_or_null("violation_event", |row| Some(row.violation.as_ref()?.event)),
        Column::text("digest", |_, row| row.digest.clone()),
        Column::number("events", |_, row| row.events),
        Column::number("simulated_ns", |_, row| row.simulated_ns),
        Column::number_or_null("converged_ns", |row| row.converged_ns),
        Column::new("points", Kind::Texts, Repetition::REQUIRED, |grid, row| {
            let names = grid.configuration(row.job).points.iter().zip(&row.points);
            Cell::Texts(names.filter(|(_, count)| **count > 0).map(|(name, _)| name.clone()).collect())
        }),
    ]
}

/// What was counted and measured.
fn numbers() -> Vec<Column> {
    let mut columns = Vec::new();
    for (place, counter) in Counter::ALL.into_iter().enumerate() {
        columns.push(Column::number(snake(counter.name()), move |_, row| row.counters[place]));
    }
    let of_gauge: [(&str, NumberOf<Measured>); 3] = [
        ("min", |gauge| gauge.min),
        ("mean_thousandths", |gauge| gauge.mean_thousandths),
        ("max", |gauge| gauge.max),
    ];
    for (place, gauge) in Gauge::ALL.into_iter().enumerate() {
        for (what, of) in of_gauge {
            let name = format!("{}_{what}", snake(gauge.name()));
            columns.push(Column::number_or_null(name, move |row| row.gauges[place].as_ref().map(of)));
        }
    }
    for (place, latency) in Latency::ALL.into_iter().enumerate() {
        columns.extend(latency_columns(latency.name(), move |row| row.latencies[place].as_ref()));
    }
    columns
}

/// What processes count and measure: a column for each name that one of the protocols declares.
fn numbers_of_protocols(grid: &Grid) -> Vec<Column> {
    let counters = names(grid, |configuration| &configuration.own_counters)
        .into_iter()
        .map(|name| Column::number_or_null(snake(name), move |row| row.own_counters.get(name).copied()));
    let latencies = names(grid, |configuration| &configuration.own_latencies).into_iter();
    let latencies = latencies.flat_map(|name| latency_columns(name, move |row| row.own_latencies.get(name)));
    counters.chain(latencies).collect()
}

/// The names that the protocols of a grid declare, each once, in the order of the configurations.
fn names(grid: &Grid, of: impl Fn(&Configuration) -> &Vec<&'static str>) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in grid.configurations.iter().flat_map(of) {
        if !names.contains(name) {
            names.push(*name);
        }
    }
    names
}

/// The columns of one latency.
fn latency_columns(
    name: &str,
    of_row: impl Fn(&Row) -> Option<&Took> + Copy + 'static,
) -> impl Iterator<Item = Column> {
    let of_latency: [(&str, NumberOf<Took>); 5] = [
        ("count", |took| took.count),
        ("mean_ns", |took| took.mean_ns),
        ("p50_ns", |took| took.p50_ns),
        ("p99_ns", |took| took.p99_ns),
        ("max_ns", |took| took.max_ns),
    ];
    let name = snake(name);
    of_latency.into_iter().map(move |(what, of)| {
        Column::number_or_null(format!("{name}_latency_{what}"), move |row| of_row(row).map(of))
    })
}

/// A name as databases like it.
fn snake(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use scenarios::ProtocolTable;

    use super::*;
    use crate::sweep::Asked;

    #[test]
    fn lists_say_where_they_begin_and_which_are_empty() {
        let mut values = Values::default();
        for texts in [vec!["a", "b"], vec![], vec!["c"]] {
            values.put(Cell::Texts(texts.into_iter().map(str::to_owned).collect()));
        }
        assert_eq!((values.definitions, values.repetitions), (vec![1, 1, 0, 1], vec![0, 1, 0, 0]));
        assert_eq!(values.texts.len(), 3);
    }

    #[test]
    fn no_two_columns_have_one_name_whatever_protocols_declare() {
        let scenarios = ["all".to_owned()];
        let asked = Asked { scenarios: &scenarios, set: &[], vary: &[], seeds: 0..1 };
        let grid = Grid::new(&asked, &ProtocolTable::builtin()).unwrap_or_else(|failure| panic!("{failure}"));
        let mut names = BTreeSet::new();
        for column in columns(&grid) {
            assert!(names.insert(column.name.clone()), "`{}` is there twice", column.name);
        }
        assert!(names.contains("commit_latency_p99_ns") && names.contains("state_transfers"), "{names:?}");
    }

    #[test]
    fn numbers_that_are_missing_take_no_value() {
        let mut values = Values::default();
        for number in [Some(7), None, Some(u64::MAX)] {
            values.put(Cell::Number(number));
        }
        assert_eq!((values.numbers, values.definitions), (vec![7, -1], vec![1, 0, 1]));
    }
}

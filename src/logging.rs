//! Diagnostic logging to standard error, off by default. Each line begins with the virtual time at which it was said:
//!
//! ```text
//! [           2s] DEBUG sim_core::world::apply: command command="crash n3"
//! ```

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::failure::{Failure, Usage};

/// Starts logging what `filter` lets through: `debug`, or `sim_core=trace,splitbrain=debug`.
pub(crate) fn start(filter: &str) -> Result<(), Failure> {
    let wrong = |error: &dyn fmt::Display| {
        let allowed = "`error`, `warn`, `info`, `debug`, `trace`, or a list such as `sim_core=trace`";
        let hint = "`--log debug` says what happens in all parts";
        Usage::new(format!("`--log {filter}` is no filter: {error}"), allowed, hint)
    };
    let filter = EnvFilter::builder().parse(filter).map_err(|error| wrong(&error))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .event_format(VirtualTime)
        .finish();
    tracing::subscriber::set_global_default(subscriber).map_err(|error| Failure::Internal(error.to_string()))
}

/// One event a line, with the virtual time in front.
struct VirtualTime;

impl<S, N> FormatEvent<S, N> for VirtualTime
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let (level, target) = (event.metadata().level(), event.metadata().target());
        writeln!(writer, "[{:>13}] {level:>5} {target}: {}", fields.now, fields.text)
    }
}

/// The fields of an event, its time apart. What is said outside a run says `-` for the time.
struct Fields {
    now: String,
    text: String,
}

impl Default for Fields {
    fn default() -> Self {
        Self { now: "-".to_owned(), text: String::new() }
    }
}

impl Fields {
    fn add(&mut self, name: &str, value: fmt::Arguments<'_>) {
        if name == "now" {
            self.now = value.to_string();
        } else if name == "message" {
            self.text.insert_str(0, &value.to_string());
        } else {
            write!(self.text, " {name}={value}").expect("a string takes every text");
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), format_args!("{value:?}"));
    }
}

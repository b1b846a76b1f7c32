//! One file a command: its arguments with their help, and what it does.

pub(crate) mod ablate;
pub(crate) mod check;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod explain;
pub(crate) mod gui;
pub(crate) mod history;
pub(crate) mod list;
pub(crate) mod man;
pub(crate) mod mutants;
pub(crate) mod replay;
pub(crate) mod reproduce;
pub(crate) mod run;
pub(crate) mod search;
pub(crate) mod shrink;
pub(crate) mod sweep;
pub(crate) mod trace;

use clap::ValueEnum;

/// For whom data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

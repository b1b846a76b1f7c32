//! The command line, through real processes: what it prints where, and what it ends with.

mod ablate;
mod bad_input;
mod commands;
mod compare;
mod explain;
mod history;
mod hunts;
mod readme;
mod search;
mod support;
mod sweep;
mod sweep_folder;
mod trace;

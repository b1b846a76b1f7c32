//! Scenario format, assembly of worlds, run and replay.

pub mod text;

//! Scenario format, assembly of worlds, run and replay.

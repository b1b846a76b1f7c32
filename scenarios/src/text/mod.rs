//! The text layer of scenario files: reading them, naming places in them, and saying what is wrong with them.
//! It knows the notation and nothing of what a scenario contains.

pub mod units;

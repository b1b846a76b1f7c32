//! `unique-ids`: numbers nobody else gets.

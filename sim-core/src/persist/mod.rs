//! Persistent containers: a clone shares its chunks with the original, so a snapshot of a world costs the
//! difference to the next one and not the size of its logs and maps.
//!
//! | container | a clone copies | a write after a clone copies |
//! | --- | --- | --- |
//! | [`AppendLog`] | one pointer per 65,536 entries, up to 255 more, and the open chunk (at most 255 entries) | nothing (`push`), one chunk (`get_mut`, `truncate_back`) |
//! | [`PersistentMap`] | one key and pointer per group (some thousand entries) | one group's pointers and one leaf |
//!
//! Both are ordinary values: `Send` and `Sync` when their contents are, compared and iterated in index or key
//! order, never by address. A container that was never cloned is changed in place.

mod log;
mod map;

pub use log::{AppendLog, Range};
pub use map::PersistentMap;

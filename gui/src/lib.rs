//! A window on a running simulation: see it, break it, go back in time.
//!
//! ```text
//! mouse, keys ─ panels ─► command::Intent ─ app ─► session ─► dyn Simulation
//!                 ▲                                   │
//!                 └── model: lanes, layouts, scales ──┘
//! ```
//!
//! | part | is |
//! | --- | --- |
//! | [`open`] | what to show: from a file or the library |
//! | [`session`] | the run under a person's hand: time, branches; without a window |
//! | [`model`] | what pictures are made of: lanes, layouts, scales; without a window |
//! | [`command`] | what a person can want: the one list that buttons, keys and the palette are made from |
//! | [`intent`] | one wish, however it was said |
//! | [`panels`] | what is drawn, one file a panel: they read the session and collect intents |
//! | [`files`] | the door to files: what is saved, and dialogs |
//! | [`tiles`] | where the panels are |
//! | [`app`] | puts the panels into the window, and fulfils the intents |
//!
//! Rules kept here: no protocol is named, only statuses, views, traces and metrics are shown; the world changes by
//! commands alone.

pub mod app;
#[doc(hidden)]
pub mod bench;
mod command;
mod files;
mod intent;
mod model;
pub mod open;
mod panels;
#[cfg(all(test, feature = "screenshots"))]
mod screenshots;
pub mod session;
#[cfg(all(test, feature = "snapshots"))]
mod snapshots;
#[cfg(test)]
mod testing;
mod tiles;

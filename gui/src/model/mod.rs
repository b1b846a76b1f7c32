//! What pictures are made of, without a window: where a time lies on the screen, how the lanes of a timeline run, where
//! nodes stand, which messages a space-time diagram shows.

pub(crate) mod apart;
pub(crate) mod filter;
pub(crate) mod force;
pub(crate) mod forms;
pub(crate) mod lanes;
pub(crate) mod layout;
pub(crate) mod library;
pub(crate) mod links;
pub(crate) mod logs;
pub(crate) mod offers;
pub(crate) mod operations;
pub(crate) mod regions;
pub(crate) mod scale;
pub(crate) mod series;
pub(crate) mod space_time;
pub(crate) mod svg;

//! What a restart must find again: of the master the configuration that it has issued last. Servers keep nothing, but their
//! incarnation where SWIM is the detector.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId};

use super::types::Configuration;
use crate::swim;

/// A cell of the master.
pub const CONFIGURATION: RegionId = RegionId::new(0);
/// A cell of every node, with SWIM as the detector.
pub const INCARNATION: RegionId = RegionId::new(1);

/// What is written to disk: each in its region, so that the content alone is what counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Record {
    /// Into [`CONFIGURATION`].
    Configuration(Arc<Configuration>),
    /// Into [`INCARNATION`].
    Incarnation(swim::Record),
}

impl Record {
    /// The configuration, if that is what it is.
    pub const fn configuration(&self) -> Option<&Arc<Configuration>> {
        if let Self::Configuration(configuration) = self { Some(configuration) } else { None }
    }
}

impl disk::Record for Record {
    fn size(&self) -> u64 {
        match self {
            Self::Configuration(configuration) => configuration.size(),
            Self::Incarnation(record) => record.size(),
        }
    }
}

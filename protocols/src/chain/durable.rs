//! What a restart must find again: of the master the configuration that it has issued last. Servers keep nothing.

use std::sync::Arc;

use serde::Serialize;
use sim_core::disk::{self, RegionId};

use super::types::Configuration;

/// The only region, a cell of the master.
pub const CONFIGURATION: RegionId = RegionId::new(0);

/// What is written to disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record(pub Arc<Configuration>);

impl disk::Record for Record {
    fn size(&self) -> u64 {
        self.0.size()
    }
}

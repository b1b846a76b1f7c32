//! Fields that are drawn from the seed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A field and the values that it may have: `(path: "nodes", from: ["3", "4", "5"])`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Draw {
    /// Which field, as `--set` writes it: `protocol.election_timeout`.
    pub path: String,
    /// Its values, as `--set` writes them, each equally likely; one that stands twice is twice as likely. Each must be
    /// valid by itself, or together with one of another field. Where all together are not, the seed draws them again.
    /// What `--set` sets is not drawn.
    pub from: Vec<String>,
}

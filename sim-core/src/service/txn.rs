//! `txn`: transactions over lists, as Elle checks them (Kingsbury & Alvaro, VLDB 2020).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Key, Value};

/// One step of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Append a value to the list under a key.
    Append(Key, Value),
    /// Read the list under a key.
    Read(Key),
}

/// What a step gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepOutcome {
    /// The append is part of the transaction.
    Appended,
    /// The list as the transaction saw it.
    List(Arc<[Value]>),
}

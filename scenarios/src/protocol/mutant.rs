//! Which bug a protocol has on purpose, as scenario files say it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a mutant, a bug that is built in on purpose: `commit-prior-term`. `splitbrain list mutants` shows all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct MutantName(pub String);

impl MutantName {
    /// The mutant that a chosen name stands for, by a protocol's own `by_name`.
    ///
    /// # Panics
    /// If there is no such mutant: validation has refused the scenario.
    pub(super) fn resolve<M>(chosen: Option<&Self>, by_name: impl Fn(&str) -> Option<M>) -> Option<M> {
        chosen.map(|Self(name)| {
            by_name(name).unwrap_or_else(|| panic!("validation let the mutant `{name}` pass"))
        })
    }
}

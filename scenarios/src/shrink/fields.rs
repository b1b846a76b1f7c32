//! A simpler scenario: fewer fields, nodes and clients.

use std::collections::BTreeSet;
use std::sync::Arc;

use sim_core::ClientId;
use sim_core::fault::{Command, Entry, Plan, Target};

use super::Shrinker;
use super::case::Case;
use crate::text::Outline;

/// What stays as it is: what a scenario must have, what is expected, and what other steps change. The parameters of the
/// protocol stay as well: without one it may promise something else, and break another promise.
const KEPT: [&str; 12] = [
    "format_version",
    "name",
    "summary",
    "protocol",
    "nodes",
    "clients",
    "clients.count",
    "clients.operations",
    "faults",
    "phases",
    "limits",
    "expect",
];

impl Shrinker<'_, '_> {
    /// Takes away what can go; says whether anything did.
    pub(super) fn without_fields(&mut self) -> bool {
        let mut is_simpler = self.with_fewer_nodes();
        is_simpler |= self.with_fewer_clients();
        while self.without_a_field() {
            is_simpler = true;
        }
        is_simpler
    }

    /// Takes the first field away that can go, sections before what they hold.
    pub(super) fn without_a_field(&mut self) -> bool {
        let text = self.best.loaded.value_text();
        let outline = Outline::new(text);
        let paths = outline.fields(2).into_iter().filter(|path| is_free(&path.to_string()));
        let cases: Vec<Case> = paths
            .filter_map(|path| self.best.with_text(&outline.without(&path)?, self.trial.table))
            .collect();
        self.try_all(&cases).is_some()
    }

    /// The fewest nodes with which it still fails. What happened to the others alone is left out.
    pub(super) fn with_fewer_nodes(&mut self) -> bool {
        let nodes = self.best.loaded.scenario.nodes;
        let clients = self.best.loaded.scenario.clients.total();
        let cases: Vec<Case> = (1..nodes)
            .filter_map(|fewer| {
                let case = self.best.with_set(&format!("nodes={fewer}"), self.trial.table)?;
                let fits = |entry: &&Arc<Entry>| {
                    Plan::new(vec![Entry::clone(entry)], Vec::new()).validate(fewer, clients).is_ok()
                };
                Some(case.with_entries(self.best.entries.iter().filter(fits).cloned().collect()))
            })
            .collect();
        self.try_all(&cases).is_some()
    }

    /// As many clients as are needed: one that asks everything, else those that ask, numbered from the first.
    pub(super) fn with_fewer_clients(&mut self) -> bool {
        let clients = &self.best.loaded.scenario.clients;
        if clients.operations != Some(0) {
            return self.with_fewer_of_drawn();
        }
        let askers: BTreeSet<ClientId> = self.best.entries.iter().filter_map(|entry| asker(entry)).collect();
        let total = clients.total() as usize;
        let numbered = |entry: &Entry| -> usize {
            asker(entry).map_or(0, |client| askers.iter().take_while(|other| **other < client).count())
        };
        let counts = [1, askers.len()].into_iter().filter(|count| *count < total && *count > 0);
        let cases: Vec<Case> = counts
            .filter_map(|count| {
                let text = crate::text::text_with(
                    self.best.loaded.value_text(),
                    &["clients.admins=0", &format!("clients.count={count}")],
                )?;
                let case = self.best.with_text(&text, self.trial.table)?;
                let asked = |entry: &Arc<Entry>| asked_by(entry, numbered(entry).min(count - 1));
                Some(case.with_entries(self.best.entries.iter().map(asked).collect()))
            })
            .collect();
        self.try_all(&cases).is_some()
    }

    /// Fewer of the clients whose operations are drawn, and fewer of these.
    fn with_fewer_of_drawn(&mut self) -> bool {
        let clients = &self.best.loaded.scenario.clients;
        let (count, operations) = (clients.count, clients.operations.unwrap_or(u32::MAX));
        let set = |text: String| self.best.with_set(&text, self.trial.table);
        let fewer: Vec<Case> = (0..count).filter_map(|fewer| set(format!("clients.count={fewer}"))).collect();
        let is_fewer = self.try_all(&fewer).is_some();
        let set = |text: String| self.best.with_set(&text, self.trial.table);
        let counts = (1..=20).map(|double| 1_u32 << double).filter(|fewer| *fewer < operations / 2);
        let fewer: Vec<Case> =
            counts.filter_map(|fewer| set(format!("clients.operations={fewer}"))).collect();
        is_fewer | self.try_all(&fewer).is_some()
    }
}

fn is_free(path: &str) -> bool {
    !KEPT.contains(&path) && !["phases.", "protocol."].iter().any(|section| path.starts_with(section))
}

/// Who asks, where somebody does.
fn asker(entry: &Entry) -> Option<ClientId> {
    match &entry.command {
        Command::<Target>::Issue { client, .. } => Some(*client),
        _ => None,
    }
}

/// The same, asked by the client with this number.
fn asked_by(entry: &Arc<Entry>, number: usize) -> Arc<Entry> {
    let client = ClientId::new(u32::try_from(number).expect("there are few clients"));
    match &entry.command {
        Command::<Target>::Issue { operation, .. } => {
            let command = Command::Issue { client, operation: operation.clone() };
            Arc::new(Entry { command, ..Entry::clone(entry) })
        }
        _ => entry.clone(),
    }
}

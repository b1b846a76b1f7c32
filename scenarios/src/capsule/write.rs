//! A capsule as text: short fields first, a line a command, the scenario as it was written.

use std::fmt::Write as _;

use serde::Serialize;

use super::Capsule;
use crate::load::Loaded;
use crate::text::ron_options;

/// Writing to a string cannot fail.
const WRITES: &str = "a string takes every text";

impl Capsule {
    /// The file. `loaded` is where its scenario comes from: its text is kept, with its comments. `command` is what
    /// somebody who finds the file should type.
    pub fn to_text(&self, loaded: &Loaded, command: &str) -> String {
        let mut text = format!("// A run to be repeated: {command}\nCapsule(\n");
        field(&mut text, "format_version", &self.format_version);
        field(&mut text, "made_by", &self.made_by);
        field(&mut text, "seed", &self.seed);
        if !self.set.is_empty() {
            field(&mut text, "set", &self.set);
        }
        field(&mut text, "verdict", &self.verdict);
        if !self.property.is_empty() {
            field(&mut text, "property", &self.property);
            field(&mut text, "evidence", &self.evidence);
        }
        field(&mut text, "digest", &self.digest.to_string());
        field(&mut text, "events", &self.events);
        text.push_str("    plan: (\n");
        list(&mut text, "entries", self.plan.entries());
        list(&mut text, "clients", self.plan.clients());
        text.push_str("    ),\n");
        writeln!(text, "    scenario: {},\n)", loaded.value_text()).expect(WRITES);
        text
    }
}

fn field(text: &mut String, name: &str, value: &impl Serialize) {
    writeln!(text, "    {name}: {},", line(value)).expect(WRITES);
}

/// An item a line; nothing where there is none.
fn list(text: &mut String, name: &str, items: &[impl Serialize]) {
    if items.is_empty() {
        return;
    }
    writeln!(text, "        {name}: [").expect(WRITES);
    for item in items {
        writeln!(text, "            {},", line(item)).expect(WRITES);
    }
    text.push_str("        ],\n");
}

fn line(value: &impl Serialize) -> String {
    ron_options().to_string(value).expect("a capsule is plain data")
}

//! What differs between two scenarios, field by field.
//!
//! Scenarios are compared as they are understood, not as they are written: a default that is spelt out is no difference.
//! Where the protocols differ, that is one line, and their parameters are not compared.

use std::collections::BTreeMap;

use scenarios::format::Workload;
use scenarios::{Loaded, ProtocolTable};
use serde_json::Value;
use sim_core::service::Service;

/// A field that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// `protocol.pre_vote`.
    pub(crate) path: String,
    /// What each side has; `None` where it is not there.
    pub(crate) values: [Option<String>; 2],
}

/// What says nothing of how a scenario runs or is judged.
const NAMES: [&str; 5] = ["format_version", "name", "summary", "hunt", "draw"];
/// Longer values are cut.
const VALUE_LEN_MAX: usize = 48;

/// The fields that differ, in alphabetical order.
pub(crate) fn differences(sides: [&Loaded; 2]) -> Vec<Difference> {
    let fields = sides.map(fields);
    let have_one_protocol = sides[0].scenario.protocol.name() == sides[1].scenario.protocol.name();
    let mut paths: Vec<&String> = fields.iter().flat_map(BTreeMap::keys).collect();
    paths.sort();
    paths.dedup();
    let compared = paths.into_iter().filter(|path| have_one_protocol || !path.starts_with("protocol."));
    let values = |path: &String| [0, 1].map(|side: usize| fields[side].get(path).cloned());
    let both = compared.map(|path| Difference { path: path.clone(), values: values(path) });
    both.filter(|difference| difference.values[0] != difference.values[1]).collect()
}

/// The service that the clients of a scenario ask, if there is any.
pub(crate) fn service(loaded: &Loaded, table: &ProtocolTable) -> Option<Service> {
    let scenario = &loaded.scenario;
    let kind = table.find(scenario.protocol.name()).expect("the scenario was loaded with this table");
    let asked = scenario.clients.workload.as_ref().map(Workload::about).map(|about| about.service);
    asked.or_else(|| kind.services(&scenario.protocol).first().copied())
}

/// All fields by their paths, each with its value. A field that is drawn has what it is drawn from.
fn fields(loaded: &Loaded) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let value = serde_json::to_value(&loaded.scenario).expect("a scenario is plain data");
    let Value::Object(sections) = value else { panic!("a scenario has fields") };
    for (name, section) in sections.iter().filter(|(name, _)| !NAMES.contains(&name.as_str())) {
        flatten(name, section, &mut fields);
    }
    fields.insert("protocol".to_owned(), loaded.scenario.protocol.name().to_owned());
    for draw in loaded.draws() {
        let path = draw.path.trim();
        // What is drawn as a whole has no parts that could be compared.
        fields.retain(|field, _| !is_inside(field, path));
        fields.insert(path.to_owned(), format!("drawn from {}", draw.from.join(", ")));
    }
    fields.values_mut().for_each(cut);
    fields
}

fn is_inside(field: &str, section: &str) -> bool {
    field.strip_prefix(section).is_some_and(|rest| rest.starts_with(['.', '[']))
}

/// Puts the leaves of a value under their paths. The name of a variant is left out, as in `--set`; what has no fields is a
/// leaf itself.
fn flatten(path: &str, value: &Value, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (name, value) in object {
                let is_variant =
                    object.len() == 1 && name.starts_with(|letter: char| letter.is_ascii_uppercase());
                if is_variant {
                    fields.insert(path.to_owned(), name.clone());
                    flatten(path, value, fields);
                } else {
                    flatten(&format!("{path}.{name}"), value, fields);
                }
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (place, item) in items.iter().enumerate() {
                flatten(&format!("{path}[{place}]"), item, fields);
            }
        }
        Value::String(text) => put(path, text, fields),
        Value::Bool(_) | Value::Number(_) => put(path, &value.to_string(), fields),
        // What is empty is as if it were not there; an empty variant stands there with its name.
        Value::Null | Value::Object(_) | Value::Array(_) => {}
    }
}

/// Puts a leaf; one in a variant stands behind the variant's name.
fn put(path: &str, text: &str, fields: &mut BTreeMap<String, String>) {
    let text = match fields.get(path) {
        Some(variant) => format!("{variant}({text})"),
        None => text.to_owned(),
    };
    fields.insert(path.to_owned(), text);
}

fn cut(text: &mut String) {
    if text.chars().count() > VALUE_LEN_MAX {
        *text = text.chars().take(VALUE_LEN_MAX - 1).chain(['…']).collect();
    }
}

#[cfg(test)]
mod tests {
    use scenarios::text::Override;

    use super::*;

    fn loaded(fields: &str, set: &[&str]) -> Loaded {
        let text = format!(r#"Scenario(format_version: 1, name: "it", {fields})"#);
        let set: Vec<Override> = set.iter().map(|set| Override::parse(set).expect("it is one")).collect();
        scenarios::load("it.ron", text.as_bytes(), &set, &ProtocolTable::builtin())
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn told(one: &Loaded, other: &Loaded) -> Vec<String> {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
        let differences = differences([one, other]);
        differences
            .iter()
            .map(|found| format!("{}: {} | {}", found.path, text(&found.values[0]), text(&found.values[1])))
            .collect()
    }

    #[test]
    fn a_default_that_is_spelt_out_is_no_difference() {
        let plain = loaded("protocol: Raft()", &[]);
        let spelt = loaded("nodes: 5, protocol: Raft(pre_vote: false)", &[]);
        assert_eq!(told(&plain, &spelt), Vec::<String>::new());
    }

    #[test]
    fn fields_that_differ_are_told_with_their_paths_and_values() {
        let one = loaded("protocol: Raft()", &[]);
        let set =
            ["protocol.pre_vote=true", "network.loss=0.1", "faults.timed=[(at: \"1s\", do: Crash(\"n1\"))]"];
        let other = loaded("protocol: Raft()", &set);
        let told = told(&one, &other);
        for expected in [
            "protocol.pre_vote: false | true",
            "faults.timed[0].do: – | Crash(n1)",
            "faults.timed[0].at: – | 1s",
        ] {
            assert!(told.iter().any(|line| line == expected), "`{expected}` is not in {told:#?}");
        }
        assert!(told.iter().any(|line| line.starts_with("network.loss: ")), "{told:#?}");
    }

    #[test]
    fn other_protocols_are_one_line_and_a_mutant_is_one() {
        let raft = loaded("protocol: Raft()", &[]);
        let vrr = loaded("protocol: Vrr()", &[]);
        assert_eq!(told(&raft, &vrr), ["protocol: raft | vrr"]);
        let mutant = loaded("protocol: Raft(mutant: \"no-uptodate-check\")", &[]);
        assert_eq!(told(&raft, &mutant), ["protocol.mutant: – | no-uptodate-check"]);
    }

    #[test]
    fn a_field_that_only_one_side_draws_differs_even_from_its_own_default() {
        let text = r#"protocol: Raft(), draw: [(path: "protocol.pre_vote", from: ["false", "true"])]"#;
        let drawn = loaded(text, &[]);
        let set = loaded(text, &["protocol.pre_vote=false"]);
        assert_eq!(told(&drawn, &set), ["protocol.pre_vote: drawn from false, true | false"]);
        assert_eq!(told(&drawn, &drawn), Vec::<String>::new());
    }
}

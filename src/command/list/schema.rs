//! What a JSON schema says of the fields of a type, or of the variants of an enum.

use schemars::Schema;
use serde_json::Value;

/// A field or a variant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Described {
    pub(crate) name: String,
    /// The first paragraph of its documentation, on one line.
    pub(crate) help: String,
    /// The default, as the file would have it; empty if there is none.
    pub(crate) default: String,
}

/// The fields of a struct, in alphabetical order.
pub(crate) fn fields(schema: &Schema) -> Vec<Described> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let described = properties.into_iter().flatten().map(|(name, field)| Described {
        name: name.clone(),
        help: help(field),
        default: field.get("default").map_or_else(String::new, ToString::to_string),
    });
    described.collect()
}

/// The variants of an enum, in order of declaration.
pub(crate) fn variants(schema: &Schema) -> Vec<Described> {
    let alternatives = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    alternatives.into_iter().flatten().flat_map(variants_of).collect()
}

/// The variants that one alternative stands for: one with fields, or several without.
fn variants_of(alternative: &Value) -> Vec<Described> {
    let described =
        |name: &str| Described { name: name.to_owned(), help: help(alternative), default: String::new() };
    if let Some(properties) = alternative.get("properties").and_then(Value::as_object) {
        return properties.keys().map(|name| described(name)).collect();
    }
    let unit = alternative.get("const").into_iter();
    let units = alternative.get("enum").and_then(Value::as_array).into_iter().flatten();
    unit.chain(units).filter_map(Value::as_str).map(described).collect()
}

fn help(described: &Value) -> String {
    let text = described.get("description").and_then(Value::as_str).unwrap_or_default();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use schemars::{JsonSchema, schema_for};

    use super::*;

    /// Something.
    #[derive(JsonSchema)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    enum Fault {
        /// It stops.
        Stop,
        /// It slows
        /// down.
        ///
        /// Much.
        Slow { percent: u32 },
    }

    #[test]
    fn variants_with_and_without_fields_are_found_with_their_help() {
        let found = variants(&schema_for!(Fault));
        let found: Vec<_> = found.iter().map(|variant| (&*variant.name, &*variant.help)).collect();
        assert_eq!(found, [("Stop", "It stops."), ("Slow", "It slows down.")]);
    }
}

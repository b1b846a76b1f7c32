//! Values in the notation of files, as their schema says that they are written.

use serde_json::Value;

use super::schema::{Types, alternatives, variant_of, without_null};

impl Types<'_> {
    /// A value of this schema, on one line.
    pub(super) fn notation(&self, schema: &Value, value: &Value) -> String {
        if value.is_null() {
            return "None".to_owned();
        }
        if let Some(inner) = without_null(schema) {
            return self.notation(&inner, value);
        }
        let schema = self.resolved(schema);
        if let Some(variants) = alternatives(schema) {
            return self.variant_notation(&variants, value);
        }
        match value {
            Value::String(text) => quoted(text),
            Value::Array(items) => {
                let (items, [open, close]) = self.items(schema, items);
                format!("{open}{}{close}", items.join(", "))
            }
            Value::Object(fields) => self.fields(schema, fields),
            other => other.to_string(),
        }
    }

    /// The same, with the items of a list on a line each.
    pub(super) fn spread(&self, schema: &Value, value: &Value) -> String {
        match value {
            Value::Array(items) if items.len() > 1 => {
                let (items, [open, close]) = self.items(self.resolved(schema), items);
                let short = items.join(", ");
                if short.len() <= 60 {
                    return format!("{open}{short}{close}");
                }
                format!("{open}\n    {},\n{close}", items.join(",\n    "))
            }
            _ => self.notation(schema, value),
        }
    }

    /// The items of a list or a tuple, and its brackets.
    fn items(&self, schema: &Value, items: &[Value]) -> (Vec<String>, [char; 2]) {
        let tuple = schema.get("prefixItems").and_then(Value::as_array);
        let of = |place: usize| {
            tuple.and_then(|tuple| tuple.get(place)).or(schema.get("items")).unwrap_or(&Value::Null)
        };
        let texts = items.iter().enumerate().map(|(place, item)| self.notation(of(place), item)).collect();
        (texts, if tuple.is_some() { ['(', ')'] } else { ['[', ']'] })
    }

    /// A struct `(a: 1)`, without what is not there; or a map `{"a": 1}`.
    fn fields(&self, schema: &Value, fields: &serde_json::Map<String, Value>) -> String {
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            let of = map_value(schema);
            let entry =
                |(key, value): (&String, &Value)| format!("{}: {}", quoted(key), self.notation(of, value));
            return format!("{{{}}}", fields.iter().map(entry).collect::<Vec<_>>().join(", "));
        };
        let is_said = |name: &&String, value: &Value| {
            let default = properties.get(*name).and_then(|property| property.get("default"));
            !value.is_null() && default != Some(value)
        };
        let said = fields.iter().filter(|(name, value)| is_said(name, value));
        let field = |(name, value): (&String, &Value)| {
            format!("{name}: {}", self.notation(properties.get(name).unwrap_or(&Value::Null), value))
        };
        format!("({})", said.map(field).collect::<Vec<_>>().join(", "))
    }

    fn variant_notation(&self, alternatives: &[(String, Value)], value: &Value) -> String {
        let found = variant_of(value).and_then(|name| alternatives.iter().find(|(known, _)| known == name));
        let Some((name, alternative)) = found else { return value.to_string() };
        let inner = alternative.get("properties").and_then(|properties| properties.get(name));
        let Some((schema, value)) = inner.zip(value.get(name)) else { return name.clone() };
        let notation = self.notation(schema, value);
        if notation.starts_with('(') { format!("{name}{notation}") } else { format!("{name}({notation})") }
    }
}

/// What the entries of a map are.
fn map_value(schema: &Value) -> &Value {
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    let by_pattern = patterns.and_then(|patterns| patterns.values().next());
    by_pattern.or(schema.get("additionalProperties")).unwrap_or(&Value::Null)
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

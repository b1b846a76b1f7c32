//! What a JSON schema says of a type: how it is filled in, and its help.

use serde_json::{Map, Value, json};

use super::Quotes;

/// A schema with the types that it refers to.
pub(super) struct Types<'a> {
    named: Option<&'a Map<String, Value>>,
}

/// How a type is filled in.
pub(super) enum Shape {
    Switch,
    Line(Quotes),
    Notation,
    /// This, or nothing.
    Optional(Value),
    /// One of these: names, and what a value of each looks like.
    Choice(Vec<(String, Value)>),
    /// These fields.
    Struct(Vec<(String, Value)>),
}

impl<'a> Types<'a> {
    pub(super) fn new(schema: &'a Value) -> Self {
        Self { named: schema.get("$defs").and_then(Value::as_object) }
    }

    /// The type that a schema refers to, or itself.
    pub(super) fn resolved<'s>(&self, schema: &'s Value) -> &'s Value
    where
        'a: 's,
    {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.named?.get(name)).map_or(schema, |found| self.resolved(found))
    }

    pub(super) fn shape(&self, schema: &Value) -> Shape {
        if let Some(inner) = without_null(schema) {
            return Shape::Optional(inner);
        }
        let schema = self.resolved(schema);
        if let Some(alternatives) = alternatives(schema) {
            return Shape::Choice(alternatives);
        }
        if let Some(kinds) = schema.get("oneOf").and_then(Value::as_array) {
            let is_number = kinds.iter().any(|kind| kind["type"] == "number");
            return Shape::Line(if is_number { Quotes::UnlessNumber } else { Quotes::Always });
        }
        match schema.get("type").and_then(Value::as_str) {
            Some("boolean") => Shape::Switch,
            Some("integer" | "number") => Shape::Line(Quotes::Never),
            Some("string") => Shape::Line(Quotes::Always),
            Some("object") if map_of(schema).is_none() => {
                let properties = schema.get("properties").and_then(Value::as_object);
                let all = properties.into_iter().flatten();
                Shape::Struct(all.map(|(name, property)| (name.clone(), property.clone())).collect())
            }
            _ => Shape::Notation,
        }
    }

    /// What to begin with where nothing is said: the default, or the simplest there is.
    pub(super) fn usual(&self, schema: &Value) -> Value {
        if let Some(default) = schema.get("default") {
            return default.clone();
        }
        let resolved = self.resolved(schema);
        match self.shape(schema) {
            Shape::Optional(_) => Value::Null,
            Shape::Switch => json!(false),
            Shape::Choice(alternatives) => alternatives.first().map_or(Value::Null, |(name, alternative)| {
                match alternative.get("properties").and_then(|properties| properties.get(name)) {
                    Some(inner) => json!({ name: self.usual(inner) }),
                    None => json!(name),
                }
            }),
            Shape::Struct(properties) => {
                properties.into_iter().map(|(name, property)| (name, self.usual(&property))).collect()
            }
            Shape::Line(_) => example(resolved).unwrap_or_else(|| match resolved["type"].as_str() {
                Some("integer" | "number") => json!(1),
                _ => json!(""),
            }),
            Shape::Notation if resolved["type"] == "object" => json!({}),
            Shape::Notation => json!([]),
        }
    }

    /// What the doc comment says.
    pub(super) fn help(&self, schema: &Value) -> String {
        let own = schema.get("description").or_else(|| self.resolved(schema).get("description"));
        let text = own.and_then(Value::as_str).unwrap_or_default();
        text.split("\n\n")
            .map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// What may be written: `a length of time with its unit: ns, us, ms, s, m or h; such as 150ms, 1.5s`.
    pub(super) fn form(&self, schema: &Value) -> String {
        let inner = without_null(schema);
        let resolved = self.resolved(inner.as_ref().unwrap_or(schema));
        let is_choice = alternatives(resolved).is_some();
        let mut parts = Vec::new();
        if resolved["type"] == "integer" {
            parts.push("a whole number".to_owned());
        } else if !is_choice && resolved["type"] != "object" && !std::ptr::eq(resolved, schema) {
            parts.extend(resolved.get("description").and_then(Value::as_str).map(str::to_owned));
        }
        let examples = resolved.get("examples").and_then(Value::as_array);
        let examples: Vec<String> = examples.into_iter().flatten().map(super::line_of).collect();
        if !examples.is_empty() {
            parts.push(format!("such as {}", examples.join(" or ")));
        }
        parts.join("; ")
    }
}

/// Of what may be nothing, what it is otherwise.
pub(super) fn without_null(schema: &Value) -> Option<Value> {
    if let Some(kinds) = schema.get("type").and_then(Value::as_array) {
        let kind = kinds.iter().find(|kind| *kind != "null")?;
        let mut inner = schema.clone();
        inner["type"] = kind.clone();
        return Some(inner);
    }
    let alternatives = schema.get("anyOf").and_then(Value::as_array)?;
    let is_null = |alternative: &Value| alternative["type"] == "null";
    let inner = alternatives.iter().find(|alternative| !is_null(alternative))?.clone();
    alternatives.iter().any(is_null).then(|| {
        let mut inner = inner;
        // What the field says of itself goes before what its type says.
        inner["description"] = schema.get("description").cloned().unwrap_or_default();
        inner
    })
}

/// The variants of an enum; `None` where it is none.
pub(super) fn alternatives(schema: &Value) -> Option<Vec<(String, Value)>> {
    let names = |alternative: &Value| -> Option<Vec<(String, Value)>> {
        if let Some(name) = alternative.get("const").and_then(Value::as_str) {
            return Some(vec![(name.to_owned(), alternative.clone())]);
        }
        let name = required(alternative).first().map(|name| (*name).to_owned())?;
        let is_one = alternative.get("properties")?.as_object()?.len() == 1;
        is_one.then(|| vec![(name, alternative.clone())])
    };
    schema.get("oneOf")?.as_array()?.iter().map(names).collect::<Option<Vec<_>>>().map(|all| all.concat())
}

/// The name of the type, where it has one.
pub(super) fn name(schema: &Value) -> String {
    let inner = without_null(schema);
    let reference = inner.as_ref().unwrap_or(schema).get("$ref").and_then(Value::as_str);
    reference.and_then(|path| path.rsplit('/').next()).unwrap_or_default().to_owned()
}

/// The name of the variant that a value is of.
pub(super) fn variant_of(value: &Value) -> Option<&str> {
    match value {
        Value::String(name) => Some(name),
        Value::Object(fields) if fields.len() == 1 => fields.keys().next().map(String::as_str),
        _ => None,
    }
}

/// The names of the fields that must be there.
pub(super) fn required(schema: &Value) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The values of a map; `None` of a struct.
fn map_of(schema: &Value) -> Option<&Value> {
    let is_map = |values: &&Value| values.is_object();
    schema.get("patternProperties").or(schema.get("additionalProperties").filter(is_map))
}

fn example(schema: &Value) -> Option<Value> {
    schema.get("examples")?.as_array()?.first().cloned()
}

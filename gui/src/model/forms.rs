//! The parameters of a scenario as forms: what can be said where, with the help that the types carry in their doc
//! comments. All of it is read from the JSON schema of scenarios; what is filled in comes out as overrides, as
//! `--set path=value` would have them.
//!
//! ```text
//! schema ──┐
//! the file ├─► Form: fields, what the file says, what is filled in ─► overrides of what differs
//! the run ─┘
//! ```
//!
//! | a type that is | is filled in as |
//! | --- | --- |
//! | a truth value | a switch |
//! | a number, or a text with a unit | a line |
//! | one of several | a choice, with the fields of what is chosen |
//! | optional | a switch, and what it is if it is there |
//! | a struct | its fields |
//! | a list, a map | a text in the notation of files |

mod notation;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use scenarios::text::{Diagnostic, Outline, Override, Path, Source, Step};
use scenarios::{Loaded, ProtocolTable, Scenario};
use serde_json::Value;

use self::notation::quoted;
use self::schema::{Shape, Types};

/// How deep fields are looked for in the text of a scenario.
const DEPTH: usize = 8;
/// The field that says what runs on the nodes.
pub(crate) const PROTOCOL: &str = "protocol";
/// What names of mutants are called as a type.
pub(crate) const MUTANT: &str = "MutantName";
/// What is fixed by the program, and not filled in.
const FIXED: &str = "format_version";

/// All parameters of a scenario.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    /// The fields of the scenario itself, in the order of files.
    pub(crate) fields: Vec<Field>,
}

/// Something that can be filled in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// As `--set` takes it.
    pub(crate) path: String,
    /// The last step of the path.
    pub(crate) name: String,
    /// What it is, in sentences.
    pub(crate) help: String,
    /// What may be written: the notation, examples, the range.
    pub(crate) form: String,
    /// The name of its type, where it has one.
    pub(crate) type_name: String,
    /// Whether every file says it.
    is_required: bool,
    /// What is meant where a file does not say it, in the notation of files.
    default: String,
    /// What is filled in.
    pub(crate) kind: Kind,
    /// What the file says.
    file: Box<Kind>,
}

/// How something is filled in, and with what.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// Yes or no.
    Switch(bool),
    /// A line.
    Line { text: String, quotes: Quotes },
    /// A text in the notation of files.
    Notation(String),
    /// One of several.
    Choice { variants: Vec<Variant>, chosen: usize },
    /// All of these.
    Group(Vec<Field>),
    /// This, or nothing.
    Optional { is_there: bool, inner: Box<Field> },
}

/// Whether a line is a text in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quotes {
    Never,
    Always,
    /// Where it is no number.
    UnlessNumber,
}

/// One of several.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// What it is, in sentences.
    pub(crate) help: String,
    /// What it says more, where it does.
    pub(crate) body: Option<Box<Field>>,
}

impl Form {
    /// The form of a scenario: what its file says, and what is in force with overrides.
    pub(crate) fn new(loaded: &Loaded, table: &ProtocolTable) -> Self {
        // A file whose values do not go together without the overrides says what is in force.
        let file = loaded.reloaded(&[], table).ok();
        let file = file.as_ref().map_or(&loaded.scenario, |file| &file.scenario);
        let mut form = Self::of(&loaded.scenario);
        for (field, said) in form.fields.iter_mut().zip(&Self::of(file).fields) {
            field.compare_with(said);
        }
        form
    }

    fn of(scenario: &Scenario) -> Self {
        let schema = Value::from(Scenario::schema());
        let order = Order::of(&scenario.to_text());
        let value = serde_json::to_value(scenario).expect("a scenario is plain data");
        let types = Types::new(&schema);
        let whole = Builder { types: &types, order: &order }.field("", &schema, Some(&value));
        let Kind::Group(fields) = whole.kind else { unreachable!("a scenario is a struct") };
        Self { fields: fields.into_iter().filter(|field| field.path != FIXED).collect() }
    }

    /// What was filled in otherwise than the file says, outer fields first.
    ///
    /// # Errors
    /// If something that was filled in cannot be an override at all.
    pub(crate) fn overrides(&self) -> Result<Vec<Override>, Diagnostic> {
        let mut set = Vec::new();
        self.fields.iter().for_each(|field| field.add_changes(&mut set));
        set.iter().map(|text| Override::parse(text)).collect()
    }

    /// How many values differ from the file.
    pub(crate) fn changes(&self) -> usize {
        self.fields.iter().map(Field::changes).sum()
    }

    /// Puts everything back as the file has it.
    pub(crate) fn put_back(&mut self) {
        self.fields.iter_mut().for_each(Field::put_back);
    }

    /// The protocol that is chosen, as files name it.
    pub(crate) fn protocol(&self) -> &str {
        let protocol = self.fields.iter().find(|field| field.path == PROTOCOL);
        match protocol.map(|field| &field.kind) {
            Some(Kind::Choice { variants, chosen }) => &variants[*chosen].name,
            _ => "",
        }
    }

    /// Which bug the chosen protocol has on purpose, where it can have any.
    pub(crate) fn mutant(&mut self) -> Option<&mut Field> {
        let protocol = self.fields.iter_mut().find(|field| field.path == PROTOCOL)?;
        let Kind::Choice { variants, chosen } = &mut protocol.kind else { return None };
        let Kind::Group(fields) = &mut variants[*chosen].body.as_mut()?.kind else { return None };
        fields.iter_mut().find(|field| field.type_name == MUTANT)
    }

    /// All that is filled in now, without groups, in order.
    #[cfg(test)]
    fn leaves_mut(&mut self) -> Vec<&mut Field> {
        let mut leaves = Vec::new();
        self.fields.iter_mut().for_each(|field| field.add_leaves(&mut leaves));
        leaves
    }
}

/// The path of the field that an error is about, where it is about something that was filled in.
pub(crate) fn field_of(diagnostic: &Diagnostic) -> Option<&str> {
    match &diagnostic.place.source {
        Source::Set { text, .. } => text.split_once('=').map(|(path, _)| path.trim()),
        Source::File(_) => None,
    }
}

impl Field {
    /// Whether it, or anything in it, differs from the file.
    pub(crate) fn is_changed(&self) -> bool {
        self.changes() > 0
    }

    /// How many values in it differ from the file.
    pub(crate) fn changes(&self) -> usize {
        match (&self.kind, self.file.as_ref()) {
            (Kind::Group(fields), _) => fields.iter().map(Self::changes).sum(),
            (Kind::Choice { variants, chosen }, Kind::Choice { chosen: before, .. }) if chosen == before => {
                variants[*chosen].body.as_ref().map_or(0, |body| body.changes())
            }
            (Kind::Optional { is_there: true, inner }, Kind::Optional { is_there: true, .. }) => {
                inner.changes()
            }
            (Kind::Optional { is_there: false, .. }, Kind::Optional { is_there: false, .. }) => 0,
            (kind, file) => usize::from(kind != file),
        }
    }

    /// As the file has it.
    pub(crate) fn put_back(&mut self) {
        match &mut self.kind {
            Kind::Group(fields) => fields.iter_mut().for_each(Self::put_back),
            kind => kind.clone_from(&self.file),
        }
    }

    /// Whether a person who looks for this may mean it by its name.
    pub(crate) fn is_called(&self, wanted: &str) -> bool {
        self.path.contains(&wanted.to_lowercase())
    }

    /// Whether a person who looks for this may mean it by what it is, and not by its name.
    pub(crate) fn is_about(&self, wanted: &str) -> bool {
        !self.is_called(wanted) && self.help.to_lowercase().contains(&wanted.to_lowercase())
    }

    /// Takes over what the file says from the same field of the file's form.
    fn compare_with(&mut self, said: &Self) {
        *self.file = said.kind.clone();
        match (&mut self.kind, &said.kind) {
            (Kind::Group(own), Kind::Group(others)) => {
                own.iter_mut().zip(others).for_each(|(own, other)| own.compare_with(other));
            }
            (Kind::Optional { inner, .. }, Kind::Optional { inner: other, .. }) => inner.compare_with(other),
            (Kind::Choice { variants, .. }, Kind::Choice { variants: others, .. }) => {
                let bodies = variants
                    .iter_mut()
                    .zip(others)
                    .filter_map(|(own, other)| own.body.as_mut().zip(other.body.as_ref()));
                bodies.for_each(|(own, other)| own.compare_with(other));
            }
            _ => {}
        }
    }

    /// Adds `path=value` for what differs. Where an outer field is always in the file, inner ones are set by themselves; else
    /// the whole is, since there may be no place for the inner one.
    fn add_changes(&self, set: &mut Vec<String>) {
        match (&self.kind, self.file.as_ref()) {
            (Kind::Group(fields), _) => fields.iter().for_each(|field| field.add_changes(set)),
            (Kind::Optional { is_there: true, inner }, Kind::Optional { is_there: true, .. }) => {
                inner.add_changes(set);
            }
            (Kind::Choice { variants, chosen }, Kind::Choice { chosen: before, .. })
                if chosen == before && self.is_required && variants[*chosen].is_struct() =>
            {
                variants[*chosen].body.iter().for_each(|body| body.add_changes(set));
            }
            _ if self.is_changed() => set.push(self.assignment()),
            _ => {}
        }
    }

    /// `path=value` with what is filled in.
    pub(crate) fn assignment(&self) -> String {
        format!("{}={}", self.path, self.notation())
    }

    /// What is filled in, in the notation of files.
    pub(crate) fn notation(&self) -> String {
        match &self.kind {
            Kind::Switch(is_on) => is_on.to_string(),
            Kind::Line { text, quotes } => quotes.put_around(text.trim()),
            Kind::Notation(text) => text.trim().to_owned(),
            Kind::Choice { variants, chosen } => variants[*chosen].notation(),
            Kind::Group(fields) => {
                let said: Vec<String> = fields.iter().filter_map(Self::said).collect();
                format!("({})", said.join(", "))
            }
            Kind::Optional { is_there: true, inner } => inner.notation(),
            Kind::Optional { is_there: false, .. } => "None".to_owned(),
        }
    }

    /// `name: value`, where it is not what is meant anyway.
    fn said(&self) -> Option<String> {
        let notation = self.notation();
        let is_meant = self.default == notation || notation == "None";
        (!is_meant || self.is_required).then(|| format!("{}: {notation}", self.name))
    }

    #[cfg(test)]
    fn add_leaves<'a>(&'a mut self, leaves: &mut Vec<&'a mut Self>) {
        if !matches!(self.kind, Kind::Group(_)) {
            leaves.push(self);
        } else if let Kind::Group(fields) = &mut self.kind {
            for field in fields {
                field.add_leaves(leaves);
            }
        }
    }
}

impl Variant {
    fn is_struct(&self) -> bool {
        self.body.as_ref().is_some_and(|body| matches!(body.kind, Kind::Group(_)))
    }

    fn notation(&self) -> String {
        let Some(body) = &self.body else { return self.name.clone() };
        let notation = body.notation();
        // Fields and tuples have their brackets already.
        if notation.starts_with('(') {
            format!("{}{notation}", self.name)
        } else {
            format!("{}({notation})", self.name)
        }
    }
}

impl Quotes {
    fn put_around(self, text: &str) -> String {
        let is_number = text.parse::<f64>().is_ok();
        match self {
            Self::Never => text.to_owned(),
            Self::UnlessNumber if is_number => text.to_owned(),
            Self::UnlessNumber | Self::Always => quoted(text),
        }
    }
}

/// The places of fields in files, by path.
struct Order(BTreeMap<String, usize>);

impl Order {
    fn of(text: &str) -> Self {
        let outline = Outline::new(text);
        Self(outline.fields(DEPTH).iter().map(ToString::to_string).zip(0..).collect())
    }

    /// What files leave out comes last.
    fn place(&self, path: &str) -> usize {
        self.0.get(path).copied().unwrap_or(usize::MAX)
    }
}

/// Makes fields of a schema.
struct Builder<'a> {
    types: &'a Types<'a>,
    order: &'a Order,
}

impl Builder<'_> {
    /// A field; `value` is what the scenario has there, if it has anything.
    fn field(&self, path: &str, schema: &Value, value: Option<&Value>) -> Field {
        let value = value.cloned().unwrap_or_else(|| self.types.usual(schema));
        let kind = self.kind(path, schema, &value);
        let default = self.types.notation(schema, &self.types.usual(schema));
        Field {
            name: last_step(path),
            help: self.types.help(schema),
            form: self.types.form(schema),
            type_name: schema::name(schema),
            is_required: false,
            default,
            file: Box::new(kind.clone()),
            kind,
            path: path.to_owned(),
        }
    }

    fn kind(&self, path: &str, schema: &Value, value: &Value) -> Kind {
        match self.types.shape(schema) {
            Shape::Switch => Kind::Switch(value.as_bool().unwrap_or_default()),
            Shape::Line(quotes) => Kind::Line { text: line_of(value), quotes },
            Shape::Notation => Kind::Notation(self.types.spread(schema, value)),
            Shape::Optional(inner) => {
                let inner = self.field(path, &inner, (!value.is_null()).then_some(value));
                Kind::Optional { is_there: !value.is_null(), inner: Box::new(inner) }
            }
            Shape::Choice(alternatives) => {
                let is_chosen =
                    |(name, _): &(String, Value)| schema::variant_of(value) == Some(name.as_str());
                let chosen = alternatives.iter().position(is_chosen).unwrap_or(0);
                let variants = alternatives
                    .iter()
                    .map(|(name, alternative)| self.variant(path, name, alternative, value));
                Kind::Choice { variants: variants.collect(), chosen }
            }
            Shape::Struct(properties) => {
                let required = schema::required(self.types.resolved(schema));
                let mut fields: Vec<Field> = properties
                    .iter()
                    .map(|(name, property)| Field {
                        is_required: required.contains(&name.as_str()),
                        ..self.field(&joined(path, name), property, value.get(name))
                    })
                    .collect();
                fields.sort_by_key(|field| self.order.place(&field.path));
                Kind::Group(fields)
            }
        }
    }

    fn variant(&self, path: &str, name: &str, alternative: &Value, value: &Value) -> Variant {
        let inner = alternative.get("properties").and_then(|properties| properties.get(name));
        let body = inner.map(|inner| Box::new(self.field(path, inner, value.get(name))));
        Variant { name: name.to_owned(), help: self.types.help(alternative), body }
    }
}

/// What stands in a line: a text without quotes, several with commas.
fn line_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(line_of).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn last_step(path: &str) -> String {
    match Path::parse(path).as_ref().and_then(|path| path.steps().last()) {
        Some(Step::Name(name)) => name.clone(),
        Some(Step::Index(_)) | None => path.to_owned(),
    }
}

//! The traits that make a type with `FromStr` and `Display` a text in files and schemas.

/// Gives a type its serde form, text in the notation of `FromStr` and `Display`, and its JSON schema.
///
/// A number instead of text goes through the same parser, so that the error names the missing unit. Where a
/// number is allowed, the parser accepts it.
macro_rules! text_form {
    ($type:ident, $title:literal, $pattern:literal, $examples:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let visitor = $crate::text::units::text_form::TextVisitor::new($title, &$examples);
                deserializer.deserialize_any(visitor)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "description": $title,
                    "pattern": $pattern,
                    "examples": $examples,
                })
            }
        }
    };
}
pub(crate) use text_form;

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{Error, Visitor};

/// Reads a `T` from text, or from a number as if it had been text.
pub(crate) struct TextVisitor<T> {
    title: &'static str,
    /// Not empty.
    examples: &'static [&'static str],
    value: PhantomData<T>,
}

impl<T> TextVisitor<T> {
    pub(crate) fn new(title: &'static str, examples: &'static [&'static str]) -> Self {
        Self { title, examples, value: PhantomData }
    }
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for TextVisitor<T> {
    type Value = T;

    /// With a hint, which the parser takes off again.
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let example = self.examples.first().expect("a text form has examples");
        write!(f, "{}; hint: write a text such as `\"{example}\"`", self.title)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    /// The shortest decimal that reads back as this double: what the person wrote, up to 15 digits.
    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

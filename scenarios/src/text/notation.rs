//! What RON allows where its parser stumbled, and what to do: the parser says neither.

use ron::error::Error;

/// The bounds that whole numbers can have, by how many bits they are wide.
const LOWEST: [i128; 5] = [i64::MIN as i128, i32::MIN as i128, i16::MIN as i128, i8::MIN as i128, 0];
const HIGHEST: [i128; 8] = [
    u64::MAX as i128,
    i64::MAX as i128,
    u32::MAX as i128,
    i32::MAX as i128,
    u16::MAX as i128,
    i16::MAX as i128,
    u8::MAX as i128,
    i8::MAX as i128,
];

/// The lowest and the highest number of a type that `takes` some and refuses others.
pub(super) fn integer_bounds(takes: impl Fn(&i128) -> bool) -> (i128, i128) {
    let lowest = LOWEST.iter().find(|number| takes(number)).copied().unwrap_or(0);
    (lowest, HIGHEST.iter().find(|number| takes(number)).copied().unwrap_or(0))
}

/// What is allowed, and a hint.
pub(super) fn advice(error: &Error) -> (&'static str, &'static str) {
    match error {
        Error::ExpectedComma => ("a comma, or a closing bracket", "put a comma between two items"),
        Error::ExpectedMapColon => ("a colon and a value", "write `name: value`"),
        Error::ExpectedInteger | Error::InvalidIntegerDigit { .. } | Error::IntegerOutOfBounds => {
            ("a whole number", "write a number such as `5`")
        }
        Error::ExpectedFloat | Error::FloatUnderscore | Error::UnderscoreAtBeginning => {
            ("a number", "write a number such as `0.5`")
        }
        Error::ExpectedBoolean => ("`true`, `false`", "write one of them, without quotes"),
        Error::ExpectedString | Error::ExpectedChar => ("a text in quotes", "write it as `\"text\"`"),
        Error::ExpectedStringEnd | Error::InvalidEscape(_) => {
            ("texts with `\\n`, `\\t`, `\\\"` and `\\\\`", "write `\\\\` for a backslash")
        }
        Error::ExpectedArray | Error::ExpectedArrayEnd => {
            ("a list: `[first, second]`", "put the items between `[` and `]`")
        }
        Error::ExpectedMap | Error::ExpectedMapEnd => {
            ("a map: `{\"name\": value}`", "put the entries between `{` and `}`")
        }
        Error::ExpectedOption | Error::ExpectedOptionEnd => {
            ("a value, or `None`", "leave the field out for `None`")
        }
        Error::ExpectedIdentifier | Error::SuggestRawIdentifier(_) | Error::InvalidIdentifier(_) => {
            ("a name, without quotes", "names begin with a letter")
        }
        Error::TrailingCharacters => {
            ("nothing after the value", "remove what follows, or look for a bracket that closes too early")
        }
        Error::UnclosedBlockComment => ("`*/` at the end of the comment", "add `*/`"),
        Error::NoSuchExtension(_) | Error::ExpectedAttribute | Error::ExpectedAttributeEnd => {
            ("no attribute", "remove the `#![…]`")
        }
        Error::ExpectedDifferentStructName { expected: "Capsule", found } if found == "Scenario" => {
            ("a capsule", "`splitbrain run FILE --save CAPSULE` makes one of a scenario")
        }
        Error::ExpectedDifferentStructName { expected: "Scenario", found } if found == "Capsule" => {
            ("a scenario", "`splitbrain replay FILE` runs a capsule again")
        }
        // The rest is about brackets with fields, or cannot come from a text of ours.
        _ => ("a name with fields: `Name(field: value)`", "put the fields between `(` and `)`"),
    }
}

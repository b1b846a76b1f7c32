//! Ids and times as the text that people read (`c2`, `n1->n3#17`, `150ms`), for `#[serde(with = "text")]`.

use std::fmt::Display;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

use crate::{ClientId, Endpoint, MessageId, NodeId, SimTime, Span};

/// The way back from `Display`.
pub(super) trait FromText: Sized {
    /// What such a text looks like.
    const FORM: &'static str;

    fn from_text(text: &str) -> Option<Self>;
}

pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(super) fn deserialize<'de, T: FromText, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    T::from_text(&text).ok_or_else(|| D::Error::custom(format_args!("`{text}` is not {}", T::FORM)))
}

/// The 0-based number behind `letter`, written from 1.
fn numbered(text: &str, letter: char) -> Option<u32> {
    let number = text.strip_prefix(letter)?;
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    let index = number.parse::<u32>().ok().filter(|_| is_plain)?.checked_sub(1)?;
    (index < 1 << 31).then_some(index)
}

impl FromText for NodeId {
    const FORM: &'static str = "a node such as `n3`";

    fn from_text(text: &str) -> Option<Self> {
        numbered(text, 'n').map(Self::new)
    }
}

impl FromText for ClientId {
    const FORM: &'static str = "a client such as `c1`";

    fn from_text(text: &str) -> Option<Self> {
        numbered(text, 'c').map(Self::new)
    }
}

impl FromText for Endpoint {
    const FORM: &'static str = "a node such as `n3` or a client such as `c1`";

    fn from_text(text: &str) -> Option<Self> {
        let node = NodeId::from_text(text).map(Self::from);
        node.or_else(|| ClientId::from_text(text).map(Self::from))
    }
}

impl FromText for MessageId {
    const FORM: &'static str = "a message such as `n1->n3#17`";

    fn from_text(text: &str) -> Option<Self> {
        let (from, rest) = text.split_once("->")?;
        let (to, ordinal) = rest.split_once('#')?;
        let (from, to) = (Endpoint::from_text(from)?, Endpoint::from_text(to)?);
        Some(Self { from, to, ordinal: ordinal.parse().ok()? })
    }
}

impl FromText for Span {
    const FORM: &'static str = "a length of time such as `150ms` or `1.5s`";

    fn from_text(text: &str) -> Option<Self> {
        const UNITS: [(&str, usize); 4] = [("ns", 0), ("us", 3), ("ms", 6), ("s", 9)];
        let (number, digits) =
            UNITS.iter().find_map(|(unit, digits)| Some((text.strip_suffix(unit)?, *digits)))?;
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        let is_decimal = !whole.is_empty() && (decimals.is_empty() != number.contains('.'));
        if !is_decimal || decimals.len() > digits {
            return None;
        }
        let nanos = format!("{whole}{decimals:0<digits$}");
        nanos.bytes().all(|byte| byte.is_ascii_digit()).then(|| nanos.parse().ok().map(Self::nanos))?
    }
}

impl FromText for SimTime {
    const FORM: &'static str = "a time such as `150ms` or `1.5s`";

    fn from_text(text: &str) -> Option<Self> {
        Span::from_text(text).map(|span| Self::ZERO + span)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_look_like_it_is_refused() {
        for text in ["", "n", "n0", "n01", "n+1", "3", "N3", "n99999999999", "n4294967295"] {
            assert_eq!(NodeId::from_text(text), None, "{text}");
        }
        for text in ["", "1", "1.ms", ".5s", "1.5ns", "-1s", "1 s", "1m", "+1s", "1.+s", "99999999999s"] {
            assert_eq!(Span::from_text(text), None, "{text}");
        }
        for text in ["n1->n2", "n1#3", "n1-n2#3", "x->n1#2"] {
            assert_eq!(MessageId::from_text(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(nanos: u64, ordinal: u32, from in 0..9_u32, to in 0..9_u32) {
            let span = Span::nanos(nanos);
            prop_assert_eq!(Span::from_text(&span.to_string()), Some(span));
            let id = MessageId { from: NodeId::new(from).into(), to: ClientId::new(to).into(), ordinal };
            prop_assert_eq!(MessageId::from_text(&id.to_string()), Some(id));
        }
    }
}

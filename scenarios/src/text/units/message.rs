//! Single messages: `"n1->n3#17"`.

use std::fmt;
use std::str::FromStr;

use sim_core::{Endpoint, MessageId};

use super::text_form::text_form;
use super::{ClientName, NodeName, UnitError};

/// A message by its link and its place there: `"n1->n3#17"` is the 18th that n1 sends to n3, as they count from 0.
///
/// What clients ask and get are messages too: `"c1->n2#0"`. With more than 256 nodes and clients, links of one sender
/// share a few counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageName(MessageId);

impl MessageName {
    /// The name of `id`.
    pub const fn new(id: MessageId) -> Self {
        Self(id)
    }

    /// The id as the engine's type.
    pub const fn id(self) -> MessageId {
        self.0
    }
}

impl FromStr for MessageName {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        const ALLOWED: &str = "a link and a number from 0, such as `n1->n3#17` or `c1->n2#0`";
        let error = |problem| UnitError::new(problem, ALLOWED, "n1->n3#0");
        let parts = text.split_once("->").and_then(|(from, rest)| Some((from, rest.split_once('#')?)));
        let Some((from, (to, ordinal))) = parts else {
            return Err(error(format!("`{text}` is no message")));
        };
        let end =
            |name| endpoint(name).ok_or_else(|| error(format!("`{name}` in `{text}` is no node or client")));
        let (from, to) = (end(from)?, end(to)?);
        if from == to {
            return Err(error(format!(
                "`{text}` is to oneself: such a message does not go through the network"
            )));
        }
        let is_number = !ordinal.is_empty() && ordinal.bytes().all(|byte| byte.is_ascii_digit());
        let ordinal = ordinal.parse().ok().filter(|_| is_number);
        let ordinal =
            ordinal.ok_or_else(|| error(format!("`{text}` has no number from 0 to {}", u32::MAX)))?;
        Ok(Self(MessageId { from, to, ordinal }))
    }
}

fn endpoint(name: &str) -> Option<Endpoint> {
    let node = name.parse::<NodeName>().ok().map(|name| name.id().into());
    node.or_else(|| name.parse::<ClientName>().ok().map(|name| name.id().into()))
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_form!(
    MessageName,
    "a message by link and number, from 0",
    r"^[nc][1-9]\d*->[nc][1-9]\d*#\d+$",
    ["n1->n3#17", "c1->n2#0"]
);

//! Whom a fault is about, as text: `n3`, `leader`, `c1`.

use std::fmt;
use std::str::FromStr;

use sim_core::fault::{Place, Target};

use crate::text::units::text_form::text_form;
use crate::text::units::{ClientName, UnitError};

/// A node by name or by role: `n3`, `leader`, `candidate`, `follower(2)`, `any`, `any-down`, `all-down`, `majority`,
/// `minority`, `majority-without-leader`, `minority-with-leader`, `all`, `zone(east)`, `rack(r1)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who(pub Target);

impl FromStr for Who {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        text.parse().map(Self).map_err(|_| no_target(text, &Target::FORMS))
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_form!(Who, "a node such as `n3`, or a role such as `leader`", r"^[a-z].*$", ["n3", "leader", "any"]);

/// A node as in [`Who`], or a client: `c1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Somebody(pub Place<Target>);

impl FromStr for Somebody {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        if let Ok(client) = text.parse::<ClientName>() {
            return Ok(Self(Place::Client(client.id())));
        }
        text.parse::<Who>().map(|who| Self(Place::Node(who.0)))
    }
}

impl fmt::Display for Somebody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Client(client) => client.fmt(f),
            Place::Node(target) => target.fmt(f),
        }
    }
}

text_form!(
    Somebody,
    "a node such as `n3`, a role such as `leader`, or a client such as `c1`",
    r"^[a-z].*$",
    ["n3", "leader", "c1"]
);

fn no_target(text: &str, forms: &[&'static str]) -> UnitError {
    let nearest = crate::text::diagnostic::nearest_name(text, forms).unwrap_or("leader");
    UnitError::new(
        format!("`{text}` names no node and no role"),
        "`n3`, `leader`, `candidate`, `follower(2)`, `any`, `any-down`, `all-down`, `majority`, `minority`, \
         `majority-without-leader`, `minority-with-leader`, `all`, `zone(east)`, `rack(r1)`",
        nearest,
    )
}

//! What a person searches events for: `kind:vote node:n1 from:n2 to:n3 time>1.5s -text`.

use std::fmt;

use scenarios::text::units::{ClientName, NodeName, Time};
use sim_core::trace::{Payload, Record, TraceKind};
use sim_core::{Endpoint, SimTime};

/// What a search may have in it.
pub(crate) const ALLOWED: &str =
    "kind:vote  node:n1  from:n2  to:c1  time>1.5s  time<2s  any word; - before it: not";

/// All of these must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    terms: Vec<Term>,
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    is_wanted: bool,
    field: Field,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    /// The kind of record or of message has this in its name.
    Kind(String),
    /// It is on this one's lane, or this is the other end.
    At(Endpoint),
    /// It came from here.
    From(Endpoint),
    /// It went there.
    To(Endpoint),
    /// It was after this time.
    After(SimTime),
    /// It was before this time.
    Before(SimTime),
    /// Its words have this in them.
    Word(String),
}

/// What is wrong with a search.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{term}`: {why}; allowed: {ALLOWED}")]
pub(crate) struct FilterError {
    term: String,
    why: String,
}

impl Filter {
    /// Reads a search.
    ///
    /// # Errors
    /// If a field has a value that it can't have.
    pub(crate) fn parse(text: &str) -> Result<Self, FilterError> {
        let terms = text.split_whitespace().map(Term::parse).collect::<Result<_, _>>()?;
        Ok(Self { terms })
    }

    /// Whether everything fits.
    pub(crate) const fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a record fits. Its words are asked for where they are needed only: they take the longest.
    pub(crate) fn fits(&self, record: &Record, kinds: &[&str], words: impl Fn() -> String) -> bool {
        let plain = self.terms.iter().filter(|term| !matches!(term.field, Field::Word(_)));
        if !plain.clone().all(|term| term.field.holds(record, kinds, "") == term.is_wanted) {
            return false;
        }
        let mut others = self.terms.iter().filter(|term| matches!(term.field, Field::Word(_))).peekable();
        if others.peek().is_none() {
            return true;
        }
        let told = words().to_lowercase();
        others.all(|term| term.field.holds(record, kinds, &told) == term.is_wanted)
    }
}

impl Term {
    fn parse(text: &str) -> Result<Self, FilterError> {
        let lower = text.to_lowercase();
        let (is_wanted, rest) = match lower.strip_prefix('-') {
            Some(rest) if !rest.is_empty() => (false, rest),
            _ => (true, lower.as_str()),
        };
        let refuse = |why: String| FilterError { term: text.to_owned(), why };
        let end = |value: &str| {
            let why = || refuse(format!("`{value}` is no node such as `n1` and no client such as `c1`"));
            endpoint(value).ok_or_else(why)
        };
        let time = |value: &str| {
            let why = |_| refuse(format!("`{value}` is no time such as `1.5s` or `300us`"));
            value.parse::<Time>().map(|time| SimTime::ZERO + time.span()).map_err(why)
        };
        let field = if let Some(value) = rest.strip_prefix("time>") {
            Field::After(time(value)?)
        } else if let Some(value) = rest.strip_prefix("time<") {
            Field::Before(time(value)?)
        } else {
            match rest.split_once(':') {
                Some(("kind", value)) => Field::Kind(value.to_owned()),
                Some(("node" | "client", value)) => Field::At(end(value)?),
                Some(("from", value)) => Field::From(end(value)?),
                Some(("to", value)) => Field::To(end(value)?),
                Some(("time", _)) => return Err(refuse("a time has `<` or `>` before it".to_owned())),
                _ => Field::Word(rest.to_owned()),
            }
        };
        Ok(Self { is_wanted, field })
    }
}

impl Field {
    fn holds(&self, record: &Record, kinds: &[&str], words: &str) -> bool {
        match self {
            Self::Kind(part) => {
                name(record.kind()).contains(part.as_str())
                    || message(record, kinds).to_lowercase().contains(part.as_str())
            }
            Self::At(end) => record.subject() == Some(*end) || record.peer() == Some(*end),
            Self::From(end) => record.payload().is_some() && record.peer() == Some(*end),
            Self::To(end) => record.payload().is_some() && record.subject() == Some(*end),
            Self::After(time) => record.at() > *time,
            Self::Before(time) => record.at() < *time,
            Self::Word(word) => words.contains(word.as_str()),
        }
    }
}

/// In its written form, which reads as the same.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, term) in self.terms.iter().enumerate() {
            let (gap, sign) = (if place > 0 { " " } else { "" }, if term.is_wanted { "" } else { "-" });
            write!(f, "{gap}{sign}")?;
            match &term.field {
                Field::Kind(part) => write!(f, "kind:{part}")?,
                Field::At(end) => write!(f, "node:{end}")?,
                Field::From(end) => write!(f, "from:{end}")?,
                Field::To(end) => write!(f, "to:{end}")?,
                Field::After(time) => write!(f, "time>{}ns", time.as_nanos())?,
                Field::Before(time) => write!(f, "time<{}ns", time.as_nanos())?,
                Field::Word(word) => f.write_str(word)?,
            }
        }
        Ok(())
    }
}

/// What a kind of record is called in a search.
const fn name(kind: TraceKind) -> &'static str {
    match kind {
        TraceKind::Delivery => "delivery",
        TraceKind::Drop => "drop",
        TraceKind::TimerFired => "timer",
        TraceKind::Durable => "durable",
        TraceKind::Request => "request",
        TraceKind::Reply => "reply",
        TraceKind::HandlerStart => "handler",
        TraceKind::Start => "start",
        TraceKind::Crash => "crash",
        TraceKind::Restart => "restart",
        TraceKind::Pause => "pause",
        TraceKind::Resume => "resume",
        TraceKind::Command => "command",
    }
}

/// The name of the kind of message that a record is about.
fn message<'a>(record: &Record, kinds: &[&'a str]) -> &'a str {
    match record.payload() {
        Some(Payload::Message(kind)) => kinds.get(usize::from(kind)).copied().unwrap_or(""),
        Some(Payload::Request) => "request",
        Some(Payload::Reply) => "reply",
        None => "",
    }
}

fn endpoint(text: &str) -> Option<Endpoint> {
    let node = text.parse::<NodeName>().ok().map(|name| name.id().into());
    node.or_else(|| text.parse::<ClientName>().ok().map(|name| name.id().into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sim_core::NodeId;

    use super::*;

    fn vote() -> Record {
        let [n1, n2] = [0, 1].map(|node| Endpoint::from(NodeId::new(node)));
        Record::delivery(SimTime::from_nanos(1_500_000_000), None, n1, n2, 1)
    }

    fn fits(search: &str) -> bool {
        let filter = Filter::parse(search).unwrap_or_else(|error| panic!("{error}"));
        filter.fits(&vote(), &["Append", "RequestVote"], || "n2 receives RequestVote from n1".to_owned())
    }

    #[test]
    fn each_field_holds_of_what_it_says() {
        for search in [
            "",
            "kind:vote",
            "kind:delivery",
            "node:n1",
            "node:n2",
            "from:n1",
            "to:n2",
            "time>1.4s",
            "time<1501ms",
            "Receives",
            "-to:n1",
            "-kind:append",
            "-nothing",
            "from:n1 to:n2 kind:vote receives",
        ] {
            assert!(fits(search), "{search}");
        }
        for search in
            ["kind:append", "node:n3", "from:n2", "to:n1", "time>1.5s", "-receives", "node:c1", "-n2"]
        {
            assert!(!fits(search), "{search}");
        }
    }

    #[test]
    fn what_cannot_be_meant_says_what_is_allowed() {
        for (search, part) in [
            ("node:x", "no node such as `n1`"),
            ("vote time>soon", "no time such as `1.5s`"),
            ("time:3s", "`<` or `>`"),
            ("from:", "no node"),
        ] {
            let told = Filter::parse(search).expect_err(search).to_string();
            assert!(told.contains(part) && told.contains("kind:vote"), "{search}: {told}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_reads_the_same_when_written(text in ".{0,60}") {
            if let Ok(filter) = Filter::parse(&text) {
                prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
            }
        }

        #[test]
        fn a_word_with_a_sign_before_it_fits_what_it_alone_does_not(word in "[a-z]{1,3}") {
            prop_assert_ne!(fits(&word), fits(&format!("-{word}")));
        }

        #[test]
        fn fields_mean_the_same_in_any_order(terms in prop::sample::subsequence(
            vec!["kind:vote", "node:n1", "-to:n3", "time>1s", "receives", "-x"], 0..6)) {
            let backwards: Vec<_> = terms.iter().rev().copied().collect();
            prop_assert_eq!(fits(&terms.join(" ")), fits(&backwards.join(" ")));
        }
    }
}

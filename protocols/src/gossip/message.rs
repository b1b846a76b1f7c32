//! What sites send each other.

use std::fmt::Display;
use std::sync::Arc;

use serde::Serialize;
use sim_core::process;
use sim_core::service::Value;

/// A rumor on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rumor {
    /// What was broadcast.
    pub value: Value,
    /// In which cycle of its spreading it is sent, from 1: the sites that carried it counted.
    pub age: u32,
}

/// Whether a rumor was news to who got it, as things stood at the beginning of its cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Need {
    /// It was.
    Needed,
    /// It had it.
    Known,
    /// It had it, and its counter stands there: for [minimization](super::Config::minimization).
    KnownAt(u32),
}

/// A message between sites.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// A call: these are hot.
    Push(Arc<[Rumor]>),
    /// A call: what is hot at your site?
    Pull,
    /// A call: these are hot here, and what is at your site?
    Exchange(Arc<[Rumor]>),
    /// What is hot here.
    Answer(Arc<[Rumor]>),
    /// Which of the rumors that you sent were needed.
    Feedback(Arc<[(Value, Need)]>),
    /// A call is refused: this site has taken as many in this cycle as it may.
    Busy,
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &["Push", "Pull", "Exchange", "Answer", "Feedback", "Busy"];

    fn kind(&self) -> u8 {
        match self {
            Self::Push(_) => 0,
            Self::Pull => 1,
            Self::Exchange(_) => 2,
            Self::Answer(_) => 3,
            Self::Feedback(_) => 4,
            Self::Busy => 5,
        }
    }

    fn size(&self) -> u64 {
        match self {
            Self::Push(rumors) | Self::Exchange(rumors) | Self::Answer(rumors) => {
                8 + 12 * rumors.len() as u64
            }
            Self::Feedback(needs) => {
                let counters = needs.iter().filter(|(_, need)| matches!(need, Need::KnownAt(_))).count();
                8 + 9 * needs.len() as u64 + 4 * counters as u64
            }
            Self::Pull | Self::Busy => 8,
        }
    }

    fn describe(&self) -> String {
        let listed = |rumors: &[Rumor]| list(rumors.iter().map(|rumor| rumor.value));
        match self {
            Self::Push(rumors) => format!("Push {}", listed(rumors)),
            Self::Pull => "Pull".to_owned(),
            Self::Exchange(rumors) => format!("Exchange {}", listed(rumors)),
            Self::Answer(rumors) => format!("Answer {}", listed(rumors)),
            Self::Feedback(needs) => {
                let needed = needs.iter().filter(|(_, need)| *need == Need::Needed).map(|(value, _)| value);
                let known = needs.iter().filter_map(|(value, need)| match need {
                    Need::Needed => None,
                    Need::Known => Some(value.to_string()),
                    Need::KnownAt(counter) => Some(format!("{value} (counter {counter})")),
                });
                format!("Feedback needed={} known={}", list(needed), list(known))
            }
            Self::Busy => "Busy".to_owned(),
        }
    }
}

fn list(items: impl Iterator<Item = impl Display>) -> String {
    let texts: Vec<String> = items.map(|item| item.to_string()).collect();
    if texts.is_empty() { "nothing".to_owned() } else { texts.join(",") }
}

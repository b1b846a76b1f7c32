//! `kv` whose values are texts that can be appended to, as the key-value exercises of distributed-systems courses
//! have it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::{Bonds, Spec};
use crate::check::history::linearizability::hash::spread;
use crate::fingerprint::fingerprint;
use crate::service::kv::Operation as KvOperation;
use crate::service::{Key, Operation, Outcome, Value};

/// What a number stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Text {
    /// Written: the value becomes this. Read: it is this.
    Whole(Arc<str>),
    /// Written: this is put behind what is there.
    Appended(Arc<str>),
}

/// Texts under keys; a key that was never written holds the empty text. Operations are those of `kv`, whose values
/// stand for texts.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// What each value stands for.
    pub texts: BTreeMap<Value, Text>,
}

/// An operation on one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum TextCall {
    /// It gave this.
    Read(Arc<str>),
    /// It writes.
    Write(Text),
    /// Something that no text does.
    Impossible,
}

impl Spec for Texts {
    type Call = TextCall;
    type State = Arc<str>;

    fn part(&self, operation: &Operation) -> Option<u64> {
        if let Operation::Kv(operation) = operation { Some(u64::from(operation.key().0)) } else { None }
    }

    fn part_name(&self, part: u64) -> Option<String> {
        u32::try_from(part).ok().map(|key| Key(key).to_string())
    }

    fn compile(&self, operation: &Operation, outcome: &Outcome) -> Option<TextCall> {
        let Operation::Kv(operation) = operation else { return None };
        let whole = |value: &Value| match self.texts.get(value) {
            Some(Text::Whole(text)) => TextCall::Read(text.clone()),
            Some(Text::Appended(_)) | None => TextCall::Impossible,
        };
        match (operation, outcome) {
            (KvOperation::Read(_), Outcome::Unknown) => None,
            (KvOperation::Read(_), Outcome::Value(Some(value))) => Some(whole(value)),
            (KvOperation::Read(_), Outcome::Value(None)) => Some(TextCall::Read("".into())),
            (KvOperation::Write(_, value), Outcome::Done | Outcome::Unknown) => {
                Some(self.texts.get(value).map_or(TextCall::Impossible, |text| TextCall::Write(text.clone())))
            }
            _ => Some(TextCall::Impossible),
        }
    }

    fn initial(&self) -> Arc<str> {
        "".into()
    }

    fn step(&self, state: &Arc<str>, call: &TextCall) -> Option<Arc<str>> {
        match call {
            TextCall::Read(seen) => (seen == state).then(|| state.clone()),
            TextCall::Write(Text::Whole(text)) => Some(text.clone()),
            TextCall::Write(Text::Appended(text)) => Some(format!("{state}{text}").into()),
            TextCall::Impossible => None,
        }
    }

    fn is_pure(&self, call: &TextCall) -> bool {
        !matches!(call, TextCall::Write(_))
    }

    fn hash(&self, state: &Arc<str>) -> u128 {
        spread(fingerprint(&**state))
    }

    fn describe(&self, state: &Arc<str>) -> String {
        format!("{state:?}")
    }

    fn bonds(&self, _call: &TextCall) -> Bonds {
        Bonds::NONE
    }
}

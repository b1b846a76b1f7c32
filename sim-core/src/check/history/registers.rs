//! Registers whose written values are unique: who read from whom is known, and with it much more.

use std::collections::BTreeMap;
use std::fmt;

use super::anomaly::Anomaly;
use super::recorded::{Record, Recorded};
use super::spec::{Register, RegisterCall, Spec};
use crate::service::{Key, Value};

/// What an operation did to a register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    /// The operation's index in the record.
    pub(super) operation: u32,
    pub(super) key: Key,
    /// What it read, where it read: the write that it read from, `None` for what was there at the start.
    #[expect(clippy::option_option, reason = "no read, a read of nothing, and a read of a write")]
    pub(super) read: Option<Option<u32>>,
    pub(super) is_write: bool,
}

/// All accesses that certainly happened, in order of invocation: an operation of unknown outcome is among them if
/// somebody read what it wrote.
#[derive(Debug)]
pub(super) struct Accesses {
    pub(super) all: Vec<Access>,
    /// For each operation of the record its place in `all`.
    pub(super) places: Vec<Option<u32>>,
}

/// Why reads and writes cannot be paired.
#[derive(Debug)]
pub(super) enum Unpaired {
    /// Values repeat, or there are deletes: the history says less than pairs would.
    Ambiguous(String),
    /// A value was read that nobody wrote.
    OutOfThinAir(Box<Anomaly>),
}

impl fmt::Display for Unpaired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous(why) => f.write_str(why),
            Self::OutOfThinAir(anomaly) => anomaly.fmt(f),
        }
    }
}

/// A compiled operation of the record.
struct Compiled {
    operation: u32,
    key: Key,
    call: RegisterCall,
    is_known: bool,
}

impl Accesses {
    /// Whether there are exchanges that failed: an unseen write may be why.
    pub(super) fn has_failed_exchanges(&self) -> bool {
        self.all.iter().any(|access| access.read.is_none() && !access.is_write)
    }

    /// Pairs each read with its write. An exchange that failed says that the value was another, and not which: it is an
    /// access that neither reads nor writes.
    pub(super) fn pair(record: &Record<'_>) -> Result<Self, Unpaired> {
        let compiled = compile(record)?;
        let writers = writers(record, &compiled)?;
        let mut is_seen = vec![false; record.operations.len()];
        for compiled in &compiled {
            if let (true, Some(Some(value))) = (compiled.is_known, read_of(&compiled.call))
                && let Some(writer) = writers.get(&(compiled.key, value))
            {
                is_seen[*writer as usize] = true;
            }
        }
        mark_sources(&compiled, &writers, &mut is_seen);
        let mut accesses = Self { all: Vec::new(), places: vec![None; record.operations.len()] };
        for compiled in compiled.iter().filter(|it| it.is_known || is_seen[it.operation as usize]) {
            let read = match read_of(&compiled.call) {
                None => None,
                Some(None) => Some(None),
                Some(Some(value)) => match writers.get(&(compiled.key, value)) {
                    Some(writer) => Some(Some(*writer)),
                    None => return Err(thin_air(record, compiled.operation)),
                },
            };
            let place = u32::try_from(accesses.all.len()).expect("no more than operations");
            accesses.places[compiled.operation as usize] = Some(place);
            let is_write = written_by(&compiled.call).is_some();
            accesses.all.push(Access { operation: compiled.operation, key: compiled.key, read, is_write });
        }
        Ok(accesses)
    }
}

/// An exchange of unknown outcome whose value was seen read its own source, and so on.
fn mark_sources(compiled: &[Compiled], writers: &BTreeMap<(Key, Value), u32>, is_seen: &mut [bool]) {
    let mut is_changed = true;
    while is_changed {
        is_changed = false;
        for compiled in compiled.iter().filter(|compiled| !compiled.is_known) {
            if let (true, Some(Some(value))) = (is_seen[compiled.operation as usize], read_of(&compiled.call))
                && let Some(writer) = writers.get(&(compiled.key, value))
                && !std::mem::replace(&mut is_seen[*writer as usize], true)
            {
                is_changed = true;
            }
        }
    }
}

fn compile(record: &Record<'_>) -> Result<Vec<Compiled>, Unpaired> {
    let mut all = Vec::new();
    for (index, operation) in record.happened() {
        let Some(part) = Register.part(operation.operation) else { continue };
        let Some(call) = Register.compile(operation.operation, operation.outcome) else { continue };
        let say = |what: &str| Unpaired::Ambiguous(format!("{} is {what}", describe(operation)));
        match call {
            RegisterCall::Write(None) => return Err(say("a delete")),
            RegisterCall::Impossible => return Err(say("no outcome of a register")),
            RegisterCall::Read(_)
            | RegisterCall::NotExchanged(_)
            | RegisterCall::Write(Some(_))
            | RegisterCall::Exchanged(..)
            | RegisterCall::MayExchange(..) => {}
        }
        let key = Key(u32::try_from(part).expect("keys have 32 bits"));
        all.push(Compiled { operation: index, key, call, is_known: operation.is_known() });
    }
    Ok(all)
}

fn writers(record: &Record<'_>, compiled: &[Compiled]) -> Result<BTreeMap<(Key, Value), u32>, Unpaired> {
    let mut writers = BTreeMap::new();
    for Compiled { operation, key, call, .. } in compiled {
        let Some(value) = written_by(call) else { continue };
        if let Some(other) = writers.insert((*key, value), *operation) {
            let [first, second] = [other, *operation].map(|it| record.operations[it as usize].op);
            return Err(Unpaired::Ambiguous(format!("{first} and {second} both write {value} to {key}")));
        }
    }
    Ok(writers)
}

fn thin_air(record: &Record<'_>, operation: u32) -> Unpaired {
    Unpaired::OutOfThinAir(Box::new(Anomaly {
        name: "thin-air-read".to_owned(),
        says: "a value was read that nobody wrote".to_owned(),
        operations: vec![record.operations[operation as usize].owned()],
        links: Vec::new(),
    }))
}

fn describe(operation: &Recorded<'_>) -> String {
    format!("{} ({})", operation.op, operation.operation)
}

/// What a call saw.
#[expect(clippy::option_option, reason = "no read, a read of nothing, and a read of a value")]
const fn read_of(call: &RegisterCall) -> Option<Option<Value>> {
    match *call {
        RegisterCall::Read(value) => Some(value),
        RegisterCall::Exchanged(value, _) | RegisterCall::MayExchange(value, _) => Some(Some(value)),
        RegisterCall::Write(_) | RegisterCall::NotExchanged(_) | RegisterCall::Impossible => None,
    }
}

/// What a call left.
const fn written_by(call: &RegisterCall) -> Option<Value> {
    match *call {
        RegisterCall::Write(value) => value,
        RegisterCall::Exchanged(_, value) | RegisterCall::MayExchange(_, value) => Some(value),
        RegisterCall::Read(_) | RegisterCall::NotExchanged(_) | RegisterCall::Impossible => None,
    }
}

//! Checks of clients and what they ask.

use sim_core::Span;

use super::{LATENCY_MAX, Objection, exist};
use crate::assemble::workload;
use crate::format::{Clients, Latency, Scenario, Workload};
use crate::protocol::ProtocolKind;

/// The most clients of a scenario.
const CLIENTS_MAX: u32 = 10_000;
/// The most keys of a workload.
const KEYS_MAX: u32 = 1_000_000;

/// That there are not too many clients: checked before anything is built that has room for each.
pub(super) fn check_count(scenario: &Scenario) -> Result<(), Objection> {
    let clients = &scenario.clients;
    if clients.total() <= CLIENTS_MAX {
        return Ok(());
    }
    let path = if clients.count > CLIENTS_MAX { "clients.count" } else { "clients.admins" };
    let problem = format!("a scenario cannot have {} clients", clients.total());
    let hint = "clients and administrators count together";
    Err(Objection::new(path, problem, format!("0 to {CLIENTS_MAX}"), hint))
}

pub(super) fn check(scenario: &Scenario, kind: &dyn ProtocolKind) -> Result<(), Objection> {
    let clients = &scenario.clients;
    check_pace(clients)?;
    check_patience(clients)?;
    exist(scenario, clients.targets.nodes(), "clients.targets")?;
    check_workload(scenario, kind)
}

fn check_pace(clients: &Clients) -> Result<(), Objection> {
    let Some(rate) = clients.rate else { return Ok(()) };
    if clients.think.is_some() {
        let problem = "clients have a `think` time (closed loop) or a `rate` (open loop), not both";
        return Err(Objection::new("clients.rate", problem, "one of the two, or none", "remove one of them"));
    }
    let interval = rate.period().as_nanos().checked_div(rate.count());
    if interval.is_some_and(|interval| interval < 1_000) {
        let problem = format!("a client cannot ask {rate}");
        let hint = "more clients ask more often together";
        return Err(Objection::new("clients.rate", problem, "up to `1000000/s`", hint));
    }
    Ok(())
}

fn check_patience(clients: &Clients) -> Result<(), Objection> {
    let think = clients.think.as_ref().map_or(Span::ZERO, Latency::maximum);
    let (timeout, give_up) = (clients.timeout.span(), clients.give_up.span());
    if give_up < timeout {
        let problem =
            format!("clients give up after {give_up}, before they have waited {timeout} for an answer");
        let hint = "a longer `give_up`, or a shorter `timeout`";
        return Err(Objection::new("clients.give_up", problem, format!("`{timeout}` and more"), hint));
    }
    let times = [
        ("clients.think", think, Span::ZERO),
        ("clients.timeout", timeout, Span::micros(1)),
        ("clients.give_up", give_up, Span::micros(1)),
        ("clients.backoff", clients.backoff.span(), Span::micros(1)),
    ];
    for (path, time, least) in times {
        if time < least || time > LATENCY_MAX {
            let problem = format!("{time} is out of range");
            let hint = "write a time such as `\"100ms\"`";
            return Err(Objection::new(path, problem, format!("`{least}` to `1h`"), hint));
        }
    }
    Ok(())
}

fn check_workload(scenario: &Scenario, kind: &dyn ProtocolKind) -> Result<(), Objection> {
    let services = kind.services(&scenario.protocol);
    let Some(workload) = workload(scenario, kind) else {
        if scenario.clients.count == 0 {
            return Ok(());
        }
        let problem = format!("`{}` has no usual workload", scenario.protocol.name());
        let hint = "say which `workload`, or `count: 0`";
        return Err(Objection::new("clients", problem, "a `workload` that the protocol serves", hint));
    };
    let asked = workload.about().service;
    if !services.contains(&asked) {
        let is_by_parameters = kind.about().services.contains(&asked);
        let with = if is_by_parameters { " with these parameters" } else { "" };
        let problem = format!("`{}` does not serve `{asked}`{with}", scenario.protocol.name());
        let allowed: Vec<String> = services.iter().map(|service| format!("`{service}`")).collect();
        let hint = "leave the workload out for the usual one, or take another protocol";
        return Err(Objection::new("clients.workload", problem, allowed.join(", "), hint));
    }
    match workload {
        Workload::Kv { keys, .. } if keys == 0 || keys > KEYS_MAX => {
            let problem = format!("a workload cannot have {keys} keys");
            let hint = "write a number such as `keys: 5`";
            Err(Objection::new("clients.workload.keys", problem, format!("1 to {KEYS_MAX}"), hint))
        }
        Workload::Transfer { accounts, .. } if accounts == 0 || accounts > KEYS_MAX => {
            let problem = format!("a workload cannot have {accounts} accounts");
            let hint = "write a number such as `accounts: 8`";
            Err(Objection::new("clients.workload.accounts", problem, format!("1 to {KEYS_MAX}"), hint))
        }
        Workload::Log { partitions, .. } if partitions == 0 || partitions > KEYS_MAX => {
            let problem = format!("a workload cannot have {partitions} partitions");
            let hint = "write a number such as `partitions: 2`";
            Err(Objection::new("clients.workload.partitions", problem, format!("1 to {KEYS_MAX}"), hint))
        }
        Workload::Transfer { amount_max: 0, .. } => {
            let hint = "write a number such as `amount_max: 40`";
            let problem = "nothing can be moved with an `amount_max` of 0";
            Err(Objection::new("clients.workload.amount_max", problem.to_owned(), "1 and more", hint))
        }
        Workload::Transfer { .. }
        | Workload::Membership {}
        | Workload::UniqueIds {}
        | Workload::Kv { .. }
        | Workload::Broadcast { .. }
        | Workload::Counter { .. }
        | Workload::Set { .. }
        | Workload::Lock { .. }
        | Workload::Log { .. }
        | Workload::Queue { .. }
        | Workload::Echo {} => Ok(()),
    }
}

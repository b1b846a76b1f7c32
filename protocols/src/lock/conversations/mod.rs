//! The lock in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::server::Name;
use super::worker::Stage;
use super::{Config, Fact, Lock, Mutant, Timer, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Lock {
    /// `ttl`, `grace`, `drift_max=PPM`, `writes=N`. Pauses have one length.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config::new(nodes);
        for range in [&mut config.retry, &mut config.work, &mut config.rest] {
            *range = *range.start()..=*range.start();
        }
        arguments.set("ttl", &mut config.ttl)?;
        arguments.set("grace", &mut config.grace)?;
        arguments.set("drift_max", &mut config.drift_max)?;
        arguments.set("writes", &mut config.writes)?;
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    /// What is set aside shows as what is synced, writes as what is sent.
    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Granted { name, token, .. } => Some(format!("gives `{}` with {token}", name.word())),
            Fact::Lapsed { name, token } => Some(format!("ends the lease of {token} on `{}`", name.word())),
            Fact::Freed { name, token } => Some(format!("takes `{}` back from {token}", name.word())),
            Fact::Resumed { name, token } => Some(format!("keeps `{}` for {token}", name.word())),
            Fact::Leased { token, until } => Some(format!("counts on {token} until {until}")),
            Fact::Ended { token } => Some(format!("counts on {token} no more")),
            Fact::Accepted { token, number } => Some(format!("takes write {number} of {token}")),
            Fact::Refused { token, highest } => Some(format!("refuses a write of {token} below {highest}")),
            Fact::Reserved { .. } | Fact::Sent { .. } => None,
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Server(server) => {
                let text = |name: Name| {
                    let entry = server.books().entry(name);
                    let tenant =
                        entry.tenant.map_or_else(|| "nobody".to_owned(), |tenant| tenant.to_string());
                    format!("{}={} last={}", name.word(), tenant, entry.last)
                };
                format!("server {} {}", text(Name::Guard), text(Name::Open))
            }
            Self::Resource(resource) => {
                let stored = resource.stored();
                format!("resource highest={} last={} number={}", stored.highest, stored.token, stored.number)
            }
            Self::Worker(worker) => match worker.stage() {
                Stage::Resting => "rests".to_owned(),
                Stage::Asking { .. } => "asks".to_owned(),
                Stage::Holding(tenure) => {
                    let (token, until, job) = (tenure.token, tenure.until, tenure.job.words());
                    format!("has {token} until {until}, {job}, done={}", tenure.done)
                }
            },
        }
    }

    fn region(_region: RegionId) -> String {
        "state".to_owned()
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Expiry(name) => format!("expiry {}", name.word()),
            Timer::Ask | Timer::Renew | Timer::Lapse | Timer::Grace | Timer::Work => {
                unreachable!("a plain timer has a name")
            }
        }
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Lock>("lock");
}

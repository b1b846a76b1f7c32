//! Two-phase commit in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::{Config, Fact, Mutant, Presumption, Termination, Timer, TwoPhaseCommit, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for TwoPhaseCommit {
    /// `accounts=N`, `coordinators=N`, `attempts=N`, `participants_min=N`, `presumption=nothing`, `termination=coordinator`. Pauses have one length.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config::new(nodes);
        config.backoff = *config.backoff.start()..=*config.backoff.start();
        config.accounts = 4;
        arguments.set("accounts", &mut config.accounts)?;
        arguments.set("coordinators", &mut config.coordinators)?;
        arguments.set("attempts", &mut config.attempts)?;
        arguments.set("participants_min", &mut config.participants_min)?;
        let presumption = |name: &str| match name {
            "abort" => Some(Presumption::Abort),
            "nothing" => Some(Presumption::Nothing),
            _ => None,
        };
        config.presumption = arguments.named("presumption", presumption)?.unwrap_or_default();
        let termination = |name: &str| match name {
            "coordinator" => Some(Termination::Coordinator),
            "cooperative" => Some(Termination::Cooperative),
            _ => None,
        };
        config.termination = arguments.named("termination", termination)?.unwrap_or_default();
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    /// Votes show as what is sent and received.
    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Decided { txn, decision } => Some(format!("decides {decision} on {txn}")),
            Fact::Ended { txn, decision, net } => Some(format!("ends {txn} with {decision}, {net:+}")),
            Fact::NoRoom { txn } => Some(format!("has no room for a commit of {txn}")),
            Fact::Begun { .. } | Fact::VotedYes { .. } | Fact::VotedNo { .. } | Fact::HeardYes { .. } => None,
        }
    }

    fn summary(&self) -> String {
        match self {
            Self::Coordinator(coordinator) => {
                let works = coordinator.works().iter();
                let works = works.map(|(txn, work)| format!("{txn} {}", work.stage.word()));
                let telling = coordinator.telling().iter();
                let telling = telling.map(|(txn, telling)| format!("{txn} tells {}", telling.decision));
                let all: Vec<String> = works.chain(telling).collect();
                format!("coordinator epoch={}: {}", coordinator.epoch(), or_nothing(&all))
            }
            Self::Participant(participant) => {
                let account = |(number, account): (&u32, &super::accounts::Account)| {
                    let taken = account.taken_by.map_or_else(String::new, |txn| format!(" ({txn})"));
                    format!("a{number}={}{taken}", account.balance)
                };
                let accounts: Vec<String> = participant.accounts().all().iter().map(account).collect();
                let doubts = participant.doubts().iter();
                let doubts: Vec<String> =
                    doubts.map(|(txn, doubt)| format!("{txn} {}", doubt.stage.word())).collect();
                format!("{}: {}", accounts.join(" "), or_nothing(&doubts))
            }
        }
    }

    fn region(_region: RegionId) -> String {
        "log".to_owned()
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Work(txn) => format!("work {txn}"),
            Timer::Resend(txn) => format!("resend {txn}"),
            Timer::Doubt(txn) => format!("doubt {txn}"),
            Timer::Open => unreachable!("a plain timer has a name"),
        }
    }
}

fn or_nothing(texts: &[String]) -> String {
    if texts.is_empty() { "nothing open".to_owned() } else { texts.join(", ") }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<TwoPhaseCommit>("two_phase_commit");
}

//! Snapshots in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::branch::Branch;
use super::{Channels, Config, Event, Fact, Mutant, Snapshots, Timer, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Snapshots {
    /// `accounts=N` (one a node if left out), `channels=unordered`, `patience=SPAN`, `initiators=N`. Nobody pays by itself.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config::new(nodes);
        config.accounts = nodes;
        config.amount_max = 0;
        arguments.set("accounts", &mut config.accounts)?;
        arguments.set("amount_max", &mut config.amount_max)?;
        arguments.set("initiators", &mut config.initiators)?;
        arguments.set("patience", &mut config.patience)?;
        let unordered = |name: &str| (name == "unordered").then_some(Channels::Unordered);
        config.channels = arguments.named("channels", unordered)?.unwrap_or_default();
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    /// What channels carry shows as what is sent and arrives, unless it waits before it comes out.
    fn fact(fact: &Fact) -> Option<String> {
        let Fact::Did(event) = fact else { return None };
        match event {
            Event::Sent { .. } => None,
            Event::Received { from, sequence, .. } => Some(format!("takes #{sequence} of {from}")),
            Event::Begun(snapshot) => Some(format!("begins {snapshot}")),
            Event::Recorded(snapshot) => Some(format!("records its state for {snapshot}")),
            Event::Completed { snapshot, payments, .. } => {
                Some(format!("has its part of {snapshot}, with {payments} payments in channels"))
            }
            Event::Finished(cut) => {
                Some(format!("finishes {}: {} {:?}", cut.snapshot, cut.total(), cut.settled()))
            }
            Event::Abandoned(snapshot) => Some(format!("gives up {snapshot}")),
        }
    }

    fn summary(&self) -> String {
        let branch = self.branch();
        let money = branch.balances().iter().map(|(account, balance)| format!("a{account}={balance}"));
        let recordings = branch.recordings().iter().map(|(snapshot, recording)| {
            let stage = if recording.is_abandoned() { "given up" } else { "recording" };
            format!("{snapshot} {stage}")
        });
        let waiting = waiting(branch);
        let all: Vec<String> = money.chain(recordings).chain(waiting).collect();
        all.join(" ")
    }

    fn region(_region: RegionId) -> String {
        "log".to_owned()
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Resend(peer) => format!("resend {peer}"),
            Timer::Patience(snapshot) => format!("patience {snapshot}"),
            Timer::Pay | Timer::Begin => unreachable!("a plain timer has a name"),
        }
    }
}

/// What is in channels and has not come out there.
fn waiting(branch: &Branch) -> Vec<String> {
    let outgoing = branch.outgoing().iter().filter(|(_, channel)| !channel.is_empty());
    outgoing.map(|(peer, channel)| format!("{} for {peer}", channel.len())).collect()
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Snapshots>("snapshots");
}

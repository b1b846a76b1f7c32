//! Gossip in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;

use super::{Config, Fact, Gossip, Interest, Judging, Mutant, Rhythm, Spread, invariants};
use crate::switch::Switch;
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Gossip {
    /// `spread=pull` or `push-pull`, `judging=blind`, `counter=K` or `coin=K`, `minimization=on`, `limit=N`, `hunt=N`. All cycles begin
    /// together.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config { rhythm: Rhythm::Together, ..Config::new(nodes) };
        arguments.set("cycle", &mut config.cycle)?;
        config.spread = arguments.named("spread", spread)?.unwrap_or_default();
        config.judging = arguments.named("judging", judging)?.unwrap_or_default();
        let number = |arguments: &mut Arguments, name| -> Result<Option<u32>, String> {
            let value = arguments.value::<u64>(name)?;
            value.map(u32::try_from).transpose().map_err(|error| error.to_string())
        };
        if let Some(k) = number(arguments, "counter")? {
            config.interest = Interest::Counter(k);
        }
        if let Some(k) = number(arguments, "coin")? {
            config.interest = Interest::Coin(k);
        }
        let on = |word: &str| (word == "on").then_some(Switch::On);
        config.minimization = arguments.named("minimization", on)?.unwrap_or(Switch::Off);
        config.connection_limit = number(arguments, "limit")?;
        config.hunt_limit = number(arguments, "hunt")?.unwrap_or_default();
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    /// Asking, calling and sharing show as what is received and sent.
    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Learned { value } => Some(format!("learns {value}")),
            Fact::Judged { value, response } => {
                Some(format!("counts {value} as {}", format!("{response:?}").to_lowercase()))
            }
            Fact::LostInterest { value } => Some(format!("loses interest in {value}")),
            Fact::Started
            | Fact::Asked { .. }
            | Fact::Shared { .. }
            | Fact::Called { .. }
            | Fact::Took { .. } => None,
        }
    }

    fn summary(&self) -> String {
        let rumors = self.rumors().iter();
        let texts: Vec<String> = rumors
            .map(|held| format!("{} of {} counter={}", held.stage.name(), held.value, held.counter))
            .collect();
        if texts.is_empty() { "knows nothing".to_owned() } else { format!("is {}", texts.join(", ")) }
    }
}

fn spread(name: &str) -> Option<Spread> {
    match name {
        "push" => Some(Spread::Push),
        "pull" => Some(Spread::Pull),
        "push-pull" => Some(Spread::PushPull),
        _ => None,
    }
}

fn judging(name: &str) -> Option<Judging> {
    match name {
        "blind" => Some(Judging::Blind),
        "feedback" => Some(Judging::Feedback),
        _ => None,
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Gossip>("gossip");
}

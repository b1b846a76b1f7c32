//! Echo in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;

use super::{Config, Echo, Fact, Mutant, Timer, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Echo {
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config::new(nodes);
        arguments.set("retry_after", &mut config.retry_after)?;
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(_config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all()
    }

    /// Asking and answering show as effects.
    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            Fact::Asked { .. } | Fact::Answered { .. } => None,
        }
    }

    fn summary(&self) -> String {
        let pending: Vec<String> = self
            .pending()
            .iter()
            .map(|(op, pending)| format!("{op} value={} asked={}", pending.value, pending.asked))
            .collect();
        if pending.is_empty() {
            "waits for nothing".to_owned()
        } else {
            format!("waits for {}", pending.join(", "))
        }
    }

    fn timer(timer: Timer) -> String {
        match timer {
            Timer::Retry(op) => format!("retry {op}"),
        }
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Echo>("echo");
}

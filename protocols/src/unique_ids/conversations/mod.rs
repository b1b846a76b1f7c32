//! Unique ids in conversation scripts: the texts in this folder.

use sim_core::Span;
use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::generator::Generator;
use super::{Config, Fact, Kind, Mutant, Regress, UniqueIds, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for UniqueIds {
    /// `block=N` of a counter; or `snowflake=refuse`, `snowflake=wait`, `hybrid=EPSILON`, with blocks of 100 ms.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config::new(nodes);
        let mut count = 10;
        arguments.set("block", &mut count)?;
        config.kind = Kind::Counter { block: count };
        let block = Span::millis(100);
        if let Some(regress) = arguments.named("snowflake", regress)? {
            config.kind = Kind::Snowflake { regress, block };
        }
        if let Some(epsilon) = arguments.value("hybrid")? {
            config.kind = Kind::Hybrid { epsilon, block, beat: Span::millis(10) };
        }
        config.mutant = arguments.named("mutant", Mutant::by_name)?;
        config.validate().map_err(|error| error.to_string())?;
        Ok(config)
    }

    fn invariants(config: &Config) -> Vec<Box<dyn Invariant<Self>>> {
        invariants::all(config)
    }

    fn fact(fact: &Fact) -> Option<String> {
        match fact {
            // The reply that follows says it.
            Fact::Given(_) => None,
            Fact::Started { bound: 0 } => Some("begins anew".to_owned()),
            Fact::Started { bound } => Some(format!("may have used what is below {bound}")),
            Fact::Reserved { bound } => Some(format!("may use what is below {bound}")),
            Fact::Heard(time) => Some(format!("takes the time {time}")),
        }
    }

    fn summary(&self) -> String {
        let at = match self.generator {
            Generator::Counter { next } => format!("next={next}"),
            Generator::Snowflake { next: (millisecond, used) } => {
                format!("millisecond={millisecond} used={used}")
            }
            Generator::Hybrid(clock) => format!("time={}", clock.last()),
        };
        format!("{at} bound={} wanted={} waiting={}", self.bound, self.wanted, self.waiting.len())
    }

    fn region(_region: RegionId) -> String {
        "bound".to_owned()
    }
}

fn regress(name: &str) -> Option<Regress> {
    match name {
        "refuse" => Some(Regress::Refuse),
        "wait" => Some(Regress::Wait),
        _ => None,
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<UniqueIds>("unique_ids");
}

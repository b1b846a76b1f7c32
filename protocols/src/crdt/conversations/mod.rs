//! Replicated data in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::{Config, Crdt, Fact, Kind, Mutant, Shipping, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Crdt {
    /// `kind=g-counter`, `g-set` or `or-map`, `shipping=state`, `deltas=N`.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config::new(nodes);
        config.kind = arguments.named("kind", kind)?.unwrap_or_default();
        let state = |name: &str| (name == "state").then_some(Shipping::State);
        config.shipping = arguments.named("shipping", state)?.unwrap_or_default();
        if let Some(deltas) = arguments.value::<u64>("deltas")? {
            config.deltas_max = u32::try_from(deltas).map_err(|error| error.to_string())?;
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
            Fact::Made(delta) => Some(format!("makes {delta}")),
            Fact::Joined(delta) => Some(format!("joins {delta}")),
            Fact::Started | Fact::Acknowledged(_) => None,
        }
    }

    fn summary(&self) -> String {
        format!("has {} after {} changes", self.state(), self.changes)
    }

    fn region(_region: RegionId) -> String {
        "deltas".to_owned()
    }
}

fn kind(name: &str) -> Option<Kind> {
    match name {
        "g-counter" => Some(Kind::GCounter),
        "pn-counter" => Some(Kind::PnCounter),
        "g-set" => Some(Kind::GSet),
        "or-map" => Some(Kind::OrMap),
        _ => None,
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Crdt>("crdt");
}

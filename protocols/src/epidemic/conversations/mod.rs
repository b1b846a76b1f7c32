//! The replicated database in conversation scripts: the texts in this folder.

use sim_core::check::Invariant;
use sim_core::disk::RegionId;

use super::{Comparison, Config, Epidemic, Fact, Flow, Mail, Mutant, invariants};
use crate::testing::conversation::{Arguments, Conversation, run_all};

impl Conversation for Epidemic {
    /// `mail=off`, `anti-entropy=off`, `flow=push` or `pull`, `comparison=full`, `checksum` or `merkle` (of two levels),
    /// `active=SPAN`, `dormant=SPAN`, `retention=N`.
    fn config(nodes: u32, arguments: &mut Arguments) -> Result<Config, String> {
        let mut config = Config::new(nodes);
        if arguments.named("mail", off)?.is_some() {
            config.mail = Mail::Off;
        }
        let mut anti_entropy = config.anti_entropy.expect("it is on by default");
        anti_entropy.flow = arguments.named("flow", flow)?.unwrap_or_default();
        anti_entropy.comparison =
            arguments.named("comparison", comparison)?.unwrap_or(anti_entropy.comparison);
        let is_off = arguments.named("anti-entropy", off)?.is_some();
        config.anti_entropy = (!is_off).then_some(anti_entropy);
        arguments.set("active", &mut config.certificates.active)?;
        arguments.set("dormant", &mut config.certificates.dormant)?;
        if let Some(sites) = arguments.value::<u64>("retention")? {
            config.certificates.retention_sites = u32::try_from(sites).map_err(|error| error.to_string())?;
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
            Fact::Started | Fact::Acknowledged { .. } => None,
            Fact::Recovered(item) => Some(format!("recovers {item}")),
            Fact::Stamped(item) => Some(format!("stamps {item}")),
            Fact::Took { item, .. } => Some(format!("takes {item}")),
            Fact::Discarded { key, version, .. } => {
                Some(format!("forgets that {key} was deleted@{}", version.written))
            }
            Fact::LaidDormant { key, version, .. } => {
                Some(format!("keeps to itself that {key} was deleted@{}", version.written))
            }
            Fact::DormantDiscarded { key, version, .. } => {
                Some(format!("forgets at last that {key} was deleted@{}", version.written))
            }
            Fact::Awakened { certificate } => Some(format!("awakens {certificate}")),
        }
    }

    fn summary(&self) -> String {
        let items: Vec<String> = self.database().items().map(ToString::to_string).collect();
        let held = if items.is_empty() { "nothing".to_owned() } else { items.join(", ") };
        let dormant: Vec<String> = self.dormant().values().map(ToString::to_string).collect();
        if dormant.is_empty() {
            format!("has {held}")
        } else {
            format!("has {held}; dormant {}", dormant.join(", "))
        }
    }

    fn region(_region: RegionId) -> String {
        "items".to_owned()
    }
}

fn off(name: &str) -> Option<()> {
    (name == "off").then_some(())
}

fn flow(name: &str) -> Option<Flow> {
    [Flow::Push, Flow::Pull, Flow::PushPull].into_iter().find(|flow| flow.name() == name)
}

fn comparison(name: &str) -> Option<Comparison> {
    match name {
        "full" => Some(Comparison::Full),
        "checksum" => Some(Comparison::Checksum),
        "merkle" => Some(Comparison::Merkle(2)),
        _ => None,
    }
}

#[test]
fn every_conversation_goes_as_written() {
    run_all::<Epidemic>("epidemic");
}

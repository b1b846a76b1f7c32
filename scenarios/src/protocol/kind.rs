//! What the built-in protocols have in common, so that the file of each says only what is its own.

use protocols::mutant::MutantAbout;
use schemars::JsonSchema;
use sim_core::check::Invariant;
use sim_core::fault::Sites;
use sim_core::process::{Message, Process, Timer};
use sim_core::service::Service;
use sim_core::{NodeId, Simulation};

use super::{Protocol, ProtocolAbout, ProtocolKind};
use crate::assemble::Blueprint;
use crate::validate::Objection;

/// The parameters of a built-in protocol, and with them all that is known of it.
pub(super) trait Builtin: JsonSchema + Default {
    /// What runs on the nodes.
    type Process: Process;

    /// One line.
    const SUMMARY: &'static str;
    /// What clients may ask, the usual first.
    const SERVICES: &'static [Service];
    /// How many disk regions it has, numbered from 0.
    const REGION_COUNT: u8;

    /// What clients may ask with these parameters, the usual first. Default: all of [`Builtin::SERVICES`].
    fn services(&self) -> Vec<Service> {
        Self::SERVICES.to_vec()
    }

    /// How many disk regions it has with these parameters. Default: [`Builtin::REGION_COUNT`].
    fn region_count(&self) -> u16 {
        Self::REGION_COUNT.into()
    }

    /// What all processes share, among these members.
    fn config(&self, members: &[NodeId]) -> Config<Self>;

    /// Whether that makes sense.
    ///
    /// # Errors
    /// The first thing that does not.
    fn check(config: &Config<Self>) -> Result<(), Objection>;

    /// What must always hold.
    fn invariants(config: &Config<Self>) -> Vec<Box<dyn Invariant<Self::Process>>>;

    /// Wrong variants of it.
    fn mutants() -> Vec<MutantAbout>;
}

type Config<P> = <<P as Builtin>::Process as Process>::Config;
type Messages<P> = <<P as Builtin>::Process as Process>::Message;
type Timers<P> = <<P as Builtin>::Process as Process>::Timer;

/// A built-in protocol in the table.
pub(super) struct Kind<P> {
    /// The name in the table.
    pub(super) name: &'static str,
    /// Its parameters, where a scenario runs it.
    pub(super) parameters: fn(&Protocol) -> Option<&P>,
}

impl<P: Builtin> Kind<P> {
    fn parameters<'a>(&self, protocol: &'a Protocol) -> &'a P {
        let Some(parameters) = (self.parameters)(protocol) else {
            panic!("the table hands `{}` its own parameters, not those of `{}`", self.name, protocol.name())
        };
        parameters
    }

    fn config(&self, protocol: &Protocol, members: &[NodeId]) -> Config<P> {
        self.parameters(protocol).config(members)
    }
}

impl<P: Builtin> ProtocolKind for Kind<P> {
    fn about(&self) -> ProtocolAbout {
        let invariants = P::invariants(&P::default().config(&[]));
        ProtocolAbout {
            name: self.name.to_owned(),
            summary: P::SUMMARY.to_owned(),
            services: P::SERVICES.to_vec(),
            region_count: P::default().region_count(),
            parameters: schemars::schema_for!(P),
            invariants: invariants.iter().map(|invariant| *invariant.about()).collect(),
            mutants: P::mutants(),
            message_kinds: Messages::<P>::KINDS.to_vec(),
            timers: Timers::<P>::NAMES.to_vec(),
            points: P::Process::POINTS.to_vec(),
            fault_points: P::Process::FAULT_POINTS.to_vec(),
            gauges: P::Process::GAUGES.to_vec(),
            counters: P::Process::COUNTERS.to_vec(),
            latencies: P::Process::LATENCIES.to_vec(),
        }
    }

    fn services(&self, protocol: &Protocol) -> Vec<Service> {
        self.parameters(protocol).services()
    }

    fn sites(&self, protocol: &Protocol) -> Sites {
        let (timers, points) = (Timers::<P>::NAMES, P::Process::FAULT_POINTS);
        Sites { region_count: self.parameters(protocol).region_count(), timers, points }
    }

    fn check(&self, protocol: &Protocol, members: &[NodeId]) -> Result<(), Objection> {
        P::check(&self.config(protocol, members))
    }

    fn assemble(&self, protocol: &Protocol, members: &[NodeId], blueprint: Blueprint) -> Box<dyn Simulation> {
        let config = self.config(protocol, members);
        let invariants = P::invariants(&config);
        blueprint.build::<P::Process>(config, invariants)
    }
}

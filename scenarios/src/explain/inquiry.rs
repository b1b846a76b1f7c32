//! Why something happened in a run that goes on: the story of [`explain`](super::explain()), for any event of it.
//!
//! It takes as long as the run up to there takes twice: once to find what the event depends on, once to stop at what is told. So
//! it is done piece by piece, for whoever has a window to draw meanwhile.

use sim_core::check::Violation;
use sim_core::check::history::linearizability::Evidence;
use sim_core::{NodeId, Simulation};

use super::faults::{self, Faults};
use super::moment::{self, Moment, Told};
use super::past::{self, Past};
use super::retold::Retelling;
use super::story::{self, Story};
use crate::format::Scenario;

/// What somebody wants to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Why a record of the trace came.
    Record(u32),
    /// Why a node stands as it does after so many events.
    Stands {
        /// Which node.
        node: NodeId,
        /// After so many events.
        events: u64,
    },
    /// Why a property was violated.
    Violation(Violation),
    /// Why what clients saw was illegal.
    Seen {
        /// By the time of this violation it was.
        violation: Violation,
        /// What contradicts.
        evidence: Box<Evidence>,
    },
}

/// A story that is on its way. See the [module documentation](self).
pub struct Inquiry {
    question: Question,
    scenario: Scenario,
    lines_max: usize,
    /// The run before its first event, until it is gone through for the second time.
    again: Option<Box<dyn Simulation>>,
    stage: Stage,
}

enum Stage {
    /// On the way to what is asked about.
    Seeking(Told),
    /// Once more, from one thing that is told to the next.
    Retelling {
        moment: Box<Moment>,
        past: Past,
        retelling: Retelling,
    },
    Answered(Option<Story>),
}

impl Inquiry {
    /// About a run of a scenario (as its seed has it), given twice as it was before its first event, once recorded.
    pub fn new(
        question: Question,
        scenario: &Scenario,
        recorded: Box<dyn Simulation>,
        again: Box<dyn Simulation>,
        lines_max: usize,
    ) -> Self {
        let stage = Stage::Seeking(Told::begin(recorded));
        Self { question, scenario: scenario.clone(), lines_max, again: Some(again), stage }
    }

    /// Goes on by so many events; what was asked for is known when this says so.
    pub fn go_on(&mut self, events: u64) -> bool {
        let stage = std::mem::replace(&mut self.stage, Stage::Answered(None));
        self.stage = match stage {
            Stage::Seeking(told) => self.seek(told, events),
            Stage::Retelling { moment, past, retelling } => self.retell(moment, past, retelling, events),
            answered @ Stage::Answered(_) => answered,
        };
        self.is_answered()
    }

    /// Whether it is done.
    pub fn is_answered(&self) -> bool {
        matches!(self.stage, Stage::Answered(_))
    }

    /// How it came to it; `None` before that is known, and where there is nothing to tell.
    pub fn story(&self) -> Option<&Story> {
        match &self.stage {
            Stage::Answered(story) => story.as_ref(),
            Stage::Seeking(_) | Stage::Retelling { .. } => None,
        }
    }

    /// What is asked.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// How many events were gone through.
    pub fn events(&self) -> u64 {
        match &self.stage {
            Stage::Seeking(told) => told.simulation.events(),
            Stage::Retelling { retelling, .. } => retelling.events(),
            Stage::Answered(_) => 0,
        }
    }

    fn seek(&mut self, mut told: Told, events: u64) -> Stage {
        let (now, wanted) = (told.simulation.events(), self.question.events());
        let most = now.saturating_add(events);
        let goes_on = match &self.question {
            // A record is somewhere among those of an event.
            Question::Record(record) => {
                let mut goes_on = true;
                while goes_on && told.trace().len() <= *record && told.simulation.events() < most {
                    let next = told.simulation.events() + 1;
                    goes_on = told.go_on(next);
                }
                goes_on && told.trace().len() <= *record
            }
            Question::Stands { .. } | Question::Violation(_) => {
                told.go_on(wanted.min(most)) && told.simulation.events() < wanted
            }
            Question::Seen { violation, .. } => told.go_on(most) && told.simulation.now() <= violation.at,
        };
        if goes_on {
            return Stage::Seeking(told);
        }
        self.question.moment(told).map_or(Stage::Answered(None), |moment| self.found(Box::new(moment)))
    }

    /// What is asked about is there.
    fn found(&mut self, moment: Box<Moment>) -> Stage {
        let faults = self.faults(&moment);
        let past = Past::of(&moment, past::depends_on(&moment), &faults, None, self.lines_max);
        let again = self.again.take().expect("it is gone through once");
        let retelling = Retelling::new(again, &moment, &past);
        Stage::Retelling { moment, past, retelling }
    }

    fn retell(&self, moment: Box<Moment>, past: Past, mut retelling: Retelling, events: u64) -> Stage {
        if !retelling.go_on(&moment, events) {
            return Stage::Retelling { moment, past, retelling };
        }
        let retold = retelling.finish(&moment);
        let end = match &self.question {
            Question::Violation(Violation { property, node, evidence, .. })
            | Question::Seen { violation: Violation { property, node, evidence, .. }, .. } => {
                Some(story::at_the_end(&moment, property, node.map(|node| node.to_string()), evidence))
            }
            Question::Record(_) | Question::Stands { .. } => None,
        };
        Stage::Answered(Some(Story::of(&moment, &past, &self.faults(&moment), &retold, end, self.lines_max)))
    }

    fn faults(&self, moment: &Moment) -> Faults {
        let plan = moment.told.simulation.plan();
        let instants = faults::instants(plan, moment.at, self.scenario.phases.heal_at());
        Faults::untried(plan, instants.len())
    }
}

impl Question {
    /// After how many events what is asked about has happened, where that is known.
    fn events(&self) -> u64 {
        match self {
            Self::Record(_) | Self::Seen { .. } => u64::MAX,
            Self::Stands { events, .. } => *events,
            Self::Violation(violation) => violation.event,
        }
    }

    /// The moment whose past is the answer, in a run that has come to it.
    fn moment(&self, told: Told) -> Option<Moment> {
        let end = told.trace().len();
        let (record, text) = match self {
            Self::Record(record) => (Some(*record).filter(|record| *record < end), ""),
            Self::Stands { node, .. } => {
                let changes = told.trace().status_changes(0..end).filter(|change| change.node == *node);
                let last = changes.last().map(|change| told.input_of(change.record));
                (last.or_else(|| told.last_on((*node).into(), end)), "")
            }
            Self::Violation(violation) => {
                let record = match violation.node {
                    Some(node) => moment::violating(&told, violation.event, node),
                    None => told.cause_of(violation.event),
                };
                (record, violation.evidence.as_str())
            }
            Self::Seen { violation, evidence } => {
                return Moment::of_history(told, evidence, &violation.evidence);
            }
        };
        Some(Moment::of_record(told, record?, text))
    }
}

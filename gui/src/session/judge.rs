//! Judging what clients saw: by the checkers that judge it at the end of a run without a person in it.
//!
//! They are not asked at every event: they look at a whole history and may take seconds. While a run stands still a
//! short history is judged by itself, within few steps; any is where somebody asks for it. What they said is kept with
//! the history that they said it of. What was illegal stays illegal, whatever comes later.

use std::collections::BTreeMap;

use scenarios::explain::Question;
use scenarios::run::{self, Checked, Heard, HistoryEvidence};
use sim_core::check::history::Figures;
use sim_core::check::history::linearizability::Evidence;
use sim_core::check::{About, Answer, Violation};
use sim_core::{OpId, SimTime};

use super::{BranchId, Session};

/// A history with more events than this is judged only where somebody asks for it.
const UNASKED_EVENTS_MAX: u64 = 20_000;
/// So many steps, a moment's work, are taken where nobody has asked.
const UNASKED_BUDGET: u64 = 200_000;

/// What the checkers said, and of what.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    tip: BranchId,
    /// So many events the history had.
    events: u64,
    budget: u64,
    /// When the run had come to this.
    pub(crate) at: SimTime,
    /// One for each property.
    pub(crate) findings: Vec<Finding>,
    /// What of it is a violation.
    violations: Vec<Violation>,
}

/// What one checker said.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) about: &'static About,
    pub(crate) answer: Answer,
    /// What the checker measures besides.
    pub(crate) figures: Option<Figures>,
    /// When the violation shows at the latest: no legal order has room for what completes here.
    pub(crate) shows_at: Option<SimTime>,
    /// The violation as operations, where the checker has that.
    pub(crate) evidence: Option<Box<Evidence>>,
    /// Moments at which operations can have taken effect; empty where there is no such answer.
    pub(crate) points: BTreeMap<OpId, SimTime>,
}

impl Finding {
    /// What is violated, if anything is.
    fn violation(&self, event: u64) -> Option<Violation> {
        let (Answer::Violation(evidence), Some(at)) = (&self.answer, self.shows_at) else { return None };
        let property = self.about.name.to_owned();
        Some(Violation { property, at, event, node: None, evidence: evidence.clone() })
    }
}

impl Session {
    /// Asks the checkers of the history about all that was computed, within the scenario's budget.
    pub(crate) fn judge(&mut self) {
        self.judge_within(self.configured.checks.history_budget);
    }

    /// Judges a short history that has grown since it was judged last.
    pub(super) fn judge_unasked(&mut self) {
        let len = self.run().history().len();
        if self.judged().is_none_or(|judged| judged.events != len) && len <= UNASKED_EVENTS_MAX {
            self.judge_within(UNASKED_BUDGET.min(self.configured.checks.history_budget));
        }
    }

    fn judge_within(&mut self, budget: u64) {
        let (simulation, scenario, table) = (self.run(), &self.configured, self.table.as_ref());
        let (at, history) = (simulation.now(), simulation.history());
        let mut figures = run::figures(scenario, table, history, budget);
        let look = |Heard { about, answer }: Heard| {
            let figures = figures.remove(about.name);
            let points = BTreeMap::new();
            let mut finding = Finding { about, answer, figures, shows_at: None, evidence: None, points };
            match &mut finding.answer {
                Answer::Pass => {
                    let points = run::points(scenario, table, about.name, history, budget);
                    finding.points = points.unwrap_or_default();
                }
                Answer::Violation(text) => {
                    finding.evidence = run::evidence(scenario, table, about.name, history, budget);
                    let evidence = finding.evidence.as_deref();
                    let last = evidence.and_then(|it| it.minimal.iter().filter_map(|it| it.completed).max());
                    finding.shows_at = Some(last.unwrap_or(at));
                    if let Some(evidence) = evidence {
                        evidence.to_string().trim_end().clone_into(text);
                    }
                }
                Answer::Inconclusive(_) => {}
            }
            finding
        };
        let heard = run::ask(scenario, table, history, budget, HistoryEvidence::FirstLine);
        let findings: Vec<Finding> = heard.into_iter().map(look).collect();
        let event = simulation.events();
        let violations = findings.iter().filter_map(|finding| finding.violation(event)).collect();
        self.judged =
            Some(Judged { tip: self.tip(), events: history.len(), budget, at, findings, violations });
    }

    /// What the checkers of the history said last of the present path.
    pub(crate) fn judged(&self) -> Option<&Judged> {
        self.judged.as_ref().filter(|judged| judged.tip == self.tip())
    }

    /// Whether asking now may say more than what is known.
    pub(crate) fn is_judging_worthwhile(&self) -> bool {
        let (len, budget) = (self.run().history().len(), self.configured.checks.history_budget);
        let is_undecided = |finding: &Finding| matches!(finding.answer, Answer::Inconclusive(_));
        self.judged().is_none_or(|judged| {
            judged.events != len || (judged.budget < budget && judged.findings.iter().any(is_undecided))
        })
    }

    /// What was violated on the present path as far as is known: what the run itself found, then what clients saw.
    pub(crate) fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.run().violations().iter().chain(self.seen())
    }

    /// What of that clients saw: it shows at a time, not at an event.
    pub(crate) fn seen(&self) -> &[Violation] {
        self.judged().map_or(&[], |judged| &judged.violations)
    }

    /// Why a violation came about, as a question.
    pub(crate) fn question(&self, violation: &Violation) -> Question {
        let judged = self.judged().filter(|judged| judged.violations.contains(violation));
        let mut findings = judged.into_iter().flat_map(|judged| &judged.findings);
        let finding = findings.find(|finding| finding.about.name == violation.property);
        let violation = violation.clone();
        match finding.and_then(|finding| finding.evidence.clone()) {
            Some(evidence) => Question::Seen { violation, evidence },
            None => Question::Violation(violation),
        }
    }

    /// What the run is checked for.
    pub(crate) fn properties(&self) -> &[(Checked, About)] {
        &self.properties
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sim_core::Span;
    use sim_core::fault::Command;
    use sim_core::{NodeId, history};

    use super::super::{Direction, Landmark};
    use super::*;
    use crate::testing;

    /// A failure that is kept as a scenario: it shows with this seed.
    const LOST_WRITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/shrunk/lost-write.ron");

    fn session(name: &str) -> Session {
        testing::session(name, &[], 231)
    }

    /// Lets frames pass until it stands still.
    fn rest(session: &mut Session) {
        session.on_frame(Duration::ZERO);
        while session.is_seeking() {
            session.on_frame(Duration::ZERO);
        }
        session.on_frame(Duration::ZERO);
    }

    fn at(millis: u64) -> SimTime {
        SimTime::ZERO + Span::millis(millis)
    }

    #[test]
    fn a_run_that_stands_still_is_judged_and_every_operation_that_happened_has_a_point() {
        let mut session = session("raft/steady");
        session.seek_time(at(1_500));
        rest(&mut session);
        let judged = session.judged().expect("it stands still");
        let [finding] = judged.findings.as_slice() else { panic!("{judged:?}") };
        assert_eq!((finding.about.name, &finding.answer), ("linearizability", &Answer::Pass));
        let completed: Vec<history::HistoryOperation> = session.run().history().operations();
        let completed: Vec<_> = completed.iter().filter(|it| it.completed.is_some()).collect();
        assert!(completed.len() > 20, "{}", completed.len());
        for operation in completed {
            let point = finding.points[&operation.op];
            assert!(operation.invoked <= point && operation.completed.is_some_and(|end| point <= end));
        }
        assert!(!session.is_judging_worthwhile(), "all is known");
    }

    #[test]
    fn what_clients_saw_that_is_illegal_is_a_violation_at_the_completion_that_shows_it() {
        let mut session = session(LOST_WRITE);
        session.seek_time(session.end());
        rest(&mut session);
        session.judge();
        let violation = session.violations().find(|it| it.property == "linearizability").expect("it is seen");
        let judged = session.judged().expect("it was asked for");
        let evidence = judged.findings[0].evidence.as_ref().expect("it is about operations");
        assert!(evidence.minimal.iter().any(|operation| operation.completed == Some(violation.at)));
        assert!(violation.evidence.contains("no order of the"), "{}", violation.evidence);
        // Up to just before it, the same run is legal as far as this contradiction goes; from there on it is not.
        let mut shorter = super::tests::session(LOST_WRITE);
        shorter.seek_time(violation.at);
        rest(&mut shorter);
        shorter.judge();
        assert!(matches!(shorter.judged().expect("asked").findings[0].answer, Answer::Violation(_)));
    }

    #[test]
    fn the_next_violation_may_be_one_that_only_clients_saw() {
        let mut session = session(LOST_WRITE);
        session.jump(Landmark::Violation, Direction::Forward);
        while session.is_seeking() {
            session.on_frame(Duration::ZERO);
        }
        let violation = session.violations().next().expect("it is seen").clone();
        assert_eq!((violation.property.as_str(), session.playhead()), ("linearizability", violation.at));
        assert!(session.verdict().is_some(), "it shows here");
        session.step_back();
        assert_eq!(session.verdict(), None, "before it there was none");
        session.jump(Landmark::Violation, Direction::Forward);
        assert_eq!(session.playhead(), violation.at);
    }

    #[test]
    fn what_only_clients_saw_is_found_however_long_the_run_goes_on() {
        let mut session = testing::session(LOST_WRITE, &["phases.steady=10m"], 231);
        let mut frames = 0;
        session.jump(Landmark::Violation, Direction::Forward);
        while session.is_seeking() {
            session.on_frame(Duration::ZERO);
            frames += 1;
        }
        assert!(frames > 1, "it takes some frames");
        let violation = session.violations().next().expect("it is seen");
        assert_eq!(session.playhead(), violation.at);
    }

    #[test]
    fn what_clients_saw_that_is_illegal_has_a_story() {
        let mut session = session(LOST_WRITE);
        session.seek_time(session.end());
        rest(&mut session);
        session.judge();
        let question = session.question(session.violations().next().expect("it is seen"));
        let mut inquiry = session.inquire(question);
        while !inquiry.go_on(10_000) {}
        let story = inquiry.story().expect("there is something to tell");
        let last = story.lines.last().expect("it has lines");
        assert!(
            last.text.contains("linearizability is violated: after the longest legal prefix"),
            "{last:?}"
        );
    }

    #[test]
    fn on_another_path_what_was_said_does_not_count() {
        let mut session = session("raft/steady");
        session.seek_time(at(1_000));
        rest(&mut session);
        assert!(session.judged().is_some());
        session.apply(Command::Crash(NodeId::new(0))).expect("a world takes commands");
        assert!(session.judged().is_none() && session.is_judging_worthwhile());
        rest(&mut session);
        assert!(session.judged().is_some());
    }
}

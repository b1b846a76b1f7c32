//! Deduplication: what is sent again within the window is the same.

use std::collections::BTreeMap;

use sim_core::check::{About, Breach, Invariant, Kinds, Nodes};
use sim_core::service::Value;
use sim_core::{LocalTime, NodeId, Span, ensure};

use super::super::command::Event;
use super::super::{Config, Fact, Node};
use super::{Kind, News, kinds};

/// A value enters the queue once in a deduplication window, which begins when it enters.
#[derive(Clone, Debug)]
pub struct Deduplicated {
    window: Option<Span>,
    news: News,
    entered: BTreeMap<Value, LocalTime>,
}

impl Deduplicated {
    /// For nodes with this configuration.
    pub fn new(config: &Config) -> Self {
        Self { window: config.rules.deduplication, news: News::default(), entered: BTreeMap::new() }
    }

    fn on_fact(&mut self, fact: &Fact) -> Result<(), Breach> {
        let (Some(window), Some((at, events))) = (self.window, self.news.events(fact)) else { return Ok(()) };
        for event in events {
            if let Event::Enqueued { message, value } = event
                && let Some(before) = self.entered.insert(*value, at)
            {
                ensure!(
                    at >= before + window,
                    "{value} enters as {message} at {at}, and has entered at {before}, within {window}"
                );
            }
        }
        Ok(())
    }
}

impl Invariant<Node> for Deduplicated {
    fn about(&self) -> &'static About {
        &About {
            name: "deduplicated",
            statement: "A value enters the queue once in a deduplication window.",
            source: "Amazon SQS Developer Guide, FIFO queues: message deduplication ID",
            leaves_out: "values that are sent again later; queues without a window",
        }
    }

    fn hears(&self) -> Kinds {
        kinds([Kind::Recorded])
    }

    fn on_event(&mut self, _: &Nodes<'_, Node>, _: NodeId, facts: &[Fact]) -> Result<(), Breach> {
        facts.iter().try_for_each(|fact| self.on_fact(fact))
    }

    /// What entered within the window is known.
    fn check_all(&self, nodes: &Nodes<'_, Node>) -> Result<(), Breach> {
        let Some(window) = self.window else { return Ok(()) };
        for (node, process) in nodes.running() {
            let Some(broker) = process.broker() else { continue };
            let now = broker.queue().now();
            let within = self.entered.iter().filter(|(_, at)| now < **at + window);
            let forgotten = within.map(|(value, _)| *value).find(|value| !broker.queue().is_known(*value));
            ensure!(forgotten.is_none(), "{node} has forgotten {forgotten:?} within the window");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::Rules;
    use super::super::testing::{enqueued, recorded};
    use super::*;

    fn judge(window: Option<Span>, commands: &[&[Event]]) -> Result<(), Breach> {
        let rules = Rules { deduplication: window, ..Rules::new() };
        let mut invariant = Deduplicated::new(&Config { rules, ..Config::new(3) });
        recorded(commands).iter().try_for_each(|fact| invariant.on_fact(fact))
    }

    #[test]
    fn a_value_that_enters_twice_within_the_window_is_found() {
        let twice: [&[Event]; 3] = [&[enqueued(1, 7)], &[enqueued(2, 8)], &[enqueued(3, 7)]];
        assert!(judge(Some(Span::secs(3)), &twice).is_err());
        assert_eq!(judge(Some(Span::secs(2)), &twice), Ok(()), "the window is over");
        assert_eq!(judge(None, &twice), Ok(()));
    }
}

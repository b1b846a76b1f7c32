//! Which broker to talk to: any of them says who is in office, and one that is silent is given up for the next.

use serde::Serialize;
use sim_core::NodeId;

use super::config::Config;

/// A broker that was asked so often and was not heard of is taken to be down, where there are others.
const UNHEARD_MAX: u32 = 3;

/// The broker that somebody believes to be in office.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Contact {
    broker: NodeId,
    /// How often it was asked since it was heard of last.
    unheard: u32,
}

impl Contact {
    /// The first broker.
    pub(super) const fn new() -> Self {
        Self { broker: Config::BROKER, unheard: 0 }
    }

    pub(super) const fn broker(self) -> NodeId {
        self.broker
    }

    /// Whom to ask now, who should answer.
    pub(super) fn ask(&mut self, brokers: u32) -> NodeId {
        if self.unheard >= UNHEARD_MAX {
            self.turn_to(NodeId::new((self.broker.raw() + 1) % brokers));
        }
        self.unheard += 1;
        self.broker
    }

    /// Somebody was heard of.
    pub(super) fn hear(&mut self, from: NodeId) {
        if from == self.broker {
            self.unheard = 0;
        }
    }

    /// A broker says who is in office. Returns whether that is news.
    pub(super) fn on_leader(&mut self, leader: Option<NodeId>) -> bool {
        let news = leader.filter(|leader| *leader != self.broker);
        if let Some(leader) = news {
            self.turn_to(leader);
        }
        news.is_some()
    }

    const fn turn_to(&mut self, broker: NodeId) {
        (self.broker, self.unheard) = (broker, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: NodeId = NodeId::new(2);

    #[test]
    fn a_silent_broker_is_given_up_for_the_next_and_one_that_is_heard_of_is_not() {
        let mut contact = Contact::new();
        for _ in 0..UNHEARD_MAX {
            assert_eq!(contact.ask(3), Config::BROKER);
        }
        contact.hear(OTHER);
        assert_eq!(contact.ask(3), NodeId::new(1), "another one was heard of");
        for _ in 0..10 {
            assert_eq!(contact.ask(3), NodeId::new(1));
            contact.hear(NodeId::new(1));
        }
        assert!(
            contact.on_leader(Some(OTHER)) && !contact.on_leader(Some(OTHER)) && !contact.on_leader(None)
        );
        assert_eq!(contact.ask(3), OTHER);
    }
}

//! Which of several servers to talk to, of which one leads: any of them says who does, and one that is silent is given up for
//! the next.

use serde::Serialize;
use sim_core::NodeId;

/// A server that was asked so often and was not heard of is taken to be down, where there are others.
const UNHEARD_MAX: u32 = 3;

/// The server that somebody believes to lead, among the first nodes of a scenario.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Contact {
    server: NodeId,
    /// How often it was asked since it was heard of last.
    unheard: u32,
}

impl Contact {
    /// The first node.
    pub const fn new() -> Self {
        Self { server: NodeId::new(0), unheard: 0 }
    }

    /// Whom to tell what needs no answer.
    pub const fn server(self) -> NodeId {
        self.server
    }

    /// Whom to ask now, who should answer: one of the first `servers` nodes.
    pub fn ask(&mut self, servers: u32) -> NodeId {
        if self.unheard >= UNHEARD_MAX {
            self.turn_to(NodeId::new((self.server.raw() + 1) % servers));
        }
        self.unheard += 1;
        self.server
    }

    /// Somebody was heard of.
    pub fn hear(&mut self, from: NodeId) {
        if from == self.server {
            self.unheard = 0;
        }
    }

    /// A server says who leads. Returns whether that is news.
    pub fn on_leader(&mut self, leader: Option<NodeId>) -> bool {
        let news = leader.filter(|leader| *leader != self.server);
        if let Some(leader) = news {
            self.turn_to(leader);
        }
        news.is_some()
    }

    const fn turn_to(&mut self, server: NodeId) {
        (self.server, self.unheard) = (server, 0);
    }
}

impl Default for Contact {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: NodeId = NodeId::new(2);

    #[test]
    fn a_silent_server_is_given_up_for_the_next_and_one_that_is_heard_of_is_not() {
        let mut contact = Contact::new();
        for _ in 0..UNHEARD_MAX {
            assert_eq!(contact.ask(3), NodeId::new(0));
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

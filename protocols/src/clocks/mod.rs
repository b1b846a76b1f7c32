//! Clocks of events, as parts that any process can use: plain values, told what happens, and asked for times.
//!
//! Event e *happened before* f, e hb f, if both are of one node and e came first, or e sent what f received, or there is an event
//! between (Lamport 1978). What a clock C knows of that:
//!
//! | clock | law | a time is | in bytes |
//! | --- | --- | --- | --- |
//! | [`Lamport`] | e hb f ⇒ C(e) < C(f) | a number | 8 |
//! | [`Vector`] | e hb f ⇔ C(e) < C(f) | a number for each node | 8 a node |
//! | [`Hybrid`] | e hb f ⇒ C(e) < C(f), and C is close to the physical clock | 48 bits of time and a counter of 16 | 8 |
//!
//! Every event is either `tick`, of the node itself (a send, too), or `observe`, the receipt of a message with the time that its sending
//! had. Both give the time of the event.
//!
//! **The hybrid logical clock** (Kulkarni et al. 2014) is l and c: l is the largest physical time pt that the event knows of, and c counts the
//! events for which that stood still. So, if physical clocks are within ε of one another:
//!
//! - l ≥ pt of the event, and l is pt of some event that happened before it, or its own;
//! - |l − pt| ≤ ε;
//! - c is at most the number of events that happened before with the same l.
//!
//! A message from a clock that is further ahead than ε is refused ([`TooFarAhead`]), so that one bad clock does not carry all with it. The laws are tested on random
//! histories of events, against the relation itself, computed by brute force.
//!
//! # What is left out, and what that costs
//!
//! | left out | cost |
//! | --- | --- |
//! | vector clocks of nodes that come and go (interval tree clocks, dotted version vectors) | the number of nodes is fixed |
//! | ε measured, not given | somebody has to know how far clocks can be apart |
//!
//! # Sources
//!
//! - L. Lamport: Time, Clocks, and the Ordering of Events in a Distributed System, CACM 1978.
//! - C. Fidge: Timestamps in Message-Passing Systems That Preserve the Partial Ordering, 1988; F. Mattern: Virtual Time and Global States of Distributed
//!   Systems, 1989.
//! - S. Kulkarni, M. Demirbas, D. Madappa, B. Avva, M. Leone: Logical Physical Clocks, OPODIS 2014: figure 5 for the rules, §3.3 for the bounds,
//!   §6.2 for 48 and 16 bits.

mod hybrid;
mod lamport;
mod vector;

pub use hybrid::{Hybrid, Timestamp, TooFarAhead};
pub use lamport::Lamport;
pub use vector::Vector;

#[cfg(test)]
mod tests;

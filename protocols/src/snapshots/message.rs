//! What nodes send each other: what channels are made of.

use serde::Serialize;
use sim_core::process;

use super::types::Item;

/// A message between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Message {
    /// Something that the channel from the sender carries.
    Carry {
        /// The how-manieth of the channel, from 1.
        sequence: u64,
        /// What it is.
        item: Item,
    },
    /// All up to this one have come on the channel to the sender, and are on disk.
    Acknowledge {
        /// Its number.
        upto: u64,
    },
}

impl process::Message for Message {
    const KINDS: &'static [&'static str] = &["Payment", "Marker", "Part", "Abandon", "Acknowledge"];

    fn kind(&self) -> u8 {
        match self {
            Self::Carry { item: Item::Payment(_), .. } => 0,
            Self::Carry { item: Item::Marker(_), .. } => 1,
            Self::Carry { item: Item::Part(_), .. } => 2,
            Self::Carry { item: Item::Abandon(_), .. } => 3,
            Self::Acknowledge { .. } => 4,
        }
    }

    fn size(&self) -> u64 {
        const SEQUENCE: u64 = 8;
        match self {
            Self::Carry { item: Item::Payment(_), .. } => SEQUENCE + 16,
            Self::Carry { item: Item::Marker(_) | Item::Abandon(_), .. } => SEQUENCE + 12,
            Self::Carry { item: Item::Part(part), .. } => SEQUENCE + part.size(),
            Self::Acknowledge { .. } => SEQUENCE,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Carry { sequence, item: Item::Payment(payment) } => {
                format!("Payment #{sequence} {payment}")
            }
            Self::Carry { sequence, item: Item::Marker(snapshot) } => {
                format!("Marker #{sequence} {snapshot}")
            }
            Self::Carry { sequence, item: Item::Abandon(snapshot) } => {
                format!("Abandon #{sequence} {snapshot}")
            }
            Self::Carry { sequence, item: Item::Part(part) } => {
                let (snapshot, state, channels) = (part.snapshot, part.state.total(), part.in_channels());
                format!("Part #{sequence} {snapshot} has {state}, in channels {channels}")
            }
            Self::Acknowledge { upto } => format!("Acknowledge #{upto}"),
        }
    }
}

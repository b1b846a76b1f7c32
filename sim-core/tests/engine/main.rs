//! The engine through its public boundary: every claim of its contract, on two small protocols.

mod support;

mod by_hand;
mod checks;
mod clients;
mod determinism;
mod disks;
mod exploration;
mod fault_points;
mod fork;
mod gauges;
mod inspect;
mod liveness;
mod network;
mod nodes;
mod panics;
mod recording;
mod replay;
mod timers;
mod trace;

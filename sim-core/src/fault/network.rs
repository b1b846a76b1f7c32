//! Commands on the network, as the acts that the network knows.

use std::num::NonZeroU32;

use super::{Command, LinkFault, MessageAct, Place, Shape};
use crate::network::{Direction, LatencyFactor, NetworkFault, PartitionShape, Reorder, Scope};
use crate::{Endpoint, NodeId};

impl Command {
    /// What the command does to a network of `node_count` nodes, in this order; nothing for commands on something else.
    ///
    /// [`Command::Recover`] is the [`NetworkFault::HealAll`] in it.
    pub fn network_faults(&self, node_count: u32) -> Vec<NetworkFault> {
        match self {
            &Self::Cut { ref from, ref to, direction } => {
                links(from, to, |from, to| NetworkFault::Cut { from, to, direction })
            }
            &Self::Mend { ref from, ref to, direction } => {
                links(from, to, |from, to| NetworkFault::HealCut { from, to, direction })
            }
            Self::Partition { name, shape } => {
                vec![NetworkFault::Partition { id: *name, shape: shape.compile(node_count) }]
            }
            Self::HealPartition(name) => vec![NetworkFault::HealPartition { id: *name }],
            Self::HealAll | Self::Recover => vec![NetworkFault::HealAll],
            Self::AllLinks(fault) => vec![fault.on(Scope::All)],
            Self::Link { from, to, fault } => {
                links(from, to, |from, to| fault.on(Scope::Link { from, to, direction: Direction::OneWay }))
            }
            Self::Hold { from, to } => {
                links(from, to, |from, to| NetworkFault::Hold { from, to, direction: Direction::OneWay })
            }
            Self::Release { from, to } => {
                links(from, to, |from, to| NetworkFault::Release { from, to, direction: Direction::OneWay })
            }
            &Self::Message { id: message, act } => match act {
                MessageAct::Drop => vec![NetworkFault::DropMessage { message }],
                MessageAct::Delay(by) => vec![NetworkFault::DelayMessage { message, by }],
                MessageAct::Duplicate => vec![NetworkFault::DuplicateMessage { message }],
                MessageAct::Deliver => Vec::new(),
            },
            Self::Crash(_)
            | Self::CrashLosing { .. }
            | Self::CrashAfterEffect { .. }
            | Self::CrashAtPoint { .. }
            | Self::FireTimer { .. }
            | Self::Restart(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::SlowDown { .. }
            | Self::Wipe(_)
            | Self::Clock { .. }
            | Self::Disk { .. }
            | Self::Issue { .. } => Vec::new(),
        }
    }
}

/// One act for each pair of different ends.
fn links(
    from: &[Place],
    to: &[Place],
    act: impl Fn(Endpoint, Endpoint) -> NetworkFault,
) -> Vec<NetworkFault> {
    let (from, to) = (endpoints(from), endpoints(to));
    let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (*from, *to)));
    pairs.filter(|(from, to)| from != to).map(|(from, to)| act(from, to)).collect()
}

fn endpoints(places: &[Place]) -> Vec<Endpoint> {
    places.iter().cloned().map(Endpoint::from).collect()
}

impl LinkFault {
    fn on(self, scope: Scope) -> NetworkFault {
        match self {
            Self::Loss(loss) => NetworkFault::SetLoss { scope, loss },
            Self::Duplicate(duplicate) => NetworkFault::SetDuplicate { scope, duplicate },
            Self::Reorder { probability, extra } => NetworkFault::SetReorder {
                scope,
                reorder: probability.map(|probability| Reorder { probability, extra }),
            },
            Self::LatencyPercent(percent) => {
                let denominator = const { NonZeroU32::new(100).expect("not 0") };
                let factor = (percent != 100).then_some(LatencyFactor { numerator: percent, denominator });
                NetworkFault::SetLatencyFactor { scope, factor }
            }
        }
    }
}

impl Shape {
    fn compile(&self, node_count: u32) -> PartitionShape {
        match self {
            Self::Groups(groups) => {
                PartitionShape::Groups(groups.iter().map(|group| endpoints(group)).collect())
            }
            Self::Isolate(alone) => {
                PartitionShape::Groups(endpoints(alone).into_iter().map(|only| vec![only]).collect())
            }
            Self::RingOfMajorities => PartitionShape::RingOfMajorities,
            Self::Bridge(bridge) => {
                let mut left: Vec<NodeId> =
                    (0..node_count).map(NodeId::new).filter(|node| node != bridge).collect();
                let right = left.split_off(left.len() / 2);
                PartitionShape::Bridge { bridge: *bridge, left, right }
            }
            Self::OneWay { from, to } => PartitionShape::OneWay { from: from.clone(), to: to.clone() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ClientId;
    use crate::network::PartitionId;

    fn n(number: u32) -> NodeId {
        NodeId::new(number - 1)
    }

    fn shape(shape: Shape) -> PartitionShape {
        let command = Command::Partition { name: PartitionId::new(7), shape };
        match command.network_faults(5).pop() {
            Some(NetworkFault::Partition { shape, .. }) => shape,
            other => panic!("a partition became {other:?}"),
        }
    }

    #[test]
    fn sets_become_the_pairs_of_different_ends() {
        let from = vec![Place::Node(n(1)), Place::Client(ClientId::new(0))];
        let to = vec![Place::Node(n(1)), Place::Node(n(2))];
        let faults = Command::Hold { from, to }.network_faults(5);
        let pairs: Vec<String> = faults
            .iter()
            .map(|fault| match fault {
                NetworkFault::Hold { from, to, direction: Direction::OneWay } => format!("{from}->{to}"),
                other => panic!("a hold became {other:?}"),
            })
            .collect();
        assert_eq!(pairs, ["n1->n2", "c1->n1", "c1->n2"]);
    }

    #[test]
    fn a_bridge_joins_two_halves_of_the_others() {
        let expected =
            PartitionShape::Bridge { bridge: n(2), left: vec![n(1), n(3)], right: vec![n(4), n(5)] };
        assert_eq!(shape(Shape::Bridge(n(2))), expected);
    }

    #[test]
    fn isolating_several_leaves_each_alone() {
        let alone = Shape::Isolate(vec![Place::Node(n(1)), Place::Node(n(4))]);
        assert_eq!(shape(alone), PartitionShape::Groups(vec![vec![n(1).into()], vec![n(4).into()]]));
    }

    #[test]
    fn the_usual_latency_takes_the_factor_away() {
        let factor =
            |percent| match Command::AllLinks(LinkFault::LatencyPercent(percent)).network_faults(5).pop() {
                Some(NetworkFault::SetLatencyFactor { scope: Scope::All, factor }) => factor,
                other => panic!("a latency became {other:?}"),
            };
        assert_eq!(factor(100), None);
        assert_eq!(factor(250).map(|factor| (factor.numerator, factor.denominator.get())), Some((250, 100)));
    }

    #[test]
    fn what_is_not_the_network_s_business_does_nothing_there() {
        assert_eq!(Command::Crash(n(1)).network_faults(5), []);
        assert_eq!(Command::Recover.network_faults(5), [NetworkFault::HealAll]);
    }
}

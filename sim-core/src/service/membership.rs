//! `membership`: who is in the group. Its operation is [`Operation::Members`], the answer
//! [`Outcome::Members`] in rising order.

use super::{Model, Operation, Outcome};

/// What any answer of `membership` must look like: nodes of the world, rising, none twice.
///
/// Who is *believed* alive depends on faults and time, of which a sequential model knows nothing, and two
/// nodes may disagree for good reasons. So the model has no state, and says nothing about which nodes are
/// listed: completeness and accuracy (Chandra & Toueg, JACM 1996) are judged with the plan at hand.
#[derive(Clone, Copy, Debug)]
pub struct MembershipModel {
    /// How many nodes the world has.
    pub node_count: u32,
}

impl Model for MembershipModel {
    type State = ();

    fn initial(&self) {}

    fn step(&self, (): &(), operation: &Operation, outcome: &Outcome) -> Option<()> {
        let Operation::Members = operation else { return None };
        if *outcome == Outcome::Unknown {
            return Some(());
        }
        let Outcome::Members(members) = outcome else { return None };
        let is_rising = members.is_sorted_by(|earlier, later| earlier < later);
        let exist = members.iter().all(|node| node.raw() < self.node_count);
        (is_rising && exist).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NodeId;

    #[test]
    fn an_answer_lists_nodes_of_the_world_once_and_in_order() {
        let model = MembershipModel { node_count: 3 };
        let step = |nodes: &[u32]| {
            let members = nodes.iter().map(|&index| NodeId::new(index)).collect();
            model.step(&(), &Operation::Members, &Outcome::Members(members))
        };
        for good in [&[][..], &[1], &[0, 1, 2]] {
            assert_eq!(step(good), Some(()), "{good:?}");
        }
        for bad in [&[3][..], &[1, 0], &[1, 1]] {
            assert_eq!(step(bad), None, "{bad:?}");
        }
        assert_eq!(model.step(&(), &Operation::Members, &Outcome::Done), None);
    }
}

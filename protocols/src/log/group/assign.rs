//! Who gets which partition: as even as can be, and as little moved as that allows (Kafka: the sticky assignor).

use std::collections::BTreeMap;

use sim_core::NodeId;

use super::super::types::PartitionId;

/// Shares `partitions` out among members, each of which has some already. The first members get one more where they do not go
/// even.
pub fn assign(
    partitions: impl IntoIterator<Item = PartitionId>,
    owned: &BTreeMap<NodeId, Vec<PartitionId>>,
) -> BTreeMap<NodeId, Vec<PartitionId>> {
    let mut free: Vec<PartitionId> = partitions.into_iter().collect();
    let Some(count) = owned.len().checked_sub(1).map(|others| others + 1) else { return BTreeMap::new() };
    let (quota, extra) = (free.len() / count, free.len() % count);
    let mut shares = keep(&mut free, owned, quota, extra);
    free.reverse();
    // First everybody gets the quota, then the first ones one more.
    for most in [quota, quota + 1] {
        for share in shares.values_mut() {
            while share.len() < most
                && let Some(partition) = free.pop()
            {
                share.push(partition);
            }
        }
    }
    for share in shares.values_mut() {
        share.sort_unstable();
    }
    shares
}

/// What everybody may keep of what it has: the quota, and `extra` of them one more. Takes it out of `free`.
fn keep(
    free: &mut Vec<PartitionId>,
    owned: &BTreeMap<NodeId, Vec<PartitionId>>,
    quota: usize,
    extra: usize,
) -> BTreeMap<NodeId, Vec<PartitionId>> {
    let mut extra = extra;
    let mut shares = BTreeMap::new();
    for (node, has) in owned {
        let mut share = Vec::new();
        for partition in has {
            let Some(at) = free.iter().position(|one| one == partition) else { continue };
            if share.len() < quota || (share.len() == quota && extra > 0) {
                extra -= usize::from(share.len() == quota);
                share.push(free.remove(at));
            }
        }
        shares.insert(*node, share);
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn members(owned: &[&[u32]]) -> BTreeMap<NodeId, Vec<PartitionId>> {
        let ids = |has: &&[u32]| has.iter().copied().map(PartitionId).collect();
        (0..).map(NodeId::new).zip(owned.iter().map(ids)).collect()
    }

    fn shares(count: u32, owned: &[&[u32]]) -> Vec<Vec<u32>> {
        let all = assign((0..count).map(PartitionId), &members(owned));
        all.into_values().map(|share| share.into_iter().map(|id| id.0).collect()).collect()
    }

    #[test]
    fn everybody_gets_as_many_and_nothing_moves_that_need_not() {
        assert_eq!(shares(4, &[&[], &[]]), [vec![0, 1], vec![2, 3]]);
        assert_eq!(shares(4, &[&[0, 1, 2, 3], &[]]), [vec![0, 1], vec![2, 3]]);
        assert_eq!(shares(4, &[&[2, 3], &[0], &[]]), [vec![2, 3], vec![0], vec![1]]);
        assert_eq!(shares(1, &[&[], &[0]]), [vec![], vec![0]]);
        assert_eq!(shares(3, &[]), Vec::<Vec<u32>>::new());
    }

    proptest! {
        #[test]
        fn each_partition_has_one_owner_and_shares_differ_by_one_at_most(
            count in 0_u32..20, members in 1_u32..7, draws in prop::collection::vec(0_u32..7, 20),
        ) {
            let mut owned: BTreeMap<NodeId, Vec<PartitionId>> =
                (0..members).map(|node| (NodeId::new(node), Vec::new())).collect();
            for (partition, draw) in (0..count).zip(draws) {
                if let Some(has) = owned.get_mut(&NodeId::new(draw)) {
                    has.push(PartitionId(partition));
                }
            }
            let shares = assign((0..count).map(PartitionId), &owned);
            let mut all: Vec<u32> = shares.values().flatten().map(|id| id.0).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>());
            let sizes: Vec<usize> = shares.values().map(Vec::len).collect();
            prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
            prop_assert_eq!(assign((0..count).map(PartitionId), &shares), shares, "what is even stays");
        }
    }
}

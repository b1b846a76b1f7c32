//! Who can be a member.

use sim_core::NodeId;

use super::node_set::NodeSet;

/// The largest number of members: what a decision about them keeps on the stack or in one word.
pub const MEMBERS_MAX: usize = NodeSet::LIMIT;

/// Why nodes cannot be the members of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MembersError {
    /// Nobody could ever decide.
    #[error("a cluster needs at least one member")]
    None,
    /// More than [`MEMBERS_MAX`].
    #[error(
        "{0} members; at most {MEMBERS_MAX} are allowed, and each write waits for more than half of them"
    )]
    TooMany(usize),
    /// A member stands twice, or before a smaller one.
    #[error("members must be ascending and different, but {second} comes after {first}")]
    NotAscending {
        /// The earlier one.
        first: NodeId,
        /// The one after it.
        second: NodeId,
    },
    /// A node that fits in no [`NodeSet`].
    #[error("{0} cannot be a member: only the first {MEMBERS_MAX} nodes of a scenario can")]
    OutOfReach(NodeId),
}

/// Checks that `members` are one to [`MEMBERS_MAX`] nodes, ascending.
///
/// # Errors
/// The first rule that is broken.
pub fn check_members(members: &[NodeId]) -> Result<(), MembersError> {
    if members.is_empty() {
        return Err(MembersError::None);
    }
    if members.len() > MEMBERS_MAX {
        return Err(MembersError::TooMany(members.len()));
    }
    match members.windows(2).find(|pair| pair[0] >= pair[1]) {
        Some(pair) => Err(MembersError::NotAscending { first: pair[0], second: pair[1] }),
        None => Ok(()),
    }
}

/// Checks the same, and that they fit in a [`NodeSet`].
///
/// # Errors
/// The first rule that is broken.
pub fn check_member_set(members: &[NodeId]) -> Result<(), MembersError> {
    check_members(members)?;
    let far = members.iter().find(|member| member.index() >= NodeSet::LIMIT);
    far.map_or(Ok(()), |far| Err(MembersError::OutOfReach(*far)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(members: &[u32]) -> Vec<NodeId> {
        members.iter().copied().map(NodeId::new).collect()
    }

    #[test]
    fn impossible_members_are_refused() {
        assert_eq!(check_members(&nodes(&[0, 2, 5])), Ok(()));
        assert_eq!(check_members(&[]), Err(MembersError::None));
        let (first, second) = (NodeId::new(1), NodeId::new(1));
        assert_eq!(check_members(&nodes(&[0, 1, 1])), Err(MembersError::NotAscending { first, second }));
        let many: Vec<u32> = (0..65).collect();
        assert_eq!(check_members(&nodes(&many)), Err(MembersError::TooMany(65)));
    }

    #[test]
    fn only_the_first_nodes_fit_in_a_set() {
        assert_eq!(check_members(&nodes(&[0, 64])), Ok(()));
        assert_eq!(check_member_set(&nodes(&[0, 63])), Ok(()));
        assert_eq!(check_member_set(&nodes(&[0, 64])), Err(MembersError::OutOfReach(NodeId::new(64))));
    }
}

//! Whom a command names: a node, or a role that is looked up when the command happens.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::text::FromText;
use crate::NodeId;
use crate::random::{KeySource, Purpose, below};
use crate::status::{NodeStatus, Power, Standing, Status};

/// Whom a command names. Spares that were never started are only reached by name, by zone or rack, and by
/// [`Target::All`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// `n3`: this node.
    Node(NodeId),
    /// `leader`: of all that claim to lead, the one with the highest epoch; nobody if none does.
    Leader,
    /// `candidate`: a random node that tries to lead; nobody if none does.
    Candidate,
    /// `follower(2)`: the second follower by id, counted from 1.
    Follower(u32),
    /// `any`: a random node that runs.
    Any,
    /// `any-down`: a random node that has run and is down.
    AnyDown,
    /// `all-down`: every node that has run and is down.
    AllDown,
    /// `majority`: a random smallest majority. With the same draw, exactly the nodes not in `minority`.
    Majority,
    /// `minority`: a random largest minority.
    Minority,
    /// `majority-without-leader`: exactly the nodes not in `minority-with-leader`, given the same draw.
    MajorityWithoutLeader,
    /// `minority-with-leader`: the leader, filled up to a largest minority; any minority if nobody leads.
    MinorityWithLeader,
    /// `all`: every node.
    All,
    /// `zone(east)`: the nodes of this zone.
    Zone(String),
    /// `rack(r1)`: the nodes of this rack.
    Rack(String),
}

/// The failure domains of a node: what is likely to fail together with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domain {
    /// Its zone (a site, a data centre); empty for none.
    pub zone: String,
    /// Its rack, which has one power supply and one switch; empty for none.
    pub rack: String,
}

/// Why a text is no [`Target`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no target; allowed are {}", Target::FORMS.join(", "))]
pub struct TargetError {
    /// What was read.
    pub text: String,
}

impl Target {
    /// How targets are written, an example each.
    pub const FORMS: [&'static str; 14] = [
        "n3",
        "leader",
        "candidate",
        "follower(2)",
        "any",
        "any-down",
        "all-down",
        "majority",
        "minority",
        "majority-without-leader",
        "minority-with-leader",
        "all",
        "zone(east)",
        "rack(r1)",
    ];

    /// The node, where the target is one whatever happens.
    pub const fn node(&self) -> Option<NodeId> {
        if let Self::Node(node) = self { Some(*node) } else { None }
    }

    /// Whether it stands for the same nodes whatever happens: no role.
    pub const fn is_fixed(&self) -> bool {
        matches!(self, Self::Node(_) | Self::All | Self::Zone(_) | Self::Rack(_))
    }

    /// The nodes it stands for, given the status of all nodes and the failure domains of each (nodes beyond the end
    /// have none); `draw` decides what is random. In ascending order, empty if it finds nobody.
    pub fn resolve(&self, statuses: &[NodeStatus], domains: &[Domain], draw: u64) -> Vec<NodeId> {
        let within = |is_meant: &dyn Fn(&Domain) -> bool| {
            ids(statuses).filter(|node| domains.get(node.index()).is_some_and(is_meant)).collect()
        };
        match self {
            Self::Node(node) => vec![*node],
            Self::Leader => leader(statuses).into_iter().collect(),
            Self::Candidate => pick(&candidates(statuses), draw),
            Self::Follower(place) => follower(statuses, *place).into_iter().collect(),
            Self::Any => pick(&having(statuses, |status| status.power == Power::Running), draw),
            Self::AnyDown => pick(&having(statuses, is_down), draw),
            Self::AllDown => having(statuses, is_down),
            Self::Majority => halves(statuses, None, draw).majority,
            Self::Minority => halves(statuses, None, draw).minority,
            Self::MajorityWithoutLeader => halves(statuses, leader(statuses), draw).majority,
            Self::MinorityWithLeader => halves(statuses, leader(statuses), draw).minority,
            Self::All => having(statuses, |_| true),
            Self::Zone(name) => within(&|domain| domain.zone == *name),
            Self::Rack(name) => within(&|domain| domain.rack == *name),
        }
    }
}

fn ids(statuses: &[NodeStatus]) -> impl Iterator<Item = NodeId> {
    (0_u32..).take(statuses.len()).map(NodeId::new)
}

fn having(statuses: &[NodeStatus], condition: impl Fn(&NodeStatus) -> bool) -> Vec<NodeId> {
    ids(statuses).filter(|node| condition(&statuses[node.index()])).collect()
}

/// Whether it has run and is down.
fn is_down(status: &NodeStatus) -> bool {
    status.power == Power::Down && is_member(status)
}

/// Whether it takes part: not a spare that waits to be added.
const fn is_member(status: &NodeStatus) -> bool {
    status.incarnation > 0
}

fn processes(statuses: &[NodeStatus]) -> impl Iterator<Item = (NodeId, Status)> {
    ids(statuses).filter_map(|node| Some((node, statuses[node.index()].process?)))
}

/// A deposed leader may not know yet, so the highest epoch counts. Two in one epoch break the protocol; the first
/// is taken.
fn leader(statuses: &[NodeStatus]) -> Option<NodeId> {
    let leaders = processes(statuses).filter(|(_, status)| status.standing == Standing::Leader);
    leaders.min_by_key(|(node, status)| (std::cmp::Reverse(status.epoch), *node)).map(|(node, _)| node)
}

fn candidates(statuses: &[NodeStatus]) -> Vec<NodeId> {
    let is_candidate =
        |(node, status): (NodeId, Status)| (status.standing == Standing::Candidate).then_some(node);
    processes(statuses).filter_map(is_candidate).collect()
}

fn follower(statuses: &[NodeStatus], place: u32) -> Option<NodeId> {
    let mut followers = processes(statuses).filter(|(_, status)| status.standing == Standing::Follower);
    followers.nth(place.checked_sub(1)? as usize).map(|(node, _)| node)
}

#[expect(clippy::cast_possible_truncation, reason = "the index is below the length, a `usize`")]
fn pick(nodes: &[NodeId], draw: u64) -> Vec<NodeId> {
    if nodes.is_empty() { Vec::new() } else { vec![nodes[below(draw, nodes.len() as u64) as usize]] }
}

#[derive(Default)]
struct Halves {
    majority: Vec<NodeId>,
    minority: Vec<NodeId>,
}

/// All members, split at random with `outvoted` in the minority. Two members or fewer have a minority of nobody,
/// so that nobody can be outvoted.
fn halves(statuses: &[NodeStatus], outvoted: Option<NodeId>, draw: u64) -> Halves {
    let mut members = having(statuses, is_member);
    if outvoted.is_some() && members.len() < 3 {
        return Halves::default();
    }
    KeySource::new(draw).stream(Purpose::Targets, 0, 0).shuffle(&mut members);
    members.sort_by_key(|node| Some(*node) != outvoted);
    let mut majority = members.split_off(members.len().saturating_sub(1) / 2);
    majority.sort_unstable();
    members.sort_unstable();
    Halves { majority, minority: members }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Leader => f.write_str("leader"),
            Self::Candidate => f.write_str("candidate"),
            Self::Follower(place) => write!(f, "follower({place})"),
            Self::Any => f.write_str("any"),
            Self::AnyDown => f.write_str("any-down"),
            Self::AllDown => f.write_str("all-down"),
            Self::Majority => f.write_str("majority"),
            Self::Minority => f.write_str("minority"),
            Self::MajorityWithoutLeader => f.write_str("majority-without-leader"),
            Self::MinorityWithLeader => f.write_str("minority-with-leader"),
            Self::All => f.write_str("all"),
            Self::Zone(name) => write!(f, "zone({name})"),
            Self::Rack(name) => write!(f, "rack({name})"),
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        Ok(match text {
            "leader" => Self::Leader,
            "candidate" => Self::Candidate,
            "any" => Self::Any,
            "any-down" => Self::AnyDown,
            "all-down" => Self::AllDown,
            "majority" => Self::Majority,
            "minority" => Self::Minority,
            "majority-without-leader" => Self::MajorityWithoutLeader,
            "minority-with-leader" => Self::MinorityWithLeader,
            "all" => Self::All,
            _ => return with_argument(text).ok_or_else(|| TargetError { text: text.to_owned() }),
        })
    }
}

fn with_argument(text: &str) -> Option<Target> {
    let argument = |name| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(place) = argument("follower") {
        return place.parse().ok().filter(|place| *place > 0).map(Target::Follower);
    }
    let named = |form| argument(form).filter(|name| !name.is_empty()).map(str::to_owned);
    if let Some(zone) = named("zone") {
        return Some(Target::Zone(zone));
    }
    if let Some(rack) = named("rack") {
        return Some(Target::Rack(rack));
    }
    NodeId::from_text(text).map(Target::Node)
}

impl TryFrom<String> for Target {
    type Error = TargetError;

    fn try_from(text: String) -> Result<Self, TargetError> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl From<NodeId> for Target {
    fn from(node: NodeId) -> Self {
        Self::Node(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(standing: Standing, epoch: u64) -> NodeStatus {
        let process = Status { standing, epoch, ..Status::peer("test") };
        NodeStatus { power: Power::Running, incarnation: 1, process: Some(process) }
    }

    const DOWN: NodeStatus = NodeStatus { power: Power::Down, incarnation: 2, process: None };
    const SPARE: NodeStatus = NodeStatus { power: Power::Down, incarnation: 0, process: None };

    fn cluster() -> Vec<NodeStatus> {
        use Standing::{Candidate, Follower, Leader};
        vec![
            node(Leader, 3),
            node(Follower, 4),
            node(Leader, 4),
            node(Candidate, 5),
            DOWN,
            node(Follower, 4),
            SPARE,
        ]
    }

    fn found(target: &str, draw: u64) -> String {
        let target: Target = target.parse().expect("a target");
        let domain = |(zone, rack): (&str, &str)| Domain { zone: zone.to_owned(), rack: rack.to_owned() };
        let domains = [("east", "r1"), ("west", "r2"), ("east", "r3"), ("", "r3")].map(domain);
        let nodes: Vec<String> =
            target.resolve(&cluster(), &domains, draw).iter().map(NodeId::to_string).collect();
        nodes.join(" ")
    }

    #[test]
    fn the_leader_is_the_claimant_with_the_highest_epoch() {
        assert_eq!(found("leader", 0), "n3");
        assert_eq!(Target::Leader.resolve(&[DOWN, node(Standing::Follower, 9)], &[], 0), []);
    }

    #[test]
    fn a_candidate_is_who_tries_to_lead() {
        assert_eq!(found("candidate", 7), "n4");
        assert_eq!(Target::Candidate.resolve(&[DOWN, node(Standing::Leader, 9)], &[], 0), []);
    }

    #[test]
    fn followers_are_counted_from_one_by_id() {
        assert_eq!(
            [found("follower(1)", 0), found("follower(2)", 0), found("follower(3)", 0)],
            ["n2", "n6", ""]
        );
    }

    #[test]
    fn any_finds_every_node_that_runs_and_no_other() {
        let all: std::collections::BTreeSet<_> = (0..32).map(|draw| found("any", draw << 59)).collect();
        assert_eq!(Vec::from_iter(all), ["n1", "n2", "n3", "n4", "n6"]);
        assert_eq!(found("any-down", u64::MAX), "n5", "a spare is not down, it has never been up");
        assert_eq!(found("all-down", 0), "n5");
    }

    #[test]
    fn a_majority_and_a_minority_of_one_draw_make_up_all_members() {
        for draw in 0..100 {
            for (majority, minority) in
                [("majority", "minority"), ("majority-without-leader", "minority-with-leader")]
            {
                let (majority, minority) = (found(majority, draw), found(minority, draw));
                let mut all: Vec<_> = majority.split(' ').chain(minority.split(' ')).collect();
                all.sort_unstable();
                assert_eq!(all, ["n1", "n2", "n3", "n4", "n5", "n6"]);
                assert_eq!(minority.split(' ').count(), 2, "{minority}");
            }
            assert!(found("minority-with-leader", draw).contains("n3"));
        }
    }

    #[test]
    fn nobody_can_be_outvoted_by_one() {
        let pair = [node(Standing::Leader, 1), node(Standing::Follower, 1)];
        assert_eq!(Target::MajorityWithoutLeader.resolve(&pair, &[], 7), []);
        assert_eq!(Target::Majority.resolve(&pair, &[], 7).len(), 2);
    }

    #[test]
    fn names_zones_racks_and_all_take_whom_they_name() {
        assert_eq!([found("n7", 0), found("zone(east)", 0), found("zone(mars)", 0)], ["n7", "n1 n3", ""]);
        assert_eq!([found("rack(r1)", 0), found("rack(r3)", 0), found("rack(east)", 0)], ["n1", "n3 n4", ""]);
        assert_eq!(found("all", 0), "n1 n2 n3 n4 n5 n6 n7");
    }

    #[test]
    fn every_form_prints_as_it_is_read() {
        for form in Target::FORMS {
            assert_eq!(form.parse::<Target>().expect("an allowed form").to_string(), form);
        }
    }

    #[test]
    fn a_misspelt_target_is_refused_with_what_is_allowed() {
        for text in [
            "",
            "leadr",
            "n0",
            "follower",
            "follower(0)",
            "follower(x)",
            "zone()",
            "rack()",
            "zone(east",
            "c1",
        ] {
            let error = text.parse::<Target>().expect_err(text).to_string();
            assert!(
                error.starts_with(&format!("`{text}` is no target")) && error.contains("any-down"),
                "{error}"
            );
        }
    }
}

use std::num::{NonZeroU32, NonZeroU64};

use proptest::prelude::*;

use super::*;
use crate::id::ClientId;
use crate::random::{Distribution, Probability};

const NODES: u32 = 5;
const CLIENTS: u32 = 2;

fn node(index: u32) -> NodeId {
    NodeId::new(index)
}

fn n(index: u32) -> Endpoint {
    node(index).into()
}

fn c(index: u32) -> Endpoint {
    ClientId::new(index).into()
}

fn source() -> KeySource {
    KeySource::new(11)
}

fn half() -> Probability {
    Probability::from_ratio(1, 2).expect("a ratio")
}

fn jittery() -> LinkModel {
    LinkModel::new(Distribution::uniform(Span::millis(1), Span::millis(9)).expect("in order"))
}

fn steady() -> LinkModel {
    LinkModel::new(Distribution::constant(Span::millis(1)))
}

fn config(topology: Topology, node_link: LinkModel) -> NetworkConfig {
    NetworkConfig {
        nodes: NODES,
        clients: CLIENTS,
        topology,
        client_link: steady(),
        node_link,
        overrides: Vec::new(),
    }
}

fn network(topology: Topology, node_link: LinkModel) -> Network {
    Network::new(&config(topology, node_link), &source()).expect("valid")
}

fn mesh(node_link: LinkModel) -> Network {
    network(Topology::Mesh, node_link)
}

fn apply(network: &mut Network, fault: &NetworkFault) {
    network.apply(fault).expect("everybody named exists");
}

fn send_at(network: &mut Network, now: SimTime, from: Endpoint, to: Endpoint, size: u64) -> Sending {
    let ordinal = network.next_ordinal(from, to);
    network.send(now, MessageId { from, to, ordinal }, size)
}

/// Sends `count` messages of 100 bytes, one every microsecond.
fn send_many(network: &mut Network, from: Endpoint, to: Endpoint, count: u64) -> Vec<Sending> {
    let instants = (0..count).map(|k| SimTime::ZERO + Span::micros(k));
    instants.map(|now| send_at(network, now, from, to, 100)).collect()
}

fn first(network: &mut Network, from: Endpoint, to: Endpoint) -> Sending {
    send_at(network, SimTime::ZERO, from, to, 100)
}

fn after(span: Span) -> Sending {
    Sending::Deliver { at: SimTime::ZERO + span }
}

fn arrival(sending: Sending) -> Option<SimTime> {
    match sending {
        Sending::Deliver { at } | Sending::Twice { at, .. } => Some(at),
        Sending::Drop(_) => None,
    }
}

fn everybody() -> Vec<Endpoint> {
    (0..NODES).map(n).chain((0..CLIENTS).map(c)).collect()
}

fn pairs() -> Vec<(Endpoint, Endpoint)> {
    everybody().iter().flat_map(|&from| everybody().into_iter().map(move |to| (from, to))).collect()
}

fn set_loss(loss: Probability) -> NetworkFault {
    NetworkFault::SetLoss { scope: Scope::All, loss: Some(loss) }
}

fn cut(from: Endpoint, to: Endpoint, direction: Direction) -> NetworkFault {
    NetworkFault::Cut { from, to, direction }
}

#[test]
fn the_fast_path_decides_what_the_careful_one_does() {
    let mut quick = mesh(jittery());
    let mut careful = Network { is_plain: false, is_express: false, ..quick.clone() };
    let mut watched = quick.clone();
    watched.watch();
    assert!(quick.is_plain, "a mesh of plain links without faults is plain");
    for (from, to) in pairs() {
        let sent = send_many(&mut quick, from, to, 20);
        assert_eq!(sent, send_many(&mut careful, from, to, 20));
        assert_eq!(sent, send_many(&mut watched, from, to, 20));
    }
}

#[test]
fn a_healed_network_is_as_fast_as_an_untouched_one() {
    let mut network = mesh(jittery());
    let untouched = network.clone();
    apply(&mut network, &set_loss(half()));
    apply(&mut network, &cut(n(0), n(1), Direction::BothWays));
    let shape = PartitionShape::RingOfMajorities;
    apply(&mut network, &NetworkFault::Partition { id: PartitionId::new(1), shape });
    assert!(!network.is_plain && network.has_barriers);
    apply(&mut network, &NetworkFault::HealAll);
    assert!(network.is_plain && !network.has_barriers);
    assert_eq!(send_many(&mut network, n(0), n(1), 50), send_many(&mut untouched.clone(), n(0), n(1), 50));
}

#[test]
fn a_reseed_changes_latencies_and_nothing_else() {
    let mut before = mesh(jittery());
    let mut after = before.clone();
    after.rekey(&KeySource::new(12));
    assert_ne!(send_many(&mut before, n(0), n(1), 9), send_many(&mut after, n(0), n(1), 9));
    after.rekey(&source());
    assert_eq!(send_many(&mut before, n(0), n(2), 9), send_many(&mut after, n(0), n(2), 9));
}

#[test]
fn loss_never_shifts_latency() {
    let intact = send_many(&mut mesh(jittery()), n(0), n(1), 200);
    let bursty = Loss::Bursty { enter: half(), leave: half(), loss: half() };
    for loss in [Loss::Independent(half()), bursty] {
        let seen = send_many(&mut mesh(LinkModel { loss, corrupt: half(), ..jittery() }), n(0), n(1), 200);
        let dropped = seen.iter().filter(|sending| arrival(**sending).is_none()).count();
        assert!((100..200).contains(&dropped), "{dropped} of 200 are dropped with {loss:?}");
        for (seen, intact) in seen.into_iter().zip(&intact) {
            assert!(arrival(seen).is_none() || seen == *intact, "loss moved {intact:?} to {seen:?}");
        }
    }
}

#[test]
fn loss_never_shifts_the_order_or_queue_of_a_connection() {
    let bandwidth =
        Bandwidth { bytes_per_second: NonZeroU64::new(20_000_000).expect("not 0"), buffer: 5_000 };
    let link = LinkModel { transport: Transport::Connection, bandwidth: Some(bandwidth), ..jittery() };
    let intact = send_many(&mut mesh(link.clone()), n(0), n(1), 200);
    let seen = send_many(&mut mesh(LinkModel { loss: Loss::Independent(half()), ..link }), n(0), n(1), 200);
    for (seen, intact) in seen.into_iter().zip(intact) {
        assert!(arrival(seen).is_none() || seen == intact, "loss moved {intact:?} to {seen:?}");
    }
}

#[test]
fn a_cut_drops_at_send_and_at_arrival_in_its_direction_only() {
    let mut network = mesh(steady());
    apply(&mut network, &cut(n(0), n(1), Direction::OneWay));
    assert_eq!(first(&mut network, n(0), n(1)), Sending::Drop(DropReason::Cut));
    assert_eq!(network.arrive(n(0), n(1)), Arrival::Drop(DropReason::Cut));
    assert_eq!(first(&mut network, n(1), n(0)), after(Span::millis(1)));
    assert_eq!(network.arrive(n(1), n(0)), Arrival::Deliver);
    let heal = NetworkFault::HealCut { from: n(1), to: n(0), direction: Direction::BothWays };
    apply(&mut network, &heal);
    assert_eq!(network.arrive(n(0), n(1)), Arrival::Deliver);
}

#[test]
fn a_held_link_takes_messages_and_keeps_them_until_released() {
    let mut network = mesh(steady());
    let (from, to, direction) = (n(0), c(1), Direction::OneWay);
    apply(&mut network, &NetworkFault::Hold { from, to, direction });
    assert_eq!(first(&mut network, from, to), after(Span::millis(1)));
    assert_eq!(network.arrive(from, to), Arrival::Held);
    assert_eq!(network.arrive(to, from), Arrival::Deliver);
    apply(&mut network, &NetworkFault::Release { from, to, direction });
    assert_eq!(network.arrive(from, to), Arrival::Deliver);
}

#[test]
fn a_message_between_strangers_takes_the_shortest_usable_path() {
    let mut network = network(Topology::Ring, steady());
    assert_eq!(first(&mut network, n(0), n(2)), after(Span::millis(2)));
    apply(&mut network, &cut(n(1), n(2), Direction::OneWay));
    assert_eq!(first(&mut network, n(0), n(2)), after(Span::millis(3)));
    assert_eq!(first(&mut network, n(2), n(0)), after(Span::millis(2)));
    assert_eq!(
        first(&mut network, n(1), n(2)),
        Sending::Drop(DropReason::Cut),
        "linked nodes take no detour"
    );
    network.set_forwarding(node(4), Forwarding::Off);
    assert_eq!(first(&mut network, n(0), n(2)), Sending::Drop(DropReason::NoRoute));
    assert_eq!(first(&mut network, n(0), n(4)), after(Span::millis(1)), "a down node is still an end");
    assert_eq!(first(&mut network, c(0), n(2)), after(Span::millis(1)), "clients are linked with everybody");
    network.set_forwarding(node(4), Forwarding::On);
    assert_eq!(first(&mut network, n(0), n(2)), after(Span::millis(3)));
}

#[test]
fn each_link_of_a_path_draws_its_own_latency() {
    let mut network = network(Topology::Line, jittery());
    let latencies = |network: &mut Network, to| {
        send_many(network, n(0), n(to), 40)
            .into_iter()
            .filter_map(arrival)
            .map(SimTime::as_nanos)
            .sum::<u64>()
            / 40
    };
    let (one, four) = (latencies(&mut network, 1), latencies(&mut network, 4));
    assert!((3 * one..5 * one).contains(&four), "one link takes {one} ns, four take {four} ns on average");
}

#[test]
fn half_the_round_trip_replaces_the_minimum_latency_between_regions() {
    let rtt = vec![vec![Span::millis(2), Span::millis(80)], vec![Span::millis(60), Span::millis(4)]];
    let regions = Topology::Regions { region_of: vec![0, 0, 1, 1, 1], rtt };
    let mut exact = network(regions.clone(), steady());
    assert_eq!(first(&mut exact, n(0), n(1)), after(Span::millis(1)));
    assert_eq!(first(&mut exact, n(0), n(2)), after(Span::millis(40)));
    assert_eq!(first(&mut exact, n(2), n(0)), after(Span::millis(30)));
    assert_eq!(first(&mut exact, c(0), n(4)), after(Span::millis(1)));
    let jitter = first(&mut mesh(jittery()), n(0), n(2));
    let far = first(&mut network(regions, jittery()), n(0), n(2));
    let added = arrival(far).expect("arrives").since(arrival(jitter).expect("arrives"));
    assert_eq!(added, Span::millis(39), "the jitter above the minimum of 1ms stays");
}

#[test]
fn an_override_concerns_its_direction_only() {
    let model = LinkModel { size_max: Some(99), ..steady() };
    let overrides = vec![LinkOverride { from: n(0), to: n(1), model }];
    let config = NetworkConfig { overrides, ..config(Topology::Mesh, steady()) };
    let mut network = Network::new(&config, &source()).expect("valid");
    assert_eq!(first(&mut network, n(0), n(1)), Sending::Drop(DropReason::TooBig));
    assert_eq!(send_at(&mut network, SimTime::ZERO, n(0), n(1), 99), after(Span::millis(1)));
    assert_eq!(first(&mut network, n(1), n(0)), after(Span::millis(1)));
}

#[test]
fn a_full_buffer_drops_what_does_not_fit() {
    let bandwidth = Bandwidth { bytes_per_second: NonZeroU64::new(1_000).expect("not 0"), buffer: 250 };
    let mut network = mesh(LinkModel { bandwidth: Some(bandwidth), ..steady() });
    let sent: Vec<Sending> = (0..3).map(|_| first(&mut network, n(0), n(1))).collect();
    assert_eq!(sent[0], after(Span::millis(101)));
    assert_eq!(sent[1], after(Span::millis(201)));
    assert_eq!(sent[2], Sending::Drop(DropReason::BufferFull));
    let idle = SimTime::ZERO + Span::millis(200);
    assert_eq!(arrival(send_at(&mut network, idle, n(0), n(1), 1_000)), Some(idle + Span::millis(1_001)));
}

#[test]
fn a_burst_loses_all_until_the_link_leaves_it() {
    let loss = Loss::Bursty { enter: Probability::ONE, leave: Probability::ONE, loss: Probability::ONE };
    let seen = send_many(&mut mesh(LinkModel { loss, ..steady() }), n(0), n(1), 4);
    let is_lost = |sending: &Sending| *sending == Sending::Drop(DropReason::Burst);
    assert_eq!(seen.iter().map(is_lost).collect::<Vec<bool>>(), [true, false, true, false]);
}

#[test]
fn a_duplicate_draws_its_own_latency_and_leaves_the_first_as_it_was() {
    let intact = send_many(&mut mesh(jittery()), n(0), n(1), 50);
    let doubling = LinkModel { duplicate: Probability::ONE, ..jittery() };
    let doubled = send_many(&mut mesh(doubling), n(0), n(1), 50);
    for (intact, doubled) in intact.into_iter().zip(doubled) {
        let Sending::Twice { at, copy_at } = doubled else { panic!("{doubled:?} is not doubled") };
        assert_eq!(Some(at), arrival(intact));
        assert_ne!(at, copy_at);
    }
}

#[test]
fn acts_on_single_messages_hit_these_and_no_others() {
    let mut network = mesh(steady());
    let message = |ordinal| MessageId { from: n(0), to: n(1), ordinal };
    apply(&mut network, &NetworkFault::DropMessage { message: message(1) });
    apply(&mut network, &NetworkFault::DelayMessage { message: message(2), by: Span::millis(5) });
    apply(&mut network, &NetworkFault::DuplicateMessage { message: message(3) });
    let sent: Vec<Sending> = (0..5).map(|_| first(&mut network, n(0), n(1))).collect();
    let at = SimTime::ZERO + Span::millis(1);
    assert_eq!(sent[0], Sending::Deliver { at });
    assert_eq!(sent[1], Sending::Drop(DropReason::Targeted));
    assert_eq!(sent[2], after(Span::millis(6)));
    assert_eq!(sent[3], Sending::Twice { at, copy_at: at });
    assert_eq!(sent[4], Sending::Deliver { at });
    assert!(network.is_plain, "acts are forgotten once they are done");
}

#[test]
fn faults_replace_the_link_model_and_one_link_wins_over_all() {
    let mut network = mesh(steady());
    let link = Scope::Link { from: n(0), to: n(1), direction: Direction::OneWay };
    apply(&mut network, &set_loss(Probability::ONE));
    apply(&mut network, &NetworkFault::SetLoss { scope: link, loss: Some(Probability::ZERO) });
    let double = LatencyFactor { numerator: 5, denominator: NonZeroU32::new(2).expect("not 0") };
    apply(&mut network, &NetworkFault::SetLatencyFactor { scope: Scope::All, factor: Some(double) });
    let reorder = Reorder { probability: Probability::ONE, extra: Span::millis(7) };
    apply(&mut network, &NetworkFault::SetReorder { scope: link, reorder: Some(reorder) });
    assert_eq!(first(&mut network, n(0), n(1)), after(Span::micros(9_500)));
    assert_eq!(first(&mut network, n(1), n(0)), Sending::Drop(DropReason::Loss));
    apply(&mut network, &NetworkFault::SetLoss { scope: Scope::All, loss: None });
    assert_eq!(first(&mut network, n(1), n(0)), after(Span::micros(2_500)));
}

#[test]
fn strangers_are_refused() {
    let mut network = mesh(steady());
    let shape = PartitionShape::Isolate(c(CLIENTS));
    let fault = NetworkFault::Partition { id: PartitionId::new(0), shape };
    let error = network.apply(&fault).expect_err("there is no such client");
    assert_eq!(error.to_string(), "c3 is not in the network of 5 nodes and 2 clients");
    assert!(network.is_plain, "a refused fault changes nothing");
    let overrides = vec![LinkOverride { from: n(0), to: n(NODES), model: steady() }];
    let config = NetworkConfig { overrides, ..config(Topology::Mesh, steady()) };
    let error = Network::new(&config, &source()).expect_err("there is no such node");
    assert_eq!(error, NetworkError::UnknownEndpoint { endpoint: n(NODES) });
}

#[test]
fn memory_is_linear_in_endpoints() {
    let nodes = 100_000;
    let config = NetworkConfig { nodes, ..config(Topology::Mesh, jittery()) };
    let mut network = Network::new(&config, &source()).expect("a mesh has no limit");
    let isolate = |index| PartitionShape::Isolate(n(index));
    for id in 0..4 {
        apply(&mut network, &NetworkFault::Partition { id: PartitionId::new(id), shape: isolate(id) });
    }
    assert_eq!(network.arrive(n(99_998), n(99_999)), Arrival::Deliver);
    assert_eq!(network.arrive(n(3), n(99_999)), Arrival::Drop(DropReason::Partition));
    let bytes = network.ordinals.heap_bytes() + network.barriers.heap_bytes() + size_of::<Network>();
    assert!(bytes / (nodes as usize) < 200, "{bytes} bytes for {nodes} nodes");
}

#[test]
fn ordinals_rise_on_each_link_in_small_and_large_networks() {
    for nodes in [NODES, 1_000] {
        let config = NetworkConfig { nodes, ..config(Topology::Mesh, steady()) };
        let mut network = Network::new(&config, &source()).expect("valid");
        let mut last = vec![None; nodes as usize];
        for round in 0..3 {
            for to in 0..nodes {
                let ordinal = network.next_ordinal(n(0), n(to));
                let is_exact = ordinal == round || nodes > 256;
                assert!(is_exact, "message {round} to {} has ordinal {ordinal}", n(to));
                let before = last[to as usize].replace(ordinal);
                assert!(before < Some(ordinal), "ordinal {ordinal} after {before:?} to {}", n(to));
            }
        }
    }
}

/// The definitions of the shapes, said the slow way.
fn is_parted(shape: &PartitionShape, from: Endpoint, to: Endpoint) -> bool {
    let Some((a, b)) = from.node().zip(to.node()) else {
        let (PartitionShape::Groups(_) | PartitionShape::Isolate(_)) = shape else { return false };
        return group_of(shape, from).zip(group_of(shape, to)).is_some_and(|(a, b)| a != b);
    };
    match shape {
        PartitionShape::Groups(_) | PartitionShape::Isolate(_) => {
            group_of(shape, from) != group_of(shape, to)
        }
        PartitionShape::MajorityMinority { minority } => minority.contains(&a) != minority.contains(&b),
        PartitionShape::RingOfMajorities => {
            let near = [(NODES - 1), 0, 1].map(|step| (a.raw() + step) % NODES);
            !near.contains(&b.raw())
        }
        PartitionShape::Bridge { bridge, left, right } => {
            let side = |node| (left.contains(&node), right.contains(&node));
            a != *bridge && b != *bridge && side(a) != side(b)
        }
        PartitionShape::OneWay { from, to } => a != b && from.contains(&a) && to.contains(&b),
    }
}

/// The group of an endpoint: that of its last mention, or one for all unnamed nodes, or none for an unnamed
/// client.
fn group_of(shape: &PartitionShape, endpoint: Endpoint) -> Option<usize> {
    let groups = match shape {
        PartitionShape::Groups(groups) => groups.clone(),
        PartitionShape::Isolate(alone) => vec![vec![*alone]],
        PartitionShape::MajorityMinority { .. }
        | PartitionShape::RingOfMajorities
        | PartitionShape::Bridge { .. }
        | PartitionShape::OneWay { .. } => unreachable!("{shape:?} has no groups"),
    };
    let named = groups.iter().rposition(|group| group.contains(&endpoint)).map(|group| group + 1);
    named.or(endpoint.node().map(|_| 0))
}

fn some_nodes() -> impl Strategy<Value = Vec<NodeId>> {
    prop::collection::btree_set((0..NODES).prop_map(NodeId::new), 0..4).prop_map(Vec::from_iter)
}

fn some_endpoints() -> impl Strategy<Value = Vec<Endpoint>> {
    prop::collection::vec(prop::sample::select(everybody()), 0..4)
}

fn any_shape() -> impl Strategy<Value = PartitionShape> {
    prop_oneof![
        prop::collection::vec(some_endpoints(), 0..4).prop_map(PartitionShape::Groups),
        prop::sample::select(everybody()).prop_map(PartitionShape::Isolate),
        some_nodes().prop_map(|minority| PartitionShape::MajorityMinority { minority }),
        Just(PartitionShape::RingOfMajorities),
        (some_nodes(), some_nodes(), 0..NODES).prop_map(|(left, mut right, bridge)| {
            right.retain(|node| !left.contains(node));
            PartitionShape::Bridge { bridge: NodeId::new(bridge), left, right }
        }),
        (some_nodes(), some_nodes()).prop_map(|(from, to)| PartitionShape::OneWay { from, to }),
    ]
}

proptest! {
    #[test]
    fn partitions_part_whom_their_definition_says(shapes in prop::collection::vec(any_shape(), 1..4)) {
        let mut network = mesh(steady());
        for (shape, id) in shapes.iter().cloned().zip(0..) {
            apply(&mut network, &NetworkFault::Partition { id: PartitionId::new(id), shape });
        }
        for (from, to) in pairs() {
            let is_parted = shapes.iter().any(|shape| is_parted(shape, from, to));
            let expected = if is_parted { Arrival::Drop(DropReason::Partition) } else { Arrival::Deliver };
            prop_assert_eq!(network.arrive(from, to), expected, "from {} to {} with {:?}", from, to, shapes);
        }
        apply(&mut network, &NetworkFault::HealPartition { id: PartitionId::new(0) });
        for (from, to) in pairs() {
            let is_parted = shapes[1..].iter().any(|shape| is_parted(shape, from, to));
            prop_assert_eq!(network.arrive(from, to) == Arrival::Deliver, !is_parted);
        }
    }

    #[test]
    fn removing_a_fault_leaves_unrelated_links_as_they_were(
        cut_link in (0..NODES, 0..NODES),
        drop_ordinal in 0..10_u32,
        loss in 0..4_u64,
    ) {
        let mut with = mesh(LinkModel { transport: Transport::Connection, duplicate: half(), ..jittery() });
        apply(&mut with, &set_loss(Probability::from_ratio(loss, 10).expect("a ratio")));
        let mut without = with.clone();
        let (from, to) = (n(cut_link.0), n(cut_link.1));
        apply(&mut with, &cut(from, to, Direction::OneWay));
        let message = MessageId { from: to, to: from, ordinal: drop_ordinal };
        apply(&mut with, &NetworkFault::DropMessage { message });
        for link in pairs() {
            let seen = send_many(&mut with, link.0, link.1, 10);
            let twin = send_many(&mut without, link.0, link.1, 10);
            for ((seen, twin), ordinal) in seen.into_iter().zip(twin).zip(0..) {
                let is_targeted = MessageId { from: link.0, to: link.1, ordinal } == message;
                let is_related = link == (from, to) || is_targeted;
                prop_assert!(is_related || seen == twin, "{link:?}#{ordinal}: {twin:?} became {seen:?}");
            }
        }
    }

    #[test]
    fn bandwidth_never_reorders(
        sizes in prop::collection::vec((0..2_000_u64, 0..3_000_u64), 1..40),
        is_connection: bool,
    ) {
        let bandwidth = Bandwidth { bytes_per_second: NonZeroU64::new(1_000_000).expect("not 0"), buffer: 4_000 };
        let (transport, link) = if is_connection {
            (Transport::Connection, jittery())
        } else {
            (Transport::Datagram, steady())
        };
        let mut network = mesh(LinkModel { bandwidth: Some(bandwidth), transport, ..link });
        let (mut now, mut last) = (SimTime::ZERO, SimTime::ZERO);
        for (size, wait) in sizes {
            now += Span::micros(wait);
            let sending = send_at(&mut network, now, n(0), n(1), size);
            let at = arrival(sending).unwrap_or(last);
            prop_assert!(at >= last, "a message of {size} bytes arrives at {at}, before {last}");
            last = at;
        }
    }
}

//! The state of a node for people.

use sim_core::NodeId;
use sim_core::view::{Cell, Strip, Table, ViewBuilder, ViewRequest};

use super::broker::Broker;
use super::controller::Controller;
use super::group::consumer::Consumer;
use super::group::in_words;
use super::group::store::Store;
use super::image::{Image, PartitionState};
use super::quorum::Quorum;
use super::replica::{Replica, Role};
use super::transaction::index::TransactionIndex;
use super::transaction::{TransactionImage, TransactionalId};
use super::types::PartitionId;

impl Controller {
    /// The brokers and the partitions.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        show_image(view, request, self.published());
    }
}

impl Quorum {
    /// What was decided, and its part of Raft.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        show_image(view, request, self.image());
        view.group("raft", |view| self.show_replica(view, request));
    }
}

impl Broker {
    /// Its copies with how far they are, the followers of those that it leads, and their records.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.text(
            "broker epoch",
            self.epoch().map_or_else(|| "none yet".to_owned(), |epoch| epoch.to_string()),
        );
        view.number("version of the metadata", self.image().map_or(0, |image| image.version));
        let rows = self.replicas().iter().map(|(id, replica)| replica_row(id, replica));
        let columns = [
            "partition",
            "role",
            "epoch",
            "begins",
            "end",
            "on disk",
            "high watermark",
            "last stable",
            "in sync",
        ];
        view.table("copies", Table::of_rows(columns.to_vec(), request, rows));
        let rows = self.replicas().iter().flat_map(|(id, replica)| follower_rows(id, replica));
        view.table(
            "followers",
            Table::of_rows(vec!["partition", "follower", "end", "lag", "waits"], request, rows),
        );
        let rows =
            self.offsets().committed.iter().map(|(id, offset)| vec![id.to_string(), offset.to_string()]);
        view.table("offsets of clients", Table::of_rows(vec!["partition", "handled below"], request, rows));
        if let Some(coordinator) = self.coordinator() {
            view.text("generation of the group", coordinator.generation());
            let kept = |id: &PartitionId| self.offsets().kept.get(id).copied().unwrap_or(0);
            let rows = coordinator.members().flat_map(|(node, partitions)| {
                let row =
                    move |id: &PartitionId| vec![node.to_string(), id.to_string(), kept(id).to_string()];
                partitions.iter().map(row).collect::<Vec<_>>()
            });
            view.table("group", Table::of_rows(vec!["member", "partition", "kept"], request, rows));
        }
        if !self.lags().is_empty() {
            let rows = self.lags().iter().map(|(id, lag)| vec![id.to_string(), lag.to_string()]);
            view.table("lag of consumers", Table::of_rows(vec!["partition", "not read"], request, rows));
        }
        self.show_transactions(view, request);
        for (id, replica) in self.replicas().iter() {
            view.strip(&format!("log {id}"), strip(replica, request));
        }
    }
}

impl Broker {
    /// Where transactional ids are, if it coordinates them, and what is open in its copies.
    fn show_transactions(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        if let Some(coordinator) = self.transactions() {
            let row = |image: &TransactionImage| {
                let partitions: Vec<PartitionId> = image.partitions.iter().copied().collect();
                let (epoch, number) = (image.epoch.to_string(), image.number.to_string());
                let state = format!("{:?}", image.state);
                vec![
                    image.id.to_string(),
                    image.owner.0.to_string(),
                    epoch,
                    number,
                    state,
                    in_words(&partitions),
                ]
            };
            let columns = vec!["transactional id", "owner", "epoch", "ended", "state", "partitions"];
            view.table("transactions", Table::of_rows(columns, request, coordinator.images().map(row)));
        }
        let open: Vec<_> = self.replicas().iter().flat_map(|(id, replica)| open_rows(id, replica)).collect();
        if !open.is_empty() {
            let columns = vec!["partition", "transactional id", "from"];
            view.table("open transactions", Table::of_rows(columns, request, open));
        }
    }
}

impl Consumer {
    /// Its partitions with how far it is, and what its workers do.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let generation =
            self.generation().map_or_else(|| "no member".to_owned(), |generation| generation.to_string());
        view.text("generation", generation);
        let rows = self.shares().iter().map(|(id, share)| {
            let numbers = [share.kept(), share.done(), share.position(), share.backlog_len()];
            let mut row = vec![id.to_string()];
            row.extend(numbers.map(|number| number.to_string()));
            let until = share.paused_until();
            row.push(until.map_or_else(|| "-".to_owned(), |until| until.to_string()));
            row
        });
        let columns = vec!["partition", "kept", "done", "position", "waits", "paused until"];
        view.table("partitions", Table::of_rows(columns, request, rows));
        let producers = self.shares().iter().filter_map(|(id, share)| Some((*id, share.producing()?)));
        let rows: Vec<Vec<String>> = producers
            .map(|(id, producing)| {
                let epoch =
                    producing.epoch().map_or_else(|| "none yet".to_owned(), |epoch| epoch.to_string());
                vec![TransactionalId::of(id).to_string(), epoch, producing.word().to_owned()]
            })
            .collect();
        if !rows.is_empty() {
            let columns = vec!["transactional id", "epoch", "does"];
            view.table("transactions", Table::of_rows(columns, request, rows));
        }
        let rows = (1_u32..).zip(self.workers()).map(|(number, worker)| {
            let effect = worker.task().map(|task| task.effect);
            let record =
                effect.map_or_else(|| "-".to_owned(), |one| format!("{}@{}", one.partition, one.offset));
            vec![number.to_string(), worker.word().to_owned(), record]
        });
        view.table("workers", Table::of_rows(vec!["worker", "does", "record"], request, rows));
    }
}

impl Store {
    /// How many effects it has had, and who may have more.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        view.number("effects", self.effect_count());
        let rows = self.fences().iter().map(|(id, generation)| vec![id.to_string(), generation.to_string()]);
        view.table("fences", Table::of_rows(vec!["partition", "last generation"], request, rows));
        let positions = self.reader().positions();
        if !positions.is_empty() {
            let rows = positions.iter().map(|(id, position)| vec![id.to_string(), position.to_string()]);
            view.table("results", Table::of_rows(vec!["partition", "position"], request, rows));
        }
    }
}

fn show_image(view: &mut ViewBuilder, request: &ViewRequest, image: &Image) {
    view.number("version", image.version);
    let rows = image.brokers.iter().map(|(node, broker)| {
        let is = if broker.is_fenced { "fenced" } else { "live" };
        vec![node.to_string(), broker.epoch.to_string(), is.to_owned()]
    });
    view.table("brokers", Table::of_rows(vec!["broker", "epoch", "is"], request, rows));
    let rows = (0..).map(PartitionId).zip(&image.partitions).map(|(id, state)| partition_row(id, state));
    view.table(
        "partitions",
        Table::of_rows(vec!["partition", "leader", "epoch", "in sync", "version"], request, rows),
    );
}

fn partition_row(id: PartitionId, state: &PartitionState) -> Vec<String> {
    let PartitionState { leader, epoch, version, isr } = state;
    vec![id.to_string(), name(*leader), epoch.to_string(), isr.to_string(), version.to_string()]
}

fn name(node: Option<NodeId>) -> String {
    node.map_or_else(|| "nobody".to_owned(), |node| node.to_string())
}

fn replica_row(id: PartitionId, replica: &Replica) -> Vec<String> {
    let (role, epoch, isr) = match replica.role() {
        Role::Idle => ("idle".to_owned(), "-".to_owned(), "-".to_owned()),
        Role::Leader(leading) => ("leads".to_owned(), leading.epoch().to_string(), leading.isr().to_string()),
        Role::Follower(following) => {
            (format!("follows {}", following.leader()), following.epoch().to_string(), "-".to_owned())
        }
    };
    let stable = replica.log().stable(replica.high_watermark());
    let (begin, end) = (replica.log().base(), replica.log().end());
    let numbers = [begin, end, replica.flushed(), replica.high_watermark(), stable];
    let mut row = vec![id.to_string(), role, epoch];
    row.extend(numbers.map(|number| number.to_string()));
    row.push(isr);
    row
}

fn open_rows(id: PartitionId, replica: &Replica) -> Vec<Vec<String>> {
    let open = replica.log().transactions().into_iter().flat_map(TransactionIndex::open);
    open.map(|(producer, first)| vec![id.to_string(), producer.to_string(), first.to_string()]).collect()
}

fn follower_rows(id: PartitionId, replica: &Replica) -> Vec<Vec<String>> {
    let Some(leading) = replica.leading() else { return Vec::new() };
    let end = replica.log().end();
    let row = |(node, progress): (&NodeId, &super::replica::Progress)| {
        let waits = if progress.is_waiting() { "yes" } else { "no" };
        let lag = end.saturating_sub(progress.end());
        vec![id.to_string(), node.to_string(), progress.end().to_string(), lag.to_string(), waits.to_owned()]
    };
    leading.followers().iter().map(row).collect()
}

fn strip(replica: &Replica, request: &ViewRequest) -> Strip {
    let log = replica.log();
    let available = log.base()..log.end();
    let window = request.window(available.clone());
    let cells = log.range(window.start, window.end).map(|(index, entry)| Cell {
        index,
        epoch: entry.epoch.0.into(),
        label: entry.body.to_string(),
    });
    let mut marks = vec![("high watermark", replica.high_watermark()), ("durable", replica.flushed())];
    if let Some(index) = log.transactions() {
        marks.push(("last stable", index.stable(replica.high_watermark())));
    }
    Strip { available, cells: cells.collect(), marks }
}

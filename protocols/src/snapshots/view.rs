//! The state of a process for people.

use sim_core::NodeId;
use sim_core::view::{Table, ViewBuilder, ViewRequest};

use super::branch::Ended;
use super::process::Snapshots;
use super::types::{Cut, Part};

impl Snapshots {
    /// Accounts, channels, and how far snapshots are.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        self.show_accounts(view, request);
        self.show_channels(view, request);
        self.show_recordings(view, request);
        self.show_gatherings(view, request);
        match self.branch().last_ended() {
            Some(Ended::Finished(cut)) => show_cut(cut, view, request),
            Some(Ended::Abandoned(snapshot)) => _ = view.text("given up last", snapshot),
            None => {}
        }
    }

    fn show_accounts(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let balances = self.branch().balances();
        view.text("money", self.branch().total());
        let row = |(account, balance): (&u32, &u64)| vec![format!("a{account}"), balance.to_string()];
        let columns = vec!["account", "balance"];
        view.table(
            "accounts",
            Table::of_items(columns, request, balances.len() as u64, balances.iter(), row),
        );
    }

    fn show_channels(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let (outgoing, incoming) = (self.branch().outgoing(), self.branch().incoming());
        let columns = vec!["with", "sent", "not acknowledged", "came out", "came too early"];
        let row = |peer: &NodeId| {
            let (out, come) = (&outgoing[peer], &incoming[peer]);
            let numbers = [out.last(), out.len(), come.upto(), come.waiting()];
            std::iter::once(peer.to_string()).chain(numbers.map(|number| number.to_string())).collect()
        };
        let peers = outgoing.keys();
        view.table("channels", Table::of_items(columns, request, outgoing.len() as u64, peers, row));
    }

    fn show_recordings(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let recordings = self.branch().recordings();
        let columns = vec!["snapshot", "own state", "in channels", "no marker from"];
        let row = |(snapshot, recording): (&super::SnapshotId, &super::recording::Recording)| {
            let in_channels: u64 =
                recording.channels().values().flatten().map(|payment| payment.amount).sum();
            let given_up = if recording.is_abandoned() { " (given up)" } else { "" };
            vec![
                format!("{snapshot}{given_up}"),
                recording.state().total().to_string(),
                in_channels.to_string(),
                names(recording.open().iter()),
            ]
        };
        let rows = Table::of_items(columns, request, recordings.len() as u64, recordings.iter(), row);
        view.table("recording", rows);
    }

    fn show_gatherings(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        let gatherings = self.branch().gatherings();
        let columns = vec!["snapshot", "parts of"];
        let row = |(snapshot, parts): (&super::SnapshotId, &super::recording::Gathering)| {
            vec![snapshot.to_string(), names(parts.keys())]
        };
        let rows = Table::of_items(columns, request, gatherings.len() as u64, gatherings.iter(), row);
        view.table("begun here", rows);
    }
}

fn show_cut(cut: &Cut, view: &mut ViewBuilder, request: &ViewRequest) {
    view.text("finished last", cut.snapshot);
    view.text("money in it", cut.total());
    let columns = vec!["process", "own state", "in channels", "payments there"];
    let row = |part: &std::sync::Arc<Part>| {
        let (state, in_channels) = (part.state.total(), part.in_channels());
        vec![
            part.process.to_string(),
            state.to_string(),
            in_channels.to_string(),
            part.payment_count().to_string(),
        ]
    };
    let rows = Table::of_items(columns, request, cut.parts.len() as u64, cut.parts.values(), row);
    view.table("snapshot", rows);
}

fn names<'a>(nodes: impl Iterator<Item = &'a NodeId>) -> String {
    let names: Vec<String> = nodes.map(ToString::to_string).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(" ") }
}

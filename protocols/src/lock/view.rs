//! The state of a node for people.

use sim_core::view::{Table, ViewBuilder};

use super::Lock;
use super::resource::Resource;
use super::server::{Name, Server};
use super::worker::{Job, Stage, Worker};

impl Job {
    /// What a holder with this job is called.
    pub(super) const fn role(self) -> &'static str {
        match self {
            Self::Working | Self::Writing => "holder",
            Self::InDoubt => "in-jeopardy",
        }
    }

    /// In words.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Working => "works",
            Self::Writing => "waits for its write",
            Self::InDoubt => "only tries to renew",
        }
    }
}

impl Lock {
    /// What the role of the node has to show.
    pub(super) fn show(&self, view: &mut ViewBuilder) {
        match self {
            Self::Server(server) => show_server(server, view),
            Self::Resource(resource) => show_resource(resource, view),
            Self::Worker(worker) => show_worker(worker, view),
        }
    }
}

fn show_server(server: &Server, view: &mut ViewBuilder) {
    view.number("acts waiting for the disk", server.waiting_count());
    let row = |name: Name| {
        let entry = server.books().entry(name);
        let tenant = entry.tenant.map_or_else(|| "nobody".to_owned(), |tenant| tenant.to_string());
        let until = server.lease_end(name).map_or_else(|| "free".to_owned(), |until| until.to_string());
        vec![name.word().to_owned(), entry.last.to_string(), tenant, until]
    };
    let columns = vec!["lock", "last token", "held by", "until"];
    view.table("locks", Table { columns, available: 0..2, rows: Name::ALL.into_iter().map(row).collect() });
}

fn show_resource(resource: &Resource, view: &mut ViewBuilder) {
    let stored = resource.stored();
    view.text("highest token", stored.highest);
    view.text("last write", format!("{} number={}", stored.token, stored.number));
    view.number("acts waiting for the disk", resource.waiting_count());
}

fn show_worker(worker: &Worker, view: &mut ViewBuilder) {
    view.text("highest token heard of", worker.highest());
    match worker.stage() {
        Stage::Resting => _ = view.text("stage", "resting"),
        Stage::Asking { since, .. } => _ = view.text("stage", "asking").text("asked at", since),
        Stage::Holding(tenure) => {
            view.text("stage", tenure.job.role());
            view.text("what it does", tenure.job.words());
            view.text("token", tenure.token);
            view.text("lease until", tenure.until);
            view.number("writes acknowledged", tenure.done.into());
        }
    }
}

//! The state of a node for people.

use sim_core::view::{Cell, Link, Strip, Table, ViewBuilder, ViewRequest, Weight};

use super::master::Master;
use super::process::role;
use super::server::{Part, Server};
use super::types::Configuration;
use super::{ChainReplication, Role};
use crate::replicated::Index;

impl ChainReplication {
    /// What the role of the node has to show.
    pub(super) fn show(&self, view: &mut ViewBuilder, request: &ViewRequest) {
        match &self.role {
            Role::Master(master) => show_master(master, view, request),
            Role::Server(server) => show_server(server, view, request),
        }
        if let Some(membership) = &self.membership {
            view.group("detector", |view| membership.show(view, request));
        }
    }
}

fn show_configuration(configuration: &Configuration, view: &mut ViewBuilder) {
    view.text("configuration", configuration);
    view.text("head", configuration.head());
    view.text("tail", configuration.tail());
}

fn show_master(master: &Master, view: &mut ViewBuilder, request: &ViewRequest) {
    show_configuration(master.configuration(), view);
    let granted = master.granted().iter();
    let rows = granted.map(|(member, at)| vec![member.to_string(), at.to_string()]);
    view.table("leases", Table::of_rows(vec!["server", "granted last"], request, rows));
}

fn show_server(server: &Server, view: &mut ViewBuilder, request: &ViewRequest) {
    view.group("server", |view| {
        view.text("is", server.member());
        view.text("role", role(server));
        show_configuration(server.configuration(), view);
        let lease = server.lease_until.map_or_else(|| "none".to_owned(), |until| until.to_string());
        view.text("lease until", lease);
        view.number("queries that wait for the tail", server.asking.len() as u64);
        view.number("dirty keys", server.versions.dirty_count() as u64);
    });
    let next = server.configuration().successor(server.member()).filter(|_| server.part() == Part::Serving);
    view.links(
        "next in the chain",
        next.map(|next| Link { to: next.node, kind: "next", weight: Weight::Strong }),
    );
    view.strip("Hist", strip(server, request));
    view.group("state", |view| {
        view.number("updates", server.machine().applied().0);
        view.number("registers", server.machine().register_count());
        view.number("clients known", server.machine().session_count());
        view.text("chain", server.machine().chain());
    });
}

fn strip(server: &Server, request: &ViewRequest) -> Strip {
    let history = server.history();
    let available = history.base().next().0..history.last_index().next().0;
    let cells = request.window(available.clone()).filter_map(|index| {
        let entry = history.get(Index(index))?;
        Some(Cell { index, epoch: server.epoch().0, label: entry.to_string() })
    });
    let marks = vec![("state alone", history.base().0), ("acknowledged", server.acknowledged().0)];
    Strip { available, cells: cells.collect(), marks }
}

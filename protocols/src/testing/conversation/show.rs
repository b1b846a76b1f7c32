//! Commands that show something and change nothing.

use sim_core::NodeId;
use sim_core::Simulation;
use sim_core::disk::RegionKind;
use sim_core::view::{Content as Shown, Part, RowWindow, Strip, Table, ViewRequest};

use super::Conversation;
use super::arguments::Arguments;
use super::stage::{Stage, timer_name};

impl<P: Conversation> Stage<P> {
    /// Performs a command that shows something.
    pub(super) fn show(&self, name: &str, arguments: &mut Arguments) -> Result<Vec<String>, String> {
        match name {
            "state" => Ok(self.each(&self.nodes_or_all(arguments)?, Self::state)),
            "log" => Ok(self.each(&self.nodes_or_all(arguments)?, Self::logs)),
            "timers" => Ok(self.each(&self.nodes_or_all(arguments)?, Self::timers)),
            "view" => {
                let node = self.node(arguments)?;
                self.view(node, &arguments.rest())
            }
            "in-flight" => self.in_flight(arguments),
            "replies" => Ok(or_nothing(self.replies())),
            _ => Err(format!("`{name}` is no command")),
        }
    }

    fn each(&self, nodes: &[NodeId], show: fn(&Self, NodeId) -> Vec<String>) -> Vec<String> {
        nodes.iter().flat_map(|node| show(self, *node)).collect()
    }

    fn state(&self, node: NodeId) -> Vec<String> {
        let state = self.world.process(node).map_or_else(|| "is down".to_owned(), P::summary);
        vec![format!("  {node} {state}")]
    }

    fn parts(&self, node: NodeId) -> Vec<Part> {
        Simulation::view(&self.world, node, &ViewRequest { rows: RowWindow::Last(1_000) })
    }

    /// The log strips of a node.
    fn logs(&self, node: NodeId) -> Vec<String> {
        let parts = self.parts(node);
        let strips = parts.iter().filter_map(|part| match &part.content {
            Shown::Strip(strip) => Some(format!("  {node} {}: {}", part.name, log_line(strip))),
            Shown::Text(_) | Shown::Number(_) | Shown::Group(_) | Shown::Table(_) | Shown::Links(_) => None,
        });
        let lines: Vec<String> = strips.collect();
        if lines.is_empty() { vec![format!("  {node} is down")] } else { lines }
    }

    fn timers(&self, node: NodeId) -> Vec<String> {
        let now = self.world.now();
        let prospects = self.world.prospects();
        let of_node = prospects.iter().filter(|prospect| prospect.choice.to == node.into());
        let armed = of_node.filter_map(|prospect| {
            let name = timer_name::<P>(prospect.content.timer()?);
            let when = prospect.due.since(now);
            Some(if when.is_zero() {
                format!("  {node}: {name} is due")
            } else {
                format!("  {node}: {name} in {when}")
            })
        });
        armed.collect()
    }

    /// All of a node's view, or the part with a name, wherever it stands.
    fn view(&self, node: NodeId, name: &str) -> Result<Vec<String>, String> {
        let parts = self.parts(node);
        let mut lines = Vec::new();
        if name.is_empty() {
            for part in &parts {
                write_part(part, 1, &mut lines);
            }
        } else {
            let part = find(&parts, name).ok_or_else(|| format!("{node} shows no `{name}`"))?;
            write_part(part, 1, &mut lines);
        }
        Ok(lines)
    }

    fn in_flight(&self, arguments: &mut Arguments) -> Result<Vec<String>, String> {
        let (from, to) = (self.nodes_or_all(arguments)?, self.nodes_or_all(arguments)?);
        let flying = self.flying(&from, &to);
        let lines = flying.iter().map(|(choice, text)| format!("  {} -> {} {text}", choice.from, choice.to));
        Ok(or_nothing(lines.collect()))
    }

    fn replies(&self) -> Vec<String> {
        self.answers.iter().map(|(op, node, outcome)| format!("  {op} from {node}: {outcome}")).collect()
    }

    /// What a node's disk holds, durable or not.
    pub(super) fn show_disk(&self, node: NodeId) -> Vec<String> {
        let Some(disk) = self.world.nodes().disk(node) else { return or_nothing(Vec::new()) };
        let regions = disk.regions().map(|(region, kind)| {
            let bounds = match kind {
                RegionKind::Log => {
                    let entries = disk.log_bounds(region);
                    format!(" {}..{}", entries.start, entries.end)
                }
                RegionKind::Cell | RegionKind::Blob => String::new(),
            };
            let (name, unsynced) = (P::region_on(&self.config, node, region), disk.unsynced(region));
            let kind = format!("{kind:?}").to_lowercase();
            format!("  {node} {name}: {kind}{bounds}, {unsynced} writes not synced")
        });
        or_nothing(regions.collect())
    }
}

fn or_nothing(lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() { vec!["  nothing".to_owned()] } else { lines }
}

fn find<'a>(parts: &'a [Part], name: &str) -> Option<&'a Part> {
    parts.iter().find_map(|part| match &part.content {
        _ if part.name == name => Some(part),
        Shown::Group(inner) => find(inner, name),
        Shown::Text(_) | Shown::Number(_) | Shown::Strip(_) | Shown::Table(_) | Shown::Links(_) => None,
    })
}

/// `1:t1 noop, 2:t1 write k1=7 (commit 1, durable 2)`.
fn log_line(strip: &Strip) -> String {
    let cells = strip.cells.iter().map(|cell| format!("{}@{} {}", cell.index, cell.epoch, cell.label));
    // A log that was never compacted need not say so.
    let marks = strip.marks.iter().filter(|(name, index)| *name != "snapshot" || *index > 0);
    let marks = marks.map(|(name, index)| format!("{name} {index}"));
    let cells: Vec<String> = cells.collect();
    let entries = if cells.is_empty() { "empty".to_owned() } else { cells.join(", ") };
    format!("{entries} ({})", marks.collect::<Vec<_>>().join(", "))
}

fn write_part(part: &Part, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match &part.content {
        Shown::Text(text) => lines.push(format!("{indent}{}: {text}", part.name)),
        Shown::Number(number) => lines.push(format!("{indent}{}: {number}", part.name)),
        Shown::Strip(strip) => lines.push(format!("{indent}{}: {}", part.name, log_line(strip))),
        Shown::Links(all) => lines.push(format!("{indent}{}: {all}", part.name)),
        Shown::Group(parts) => {
            lines.push(format!("{indent}{}", part.name));
            for part in parts {
                write_part(part, depth + 1, lines);
            }
        }
        Shown::Table(table) => {
            lines.push(format!("{indent}{}", part.name));
            lines.extend(rows(table).into_iter().map(|row| format!("{indent}  {row}")));
        }
    }
}

/// A row a line, each field after its column's head.
fn rows(table: &Table) -> Vec<String> {
    let row = |texts: &Vec<String>| {
        let fields = table.columns.iter().zip(texts).map(|(column, text)| format!("{column} {text}"));
        fields.collect::<Vec<_>>().join(", ")
    };
    or_nothing(table.rows.iter().map(row).collect()).into_iter().map(|line| line.trim().to_owned()).collect()
}

//! Dependencies as a tree of lines. A node is expanded once; where it appears again, the line says so.

use std::collections::{HashMap, HashSet};

use crate::base::text::{safe_line, truncate, width};
use crate::model::graph::{DependencyGraph, Direction, Path, Subgraph};
use crate::ui::style;

/// Depth from which on lines are not indented further: a chain may be as long as the inventory.
const DEEPEST: usize = 24;

/// Neighbours of a node: each once, with all verbs.
struct Neighbour<'a> {
    node: usize,
    verbs: Vec<&'a str>,
    is_inferred: bool,
}

/// A node that is waiting to be written.
struct Item<'a> {
    node: usize,
    /// Verbs of the dependency that led to it.
    edge: Option<Neighbour<'a>>,
    depth: usize,
    /// Its parent has no further node.
    is_last: bool,
}

/// Returns the lines of a part of the graph, from its starts; of a whole graph, from the nodes that nothing
/// depends on.
pub(super) fn lines(graph: &DependencyGraph<'_>, part: &Subgraph<'_>, columns: Option<usize>) -> Vec<String> {
    let mut tree = DependencyTree::new(graph, part);
    let mut lines = Vec::new();
    for root in tree.roots() {
        if part.starts == 0 && !lines.is_empty() {
            lines.push(String::new());
        }
        tree.write(root, columns, &mut lines);
    }
    lines
}

/// Returns the nodes without any edge.
pub(super) fn without_edges(part: &Subgraph<'_>) -> Vec<usize> {
    let mut is_used: HashSet<usize> = HashSet::new();
    for (from, to, _) in &part.edges {
        is_used.extend([from, to]);
    }
    part.nodes.iter().copied().filter(|at| !is_used.contains(at)).collect()
}

/// State of a node in the depth-first walk.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    /// Its lines are being written: another mention closes a cycle.
    Open,
    /// Its lines are written.
    Written,
}

struct DependencyTree<'g, 'a> {
    graph: &'g DependencyGraph<'a>,
    part: &'g Subgraph<'a>,
    /// Neighbours of the nodes that are not written yet.
    neighbours: HashMap<usize, Vec<Neighbour<'a>>>,
    /// Nodes that have neighbours.
    inner: HashSet<usize>,
    states: HashMap<usize, State>,
}

impl<'g, 'a> DependencyTree<'g, 'a> {
    fn new(graph: &'g DependencyGraph<'a>, part: &'g Subgraph<'a>) -> Self {
        let mut neighbours: HashMap<usize, Vec<Neighbour<'a>>> = HashMap::new();
        let mut places: HashMap<(usize, usize), usize> = HashMap::new();
        for (from, to, edge) in &part.edges {
            let (at, next) =
                if part.direction == Direction::Dependencies { (*from, *to) } else { (*to, *from) };
            let list = neighbours.entry(at).or_default();
            let place = *places.entry((at, next)).or_insert_with(|| {
                list.push(Neighbour { node: next, verbs: Vec::new(), is_inferred: true });
                list.len() - 1
            });
            if !list[place].verbs.contains(&edge.verb) {
                list[place].verbs.push(edge.verb);
            }
            list[place].is_inferred &= edge.inferred;
        }
        let inner = neighbours.keys().copied().collect();
        Self { graph, part, neighbours, inner, states: HashMap::new() }
    }

    /// Returns the nodes to begin with: the starts; of a whole graph, those without dependents, and one of each
    /// cycle that nothing else leads to.
    fn roots(&self) -> Vec<usize> {
        if self.part.starts > 0 {
            return self.part.nodes[..self.part.starts].to_vec();
        }
        let targets: HashSet<usize> = self.part.edges.iter().map(|(_, to, _)| *to).collect();
        let begins = |at: &usize| !targets.contains(at) && self.neighbours.contains_key(at);
        let mut roots: Vec<usize> = self.part.nodes.iter().copied().filter(begins).collect();
        let mut reached: HashSet<usize> = HashSet::new();
        let mut visit = |root: usize| {
            let mut waiting = vec![root];
            let is_new = reached.insert(root);
            while let Some(at) = waiting.pop() {
                for next in self.neighbours.get(&at).into_iter().flatten() {
                    if reached.insert(next.node) {
                        waiting.push(next.node);
                    }
                }
            }
            is_new
        };
        roots.iter().for_each(|root| {
            visit(*root);
        });
        for group in &self.part.cycles {
            if visit(group[0]) {
                roots.push(group[0]);
            }
        }
        roots
    }

    fn write(&mut self, root: usize, columns: Option<usize>, lines: &mut Vec<String>) {
        enum Step<'a> {
            Enter(Item<'a>),
            Leave(usize),
        }
        // Whether the node at each depth is the last of its parent.
        let mut bars: Vec<bool> = Vec::new();
        let mut steps = vec![Step::Enter(Item { node: root, edge: None, depth: 0, is_last: true })];
        while let Some(step) = steps.pop() {
            let item = match step {
                Step::Leave(node) => {
                    self.states.insert(node, State::Written);
                    continue;
                }
                Step::Enter(item) => item,
            };
            bars.truncate(item.depth);
            bars.push(item.is_last);
            let state = self.states.get(&item.node).copied();
            lines.push(self.line(&item, &bars, state, columns));
            if state.is_some() {
                continue;
            }
            self.states.insert(item.node, State::Open);
            steps.push(Step::Leave(item.node));
            let below = self.neighbours.remove(&item.node).unwrap_or_default();
            let count = below.len();
            let items = below.into_iter().enumerate().map(|(at, edge)| {
                let (node, depth, is_last) = (edge.node, item.depth + 1, at + 1 == count);
                Step::Enter(Item { node, edge: Some(edge), depth, is_last })
            });
            steps.extend(items.collect::<Vec<_>>().into_iter().rev());
        }
    }

    fn line(&self, item: &Item<'_>, bars: &[bool], state: Option<State>, columns: Option<usize>) -> String {
        let node = self.graph.node(item.node);
        let name = node.name();
        let mut notes = Vec::new();
        if node.is_missing() {
            notes.push("missing");
        }
        if item.edge.as_ref().is_some_and(|edge| edge.is_inferred) {
            notes.push("inferred");
        }
        match state {
            Some(State::Open) => notes.push("cycle"),
            // Nothing is left out below a node without neighbours.
            Some(State::Written) if self.inner.contains(&item.node) => notes.push("shown above"),
            Some(State::Written) | None => {}
        }
        let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join(", ")) };
        let lead = lead(bars);
        let verbs = item.edge.as_ref().map(|edge| safe_line(&edge.verbs.join(", ")).into_owned());
        let verbs = verbs.unwrap_or_default();
        let is_forward = self.part.direction == Direction::Dependencies;
        let mut line = match (verbs.is_empty(), is_forward) {
            (true, _) => format!("{lead}{}", style::name(&name)),
            (false, true) => format!("{lead}{verbs} {}", style::name(&name)),
            (false, false) => format!("{lead}{} {verbs}", style::name(&name)),
        };
        let is_missing = node.is_missing();
        line += &if is_missing { style::warn(&notes) } else { style::dim(&notes) };
        let used =
            width(&lead) + width(&verbs) + usize::from(!verbs.is_empty()) + width(&name) + width(&notes);
        let description = node.component.and_then(|one| one.description.as_deref()).unwrap_or_default();
        let description = description.lines().next().unwrap_or_default();
        let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(used + 2));
        if state.is_none() && !description.is_empty() && room >= 16 {
            line += &style::dim(&format!("  {}", truncate(&safe_line(description), room)));
        }
        line
    }
}

/// Returns the lines in front of a node, given whether the node at each depth is the last of its parent.
fn lead(bars: &[bool]) -> String {
    let depth = bars.len() - 1;
    let mut lead = String::new();
    let (skipped, from) = if depth > DEEPEST { (depth - DEEPEST, depth - DEEPEST + 1) } else { (0, 1) };
    if skipped > 0 {
        lead = format!("+{skipped} ");
    }
    for (at, is_last) in bars.iter().enumerate().skip(from) {
        lead += match (at == depth, is_last) {
            (true, true) => "└─ ",
            (true, false) => "├─ ",
            (false, true) => "   ",
            (false, false) => "│  ",
        };
    }
    lead
}

/// Returns the lines of a connection: a node on each line, with the dependency that leads to it.
pub(super) fn path(graph: &DependencyGraph<'_>, path: &Path<'_>) -> Vec<String> {
    let name = |at: usize| {
        let node = graph.node(at);
        let note = if node.is_missing() { style::warn(" (missing)") } else { String::new() };
        format!("{}{note}", style::name(&node.name()))
    };
    let mut lines = vec![name(path.start)];
    for step in &path.steps {
        let verb = safe_line(step.edge.verb);
        let note = if step.edge.inferred { style::dim(" (inferred)") } else { String::new() };
        lines.push(match step.is_reverse {
            false => format!("  ↓ {verb}{note}"),
            true => format!("  ↑ {verb}{note}"),
        });
        lines.push(name(step.node));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::GraphQuery;
    use crate::model::inventory::{Inventory, InventoryDocument};

    fn lines_of(count: usize, targets: impl Fn(usize) -> Vec<usize>) -> Vec<String> {
        let mut text = "components:\n".to_owned();
        for at in 0..count {
            let targets = targets(at);
            let targets = targets.iter().map(|to| format!("{{verb: uses, target: c/n{to}}}"));
            let targets: Vec<String> = targets.collect();
            text += &format!("- {{category: c, name: n{at}, dependencies: [{}]}}\n", targets.join(", "));
        }
        let document = InventoryDocument { file: "i.yaml".into(), text: text.into(), reference: None };
        let inventory = Inventory::read("here", vec![document]).expect("reads");
        let graph = DependencyGraph::new(&inventory);
        let start = graph.find(&crate::model::reference::Reference::new("c", "n0")).expect("is there");
        lines(&graph, &graph.select(&GraphQuery { starts: vec![start], ..GraphQuery::default() }), None)
    }

    #[test]
    fn tree_of_a_long_chain_has_bounded_lines() {
        let lines = lines_of(20_000, |at| if at + 1 < 20_000 { vec![at + 1] } else { Vec::new() });
        assert_eq!(lines.len(), 20_000);
        let longest = lines.iter().map(|line| line.chars().count()).max();
        assert!(longest.is_some_and(|longest| longest < 120), "{longest:?}");
        assert!(lines[19_999].contains("+19975 "), "{}", lines[19_999]);
    }

    #[test]
    fn tree_of_diamonds_shows_each_node_once() {
        // 2^60 paths lead from the first node to the last.
        let lines = lines_of(181, |at| match at % 3 {
            _ if at == 180 => Vec::new(),
            0 => vec![at + 1, at + 2],
            1 => vec![at + 2],
            _ => vec![at + 1],
        });
        assert_eq!(lines.len(), 241, "one line per dependency, and one for the start");
    }
}

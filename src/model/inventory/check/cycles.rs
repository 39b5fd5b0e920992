//! The rule about entries that depend on each other. A group of them may have any number of cycles; the check shows
//! a shortest one through its first entry.

use std::collections::VecDeque;

use super::findings::Findings;
use super::rule::Rule;
use crate::model::graph::{DependencyGraph, GraphQuery, Subgraph};
use crate::model::inventory::{Component, Inventory};
use crate::model::reference::Reference;

/// Maximum number of entries that a message names.
const LONGEST: usize = 12;

pub(super) fn check(findings: &mut Findings<'_>) {
    let inventory = findings.inventory;
    let graph = DependencyGraph::new(inventory);
    let all = graph.select(&GraphQuery::default());
    let mut search = CycleSearch::new(&all, graph.node_count());
    for (number, group) in all.cycles.iter().enumerate() {
        let cycle = search.shortest(number, group);
        let names: Vec<&Reference> = cycle.iter().map(|at| &graph.node(*at).reference).collect();
        let (Some(component), Some(next)) = (graph.node(cycle[0]).component, names.get(1)) else { continue };
        let told = (told(&names), "remove one of these dependencies, or turn it around".to_owned());
        findings.of_entry(Rule::DependencyCycle, component, &part_of(inventory, component, next), told);
    }
}

fn told(names: &[&Reference]) -> String {
    let name = |one: &&Reference| format!("`{one}`");
    let path: Vec<String> = match names.len() {
        0..=LONGEST => names.iter().map(name).collect(),
        all => {
            let (first, last) = (&names[..LONGEST - 2], &names[all - 1..]);
            let between = format!("… {} more …", all - LONGEST + 1);
            first.iter().map(name).chain([between]).chain(last.iter().map(name)).collect()
        }
    };
    format!("entries depend on each other: {}", path.join(" → "))
}

/// Returns the part of an entry that makes it depend on another one.
fn part_of(inventory: &Inventory, component: &Component, next: &Reference) -> String {
    if let Some(index) = component.dependencies.iter().position(|one| one.target == *next) {
        return format!("dependencies.{index}.target");
    }
    if component.infrastructure_reference().as_ref() == Some(next) {
        return "infrastructure".to_owned();
    }
    let mut needs = component.run.iter().flat_map(|run| &run.needs);
    let is_next = |name: &str| inventory.get_by_name(name).is_some_and(|one| one.reference == *next);
    needs.position(|need| is_next(&need.name)).map_or_else(String::new, |index| format!("run.needs.{index}"))
}

/// Search for cycles within groups. It visits each dependency within a group at most once.
struct CycleSearch<'a, 'b> {
    /// Dependencies of the whole graph, sorted by dependent.
    all: &'a Subgraph<'b>,
    /// Index of the first dependency of each node, and one more.
    starts: Vec<usize>,
    /// Group of each node.
    group: Vec<usize>,
    /// Node before each node on the way from the first one of its group.
    before: Vec<usize>,
}

const NONE: usize = usize::MAX;

impl<'a, 'b> CycleSearch<'a, 'b> {
    fn new(all: &'a Subgraph<'b>, nodes: usize) -> Self {
        let mut starts = vec![0; nodes + 1];
        for (from, ..) in &all.edges {
            starts[from + 1] += 1;
        }
        for at in 0..nodes {
            starts[at + 1] += starts[at];
        }
        let mut group = vec![NONE; nodes];
        for (number, members) in all.cycles.iter().enumerate() {
            members.iter().for_each(|at| group[*at] = number);
        }
        Self { all, starts, group, before: vec![NONE; nodes] }
    }

    /// Returns a shortest cycle through the first node of a group, which begins and ends with it.
    fn shortest(&mut self, number: usize, members: &[usize]) -> Vec<usize> {
        let first = members[0];
        let mut waiting = VecDeque::from([first]);
        'search: while let Some(at) = waiting.pop_front() {
            for (_, to, _) in &self.all.edges[self.starts[at]..self.starts[at + 1]] {
                if self.group[*to] != number || self.before[*to] != NONE {
                    continue;
                }
                self.before[*to] = at;
                if *to == first {
                    break 'search;
                }
                waiting.push_back(*to);
            }
        }
        let mut cycle = vec![first];
        let mut at = self.before[first];
        while at != first && at != NONE {
            cycle.push(at);
            at = self.before[at];
        }
        cycle.push(first);
        cycle.reverse();
        cycle
    }
}

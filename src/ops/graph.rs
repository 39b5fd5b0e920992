//! `cki graph`: the part of the dependencies that was asked for, or how two components are connected. The graph
//! itself is in `model`, its drawing in `report`.

use std::collections::HashSet;

use crate::base::text::{join_some, nearest};
use crate::model::graph::{DependencyGraph, Direction, GraphQuery, Path, Subgraph};
use crate::model::inventory::{ChoiceError, Inventory, LookupError, NamedEntry, is_selector};
use crate::model::reference::Reference;

/// Dependencies to look at.
#[derive(Debug, Clone, Default)]
pub struct GraphRequest {
    /// Components and selectors as typed; without any, the whole inventory.
    pub components: Vec<String>,
    /// Follow dependents instead of dependencies.
    pub is_reverse: bool,
    /// Maximum distance.
    pub depth: Option<usize>,
    /// Verbs to follow; without any, all.
    pub verbs: Vec<String>,
}

/// Dependencies that were found.
#[derive(Debug)]
pub enum GraphOutcome<'a> {
    /// A part of the graph.
    Part(Subgraph<'a>),
    /// The connection of two components.
    Connection(Path<'a>),
}

/// A request that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// No component, or several, match.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The selectors match nothing.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// No dependency has the verb.
    #[error("no dependency in the inventory has the verb `{verb}`; there is {known}")]
    Verb {
        /// The verb.
        verb: String,
        /// Existing verbs, as part of a sentence.
        known: String,
        /// Nearest verbs.
        nearest: Vec<String>,
    },
    /// The backing service is in no entry.
    #[error("no component needs the backing service `{service}`")]
    Unneeded {
        /// The service.
        service: String,
    },
    /// Two components are not connected.
    #[error(
        "`{from}` and `{to}` are not connected: neither depends on the other, nor do chains of dependencies connect them"
    )]
    NotConnected {
        /// First component.
        from: String,
        /// Second component.
        to: String,
    },
}

/// Answers a request: of two named components, by the shortest connection; else by a part of the graph.
///
/// # Errors
/// Fails when a component or a verb does not exist, or two components are not connected.
pub fn graph<'a>(
    graph: &DependencyGraph<'a>,
    inventory: &Inventory,
    request: &GraphRequest,
) -> Result<GraphOutcome<'a>, GraphError> {
    check_verbs(graph, &request.verbs)?;
    let (selectors, names): (Vec<String>, Vec<String>) =
        request.components.iter().cloned().partition(|word| is_selector(word));
    let mut starts = Vec::with_capacity(request.components.len());
    for typed in &names {
        starts.push(find(graph, inventory, typed)?);
    }
    if !selectors.is_empty() {
        let mut seen: HashSet<usize> = starts.iter().copied().collect();
        let chosen = inventory.choose(&selectors)?;
        let nodes = chosen.into_iter().filter_map(|component| graph.find(&component.reference));
        starts.extend(nodes.filter(|at| seen.insert(*at)));
    } else if let [from, to] = starts.as_slice() {
        let name = |at: &usize| graph.node(*at).name();
        let path = graph.path(*from, *to, &request.verbs);
        let path = path.ok_or_else(|| GraphError::NotConnected { from: name(from), to: name(to) })?;
        return Ok(GraphOutcome::Connection(path));
    }
    let direction = if request.is_reverse { Direction::Dependents } else { Direction::Dependencies };
    let query = GraphQuery { starts, direction, depth: request.depth, verbs: request.verbs.clone() };
    Ok(GraphOutcome::Part(graph.select(&query)))
}

/// Finds the node that a user typed: a component, a backing service, or a missing target by its full name.
fn find(graph: &DependencyGraph<'_>, inventory: &Inventory, typed: &str) -> Result<usize, GraphError> {
    let missing = Reference::parse(typed.trim()).and_then(|reference| graph.find(&reference));
    if let Some(at) = missing {
        return Ok(at);
    }
    match inventory.find_entry(typed)? {
        // Each component of the inventory is a node.
        NamedEntry::Component(component) => Ok(graph.find(&component.reference).unwrap_or_default()),
        NamedEntry::Service(service) => graph
            .find_service(service)
            .ok_or_else(|| GraphError::Unneeded { service: inventory.service_query(service) }),
    }
}

fn check_verbs(graph: &DependencyGraph<'_>, verbs: &[String]) -> Result<(), GraphError> {
    let known = graph.verbs();
    match verbs.iter().find(|verb| !known.contains(&verb.as_str())) {
        None => Ok(()),
        Some(verb) => Err(GraphError::Verb {
            verb: verb.clone(),
            nearest: nearest(verb, known.iter().copied()).into_iter().map(str::to_owned).collect(),
            known: match known.is_empty() {
                true => "none at all".to_owned(),
                false => join_some(known.iter().map(|one| format!("`{one}`"))),
            },
        }),
    }
}

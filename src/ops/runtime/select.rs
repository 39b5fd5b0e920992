//! Selects instances by the user's query.

use super::error::InstanceError;
use super::list::{FoundInstances, InstanceSummary, is_run};
use crate::model::identity::Role;
use crate::model::inventory::SERVICE;

/// The kind of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The name or reference of a component.
    Component,
    /// A prefix of a run's ID.
    Run,
    /// The name of a backing service.
    Name,
}

impl By {
    fn finds(self, one: &InstanceSummary, query: &str) -> bool {
        if let Some(service) = query.strip_prefix(SERVICE) {
            return self == Self::Name && one.identity.role == Role::Service && one.identity.name == service;
        }
        match self {
            Self::Component => {
                let component = one.identity.component.as_str();
                component == query || component.rsplit('/').next() == Some(query)
            }
            Self::Run => is_run(one.identity.run.as_str(), query),
            Self::Name => one.identity.name == query,
        }
    }
}

fn find<'a>(
    listing: &'a FoundInstances,
    query: &str,
) -> Result<(By, Vec<&'a InstanceSummary>), InstanceError> {
    let matches = |all: &'a [InstanceSummary], by: By| -> Vec<&'a InstanceSummary> {
        all.iter().filter(|one| by.finds(one, query)).collect()
    };
    for by in [By::Component, By::Run, By::Name] {
        let found = match by {
            // A run's ID is unique on the engine, whatever the inventory.
            By::Run => [matches(&listing.instances, by), matches(&listing.others, by)].concat(),
            By::Component | By::Name => matches(&listing.instances, by),
        };
        if !found.is_empty() {
            return Ok((by, found));
        }
    }
    let mut running: Vec<String> =
        listing.instances.iter().map(|one| one.identity.component.clone()).collect();
    running.sort();
    running.dedup();
    let others = [By::Component, By::Name].into_iter().flat_map(|by| matches(&listing.others, by));
    let mut elsewhere: Vec<String> = others.map(|one| one.identity.run.to_string()).collect();
    elsewhere.sort();
    elsewhere.dedup();
    Err(InstanceError::NotRunning { query: query.to_owned(), running, elsewhere })
}

/// Returns the selected instances: a component by its name or reference, a backing service by its name,
/// or a run by a prefix of its ID.
///
/// # Errors
/// Fails when nothing matches.
pub fn select<'a>(
    listing: &'a FoundInstances,
    query: &str,
) -> Result<Vec<&'a InstanceSummary>, InstanceError> {
    find(listing, query).map(|(_, found)| found)
}

/// Returns the one selected instance: the component itself if several parts of its run match.
///
/// # Errors
/// Fails when nothing, or several runs, match.
pub fn select_one<'a>(
    listing: &'a FoundInstances,
    query: &str,
) -> Result<&'a InstanceSummary, InstanceError> {
    let (_, found) = find(listing, query)?;
    let name = query.strip_prefix(SERVICE).unwrap_or(query);
    let main: Vec<&InstanceSummary> = found
        .iter()
        .copied()
        .filter(|one| one.identity.name == name || one.identity.role == Role::Component)
        .collect();
    match main.as_slice() {
        [one] => Ok(one),
        [] => Ok(found[0]),
        many => Err(InstanceError::Several {
            query: query.to_owned(),
            runs: many.iter().map(|one| one.identity.run.to_string()).collect(),
        }),
    }
}

/// Returns the instances whose output is selected: a run selects all its parts, a name one instance, and
/// no query all instances of the listing's scope. Each appears once, in the order of their start.
///
/// # Errors
/// Fails when a query matches nothing, or several runs.
pub(in crate::ops) fn select_outputs<'a>(
    listing: &'a FoundInstances,
    queries: &[String],
) -> Result<Vec<&'a InstanceSummary>, InstanceError> {
    let mut chosen: Vec<&InstanceSummary> = Vec::new();
    for query in queries {
        match find(listing, query)? {
            (By::Run, found) => chosen.extend(found),
            _ => chosen.push(select_one(listing, query)?),
        }
    }
    if queries.is_empty() {
        return Ok(listing.instances.iter().collect());
    }
    let is_chosen = |one: &&InstanceSummary| chosen.iter().any(|known| known.is(one));
    Ok(listing.instances.iter().chain(&listing.others).filter(is_chosen).collect())
}

/// Returns whether the queries select an instance that started later.
pub(in crate::ops) fn matches_query(one: &InstanceSummary, queries: &[String]) -> bool {
    let by_name = |query: &String| {
        By::Name.finds(one, query)
            || (By::Component.finds(one, query) && one.identity.role == Role::Component)
            || By::Run.finds(one, query)
    };
    queries.is_empty() || queries.iter().any(by_name)
}

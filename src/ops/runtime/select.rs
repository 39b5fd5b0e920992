//! Selects instances by the user's query.

use super::error::InstanceError;
use super::list::InstanceSummary;
use crate::model::identity::Role;

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
        match self {
            Self::Component => {
                let component = one.identity.component.as_str();
                component == query || component.rsplit('/').next() == Some(query)
            }
            Self::Run => query.len() >= 4 && one.identity.run.as_str().starts_with(query),
            Self::Name => one.identity.name == query,
        }
    }
}

fn find<'a>(
    all: &'a [InstanceSummary],
    query: &str,
) -> Result<(By, Vec<&'a InstanceSummary>), InstanceError> {
    for by in [By::Component, By::Run, By::Name] {
        let found: Vec<&InstanceSummary> = all.iter().filter(|one| by.finds(one, query)).collect();
        if !found.is_empty() {
            return Ok((by, found));
        }
    }
    let mut running: Vec<String> = all.iter().map(|one| one.identity.component.clone()).collect();
    running.sort();
    running.dedup();
    Err(InstanceError::NotRunning { query: query.to_owned(), running })
}

/// Returns the selected instances: a component by its name or reference, a backing service by its name,
/// or a run by a prefix of its ID.
///
/// # Errors
/// Fails when nothing matches.
pub fn select<'a>(
    all: &'a [InstanceSummary],
    query: &str,
) -> Result<Vec<&'a InstanceSummary>, InstanceError> {
    find(all, query).map(|(_, found)| found)
}

/// Returns the one selected instance: the component itself if several parts of its run match.
///
/// # Errors
/// Fails when nothing, or several runs, match.
pub fn select_one<'a>(all: &'a [InstanceSummary], query: &str) -> Result<&'a InstanceSummary, InstanceError> {
    let (_, found) = find(all, query)?;
    let main: Vec<&InstanceSummary> = found
        .iter()
        .copied()
        .filter(|one| one.identity.name == query || one.identity.role == Role::Component)
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
/// no query all instances. Each appears once, in the order of `all`.
///
/// # Errors
/// Fails when a query matches nothing, or several runs.
pub(in crate::ops) fn select_outputs<'a>(
    all: &'a [InstanceSummary],
    queries: &[String],
) -> Result<Vec<&'a InstanceSummary>, InstanceError> {
    let mut chosen: Vec<&InstanceSummary> = Vec::new();
    for query in queries {
        match find(all, query)? {
            (By::Run, found) => chosen.extend(found),
            _ => chosen.push(select_one(all, query)?),
        }
    }
    let is_chosen = |one: &InstanceSummary| queries.is_empty() || chosen.iter().any(|known| known.is(one));
    Ok(all.iter().filter(|one| is_chosen(one)).collect())
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

//! The owner of a path or a finding: the entry whose sources have it, or the repository in the head.

use super::super::findings::Findings;
use super::super::rule::Rule;
use super::RepositoryFacts;
use crate::model::inventory::Component;

/// Returns whether a path is a directory, or something in it.
pub(super) fn is_within(path: &str, directory: &str) -> bool {
    let directory = directory.trim_start_matches("./").trim_matches('/');
    matches!(directory, "" | ".")
        || path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns the paths of a component's sources in a repository.
pub(super) fn sources_in<'a>(
    component: &'a Component,
    repository: &'a RepositoryFacts,
) -> impl Iterator<Item = &'a str> {
    let own = component.sources.iter().filter(|source| repository.names.contains(&source.repo));
    own.map(|source| source.path.as_deref().unwrap_or_default())
}

/// Adds a finding about a repository: at its address in the head, or else at a part of an entry that uses it.
pub(super) fn of_repository(
    findings: &mut Findings<'_>,
    rule: Rule,
    repository: &RepositoryFacts,
    (user, part): (&Component, &str),
    told: (String, String),
) {
    let repos = &findings.inventory.repos;
    match repository.names.iter().find(|name| repos.contains_key(*name)) {
        Some(name) => findings.of_head(rule, &format!("repos.{name}"), told),
        None => findings.of_entry(rule, user, part, told),
    }
}

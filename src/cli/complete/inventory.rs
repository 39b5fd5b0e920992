//! Candidates from the inventory: components, and the values by which `cki list` filters.

use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;

use clap_complete::CompletionCandidate;

use super::candidate::candidate;
use super::typed::TypedLine;
use crate::model::inventory::{Component, Inventory, SERVICE};
use crate::model::reference::is_name;
use crate::ops::list::SERVICES;

/// Returns the components and backing services that `cki run-local` can run.
pub(in crate::cli) fn runnable() -> Vec<CompletionCandidate> {
    entries_that(Component::is_runnable)
}

/// Returns all components and backing services.
pub(in crate::cli) fn entries() -> Vec<CompletionCandidate> {
    entries_that(|_| true)
}

/// Returns the components that `cki build` can build.
pub(in crate::cli) fn buildable() -> Vec<CompletionCandidate> {
    components_that(|component| component.build.is_some())
}

/// Returns the components that have a repository.
pub(in crate::cli) fn cloneable() -> Vec<CompletionCandidate> {
    components_that(|component| !component.repos().is_empty())
}

/// Returns the components with settings of staging.
pub(in crate::cli) fn staged() -> Vec<CompletionCandidate> {
    components_that(|component| component.stage.is_some())
}

fn components_that(is_wanted: fn(&Component) -> bool) -> Vec<CompletionCandidate> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    typed.inventory().map(|inventory| named(typed, inventory, is_wanted)).unwrap_or_default()
}

fn entries_that(is_wanted: fn(&Component) -> bool) -> Vec<CompletionCandidate> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    let Some(inventory) = typed.inventory() else { return Vec::new() };
    let mut all = named(typed, inventory, is_wanted);
    all.extend(services(typed, inventory));
    all
}

/// Returns the backing services that are not typed yet, by the texts that name them.
fn services(typed: &TypedLine, inventory: &Inventory) -> Vec<CompletionCandidate> {
    let given = typed.names();
    let queries = inventory.backing_services.iter().map(|name| (name, inventory.service_query(name)));
    let free = queries.filter(|(name, query)| {
        !given.contains(query.as_str()) && !given.contains(format!("{SERVICE}{name}").as_str())
    });
    free.map(|(_, query)| candidate(query, Some("Backing service")).tag(Some("services".into()))).collect()
}

/// Returns components that are not typed yet: by their names, or by their references where several share a name.
pub(super) fn named(
    typed: &TypedLine,
    inventory: &Inventory,
    is_wanted: fn(&Component) -> bool,
) -> Vec<CompletionCandidate> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for component in &inventory.components {
        *count.entry(component.name()).or_default() += 1;
    }
    let given = typed.names();
    let is_free = |one: &&Component| {
        !given.contains(one.name())
            && (given.is_empty() || !given.contains(one.reference.to_string().as_str()))
    };
    let wanted = inventory.components.iter().filter(|one| is_wanted(one)).filter(is_free);
    wanted
        .map(|one| {
            let help = one.description.as_deref().or(one.kind.as_deref());
            let is_alone = count.get(one.name()) == Some(&1);
            let name = if is_alone { one.name().to_owned() } else { one.reference.to_string() };
            candidate(name, help).tag(Some(one.reference.category.clone().into()))
        })
        .collect()
}

/// Returns the kinds of components.
pub(in crate::cli) fn kinds() -> Vec<CompletionCandidate> {
    distinct("kind")
}

/// Returns the owners of components.
pub(in crate::cli) fn owners() -> Vec<CompletionCandidate> {
    distinct("owner")
}

/// Returns the categories of components.
pub(in crate::cli) fn categories() -> Vec<CompletionCandidate> {
    distinct("category")
}

/// Returns the infrastructures of components.
pub(in crate::cli) fn infrastructures() -> Vec<CompletionCandidate> {
    distinct("infrastructure")
}

/// Returns the words of `cki list`: names, and filters.
pub(in crate::cli) fn list_words(current: &OsStr) -> Vec<CompletionCandidate> {
    const FILTERS: [&str; 4] = ["kind", "owner", "category", "infrastructure"];
    let Some(current) = current.to_str() else { return Vec::new() };
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    let Some(inventory) = typed.inventory() else { return Vec::new() };
    if let Some((key, wanted)) = current.split_once('=') {
        let values = values(inventory, key).into_iter().filter(|value| value.starts_with(wanted));
        return values.map(|value| candidate(format!("{key}={value}"), None)).collect();
    }
    if typed.texts("text").next() == Some(SERVICES) {
        let names = inventory.backing_services.iter().filter(|name| name.starts_with(current));
        return names.map(|name| candidate(name, Some("Backing service"))).collect();
    }
    let kind = candidate(SERVICES, Some("List the backing services"));
    let kind = typed.texts("text").next().is_none().then_some(kind);
    let filters = FILTERS.into_iter().map(|key| candidate(format!("{key}="), Some("Filter")));
    let starts = |one: &CompletionCandidate| one.get_value().to_string_lossy().starts_with(current);
    named(typed, inventory, |_| true).into_iter().chain(kind).chain(filters).filter(starts).collect()
}

fn distinct(key: &str) -> Vec<CompletionCandidate> {
    let inventory = TypedLine::current().and_then(TypedLine::inventory);
    let values = inventory.map(|inventory| values(inventory, key)).unwrap_or_default();
    values.into_iter().map(CompletionCandidate::new).collect()
}

/// Returns the values of a filter: those that are plain names, since they come from elsewhere and go to a shell.
fn values<'a>(inventory: &'a Inventory, key: &str) -> BTreeSet<&'a str> {
    let of = |one: &'a Component| -> Vec<&'a str> {
        match key {
            "kind" => one.kind.as_deref().into_iter().collect(),
            "owner" | "people" => one.people.iter().map(String::as_str).collect(),
            "category" => vec![&one.reference.category],
            "infrastructure" => one.infrastructure.as_deref().into_iter().collect(),
            _ => Vec::new(),
        }
    };
    inventory.components.iter().flat_map(of).filter(|value| is_name(value)).collect()
}

//! Candidates from the inventory: components, and the values by which `cki list` filters.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ffi::OsStr;

use clap_complete::CompletionCandidate;

use super::candidate::candidate;
use super::typed::{EntryNames, TypedLine};
use crate::model::graph::DependencyGraph;
use crate::model::inventory::{ComponentName, Inventory, SERVICE, SelectorKey};
use crate::model::reference::is_name;
use crate::ops::inventory::new;
use crate::ops::list::SERVICES;
use crate::systems::git::without_login;

/// Returns the components and backing services that `cki run-local` can run.
pub(in crate::cli) fn runnable() -> Vec<CompletionCandidate> {
    entries_that(ComponentName::is_runnable)
}

/// Returns all components and backing services.
pub(in crate::cli) fn entries() -> Vec<CompletionCandidate> {
    entries_that(|_| true)
}

/// Returns all components.
pub(in crate::cli) fn components() -> Vec<CompletionCandidate> {
    components_that(|_| true)
}

/// Returns the verbs of dependencies.
pub(in crate::cli) fn verbs() -> Vec<CompletionCandidate> {
    let inventory = TypedLine::current().and_then(TypedLine::inventory);
    let verbs =
        inventory.map(|inventory| DependencyGraph::with_services(inventory).verbs()).unwrap_or_default();
    verbs.into_iter().map(|verb| candidate(verb, None)).collect()
}

/// Returns the components with settings of staging.
pub(in crate::cli) fn staged() -> Vec<CompletionCandidate> {
    components_that(ComponentName::is_staged)
}

fn components_that(is_wanted: fn(&ComponentName) -> bool) -> Vec<CompletionCandidate> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    typed.entry_names().map(|names| components_of(typed, &names, is_wanted)).unwrap_or_default()
}

fn entries_that(is_wanted: fn(&ComponentName) -> bool) -> Vec<CompletionCandidate> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    let Some(names) = typed.entry_names() else { return Vec::new() };
    let mut all = components_of(typed, &names, is_wanted);
    all.extend(services_of(typed, &names));
    all
}

/// Returns the backing services that are not typed yet, by the texts that name them.
fn services_of(typed: &TypedLine, names: &EntryNames) -> Vec<CompletionCandidate> {
    let given = typed.names();
    let is_ambiguous = |service: &str| names.components.iter().any(|component| component.is_named(service));
    let queries = names.services.iter().map(|name| match is_ambiguous(name) {
        true => (name, format!("{SERVICE}{name}")),
        false => (name, name.clone()),
    });
    let free = queries.filter(|(name, query)| {
        !given.contains(query.as_str()) && !given.contains(format!("{SERVICE}{name}").as_str())
    });
    // The longer form may be typed where it is not needed.
    let text = |(name, query): (&String, String)| match typed.current.starts_with(SERVICE) {
        true => format!("{SERVICE}{name}"),
        false => query,
    };
    free.map(text).map(|text| candidate(text, Some("Backing service")).tag(Some("services".into()))).collect()
}

/// Returns components that are not typed yet: by their names, or by their references where several share a name.
fn components_of(
    typed: &TypedLine,
    names: &EntryNames,
    is_wanted: fn(&ComponentName) -> bool,
) -> Vec<CompletionCandidate> {
    let mut count: HashMap<&str, usize> = HashMap::new();
    for component in &names.components {
        *count.entry(component.name).or_default() += 1;
    }
    let given = typed.names();
    let reference = |one: &ComponentName| format!("{}/{}", one.category, one.name);
    let is_free = |one: &&ComponentName| {
        !given.contains(one.name) && (given.is_empty() || !given.contains(reference(one).as_str()))
    };
    let wanted = names.components.iter().filter(|one| is_wanted(one)).filter(is_free);
    wanted
        .filter_map(|one| {
            // A part of a reference is typed by somebody who wants the rest of it.
            let is_named = count.get(one.name) == Some(&1) && !typed.is_reference();
            let name = if is_named { Cow::Borrowed(one.name) } else { Cow::Owned(reference(one)) };
            // The others would be dropped later, and there may be many.
            let tag = || Some(one.category.into());
            typed.may_become(&name).then(|| candidate(name.into_owned(), one.help).tag(tag()))
        })
        .collect()
}

/// Returns the repositories of the inventory that are not typed yet.
pub(in crate::cli) fn repositories() -> Vec<CompletionCandidate> {
    let Some(typed) = TypedLine::current() else { return Vec::new() };
    let Some(inventory) = typed.inventory() else { return Vec::new() };
    let free = inventory.repos.iter().filter(|(name, _)| typed.texts("repo").all(|given| given != *name));
    free.map(|(name, url)| candidate(name, Some(without_login(url).as_str()))).collect()
}

/// Returns the kinds of components.
pub(in crate::cli) fn kinds() -> Vec<CompletionCandidate> {
    distinct("kind")
}

/// Returns the kinds of a new entry.
pub(in crate::cli) fn new_kinds() -> Vec<CompletionCandidate> {
    let inventory = TypedLine::current().and_then(TypedLine::inventory);
    let kinds = inventory.map(new::kinds).unwrap_or_default();
    kinds.into_iter().filter(|kind| is_name(kind)).map(CompletionCandidate::new).collect()
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

/// Returns the words of `cki list`: names, and selectors.
pub(in crate::cli) fn list_words(current: &OsStr) -> Vec<CompletionCandidate> {
    let typed = TypedLine::current();
    if let Some(typed) = typed
        && typed.texts("text").next() == Some(SERVICES)
    {
        let inventory = typed.inventory();
        let names = inventory.map(|inventory| inventory.backing_services.as_slice()).unwrap_or_default();
        return starting(
            names.iter().map(|name| candidate(name, Some("Backing service"))).collect(),
            current,
        );
    }
    let mut names = components();
    if typed.is_some_and(|typed| typed.texts("text").next().is_none()) {
        names.push(candidate(SERVICES, Some("List the backing services")));
    }
    with_selectors(names, current)
}

/// Returns all components and backing services; selectors once their beginning is typed.
pub(in crate::cli) fn entry_words(current: &OsStr) -> Vec<CompletionCandidate> {
    names_or_selectors(entries(), current)
}

/// Returns all components; selectors once their beginning is typed.
pub(in crate::cli) fn component_words(current: &OsStr) -> Vec<CompletionCandidate> {
    names_or_selectors(components(), current)
}

/// Returns the components that have a repository; selectors once their beginning is typed.
pub(in crate::cli) fn cloneable_words(current: &OsStr) -> Vec<CompletionCandidate> {
    names_or_selectors(components_that(ComponentName::is_cloneable), current)
}

/// Returns the components that `cki build` can build, and selectors.
pub(in crate::cli) fn buildable_words(current: &OsStr) -> Vec<CompletionCandidate> {
    names_or_selectors(components_that(ComponentName::is_buildable), current)
}

fn names_or_selectors(names: Vec<CompletionCandidate>, current: &OsStr) -> Vec<CompletionCandidate> {
    if current.is_empty() { names } else { with_selectors(names, current) }
}

/// Returns the names that begin as typed, and selectors; after the sign of a selector, its values.
fn with_selectors(names: Vec<CompletionCandidate>, current: &OsStr) -> Vec<CompletionCandidate> {
    let Some((key, wanted)) = current.to_str().and_then(|current| current.split_once('=')) else {
        let keys = SelectorKey::ALL.iter().map(|(key, _)| candidate(format!("{key}="), Some("Selector")));
        return starting(names.into_iter().chain(keys).collect(), current);
    };
    let Some(inventory) = TypedLine::current().and_then(TypedLine::inventory) else { return Vec::new() };
    // Of several values, the last one is typed.
    let (given, wanted) = wanted.rsplit_once(',').map_or(("", wanted), |(given, last)| (given, last));
    let before = if given.is_empty() { format!("{key}=") } else { format!("{key}={given},") };
    let is_given = |value: &String| given.split(',').any(|one| one == value);
    let values = values(inventory, key.trim_end_matches('!')).into_iter();
    let values = values.filter(|value| value.starts_with(wanted) && !is_given(value));
    values.map(|value| candidate(format!("{before}{value}"), None)).collect()
}

fn starting(mut all: Vec<CompletionCandidate>, current: &OsStr) -> Vec<CompletionCandidate> {
    let current = current.to_string_lossy();
    all.retain(|one| one.get_value().to_string_lossy().starts_with(&*current));
    all
}

fn distinct(key: &str) -> Vec<CompletionCandidate> {
    let inventory = TypedLine::current().and_then(TypedLine::inventory);
    let values = inventory.map(|inventory| values(inventory, key)).unwrap_or_default();
    values.into_iter().map(CompletionCandidate::new).collect()
}

/// Returns the values of a selector: those that are plain names or references, since they come from elsewhere and go
/// to a shell.
fn values(inventory: &Inventory, key: &str) -> BTreeSet<String> {
    let key = if key == "people" { "owner" } else { key };
    let Some((_, key)) = SelectorKey::ALL.iter().find(|(name, _)| *name == key) else {
        return BTreeSet::new();
    };
    let all = inventory.components.iter().flat_map(|one| key.values(one));
    all.filter(|value| value.split('/').all(is_name)).collect()
}

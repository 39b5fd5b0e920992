//! The inventory: which components there are, what each is, and what it touches. Reading its files
//! is for `ops`; how it looks is for `report`.

mod component;
mod entry;
mod find;
mod hosts;
mod index;
mod limits;
mod need;
mod problem;
mod read;
mod settle;
#[cfg(test)]
mod tests;
mod written;

use std::collections::BTreeMap;

use crate::base::text;
use crate::model::reference::Reference;
pub use component::Component;
pub use entry::{
    Build, BuildNetwork, Category, Debugger, Declared, Dependency, DeploymentFiles, Link, Parameter,
    Production, Run, ServiceChoice, Source, Stage, Synced, Watch,
};
pub use find::LookupError;
pub use hosts::host_names;
use index::Index;
#[cfg(test)]
pub(crate) use index::count;
pub use index::{is_plain, short_name};
pub use limits::{Capability, Memory, Place};
pub use need::{Need, Parameters};
pub use problem::Finding;
use problem::Problem;
pub use read::{Document, InventoryError, Part};
pub use written::Written;

/// A whole inventory.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// What it is called.
    pub title: String,
    /// Where it came from: a path, or `built in`.
    pub origin: String,
    /// The categories, in the order in which they are shown.
    pub categories: Vec<Category>,
    /// The repositories by name.
    pub repos: BTreeMap<String, String>,
    /// What must never be reached or claimed.
    pub production: Production,
    /// What it says of backing services, by name.
    pub services: BTreeMap<String, ServiceChoice>,
    /// Where the head is written.
    pub written: Written,
    /// All entries: by category in its order, then by name.
    pub components: Vec<Component>,
    problems: Vec<Problem>,
    index: Index,
}

impl Inventory {
    /// All addresses in it that may hold a login.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let links = self.components.iter().flat_map(|one| one.documentation.iter().chain(&one.monitoring));
        let links = links.filter_map(|link| link.url.as_deref());
        self.repos.values().map(String::as_str).chain(links)
    }

    /// How much is wrong with it.
    #[must_use]
    pub fn finding_count(&self) -> usize {
        self.problems.len()
    }

    /// What is wrong with it: the first `most` findings.
    #[must_use]
    pub fn findings(&self, most: usize) -> Vec<Finding> {
        self.problems.iter().take(most).map(|problem| problem.finding(&self.repos)).collect()
    }

    /// The entry with exactly this reference.
    #[must_use]
    pub fn get(&self, reference: &Reference) -> Option<&Component> {
        let at = self.index.reference(&self.components, &reference.category, &reference.name)?;
        Some(&self.components[at])
    }

    /// The address of a repository: by its name in the inventory, or given as an address already.
    #[must_use]
    pub fn repo_url<'a>(&'a self, repo: &'a str) -> Option<&'a str> {
        self.repos.get(repo).map(String::as_str).or_else(|| is_address(repo).then_some(repo))
    }

    /// Every repository that the inventory names: by name, or by an address in an entry.
    pub fn repo_names(&self) -> impl Iterator<Item = &str> {
        let named = self.repos.keys().map(String::as_str);
        named.chain(self.components.iter().flat_map(Component::repos))
    }

    /// The repositories of a short name, each once: a few, however many there are.
    pub fn repos_of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.index.repos(name, self.repo_names())
    }

    /// Who depends on an entry, and how.
    pub fn dependents<'a>(
        &'a self,
        target: &'a Reference,
    ) -> impl Iterator<Item = (&'a Component, &'a Dependency)> {
        self.components.iter().flat_map(move |component| {
            component
                .dependencies
                .iter()
                .filter(move |dependency| dependency.target == *target)
                .map(move |dependency| (component, dependency))
        })
    }

    /// The heading of a category.
    #[must_use]
    pub fn category(&self, id: &str) -> Option<&Category> {
        self.categories.get(self.index.category(id)?)
    }

    /// In a few words, what it is: `CKI, built in`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}, {}", self.title, self.origin)
    }

    /// The component that another one needs: by `category/name` or the whole name. Without any, a
    /// backing service of that name may be meant.
    #[must_use]
    pub fn find_exactly(&self, need: &str) -> Option<&Component> {
        self.place_of_needed(need).map(|at| &self.components[at])
    }

    fn place_of_needed(&self, need: &str) -> Option<usize> {
        match need.split_once('/') {
            Some((category, name)) => {
                let at = self.index.reference(&self.components, category, name)?;
                self.components[at].is_runnable().then_some(at)
            }
            None => self.index.runnable(&self.components, need),
        }
    }

    /// The names most like a mistyped one.
    #[must_use]
    pub fn nearest(&self, wrong: &str) -> Vec<String> {
        let by_reference: Vec<String> = self.components.iter().map(|c| c.reference.to_string()).collect();
        let names = self.components.iter().map(Component::name);
        let nearest = if wrong.contains('/') {
            text::nearest(wrong, by_reference.iter().map(String::as_str))
        } else {
            text::nearest(wrong, names)
        };
        nearest.into_iter().map(str::to_owned).collect()
    }
}

/// Whether the name of a repository is an address: `https://…`, `/srv/…` or `git@host:…`.
fn is_address(repo: &str) -> bool {
    let like_scp = || repo.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'));
    repo.contains("://") || repo.starts_with('/') || like_scp()
}

//! The inventory: components, categories, repositories and production hosts. Reading its files belongs
//! in `ops`, its display in `report`.

pub mod backstage;
pub mod check;
mod component;
mod component_name;
mod details;
mod entry;
mod error;
mod find;
mod hosts;
mod index;
mod layer_summary;
mod layers;
mod limits;
mod line_origins;
mod links;
mod need_decl;
mod pipeline_decl;
mod problem;
mod project_patterns;
mod read;
mod resolve;
mod rfc_decl;
mod schema;
mod secrecy;
mod selector;
mod source;
mod source_map;
mod stage_decl;
mod staging_decl;
mod stored;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::base::{share, text};
use crate::model::reference::Reference;
use backstage::unplaced::UnplacedPart;
pub use component::Component;
pub use component_name::{ComponentName, stored_names};
pub use details::EntryDetails;
use details::EntryFacts;
pub use entry::{
    Build, BuildNetwork, Category, Debugger, Dependency, DeploymentFiles, EnvVarDecl, HeadIgnoreDecl,
    IgnoreDecl, Link, Production, Run, ServiceOverride, SourceDecl, SyncRule, WatchDecl,
};
pub use error::{InventoryError, InventoryFault};
pub use find::{LookupError, NamedEntry, SERVICE};
pub use hosts::host_names;
use index::Index;
#[cfg(test)]
pub(crate) use index::count;
pub use index::{is_plain, short_name};
pub use layer_summary::LayerSummary;
pub use layers::{FieldOrigin, LayerContent, LayerDocument, merge_layers};
pub use limits::{Capability, ContainerPath, Memory};
pub use links::{DeclaredLink, DeclaredTarget};
pub use need_decl::{NeedDecl, Parameters};
pub use pipeline_decl::{InputValue, PipelineDecl, PipelineKind};
pub use problem::InventoryFinding;
use problem::Problem;
pub use project_patterns::ProjectPatterns;
pub use read::{InventoryDocument, InventoryPart};
pub use rfc_decl::RfcDecl;
pub use schema::schema;
pub use secrecy::Secrecy;
pub use selector::{ChoiceError, ComponentSelector, SelectorError, SelectorKey, is_selector};
pub use source::{BUILT_IN_SOURCE, GitSource, InventorySource, InventorySources, shown_source};
pub use source_map::SourceMap;
pub use stage_decl::{ParameterDecl, ParameterKind, StageDecl, StageEnvironmentDecl, StageVia};
pub use staging_decl::{NameRuleDecl, StagingCluster, StagingDecl, StagingLimits, ValueRuleDecl};

/// Number of entries for each thread.
const SHARE: usize = 24;

/// An inventory.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// Title.
    pub title: String,
    /// Origin: a path, or `built in`.
    pub origin: String,
    /// Categories in display order.
    pub categories: Vec<Category>,
    /// Addresses of repositories by name.
    pub repos: BTreeMap<String, String>,
    /// Production hosts and locked variables.
    pub production: Production,
    /// Settings of backing services, by name.
    pub services: BTreeMap<String, ServiceOverride>,
    /// Requests for comments of the group.
    pub rfcs: Option<RfcDecl>,
    /// Deployment of merge requests to a staging namespace.
    pub staging: Option<StagingDecl>,
    /// Silenced rules of the check of the inventory.
    pub ignore: Vec<HeadIgnoreDecl>,
    /// Names of the backing services that there are, sorted; empty until they are looked up.
    pub backing_services: Vec<String>,
    /// Its layers, the lowest first.
    pub layers: Vec<LayerSummary>,
    /// Position of the head.
    pub source_map: SourceMap,
    /// All entries, sorted by category in display order, then by name.
    pub components: Vec<Component>,
    problems: Vec<Problem>,
    /// Its sources have a head.
    has_head: bool,
    /// Names of the backing services for which the facts of entries hold, which come from the cache.
    checked_services: Option<Vec<String>>,
    /// Parts of catalogs of Backstage that have no place; only the check reports them.
    unplaced: Vec<UnplacedPart>,
    index: Index,
}

impl Inventory {
    /// Reads the details of all components that come from the cache, on all processors, for a command that uses them.
    pub fn read_details(&self) {
        let unread = |component: &&Component| component.details.is_unread();
        let unread: Vec<&Component> = self.components.iter().filter(unread).collect();
        share::map(unread, SHARE, |component| {
            component.details.get(&component.source_map);
        });
    }

    /// Returns the number of components whose details are not read.
    #[cfg(test)]
    pub(crate) fn unread_entries(&self) -> usize {
        self.components.iter().filter(|component| component.details.is_unread()).count()
    }

    /// Returns all addresses of the inventory that may contain a login.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        let entries = self.components.iter().filter(|one| one.may_have(EntryFacts::HAS_LOGIN));
        self.repos.values().map(String::as_str).chain(entries.flat_map(Component::addresses))
    }

    /// Returns the number of findings.
    #[must_use]
    pub fn finding_count(&self) -> usize {
        self.problems.len()
    }

    /// Returns the first `most` findings.
    #[must_use]
    pub fn findings(&self, most: usize) -> Vec<InventoryFinding> {
        self.problems
            .iter()
            .take(most)
            .map(|problem| problem.finding(&self.repos, &self.components))
            .collect()
    }

    /// Returns the entry with exactly this reference.
    #[must_use]
    pub fn get(&self, reference: &Reference) -> Option<&Component> {
        let at = self.index.reference(&self.components, &reference.category, &reference.name)?;
        Some(&self.components[at])
    }

    /// Returns the address of a repository, given its name in the inventory or an address.
    #[must_use]
    pub fn repo_url<'a>(&'a self, repo: &'a str) -> Option<&'a str> {
        self.repos.get(repo).map(String::as_str).or_else(|| is_address(repo).then_some(repo))
    }

    /// Returns every repository of the inventory: by name, or by an address in an entry.
    pub fn repo_names(&self) -> impl Iterator<Item = &str> {
        let named = self.repos.keys().map(String::as_str);
        named.chain(self.components.iter().flat_map(Component::repos))
    }

    /// Returns the repositories of a short name, each once, without walking all repositories.
    pub fn repos_of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.index.repos(name, self.repo_names())
    }

    /// Returns the dependents of an entry with their dependency.
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

    /// Returns the heading of a category.
    #[must_use]
    pub fn category(&self, id: &str) -> Option<&Category> {
        self.categories.get(self.category_place(id)?)
    }

    /// Returns the place of a category among the headings.
    #[must_use]
    pub fn category_place(&self, id: &str) -> Option<usize> {
        self.index.category(id)
    }

    /// Returns the component that a need names, by `category/name` or the whole name. If there is none,
    /// the need may name a backing service.
    #[must_use]
    pub fn get_by_name(&self, need: &str) -> Option<&Component> {
        self.place_of_needed(need).map(|at| &self.components[at])
    }

    /// Returns whether an entry has this name or reference, whether it can run or not.
    fn has_entry(&self, name: &str) -> bool {
        match name.split_once('/') {
            Some((category, name)) => self.index.reference(&self.components, category, name).is_some(),
            None => self.index.named(&self.components, name).any(|one| one.name() == name),
        }
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

    /// Returns the names nearest to a mistyped one.
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

/// Returns whether a repository is given by its address: `https://…`, `/srv/…` or `git@host:…`.
fn is_address(repo: &str) -> bool {
    let like_scp = || repo.split_once(':').is_some_and(|(host, _)| host.contains('@') && !host.contains('/'));
    repo.contains("://") || repo.starts_with('/') || like_scp()
}

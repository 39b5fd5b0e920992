//! A component: one entry of an inventory. The search for entries belongs in `Inventory`, the YAML form
//! in `entry`.

use super::entry::{
    Build, Dependency, DeploymentFiles, EnvVarDecl, IgnoreDecl, Link, Run, SourceDecl, StageDecl,
};
use super::source_map::SourceMap;
use crate::model::reference::Reference;

/// Category of the entries that an entry names as its infrastructure.
pub(super) const INFRASTRUCTURE: &str = "infrastructure";

/// A component.
#[derive(Debug, Clone)]
pub struct Component {
    /// Full name.
    pub reference: Reference,
    /// Purpose, in a sentence or two.
    pub description: Option<String>,
    /// `service`, `cronjob`, …; the category may imply it.
    pub kind: Option<String>,
    /// Infrastructure that it runs on: the name of an entry.
    pub infrastructure: Option<String>,
    /// Responsible people.
    pub people: Vec<String>,
    /// Links to its documentation.
    pub documentation: Vec<Link>,
    /// Locations of its code and configuration.
    pub sources: Vec<SourceDecl>,
    /// Links to its monitoring.
    pub monitoring: Vec<Link>,
    /// Run-time dependencies.
    pub dependencies: Vec<Dependency>,
    /// Environment table.
    pub environment: Vec<EnvVarDecl>,
    /// Hosts of the component: names with `*` for any part, addresses, and ranges of addresses.
    pub hosts: Vec<String>,
    /// Deployment files.
    pub deployment: Vec<DeploymentFiles>,
    /// Published image, without tag.
    pub image: Option<String>,
    /// Build of its image.
    pub build: Option<Box<Build>>,
    /// Settings of a local run.
    pub run: Option<Box<Run>>,
    /// Settings of staging.
    pub stage: Option<Box<StageDecl>>,
    /// Silenced rules of the check of the inventory.
    pub ignore: Vec<IgnoreDecl>,
    /// Position of the entry in its file.
    pub source_map: SourceMap,
}

impl Component {
    /// Returns the name without the category.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.reference.name
    }

    /// Returns the full name of the infrastructure that it runs on.
    #[must_use]
    pub fn infrastructure_reference(&self) -> Option<Reference> {
        self.infrastructure.as_ref().map(|name| Reference::new(INFRASTRUCTURE, name.as_str()))
    }

    /// Returns whether the component ends on its own; then only exit code 0 is success.
    #[must_use]
    pub fn is_one_shot(&self) -> bool {
        matches!(self.kind.as_deref(), Some("cronjob" | "job" | "function"))
    }

    /// Returns whether the entry has enough information to run the component.
    #[must_use]
    pub fn is_runnable(&self) -> bool {
        self.run.as_ref().is_some_and(|run| !run.command.is_empty() || !run.once.is_empty())
            || self.image.is_some()
            || self.build.is_some()
            || !self.deployment.is_empty()
    }

    /// Returns the repositories of its build, its sources and its deployment, each once, in order.
    #[must_use]
    pub fn repos(&self) -> Vec<&str> {
        let mut repos: Vec<&str> = Vec::new();
        let build = self.build.as_ref().map(|build| build.repo.as_str());
        let sources = self.sources.iter().map(|source| source.repo.as_str());
        let deployment = self.deployment.iter().map(|files| files.repo.as_str());
        for repo in build.into_iter().chain(sources).chain(deployment) {
            if !repos.contains(&repo) {
                repos.push(repo);
            }
        }
        repos
    }
}

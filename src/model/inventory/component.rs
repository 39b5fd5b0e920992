//! A component: one entry of an inventory. Looking for entries is `Inventory`, and what an entry is read
//! from is `entry`.

use super::entry::{Build, Declared, Dependency, DeploymentFiles, Link, Run, Source, Stage};
use super::written::Written;
use crate::model::reference::Reference;

/// One entry.
#[derive(Debug, Clone)]
pub struct Component {
    /// Its name.
    pub reference: Reference,
    /// In a sentence or two, what it does.
    pub description: Option<String>,
    /// `service`, `cronjob`, …; the category may imply it.
    pub kind: Option<String>,
    /// Where it runs: the name of an entry of the infrastructure.
    pub infrastructure: Option<String>,
    /// Who is responsible.
    pub people: Vec<String>,
    /// Where it is described.
    pub documentation: Vec<Link>,
    /// Where its code and configuration live.
    pub sources: Vec<Source>,
    /// Where it is observed.
    pub monitoring: Vec<Link>,
    /// What it needs at run time.
    pub dependencies: Vec<Dependency>,
    /// Its environment table.
    pub environment: Vec<Declared>,
    /// Where it is reached: names with `*` for any part, addresses, and ranges of addresses.
    pub hosts: Vec<String>,
    /// What deploys it.
    pub deployment: Vec<DeploymentFiles>,
    /// The published image, without tag.
    pub image: Option<String>,
    /// How its image is built.
    pub build: Option<Box<Build>>,
    /// How it is run.
    pub run: Option<Box<Run>>,
    /// How a merge request of it is staged.
    pub stage: Option<Box<Stage>>,
    /// Where the entry is written.
    pub written: Written,
}

impl Component {
    /// The name without the category.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.reference.name
    }

    /// Whether it does its work and ends: then exit code 0 is success, and nothing else is.
    #[must_use]
    pub fn is_one_shot(&self) -> bool {
        matches!(self.kind.as_deref(), Some("cronjob" | "job" | "function"))
    }

    /// Whether anything says how to run it.
    #[must_use]
    pub fn is_runnable(&self) -> bool {
        self.run.as_ref().is_some_and(|run| !run.command.is_empty() || !run.once.is_empty())
            || self.image.is_some()
            || self.build.is_some()
            || !self.deployment.is_empty()
    }

    /// The repositories of its build, of its sources and of its deployment, each once, in order.
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

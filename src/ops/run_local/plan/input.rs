//! The input of a plan: everything that was read for it. Reading is in `run_local::load`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::model::identity::RunId;
use crate::model::inventory::{Component, Inventory, Memory};
use crate::model::reference::Reference;
use crate::model::service::TemplateContext;
use crate::ops::run_local::request::RunRequest;
use crate::ops::shared::dependencies::ServiceTemplates;
use crate::ops::shared::deployment::DeployedComponents;
use crate::ops::shared::run_policy::RunPolicy;

/// Everything that a plan depends on.
#[derive(Debug)]
pub(in crate::ops::run_local) struct PlanInput<'a> {
    pub(in crate::ops::run_local) run: RunId,
    pub(in crate::ops::run_local) request: &'a RunRequest<'a>,
    pub(in crate::ops::run_local) inventory: &'a Inventory,
    /// The rules, and the stored secrets of the workspace.
    pub(in crate::ops::run_local) policy: &'a RunPolicy,
    /// The units will be processes, not containers.
    pub(in crate::ops::run_local) native: bool,
    /// Path of this program.
    pub(in crate::ops::run_local) program: &'a str,
    /// The tag of published images.
    pub(in crate::ops::run_local) image_tag: &'a str,
    /// Default memory limit of a component.
    pub(in crate::ops::run_local) memory: Memory,
    /// The templates of backing services.
    pub(in crate::ops::run_local) templates: ServiceTemplates,
    /// The deployments of the components that have one.
    pub(in crate::ops::run_local) deployments: HashMap<&'a Reference, DeployedComponents>,
    /// The directories where clones are or will be, by repository.
    pub(in crate::ops::run_local) clones: HashMap<&'a str, PathBuf>,
}

impl<'a> PlanInput<'a> {
    /// Returns the surroundings of templates.
    pub(super) fn ctx(&self) -> TemplateContext<'_> {
        let host = if self.native { "127.0.0.1" } else { "" };
        let RunPolicy { context, secrets: rules, .. } = self.policy;
        TemplateContext { host, program: self.program, context, rules }
    }

    /// Returns the directory where the clone of a repository is or will be.
    pub(super) fn clone_of(&self, repo: &str) -> &Path {
        self.clones.get(repo).expect("the clones of all repositories of a plan are looked up")
    }
}

/// Returns the repositories whose clones the units of a component use.
pub(in crate::ops::run_local) fn repositories<'a>(
    component: &'a Component,
    request: &RunRequest<'_>,
) -> impl Iterator<Item = &'a str> {
    let build = component.build.iter().map(|build| build.repo.as_str());
    let is_wanted = request.components.iter().any(|wanted| wanted.reference == component.reference);
    let is_dev = is_wanted && (request.watch || request.mount.is_some());
    build.chain(component.repos().first().copied().filter(|_| is_dev))
}

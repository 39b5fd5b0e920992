//! The project of a merge request: from the flags, from the component's entry, or from the remotes of the
//! working directory.

use std::path::Path;

use crate::base::text;
use crate::config::SettingOrigin;
use crate::model::inventory::{Component, Inventory, StageDecl};
use crate::ops::shared::project::{project_of, server_for};
use crate::systems::git::{Checkout, GitError, GitUrl, discover};

/// The target of a staging.
#[derive(Debug)]
pub struct StageTarget<'a> {
    /// `group/project`.
    pub project: String,
    /// The component whose entry has the staging settings.
    pub component: Option<&'a Component>,
    /// The server of the remote, if the project comes from one.
    pub server: Option<String>,
}

impl StageTarget<'_> {
    /// Returns the staging settings of the entry.
    #[must_use]
    pub fn entry(&self) -> Option<&StageDecl> {
        self.component.and_then(|component| component.stage.as_deref())
    }

    /// Returns the name of the component, else that of the project.
    #[must_use]
    pub fn name(&self) -> &str {
        self.component.map_or(&self.project, |component| component.name())
    }

    /// Returns the server to ask: the one in the settings, or that of the remote if the settings name none.
    #[must_use]
    pub fn server_for<'u>(&'u self, setting: &'u (String, SettingOrigin)) -> &'u str {
        server_for(self.server.as_deref(), setting)
    }
}

/// An error of finding the project.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The entry has no staging settings.
    #[error("the inventory does not say where `{component}` is staged: its entry has no `stage.project`")]
    NoProject {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// The working directory is not a clone.
    #[error("`{0}` is in no git repository, so nothing says which project is meant")]
    NoRepository(String),
    /// The clone has no remotes.
    #[error("`{0}` has no remote, so nothing says which project is meant")]
    NoRemotes(String),
    /// No remote is on a server.
    #[error("no remote of `{repository}` is a project on a server: {}", text::join_and(remotes))]
    NoRemote {
        /// The clone.
        repository: String,
        /// Its remotes.
        remotes: Vec<String>,
    },
    /// The clone cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
}

/// Finds the project.
///
/// # Errors
/// Fails when the project is not known.
pub fn target<'a>(
    inventory: &'a Inventory,
    component: Option<&'a Component>,
    project: Option<&str>,
    cwd: &Path,
) -> Result<StageTarget<'a>, TargetError> {
    if let Some(project) = project {
        let project = project.trim_matches('/').to_owned();
        let component = component.or_else(|| staged_in(inventory, &project));
        return Ok(StageTarget { project, component, server: None });
    }
    if let Some(component) = component {
        return of_component(inventory, component);
    }
    let checkout = discover(cwd)?.ok_or_else(|| TargetError::NoRepository(cwd.display().to_string()))?;
    of_checkout(inventory, &checkout)
}

fn of_component<'a>(inventory: &Inventory, component: &'a Component) -> Result<StageTarget<'a>, TargetError> {
    let stage = component.stage.as_ref();
    let from_repo = || {
        let url = inventory.repo_url(component.repos().first()?)?;
        project_of(&GitUrl::parse(url).ok()?)
    };
    match stage.and_then(|stage| stage.project.clone()).map(|project| (project, None)).or_else(from_repo) {
        Some((project, server)) => Ok(StageTarget { project, component: Some(component), server }),
        None => Err(TargetError::NoProject {
            component: component.name().to_owned(),
            place: component.source_map.place(""),
        }),
    }
}

fn of_checkout<'a>(inventory: &'a Inventory, checkout: &Checkout) -> Result<StageTarget<'a>, TargetError> {
    let urls: Vec<GitUrl> = checkout.remotes.iter().filter_map(|(_, url)| GitUrl::parse(url).ok()).collect();
    // A repository of the inventory is recognised by its address, without connecting to it.
    let known = inventory.components.iter().find(|component| {
        let is_staged = component.stage.as_ref().is_some_and(|stage| stage.project.is_some());
        let own = component.repos().first().and_then(|repo| inventory.repo_url(repo));
        let own = own.and_then(|url| GitUrl::parse(url).ok());
        is_staged && own.is_some_and(|own| urls.iter().any(|url| url.is_same_repository(&own)))
    });
    if let Some(component) = known {
        return of_component(inventory, component);
    }
    if checkout.remotes.is_empty() {
        return Err(TargetError::NoRemotes(checkout.root.display().to_string()));
    }
    let found = urls.iter().find_map(project_of);
    let (project, server) = found.ok_or_else(|| TargetError::NoRemote {
        repository: checkout.root.display().to_string(),
        remotes: checkout.remotes.iter().map(|(name, url)| format!("{name} ({url})")).collect(),
    })?;
    let component = staged_in(inventory, &project);
    Ok(StageTarget { project, component, server })
}

/// Returns the components of a project: those whose entries name it, and those whose own repository it is.
pub fn of_project<'a>(inventory: &'a Inventory, project: &str) -> impl Iterator<Item = &'a Component> {
    let is_of = move |component: &&Component| {
        of_component(inventory, component).is_ok_and(|target| target.project.eq_ignore_ascii_case(project))
    };
    inventory.components.iter().filter(is_of)
}

/// Returns a component whose entry names this project.
fn staged_in<'a>(inventory: &'a Inventory, project: &str) -> Option<&'a Component> {
    let is_there = |component: &&Component| {
        component.stage.as_ref().and_then(|stage| stage.project.as_deref()) == Some(project)
    };
    inventory.components.iter().find(is_there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn target_project_comes_from_entry_or_url() {
        let inventory = crate::ops::shared::inventory::load(&Default::default()).expect("loads");
        let herder = inventory.find("pipeline-herder").expect("is there");
        let found = target(&inventory, Some(herder), None, Path::new("/")).expect("finds");
        assert_eq!((found.project.as_str(), found.server), ("cki-project/cki-tools", None));
        let unstaged = inventory.find("datawarehouse").expect("is there");
        let found = target(&inventory, Some(unstaged), None, Path::new("/")).expect("finds");
        assert_eq!(found.project, "cki-project/datawarehouse");
        assert_eq!(found.server.as_deref(), Some("https://gitlab.com"));
        let found = target(&inventory, None, Some("cki-project/cki-tools"), Path::new("/")).expect("finds");
        assert!(found.component.is_some());
        let reporter = inventory.find("reporter").expect("is there");
        assert!(matches!(
            target(&inventory, Some(reporter), None, Path::new("/")),
            Err(TargetError::NoProject { .. })
        ));
        let directory = tempfile::tempdir().expect("a temporary directory");
        assert!(matches!(
            target(&inventory, None, None, directory.path()),
            Err(TargetError::NoRepository(_))
        ));
    }
}

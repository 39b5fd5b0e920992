//! The deployment of a component, read from the clones that hold its files, or from a commit in them.
//! File access is in `files`, the run settings are in `defaults`.

mod defaults;
mod files;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::base::text;
use crate::model::deployment::{
    self, ClusterDeployment, DeployedContainer, DeploymentError, DeploymentFileSet, DeploymentItem,
};
use crate::model::environment::{self, ProductionRules, RuleError, SecretNames};
use crate::model::guard::{CredentialError, Credentials, DenyList};
use crate::model::inventory::{Component, Inventory, InventoryFinding};
use crate::ops::shared::run_policy::{CREDENTIALS, NAMES, NO_CREDENTIALS};
use crate::ops::shared::workspace::Workspace;
use crate::systems::git::{GitError, Tree};
pub use defaults::{init_component, with_deployment_defaults};
use files::{CloneFiles, TreeFiles};

/// The rules for values that point at production.
const RULES: &str = "production-values.yaml";

/// An error of loading a deployment.
#[derive(Debug, thiserror::Error)]
pub enum DeployedError {
    /// Reading failed.
    #[error(transparent)]
    Deployment(#[from] DeploymentError),
    /// A rule about values of production is invalid.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// A rule about credentials is invalid.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
    /// The rules cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A clone cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// There is no such revision.
    #[error("`{}` has no revision `{revision}`", path.display())]
    NoRevision {
        /// The clone.
        path: PathBuf,
        /// The revision.
        revision: String,
    },
    /// The repository is not cloned.
    #[error("the deployment of `{component}` is in `{repo}`, which is not cloned")]
    NotCloned {
        /// The component.
        component: String,
        /// The repository.
        repo: String,
    },
    /// The inventory names no files.
    #[error("{place}: the inventory names no deployment of `{component}`")]
    None {
        /// Its entry.
        place: String,
        /// The component.
        component: String,
    },
}

impl DeployedError {
    /// Returns whether the deployment is absent, as opposed to unreadable.
    #[must_use]
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::None { .. } | Self::NotCloned { .. } | Self::NoRevision { .. })
    }
}

/// A loaded deployment, with the rules that judge its values.
#[derive(Debug)]
pub struct DeployedComponents {
    /// The component's container.
    pub container: DeployedContainer,
    /// Parts that were not understood.
    pub findings: Vec<InventoryFinding>,
    judge: Arc<Judge>,
}

/// Rules that judge the values of deployments, the same for a whole inventory.
#[derive(Debug)]
struct Judge {
    rules: ProductionRules,
    hosts: DenyList,
    credentials: Credentials,
    /// The rules for names of variables that hold secrets.
    names: SecretNames,
}

impl Judge {
    fn load(inventory: &Inventory, assets: &Assets) -> Result<Self, DeployedError> {
        let text = |name: &str, otherwise: &'static str| -> Result<_, FileError> {
            let asset = assets.text(name)?;
            Ok(asset.map_or_else(|| (name.to_owned(), otherwise.into()), |asset| (asset.origin, asset.text)))
        };
        let (file, rules) = text(RULES, "rules: []")?;
        let rules = ProductionRules::read(&file, &rules)?;
        let (file, credentials) = text(CREDENTIALS, NO_CREDENTIALS)?;
        let credentials = Credentials::read(&file, &credentials)?;
        let (file, names) = text(NAMES, "rules: []")?;
        let names = SecretNames::read(&file, &names)?;
        Ok(Self { rules, hosts: DenyList::from(inventory), credentials, names })
    }
}

/// The rules that judge deployments, loaded with the first deployment and kept for all others.
#[derive(Debug, Default)]
pub struct Judges(OnceCell<Arc<Judge>>);

impl Judges {
    fn of(&self, inventory: &Inventory, assets: &Assets) -> Result<Arc<Judge>, DeployedError> {
        if let Some(judge) = self.0.get() {
            return Ok(Arc::clone(judge));
        }
        let judge = Arc::new(Judge::load(inventory, assets)?);
        Ok(Arc::clone(self.0.get_or_init(|| judge)))
    }
}

impl DeployedComponents {
    /// The rules for names of variables that hold secrets.
    pub(in crate::ops) fn names(&self) -> &SecretNames {
        &self.judge.names
    }

    /// Returns whether a text names a host of production.
    #[must_use]
    pub fn names_production(&self, text: &str) -> bool {
        self.judge.hosts.names_production(text).is_some()
    }

    /// Returns whether the value of a variable looks like a credential.
    #[must_use]
    pub fn is_credential(&self, name: &str, value: &str) -> bool {
        self.judge.credentials.find(Some(name), value).is_some()
    }

    /// Returns the init containers, which must succeed before the component starts, each as a deployment
    /// of its own.
    pub fn init(&self) -> impl Iterator<Item = Self> {
        self.container.init.iter().map(|container| Self {
            container: container.clone(),
            findings: Vec::new(),
            judge: Arc::clone(&self.judge),
        })
    }

    /// Returns the deployment as a layer of an environment.
    #[must_use]
    pub fn layer<'a>(
        &'a self,
        names_production: &'a dyn Fn(&str) -> bool,
        is_credential: &'a dyn Fn(&str, &str) -> bool,
    ) -> environment::DeploymentInput<'a> {
        let (container, rules) = (&self.container, &self.judge.rules);
        environment::DeploymentInput { container, rules, names_production, is_credential }
    }
}

/// Loads the component's deployment from its clones.
///
/// # Errors
/// Fails when there is no deployment, it is not cloned, or it cannot be read.
pub fn load(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
) -> Result<DeployedComponents, DeployedError> {
    load_judged(component, inventory, workspace, assets, &Judges::default())
}

/// Loads the component's deployment as [`load_if_there`] does, with rules that are loaded once.
///
/// # Errors
/// As [`load_if_there`].
pub fn load_judged_if_there(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
    judges: &Judges,
) -> Result<(Option<DeployedComponents>, Option<String>), DeployedError> {
    if_there(load_judged(component, inventory, workspace, assets, judges))
}

fn load_judged(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
    judges: &Judges,
) -> Result<DeployedComponents, DeployedError> {
    read(component, inventory, workspace, assets, judges, &|_, path| open_clone(path))
}

/// Loads the component's deployment from a revision of its clones.
///
/// # Errors
/// Fails when there is no deployment, it is not cloned, or it cannot be read there.
pub fn load_at(
    revision: &str,
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
) -> Result<DeployedComponents, DeployedError> {
    let open = |_: &str, path: PathBuf| open_revision(path, revision);
    read(component, inventory, workspace, assets, &Judges::default(), &open)
}

fn open_clone(path: PathBuf) -> Result<Box<dyn DeploymentFileSet>, DeployedError> {
    Ok(Box::new(CloneFiles::new(path)?))
}

fn open_revision(path: PathBuf, revision: &str) -> Result<Box<dyn DeploymentFileSet>, DeployedError> {
    match Tree::open(&path, revision)? {
        Some(tree) => Ok(Box::new(TreeFiles(tree))),
        None => Err(DeployedError::NoRevision { path, revision: text::safe_line(revision).into_owned() }),
    }
}

/// Loads the component's deployment if the inventory names one and it is cloned; otherwise returns
/// `None`, with the reason if it was expected.
///
/// # Errors
/// Fails when the deployment exists and cannot be read.
pub fn load_if_there(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
) -> Result<(Option<DeployedComponents>, Option<String>), DeployedError> {
    if_there(load(component, inventory, workspace, assets))
}

fn if_there(
    loaded: Result<DeployedComponents, DeployedError>,
) -> Result<(Option<DeployedComponents>, Option<String>), DeployedError> {
    match loaded {
        Ok(deployed) => Ok((Some(deployed), None)),
        Err(DeployedError::None { .. }) => Ok((None, None)),
        Err(missing @ DeployedError::NotCloned { .. }) => Ok((None, Some(missing.to_string()))),
        Err(error) => Err(error),
    }
}

/// Opens the files in the clone of a repository.
type OpenFiles<'a> = &'a dyn Fn(&str, PathBuf) -> Result<Box<dyn DeploymentFileSet>, DeployedError>;

/// Loads the Kubernetes objects that deploy the component from its clones.
///
/// # Errors
/// Fails as [`load`] does.
pub fn load_objects(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
) -> Result<ClusterDeployment, DeployedError> {
    load_objects_at(&BTreeMap::new(), component, inventory, workspace)
}

/// Loads the Kubernetes objects that deploy the component from its clones; of the repositories in `revisions` from that
/// revision.
///
/// # Errors
/// Fails as [`load`] and [`load_at`] do.
pub fn load_objects_at(
    revisions: &BTreeMap<String, String>,
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
) -> Result<ClusterDeployment, DeployedError> {
    let open = |repo: &str, path: PathBuf| match revisions.get(repo) {
        Some(revision) => open_revision(path, revision),
        None => open_clone(path),
    };
    with_items(component, inventory, workspace, &open, &|items| {
        Ok(deployment::cluster_objects(component.name(), items)?)
    })
}

fn read(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    assets: &Assets,
    judges: &Judges,
    open: OpenFiles<'_>,
) -> Result<DeployedComponents, DeployedError> {
    let read = with_items(component, inventory, workspace, open, &|items| {
        Ok(deployment::read(component.name(), items)?)
    })?;
    let judge = judges.of(inventory, assets)?;
    Ok(DeployedComponents { container: read.container, findings: read.findings, judge })
}

/// Opens the files of a component's deployment for reading.
fn with_items<T>(
    component: &Component,
    inventory: &Inventory,
    workspace: &Workspace,
    open: OpenFiles<'_>,
    read: &dyn Fn(&[DeploymentItem<'_>]) -> Result<T, DeployedError>,
) -> Result<T, DeployedError> {
    if component.deployment.is_empty() {
        let (place, component) = (component.source_map.place(""), component.name().to_owned());
        return Err(DeployedError::None { place, component });
    }
    let mut opened = Vec::new();
    for (index, item) in component.deployment.iter().enumerate() {
        let Some(path) = workspace.location(inventory, &item.repo).found()? else {
            let (component, repo) = (component.name().to_owned(), item.repo.clone());
            return Err(DeployedError::NotCloned { component, repo });
        };
        opened.push((open(&item.repo, path)?, component.source_map.place(&format!("deployment.{index}"))));
    }
    let items: Vec<DeploymentItem<'_>> = component
        .deployment
        .iter()
        .zip(&opened)
        .map(|(item, (files, place))| DeploymentItem {
            files: &**files,
            path: &item.path,
            container: item.container.as_deref(),
            place,
        })
        .collect();
    read(&items)
}

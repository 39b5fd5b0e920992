//! What the environments of local runs are made and checked by: the rules for reference secrets, what
//! these are made from, and the guard.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::host::Env;
use crate::model::environment::{Ground, RuleError, SecretNames, SecretRules};
use crate::model::guard::{CredentialError, Credentials, DenyList, Guard};
use crate::model::inventory::Inventory;
use crate::ops::keep::{Keep, KeepError};
use crate::ops::workspace::Workspace;

/// How reference secrets are made.
const SECRETS: &str = "reference-secrets.yaml";
/// Which variables hold secrets.
pub(super) const NAMES: &str = "secret-names.yaml";
/// What looks like a real credential.
pub(super) const CREDENTIALS: &str = "credentials.yaml";
/// The same without any.
pub(super) const NO_CREDENTIALS: &str = "{marks: [], rules: []}";

/// The rules.
#[derive(Debug)]
pub struct Rules {
    /// How reference secrets are made.
    pub secrets: SecretRules,
    /// What they are made from.
    pub ground: Ground,
    /// The guard of local runs.
    pub guard: Guard,
}

/// Rules that cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// A file of the user's cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A rule for reference secrets does not work.
    #[error(transparent)]
    Secrets(#[from] RuleError),
    /// What the workspace keeps cannot be had.
    #[error(transparent)]
    Keep(#[from] KeepError),
    /// A rule about credentials does not work.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
}

impl Rules {
    /// Reads the rules: the user's, or the built-in ones; and opens what the workspace keeps.
    ///
    /// # Errors
    /// When a file of the user's cannot be read or does not work, or the state cannot be written.
    pub fn load(
        assets: &Assets,
        inventory: &Inventory,
        env: &Env,
        workspace: &Workspace,
    ) -> Result<Self, RulesError> {
        let (file, secrets) = text(assets, SECRETS, "rules: []")?;
        let secrets = SecretRules::read(&file, &secrets)?;
        let (file, names) = text(assets, NAMES, "rules: []")?;
        let secrets = secrets.with_names(SecretNames::read(&file, &names)?);
        let guard = guard(assets, inventory)?;
        let services = assets.names("services")?;
        let names: Vec<String> =
            services.iter().filter_map(|name| name.strip_suffix(".yaml")).map(str::to_owned).collect();
        let state = env.state_folder();
        let keep = Keep::open(state.as_deref(), workspace.root(), &names, SystemTime::now())?;
        let ground = Ground {
            seed: keep.seed.into(),
            material: Some(Arc::new(keep.material)),
            hosts: repository_hosts(inventory, &guard.hosts).into(),
            ..Ground::default()
        };
        Ok(Self { secrets, ground, guard })
    }
}

/// What must not be in a local run.
///
/// # Errors
/// Fails when a file of the user's cannot be read or does not work.
pub fn guard(assets: &Assets, inventory: &Inventory) -> Result<Guard, RulesError> {
    let (file, credentials) = text(assets, CREDENTIALS, NO_CREDENTIALS)?;
    Ok(Guard::new(inventory, Credentials::read(&file, &credentials)?))
}

/// A file of rules: the user's, the built-in one, or what stands for it.
fn text(
    assets: &Assets,
    name: &str,
    otherwise: &'static str,
) -> Result<(String, Cow<'static, str>), FileError> {
    Ok(match assets.text(name)? {
        Some(asset) => (asset.origin, asset.text),
        None => (name.to_owned(), otherwise.into()),
    })
}

/// Where the inventory's repositories are served, as far as that is no production.
fn repository_hosts(inventory: &Inventory, denied: &DenyList) -> Vec<String> {
    let urls = inventory.repos.values().filter_map(|url| url.split_once("://"));
    let mut hosts: Vec<String> = urls
        .filter_map(|(_, rest)| rest.split(['/', '?', '#']).next()?.rsplit('@').next())
        .filter(|host| !host.is_empty() && denied.names_production(host).is_none())
        .map(str::to_owned)
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}

//! The rules for the environments of local runs: the rules for placeholder secrets, the secrets that
//! these derive from, and the guard.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::host::Env;
use crate::model::environment::{Cause, GeneratorContext, LazySeed, RuleError, SecretNames, SecretRules};
use crate::model::guard::{CredentialError, Credentials, DenyList, Guard};
use crate::model::inventory::Inventory;
use crate::ops::shared::services;
use crate::ops::shared::workspace::Workspace;
use crate::ops::shared::workspace_secrets::Keep;

/// File of the rules for placeholder secrets.
const SECRETS: &str = "placeholder-secrets.yaml";
/// File of the rules for names of variables that hold secrets.
pub(in crate::ops) const NAMES: &str = "secret-names.yaml";
/// File of the marks of real credentials.
pub(in crate::ops) const CREDENTIALS: &str = "credentials.yaml";
/// An empty file of marks of credentials.
pub(in crate::ops) const NO_CREDENTIALS: &str = "{marks: [], rules: []}";

/// The rules.
#[derive(Debug)]
pub struct RunPolicy {
    /// The rules for placeholder secrets.
    pub secrets: SecretRules,
    /// The secrets that placeholder secrets derive from.
    pub context: GeneratorContext,
    /// The guard of local runs.
    pub guard: Guard,
}

/// An error of loading the rules.
#[derive(Debug, thiserror::Error)]
pub enum RunPolicyError {
    /// A file of the user cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A rule for placeholder secrets is invalid.
    #[error(transparent)]
    Secrets(#[from] RuleError),
    /// A rule about credentials is invalid.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
}

/// The use of the workspace's stored secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretStorage {
    /// Creates and renews them.
    Create,
    /// Reads them, and writes nothing.
    ReadOnly,
}

impl RunPolicy {
    /// Loads the user's or the built-in rules. The first placeholder secret opens the stored secrets of the
    /// workspace.
    ///
    /// # Errors
    /// Fails when a file of the user cannot be read or is invalid.
    pub fn load(
        assets: &Assets,
        inventory: &Inventory,
        env: &Env,
        workspace: &Workspace,
        storage: SecretStorage,
    ) -> Result<Self, RunPolicyError> {
        let (file, secrets) = text(assets, SECRETS, "rules: []")?;
        let secrets = SecretRules::read(&file, &secrets)?;
        let (file, names) = text(assets, NAMES, "rules: []")?;
        let secrets = secrets.with_names(SecretNames::read(&file, &names)?);
        let guard = guard(assets, inventory)?.with_names(secrets.names().clone());
        let names = services::names(assets)?;
        let state = env.state_directory();
        let root = workspace.root().to_owned();
        let stored = LazySeed::new(move || {
            let open = match storage {
                SecretStorage::Create => Keep::open,
                SecretStorage::ReadOnly => Keep::preview,
            };
            let keep = open(state.as_deref(), &root, &names, SystemTime::now());
            let keep = keep.map_err(|error| -> Cause { Arc::new(error) })?;
            Ok((keep.seed.into(), Some(Arc::new(keep.material))))
        });
        let context = GeneratorContext {
            stored,
            hosts: repository_hosts(inventory, &guard.hosts).into(),
            ..GeneratorContext::default()
        };
        Ok(Self { secrets, context, guard })
    }
}

/// Returns the rules for names of variables that hold secrets; `None` if they cannot be read.
#[must_use]
pub fn secret_names(assets: &Assets) -> Option<SecretNames> {
    let (file, names) = text(assets, NAMES, "rules: []").ok()?;
    SecretNames::read(&file, &names).ok()
}

/// Returns the guard of local runs.
///
/// # Errors
/// Fails when a file of the user cannot be read or is invalid.
pub fn guard(assets: &Assets, inventory: &Inventory) -> Result<Guard, RunPolicyError> {
    let (file, credentials) = text(assets, CREDENTIALS, NO_CREDENTIALS)?;
    Ok(Guard::new(inventory, Credentials::read(&file, &credentials)?))
}

/// Returns the guard with the rules for names of variables: it decides which values are masked.
///
/// # Errors
/// Fails when a file of the user cannot be read or is invalid.
pub fn masking_guard(assets: &Assets, inventory: &Inventory) -> Result<Guard, RunPolicyError> {
    let (file, names) = text(assets, NAMES, "rules: []")?;
    Ok(guard(assets, inventory)?.with_names(SecretNames::read(&file, &names)?))
}

/// Returns a file of rules: the user's, the built-in one, or a default.
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

/// Returns the hosts of the inventory's repositories, except hosts of production.
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

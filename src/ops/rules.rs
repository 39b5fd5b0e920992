//! What the environments of local runs are made and checked by: the rules for reference secrets and
//! the guard.

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::model::environment::{RuleError, SecretRules};
use crate::model::guard::{CredentialError, Credentials, Guard};
use crate::model::inventory::Inventory;

/// How reference secrets are made.
const SECRETS: &str = "reference-secrets.yaml";
/// What looks like a real credential.
const CREDENTIALS: &str = "credentials.yaml";

/// The rules.
#[derive(Debug)]
pub struct Rules {
    /// How reference secrets are made.
    pub secrets: SecretRules,
    /// What must not be in a local run.
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
    /// A rule about credentials does not work.
    #[error(transparent)]
    Credentials(#[from] CredentialError),
}

impl Rules {
    /// Reads the rules: the user's, or the built-in ones.
    ///
    /// # Errors
    /// When a file of the user's cannot be read or does not work.
    pub fn load(assets: &Assets, inventory: &Inventory) -> Result<Self, RulesError> {
        let text = |name: &str, otherwise: &'static str| match assets.text(name) {
            Ok(Some(asset)) => Ok((asset.origin, asset.text)),
            Ok(None) => Ok((name.to_owned(), otherwise.into())),
            Err(error) => Err(error),
        };
        let (file, secrets) = text(SECRETS, "rules: []")?;
        let secrets = SecretRules::read(&file, &secrets)?;
        let (file, credentials) = text(CREDENTIALS, "{marks: [], rules: []}")?;
        let guard = Guard::new(inventory, Credentials::read(&file, &credentials)?);
        Ok(Self { secrets, guard })
    }
}

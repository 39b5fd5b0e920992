//! The components that a repository shows by its build files and its Compose file, for a comparison with entries.
//! Drafts are in `drafting`.

use std::collections::BTreeSet;
use std::path::Path;

use super::drafting::{CHOICES, Drafting};
use super::error::DraftError;
use super::files::{self, FoundFiles};
use super::request::DraftScope;
use crate::base::assets::Assets;
use crate::host::Env;
use crate::model::draft::{DraftRules, DraftedComponent};
use crate::systems::git::WorkingTree;

/// A component that a repository shows.
#[derive(Debug, Clone)]
pub struct ShownComponent {
    /// Name in a draft.
    pub name: String,
    /// Build file, relative to the repository.
    pub build_file: String,
}

/// Returns the components of a clone that have a build file, the first one of each file.
///
/// # Errors
/// Fails if the rules of drafts cannot be read.
pub fn shown_components(root: &Path, assets: &Assets, env: &Env) -> Result<Vec<ShownComponent>, DraftError> {
    let tree = WorkingTree::around(root, env).ok().flatten().filter(|tree| tree.root() == root);
    let origin = tree.as_ref().and_then(WorkingTree::origin);
    let mut drafting = Drafting::new(root, origin, DraftScope::All, assets)?;
    drafting.most = CHOICES;
    let found = files::find(root);
    drafting.compose(&found);
    drafting.builds(&found);
    let built = drafting.components.into_iter().filter(|one| one.is_built);
    let mut seen = BTreeSet::new();
    let is_new = |one: &ShownComponent| seen.insert(one.build_file.clone());
    Ok(built.filter_map(|one| ShownComponent::of(one, &found)).filter(is_new).collect())
}

impl ShownComponent {
    fn of(one: DraftedComponent, found: &FoundFiles) -> Option<Self> {
        let directory = Path::new(&one.directory);
        let usual = || {
            let file = found.builds.iter().find(|file| file.parent() == Some(directory))?;
            Some(file.display().to_string())
        };
        Some(Self { build_file: one.build_file.clone().or_else(usual)?, name: one.name })
    }
}

/// Returns the rules of drafts.
///
/// # Errors
/// Fails if they cannot be read.
pub fn draft_rules(assets: &Assets) -> Result<DraftRules, DraftError> {
    super::drafting::rules(assets)
}

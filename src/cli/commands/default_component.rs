//! The component that a command means which names none: the only one of the inventory, or the only one of the working
//! tree around the working directory.

use crate::base::text::{join_some, plural};
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::model::inventory::{Component, Inventory};

/// Returns the component, of those that fit the command.
///
/// # Errors
/// Fails when there is none, or more than one.
pub(super) fn default_component<'a>(
    context: &Context,
    inventory: &'a Inventory,
    fits: impl Fn(&Component) -> bool,
) -> Result<&'a Component, UsageError> {
    let fitting: Vec<&Component> = inventory.components.iter().filter(|one| fits(one)).collect();
    if let [one] = fitting.as_slice() {
        return Ok(one);
    }
    let here: Vec<&Component> =
        fitting.iter().copied().filter(|one| is_here(context, inventory, one)).collect();
    match here.as_slice() {
        [one] => Ok(one),
        [] => {
            let count = plural(fitting.len(), "component");
            Err(UsageError(format!(
                "name a component: {count} of the inventory could be meant, and none is of this directory; `cki init` drafts an entry for it"
            )))
        }
        several => {
            let names = join_some(several.iter().map(|one| format!("`{}`", one.name())));
            Err(UsageError(format!("name a component: this directory has {names}")))
        }
    }
}

/// Returns whether the working directory is in the sources of a component, in a working tree of the user.
fn is_here(context: &Context, inventory: &Inventory, one: &Component) -> bool {
    let cwd = context.host.cwd.canonicalize().unwrap_or_else(|_| context.host.cwd.clone());
    let sources = one.sources.iter().map(|source| (source.repo.as_str(), source.path.as_deref()));
    let build = one.build.iter().map(|build| (build.repo.as_str(), build.context.as_deref()));
    sources.chain(build).any(|(repo, path)| {
        let place = context.workspace.location(inventory, repo);
        let root = place.directory().canonicalize().unwrap_or_else(|_| place.directory().to_path_buf());
        let directory = path.map_or_else(|| root.clone(), |path| root.join(path));
        // From the root of a tree, all of its components are meant.
        place.is_in_place() && (cwd.starts_with(directory) || cwd == root)
    })
}

//! The projects of components: each is asked once, however many components come from it.

use std::collections::BTreeMap;

use crate::config::SettingOrigin;
use crate::model::inventory::{Component, Inventory};
use crate::ops::shared::project::server_for;
use crate::ops::stage::target;

/// A project, and the components that come from it.
#[derive(Debug)]
pub struct ProjectGroup<'a> {
    /// Address of the server.
    pub server: String,
    /// `group/project`.
    pub project: String,
    /// The components; none for a project that the user names alone.
    pub components: Vec<&'a Component>,
}

/// Returns the projects of components by server and path, and the names of components without one.
#[must_use]
pub fn groups<'a>(
    inventory: &'a Inventory,
    components: &[&'a Component],
    setting: &(String, SettingOrigin),
) -> (Vec<ProjectGroup<'a>>, Vec<String>) {
    let mut groups: BTreeMap<(String, String), Vec<&Component>> = BTreeMap::new();
    let mut without = Vec::new();
    for component in components {
        // The entry or the address of its repository names the project; no directory is looked at.
        match target(inventory, Some(component), None, std::path::Path::new("/")) {
            Ok(found) => {
                let server = server_for(found.server.as_deref(), setting).to_owned();
                groups.entry((server, found.project)).or_default().push(component);
            }
            Err(_) => without.push(component.name().to_owned()),
        }
    }
    let group = |((server, project), components)| ProjectGroup { server, project, components };
    (groups.into_iter().map(group).collect(), without)
}

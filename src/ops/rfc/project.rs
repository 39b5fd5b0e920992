//! The project of the repository with the requests for comments, and its server.

use crate::model::inventory::Inventory;
use crate::model::rfc::RfcProcess;
use crate::ops::shared::project::project_of;
use crate::systems::git::GitUrl;

/// A project on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RfcProject {
    /// `group/project`.
    pub path: String,
    /// Server of the repository's address, if that has one.
    pub server: Option<String>,
}

/// Returns the project that the inventory names, else that of the repository's address.
#[must_use]
pub fn project(inventory: &Inventory, process: &RfcProcess) -> Option<RfcProject> {
    let url = inventory.repo_url(&process.repo).and_then(|url| GitUrl::parse(url).ok());
    let of_url = url.as_ref().and_then(project_of);
    match (&process.project, of_url) {
        (Some(path), of_url) => Some(RfcProject {
            path: path.trim_matches('/').to_owned(),
            server: of_url.and_then(|(_, server)| server),
        }),
        (None, Some((path, server))) => Some(RfcProject { path, server }),
        (None, None) => None,
    }
}

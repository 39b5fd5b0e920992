//! The project on a server that an address of a repository stands for.

use crate::config::SettingOrigin;
use crate::systems::git::GitUrl;

/// Returns `group/project` and the server of an address, if it is on a server.
#[must_use]
pub fn project_of(url: &GitUrl) -> Option<(String, Option<String>)> {
    let host = url.host();
    let path = url.path().trim_matches('/').trim_end_matches(".git");
    let is_project = !host.is_empty() && path.contains('/');
    is_project.then(|| (path.to_owned(), Some(format!("https://{host}"))))
}

/// Returns the server to ask about a project: the one in the settings, or that of the project's address if the settings
/// name none.
#[must_use]
pub fn server_for<'u>(server: Option<&'u str>, (url, origin): &'u (String, SettingOrigin)) -> &'u str {
    server.filter(|_| *origin == SettingOrigin::Default).unwrap_or(url)
}

//! Content of a directory, compared with the address of a repository: its clone, a clone of another one, or
//! no clone at all. The paths of clones belong to `ops::shared::workspace`.

use std::path::Path;

use git2::{Config, ConfigLevel, Repository};

use super::repository_config::{Remote, RepositoryConfig};
use super::staging_dir::is_occupied;
use super::user_config::UserConfig;
use super::{GitError, GitUrl, without_login};
use crate::host::Env;

/// Setting of a clone that holds the address for which it was made.
const MADE_FOR: &str = "cki.repository";

/// Content of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloneStanding {
    /// Nothing, or an empty directory.
    Free,
    /// A clone of the repository.
    Clone {
        /// `origin` is the repository, not only another remote, as in a clone of a fork.
        origin: bool,
    },
    /// A repository without a remote, or one whose expected address is unknown: nothing to compare.
    Local,
    /// A clone of other repositories.
    Other {
        /// Addresses of its remotes, without logins.
        found: Vec<String>,
        /// Name that none of its remotes has.
        unused: String,
        /// `cki` made it, for another repository.
        made_for_another: bool,
    },
    /// Files that belong to no repository.
    Files,
}

/// Compares the content of a directory with the address of a repository. The environment locates the user's
/// git configuration, which may rewrite addresses.
///
/// # Errors
/// Fails if there is a repository that cannot be read.
pub fn standing(directory: &Path, wanted: Option<&GitUrl>, env: &Env) -> Result<CloneStanding, GitError> {
    if !is_occupied(directory) {
        return Ok(CloneStanding::Free);
    }
    let (remotes, config) = match RepositoryConfig::open(directory) {
        Ok(repository) => (repository.remotes()?, repository.settings()?),
        Err(GitError::NoRepository { .. }) => return Ok(CloneStanding::Files),
        // A foreign clone's settings are not applied, but may be read.
        Err(error @ GitError::Foreign { .. }) => {
            let Ok(config) = Config::open(&directory.join(".git/config")) else { return Err(error) };
            (written_remotes(&config), config)
        }
        Err(error) => return Err(error),
    };
    let Some(wanted) = wanted.filter(|_| !remotes.is_empty()) else { return Ok(CloneStanding::Local) };
    let parse = |remote: &Remote| GitUrl::parse(&remote.url).ok();
    let is_it = |remote: &&Remote| parse(remote).is_some_and(|url| url.is_same_repository(wanted));
    let mut matching: Vec<&Remote> = remotes.iter().filter(is_it).collect();
    if matching.is_empty() {
        // They may be equal after the user's configuration has rewritten them.
        let user = UserConfig::read(env)?;
        let goal = user.rewritten(wanted)?;
        let is_rewritten = |remote: &&Remote| {
            let actual = parse(remote).and_then(|url| user.rewritten(&url).ok());
            actual.is_some_and(|url| url.is_same_repository(&goal))
        };
        matching = remotes.iter().filter(is_rewritten).collect();
    }
    if !matching.is_empty() {
        let origin = remotes.len() == matching.len() || matching.iter().any(|remote| remote.name == "origin");
        return Ok(CloneStanding::Clone { origin });
    }
    let shown = |remote: &Remote| {
        GitUrl::parse(&remote.url).map_or_else(|_| without_login(&remote.url), |url| url.to_string())
    };
    let unused = ["upstream", "inventory"].into_iter().map(str::to_owned);
    let unused = unused.chain((2..).map(|number| format!("inventory-{number}")));
    let made_for = config.open_level(ConfigLevel::Local).and_then(|own| own.get_string(MADE_FOR));
    let made_for = made_for.ok().and_then(|url| GitUrl::parse(&url).ok());
    Ok(CloneStanding::Other {
        found: remotes.iter().map(shown).collect(),
        unused: unused
            .into_iter()
            .find(|name| remotes.iter().all(|remote| remote.name != *name))
            .unwrap_or_default(),
        made_for_another: made_for.is_some_and(|url| !url.is_same_repository(wanted)),
    })
}

/// Stores in a clone the address of the repository for which it is made.
pub(super) fn note_made_for(repository: &Repository, url: &GitUrl) -> Result<(), git2::Error> {
    repository.config()?.set_str(MADE_FOR, url.as_str())
}

/// Returns the remotes as a configuration file alone defines them.
fn written_remotes(config: &Config) -> Vec<Remote> {
    let mut remotes = Vec::new();
    let Ok(mut entries) = config.entries(Some(r"^remote\..*\.url$")) else { return remotes };
    while let Some(Ok(entry)) = entries.next() {
        let (Ok(name), Ok(url)) = (entry.name(), entry.value()) else { continue };
        let name = name.trim_start_matches("remote.").trim_end_matches(".url").to_owned();
        remotes.push(Remote { name, url: url.to_owned() });
    }
    remotes
}

//! Creation of a clone, whole or not at all: in a temporary directory next to its target. Updating an
//! existing clone is `update`.

use std::path::Path;

use git2::build::CheckoutBuilder;
use git2::{CheckoutNotificationType, Repository, RepositoryInitOptions};

use super::error::at;
use super::fetch::{FetchRequest, Prune, RemoteRefs};
use super::staging_dir::{StagingDir, is_occupied, place, remove_stale_clones};
use super::{Git, GitContext, GitError, GitUrl, MergeRequestHead, clone_state, tree};
use crate::base::files;

/// Prefix of the remote's branches in a clone.
const TRACKING: &str = "refs/remotes/origin/";
const HEADS: &str = "refs/heads/";

/// Order for a clone.
#[derive(Debug)]
pub struct NewClone<'a> {
    /// Repository to clone.
    pub url: &'a GitUrl,
    /// Target of the clone: a path where nothing exists, or an empty directory.
    pub target: &'a Path,
    /// Number of commits to fetch, of the default branch only; `None` fetches all.
    pub depth: Option<u32>,
    /// Merge request to check out instead of the default branch.
    pub merge_request: Option<&'a MergeRequestHead>,
}

impl Git {
    /// Makes a clone. First removes leftovers of earlier clones whose process was killed.
    ///
    /// # Errors
    /// Fails if the repository is out of reach or lacks the merge request, the target is occupied, or the
    /// work was stopped. Nothing is left of the clone then.
    pub fn make_clone(&self, order: &NewClone<'_>, job: GitContext<'_>) -> Result<(), GitError> {
        let (parent, _) = place(order.target)?;
        files::make_directory(parent)?;
        // The list of removed leftovers is not needed here.
        let _ = remove_stale_clones(parent);
        if is_occupied(order.target) {
            return Err(GitError::Occupied { path: order.target.to_owned() });
        }
        let temporary = StagingDir::next_to(order.target)?;
        self.fill(temporary.path(), order, job)?;
        if job.stop.now().is_some() {
            return Err(GitError::Stopped { what: order.url.to_string() });
        }
        temporary.persist(order.target)
    }

    fn fill(&self, directory: &Path, order: &NewClone<'_>, job: GitContext<'_>) -> Result<(), GitError> {
        let at = at(order.target);
        // The branch's name is a stand-in until the remote has sent its own.
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main");
        let repository = Repository::init_opts(directory, &options).map_err(&at)?;
        let ask: Vec<String> = order.merge_request.iter().map(|request| request.source()).collect();
        let plan = |advertised: &RemoteRefs| plan(order, advertised);
        let fetch_request =
            FetchRequest { ask: &ask, depth: order.depth, prune: Prune::OnlyInTheWay, plan: &plan };
        let advertised = self.fetch(&repository, order.url, job, &fetch_request)?;
        job.task.detail("checking out");
        let spec = branches(&advertised);
        set_up(&repository, order, &advertised, &spec).map_err(&at)?;
        check_out(&repository, job).map_err(|error| match job.stop.now() {
            Some(_) => GitError::Stopped { what: order.url.to_string() },
            None => at(error),
        })
    }
}

/// Returns the refspec for branches: of a shallow clone the default branch only, as git does.
fn branches(advertised: &RemoteRefs) -> String {
    let default = advertised.default_branch.as_deref().and_then(|name| name.strip_prefix(HEADS));
    let name = default.filter(|_| advertised.shallow).unwrap_or("*");
    format!("+{HEADS}{name}:{TRACKING}{name}")
}

fn plan(order: &NewClone<'_>, advertised: &RemoteRefs) -> Result<Vec<String>, GitError> {
    let mut specs = vec![branches(advertised)];
    if let Some(request) = order.merge_request {
        specs.push(request.refspec(order.url, advertised)?);
    }
    Ok(specs)
}

/// Configures the remote, its tracked branches, and the branch to work on.
fn set_up(
    repository: &Repository,
    order: &NewClone<'_>,
    advertised: &RemoteRefs,
    spec: &str,
) -> Result<(), git2::Error> {
    repository.remote_with_fetch("origin", order.url.as_str(), spec)?;
    clone_state::note_made_for(repository, order.url)?;
    if let Some(name) = default_branch(repository, advertised)? {
        let tracking = format!("{TRACKING}{name}");
        let commit = repository.find_reference(&tracking)?.peel_to_commit()?;
        repository.reference_symbolic(&format!("{TRACKING}HEAD"), &tracking, true, "cki: clone")?;
        let mut branch = repository.branch(&name, &commit, true)?;
        branch.set_upstream(Some(&format!("origin/{name}")))?;
        repository.set_head(&format!("{HEADS}{name}"))?;
    } else {
        // The repository is empty: the branch follows the remote's once that exists.
        let mut config = repository.config()?;
        config.set_str("branch.main.remote", "origin")?;
        config.set_str("branch.main.merge", "refs/heads/main")?;
    }
    match order.merge_request {
        Some(request) => request.begin(repository),
        None => Ok(()),
    }
}

/// Returns the branch to work on: the remote's default, else a usual name, else any.
fn default_branch(repository: &Repository, advertised: &RemoteRefs) -> Result<Option<String>, git2::Error> {
    let mut names = Vec::new();
    for reference in repository.references_glob(&format!("{TRACKING}*"))? {
        let name = reference?.name().ok().and_then(|name| name.strip_prefix(TRACKING)).map(str::to_owned);
        names.extend(name.filter(|name| name != "HEAD"));
    }
    names.sort();
    let own = advertised.default_branch.as_deref().and_then(|name| name.strip_prefix(HEADS));
    let usual = own.into_iter().chain(["main", "master"]);
    let found = usual.map(str::to_owned).find(|name| names.contains(name));
    Ok(found.or_else(|| names.into_iter().next()))
}

fn check_out(repository: &Repository, job: GitContext<'_>) -> Result<(), git2::Error> {
    if tree::head(repository)?.is_none() {
        return Ok(());
    }
    let mut options = CheckoutBuilder::new();
    options.force().notify_on(CheckoutNotificationType::all());
    options.notify(|_, _, _, _, _| job.stop.now().is_none());
    repository.checkout_head(Some(&mut options))
}

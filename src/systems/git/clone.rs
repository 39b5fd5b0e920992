//! Makes a clone: whole, or not at all. It is made in a temporary folder beside its place. Bringing
//! one that is there up to date is `update`.

use std::path::Path;

use git2::build::CheckoutBuilder;
use git2::{CheckoutNotificationType, Repository, RepositoryInitOptions};

use super::error::at;
use super::fetch::{Advertised, Prune, Wish};
use super::temporary::{Temporary, is_occupied, place, sweep};
use super::{Git, GitError, GitUrl, Job, MergeRequest, standing, tree};
use crate::base::files;

/// Where the branches of the remote stand in a clone.
const TRACKING: &str = "refs/remotes/origin/";
const HEADS: &str = "refs/heads/";

/// A clone to be made.
#[derive(Debug)]
pub struct NewClone<'a> {
    /// The repository.
    pub url: &'a GitUrl,
    /// Where the clone shall stand: nothing is there, or an empty folder.
    pub target: &'a Path,
    /// So many commits of the default branch only.
    pub depth: Option<u32>,
    /// Check this out instead of the default branch.
    pub merge_request: Option<&'a MergeRequest>,
}

impl Git {
    /// Makes a clone. What earlier ones left behind that were killed is removed first.
    ///
    /// # Errors
    /// When the repository is out of reach or lacks the merge request, the place is taken, or the
    /// work was stopped. Nothing is left of the clone then.
    pub fn make_clone(&self, order: &NewClone<'_>, job: Job<'_>) -> Result<(), GitError> {
        let (parent, _) = place(order.target)?;
        files::make_folder(parent)?;
        // What that was, nobody wants to know here.
        let _ = sweep(parent);
        if is_occupied(order.target) {
            return Err(GitError::Occupied { path: order.target.to_owned() });
        }
        let temporary = Temporary::beside(order.target)?;
        self.fill(temporary.path(), order, job)?;
        if job.stop.now().is_some() {
            return Err(GitError::Stopped { what: order.url.to_string() });
        }
        temporary.put(order.target)
    }

    fn fill(&self, folder: &Path, order: &NewClone<'_>, job: Job<'_>) -> Result<(), GitError> {
        let at = at(order.target);
        // The branch's name is only a stand-in until the remote has told its own.
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main");
        let repository = Repository::init_opts(folder, &options).map_err(&at)?;
        let ask: Vec<String> = order.merge_request.iter().map(|request| request.source()).collect();
        let plan = |advertised: &Advertised| plan(order, advertised);
        let wish = Wish { ask: &ask, depth: order.depth, prune: Prune::OnlyInTheWay, plan: &plan };
        let advertised = self.fetch(&repository, order.url, job, &wish)?;
        job.task.detail("checking out");
        let spec = branches(&advertised);
        set_up(&repository, order, &advertised, &spec).map_err(&at)?;
        check_out(&repository, job).map_err(|error| match job.stop.now() {
            Some(_) => GitError::Stopped { what: order.url.to_string() },
            None => at(error),
        })
    }
}

/// The refspec for branches: of a shallow clone the default branch only, as git has it.
fn branches(advertised: &Advertised) -> String {
    let default = advertised.default_branch.as_deref().and_then(|name| name.strip_prefix(HEADS));
    let name = default.filter(|_| advertised.shallow).unwrap_or("*");
    format!("+{HEADS}{name}:{TRACKING}{name}")
}

fn plan(order: &NewClone<'_>, advertised: &Advertised) -> Result<Vec<String>, GitError> {
    let mut specs = vec![branches(advertised)];
    if let Some(request) = order.merge_request {
        specs.push(request.refspec(order.url, advertised)?);
    }
    Ok(specs)
}

/// The remote, its branches as they are tracked, and the branch to work on.
fn set_up(
    repository: &Repository,
    order: &NewClone<'_>,
    advertised: &Advertised,
    spec: &str,
) -> Result<(), git2::Error> {
    repository.remote_with_fetch("origin", order.url.as_str(), spec)?;
    standing::note_made_for(repository, order.url)?;
    if let Some(name) = default_branch(repository, advertised)? {
        let tracking = format!("{TRACKING}{name}");
        let commit = repository.find_reference(&tracking)?.peel_to_commit()?;
        repository.reference_symbolic(&format!("{TRACKING}HEAD"), &tracking, true, "cki: clone")?;
        let mut branch = repository.branch(&name, &commit, true)?;
        branch.set_upstream(Some(&format!("origin/{name}")))?;
        repository.set_head(&format!("{HEADS}{name}"))?;
    } else {
        // Nothing is there yet: the branch is to follow the remote's once there is something.
        let mut config = repository.config()?;
        config.set_str("branch.main.remote", "origin")?;
        config.set_str("branch.main.merge", "refs/heads/main")?;
    }
    match order.merge_request {
        Some(request) => request.begin(repository),
        None => Ok(()),
    }
}

/// The branch to work on: the one the remote calls its own, else a usual one, else any.
fn default_branch(repository: &Repository, advertised: &Advertised) -> Result<Option<String>, git2::Error> {
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

fn check_out(repository: &Repository, job: Job<'_>) -> Result<(), git2::Error> {
    if tree::head(repository)?.is_none() {
        return Ok(());
    }
    let mut options = CheckoutBuilder::new();
    options.force().notify_on(CheckoutNotificationType::all());
    options.notify(|_, _, _, _, _| job.stop.now().is_none());
    repository.checkout_head(Some(&mut options))
}

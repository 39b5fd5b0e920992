//! Brings a clone up to date: fetch, then fast-forward. What holds a person's work (changes,
//! commits of its own, something half done) is left alone. Merge requests are `merge_request`.

use std::path::Path;

use git2::{ErrorCode, Oid, Repository};

use super::choose::Wish;
use super::error::at;
use super::{CommitId, Git, GitError, GitUrl, Job, Outcome, tree};

/// The branch of a remote that a local one follows.
struct Upstream {
    remote: String,
    /// The branch's name there.
    theirs: String,
    /// Where it is tracked here.
    tracking: String,
}

impl Git {
    /// Fetches what the checked-out branch follows, and fast-forwards to it.
    ///
    /// # Errors
    /// When there is no repository, or its remote is out of reach, or the work was stopped.
    pub fn update(&self, folder: &Path, job: Job<'_>) -> Result<Outcome, GitError> {
        let at = at(folder);
        let repository = tree::open(folder)?;
        if let Some(doing) = tree::busy(&repository) {
            return Ok(Outcome::Busy { doing });
        }
        let Some(branch) = tree::branch(&repository).map_err(&at)? else {
            return Ok(Outcome::Detached);
        };
        let no_upstream =
            || Ok(Outcome::NoUpstream { branch: branch.trim_start_matches("refs/heads/").to_owned() });
        let Some(upstream) = upstream(&repository, &branch).map_err(&at)? else {
            return no_upstream();
        };
        let remote = repository.find_remote(&upstream.remote).map_err(&at)?;
        let url = GitUrl::parse(remote.url().map_err(&at)?)?;
        let specs = tracking_specs(&remote).map_err(&at)?;
        let ask = [upstream.theirs];
        let wish = Wish { ask: &ask, depth: None, plan: &|_| Ok(specs.clone()) };
        let advertised = self.fetch(&repository, &url, job, &wish)?;
        let theirs = tree::commit_of(&repository, &upstream.tracking).map_err(&at)?;
        match theirs.filter(|_| advertised.refs.contains(&ask[0])) {
            Some(theirs) => advance(&repository, &branch, theirs).map_err(&at),
            // A clone of an empty repository that is empty still.
            None if tree::head(&repository).map_err(&at)?.is_none() => Ok(Outcome::Unchanged),
            None => no_upstream(),
        }
    }
}

fn upstream(repository: &Repository, branch: &str) -> Result<Option<Upstream>, git2::Error> {
    let found = |result: Result<git2::Buf, git2::Error>| match result {
        Ok(name) => Ok(name.as_str().ok().map(str::to_owned)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let remote = found(repository.branch_upstream_remote(branch))?;
    let theirs = found(repository.branch_upstream_merge(branch))?;
    let (Some(remote), Some(theirs)) = (remote, theirs) else { return Ok(None) };
    // A branch may follow another local one (`.`), or an address that is no remote's.
    if repository.find_remote(&remote).is_err() {
        return Ok(None);
    }
    let tracking = found(repository.branch_upstream_name(branch))?;
    Ok(tracking.filter(|name| !name.starts_with("refs/heads/")).map(|tracking| Upstream {
        remote,
        theirs,
        tracking,
    }))
}

/// What the remote is set to fetch, but for what would move a person's own branches.
fn tracking_specs(remote: &git2::Remote<'_>) -> Result<Vec<String>, git2::Error> {
    let mut specs = Vec::new();
    for spec in remote.fetch_refspecs()?.iter() {
        let spec = spec?.unwrap_or_default();
        let to = spec.split_once(':').map_or("", |(_, to)| to);
        if to.starts_with("refs/") && !to.starts_with("refs/heads/") {
            specs.push(spec.to_owned());
        }
    }
    Ok(specs)
}

fn advance(repository: &Repository, branch: &str, theirs: Oid) -> Result<Outcome, git2::Error> {
    let mine = tree::head(repository)?;
    let (ahead, behind) = match mine {
        Some(mine) => repository.graph_ahead_behind(mine, theirs)?,
        None => (0, 1),
    };
    if tree::changes(repository)?.tracked {
        return Ok(Outcome::Dirty { behind });
    }
    match (ahead, behind) {
        (0, 0) => return Ok(Outcome::Unchanged),
        (ahead, 0) => return Ok(Outcome::Ahead { ahead }),
        (0, _) => {}
        (ahead, behind) => return Ok(Outcome::Diverged { ahead, behind }),
    }
    let paths = tree::move_to(repository, theirs)?;
    if !paths.is_empty() {
        return Ok(Outcome::InTheWay { paths });
    }
    // Should a person have committed in the meantime, their branch stays where it is.
    match mine {
        Some(mine) => repository.reference_matching(branch, theirs, true, mine, "cki: fast-forward")?,
        None => repository.reference(branch, theirs, false, "cki: first commits")?,
    };
    Ok(Outcome::Updated { from: mine.map(CommitId::new), to: CommitId::new(theirs) })
}

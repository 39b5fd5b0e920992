//! Update of a clone: fetch, then fast-forward, or follow a rewritten branch. A clone with the user's work
//! (changes, own commits, an operation in progress) is left alone. Merge requests are `merge_request`.

use std::path::Path;

use git2::{ErrorCode, Oid, Repository};

use super::error::at;
use super::fetch::{FetchRequest, Prune, RemoteRefs};
use super::moving::{self, MoveResult};
use super::rewritten::{self, Rewrite};
use super::user_config::UserConfig;
use super::{CloneResult, CommitId, Git, GitContext, GitError, GitUrl, tree};

const HEADS: &str = "refs/heads/";

/// Upstream branch of a local one.
struct Upstream {
    remote: String,
    /// Name of the branch on the remote.
    theirs: String,
    /// Its remote-tracking ref.
    tracking: String,
}

/// Opens a clone, and mends what a killed update has left of it. Returns the checked-out branch as well, or the reason
/// for leaving the clone alone.
pub(super) fn open_branch(directory: &Path) -> Result<Result<(Repository, String), CloneResult>, GitError> {
    let at = at(directory);
    let repository = tree::open(directory)?;
    moving::heal(&repository).map_err(&at)?;
    if let Some(doing) = tree::busy(&repository) {
        return Ok(Err(CloneResult::Busy { doing }));
    }
    let branch = tree::branch(&repository).map_err(&at)?;
    Ok(branch.map(|branch| (repository, branch)).ok_or(CloneResult::Detached))
}

impl Git {
    /// Fetches the upstream of the checked-out branch, and fast-forwards to it.
    ///
    /// # Errors
    /// Fails if there is no repository, or its remote is out of reach, or the work was stopped.
    pub fn update(&self, directory: &Path, job: GitContext<'_>) -> Result<CloneResult, GitError> {
        let at = at(directory);
        let (repository, branch) = match open_branch(directory)? {
            Ok(found) => found,
            Err(left_alone) => return Ok(left_alone),
        };
        let no_upstream =
            || Ok(CloneResult::NoUpstream { branch: branch.trim_start_matches("refs/heads/").to_owned() });
        let Some(upstream) = upstream(&repository, &branch).map_err(&at)? else {
            return no_upstream();
        };
        let remote = repository.find_remote(&upstream.remote).map_err(&at)?;
        let url = GitUrl::parse(&tree::address(&repository, &upstream.remote).map_err(&at)?)?;
        let specs = tracking_specs(&remote).map_err(&at)?;
        let former = former_default(&repository, &upstream.remote).map_err(&at)?;
        let ask = [upstream.theirs.clone()];
        let plan = |advertised: &RemoteRefs| Ok(upstream.plan(&specs, advertised));
        let user = UserConfig::read(&self.env)?;
        let prune = prune(&repository, &user, &upstream.remote).map_err(&at)?;
        let fetch_request = FetchRequest { ask: &ask, depth: None, prune, plan: &plan };
        let held = tree::commit_of(&repository, &upstream.tracking).map_err(&at)?;
        let advertised = self.fetch(&repository, &url, job, &fetch_request)?;
        let default = advertised.default_branch.as_deref().and_then(|name| name.strip_prefix(HEADS));
        if let Some(default) = default {
            upstream.note_default(&repository, default).map_err(&at)?;
        }
        if advertised.refs.contains_key(&upstream.theirs)
            && let Some(theirs) = tree::commit_of(&repository, &upstream.tracking).map_err(&at)?
        {
            let was_default = former.as_deref() == upstream.theirs.strip_prefix(HEADS);
            if let Some(default) =
                default.filter(|default| was_default && former.as_deref() != Some(*default))
            {
                job.events.note(format!(
                    "the default branch on the server is now {default}; `{}` stays on {}",
                    directory.display(),
                    branch.trim_start_matches(HEADS)
                ));
            }
            return upstream.advance(&repository, &branch, held, theirs).map_err(&at);
        }
        match default {
            // The repository was empty when it was cloned, and still is.
            None if tree::head(&repository).map_err(&at)?.is_none() => Ok(CloneResult::Unchanged),
            Some(default) if upstream.was_default(former.as_deref()) => {
                match upstream.follow(&repository, &branch, default).map_err(&at)? {
                    Some(outcome) => Ok(outcome),
                    None => Err(upstream.gone(&repository, directory, &branch, &advertised).map_err(&at)?),
                }
            }
            _ => Err(upstream.gone(&repository, directory, &branch, &advertised).map_err(&at)?),
        }
    }
}

/// Returns the prune settings of the user's git configuration or of the clone. Pruning is on by default: a
/// clone that keeps refs which the remote no longer has may become impossible to update.
fn prune(repository: &Repository, user: &UserConfig, remote: &str) -> Result<Prune, git2::Error> {
    let own = repository.config()?.open_level(git2::ConfigLevel::Local)?;
    let truth = |key: &str| {
        let of_remote = format!("remote.{remote}.{key}");
        let set = own.get_bool(&of_remote).or_else(|_| own.get_bool(&format!("fetch.{key}"))).ok();
        set.or_else(|| user.truth(&of_remote)).or_else(|| user.truth(&format!("fetch.{key}")))
    };
    Ok(match (truth("prune"), truth("pruneTags")) {
        (Some(false), _) => Prune::OnlyInTheWay,
        (_, Some(true)) => Prune::TrackedAndTags,
        _ => Prune::Tracked,
    })
}

/// Returns the branch that was the remote's default at the last fetch.
fn former_default(repository: &Repository, remote: &str) -> Result<Option<String>, git2::Error> {
    let prefix = format!("refs/remotes/{remote}/");
    match repository.find_reference(&format!("{prefix}HEAD")) {
        Ok(head) => {
            Ok(head.symbolic_target()?.and_then(|name| name.strip_prefix(&prefix)).map(str::to_owned))
        }
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Upstream {
    /// Returns the refspecs to fetch: those of the remote without branches that it no longer has, and its
    /// default branch if that replaces one.
    fn plan(&self, specs: &[String], advertised: &RemoteRefs) -> Vec<String> {
        let is_there = |spec: &&String| {
            let from = spec.trim_start_matches('+').split(':').next().unwrap_or_default();
            from.contains('*') || advertised.refs.contains_key(from)
        };
        let mut there: Vec<String> = specs.iter().filter(is_there).cloned().collect();
        if there.len() < specs.len()
            && let Some(default) = &advertised.default_branch
        {
            let name = default.strip_prefix(HEADS).unwrap_or(default);
            there.push(format!("+{default}:refs/remotes/{}/{name}", self.remote));
        }
        there
    }

    /// Stores the remote's default branch, as a clone does.
    fn note_default(&self, repository: &Repository, default: &str) -> Result<(), git2::Error> {
        let tracking = format!("refs/remotes/{}/{default}", self.remote);
        if tree::commit_of(repository, &tracking)?.is_some() {
            let head = format!("refs/remotes/{}/HEAD", self.remote);
            repository.reference_symbolic(&head, &tracking, true, "cki: fetch")?;
        }
        Ok(())
    }

    /// Returns whether the upstream branch was the remote's default.
    fn was_default(&self, former: Option<&str>) -> bool {
        let theirs = self.theirs.trim_start_matches(HEADS);
        former.map_or_else(|| matches!(theirs, "main" | "master"), |former| former == theirs)
    }

    /// Switches to the remote's new default branch, under its name; `None` if that would hide work of the
    /// user.
    fn follow(
        &self,
        repository: &Repository,
        branch: &str,
        default: &str,
    ) -> Result<Option<CloneResult>, git2::Error> {
        let tracking = format!("refs/remotes/{}/{default}", self.remote);
        let new = format!("{HEADS}{default}");
        let Some(theirs) = tree::commit_of(repository, &tracking)? else { return Ok(None) };
        let mine = tree::head(repository)?;
        if branch != new && tree::commit_of(repository, &new)?.is_some() {
            return Ok(None);
        }
        let outcome = match mine {
            Some(mine) => {
                if repository.graph_ahead_behind(mine, theirs)?.0 > 0 {
                    return Ok(None);
                }
                let outcome = self.advance(repository, branch, None, theirs)?;
                if outcome.is_left_alone() {
                    return Ok(Some(outcome));
                }
                let from = branch.trim_start_matches(HEADS);
                repository.find_branch(from, git2::BranchType::Local)?.rename(default, false)?;
                CloneResult::Renamed {
                    from: from.to_owned(),
                    branch: default.to_owned(),
                    to: CommitId::new(theirs),
                }
            }
            None => {
                repository.set_head(&new)?;
                self.advance(repository, &new, None, theirs)?
            }
        };
        if tree::commit_of(repository, &new)?.is_some() {
            let mut branch = repository.find_branch(default, git2::BranchType::Local)?;
            self.keep_fetching(repository, default)?;
            branch.set_upstream(Some(&format!("{}/{default}", self.remote)))?;
        }
        Ok(Some(outcome))
    }

    /// Moves the branch to the server's commit, unless that would touch the user's work. `held` is the value
    /// of the tracking ref before the fetch.
    fn advance(
        &self,
        repository: &Repository,
        branch: &str,
        held: Option<Oid>,
        theirs: Oid,
    ) -> Result<CloneResult, git2::Error> {
        let mine = tree::head(repository)?;
        let (ahead, behind) = match mine {
            Some(mine) => repository.graph_ahead_behind(mine, theirs)?,
            None => (0, 1),
        };
        let rewrite = match mine {
            Some(mine) if ahead > 0 && behind > 0 => {
                rewritten::find(repository, &self.tracking, held, (mine, theirs))?
            }
            _ => Rewrite::No,
        };
        let moves = rewrite == Rewrite::Whole || (ahead == 0 && behind > 0);
        let is_clean = if moves {
            moving::forget_same(repository, theirs)?
        } else {
            !tree::changes(repository)?.tracked
        };
        let short = branch.trim_start_matches(HEADS).to_owned();
        match (ahead, behind) {
            _ if !is_clean && rewrite != Rewrite::No => {
                return Ok(CloneResult::DirtyRewritten { branch: short });
            }
            _ if !is_clean => return Ok(CloneResult::Dirty { behind }),
            _ if moves => {}
            (0, _) => return Ok(CloneResult::Unchanged),
            (ahead, 0) => return Ok(CloneResult::Ahead { ahead }),
            (ahead, behind) if rewrite == Rewrite::Partly => {
                return Ok(CloneResult::DivergedRewritten { branch: short, ahead, behind });
            }
            (ahead, behind) => return Ok(CloneResult::Diverged { ahead, behind }),
        }
        let moving = match moving::move_to(repository, theirs)? {
            MoveResult::Done(moving) => moving,
            MoveResult::InTheWay(paths) => return Ok(CloneResult::InTheWay { paths }),
        };
        let why = if rewrite == Rewrite::Whole { "cki: follow a rewrite" } else { "cki: fast-forward" };
        // If the user has committed meanwhile, the branch stays.
        match mine {
            Some(mine) => repository.reference_matching(branch, theirs, true, mine, why)?,
            None => repository.reference(branch, theirs, false, "cki: first commits")?,
        };
        moving.done();
        let to = CommitId::new(theirs);
        Ok(match mine.filter(|_| rewrite == Rewrite::Whole) {
            Some(mine) => CloneResult::Rewritten { branch: short, from: CommitId::new(mine), to },
            None => CloneResult::Updated { from: mine.map(CommitId::new), to },
        })
    }

    /// Returns the error for a branch without an upstream any more, with the commands to continue.
    fn gone(
        &self,
        repository: &Repository,
        directory: &Path,
        branch: &str,
        advertised: &RemoteRefs,
    ) -> Result<GitError, git2::Error> {
        let there: Vec<&str> = advertised.refs.keys().filter_map(|name| name.strip_prefix(HEADS)).collect();
        let default = advertised.default_branch.as_deref().and_then(|name| name.strip_prefix(HEADS));
        let usual = default.into_iter().chain(["main", "master"]).find(|name| there.contains(name));
        let next = usual.or(there.first().copied());
        let switch = next.map(|next| self.way_to(repository, next)).transpose()?;
        let branch = branch.trim_start_matches(HEADS).to_owned();
        let theirs = self.theirs.trim_start_matches(HEADS).to_owned();
        Ok(GitError::BranchGone {
            path: directory.to_owned(),
            branch,
            theirs,
            switch: switch.unwrap_or_default(),
        })
    }

    /// Returns the git commands that switch to a branch of the remote.
    fn way_to(&self, repository: &Repository, name: &str) -> Result<Vec<Vec<String>>, git2::Error> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        if tree::commit_of(repository, &format!("{HEADS}{name}"))?.is_some() {
            return Ok(vec![words(&["switch", name])]);
        }
        let tracking = format!("{}/{name}", self.remote);
        if tree::commit_of(repository, &format!("refs/remotes/{tracking}"))?.is_none() {
            let fetch = words(&["fetch", &self.remote, &format!("{name}:{name}")]);
            return Ok(vec![fetch, words(&["switch", name])]);
        }
        let remote = repository.find_remote(&self.remote)?;
        let is_tracked = remote.refspecs().any(|spec| spec.src_matches(&format!("{HEADS}{name}")));
        let track = if is_tracked { "--track" } else { "--no-track" };
        Ok(vec![words(&["switch", "-c", name, track, &tracking])])
    }

    /// Adds the new branch to the remote's refspecs, if these name only the old one.
    fn keep_fetching(&self, repository: &Repository, default: &str) -> Result<(), git2::Error> {
        let old = self.theirs.trim_start_matches(HEADS);
        let own = format!("{HEADS}{old}:refs/remotes/{}/{old}", self.remote);
        let remote = repository.find_remote(&self.remote)?;
        let is_own = |spec: &str| spec.trim_start_matches('+') == own;
        if !remote.fetch_refspecs()?.iter().any(|spec| spec.ok().flatten().is_some_and(is_own)) {
            return Ok(());
        }
        let (key, new) = (format!("remote.{}.fetch", self.remote), default);
        let spec = format!("+{HEADS}{new}:refs/remotes/{}/{new}", self.remote);
        let literal: String = own.chars().flat_map(regex_escape).collect();
        repository.config()?.set_multivar(&key, &format!("^\\+?{literal}$"), &spec)
    }
}

fn regex_escape(one: char) -> impl Iterator<Item = char> {
    let is_plain = one.is_alphanumeric() || matches!(one, '/' | ':' | '-' | '_');
    (!is_plain).then_some('\\').into_iter().chain(std::iter::once(one))
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
    // A branch may follow another local one (`.`), or an address that belongs to no remote.
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

/// Returns the remote's fetch refspecs, without those that would move the user's own branches.
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

//! Fetches a merge request and checks it out on its own branch, by the rules of `update`: the user's changes
//! and commits are left alone. Authors often force-push merge requests; a ref keeps the head of the last
//! fetch, so that the user's own commits can be told from those that the author has replaced.

use std::path::Path;

use git2::{Oid, Reference, Repository};

use super::error::at;
use super::fetch::{FetchRequest, Prune, RemoteRefs};
use super::inspect::remote_of;
use super::moving::{self, MoveResult};
use super::update::open_branch;
use super::{CloneResult, CommitId, Git, GitContext, GitError, GitUrl, tree};

/// Merge request of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeRequestHead {
    iid: u64,
    source: String,
}

impl MergeRequestHead {
    /// Creates a merge request by number. `pattern` is the server's ref of its head, with `{n}` for the
    /// number.
    ///
    /// # Errors
    /// Fails if the pattern does not give the name of a ref.
    pub fn new(iid: u64, pattern: &str) -> Result<Self, GitError> {
        let source = pattern.replace("{n}", &iid.to_string());
        let is_full = source.starts_with("refs/") && source != pattern;
        if is_full && Reference::is_valid_name(&source) {
            Ok(Self { iid, source })
        } else {
            Err(GitError::RefName { name: pattern.escape_default().to_string() })
        }
    }

    /// Returns the number.
    #[must_use]
    pub fn iid(&self) -> u64 {
        self.iid
    }

    /// Returns the name of its branch in a clone.
    #[must_use]
    pub fn branch(&self) -> String {
        format!("mr-{}", self.iid)
    }

    /// Returns the ref on the server.
    pub(super) fn source(&self) -> String {
        self.source.clone()
    }

    fn own(&self) -> String {
        format!("refs/heads/{}", self.branch())
    }

    /// Returns the ref that receives the head during a fetch.
    fn incoming(&self) -> String {
        format!("refs/cki/incoming/{}", self.iid)
    }

    /// Returns the ref that keeps the head that was last fetched without moving the branch.
    fn fetched_head_ref(&self) -> String {
        format!("refs/cki/head/{}", self.iid)
    }

    /// Returns the ref that keeps the head to which the branch was last moved.
    fn moved_head_ref(&self) -> String {
        format!("refs/cki/mr/{}", self.iid)
    }

    /// Returns the refspec that fetches the merge request.
    pub(super) fn refspec(&self, url: &GitUrl, advertised: &RemoteRefs) -> Result<String, GitError> {
        if !advertised.refs.contains_key(&self.source) {
            return Err(GitError::NoMergeRequest { url: url.to_string(), iid: self.iid });
        }
        Ok(format!("+{}:{}", self.source, self.incoming()))
    }

    /// Makes the merge request the branch of a clone that has no files yet.
    pub(super) fn begin(&self, repository: &Repository) -> Result<(), git2::Error> {
        let head = repository.refname_to_id(&self.incoming())?;
        self.settle(repository, head)?;
        repository.set_head(&self.own())
    }

    /// Moves the branch to a head and stores that head.
    fn settle(&self, repository: &Repository, head: Oid) -> Result<(), git2::Error> {
        repository.reference(&self.own(), head, true, "cki: merge request")?;
        repository.reference(&self.moved_head_ref(), head, true, "cki: merge request")?;
        self.forget_incoming(repository)
    }

    fn forget_incoming(&self, repository: &Repository) -> Result<(), git2::Error> {
        match repository.find_reference(&self.incoming()) {
            Ok(mut incoming) => incoming.delete(),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Git {
    /// Fetches a merge request into a clone and checks it out. If one of the clone's remotes is the same
    /// repository as `url`, that remote's address is used. `depth` has an effect only in a shallow clone.
    ///
    /// # Errors
    /// Fails if there is no such merge request, no clone, the repository is out of reach, or the work was
    /// stopped.
    pub fn merge_request(
        &self,
        directory: &Path,
        url: &GitUrl,
        request: &MergeRequestHead,
        depth: Option<u32>,
        job: GitContext<'_>,
    ) -> Result<CloneResult, GitError> {
        let at = at(directory);
        let (repository, branch) = match open_branch(directory)? {
            Ok(found) => found,
            Err(left_alone) => return Ok(left_alone),
        };
        let url = remote_of(&repository, url, &self.env)?.unwrap_or_else(|| url.clone());
        request.forget_incoming(&repository).map_err(&at)?;
        let ask = [request.source()];
        let plan = |advertised: &RemoteRefs| Ok(vec![request.refspec(&url, advertised)?]);
        let depth = depth.filter(|_| repository.is_shallow());
        let fetch_request = FetchRequest { ask: &ask, depth, prune: Prune::OnlyInTheWay, plan: &plan };
        self.fetch(&repository, &url, job, &fetch_request)?;
        let outcome = apply(&repository, request, &branch);
        request.forget_incoming(&repository).map_err(&at)?;
        outcome.map_err(&at)
    }
}

impl Git {
    /// Fetches the head of a merge request into a clone. No branch and no file changes. If one of the clone's remotes is the
    /// same repository as `url`, that remote's address is used.
    ///
    /// # Errors
    /// Fails if there is no such merge request, no clone, the repository is out of reach, or the work was stopped.
    pub fn fetch_head(
        &self,
        directory: &Path,
        url: &GitUrl,
        request: &MergeRequestHead,
        job: GitContext<'_>,
    ) -> Result<CommitId, GitError> {
        let at = at(directory);
        let repository = tree::open(directory)?;
        let url = remote_of(&repository, url, &self.env)?.unwrap_or_else(|| url.clone());
        request.forget_incoming(&repository).map_err(&at)?;
        let ask = [request.source()];
        let plan = |advertised: &RemoteRefs| Ok(vec![request.refspec(&url, advertised)?]);
        let fetch_request = FetchRequest { ask: &ask, depth: None, prune: Prune::OnlyInTheWay, plan: &plan };
        self.fetch(&repository, &url, job, &fetch_request)?;
        let keep = || {
            let head = repository.refname_to_id(&request.incoming())?;
            repository.reference(&request.fetched_head_ref(), head, true, "cki: merge request")?;
            request.forget_incoming(&repository)?;
            Ok(CommitId::new(head))
        };
        keep().map_err(&at)
    }
}

/// Action on the branch.
#[derive(Debug, PartialEq, Eq)]
enum FetchStep {
    /// Moves it to the fetched head.
    Move,
    /// Leaves it: it is at the fetched head.
    Stay,
    /// Leaves it: the user has commits on top.
    Ahead(usize),
    /// Leaves it: the user's commits and the head diverged.
    Diverged(usize, usize),
}

/// Decides the action from the branch's commit, and the head to which it was last moved. `count` returns how
/// many commits the first has that the second lacks, and the reverse.
fn decide<E>(
    own: Option<Oid>,
    kept: Option<Oid>,
    head: Oid,
    count: impl Fn(Oid, Oid) -> Result<(usize, usize), E>,
) -> Result<FetchStep, E> {
    let Some(own) = own else { return Ok(FetchStep::Move) };
    if own == head {
        return Ok(FetchStep::Stay);
    }
    // The branch holds only fetched commits: it follows the head.
    if let Some(kept) = kept
        && count(own, kept)?.0 == 0
    {
        return Ok(FetchStep::Move);
    }
    Ok(match count(own, head)? {
        (0, _) => FetchStep::Move,
        (ahead, 0) => FetchStep::Ahead(ahead),
        (ahead, behind) => FetchStep::Diverged(ahead, behind),
    })
}

fn apply(
    repository: &Repository,
    request: &MergeRequestHead,
    branch: &str,
) -> Result<CloneResult, git2::Error> {
    let head = repository.find_reference(&request.incoming())?.peel_to_commit()?.id();
    let own = tree::commit_of(repository, &request.own())?;
    let kept = tree::commit_of(repository, &request.moved_head_ref())?;
    let is_there = branch == request.own();
    let step = decide(own, kept, head, |a, b| repository.graph_ahead_behind(a, b))?;
    let goal = match (&step, own) {
        (FetchStep::Ahead(_), Some(own)) => own,
        _ => head,
    };
    let moves = matches!(step, FetchStep::Move) || !is_there;
    let is_clean =
        if moves { moving::forget_same(repository, goal)? } else { !tree::changes(repository)?.tracked };
    if !is_clean {
        let behind = own.map_or(Ok((0, 0)), |own| repository.graph_ahead_behind(own, head))?.1;
        return Ok(CloneResult::Dirty { behind });
    }
    match step {
        FetchStep::Diverged(ahead, behind) => return Ok(CloneResult::Diverged { ahead, behind }),
        FetchStep::Ahead(ahead) if is_there => return Ok(CloneResult::Ahead { ahead }),
        FetchStep::Stay if is_there => {
            request.settle(repository, head)?;
            return Ok(CloneResult::Unchanged);
        }
        _ => {}
    }
    let moving = match moving::move_to(repository, goal)? {
        MoveResult::Done(moving) => moving,
        MoveResult::InTheWay(paths) => return Ok(CloneResult::InTheWay { paths }),
    };
    if goal == head {
        request.settle(repository, head)?;
    }
    let to = CommitId::new(goal);
    if is_there {
        moving.done();
        return Ok(CloneResult::Updated { from: own.map(CommitId::new), to });
    }
    repository.set_head(&request.own())?;
    moving.done();
    Ok(CloneResult::Switched { branch: request.branch(), to })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: u8) -> Oid {
        Oid::from_bytes(&[digit; 20]).expect("twenty bytes")
    }

    /// Counts for this history: base 1 with 2 on it, the user's 3 on 2, and 4 on 1 instead of 2.
    fn count(a: Oid, b: Oid) -> Result<(usize, usize), ()> {
        let history = |id: Oid| match id.as_bytes()[0] {
            1 => vec![1],
            2 => vec![1, 2],
            3 => vec![1, 2, 3],
            _ => vec![1, 4],
        };
        let missing = |a: Oid, b: Oid| history(a).iter().filter(|c| !history(b).contains(c)).count();
        Ok((missing(a, b), missing(b, a)))
    }

    #[test]
    fn merge_request_branch_follows_unless_changed() {
        let step =
            |own: Option<u8>, kept: Option<u8>, head| decide(own.map(id), kept.map(id), id(head), count);
        assert_eq!(step(None, None, 2), Ok(FetchStep::Move));
        assert_eq!(step(Some(2), Some(2), 2), Ok(FetchStep::Stay));
        assert_eq!(step(Some(1), Some(1), 2), Ok(FetchStep::Move));
        // After a force-push: other commits, or fewer.
        assert_eq!(step(Some(2), Some(2), 4), Ok(FetchStep::Move));
        assert_eq!(step(Some(2), Some(2), 1), Ok(FetchStep::Move));
        // The same, with a commit of the user's on top.
        assert_eq!(step(Some(3), Some(2), 2), Ok(FetchStep::Ahead(1)));
        assert_eq!(step(Some(3), Some(2), 4), Ok(FetchStep::Diverged(2, 1)));
        // A branch of that name that was never fetched.
        assert_eq!(step(Some(2), None, 4), Ok(FetchStep::Diverged(1, 1)));
        assert_eq!(step(Some(1), None, 4), Ok(FetchStep::Move));
    }

    #[test]
    fn merge_request_pattern_must_name_a_ref() {
        let request = MergeRequestHead::new(213, "refs/merge-requests/{n}/head").expect("a ref");
        assert_eq!(
            (request.source().as_str(), request.branch().as_str()),
            ("refs/merge-requests/213/head", "mr-213")
        );
        for pattern in [
            "refs/merge-requests/1/head",
            "{n}",
            "--upload-pack={n}",
            "refs/a b/{n}",
            "refs/{n}:refs/heads/x",
            "refs/*/{n}",
        ] {
            assert!(MergeRequestHead::new(1, pattern).is_err(), "{pattern}");
        }
    }
}

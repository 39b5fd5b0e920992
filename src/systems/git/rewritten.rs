//! Tells a branch that was rewritten on the server from one with the user's own commits, by the earlier
//! values of the remote-tracking ref. Moving a clone is `moving`; the reaction is `update`.

use git2::{ErrorCode, Oid, Repository, Revwalk};

/// Reflog message of git for a remote-tracking ref that a push of this clone has moved.
const PUSHED: &str = "update by push";

/// Origin of the commits that only the clone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rewrite {
    /// The server never had them, as far as is known.
    No,
    /// The server had all of them: none is the user's own.
    Whole,
    /// The server had some of them.
    Partly,
}

/// Compares a commit with the server's new one, given what the tracking ref held before the fetch.
pub(super) fn find(
    repository: &Repository,
    tracking: &str,
    held: Option<Oid>,
    (mine, theirs): (Oid, Oid),
) -> Result<Rewrite, git2::Error> {
    let (mut had, pushed) = logged(repository, tracking)?;
    had.extend(held);
    // Commits that git has pruned meanwhile prove nothing.
    had.retain(|id| !pushed.contains(id) && repository.find_commit(*id).is_ok());
    let ahead = only_in(repository, mine, &[theirs])?.collect::<Result<Vec<_>, _>>()?;
    let ahead: std::collections::BTreeSet<Oid> = ahead.into_iter().collect();
    // Pushed commits are the user's, even if the server has dropped them since.
    let is_own = pushed.iter().any(|id| ahead.contains(id));
    had.push(theirs);
    if !is_own && only_in(repository, mine, &had)?.next().is_none() {
        return Ok(Rewrite::Whole);
    }
    let is_some = is_own || had.iter().any(|id| ahead.contains(id));
    Ok(if is_some { Rewrite::Partly } else { Rewrite::No })
}

/// Reads the reflog of a ref: the tips that were fetched, and those that were pushed.
fn logged(repository: &Repository, name: &str) -> Result<(Vec<Oid>, Vec<Oid>), git2::Error> {
    let log = match repository.reflog(name) {
        Ok(log) => log,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok((Vec::new(), Vec::new())),
        Err(error) => return Err(error),
    };
    let (mut fetched, mut pushed) = (Vec::new(), Vec::new());
    for entry in log.iter() {
        let is_push = entry.message_bytes().is_some_and(|said| said.starts_with(PUSHED.as_bytes()));
        if is_push {
            pushed.push(entry.id_new());
        } else {
            fetched.push(entry.id_new());
            fetched.push(entry.id_old());
        }
    }
    Ok((fetched, pushed))
}

fn only_in<'r>(repository: &'r Repository, from: Oid, but: &[Oid]) -> Result<Revwalk<'r>, git2::Error> {
    let mut walk = repository.revwalk()?;
    walk.push(from)?;
    for id in but {
        walk.hide(*id)?;
    }
    Ok(walk)
}

//! Which way to a repository: through libgit2, or through the installed `git`. This is the only
//! place that decides it; both ways do the same for the same wish.

use std::collections::BTreeSet;
use std::sync::Arc;

use git2::Repository;

use super::error::at;
use super::program::Program;
use super::session::Session;
use super::url::Scheme;
use super::{Git, GitError, GitUrl, Job, library};

/// What a remote repository has.
pub(super) struct Advertised {
    /// The full name of the branch that it calls its own.
    pub(super) default_branch: Option<String>,
    /// The refs that it has: branches, tags, and those asked for.
    pub(super) refs: BTreeSet<String>,
    /// Whether these are all branches and tags.
    pub(super) is_complete: bool,
    /// Whether only so many commits will be fetched as the wish says.
    pub(super) shallow: bool,
}

/// What to fetch.
pub(super) struct Wish<'a> {
    /// Refs whose presence matters for the plan.
    pub(super) ask: &'a [String],
    /// So many commits of each branch only.
    pub(super) depth: Option<u32>,
    /// What to do with refs that the remote no longer has.
    pub(super) prune: Prune,
    /// The refspecs to fetch, once it is known what there is.
    pub(super) plan: &'a dyn Fn(&Advertised) -> Result<Vec<String>, GitError>,
}

/// Which refs of a clone go when the remote no longer has theirs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prune {
    /// Those whose names are needed for what is fetched.
    OnlyInTheWay,
    /// All that the refspecs give.
    Tracked,
    /// These, and tags.
    TrackedAndTags,
}

/// A way to a repository.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    Library,
    Program,
}

fn way(url: &GitUrl) -> Way {
    match url.scheme() {
        Scheme::Http | Scheme::Git | Scheme::Local => Way::Library,
        Scheme::Ssh => Way::Program,
    }
}

impl Git {
    /// Fetches into a repository.
    pub(super) fn fetch(
        &self,
        repository: &Repository,
        url: &GitUrl,
        job: Job<'_>,
        wish: &Wish<'_>,
    ) -> Result<Advertised, GitError> {
        let (actual, session) = self.begin(repository, url, job)?;
        let mut wish = Wish { ..*wish };
        if wish.depth.is_some() && actual.scheme() == Scheme::Local {
            job.events.note(format!("`{actual}` is on this machine and is cloned with its whole history"));
            wish.depth = None;
        }
        let program =
            || Program::find(&self.env).map(|program| program.fetch(repository, url, &session, job, &wish));
        match way(&actual) {
            Way::Program => program().ok_or_else(|| GitError::NoProgram { url: actual.to_string() })?,
            Way::Library => match library::fetch(repository, &actual, &session, job, &wish) {
                Err(first) if may_know_login(&first) => better(first, program(), job),
                result => result,
            },
        }
    }

    /// Pushes one refspec.
    ///
    /// # Errors
    /// When the other end cannot be reached or does not accept it.
    pub fn push(
        &self,
        folder: &std::path::Path,
        url: &GitUrl,
        refspec: &str,
        job: Job<'_>,
    ) -> Result<(), GitError> {
        if refspec.starts_with('-') || refspec.chars().any(char::is_control) {
            return Err(GitError::RefName { name: refspec.escape_default().to_string() });
        }
        let repository = Repository::open(folder).map_err(at(folder))?;
        let (actual, session) = self.begin(&repository, url, job)?;
        let program =
            || Program::find(&self.env).map(|program| program.push(&repository, url, &session, job, refspec));
        match way(&actual) {
            Way::Program => program().ok_or_else(|| GitError::NoProgram { url: actual.to_string() })?,
            Way::Library => match library::push(&repository, &actual, &session, job, refspec) {
                Err(first) if may_know_login(&first) => better(first, program(), job),
                result => result,
            },
        }
    }

    /// Where an address leads, since the person's git configuration may rewrite it (`insteadOf`),
    /// and whether that may be connected to.
    fn begin(
        &self,
        repository: &Repository,
        url: &GitUrl,
        job: Job<'_>,
    ) -> Result<(GitUrl, Arc<Session>), GitError> {
        let remote = repository.remote_anonymous(url.as_str()).map_err(at(repository.path()))?;
        let rewritten = remote.url().map_err(at(repository.path()))?;
        let actual = if rewritten == url.as_str() { url.clone() } else { GitUrl::parse(rewritten)? };
        let session = Session::new(self.http.clone(), self.logins.clone(), actual.clone(), job.stop.clone());
        if actual.scheme() != Scheme::Local {
            session.permit(actual.host())?;
        }
        Ok((actual, session))
    }
}

/// The installed `git` may know a login where we know none: from a credential helper, `.netrc`, or
/// a program that asks.
fn may_know_login(error: &GitError) -> bool {
    matches!(error, GitError::Unauthorised { user: None, .. })
}

/// The second try's result, unless it got no further than the first.
fn better<T>(first: GitError, second: Option<Result<T, GitError>>, job: Job<'_>) -> Result<T, GitError> {
    match second {
        None => Err(first),
        Some(Err(GitError::Program { .. } | GitError::Start { .. })) => Err(first),
        Some(Err(error)) if error.is_out_of_reach() => Err(first),
        Some(result) => {
            job.events.note("the login was known to the installed `git`, which did the transfer");
            result
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_goes_through_the_program_and_all_else_through_the_library() {
        for (url, expected) in [
            ("https://h/x", Way::Library),
            ("http://h/x", Way::Library),
            ("git://h/x", Way::Library),
            ("file:///x", Way::Library),
            ("/x", Way::Library),
            ("ssh://h/x", Way::Program),
            ("git@h:x", Way::Program),
        ] {
            assert_eq!(way(&GitUrl::parse(url).expect(url)), expected, "{url}");
        }
    }
}

//! Choice between libgit2 and the installed `git` for a transfer. Nothing else decides it; both do the same
//! for the same request.

use std::path::Path;
use std::sync::Arc;

use git2::Repository;

use super::error::{RepositoryFormat, at};
use super::fetch::{FetchRequest, RemoteRefs};
use super::program::GitProgram;
use super::session::GitSession;
use super::tracking::RefSnapshot;
use super::transfer::Transfer;
use super::url::Scheme;
use super::{Git, GitContext, GitError, GitUrl, library, special};

/// Means of a transfer.
#[derive(Debug, PartialEq, Eq)]
enum Transport {
    Library,
    Program,
    /// The program, because of a setting that libgit2 does not know.
    Obedient(String),
}

fn way(url: &GitUrl, setting: Option<String>) -> Transport {
    match (url.scheme(), setting) {
        (Scheme::Ssh, _) => Transport::Program,
        (_, Some(setting)) => Transport::Obedient(setting),
        (Scheme::Http | Scheme::Git | Scheme::Local, None) => Transport::Library,
    }
}

/// Requirements of a transfer.
struct TransportOptions<'a> {
    transfer: Transfer<'a>,
    actual: GitUrl,
    session: Arc<GitSession>,
}

impl Git {
    /// Fetches into a repository.
    pub(super) fn fetch(
        &self,
        repository: &Repository,
        url: &GitUrl,
        job: GitContext<'_>,
        fetch_request: &FetchRequest<'_>,
    ) -> Result<RemoteRefs, GitError> {
        let means = self.begin(repository, url, job)?;
        let (inner, session) = (means.transfer.repository(), &means.session);
        let mut fetch_request = FetchRequest { ..*fetch_request };
        if fetch_request.depth.is_some() && means.actual.scheme() == Scheme::Local {
            let actual = &means.actual;
            job.events.note(format!("`{actual}` is on this machine and is cloned with its whole history"));
            fetch_request.depth = None;
        }
        let refs_before = RefSnapshot::of(repository).map_err(at(repository.path()))?;
        let advertised = self.go(
            &means,
            job,
            |program| program.fetch(inner, url, session, job, &fetch_request),
            || library::fetch(inner, &means.actual, session, job, &fetch_request),
        )?;
        means.transfer.settle()?;
        refs_before.report_changes(repository, url, &advertised, job).map_err(at(repository.path()))?;
        Ok(advertised)
    }

    /// Runs a transfer through libgit2 or the program.
    fn go<T>(
        &self,
        means: &TransportOptions<'_>,
        job: GitContext<'_>,
        program: impl Fn(GitProgram<'_>) -> Result<T, GitError>,
        library: impl Fn() -> Result<T, GitError>,
    ) -> Result<T, GitError> {
        let url = &means.actual;
        let found = || GitProgram::find(&self.env, means.session.clone());
        match way(url, means.transfer.user.needs_program(url)) {
            Transport::Program => {
                program(found().ok_or_else(|| GitError::NoProgram { url: url.to_string() })?)
            }
            Transport::Obedient(setting) => match found() {
                Some(found) => {
                    job.events
                        .note(format!("`{setting}` is set for git: the installed `git` does the transfer"));
                    program(found)
                }
                None => {
                    job.events.warn(format!(
                        "`{setting}` is set for git and has no effect on `{url}`: only the `git` program \
                         obeys it, and it is not installed."
                    ));
                    library()
                }
            },
            Transport::Library => match library() {
                // For reftable, `git` serves the references of a directory to itself.
                Err(GitError::Unsupported { what, format: RepositoryFormat::Reftable }) => match found() {
                    Some(found) => {
                        let stored = "stores its references as reftable";
                        job.events.note(format!("`{what}` {stored}: the installed `git` does the transfer"));
                        program(found)
                    }
                    None => Err(GitError::Unsupported { what, format: RepositoryFormat::Reftable }),
                },
                Err(first) if may_know_login(&first) => fallback_result(first, found().map(program), job),
                result => result,
            },
        }
    }

    /// Resolves the address, which the user's git configuration may rewrite (`insteadOf`), and checks that
    /// connecting to it is allowed.
    fn begin<'a>(
        &self,
        repository: &'a Repository,
        url: &GitUrl,
        job: GitContext<'_>,
    ) -> Result<TransportOptions<'a>, GitError> {
        let transfer = Transfer::begin(repository, url, &self.env)?;
        let actual = transfer.user.rewritten(url)?;
        transfer.user.permit(&actual)?;
        let session =
            GitSession::new(self.http.clone(), self.logins.clone(), actual.clone(), job.stop.clone());
        if actual.scheme() == Scheme::Local {
            special::refuse(Path::new(actual.path()), special::Extent::Everything)?;
        } else {
            session.permit(actual.host())?;
        }
        Ok(TransportOptions { transfer, actual, session })
    }
}

/// Returns whether the installed `git` may know a login that `cki` does not: from a credential helper,
/// `.netrc`, or a program that asks.
fn may_know_login(error: &GitError) -> bool {
    matches!(error, GitError::Unauthorised { user: None, .. })
}

/// Returns the second try's result, unless it got no further than the first.
fn fallback_result<T>(
    first: GitError,
    second: Option<Result<T, GitError>>,
    job: GitContext<'_>,
) -> Result<T, GitError> {
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
    fn transport_uses_git_program_for_ssh_only() {
        for (url, expected) in [
            ("https://h/x", Transport::Library),
            ("http://h/x", Transport::Library),
            ("git://h/x", Transport::Library),
            ("file:///x", Transport::Library),
            ("/x", Transport::Library),
            ("ssh://h/x", Transport::Program),
            ("git@h:x", Transport::Program),
        ] {
            assert_eq!(way(&GitUrl::parse(url).expect(url), None), expected, "{url}");
        }
        let https = GitUrl::parse("https://h/x").expect("an address");
        assert_eq!(way(&https, Some("http.proxy".into())), Transport::Obedient("http.proxy".into()));
    }
}

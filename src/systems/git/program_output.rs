//! Reads the output of the installed `git`: progress, refs, and the cause of a failure. Running it is up to `program`.

use std::collections::BTreeMap;

use git2::Oid;

use super::GitError;
use super::fetch::RemoteRefs;

/// Parses a line such as `Receiving objects:  12% (34/281), …`.
pub(super) fn read_progress(line: &str) -> Option<(u64, u64)> {
    let line = line.strip_prefix("remote: ").unwrap_or(line);
    let (_, rest) = line.split_once("% (")?;
    let (done, rest) = rest.split_once('/')?;
    let (total, _) = rest.split_once(')')?;
    Some((done.parse().ok()?, total.parse().ok()?))
}

/// Parses the lines of `git ls-remote --symref`, all of them or not.
pub(super) fn read_listing(output: &str, is_complete: bool, shallow: bool) -> RemoteRefs {
    let mut advertised = RemoteRefs { default_branch: None, refs: BTreeMap::new(), is_complete, shallow };
    let mut target = None;
    for (what, name) in output.lines().filter_map(|line| line.split_once('\t')) {
        if name == "HEAD" {
            // The line with the target of `HEAD` comes first, then its commit, if it exists.
            match what.strip_prefix("ref: ") {
                Some(branch) => target = Some(branch.to_owned()),
                None => advertised.default_branch = target.take(),
            }
        } else if !name.ends_with("^{}")
            && let Ok(id) = Oid::from_str(what)
        {
            advertised.refs.insert(name.to_owned(), id);
        }
    }
    advertised
}

/// Finds the cause of a failure in the last lines, which `git` and `ssh` write in the C locale.
pub(super) fn read_failure(url: String, last_lines: &[String]) -> GitError {
    let line_with = |words: &[&str]| {
        last_lines.iter().find(|line| words.iter().any(|word| line.to_ascii_lowercase().contains(word)))
    };
    let unknown_host = [
        "could not resolve host",
        "name or service not known",
        "temporary failure in name resolution",
        "connection refused",
        "connection timed out",
        "network is unreachable",
        "no route to host",
        "failed to connect",
        "couldn't connect",
        "connection closed by",
        "connection reset",
    ];
    let refused = [
        "permission denied",
        "authentication failed",
        "could not read username",
        "could not read password",
        "host key verification failed",
    ];
    let missing =
        ["repository not found", "does not appear to be a git repository", "could not be found", "not found"];
    if let Some(line) = line_with(&unknown_host) {
        // Git repeats the address, which is in the error already.
        let why = line.trim_start_matches("fatal: ");
        let why = match why.strip_prefix("unable to access '").and_then(|rest| rest.split_once("': ")) {
            Some((_, why)) => why,
            None => why,
        };
        return GitError::Unreachable { url, why: why.to_owned() };
    }
    if line_with(&refused).is_some() {
        return GitError::Unauthorised { url, user: None };
    }
    if let Some(line) = line_with(&["[rejected]", "[remote rejected]"]) {
        let line = line.trim_start_matches([' ', '!']);
        let (_, rest) = line.split_once("rejected]").unwrap_or(("", line));
        let (what, why) = rest.rsplit_once('(').unwrap_or((rest, ""));
        let reference = what.rsplit_once(" -> ").map_or(what, |(_, to)| to).trim().to_owned();
        return GitError::Rejected { url, reference, why: why.trim_end_matches(')').to_owned() };
    }
    if line_with(&missing).is_some() {
        return GitError::NotFound { url };
    }
    let said = line_with(&["fatal: ", "error: "]).or(last_lines.last());
    let why = said.map_or("nothing", |line| line.trim_start_matches("fatal: ").trim_start_matches("error: "));
    GitError::Program { url, why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_progress_parses_git_output() {
        assert_eq!(read_progress("Receiving objects:  12% (34/281), 1.2 MiB | 2 MiB/s"), Some((34, 281)));
        assert_eq!(read_progress("remote: Counting objects: 100% (5/5), done."), Some((5, 5)));
        assert_eq!(read_progress("fatal: no (1/2)"), None);
    }

    #[test]
    fn read_listing_returns_branch_and_requested_refs() {
        let text =
            "ref: refs/heads/dev\tHEAD\n1234\tHEAD\n1234\trefs/heads/dev\n5678\trefs/merge-requests/1/head\n";
        let advertised = read_listing(text, true, false);
        assert_eq!(advertised.default_branch.as_deref(), Some("refs/heads/dev"));
        assert!(
            advertised.refs.contains_key("refs/heads/dev")
                && advertised.refs.contains_key("refs/merge-requests/1/head")
        );
        assert_eq!(read_listing("ref: refs/heads/dev\tHEAD\n", true, false).default_branch, None);
    }

    #[test]
    fn read_failure_classifies_git_messages() {
        let read = |lines: &[&str]| {
            read_failure("u".into(), &lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>())
        };
        let rest = "fatal: Could not read from remote repository.";
        assert!(matches!(
            read(&["ssh: Could not resolve hostname x: Name or service not known", rest]),
            GitError::Unreachable { .. }
        ));
        assert_eq!(
            read(&["fatal: unable to access 'https://h/x/': Could not resolve host: h"]).to_string(),
            "cannot reach `u`: Could not resolve host: h"
        );
        assert!(matches!(
            read(&["git@h: Permission denied (publickey).", rest]),
            GitError::Unauthorised { .. }
        ));
        assert!(matches!(
            read(&["fatal: could not read Username for 'https://h': terminal prompts disabled"]),
            GitError::Unauthorised { user: None, .. }
        ));
        assert!(matches!(
            read(&["fatal: '/x' does not appear to be a git repository", rest]),
            GitError::NotFound { .. }
        ));
        let rejected = read(&[
            " ! [rejected]        main -> main (non-fast-forward)",
            "error: failed to push some refs to 'u'",
        ]);
        assert_eq!(rejected.to_string(), "`u` does not accept `main`: non-fast-forward");
        assert_eq!(read(&["fatal: bad object x", "more"]).to_string(), "git says about `u`: bad object x");
        assert_eq!(read(&[]).to_string(), "git says about `u`: nothing");
    }
}

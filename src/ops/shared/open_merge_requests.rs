//! The open merge requests of a project as they were when `cki` last talked to its server, for completion, which asks
//! no server. A file per server and project, below the user's directory for caches; one that is missing, old or
//! broken says nothing.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::digest;
use crate::base::files::{self, FileError};
use crate::base::text::safe_line;
use crate::host::Env;
use crate::systems::gitlab::GitLab;

/// Maximum bytes of a file.
const LONGEST: u64 = 256 << 10;
/// Maximum number of merge requests in a file.
const MOST: usize = 100;
/// Maximum characters of a title.
const LONGEST_TITLE: usize = 200;
/// Maximum number of files.
const FILES: usize = 64;
/// Seconds after which nothing in a file counts.
const OLDEST: i64 = 14 * 24 * 60 * 60;
/// Timeout of the request that refreshes a file.
const PATIENCE: Duration = Duration::from_secs(3);

/// An open merge request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenMergeRequest {
    /// Number within its project.
    pub number: u64,
    /// Title, on one line.
    pub title: String,
}

/// Content of a file.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    server: String,
    project: String,
    /// Time of the answer, in seconds since 1970.
    time: i64,
    open: Vec<OpenMergeRequest>,
}

/// The known open merge requests of one project.
#[derive(Debug, Clone)]
pub struct OpenMergeRequests {
    file: PathBuf,
    server: String,
    project: String,
}

impl OpenMergeRequests {
    /// Returns those of a project on a server; `None` without a directory for caches.
    #[must_use]
    pub fn new(env: &Env, server: &str, project: &str) -> Option<Self> {
        let server = server.trim_end_matches('/').to_owned();
        let name = format!("{}.json", digest::sha256_hex([server.as_str(), project]));
        let file = env.cache_directory()?.join("merge-requests").join(name);
        Some(Self { file, server, project: project.to_owned() })
    }

    /// Returns the merge requests, in the order of the server.
    #[must_use]
    pub fn read(&self, now: Timestamp) -> Vec<OpenMergeRequest> {
        let stored = files::read_text(&self.file, LONGEST).ok();
        let stored = stored.and_then(|text| serde_json::from_str::<Stored>(&text).ok());
        let is_current = |one: &Stored| {
            one.server == self.server
                && one.project == self.project
                && (0..OLDEST).contains(&(now.as_second().saturating_sub(one.time)))
        };
        let open = stored.filter(is_current).map(|one| one.open).unwrap_or_default();
        open.into_iter().take(MOST).map(|one| OpenMergeRequest { title: title(&one.title), ..one }).collect()
    }

    /// Asks the server, and stores its answer. A failure changes nothing.
    pub async fn refresh(&self, gitlab: &GitLab, now: Timestamp) {
        let asked = tokio::time::timeout(PATIENCE, gitlab.open_merge_requests(&self.project)).await;
        let Ok(Ok(listed)) = asked else { return };
        let open = listed.into_iter().take(MOST);
        let open = open.map(|one| OpenMergeRequest { number: one.iid, title: title(&one.title) });
        // Completion without titles is no reason to fail, nor to warn.
        let _ = self.store(open.collect(), now);
    }

    fn store(&self, open: Vec<OpenMergeRequest>, now: Timestamp) -> Result<(), FileError> {
        let stored = Stored {
            server: self.server.clone(),
            project: self.project.clone(),
            time: now.as_second(),
            open,
        };
        let content = serde_json::to_vec(&stored)
            .map_err(|error| FileError::new("write", &self.file, std::io::Error::other(error)))?;
        files::write_atomic(&self.file, &content, 0o600)?;
        remove_oldest(self.file.parent().unwrap_or(Path::new("/")))
    }
}

/// Returns a title from a server on one line, bounded and safe to print.
fn title(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    safe_line(&line).chars().take(LONGEST_TITLE).collect()
}

/// Removes the oldest files of a directory, until it has as many as it may have.
fn remove_oldest(directory: &Path) -> Result<(), FileError> {
    let names = files::list_dir(directory)?;
    let mut all: Vec<PathBuf> =
        names.iter().filter(|name| name.ends_with(".json")).map(|name| directory.join(name)).collect();
    if all.len() > FILES {
        all.sort_by_key(|path| path.metadata().and_then(|facts| facts.modified()).ok());
        for path in &all[..all.len() - FILES] {
            // Another `cki` may have removed it.
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn at(home: &Path, project: &str) -> OpenMergeRequests {
        let env = Env::new([("XDG_CACHE_HOME", home)]);
        OpenMergeRequests::new(&env, "https://gitlab.example/", project).expect("has a directory")
    }

    fn now(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("is a time")
    }

    #[test]
    fn open_merge_requests_are_kept_for_their_project_and_a_while() {
        let home = tempfile::tempdir().expect("a temporary directory");
        let known = at(home.path(), "a/b");
        assert_eq!(known.read(now(0)), []);
        let open = vec![OpenMergeRequest { number: 7, title: title("A \u{1b}[31mred\n title") }];
        known.store(open, now(1000)).expect("stores");
        assert_eq!(known.read(now(1001)), [OpenMergeRequest { number: 7, title: "A red title".to_owned() }]);
        assert_eq!(known.read(now(1000 + OLDEST)), []);
        // A clock that was set back.
        assert_eq!(known.read(now(999)), []);
        assert_eq!(at(home.path(), "a/c").read(now(1001)), []);
        let mode = known.file.metadata().expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // A file that was renamed is not believed.
        std::fs::rename(&known.file, &at(home.path(), "a/c").file).expect("renames");
        assert_eq!(at(home.path(), "a/c").read(now(1001)), []);
    }

    #[test]
    fn open_merge_requests_are_bounded_in_number() {
        let home = tempfile::tempdir().expect("a temporary directory");
        for index in 0..FILES + 5 {
            at(home.path(), &format!("a/{index}")).store(Vec::new(), now(1)).expect("stores");
        }
        let directory = home.path().join("cki/merge-requests");
        assert_eq!(files::list_dir(&directory).expect("lists").len(), FILES);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn open_merge_requests_of_a_broken_file_are_none_or_safe(text in "\\PC*", title in any::<String>()) {
            let home = tempfile::tempdir().expect("a temporary directory");
            let known = at(home.path(), "a/b");
            files::write_atomic(&known.file, text.as_bytes(), 0o600).expect("writes");
            prop_assert_eq!(known.read(now(1)), []);
            known.store(vec![OpenMergeRequest { number: 1, title }], now(1)).expect("stores");
            for one in known.read(now(1)) {
                prop_assert!(!one.title.contains(char::is_control) && one.title.chars().count() <= LONGEST_TITLE);
            }
        }
    }
}

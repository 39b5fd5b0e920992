//! `cki inventory sync`: copies the repositories that are sources of the inventory. Reading a copy is in
//! `ops::shared::inventory`.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::base::file_snapshot::FileSnapshot;
use crate::base::files::{self, FileError};
use crate::host::signals::Shutdown;
use crate::model::event::{Events, TaskOutcome};
use crate::model::inventory::{GitSource, InventorySources};
use crate::ops::shared::inventory::{CopyRecord, copy_of};
use crate::systems::git::{CommitId, Git, GitContext, GitError, GitUrl};

/// File that a process locks while it copies a repository.
const LOCK: &str = "lock";
/// Pause between two looks at a lock that another process holds.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Number of copies to keep: another process may read the one before.
const KEPT: usize = 2;

/// A failure to copy a repository.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// There is no directory for copies.
    #[error("there is no place for copies of repositories: neither `XDG_CACHE_HOME` nor `HOME` is set")]
    NoCache,
    /// The inventory has no such source.
    #[error("no source of the inventory is the repository `{query}`")]
    Unknown {
        /// Text that the user typed.
        query: String,
        /// The repositories that are sources.
        known: Vec<String>,
    },
    /// The repository cannot be copied.
    #[error(transparent)]
    Git(#[from] GitError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Result for one repository.
#[derive(Debug)]
pub struct SyncedSource {
    /// The source.
    pub source: GitSource,
    /// Commit before, if there was a copy.
    pub before: Option<CommitId>,
    /// Commit now, or the reason why there is no newer one.
    pub now: Result<CommitId, SyncError>,
}

/// Conditions under which a repository is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchWhen {
    /// Always.
    Always,
    /// If there is no copy.
    Missing,
}

/// Chooses the sources that texts name: all repositories without any.
///
/// # Errors
/// Fails if a text names none.
pub fn choose(sources: &InventorySources, queries: &[String]) -> Result<Vec<GitSource>, SyncError> {
    let mut chosen: Vec<GitSource> = Vec::new();
    let mut add = |source: &GitSource| {
        // Several paths of one revision share a copy.
        if !chosen.iter().any(|one| one.copy_name() == source.copy_name()) {
            chosen.push(source.clone());
        }
    };
    if queries.is_empty() {
        sources.repositories().for_each(&mut add);
    }
    for query in queries {
        let is_it = |source: &&GitSource| {
            *query == source.url || *query == source.shown_url() || *query == source.to_string()
        };
        let mut found = sources.repositories().filter(is_it).peekable();
        if found.peek().is_none() {
            let known = sources.repositories().map(ToString::to_string).collect();
            return Err(SyncError::Unknown { query: crate::model::inventory::shown_source(query), known });
        }
        found.for_each(&mut add);
    }
    Ok(chosen)
}

/// Copies repositories, one after another.
pub async fn sync(
    chosen: Vec<GitSource>,
    sources: &InventorySources,
    when: FetchWhen,
    git: &Git,
    events: &Events,
    stop: &Shutdown,
) -> Vec<SyncedSource> {
    let mut synced = Vec::with_capacity(chosen.len());
    for source in chosen {
        if stop.now().is_some() {
            break;
        }
        let (git, events, stop) = (git.clone(), events.clone(), stop.clone());
        let (wanted, all) = (source.clone(), sources.clone());
        let before = copy_of(&source, sources, &FileSnapshot::default()).map(|copy| copy.commit);
        let work = tokio::task::spawn_blocking(move || copy(&wanted, &all, when, &git, &events, &stop));
        let now = match work.await {
            Ok(now) => now,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(GitError::Stopped { what: source.shown_url() }.into()),
            },
        };
        synced.push(SyncedSource { source, before, now });
    }
    synced
}

/// Copies one repository. The record of the copy is written last, so that a reader sees the old copy or the new one.
fn copy(
    source: &GitSource,
    sources: &InventorySources,
    when: FetchWhen,
    git: &Git,
    events: &Events,
    stop: &Shutdown,
) -> Result<CommitId, SyncError> {
    let copies = sources.copies.as_ref().ok_or(SyncError::NoCache)?;
    let url = GitUrl::parse(&source.url)?;
    let directory = copies.join(source.copy_name());
    files::make_directory(&directory)?;
    let _lock = lock(&directory.join(LOCK), &url, stop)?;
    // Another process may have made it meanwhile.
    let there = copy_of(source, sources, &FileSnapshot::default());
    if let (FetchWhen::Missing, Some(there)) = (when, &there) {
        return Ok(there.commit);
    }
    let task = events.start(source.to_string(), "fetching");
    let job = GitContext { task: &task, events, stop };
    let copied = git.copy_revision(&url, source.reference.as_deref(), &directory, job);
    let commit = match copied {
        Ok(commit) => commit,
        Err(error) => {
            task.finish(TaskOutcome::Failed, "not fetched");
            return Err(error.into());
        }
    };
    let record = CopyRecord::text(commit, SystemTime::now(), source);
    files::write_atomic(&copies.join(source.copy_record()), record.as_bytes(), 0o600)?;
    let is_new = there.is_none_or(|there| there.commit != commit);
    let detail = format!("at commit {}", commit.short());
    task.finish(if is_new { TaskOutcome::Done } else { TaskOutcome::Unchanged }, &detail);
    remove_old(&directory, commit);
    Ok(commit)
}

/// Waits for the lock of a copy. The kernel releases it however its holder dies.
fn lock(path: &Path, url: &GitUrl, stop: &Shutdown) -> Result<File, SyncError> {
    let fail = |error| FileError::new("lock", path, error);
    let file = File::options().create(true).truncate(false).write(true).open(path).map_err(fail)?;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if stop.now().is_some() => {
                return Err(GitError::Stopped { what: url.to_string() }.into());
            }
            Err(TryLockError::WouldBlock) => std::thread::sleep(POLL_INTERVAL),
            // Some file systems have no locks; the copies themselves appear whole.
            Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Removes the copies of old commits, except for the newest ones. One that cannot be removed takes room, and no more.
fn remove_old(directory: &Path, current: CommitId) {
    let Ok(names) = files::list_dir(directory) else { return };
    let commits = names.iter().filter_map(|name| CommitId::parse(name)).filter(|commit| *commit != current);
    let mut old: Vec<_> = commits
        .map(|commit| directory.join(commit.to_string()))
        .filter_map(|path| Some((path.metadata().ok()?.modified().ok()?, path)))
        .collect();
    old.sort();
    old.reverse();
    for (_, path) in old.into_iter().skip(KEPT - 1) {
        let _ = files::remove_directory(&path);
    }
}

//! `cki inventory sync`: copies the repositories that are sources of the inventory. Reading a copy is in
//! `ops::shared::inventory`.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::base::file_snapshot::FileSnapshot;
use crate::base::files::{self, FileError};
use crate::host::signals::Shutdown;
use crate::model::event::{Events, TaskOutcome};
use crate::model::inventory::{GitSource, InventorySources};
use crate::ops::shared::inventory::{CopyRecord, LoadError, copy_of, damage_of, load_with_copies};
use crate::systems::git::{CommitId, CopiedRevision, EarlierCommit, Git, GitContext, GitError, GitUrl};

/// File that a process locks while it copies a repository.
const LOCK: &str = "lock";
/// Directory of a damaged copy while another one is made.
const DAMAGED: &str = "damaged";
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
    /// The inventory cannot be read with a new commit.
    #[error("with commit {} of `{from}`, the inventory cannot be read: {error}", copied.commit.short())]
    Unreadable {
        /// The source.
        from: String,
        /// Its new commit.
        copied: SyncedCommit,
        /// Commit that stays in use; `None` if the new one is used, since there is no better one.
        kept: Option<CommitId>,
        /// Error of reading it.
        error: Box<LoadError>,
    },
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
    pub now: Result<SyncedCommit, SyncError>,
}

/// Commit of a repository that was fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncedCommit {
    /// The commit.
    pub commit: CommitId,
    /// The commit before in its history.
    pub earlier: EarlierCommit,
    /// The copy was damaged, and was made again.
    pub was_damaged: bool,
}

impl SyncedCommit {
    fn unchanged(commit: CommitId) -> Self {
        Self { commit, earlier: EarlierCommit::Included, was_damaged: false }
    }
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

/// Copies repositories, one after another. A commit with which the inventory cannot be read is not used if it can be
/// read with the one before.
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
    use_together(&mut synced, sources);
    synced
}

/// Uses the refused commits of several repositories if the inventory can be read with all of them: such changes only
/// fit together.
fn use_together(synced: &mut [SyncedSource], sources: &InventorySources) {
    let Some(copies) = &sources.copies else { return };
    let refused = |one: &SyncedSource| match &one.now {
        Err(SyncError::Unreadable { copied, kept: Some(_), .. }) => Some(*copied),
        _ => None,
    };
    let records = |synced: &[SyncedSource]| -> Vec<(PathBuf, Vec<u8>)> {
        let refused = synced.iter().filter_map(|one| Some((&one.source, refused(one)?)));
        refused.map(|(source, copied)| record(copies, source, copied.commit)).collect()
    };
    let found = records(synced);
    if found.len() < 2 || load_with_copies(sources, found.clone()).is_err() {
        return;
    }
    if found.iter().all(|(path, text)| files::write_atomic(path, text, 0o600).is_ok()) {
        for one in synced {
            one.now =
                refused(one).map_or_else(|| std::mem::replace(&mut one.now, Err(SyncError::NoCache)), Ok);
        }
    }
}

/// Returns the path and the text of the record of a copy.
fn record(copies: &Path, source: &GitSource, commit: CommitId) -> (PathBuf, Vec<u8>) {
    let text = CopyRecord::text(commit, SystemTime::now(), source);
    (copies.join(source.copy_record()), text.into_bytes())
}

/// Copies one repository. The record of the copy is written last, so that a reader sees the old copy or the new one.
fn copy(
    source: &GitSource,
    sources: &InventorySources,
    when: FetchWhen,
    git: &Git,
    events: &Events,
    stop: &Shutdown,
) -> Result<SyncedCommit, SyncError> {
    let copies = sources.copies.as_ref().ok_or(SyncError::NoCache)?;
    let url = GitUrl::parse(&source.url)?;
    let directory = copies.join(source.copy_name());
    files::make_directory(&directory)?;
    let _lock = lock(&directory.join(LOCK), &url, stop)?;
    // Another process may have made it meanwhile.
    let there = copy_of(source, sources, &FileSnapshot::default());
    if let (FetchWhen::Missing, Some(there)) = (when, &there) {
        return Ok(SyncedCommit::unchanged(there.commit));
    }
    let before = there.map(|there| there.commit);
    let task = events.start(source.to_string(), "fetching");
    let job = GitContext { task: &task, events, stop };
    let fetch = || git.copy_revision(&url, source.reference.as_deref(), before, &directory, job);
    let copied = match whole_copy(source, sources, &directory, &fetch) {
        Ok(copied) => copied,
        Err(error) => {
            task.finish(TaskOutcome::Failed, "not fetched");
            return Err(error);
        }
    };
    let commit = copied.commit;
    let (path, text) = record(copies, source, commit);
    let fault = match when {
        FetchWhen::Always => load_with_copies(sources, vec![(path.clone(), text.clone())]).err(),
        // The command that needs the copy reads it next.
        FetchWhen::Missing => None,
    };
    // A fault that the commit before has, too, is no reason to keep that one.
    let could_be_read = || load_with_copies(sources, Vec::new()).is_ok();
    let kept = before.filter(|before| fault.is_some() && *before != commit && could_be_read());
    if kept.is_none() {
        files::write_atomic(&path, &text, 0o600)?;
    }
    let detail = format!("at commit {}", commit.short());
    match (&fault, kept) {
        (_, Some(_)) => task.finish(TaskOutcome::Failed, "not used"),
        (Some(_), None) => task.finish(TaskOutcome::Failed, &detail),
        (None, None) if before == Some(commit) && !copied.was_damaged => {
            task.finish(TaskOutcome::Unchanged, &detail);
        }
        (None, None) => task.finish(TaskOutcome::Done, &detail),
    }
    remove_old(&directory, kept.unwrap_or(commit));
    match fault {
        Some(error) => {
            let from = source.to_string();
            Err(SyncError::Unreadable { from, copied, kept, error: Box::new(error) })
        }
        None => Ok(copied),
    }
}

/// Fetches a revision, and again if the copy of its commit that is there already is damaged.
fn whole_copy(
    source: &GitSource,
    sources: &InventorySources,
    directory: &Path,
    fetch: &dyn Fn() -> Result<CopiedRevision, GitError>,
) -> Result<SyncedCommit, SyncError> {
    let aside = directory.join(DAMAGED);
    // The leftover of a killed process.
    let _ = files::remove_directory(&aside);
    let CopiedRevision { commit, earlier } = fetch()?;
    let is_damaged = |commit| damage_of(source, sources, commit).is_some();
    if !is_damaged(commit) {
        return Ok(SyncedCommit { commit, earlier, was_damaged: false });
    }
    let damaged = directory.join(commit.to_string());
    files::rename(&damaged, &aside)?;
    match fetch() {
        Ok(CopiedRevision { commit, earlier }) => {
            // One that stays takes room, and no more.
            let _ = files::remove_directory(&aside);
            Ok(SyncedCommit { commit, earlier, was_damaged: true })
        }
        Err(error) => {
            // Parts of it may be readable.
            let _ = files::rename(&aside, &damaged);
            Err(error.into())
        }
    }
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

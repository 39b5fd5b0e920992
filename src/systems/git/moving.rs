//! Moves the files of a clone from one commit to another, and repairs a move whose process was killed: during
//! a move, a mark in the repository names both commits. A later process that finds the mark undoes that move.
//! The user's work is never touched: a file counts as moved only if it has the content of the target commit,
//! which git can restore at any time.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{CheckoutNotificationType, Delta, DiffDelta, FileMode, ObjectType, Oid, Repository, Status, Tree};

use super::{stale, tree};
use crate::base::files;

/// Maximum number of conflicting files to name.
const NAMED: usize = 5;
/// File in a repository that names the two commits of a move.
const MARK: &str = "cki-moving";
/// Maximum bytes of the mark, which holds two commit ids.
const LONGEST_MARK: u64 = 200;

/// A finished move of files, before its refs are updated.
pub(super) struct FinishedMove {
    mark: PathBuf,
    _lock: File,
}

impl FinishedMove {
    fn begin(repository: &Repository, goal: Oid) -> Result<Self, git2::Error> {
        let from = head(repository)?;
        let mark = repository.path().join(MARK);
        let fail = |error: std::io::Error| git2::Error::from_str(&format!("`{}`: {error}", mark.display()));
        std::fs::write(&mark, format!("{from} {goal}\n")).map_err(fail)?;
        let lock = File::open(&mark).map_err(fail)?;
        // Some file systems have no locks; there, two concurrent moves may disturb each other.
        let _ = lock.try_lock();
        Ok(Self { mark: mark.clone(), _lock: lock })
    }

    /// Ends the move, after its refs were updated.
    pub(super) fn done(self) {
        // If the mark stays, the next update reads it and finds nothing to do.
        let _ = std::fs::remove_file(&self.mark);
    }
}

/// Returns whether a process was killed while it moved the files of this repository. A process that was killed
/// after it moved the head had moved all files: only its mark is left.
pub(super) fn is_half_moved(repository: &Repository) -> bool {
    dead_mark(repository).is_some_and(|(from, _)| head(repository).is_ok_and(|head| head == from))
}

/// Returns the commit of the head, or zero if it has none yet.
fn head(repository: &Repository) -> Result<Oid, git2::Error> {
    Ok(tree::head(repository)?.unwrap_or(Oid::ZERO_SHA1))
}

/// Returns the commits of a mark whose process has ended.
fn dead_mark(repository: &Repository) -> Option<(Oid, Oid)> {
    let path = repository.path().join(MARK);
    let text = files::read_text(&path, LONGEST_MARK).ok()?;
    let (from, goal) = text.trim().split_once(' ')?;
    let is_dead = File::open(&path).is_ok_and(|file| file.try_lock().is_ok());
    is_dead.then(|| Some((Oid::from_str(from).ok()?, Oid::from_str(goal).ok()?))).flatten()
}

/// Undoes the move of a killed process.
pub(super) fn heal(repository: &Repository) -> Result<(), git2::Error> {
    let Some((from, goal)) = dead_mark(repository) else { return Ok(()) };
    stale::remove_locks(repository.path());
    // If the head is at the target, the files are as well.
    if head(repository)? == from && repository.find_commit(goal).is_ok() {
        put_back(repository, goal, true)?;
    }
    let _ = std::fs::remove_file(repository.path().join(MARK));
    Ok(())
}

/// Reverts changes if all of them equal the target commit; returns whether no other changes exist.
pub(super) fn forget_same(repository: &Repository, goal: Oid) -> Result<bool, git2::Error> {
    let changes = tree::changes(repository)?;
    if !changes.tracked {
        return Ok(true);
    }
    let target = repository.find_commit(goal)?.tree()?;
    let is_ours = |path: &str| {
        let path = Path::new(path);
        holds(repository, path, wanted_at(&target, path), false)
    };
    for entry in repository.statuses(None)?.iter() {
        let is_tracked = !entry.status().difference(Status::WT_NEW | Status::IGNORED).is_empty();
        if is_tracked && !entry.path().is_ok_and(is_ours) {
            return Ok(false);
        }
    }
    put_back(repository, goal, false)?;
    Ok(!tree::changes(repository)?.tracked)
}

/// Result of moving a work tree.
pub(super) enum MoveResult {
    /// The files were moved.
    Done(FinishedMove),
    /// Nothing was moved: these files would have been overwritten.
    InTheWay(Vec<String>),
}

/// Moves the files from the present commit to another one. If that would overwrite files, moves nothing and
/// returns their names.
pub(super) fn move_to(repository: &Repository, goal: Oid) -> Result<MoveResult, git2::Error> {
    let moving = FinishedMove::begin(repository, goal)?;
    let mut in_the_way = check_out(repository, goal)?;
    if !in_the_way.is_empty() {
        let target = repository.find_commit(goal)?.tree()?;
        let is_other = |path: &PathBuf| !holds(repository, path, wanted_at(&target, path), false);
        let others: Vec<PathBuf> = in_the_way.iter().filter(|path| is_other(path)).cloned().collect();
        if others.is_empty() {
            put_back(repository, goal, false)?;
            in_the_way = check_out(repository, goal)?;
        } else {
            in_the_way = others;
        }
    }
    if in_the_way.is_empty() {
        return Ok(MoveResult::Done(moving));
    }
    moving.done();
    Ok(MoveResult::InTheWay(in_the_way.iter().take(NAMED).map(|path| path.display().to_string()).collect()))
}

fn check_out(repository: &Repository, goal: Oid) -> Result<Vec<PathBuf>, git2::Error> {
    let object = repository.find_object(goal, None)?;
    let in_the_way = RefCell::new(Vec::new());
    let mut options = CheckoutBuilder::new();
    options.safe().overwrite_ignored(false).notify_on(CheckoutNotificationType::CONFLICT);
    options.notify(|_, path, _, _, _| {
        in_the_way.borrow_mut().extend(path.map(Path::to_owned));
        true
    });
    let result = repository.checkout_tree(&object, Some(&mut options));
    drop(options);
    let found = in_the_way.into_inner();
    match result {
        Err(error) if found.is_empty() => Err(error),
        _ => Ok(found),
    }
}

/// Restores files that have the content of the target commit to the present commit. With `partly`, also files
/// that hold only the beginning of it, as a killed process leaves them.
fn put_back(repository: &Repository, goal: Oid, partly: bool) -> Result<(), git2::Error> {
    let Some(root) = repository.workdir() else { return Ok(()) };
    let base: Option<Tree<'_>> = match tree::head(repository)? {
        Some(head) => Some(repository.find_commit(head)?.tree()?),
        None => None,
    };
    let target = repository.find_commit(goal)?.tree()?;
    let diff = repository.diff_tree_to_tree(base.as_ref(), Some(&target), None)?;
    let mut index = repository.index()?;
    let mut moved = Vec::new();
    for delta in diff.deltas() {
        let Some(path) = delta.new_file().path().or_else(|| delta.old_file().path()) else { continue };
        let is_moved = holds(repository, path, wanted(&delta), partly)
            || (partly && path_of(root, path).is_some_and(|path| path.symlink_metadata().is_err()));
        let is_staged = index.get_path(path, 0).map(|entry| entry.id)
            != Some(delta.old_file().id()).filter(|id| !id.is_zero());
        if delta.status() == Delta::Added {
            if is_moved {
                remove(root, path);
            }
            if is_moved && is_staged {
                index.remove_path(path)?;
            }
        } else if is_moved {
            moved.push(path.to_owned());
        }
    }
    index.write()?;
    // A directory in place of a file holds the user's work.
    moved.retain(|path| path_of(root, path).is_some_and(|path| !path.is_dir()));
    if let Some(base) = base.filter(|_| !moved.is_empty()) {
        let mut restored = CheckoutBuilder::new();
        restored.force().disable_pathspec_match(true);
        for path in moved {
            restored.path(path);
        }
        repository.checkout_tree(base.as_object(), Some(&mut restored))?;
    }
    Ok(())
}

/// Returns the object and mode of a path in a tree, if it is a file.
fn wanted_at(target: &Tree<'_>, path: &Path) -> Option<(Oid, i32)> {
    let entry = target.get_path(path).ok()?;
    (entry.kind() != Some(ObjectType::Tree)).then(|| (entry.id(), entry.filemode()))
}

fn wanted(delta: &DiffDelta<'_>) -> Option<(Oid, i32)> {
    let new = delta.new_file();
    (delta.status() != Delta::Deleted).then(|| (new.id(), i32::from(new.mode())))
}

/// Returns whether a path has the content of a commit, or is missing if the commit lacks it. With `partly`,
/// the beginning of the content is enough.
fn holds(repository: &Repository, path: &Path, wanted: Option<(Oid, i32)>, partly: bool) -> bool {
    let Some(full) = repository.workdir().and_then(|root| path_of(root, path)) else { return false };
    let facts = full.symlink_metadata();
    // A directory may replace a removed file; its content is checked separately.
    let Some((id, mode)) = wanted else { return facts.map_or(true, |facts| facts.is_dir()) };
    let (Ok(facts), Ok(blob)) = (facts, repository.find_blob(id)) else { return false };
    let content = blob.content();
    if mode == i32::from(FileMode::Link) {
        use std::os::unix::ffi::OsStrExt as _;
        return facts.is_symlink()
            && std::fs::read_link(&full).is_ok_and(|to| to.as_os_str().as_bytes() == content);
    }
    // Line endings may differ from those in the repository.
    if !facts.is_file() || facts.len() > 2 * content.len() as u64 {
        return false;
    }
    let mut found = Vec::new();
    let read = files::open(&full).is_ok_and(|file| file.take(facts.len()).read_to_end(&mut found).is_ok());
    let is_it = |found: &[u8]| if partly { content.starts_with(found) } else { content == found };
    read && (is_it(&found) || is_it(&without_returns(&found)))
}

fn without_returns(text: &[u8]) -> Vec<u8> {
    let is_kept = |at: usize| text[at] != b'\r' || text.get(at + 1) != Some(&b'\n');
    (0..text.len()).filter(|at| is_kept(*at)).map(|at| text[at]).collect()
}

/// Returns a path in the clone, unless a symbolic link on the way leads elsewhere.
fn path_of(root: &Path, path: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty());
    for above in above {
        if root.join(above).symlink_metadata().is_ok_and(|facts| facts.is_symlink()) {
            return None;
        }
    }
    Some(root.join(path))
}

/// Removes a file, and its parent directories that are empty then.
fn remove(root: &Path, path: &Path) {
    // A file that cannot be removed is reported as a conflict.
    let _ = std::fs::remove_file(root.join(path));
    for above in path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
        if std::fs::remove_dir(root.join(above)).is_err() {
            break;
        }
    }
}

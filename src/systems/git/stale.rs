//! Leftovers of killed processes in a repository: unfinished packs, and locks. Nothing records their owner,
//! so a file that any process has open stays.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::base::files;

/// Prefixes of unfinished packs: libgit2's, and git's.
const PACKS: [&str; 3] = ["pack_git2_", "tmp_pack_", "tmp_idx_"];
/// Files that git replaces by way of a lock.
const LOCKED: [&str; 5] = ["index", "HEAD", "packed-refs", "config", "shallow"];
/// Maximum number of ref directories to search.
const MOST: usize = 10_000;

/// Removes packs that no process is writing any more, and returns their paths.
pub(super) fn remove_packs(objects: &Path) -> Vec<PathBuf> {
    remove(unfinished_packs(objects))
}

/// Returns the packs that no process is writing any more.
pub(super) fn unfinished_packs(objects: &Path) -> Vec<PathBuf> {
    let directory = objects.join("pack");
    let names = files::list_dir(&directory).unwrap_or_default();
    let unfinished = names.iter().filter(|name| PACKS.iter().any(|begin| name.starts_with(begin)));
    unused(unfinished.map(|name| directory.join(name)).collect())
}

/// Removes locks that no process holds any more, in a repository in which a process of `cki` was killed.
pub(super) fn remove_locks(repository: &Path) {
    let mut locks: Vec<PathBuf> = LOCKED.iter().map(|name| repository.join(format!("{name}.lock"))).collect();
    let mut directories = vec![repository.join("refs")];
    let mut seen = 0;
    while let Some(directory) = directories.pop().filter(|_| seen < MOST) {
        seen += 1;
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => directories.push(entry.path()),
                Ok(kind) if kind.is_file() && entry.file_name().to_string_lossy().ends_with(".lock") => {
                    locks.push(entry.path());
                }
                _ => {}
            }
        }
    }
    remove(unused(locks));
}

fn remove(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    // A lock that cannot be removed is reported by the operation that needs its path.
    paths.retain(|path| std::fs::remove_file(path).is_ok());
    paths
}

/// Returns the files that no process has open, as far as this process may see.
fn unused(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let is_file = |path: &PathBuf| path.symlink_metadata().is_ok_and(|facts| facts.is_file());
    let mut paths: Vec<PathBuf> = paths.into_iter().filter(is_file).collect();
    if paths.is_empty() {
        return paths;
    }
    let open = open_files();
    paths.retain(|path| path.canonicalize().is_ok_and(|real| !open.contains(&real)));
    paths
}

fn open_files() -> BTreeSet<PathBuf> {
    let mut open = BTreeSet::new();
    let Ok(processes) = std::fs::read_dir("/proc") else { return open };
    let is_process = |name: &std::ffi::OsStr| name.to_str().is_some_and(|name| name.parse::<u32>().is_ok());
    for process in processes.flatten().filter(|entry| is_process(&entry.file_name())) {
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        open.extend(files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok()));
    }
    open
}

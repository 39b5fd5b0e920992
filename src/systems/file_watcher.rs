//! Changes to sources on disk. An event of the kernel is only a sign of activity: a scan finds the changed
//! files once it is quiet. So a storm of renames is one change, files that come and go are none, and nothing
//! is scanned while nothing happens. The reaction to changes belongs to `ops`.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use crate::base::tree_snapshot::TreeSnapshot;

/// Time without events after which a change is complete.
const DEBOUNCE: Duration = Duration::from_millis(100);
/// Maximum time before a continuing change is reported.
const LONGEST: Duration = Duration::from_secs(2);

/// Sources cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The path does not exist.
    #[error("`{}` cannot be watched: it is not there", .0.display())]
    Missing(PathBuf),
    /// The kernel's limit of watches is reached.
    #[error("`{}` cannot be watched: it has more directories than the system watches for one user", .0.display())]
    Limit(PathBuf),
    /// The kernel refuses.
    #[error("`{}` cannot be watched", path.display())]
    System {
        /// Path.
        path: PathBuf,
        /// Underlying error.
        source: io::Error,
    },
}

/// Watcher of a directory of sources, until it is dropped.
#[derive(Debug)]
pub struct FileWatcher {
    root: PathBuf,
    known: TreeSnapshot,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    /// Paths removed or renamed since the last scan. A new file or directory of the same name is not yet
    /// watched.
    replaced: Arc<Mutex<BTreeSet<PathBuf>>>,
    bell: Arc<Notify>,
    /// Events have come that were not yet followed by a scan.
    rung: bool,
}

impl FileWatcher {
    /// Starts watching. Ignored directories are not watched, however many there are.
    ///
    /// # Errors
    /// Fails if the root is missing, or the kernel's limit of watches is reached.
    pub fn watch(root: &Path) -> Result<Self, ChangeError> {
        if !root.exists() {
            return Err(ChangeError::Missing(root.to_path_buf()));
        }
        let bell = Arc::new(Notify::new());
        let ring = bell.clone();
        let replaced = Arc::new(Mutex::new(BTreeSet::new()));
        let note = replaced.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Read access changes nothing, and `cki` itself reads the files.
            let is_read = matches!(&event, Ok(event) if is_read(event.kind));
            if let Ok(event) = event
                && matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
            {
                note.lock().unwrap_or_else(PoisonError::into_inner).extend(event.paths);
            }
            if !is_read {
                ring.notify_one();
            }
        });
        let watcher = watcher.map_err(|error| refused(root, error))?;
        let mut this = Self {
            root: root.to_path_buf(),
            known: TreeSnapshot::default(),
            watcher,
            watched: BTreeSet::new(),
            replaced,
            bell,
            rung: false,
        };
        this.known = this.look()?;
        if this.watched.is_empty() {
            let source = io::ErrorKind::PermissionDenied.into();
            return Err(ChangeError::System { path: root.to_path_buf(), source });
        }
        Ok(this)
    }

    /// Waits for quiet and returns the files that have changed since the last call. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// Fails if a new directory cannot be watched.
    pub async fn next(&mut self) -> Result<Vec<PathBuf>, ChangeError> {
        loop {
            if !self.rung {
                self.bell.notified().await;
                self.rung = true;
            }
            let began = Instant::now();
            while began.elapsed() < LONGEST && timeout(DEBOUNCE, self.bell.notified()).await.is_ok() {}
            let now = tokio::task::block_in_place(|| self.look())?;
            self.rung = false;
            let changed = self.known.differing(&now);
            self.known = now;
            if !changed.is_empty() {
                return Ok(changed);
            }
        }
    }

    /// Scans the sources, and watches new directories.
    fn look(&mut self) -> Result<TreeSnapshot, ChangeError> {
        // They may be readable at the next scan.
        let mut unreadable = BTreeSet::new();
        loop {
            let replaced = std::mem::take(&mut *self.replaced.lock().unwrap_or_else(PoisonError::into_inner));
            let now = TreeSnapshot::read(&self.root)
                .map_err(|error| ChangeError::System { path: error.path, source: error.source })?;
            let mut places = now.directories.clone();
            if places.is_empty() {
                // The root is a file; or it is missing for the moment, maybe with its parents.
                let ancestor = self.root.ancestors().skip(1).find(|directory| directory.exists());
                places.extend(ancestor.map(Path::to_path_buf));
            }
            let is_other = |path: &Path| path.ancestors().any(|directory| replaced.contains(directory));
            let gone = self.watched.iter().filter(|path| !places.contains(*path) || is_other(path));
            let gone: Vec<PathBuf> = gone.cloned().collect();
            for path in gone {
                self.watched.remove(&path);
                // A removed path needs no watch.
                let _ = self.watcher.unwatch(&path);
            }
            let fresh = places.difference(&self.watched).filter(|path| !unreadable.contains(*path));
            let fresh: Vec<PathBuf> = fresh.cloned().collect();
            if fresh.is_empty() {
                return Ok(now);
            }
            for path in fresh {
                match self.watcher.watch(&path, RecursiveMode::NonRecursive) {
                    Err(_) if !path.exists() => {}
                    Err(error) if is_denied(&error) => {
                        unreadable.insert(path);
                    }
                    Err(error) => return Err(refused(&self.root, error)),
                    Ok(()) => {
                        self.watched.insert(path);
                    }
                }
            }
            // Another scan finds files that were created in them before they were watched.
        }
    }
}

fn is_read(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
}

fn is_denied(error: &notify::Error) -> bool {
    matches!(&error.kind, notify::ErrorKind::Io(why) if why.kind() == io::ErrorKind::PermissionDenied)
}

fn refused(root: &Path, error: notify::Error) -> ChangeError {
    let path = root.to_path_buf();
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => ChangeError::Limit(path),
        notify::ErrorKind::Io(source) => ChangeError::System { path, source },
        other => ChangeError::System { path, source: io::Error::other(format!("{other:?}")) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn file_watcher_debounces_and_skips_transient_files() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().to_path_buf();
        let write = |name: &str| std::fs::write(root.join(name), name).expect("writes");
        write("old");
        let mut changes = FileWatcher::watch(&root).expect("watches");
        let none = timeout(Duration::from_millis(300), changes.next()).await;
        assert!(none.is_err(), "nothing happened: {none:?}");

        write("passing");
        std::fs::remove_file(root.join("passing")).expect("removes");
        write(".old.swp");
        let none = timeout(Duration::from_millis(600), changes.next()).await;
        assert!(none.is_err(), "nothing stayed: {none:?}");

        // Many at once, in new directories too, as at a checkout of a branch.
        for number in 0..20 {
            std::fs::create_dir_all(root.join(format!("deep/{number}"))).expect("makes");
            for file in 0..100 {
                write(&format!("deep/{number}/{file}.new"));
                std::fs::rename(
                    root.join(format!("deep/{number}/{file}.new")),
                    root.join(format!("deep/{number}/{file}")),
                )
                .expect("renames");
            }
        }
        let mut seen = BTreeSet::new();
        while seen.len() < 2000 {
            seen.extend(changes.next().await.expect("sees"));
        }
        assert_eq!(seen.iter().filter(|path| path.extension().is_none()).count(), 2000);
        write("deep/7/late");
        assert_eq!(changes.next().await.expect("sees"), [root.join("deep/7/late")]);
    }

    /// Writes until the change is seen, since nothing reports when a watch is active.
    async fn seen(changes: &mut FileWatcher, path: &Path) -> bool {
        for number in 0..20 {
            std::fs::write(path, "x".repeat(number)).expect("writes");
            if let Ok(changed) = timeout(Duration::from_millis(500), changes.next()).await {
                let changed = changed.expect("sees");
                if changed.iter().any(|one| one == path) {
                    return true;
                }
            }
        }
        false
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn file_watcher_survives_removal_of_parent() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().join("clones/tools/src");
        std::fs::create_dir_all(&root).expect("makes");
        std::fs::write(root.join("old"), "").expect("writes");
        let mut changes = FileWatcher::watch(&root).expect("watches");
        std::fs::remove_dir_all(directory.path().join("clones")).expect("removes");
        assert_eq!(changes.next().await.expect("sees"), [root.join("old")]);
        let none = timeout(Duration::from_millis(300), changes.next()).await;
        assert!(none.is_err(), "nothing happened: {none:?}");
        std::fs::create_dir_all(&root).expect("makes");
        assert!(seen(&mut changes, &root.join("old")).await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn file_watcher_follows_recreated_directory() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let root = directory.path().join("src");
        let deep = root.join("some/deep");
        std::fs::create_dir_all(&deep).expect("makes");
        let mut changes = FileWatcher::watch(&root).expect("watches");
        for gone in [&root.join("some"), &root] {
            std::fs::remove_dir_all(gone).expect("removes");
            std::fs::create_dir_all(&deep).expect("makes");
            // No file differs from before.
            let none = timeout(Duration::from_millis(400), changes.next()).await;
            assert!(none.is_err(), "no file changed: {none:?}");
            assert!(seen(&mut changes, &deep.join("late")).await, "{} came back", gone.display());
            std::fs::remove_file(deep.join("late")).expect("removes");
            assert_eq!(changes.next().await.expect("sees"), [deep.join("late")]);
        }
    }
}

//! Runs as folders, one per process: `<run>.<name>` below the folder for runs. It holds
//! `process.json` (whose it is and which process it is), `home/`, `log`, `files/` if there are any, and
//! of a detached process `secrets.json` (what is masked when the log is shown). Nothing in it can go stale, as it is
//! believed only while the very process that it names lives.
//!
//! A folder comes into being whole: it is made under another name, which says who makes it.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use super::error::NativeError;
use super::logs;
use crate::base::files::{self, FileError};
use crate::base::owner::Owner;
use crate::base::secret::Secret;
use crate::host;
use crate::model::container::ContainerFile;
use crate::model::identity::{Identity, RunId};

const FACTS: &str = "process.json";
const SECRETS: &str = "secrets.json";
const FILES: &str = "files";
/// A folder that is being made is called this, and then its maker's label.
const UNFINISHED: &str = ".new.";
/// No `process.json` of ours is longer: a command line is at most 2 MiB, and JSON doubles it at worst.
const LONGEST: u64 = 16 << 20;

/// What is known of a process that was started.
#[derive(Debug, Clone)]
pub struct ProcessFacts {
    /// Whose it is.
    pub identity: Identity,
    /// What was run.
    pub command: Vec<String>,
    /// Where.
    pub workdir: PathBuf,
    /// Names of those of its variables that must not be shown.
    pub secret: Vec<String>,
    /// How to know that it is ready, as it was given.
    pub ready: Option<String>,
    /// Published ports: in its space, and on this machine.
    pub ports: Vec<(u16, u16)>,
    /// When it was started, in seconds since 1970.
    pub created: i64,
    /// Its supervisor: nothing until that has been started.
    pub(super) process: Option<Owner>,
    /// Whether the supervisor's child is the first process of a PID namespace.
    pub(super) own_processes: bool,
    pub(super) folder: PathBuf,
}

/// As it is written down.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    labels: BTreeMap<String, String>,
    process: Option<String>,
    own_processes: bool,
    command: Vec<String>,
    workdir: PathBuf,
    secret: Vec<String>,
    #[serde(default)]
    ready: Option<String>,
    ports: Vec<(u16, u16)>,
    created: i64,
}

impl ProcessFacts {
    /// Whether it runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.process.as_ref().is_some_and(host::is_alive)
    }

    /// The number of the component's own process, below its supervisor.
    ///
    /// # Errors
    /// When it does not run.
    pub fn pid(&self) -> Result<u32, NativeError> {
        let alive = self.process.as_ref().filter(|process| host::is_alive(process));
        let first_child = |pid: u32| -> Option<u32> {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
            children.split_whitespace().next()?.parse().ok()
        };
        alive
            .and_then(|supervisor| first_child(supervisor.pid))
            .and_then(|child| if self.own_processes { first_child(child) } else { Some(child) })
            .ok_or_else(|| NativeError::NotRunning {
                run: self.identity.run.to_string(),
                name: self.identity.name.clone(),
            })
    }

    pub(super) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    /// Where a file for it is.
    pub(super) fn file(&self, file: &ContainerFile) -> PathBuf {
        self.folder.join(FILES).join(name_of(file))
    }

    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    /// Makes the folder, with all in it that the process needs, and opens its log. The log of a
    /// detached process may hold what is hidden, which is kept beside it to be masked when the log is
    /// shown after its end.
    pub(super) fn create(&self, hidden: &[Secret], files: &[ContainerFile]) -> Result<File, NativeError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let runs = self.folder.parent().unwrap_or(Path::new("/"));
        let maker = host::owner(std::process::id())
            .ok_or_else(|| FileError::new("read", "/proc/self/stat", io::ErrorKind::NotFound.into()))?;
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let unfinished = runs.join(format!("{UNFINISHED}{}.{count}", maker.to_label()));
        make_private(&unfinished)?;
        make_private(&unfinished.join("home"))?;
        self.write(&unfinished)?;
        if !hidden.is_empty() {
            let values: Vec<&str> = hidden.iter().map(Secret::expose).collect();
            write_json(&unfinished.join(SECRETS), &values)?;
        }
        if !files.is_empty() {
            make_private(&unfinished.join(FILES))?;
        }
        for file in files {
            let path = unfinished.join(FILES).join(name_of(file));
            files::write_whole(&path, file.content.expose().as_bytes(), 0o600)?;
        }
        let log = logs::open(&unfinished.join("log"))?;
        files::rename(&unfinished, &self.folder).map_err(|error| {
            // It is our own, and empty but for what was just made.
            let _ = files::remove_folder(&unfinished);
            match error.source.kind() {
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists => NativeError::Exists {
                    run: self.identity.run.to_string(),
                    name: self.identity.name.clone(),
                },
                _ => error.into(),
            }
        })?;
        Ok(log)
    }

    /// Writes down what is known.
    pub(super) fn write(&self, folder: &Path) -> Result<(), NativeError> {
        let record = Record {
            labels: self.identity.to_labels(),
            process: self.process.as_ref().map(Owner::to_label),
            own_processes: self.own_processes,
            command: self.command.clone(),
            workdir: self.workdir.clone(),
            secret: self.secret.clone(),
            ready: self.ready.clone(),
            ports: self.ports.clone(),
            created: self.created,
        };
        write_json(&folder.join(FACTS), &record)
    }

    /// What was kept of its environment, to be masked.
    pub(super) fn kept_secrets(&self) -> Result<Vec<Secret>, NativeError> {
        let file = self.folder.join(SECRETS);
        let text = match files::read_text(&file, LONGEST) {
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            text => text?,
        };
        let values: Vec<String> = serde_json::from_str(&text)
            .map_err(|error| FileError::new("read", &file, io::Error::other(error)))?;
        Ok(values.into_iter().map(Secret::new).collect())
    }

    fn read(folder: PathBuf) -> Option<Self> {
        let text = files::read_text(&folder.join(FACTS), LONGEST).ok()?;
        let record: Record = serde_json::from_str(&text).ok()?;
        let identity = Identity::from_labels(|key| record.labels.get(key).map(String::as_str))?;
        // Whatever was moved here from elsewhere is not what it says.
        if folder.file_name()?.to_str()? != folder_name(&identity) {
            return None;
        }
        Some(Self {
            identity,
            command: record.command,
            workdir: record.workdir,
            secret: record.secret,
            ready: record.ready,
            ports: record.ports,
            created: record.created,
            process: record.process.as_deref().and_then(Owner::parse),
            own_processes: record.own_processes,
            folder,
        })
    }
}

/// The last part of a path, which is a plain name whatever the path is.
fn name_of(file: &ContainerFile) -> &str {
    Path::new(&file.path).file_name().and_then(|name| name.to_str()).unwrap_or("file")
}

fn write_json(file: &Path, value: &impl Serialize) -> Result<(), NativeError> {
    let content = serde_json::to_vec_pretty(value)
        .map_err(|error| FileError::new("write", file, io::Error::other(error)))?;
    Ok(files::write_whole(file, &content, 0o600)?)
}

/// All that have a folder, oldest first.
pub(super) fn list(runs: &Path) -> Result<Vec<ProcessFacts>, NativeError> {
    let names = files::names_in(runs)?;
    let ours =
        names.iter().filter(|name| name.split_once('.').is_some_and(|(run, _)| RunId::parse(run).is_some()));
    let mut found: Vec<_> = ours.filter_map(|name| ProcessFacts::read(runs.join(name))).collect();
    found.sort_by(|a, b| (a.created, &a.folder).cmp(&(b.created, &b.folder)));
    Ok(found)
}

/// The folders whose maker was killed before they were whole.
pub(super) fn unfinished(runs: &Path) -> Result<Vec<PathBuf>, NativeError> {
    let is_left = |name: &String| {
        let maker = name.strip_prefix(UNFINISHED).and_then(|label| Owner::parse(label.rsplit_once('.')?.0));
        maker.is_some_and(|maker| !host::is_alive(&maker))
    };
    Ok(files::names_in(runs)?.into_iter().filter(is_left).map(|name| runs.join(name)).collect())
}

/// Removes them.
pub(super) fn remove_unfinished(runs: &Path) -> Result<(), NativeError> {
    for folder in unfinished(runs)? {
        remove(&folder)?;
    }
    Ok(())
}

/// The name of a process's folder.
pub(super) fn folder_name(identity: &Identity) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = identity.name.chars().map(plain).take(100).collect();
    format!("{}.{name}", identity.run)
}

/// Makes the folder for runs, for nobody else to read, and refuses one in which another user could
/// have put something: where there is no `$XDG_RUNTIME_DIR`, it is below a folder for everybody.
pub(super) fn make_runs_folder(runs: &Path) -> Result<(), NativeError> {
    let above = runs.parent().unwrap_or(Path::new("/"));
    if let Some(root) = above.parent() {
        files::make_folder(root)?;
    }
    for folder in [above, runs] {
        match make_private(folder) {
            Err(error) if error.source.kind() == io::ErrorKind::AlreadyExists => {}
            other => other?,
        }
        let facts = folder.symlink_metadata().map_err(|source| FileError::new("read", folder, source))?;
        let wrong = |reason| NativeError::Folder { path: folder.to_owned(), reason };
        if !facts.is_dir() {
            return Err(wrong("is no folder"));
        }
        if facts.uid() != nix::unistd::getuid().as_raw() {
            return Err(wrong("belongs to another user"));
        }
        if facts.mode() & 0o022 != 0 {
            return Err(wrong("can be written to by other users"));
        }
    }
    Ok(())
}

fn make_private(folder: &Path) -> Result<(), FileError> {
    DirBuilder::new().mode(0o700).create(folder).map_err(|source| FileError::new("create", folder, source))
}

/// Removes a process's folder, also when there are folders in it that may not be written to, as
/// Go's module cache has them.
pub(super) fn remove(folder: &Path) -> Result<(), FileError> {
    match files::remove_folder(folder) {
        Err(error) if error.source.kind() == io::ErrorKind::PermissionDenied => {
            open_up(folder);
            files::remove_folder(folder)
        }
        other => other,
    }
}

/// What cannot be opened up, the removal afterwards complains of.
fn open_up(folder: &Path) {
    let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700));
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        // The kind is that of the entry itself: a link is not followed out of the folder.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::identity::{Lifetime, Role};

    fn facts(runs: &Path, name: &str) -> ProcessFacts {
        let identity = Identity {
            run: RunId::new(b"x"),
            component: "service/a".into(),
            role: Role::Component,
            name: name.into(),
            owner: host::owner(std::process::id()).expect("this process lives"),
            lifetime: Lifetime::Owner,
        };
        ProcessFacts {
            folder: runs.join(folder_name(&identity)),
            identity,
            command: vec!["a".into(), "b c".into()],
            workdir: "/w".into(),
            secret: vec!["TOKEN".into()],
            ready: None,
            ports: vec![(1, 2)],
            created: 3,
            process: None,
            own_processes: true,
        }
    }

    #[test]
    fn a_folder_is_believed_while_its_process_lives() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runs = folder.path().join("cki/native");
        make_runs_folder(&runs).expect("makes it");
        let mut one = facts(&runs, "a/b");
        one.create(&[], &[]).expect("creates");
        assert!(matches!(one.create(&[], &[]), Err(NativeError::Exists { .. })));
        assert_eq!(files::names_in(&runs).expect("lists"), [format!("{}.a-b", one.identity.run)]);
        assert!(!list(&runs).expect("lists")[0].is_alive());

        one.process = host::owner(std::process::id());
        one.write(&one.folder).expect("writes");
        let found = list(&runs).expect("lists").remove(0);
        assert!(found.is_alive());
        assert_eq!((&found.identity, &found.command), (&one.identity, &one.command));
        assert_eq!((&found.workdir, &found.ports, found.created), (&one.workdir, &one.ports, one.created));

        one.process.as_mut().expect("was just set").started += 1;
        one.write(&one.folder).expect("writes");
        assert!(!list(&runs).expect("lists")[0].is_alive());
    }

    #[test]
    fn foreign_folders_are_not_listed_and_only_abandoned_beginnings_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let runs = folder.path().join("cki/native");
        make_runs_folder(&runs).expect("makes it");
        let one = facts(&runs, "a");
        one.create(&[], &[]).expect("creates");
        files::rename(&one.folder, &runs.join("0123456789.a")).expect("moves");
        let mut gone = host::owner(std::process::id()).expect("this process lives");
        let alive = format!("{UNFINISHED}{}.7", gone.to_label());
        gone.started += 1;
        for name in ["other", &alive, &format!("{UNFINISHED}{}.7", gone.to_label())] {
            files::make_folder(&runs.join(name)).expect("creates");
        }
        assert!(list(&runs).expect("lists").is_empty());
        remove_unfinished(&runs).expect("removes");
        assert_eq!(files::names_in(&runs).expect("lists"), [alive.as_str(), "0123456789.a", "other"]);
    }

    #[test]
    fn a_folder_that_others_write_to_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let above = folder.path().join("cki");
        files::make_folder(&above).expect("creates");
        std::fs::set_permissions(&above, std::fs::Permissions::from_mode(0o777)).expect("opens up");
        assert!(matches!(make_runs_folder(&above.join("native")), Err(NativeError::Folder { .. })));
    }

    #[test]
    fn folders_without_write_permission_are_removed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let tree = folder.path().join("a");
        files::make_folder(&tree.join("b/c")).expect("creates");
        std::fs::set_permissions(tree.join("b"), std::fs::Permissions::from_mode(0o500)).expect("closes");
        remove(&tree).expect("removes");
        assert!(!tree.exists());
    }
}

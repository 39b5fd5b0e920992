//! Directories of native processes: `<run>.<name>` below the directory for runs. Each holds `process.json`
//! (its identity and its process), `home/`, `log`, `files/` if there are any, and for a detached process
//! `secrets.json` (values to mask when the log is shown). Its data cannot be stale, since it counts only
//! while exactly the named process lives.
//!
//! A directory is created under another name, which names its creator, and renamed once complete.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use super::error::NativeError;
use super::logs;
use super::private_directory::{make_private, remove};
use crate::base::files::{self, FileError};
use crate::base::process_ref::ProcessRef;
use crate::base::secret::Secret;
use crate::host;
use crate::model::container::ContainerFile;
use crate::model::identity::{ResourceLabels, RunId};
use crate::model::port::PublishedPort;

const FACTS: &str = "process.json";
const SECRETS: &str = "secrets.json";
const FILES: &str = "files";
/// Infix in the name of an unfinished directory, before its creator's label.
const UNFINISHED: &str = ".new.";
/// Maximum bytes of `process.json`: a command line is at most 2 MiB, and JSON doubles it at worst.
const LONGEST: u64 = 16 << 20;

/// Facts of a started process.
#[derive(Debug, Clone)]
pub struct ProcessFacts {
    /// Identity.
    pub identity: ResourceLabels,
    /// Command.
    pub command: Vec<String>,
    /// Working directory.
    pub workdir: PathBuf,
    /// Names of its secret variables.
    pub secret: Vec<String>,
    /// Description of its readiness probe, as given.
    pub ready: Option<String>,
    /// Digest of its configuration, as given.
    pub config_hash: Option<String>,
    /// Published ports.
    pub ports: Vec<PublishedPort>,
    /// Timestamp of its start, in seconds since 1970.
    pub created: i64,
    /// Supervisor; `None` until that has been started.
    pub(super) process: Option<ProcessRef>,
    /// The supervisor's child is the first process of a PID namespace.
    pub(super) own_processes: bool,
    pub(super) directory: PathBuf,
}

/// Stored form.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    labels: BTreeMap<String, String>,
    process: Option<String>,
    own_processes: bool,
    command: Vec<String>,
    workdir: StoredPath,
    secret: Vec<String>,
    ready: Option<String>,
    config_hash: Option<String>,
    #[serde(default)]
    published: String,
    created: i64,
}

/// Stored form of a path, which need not be text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum StoredPath {
    Text(String),
    Escaped { percent_encoded: String },
}

impl From<&Path> for StoredPath {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => {
                let bytes = path.as_os_str().as_bytes();
                let escaped = percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC);
                Self::Escaped { percent_encoded: escaped.to_string() }
            }
        }
    }
}

impl From<StoredPath> for PathBuf {
    fn from(stored: StoredPath) -> Self {
        match stored {
            StoredPath::Text(text) => text.into(),
            StoredPath::Escaped { percent_encoded } => {
                let bytes: Vec<u8> = percent_encoding::percent_decode_str(&percent_encoded).collect();
                OsString::from_vec(bytes).into()
            }
        }
    }
}

impl ProcessFacts {
    /// Returns a process for tests, which has never run.
    #[cfg(test)]
    pub(crate) fn sample(identity: ResourceLabels) -> Self {
        Self {
            identity,
            command: Vec::new(),
            workdir: PathBuf::new(),
            secret: Vec::new(),
            ready: None,
            config_hash: None,
            ports: Vec::new(),
            created: 0,
            process: None,
            own_processes: false,
            directory: PathBuf::new(),
        }
    }

    /// Returns whether it runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.process.as_ref().is_some_and(host::is_alive)
    }

    /// Returns the PID of the component's own process, the supervisor's descendant.
    ///
    /// # Errors
    /// Fails if the process does not run.
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

    /// Returns the PID of its supervisor, which ends when it has ended with all its descendants.
    ///
    /// # Errors
    /// Fails if the process does not live.
    pub fn supervisor(&self) -> Result<u32, NativeError> {
        let alive = self.process.as_ref().filter(|process| host::is_alive(process));
        alive.map(|supervisor| supervisor.pid).ok_or_else(|| NativeError::NotRunning {
            run: self.identity.run.to_string(),
            name: self.identity.name.clone(),
        })
    }

    pub(super) fn home(&self) -> PathBuf {
        self.directory.join("home")
    }

    /// Returns the path of a file for it.
    pub(super) fn file(&self, file: &ContainerFile) -> PathBuf {
        self.directory.join(FILES).join(name_of(file))
    }

    pub(super) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// Creates the directory with all the process's files, and opens its log. The log of a detached process
    /// may contain secrets (`hidden`), which are stored next to it, so that they can be masked after its end.
    pub(super) fn create(&self, hidden: &[Secret], files: &[ContainerFile]) -> Result<File, NativeError> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let runs = self.directory.parent().unwrap_or(Path::new("/"));
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
            if path.to_str().is_none() {
                let why = io::Error::new(
                    io::ErrorKind::InvalidInput,
                    "a variable names this file, and its path is not UTF-8: choose another workspace",
                );
                // The directory is ours, and holds only files that were just created.
                let _ = files::remove_directory(&unfinished);
                return Err(FileError::new("write", &path, why).into());
            }
            files::write_atomic(&path, file.content.expose().as_bytes(), 0o600)?;
        }
        let log = logs::open(&unfinished.join("log"))?;
        files::rename(&unfinished, &self.directory).map_err(|error| {
            // The directory is ours, and holds only files that were just created.
            let _ = files::remove_directory(&unfinished);
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

    /// Stores the facts.
    pub(super) fn write(&self, directory: &Path) -> Result<(), NativeError> {
        let record = Record {
            labels: self.identity.to_labels(),
            process: self.process.as_ref().map(ProcessRef::to_label),
            own_processes: self.own_processes,
            command: self.command.clone(),
            workdir: self.workdir.as_path().into(),
            secret: self.secret.clone(),
            ready: self.ready.clone(),
            config_hash: self.config_hash.clone(),
            published: PublishedPort::to_label(&self.ports),
            created: self.created,
        };
        write_json(&directory.join(FACTS), &record)
    }

    /// Returns the stored secrets of its environment.
    pub(super) fn stored_secrets(&self) -> Result<Vec<Secret>, NativeError> {
        let file = self.directory.join(SECRETS);
        let text = match files::read_text(&file, LONGEST) {
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            text => text?,
        };
        let values: Vec<String> = serde_json::from_str(&text)
            .map_err(|error| FileError::new("read", &file, io::Error::other(error)))?;
        Ok(values.into_iter().map(Secret::new).collect())
    }

    fn read(directory: PathBuf) -> Option<Self> {
        let text = files::read_text(&directory.join(FACTS), LONGEST).ok()?;
        let record: Record = serde_json::from_str(&text).ok()?;
        let identity = ResourceLabels::from_labels(&record.labels)?;
        // A directory that was moved here from elsewhere is not trusted.
        if directory.file_name()?.to_str()? != directory_name(&identity) {
            return None;
        }
        Some(Self {
            identity,
            command: record.command,
            workdir: record.workdir.into(),
            secret: record.secret,
            ready: record.ready,
            config_hash: record.config_hash,
            ports: PublishedPort::from_label(&record.published),
            created: record.created,
            process: record.process.as_deref().and_then(ProcessRef::parse),
            own_processes: record.own_processes,
            directory,
        })
    }
}

/// Returns the last part of a path; it is a plain name, whatever the path.
fn name_of(file: &ContainerFile) -> &str {
    Path::new(&file.path).file_name().and_then(|name| name.to_str()).unwrap_or("file")
}

pub(super) fn write_json(file: &Path, value: &impl Serialize) -> Result<(), NativeError> {
    let content = serde_json::to_vec_pretty(value)
        .map_err(|error| FileError::new("write", file, io::Error::other(error)))?;
    Ok(files::write_atomic(file, &content, 0o600)?)
}

/// Returns all processes that have a directory, oldest first.
pub(super) fn list(runs: &Path) -> Result<Vec<ProcessFacts>, NativeError> {
    let names = files::list_dir(runs)?;
    let ours =
        names.iter().filter(|name| name.split_once('.').is_some_and(|(run, _)| RunId::parse(run).is_some()));
    let mut found: Vec<_> = ours.filter_map(|name| ProcessFacts::read(runs.join(name))).collect();
    found.sort_by(|a, b| (a.created, &a.directory).cmp(&(b.created, &b.directory)));
    Ok(found)
}

/// Returns the directories whose creator was killed before they were complete.
pub(super) fn unfinished(runs: &Path) -> Result<Vec<PathBuf>, NativeError> {
    let is_left = |name: &String| {
        let maker =
            name.strip_prefix(UNFINISHED).and_then(|label| ProcessRef::parse(label.rsplit_once('.')?.0));
        maker.is_some_and(|maker| !host::is_alive(&maker))
    };
    Ok(files::list_dir(runs)?.into_iter().filter(is_left).map(|name| runs.join(name)).collect())
}

/// Removes unfinished directories.
pub(super) fn remove_unfinished(runs: &Path) -> Result<(), NativeError> {
    for directory in unfinished(runs)? {
        remove(&directory)?;
    }
    Ok(())
}

/// Returns the name of a process's directory.
pub(super) fn directory_name(identity: &ResourceLabels) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = identity.name.chars().map(plain).take(100).collect();
    format!("{}.{name}", identity.run)
}

#[cfg(test)]
mod tests {
    use super::super::private_directory::make_runs_directory;
    use super::*;
    use crate::model::identity::{Retention, Role};

    fn facts(runs: &Path, name: &str) -> ProcessFacts {
        let identity = ResourceLabels {
            run: RunId::new(b"x"),
            component: "service/a".into(),
            role: Role::Component,
            name: name.into(),
            owner: host::owner(std::process::id()).expect("this process lives"),
            lifetime: Retention::Owner,
            inventory: String::new(),
        };
        ProcessFacts {
            directory: runs.join(directory_name(&identity)),
            identity,
            command: vec!["a".into(), "b c".into()],
            workdir: "/w".into(),
            secret: vec!["TOKEN".into()],
            ready: None,
            config_hash: None,
            ports: vec![PublishedPort { local: 2, port: 1, is_http: true }],
            created: 3,
            process: None,
            own_processes: true,
        }
    }

    #[test]
    fn state_dir_is_alive_while_its_process_runs() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let runs = directory.path().join(OsString::from_vec(b"w\xff/native".to_vec()));
        make_runs_directory(&runs).expect("makes it");
        let mut one = facts(&runs, "a.b");
        one.workdir = runs.join("home");
        one.create(&[], &[]).expect("creates");
        assert!(matches!(one.create(&[], &[]), Err(NativeError::Exists { .. })));
        assert_eq!(files::list_dir(&runs).expect("lists"), [format!("{}.a.b", one.identity.run)]);
        assert!(!list(&runs).expect("lists")[0].is_alive());

        one.process = host::owner(std::process::id());
        one.write(&one.directory).expect("writes");
        let found = list(&runs).expect("lists").remove(0);
        assert!(found.is_alive());
        assert_eq!((&found.identity, &found.command), (&one.identity, &one.command));
        assert_eq!((&found.workdir, &found.ports, found.created), (&one.workdir, &one.ports, one.created));

        one.process.as_mut().expect("was just set").started += 1;
        one.write(&one.directory).expect("writes");
        assert!(!list(&runs).expect("lists")[0].is_alive());
    }

    #[test]
    fn list_skips_foreign_and_removes_abandoned_directories() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let runs = directory.path().join("cki/native");
        make_runs_directory(&runs).expect("makes it");
        let one = facts(&runs, "a");
        one.create(&[], &[]).expect("creates");
        files::rename(&one.directory, &runs.join("0123456789.a")).expect("moves");
        let mut gone = host::owner(std::process::id()).expect("this process lives");
        let alive = format!("{UNFINISHED}{}.7", gone.to_label());
        gone.started += 1;
        for name in ["other", &alive, &format!("{UNFINISHED}{}.7", gone.to_label())] {
            files::make_directory(&runs.join(name)).expect("creates");
        }
        assert!(list(&runs).expect("lists").is_empty());
        remove_unfinished(&runs).expect("removes");
        assert_eq!(files::list_dir(&runs).expect("lists"), [alive.as_str(), "0123456789.a", "other"]);
    }
}

//! Records of running commands, one file each in the runtime directory: a command may lose its mark, and its client may
//! be killed. The next client finds the record of a dead one, and ends the command. A record alone decides nothing:
//! the engine knows the command by its random id.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use super::ContainerEngine;
use crate::base::files;

/// Maximum bytes of a record.
const LONGEST: u64 = 16 << 10;

/// Content of a record.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    /// Address of the engine.
    engine: String,
    container: String,
    exec: String,
    mark: String,
}

/// Record of a command, which stays until [`ExecRecord::remove`].
#[derive(Debug, Clone)]
pub(super) struct ExecRecord(PathBuf);

impl ExecRecord {
    /// Writes it. Without a writable directory, the command's mark has to do.
    pub(super) fn write(engine: &ContainerEngine, container: &str, exec: &str, mark: &str) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let directory = engine.shared.records.as_ref()?;
        let content = Content {
            engine: place(engine).to_owned(),
            container: container.to_owned(),
            exec: exec.to_owned(),
            mark: mark.to_owned(),
        };
        let name = format!("{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let file = directory.join(name);
        DirBuilder::new().recursive(true).mode(0o700).create(directory).ok()?;
        if !is_private(directory) {
            return None;
        }
        files::write_atomic(&file, &serde_json::to_vec(&content).ok()?, 0o600).ok()?;
        Some(Self(file))
    }

    /// Removes it after the end of the command.
    pub(super) fn remove(&self) {
        // It is only of use as long as the command runs.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Returns the container, the id and the mark of each recorded command on an engine.
pub(super) fn recorded_commands(engine: &ContainerEngine) -> Vec<(String, String, String, ExecRecord)> {
    let Some(directory) = &engine.shared.records else { return Vec::new() };
    if !is_private(directory) {
        return Vec::new();
    }
    let names = files::all_names_in(directory).unwrap_or_default();
    let read = |name: &std::ffi::OsString| {
        let file = directory.join(name);
        let Content { engine: at, container, exec, mark } =
            serde_json::from_str(&files::read_text(&file, LONGEST).ok()?).ok()?;
        (at == place(engine)).then_some((container, exec, mark, ExecRecord(file)))
    };
    names.iter().filter_map(read).collect()
}

/// Returns the name of the engine in records: its address, unless that is new for each client.
fn place(engine: &ContainerEngine) -> &str {
    if engine.shared.service.is_some() { "podman system service" } else { engine.address() }
}

/// Returns whether nobody else can have placed a file in a directory: without `$XDG_RUNTIME_DIR`, it lies in a
/// world-writable one.
fn is_private(directory: &Path) -> bool {
    let is_own = |directory: &Path| {
        directory
            .symlink_metadata()
            .is_ok_and(|facts| facts.is_dir() && files::is_own(facts.uid()) && facts.mode() & 0o022 == 0)
    };
    is_own(directory) && directory.parent().is_some_and(is_own)
}

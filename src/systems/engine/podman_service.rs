//! A Podman service of this process, for a machine with the program and no socket: it listens in a directory
//! that only this user can enter, and lives as long as its value or this process, whichever ends first. Its
//! containers outlive it.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::address::{Address, PingInfo};
use super::message::clean;
use crate::base::files::FileError;
use crate::host::{Env, programs, scratch};

/// Timeout until it answers; the first time it sets up its storage.
const START: Duration = Duration::from_secs(30);
/// Time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// Maximum bytes of a socket's path, which must fit into 108 bytes (unix(7)).
const LONGEST_SOCKET: usize = 100;

/// A running service. Dropping it ends the service and removes its directory.
#[derive(Debug)]
pub(super) struct PodmanService {
    group: Pid,
    keeper: Option<JoinHandle<()>>,
    directory: PathBuf,
}

/// Reason for a missing service.
#[derive(Debug, thiserror::Error)]
pub(super) enum PodmanServiceError {
    #[error(transparent)]
    Directory(#[from] FileError),
    #[error("`{program}` cannot be run: {source}")]
    Program { program: String, source: io::Error },
    #[error("`podman system service` ended at once: {0}")]
    Ended(String),
    #[error("`podman system service` does not answer after {}", crate::base::text::duration(START))]
    Silent,
}

impl PodmanService {
    /// Starts a service and waits until it answers.
    pub(super) async fn start(
        env: &Env,
        program: &Path,
    ) -> Result<(Self, Address, PingInfo), PodmanServiceError> {
        let directory = make_directory(env)?;
        let socket = directory.join("podman.sock");
        let log = File::options()
            .create_new(true)
            .read(true)
            .write(true)
            .open(directory.join("log"))
            .map_err(|source| FileError::new("write", &directory, source));
        let spawned = log.map_err(PodmanServiceError::from).and_then(|log| {
            let mut command = command(env, program, &socket);
            let stderr = log.try_clone().map_err(|source| FileError::new("write", &directory, source))?;
            command.stderr(Stdio::from(stderr));
            Ok((keep(command, program)?, log))
        });
        let ((group, keeper), mut log) =
            spawned.inspect_err(|_| drop(std::fs::remove_dir_all(&directory)))?;
        // From here on, the guard cleans up, also if this future is dropped.
        let service = Self { group, keeper: Some(keeper), directory };
        let address = Address::Unix(socket);
        let began = Instant::now();
        while began.elapsed() < START {
            if let Ok(pong) = address.ping(Duration::from_secs(1)).await {
                return Ok((service, address, pong));
            }
            if service.keeper.as_ref().is_none_or(JoinHandle::is_finished) {
                return Err(PodmanServiceError::Ended(last_words(&mut log)));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(PodmanServiceError::Silent)
    }
}

fn command(env: &Env, program: &Path, socket: &Path) -> Command {
    let mut command = programs::command(env, program);
    command
        .args(["system", "service", "--time=0"])
        .arg(format!("unix://{}", socket.display()))
        .env("PATH", with_sbin(env.get_os("PATH").unwrap_or_default()))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        // `cki` handles Ctrl-C itself, and needs the service for the clean-up.
        .process_group(0);
    #[cfg(target_os = "linux")]
    die_with_parent(&mut command);
    command
}

/// Adds the directories of `iptables` and `nft`, which Podman's network program calls: on Debian, the search path of a
/// user lacks them.
fn with_sbin(path: &OsStr) -> OsString {
    let missing = ["/usr/sbin", "/sbin"].map(PathBuf::from).into_iter();
    let is_named = |directory: &PathBuf| !directory.as_os_str().is_empty();
    let known: Vec<PathBuf> = std::env::split_paths(path).filter(is_named).collect();
    let missing: Vec<PathBuf> = missing.filter(|directory| !known.contains(directory)).collect();
    // None of the parts has a separator.
    std::env::join_paths(known.into_iter().chain(missing)).unwrap_or_else(|_| path.to_owned())
}

/// Ends the service when this process is killed; otherwise it would stay forever.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "between fork and exec, two system calls without allocation")]
fn die_with_parent(command: &mut Command) {
    let parent = nix::unistd::getpid();
    // SAFETY: prctl and getppid are async-signal-safe.
    unsafe {
        command.pre_exec(move || {
            nix::sys::prctl::set_pdeathsig(Signal::SIGTERM)?;
            // The parent may have died before the line above.
            if nix::unistd::getppid() == parent { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        });
    }
}

/// Starts a process in a separate thread, which lives until the process ends: the signal at the parent's
/// death is really sent at the death of the starting thread.
fn keep(mut command: Command, program: &Path) -> Result<(Pid, JoinHandle<()>), PodmanServiceError> {
    let (sender, receiver) = mpsc::channel();
    let keeper = std::thread::Builder::new().name("podman".to_owned()).spawn(move || {
        let mut child: Option<Child> = None;
        let started = command.spawn().map(|process| child.insert(process).id());
        let sent = sender.send(started);
        if let Some(mut child) = child {
            if sent.is_err() {
                // The receiver is gone.
                let _ = child.kill();
            }
            let _ = child.wait();
        }
    });
    let fail = |source| PodmanServiceError::Program { program: program.display().to_string(), source };
    let keeper = keeper.map_err(fail)?;
    let gone = |_| fail(io::ErrorKind::BrokenPipe.into());
    let pid = receiver.recv().map_err(gone)?.map_err(fail)?;
    Ok((Pid::from_raw(i32::try_from(pid).unwrap_or(i32::MAX)), keeper))
}

impl Drop for PodmanService {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.take() {
            // While the keeper has not finished, the process has not been reaped, and its PID cannot be
            // reused.
            let ended = |limit: Duration| {
                let began = Instant::now();
                while !keeper.is_finished() && began.elapsed() < limit {
                    std::thread::sleep(Duration::from_millis(5));
                }
                keeper.is_finished()
            };
            for (signal, limit) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, GRACE)] {
                if !ended(Duration::ZERO) {
                    // The process may have just ended.
                    let _ = killpg(self.group, signal);
                    ended(limit);
                }
            }
        }
        // The next service to start removes the directory of a killed one.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn last_words(log: &mut File) -> String {
    let mut text = String::new();
    let read = log.rewind().and_then(|()| log.take(8 << 10).read_to_string(&mut text));
    clean(if read.is_ok() { &text } else { "" })
}

const PREFIX: &str = "podman-";

/// Creates a directory that only this user can enter, below the directory for sockets.
fn make_directory(env: &Env) -> Result<PathBuf, FileError> {
    let parent = parent(env);
    private_directory(&parent)?;
    for directory in scratch::abandoned(&parent, PREFIX) {
        // The next start retries a failed removal.
        let _ = std::fs::remove_dir_all(directory);
    }
    let directory = scratch::owned(&parent, PREFIX);
    directory.map(tempfile::TempDir::keep).map_err(|source| FileError::new("create", &parent, source))
}

/// Creates a directory for this user alone, and refuses one of another user: its name below `/tmp` can be
/// guessed.
fn private_directory(path: &Path) -> Result<(), FileError> {
    let fail = |source| FileError::new("create", path, source);
    if let Some(parent) = path.parent() {
        crate::base::files::make_directory(parent)?;
    }
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fail(error)),
        _ => {}
    }
    let facts = path.symlink_metadata().map_err(fail)?;
    let ours = facts.is_dir() && facts.uid() == nix::unistd::getuid().as_raw();
    if !ours || facts.mode() & 0o022 != 0 {
        return Err(fail(io::Error::other("it is there already, and others can write to it")));
    }
    Ok(())
}

fn parent(env: &Env) -> PathBuf {
    let usual = env.runtime_directory();
    // A long `TMPDIR` would make the path of the socket too long.
    if usual.as_os_str().len() + 40 > LONGEST_SOCKET {
        PathBuf::from(format!("/tmp/cki-{}", nix::unistd::getuid()))
    } else {
        usual
    }
}

/// Returns the directories of services whose owners were killed before they could remove them.
pub fn orphaned_services(env: &Env) -> Vec<PathBuf> {
    let parent = parent(env);
    // A directory of another user holds nothing of this one's.
    let is_ours = |facts: std::fs::Metadata| facts.is_dir() && facts.uid() == nix::unistd::getuid().as_raw();
    if !parent.symlink_metadata().is_ok_and(is_ours) {
        return Vec::new();
    }
    scratch::abandoned(&parent, PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn with_sbin_adds_what_a_search_path_lacks() {
        let of = |path: &str| with_sbin(OsStr::new(path)).into_string().expect("is text");
        assert_eq!(of("/usr/local/bin:/usr/bin:/bin"), "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        assert_eq!(of("/usr/sbin:/usr/bin"), "/usr/sbin:/usr/bin:/sbin");
        assert_eq!(of(""), "/usr/sbin:/sbin");
    }

    #[test]
    fn make_directory_is_private_and_removes_orphans() {
        let runtime = tempfile::tempdir().expect("a temporary directory");
        let env = Env::new([("XDG_RUNTIME_DIR", runtime.path())]);
        let orphan = runtime.path().join(format!("cki/podman-1-999999999999-{}-x", crate::host::place()));
        std::fs::create_dir_all(&orphan).expect("makes directories");
        let parent = runtime.path().join("cki");
        std::fs::set_permissions(&parent, std::fs::Permissions::from_mode(0o700)).expect("sets");
        let directory = make_directory(&env).expect("makes it");
        let mode = directory.metadata().expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert!(!orphan.exists());
        let again = make_directory(&env).expect("makes another");
        assert!(directory.exists() && again.exists(), "our own are not orphans");
    }

    #[test]
    fn private_directory_refuses_shared_parent() {
        let runtime = tempfile::tempdir().expect("a temporary directory");
        let parent = runtime.path().join("cki");
        std::fs::create_dir(&parent).expect("makes it");
        std::fs::set_permissions(&parent, std::fs::Permissions::from_mode(0o777)).expect("sets");
        assert!(private_directory(&parent).is_err());
    }

    #[tokio::test]
    async fn failed_podman_service_reports_cause_and_cleans_up() {
        let runtime = tempfile::tempdir().expect("a temporary directory");
        let program = runtime.path().join("podman");
        std::fs::write(&program, "#!/bin/sh\necho no storage >&2\nexit 3\n").expect("writes");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("sets");
        let env = Env::new([("XDG_RUNTIME_DIR", runtime.path())]);
        let error = PodmanService::start(&env, &program).await.expect_err("ends").to_string();
        assert!(error.contains("no storage"), "{error}");
        assert_eq!(std::fs::read_dir(runtime.path().join("cki")).expect("is there").count(), 0);
        let error = PodmanService::start(&env, Path::new("/nowhere/podman")).await.expect_err("is missing");
        assert!(matches!(error, PodmanServiceError::Program { .. }));
        assert_eq!(std::fs::read_dir(runtime.path().join("cki")).expect("is there").count(), 0);
    }
}

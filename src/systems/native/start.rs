//! Start of a process: its specification, its checks, and its environment. The life of a started process is
//! `process`.

use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::pipe2;

use super::child::ChildPlan;
use super::error::NativeError;
use super::namespaces::Namespaces;
use super::process::Process;
use super::{hardening, kernel, logs};
use crate::base::files::FileError;
use crate::base::secret::Secret;
use crate::host::arguments::ProcessBlocks;
use crate::host::{Env, programs};
use crate::model::container::ContainerFile;
use crate::model::guard::{GatePass, Startable};
use crate::model::identity::ResourceLabels;
use crate::model::port::PublishedPort;

/// Specification of a process.
#[derive(Debug, Clone)]
pub struct ProcessSpec {
    /// Identity.
    pub identity: ResourceLabels,
    /// Program and its arguments.
    pub command: Vec<String>,
    /// Working directory.
    pub workdir: PathBuf,
    /// Environment. All values are hidden, since this module cannot tell which ones are secret.
    pub environment: Vec<(String, Secret)>,
    /// Names of its secret variables, for later reports.
    pub secret: Vec<String>,
    /// Files that its environment names. They are written into its own directory, and the values of its
    /// environment get their paths there.
    pub files: Vec<ContainerFile>,
    /// Description of its readiness probe, for later reports.
    pub ready: Option<String>,
    /// Digest of its configuration, for lists.
    pub config_hash: Option<String>,
    /// Published ports, for later reports.
    pub ports: Vec<PublishedPort>,
    /// Let it outlive this program, with its output in its log.
    pub detached: bool,
}

impl Startable for ProcessSpec {
    fn variables(&self) -> Option<Vec<(&str, &str)>> {
        Some(self.environment.iter().map(|(name, value)| (name.as_str(), value.expose())).collect())
    }

    fn words(&self) -> Vec<&str> {
        self.command.iter().map(String::as_str).collect()
    }
}

/// Command to run in the space of a process.
#[derive(Debug)]
pub struct ExecSpec<'a> {
    /// Program and its arguments.
    pub command: &'a GatePass<Vec<String>>,
    /// Working directory, if not that of the process.
    pub workdir: Option<PathBuf>,
    /// Variables in addition to those of the process.
    pub environment: Vec<(String, Secret)>,
    /// Give it an input, [`Process::input`].
    pub input: bool,
    /// Inner end of its terminal, if it gets one; then all its input and output pass through that.
    pub terminal: Option<OwnedFd>,
    /// Terminal type (`TERM`).
    pub term: Option<&'a str>,
}

impl<'a> ExecSpec<'a> {
    /// Creates a command without input and terminal, in the working directory of the process.
    #[must_use]
    pub fn new(command: &'a GatePass<Vec<String>>) -> Self {
        Self { command, workdir: None, environment: Vec::new(), input: false, terminal: None, term: None }
    }
}

/// Returns the variables that a process inherits from this program's environment.
pub(super) fn inherited(env: &Env) -> BTreeMap<OsString, OsString> {
    let passes = |key: &&OsStr| {
        matches!(key.to_str(), Some("PATH" | "TERM" | "LANG")) || key.as_bytes().starts_with(b"LC_")
    };
    env.iter().filter(|(key, _)| passes(key)).map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Replaces the paths of files in an environment by their paths on this machine.
pub(super) fn with_files(
    environment: Vec<(String, Secret)>,
    files: &[ContainerFile],
    place: impl Fn(&ContainerFile) -> PathBuf,
) -> Vec<(String, Secret)> {
    let moved = |value: Secret| {
        files.iter().fold(value, |value, file| match value.expose().contains(&file.path) {
            true => Secret::new(value.expose().replace(&file.path, &place(file).to_string_lossy())),
            false => value,
        })
    };
    environment.into_iter().map(|(name, value)| (name, moved(value))).collect()
}

/// Returns the whole environment of a process.
pub(super) fn environment(
    inherited: &BTreeMap<OsString, OsString>,
    home: &Path,
    asked: &[(String, Secret)],
) -> Result<BTreeMap<OsString, OsString>, NativeError> {
    let mut environment = inherited.clone();
    for (key, value) in asked {
        let reason = if key == "HOME" {
            Some("it is a temporary directory")
        } else if key.is_empty() || key.contains(['=', '\0']) {
            Some("that is no name of a variable")
        } else if value.expose().contains('\0') {
            Some("its value has a null character")
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(NativeError::Variable { variable: key.clone(), reason });
        }
        environment.insert(key.into(), value.expose().into());
    }
    environment.insert("HOME".into(), home.into());
    Ok(environment)
}

/// A process about to be started.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub(super) name: &'a str,
    pub(super) command: &'a [String],
    pub(super) workdir: &'a Path,
    pub(super) environment: &'a BTreeMap<OsString, OsString>,
    pub(super) rooms: Arc<Namespaces>,
    pub(super) own_processes: bool,
    /// Give it a pipe as standard input.
    pub(super) input: bool,
    /// Log file for its output; `None` gives the output to the caller.
    pub(super) log: Option<&'a Path>,
    /// Terminal for all three streams.
    pub(super) terminal: Option<OwnedFd>,
}

impl Start<'_> {
    /// Checks for errors that can be found before the start. Returns the program's file.
    pub(super) fn check(&self) -> Result<PathBuf, NativeError> {
        let program = self.command.first().filter(|program| !program.is_empty());
        let program = program.ok_or_else(|| NativeError::EmptyCommand { name: self.name.to_owned() })?;
        if !self.workdir.is_dir() {
            return Err(NativeError::MissingWorkdir { workdir: self.workdir.to_owned() });
        }
        let path = self.environment.get(OsStr::new("PATH")).cloned().unwrap_or_default();
        find(program, &path, self.workdir)
    }

    /// Starts the process.
    pub(super) fn go(self) -> Result<Process, NativeError> {
        let file = self.check()?;
        let failed = |source| NativeError::Start { file: file.clone(), source };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        hardening::close_memory();
        let pipes = self.log.map(LogPipes::open).transpose()?;
        let (log, outputs) = pipes.map(|pipes| (pipes.log, pipes.outputs)).unzip();
        let plan = ChildPlan {
            blocks: ProcessBlocks::of_this_process(),
            rooms: self.rooms,
            own_processes: self.own_processes,
            workdir: CString::new(self.workdir.as_os_str().as_bytes())
                .map_err(|_| NativeError::MissingWorkdir { workdir: self.workdir.to_owned() })?,
            lifeline: OwnedFd::from(theirs),
            log,
            terminal: self.terminal.is_some(),
        };
        let mut command = Command::new(&file);
        command.arg0(&self.command[0]).args(&self.command[1..]);
        let stdin = if self.input { Stdio::piped() } else { Stdio::null() };
        command.env_clear().envs(self.environment).stdin(stdin);
        match (outputs, self.terminal) {
            (_, Some(terminal)) => {
                let same = || terminal.try_clone().map_err(failed);
                command.stdin(same()?).stdout(same()?).stderr(same()?);
            }
            (Some([stdout, stderr]), None) => {
                command.stdout(stdout).stderr(stderr);
            }
            (None, None) => {
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
            }
        }
        kernel::before_exec(&mut command, move || plan.carry_out());
        let child = tokio::process::Command::from(command).spawn().map_err(failed)?;
        Ok(Process::new(child, ours, self.name.to_owned()))
    }
}

/// Files between a detached component and its log.
struct LogPipes {
    /// Log, and the ends of the pipes that its supervisor reads.
    log: [OwnedFd; 3],
    /// Standard output and error of the component.
    outputs: [OwnedFd; 2],
}

impl LogPipes {
    fn open(log: &Path) -> Result<Self, NativeError> {
        let pipe = || {
            let (read, write) = pipe2(OFlag::O_CLOEXEC)?;
            // The component's end is another open file, which blocks as usual.
            fcntl(&read, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
            Ok((read, write))
        };
        let failed = |errno: Errno| FileError::new("write", log, errno.into());
        let ((stdout, component_stdout), (stderr, component_stderr)) =
            pipe().and_then(|stdout| Ok((stdout, pipe()?))).map_err(failed)?;
        let file = OwnedFd::from(logs::open(log)?);
        Ok(Self { log: [file, stdout, stderr], outputs: [component_stdout, component_stderr] })
    }
}

/// Returns the file of a program, as the component would find it.
fn find(program: &str, path: &OsStr, workdir: &Path) -> Result<PathBuf, NativeError> {
    if program.contains('/') {
        let file = workdir.join(program);
        let name = file.to_string_lossy();
        return match programs::find(&Env::default(), &name) {
            Some(_) => Ok(file),
            None if file.exists() => Err(NativeError::NotExecutable { file }),
            None => Err(NativeError::MissingFile { file }),
        };
    }
    if let Some(file) = programs::find(&Env::new([("PATH", path)]), program) {
        return Ok(workdir.join(file));
    }
    match std::env::split_paths(path).map(|directory| directory.join(program)).find(|file| file.is_file()) {
        Some(file) => Err(NativeError::NotExecutable { file }),
        None => Err(NativeError::MissingProgram {
            program: program.to_owned(),
            path: path.to_string_lossy().into_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_inherits_path_terminal_and_locale_only() {
        let env = Env::new([
            ("PATH", "/bin"),
            ("TERM", "xterm"),
            ("LANG", "C"),
            ("LC_TIME", "C.UTF-8"),
            ("LCX", "no"),
            ("HOME", "/root"),
            ("AWS_SECRET", "no"),
        ]);
        let asked = [("TERM".to_owned(), Secret::new("dumb")), ("A".to_owned(), Secret::new(""))];
        let got = environment(&inherited(&env), Path::new("/h"), &asked).expect("is allowed");
        let got: Vec<_> = got.iter().map(|(k, v)| format!("{}={}", k.display(), v.display())).collect();
        assert_eq!(got, ["A=", "HOME=/h", "LANG=C", "LC_TIME=C.UTF-8", "PATH=/bin", "TERM=dumb"]);
    }

    #[test]
    fn environment_names_invalid_variable() {
        for (key, value) in [("HOME", "/x"), ("A=B", "x"), ("", "x"), ("A", "x\0y")] {
            let asked = [(key.to_owned(), Secret::new(value))];
            let error = environment(&BTreeMap::new(), Path::new("/h"), &asked).expect_err("is refused");
            assert!(error.to_string().contains(&format!("`{key}`")), "{error}");
        }
    }

    #[test]
    fn find_resolves_programs_or_reports_cause() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(directory.path().join("plain"), "").expect("writes");
        let path = std::env::join_paths([Path::new("/bin"), directory.path()]).expect("has no colon");
        let find = |program| find(program, &path, directory.path());
        assert_eq!(find("sh").expect("is there"), Path::new("/bin/sh"));
        assert_eq!(find("/bin/sh").expect("is there"), Path::new("/bin/sh"));
        assert!(matches!(find("plain"), Err(NativeError::NotExecutable { .. })));
        assert!(matches!(find("./plain"), Err(NativeError::NotExecutable { .. })));
        assert!(matches!(find("./none"), Err(NativeError::MissingFile { .. })));
        let error = find("none").expect_err("is missing").to_string();
        assert!(error.starts_with("there is no program `none` in PATH: `/bin:/"), "{error}");
    }
}

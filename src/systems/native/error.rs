//! Errors of native processes, one variant per kind of failure. `cli::error` decides their exit codes and
//! hints.

use std::io;
use std::path::PathBuf;

use crate::base::files::FileError;
use crate::base::text::plural_of;

/// Error of starting, finding or ending a process.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The command is empty.
    #[error("the command of `{name}` is empty")]
    EmptyCommand {
        /// Name within the run.
        name: String,
    },
    /// `PATH` has no such program.
    #[error("there is no program `{program}` in PATH: `{path}`")]
    MissingProgram {
        /// Program.
        program: String,
        /// Searched directories, as in `PATH`.
        path: String,
    },
    /// The command names a file that does not exist.
    #[error("there is no program `{}`", file.display())]
    MissingFile {
        /// Path of the file.
        file: PathBuf,
    },
    /// The file exists but is not executable.
    #[error("`{}` is not executable", file.display())]
    NotExecutable {
        /// Path of the file.
        file: PathBuf,
    },
    /// The working directory does not exist.
    #[error("the working directory `{}` does not exist", workdir.display())]
    MissingWorkdir {
        /// Path of the directory.
        workdir: PathBuf,
    },
    /// A variable cannot be set.
    #[error("the variable `{variable}` cannot be set for a process: {reason}")]
    Variable {
        /// Name of the variable.
        variable: String,
        /// Reason.
        reason: &'static str,
    },
    /// The kernel refused to run the program.
    #[error("cannot run `{}`: {source}{}", file.display(), interpreter(source))]
    Start {
        /// File of the program.
        file: PathBuf,
        /// Underlying error.
        source: io::Error,
    },
    /// The run already has a process of that name.
    #[error("run {run} has a process `{name}` already")]
    Exists {
        /// Run ID.
        run: String,
        /// Name within the run.
        name: String,
    },
    /// The operation requires a running process.
    #[error("`{name}` of run {run} is not running")]
    NotRunning {
        /// Run ID.
        run: String,
        /// Name within the run.
        name: String,
    },
    /// The directory for runs may be under the control of another user.
    #[error("the directory `{}` {reason}, so runs cannot be recorded in it", path.display())]
    Directory {
        /// Path of the directory.
        path: PathBuf,
        /// Reason.
        reason: &'static str,
    },
    /// Processes survived SIGKILL.
    #[error("{} of `{name}` cannot be killed: {}", plural_of(*count, "process", "processes"), list(pids))]
    Unkillable {
        /// Name within the run.
        name: String,
        /// Number of processes.
        count: usize,
        /// PIDs of these processes.
        pids: Vec<u32>,
    },
    /// A process could not be watched or signalled.
    #[error("cannot {verb} `{name}`: {source}")]
    Process {
        /// Attempted operation: `wait for`, `signal`, …
        verb: &'static str,
        /// Name within the run.
        name: String,
        /// Underlying error.
        source: io::Error,
    },
    /// An operation on a file of the run failed.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Returns a remark on a possibly missing interpreter, since the kernel reports that as `not found`, too.
fn interpreter(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::NotFound { " (the interpreter that it names is missing)" } else { "" }
}

fn list(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

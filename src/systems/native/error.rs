//! What can go wrong with a process, each kind to be told from the others.

use std::io;
use std::path::PathBuf;

use crate::base::files::FileError;
use crate::base::text::plural_of;

/// Why a process could not be started, found, or ended.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// There is nothing to run.
    #[error("the command of `{name}` is empty")]
    EmptyCommand {
        /// Whose command.
        name: String,
    },
    /// No such program in `PATH`.
    #[error("there is no program `{program}` in PATH: `{path}`")]
    MissingProgram {
        /// The program.
        program: String,
        /// Where it was looked for.
        path: String,
    },
    /// The command names a file that does not exist.
    #[error("there is no program `{}`", file.display())]
    MissingFile {
        /// The file.
        file: PathBuf,
    },
    /// The file is there, but may not be run.
    #[error("`{}` is not executable", file.display())]
    NotExecutable {
        /// The file.
        file: PathBuf,
    },
    /// No such working directory.
    #[error("the working directory `{}` does not exist", workdir.display())]
    MissingWorkdir {
        /// The folder.
        workdir: PathBuf,
    },
    /// A variable that cannot be set.
    #[error("the variable `{variable}` cannot be set for a process: {reason}")]
    Variable {
        /// Its name.
        variable: String,
        /// Why not.
        reason: &'static str,
    },
    /// The system refused to run the program.
    #[error("cannot run `{}`: {source}{}", file.display(), interpreter(source))]
    Start {
        /// The program's file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Something of that name is part of the run already.
    #[error("run {run} has a process `{name}` already")]
    Exists {
        /// The run.
        run: String,
        /// The name within it.
        name: String,
    },
    /// What was asked needs a living process.
    #[error("`{name}` of run {run} is not running")]
    NotRunning {
        /// The run.
        run: String,
        /// The name within it.
        name: String,
    },
    /// A port of this machine is in use.
    #[error("port {port} of this machine cannot be used: {source}")]
    Port {
        /// The port.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// The folder for runs could be another user's trap.
    #[error("the folder `{}` {reason}, so runs cannot be kept in it", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Not even SIGKILL ended everything.
    #[error("{} of `{name}` cannot be killed: {}", plural_of(*count, "process", "processes"), list(pids))]
    Unkillable {
        /// The name within the run.
        name: String,
        /// How many.
        count: usize,
        /// Their numbers.
        pids: Vec<u32>,
    },
    /// A process could not be watched or signalled.
    #[error("cannot {verb} `{name}`: {source}")]
    Process {
        /// What was tried: `wait for`, `signal`, …
        verb: &'static str,
        /// The name within the run.
        name: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A file of the run.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The system says `not found` also of a script whose interpreter is missing.
fn interpreter(source: &io::Error) -> &'static str {
    if source.kind() == io::ErrorKind::NotFound { " (the interpreter that it names is missing)" } else { "" }
}

fn list(pids: &[u32]) -> String {
    pids.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

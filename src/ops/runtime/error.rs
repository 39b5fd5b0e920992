//! Errors of finding, using and starting instances. Their exit codes and hints are in `cli`.

use crate::model::guard::PolicyViolation;
use crate::ops::runtime::engine::OpenError;
use crate::systems::engine::EngineError;
use crate::systems::native::NativeError;

/// An error of finding or using an instance.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// No instance has this name.
    #[error("nothing of `{query}` is running")]
    NotRunning {
        /// The query.
        query: String,
        /// Names of the running instances.
        running: Vec<String>,
    },
    /// The query matches several runs.
    #[error("`{query}` runs {} times", runs.len())]
    Several {
        /// The query.
        query: String,
        /// The IDs of the runs.
        runs: Vec<String>,
    },
    /// The times of lines are not known.
    #[error("when `{name}` wrote which line is not known: without a container engine, nobody keeps it")]
    NoTimes {
        /// Its name.
        name: String,
    },
    /// There is no shell.
    #[error("there is no shell in `{name}`: neither `{tried}` can be run")]
    NoShell {
        /// Its name.
        name: String,
        /// The tried shells.
        tried: String,
    },
    /// The instance has ended, and the native engine cannot start another one like it.
    #[error("`{name}` has ended, and without a container engine nothing like it can be started")]
    Ended {
        /// Its name.
        name: String,
    },
    /// There is no terminal.
    #[error("there is no terminal to type at")]
    Terminal(#[source] std::io::Error),
    /// The container engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The guard refuses it.
    #[error(transparent)]
    Refused(#[from] PolicyViolation),
    /// A system call failed.
    #[error(transparent)]
    Native(#[from] NativeError),
    /// The engine cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
}

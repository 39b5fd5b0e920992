//! Why a run cannot be, or came to a bad end. Which exit code and hints that has is for `cli`.

use std::io;
use std::time::Duration;

use crate::base::text;
use crate::ops::contact::Why;
use crate::systems::git::GitError;

/// A run that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The clone of a repository cannot be used.
    #[error(transparent)]
    Clone(#[from] GitError),
    /// Nothing says how.
    #[error(
        "the inventory does not say how `{component}` is run: its entry has neither `run`, `build` nor `image`"
    )]
    NotRunnable {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// It only has a command for a single run.
    #[error("`{component}` does its work once and ends: it has `run.once` and no `run.command`")]
    OnceOnly {
        /// The component.
        component: String,
    },
    /// No image.
    #[error("there is no image for `{name}`")]
    NoImage {
        /// What it is for.
        name: String,
    },
    /// The image is not there, and must not be pulled.
    #[error("image `{image}` is not on the engine, and `--offline` forbids to pull it")]
    Offline {
        /// The image.
        image: String,
    },
    /// It runs in a container only.
    #[error("`{name}` cannot be run without a container engine")]
    NotNative {
        /// What.
        name: String,
        /// It is a backing service.
        is_service: bool,
    },
    /// There is no such program in the image.
    #[error("`{name}` cannot be started: `{program}` {missing}")]
    Program {
        /// What would be started.
        name: String,
        /// The program.
        program: String,
        /// In which way it is missing.
        missing: &'static str,
    },
    /// The firewall of this machine is between them.
    #[error("`{from}` and `{to}` cannot reach each other on the run's network: {why}")]
    NoContact {
        /// One of them.
        from: String,
        /// The other.
        to: String,
        /// What is in the way.
        why: Box<Why>,
    },
    /// It is not ready in time.
    #[error("`{name}` is not ready after {}: {why}", text::duration(*after))]
    NotReady {
        /// What.
        name: String,
        /// What it answers.
        why: String,
        /// How long was waited.
        after: Duration,
    },
    /// It ended although it is still needed.
    #[error("`{name}` ended with exit code {code} while it was needed")]
    ServiceEnded {
        /// What.
        name: String,
        /// Its exit code.
        code: i64,
    },
    /// It had to do its work before something else could start, and did not.
    #[error("`{name}` ended with exit code {code}, and what needs it cannot start")]
    StepFailed {
        /// What.
        name: String,
        /// Its exit code.
        code: i64,
    },
    /// It has not done its work in time.
    #[error("`{name}` has not ended after {}, and what needs it waits for that", text::duration(*after))]
    StepTooLong {
        /// What.
        name: String,
        /// How long was waited.
        after: Duration,
    },
    /// A service runs, but cannot be set up.
    #[error("`{name}` cannot be set up: `{command}` {how}")]
    Setup {
        /// What.
        name: String,
        /// The command.
        command: String,
        /// How it ended, and what it said.
        how: String,
    },
    /// Processes have no way to be kept.
    #[error("without a container engine, backing services cannot be kept")]
    KeepNative,
    /// It would have to be replaced.
    #[error("the kept `{name}` is not as it is needed now, and another run uses it")]
    KeptInUse {
        /// The service.
        name: String,
    },
    /// One name for two things.
    #[error("two different things that are needed have the name `{name}`")]
    SameName {
        /// The name.
        name: String,
    },
    /// It ended before it was ready.
    #[error("`{name}` ended with exit code {code} before it was ready")]
    EndedEarly {
        /// What.
        name: String,
        /// Its exit code.
        code: i64,
    },
    /// There is nothing to work on.
    #[error("`{component}` has no sources: its entry has neither `build` nor `sources`")]
    NoSources {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// Nobody says where its sources belong.
    #[error("the inventory does not say where the sources of `{component}` are in its container")]
    NoMount {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// A change would do nothing.
    #[error("a change to the sources of `{component}` would do nothing: it runs a published image")]
    NothingToWatch {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// Nobody says how it is debugged.
    #[error("the inventory does not say how `{component}` is debugged: its entry has no `run.debug`")]
    NoDebugger {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// A path leads out of the repository.
    #[error("{place}: `{path}` leads out of the repository")]
    Outside {
        /// The entry.
        place: String,
        /// The path.
        path: String,
    },
    /// A path is one of git's own.
    #[error("{place}: `{path}` is what git keeps, which no component gets to see")]
    GitFolder {
        /// The entry.
        place: String,
        /// The path.
        path: String,
    },
    /// A path is none of a container.
    #[error("{place}: `{path}` is not the absolute path of a folder in a container")]
    NotAbsolute {
        /// The entry.
        place: String,
        /// The path.
        path: String,
    },
    /// There are no such sources.
    #[error("the sources of `{component}` have no `{}`", path.display())]
    NoSource {
        /// The component.
        component: String,
        /// What is missing.
        path: std::path::PathBuf,
    },
    /// A port cannot be published.
    #[error("port {port} cannot be published")]
    Port {
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// Something is to listen on a port of this machine that is not free.
    #[error("`{name}` is to listen on port {port} of this machine, which is not free")]
    PortTaken {
        /// What would listen there.
        name: String,
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// Nobody would forward the port.
    #[error(
        "a detached run on an isolated network cannot publish ports: nothing would be left to forward them"
    )]
    PublishDetached,
}

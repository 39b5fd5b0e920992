//! Errors of a run. Their exit codes and hints are in `cli`.

use std::time::Duration;

use crate::base::text;
use crate::model::port::PublishRequest;

/// An error of a run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The entry has no command.
    #[error(
        "the inventory does not say how `{component}` is run: its entry has neither `run`, `build` nor `image`"
    )]
    NotRunnable {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
        /// Text that names the backing service of the same name, if there is one.
        service: Option<String>,
    },
    /// The component only has a command for a single run.
    #[error("`{component}` does its work once and ends: it has `run.once` and no `run.command`")]
    OnceOnly {
        /// The component.
        component: String,
    },
    /// The image is missing, and must not be pulled.
    #[error("image `{image}` is not on the engine, and `--offline` forbids to pull it")]
    Offline {
        /// The image.
        image: String,
    },
    /// A port is to be published of something that is not part of the run.
    #[error("cannot publish a port of `{name}`: it is not part of this run")]
    PublishUnknown {
        /// The name.
        name: String,
        /// The names of the run's units.
        known: Vec<String>,
    },
    /// A port is to be published, and several components may be meant.
    #[error("cannot publish port {} of a group: it may be a port of {}", asked.container, text::join_and(names))]
    PublishAmbiguous {
        /// The request.
        asked: PublishRequest,
        /// The names of the components.
        names: Vec<String>,
    },
    /// Two ports are to be published on one port of this machine.
    #[error("cannot publish two ports on port {port} of this machine")]
    PublishedTwice {
        /// The port of this machine.
        port: u16,
    },
    /// A unit was not ready in time.
    #[error("`{name}` is not ready after {}: {why}", text::duration(*after))]
    NotReady {
        /// Name of the unit.
        name: String,
        /// The last answer of the probe.
        why: String,
        /// The timeout.
        after: Duration,
    },
    /// A unit closed its output before the line that says that it is ready, and runs on.
    #[error("the output of `{name}` ended without `{text}`, so it never is ready")]
    OutputEnded {
        /// Name of the unit.
        name: String,
        /// The text.
        text: String,
    },
    /// A unit ended while it was needed.
    #[error("`{name}` ended with exit code {code} while it was needed")]
    ServiceEnded {
        /// Name of the unit.
        name: String,
        /// Its exit code.
        code: i64,
    },
    /// A unit that must succeed before its dependents start failed.
    #[error("`{name}` ended with exit code {code}, and what needs it cannot start")]
    StepFailed {
        /// Name of the unit.
        name: String,
        /// Its exit code.
        code: i64,
    },
    /// A unit that must end before its dependents start did not end in time.
    #[error("`{name}` has not ended after {}, and what needs it waits for that", text::duration(*after))]
    StepTooLong {
        /// Name of the unit.
        name: String,
        /// The timeout.
        after: Duration,
    },
    /// A service runs, but its setup failed.
    #[error("`{name}` cannot be set up: `{command}` {result}")]
    Setup {
        /// Name of the service.
        name: String,
        /// The command.
        command: String,
        /// The exit code and output of the command.
        result: String,
    },
    /// The run to replace has data that would be lost.
    #[error("`{name}` is running as run {run}, with another configuration or from other sources")]
    ReplacesData {
        /// The component.
        name: String,
        /// Its run.
        run: String,
        /// The backing services whose data would be lost.
        services: Vec<String>,
    },
    /// The native engine cannot keep services.
    #[error("without a container engine, backing services cannot be retained")]
    KeepNative,
    /// A service that was requested itself cannot be kept for others.
    #[error(
        "`--keep-services` retains the services that a component needs, and `{name}` is requested itself: it ends with its run"
    )]
    KeepRequested {
        /// Name of the service.
        name: String,
    },
    /// Two different units have one name.
    #[error("two different dependencies have the name `{name}`")]
    SameName {
        /// The name.
        name: String,
    },
    /// A unit ended before it was ready.
    #[error("`{name}` ended with exit code {code} before it was ready")]
    EndedEarly {
        /// Name of the unit.
        name: String,
        /// Its exit code.
        code: i64,
    },
    /// The component has no sources.
    #[error("`{component}` has no sources: its entry has neither `build` nor `sources`")]
    NoSources {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// The entry does not say where the sources are in the container.
    #[error("the inventory does not say where the sources of `{component}` are in its container")]
    NoMount {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// A change of the sources would have no effect.
    #[error("a change to the sources of `{component}` would do nothing: it runs a published image")]
    NothingToWatch {
        /// The component.
        component: String,
        /// Its entry.
        place: String,
    },
    /// The entry has no command for debugging.
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
    /// A path leads into the `.git` directory.
    #[error("{place}: `{path}` is what git keeps, which no component gets to see")]
    GitDirectory {
        /// The entry.
        place: String,
        /// The path.
        path: String,
    },
    /// A path is not an absolute path of a container.
    #[error("{place}: `{path}` is not the absolute path of a directory in a container")]
    NotAbsolute {
        /// The entry.
        place: String,
        /// The path.
        path: String,
    },
    /// The path does not exist in the sources.
    #[error("the sources of `{component}` have no `{}`", path.display())]
    NoSource {
        /// The component.
        component: String,
        /// The path.
        path: std::path::PathBuf,
    },
}

//! Errors of finding, using and starting instances. Their exit codes and hints are in `cli`.

use std::io;

use super::contact::Why;
use super::engine::OpenError;
use crate::model::guard::PolicyViolation;
use crate::systems::engine::EngineError;
use crate::systems::native::NativeError;

/// An error of finding or using an instance.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// No instance has this name.
    #[error("`{query}` is not running")]
    NotRunning {
        /// The query.
        query: String,
        /// References of the components that run.
        running: Vec<String>,
        /// IDs of the runs of other inventories that match.
        elsewhere: Vec<String>,
        /// Arguments of `cki run-local` that start it; none if it cannot be started.
        start: Vec<String>,
        /// Names of other engines that run it.
        engines: Vec<&'static str>,
    },
    /// The instance has ended.
    #[error("`{name}` has ended")]
    NotAlive {
        /// Its name.
        name: String,
        /// A text that selects it.
        query: String,
        /// Another one like it can be started for a shell.
        can_be_copied: bool,
    },
    /// The query matches several instances.
    #[error("`{query}` {}", if *are_runs { format!("is running {} times", choices.len()) } else { format!("is a run of {} components", choices.len()) })]
    Several {
        /// The query.
        query: String,
        /// Texts, each of which selects one of them.
        choices: Vec<String>,
        /// They are in different runs.
        are_runs: bool,
    },
    /// The times of lines are not known.
    #[error("timestamps are not available for `{name}`: the native engine does not record them")]
    NoTimes {
        /// Its name.
        name: String,
    },
    /// No port is published.
    #[error(
        "`{name}` publishes no port{}",
        if *is_lost { " any more: the process that kept its ports open was killed" } else { "" }
    )]
    NotPublished {
        /// Its name.
        name: String,
        /// Its run.
        run: String,
        /// Its ports lead nowhere any more.
        is_lost: bool,
        /// Arguments of `cki run-local` that publish a port of it.
        start: Vec<String>,
    },
    /// The engine runs on another machine.
    #[error("no port of this machine leads to `{name}`: its engine runs on another machine")]
    PortsElsewhere {
        /// Its name.
        name: String,
    },
    /// A port is not published.
    #[error("port {port} of `{name}` is not published")]
    PortNotPublished {
        /// Its name.
        name: String,
        /// The port.
        port: u16,
        /// The published ports.
        known: Vec<String>,
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
    /// A process of the native engine cannot change its user.
    #[error("`{name}` is a process of yours: a command in it cannot run as `{user}`")]
    OtherUser {
        /// Its name.
        name: String,
        /// The wanted user.
        user: String,
    },
    /// There is no terminal.
    #[error("there is no terminal to type at")]
    Terminal(#[source] io::Error),
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

/// An error of starting a unit.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no image.
    #[error("there is no image for `{name}`")]
    NoImage {
        /// Name of the unit.
        name: String,
    },
    /// The component or service needs a container engine.
    #[error("`{name}` cannot be run without a container engine")]
    NotNative {
        /// Its name.
        name: String,
        /// It is a backing service.
        is_service: bool,
    },
    /// The image lacks the program.
    #[error("`{name}` cannot be started: `{program}` {missing}")]
    Program {
        /// Name of the unit.
        name: String,
        /// The program.
        program: String,
        /// The way in which it is missing.
        missing: &'static str,
    },
    /// The firewall of this machine separates two units.
    #[error("`{from}` and `{to}` cannot reach each other on the run's network: {why}")]
    NoContact {
        /// One of them.
        from: String,
        /// The other.
        to: String,
        /// The reason.
        why: Box<Why>,
    },
    /// A retained service would have to be replaced while another run uses it.
    #[error("the retained `{name}` is not as it is needed now, and another run uses it")]
    RetainedInUse {
        /// The service.
        name: String,
    },
    /// A port cannot be published.
    #[error("cannot publish port {port} of `{name}` on port {host} of this machine")]
    Port {
        /// Name of the unit.
        name: String,
        /// The port.
        port: u16,
        /// The port of this machine.
        host: u16,
        /// Underlying error.
        source: io::Error,
    },
    /// A port of this machine is not free.
    #[error("`{name}` is to listen on port {port} of this machine, which is not free")]
    PortTaken {
        /// Name of the unit.
        name: String,
        /// The port.
        port: u16,
        /// Underlying error.
        source: io::Error,
    },
    /// The engine would publish on another machine.
    #[error("cannot publish ports here: the engine at `{engine}` runs on another machine")]
    PublishElsewhere {
        /// Address of the engine.
        engine: String,
    },
    /// The process that keeps the ports of a detached run open does not work.
    #[error("the ports of `{name}` cannot be kept open in the background")]
    Forwarder {
        /// Name of the unit.
        name: String,
        /// Underlying error.
        source: io::Error,
    },
}

//! The outcome of a run.

use crate::host::signals::Signal;
use crate::model::identity::RunId;
use crate::model::port::PublishedPort;
use crate::ops::runtime::engine::NATIVE;

/// The outcome of a run.
#[derive(Debug)]
pub struct RunOutcome {
    /// The run.
    pub run: RunId,
    /// The names of the components.
    pub components: Vec<String>,
    /// The text that names the first component on the command line: its name, or its run if another run has the
    /// same name.
    pub query: String,
    /// The engine.
    pub engine: &'static str,
    /// The end.
    pub exit: RunExit,
    /// The retained backing services.
    pub retained_services: Vec<String>,
    /// Resources that could not be removed.
    pub remaining: Vec<String>,
    /// All resources of the run are retained.
    pub retained: bool,
    /// Nothing was started: the run was already up.
    pub reused: bool,
}

impl RunOutcome {
    /// Returns whether `cki shell` can open a shell like a component that has ended.
    #[must_use]
    pub fn can_be_copied(&self) -> bool {
        self.engine != NATIVE
    }
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunExit {
    /// The component ended with this exit code; for a group, the code of the first failure, or 0.
    Exited(i64),
    /// A signal ended the run.
    Stopped(Signal),
    /// The run continues in the background, reachable at these ports.
    Detached(Vec<PortMapping>),
}

/// A published port of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortMapping {
    /// The component.
    pub component: String,
    /// The port.
    pub port: PublishedPort,
}

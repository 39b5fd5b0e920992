//! The outcome of a run.

use crate::host::signals::Signal;
use crate::model::identity::RunId;

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The run.
    pub run: RunId,
    /// The names of the components.
    pub components: Vec<String>,
    /// The engine.
    pub engine: &'static str,
    /// How.
    pub how: How,
    /// The backing services that are kept.
    pub kept: Vec<String>,
    /// What could not be removed.
    pub left: Vec<String>,
    /// Everything stays, to be looked at.
    pub stays: bool,
    /// Nothing was done: it goes on from before.
    pub already: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// The component ended with this exit code; of a group, the first that failed, or all of them.
    Exited(i64),
    /// A signal ended it.
    Stopped(Signal),
    /// It goes on, and is reached like this.
    Detached(Vec<Reached>),
}

/// A port of this machine that leads to a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    /// The component.
    pub component: String,
    /// Its port.
    pub port: u16,
    /// The port of this machine.
    pub local: u16,
}

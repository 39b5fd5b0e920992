//! The inputs of one walk through the demo.

use std::path::PathBuf;

use crate::config;
use crate::host::Host;
use crate::host::signals::Shutdown;
use crate::model::event::Events;
use crate::ops::runtime::engine::RunEngine;
use crate::ui::Ui;

/// The inputs of the demo.
pub struct Demo<'a> {
    /// The machine.
    pub host: &'a Host,
    /// The output.
    pub ui: &'a Ui,
    /// The receiver of progress events.
    pub events: Events,
    /// The engine of components.
    pub engine: RunEngine,
    /// The engine that the user asked for.
    pub wanted: config::Engine,
    /// The stop signal.
    pub stop: Shutdown,
    /// Directory of the project.
    pub directory: PathBuf,
    /// Leave everything in place afterwards.
    pub keep: bool,
}

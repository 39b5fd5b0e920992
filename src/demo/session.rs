//! What one walk through the demo is given.

use std::path::PathBuf;

use crate::config;
use crate::host::Host;
use crate::host::signals::Stop;
use crate::model::event::Events;
use crate::ops::engine::Engine;
use crate::ui::Ui;

/// What the demo is given.
pub struct Demo<'a> {
    /// The machine.
    pub host: &'a Host,
    /// What prints.
    pub ui: &'a Ui,
    /// Where work reports.
    pub events: Events,
    /// What runs components.
    pub engine: Engine,
    /// Which engine was asked for.
    pub wanted: config::Engine,
    /// What stops it.
    pub stop: Stop,
    /// Where the project is laid out.
    pub folder: PathBuf,
    /// Leave everything to play with.
    pub keep: bool,
}

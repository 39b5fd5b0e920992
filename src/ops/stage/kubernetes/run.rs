//! The systems and options that the steps of a release use.

use crate::host::signals::Shutdown;
use crate::model::event::Events;
use crate::ops::stage::StageOptions;
use crate::systems::gitlab::GitLab;
use crate::systems::kubectl::Kubectl;

/// The systems and options of a release.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseRun<'a> {
    /// The server.
    pub gitlab: &'a GitLab,
    /// The program for the staging namespace.
    pub kubectl: &'a Kubectl,
    /// The options.
    pub options: &'a StageOptions,
    /// The receiver of progress.
    pub events: &'a Events,
    /// The signals.
    pub stop: &'a Shutdown,
}

//! The server, the options and the signals of one staging, which each of its steps uses.

use std::time::Duration;

use super::StageOptions;
use crate::host::signals::Shutdown;
use crate::model::event::Events;
use crate::systems::gitlab::GitLab;

/// The context of one staging.
#[derive(Clone, Copy)]
pub(super) struct StageContext<'a> {
    /// The server.
    pub(super) gitlab: &'a GitLab,
    /// The options.
    pub(super) options: &'a StageOptions,
    /// The receiver of progress.
    pub(super) events: &'a Events,
    /// The signals.
    pub(super) stop: &'a Shutdown,
    /// The time of the clock at the start.
    pub(super) began: Duration,
}

//! The options of a staging that are the same for every method.

use std::time::Duration;

/// The options of a staging.
#[derive(Debug, Clone)]
pub struct StageOptions {
    /// Change nothing.
    pub dry_run: bool,
    /// Send the request, and do not wait for its pipelines.
    pub no_wait: bool,
    /// Send a new request even if this commit was requested before.
    pub force: bool,
    /// Total timeout; `None` for no limit.
    pub timeout: Option<Duration>,
    /// Timeout of the first pipeline.
    pub answer_within: Duration,
    /// Longest pause between two polls; it is shorter after a change.
    pub interval: Duration,
    /// Timeout of an unresponsive server.
    pub patience: Duration,
    /// Number of lines to fetch from the log of a failed job.
    pub log_lines: usize,
}

impl Default for StageOptions {
    fn default() -> Self {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        Self {
            dry_run: false,
            no_wait: false,
            force: false,
            timeout: None,
            answer_within: minutes(60),
            interval: Duration::from_secs(5),
            patience: minutes(10),
            log_lines: 10,
        }
    }
}

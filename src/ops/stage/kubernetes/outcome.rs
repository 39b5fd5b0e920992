//! The outcome of a release, with everything for a report. All text in it that comes from outside is safe to show.

use std::time::Duration;

use crate::host::signals::Signal;
use crate::ops::stage::kubernetes::ReleaseStageError;

/// The outcome of a release.
#[derive(Debug)]
pub struct ReleaseOutcome {
    /// The end.
    pub end: ReleaseEnd,
    /// Failing containers.
    pub failed: Vec<FailedContainer>,
    /// Total duration.
    pub took: Duration,
}

/// The end of a release.
#[derive(Debug)]
pub enum ReleaseEnd {
    /// Nothing was applied.
    DryRun,
    /// The objects are applied, and their rollout was not followed.
    NotWaited,
    /// Rolled out, in a few words.
    Done(String),
    /// Failed, in the words of the cluster.
    Failed(String),
    /// The timeout.
    TimedOut,
    /// A signal; the release stays.
    Stopped(Signal),
    /// The cluster no longer answers.
    Lost(ReleaseStageError),
}

/// A failing container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedContainer {
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// Reason in Kubernetes' terms, with the cluster's message.
    pub reason: String,
    /// Events of the pod, a line each.
    pub events: Vec<String>,
    /// Last lines of its log.
    pub log: Vec<String>,
}

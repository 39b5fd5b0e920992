//! The request of a run: components, backing services, and options.

use super::outcome::RunExit;
use crate::model::environment::EnvOverrides;
use crate::model::identity::Retention;
use crate::model::inventory::Component;
use crate::model::port::PublishRequest;
use crate::ops::runtime::start::scope::Network;

/// The request of a run.
#[derive(Debug, Clone)]
pub struct RunRequest<'a> {
    /// The components, each once.
    pub components: Vec<&'a Component>,
    /// The backing services that are requested themselves, each once. Several components or services form a group.
    pub services: Vec<&'a str>,
    /// Build from this merge request; only with a single component.
    pub merge_request: Option<u64>,
    /// Use this image instead; only with a single component or service.
    pub image: Option<String>,
    /// Do the work once and end.
    pub once: bool,
    /// Go on in the background.
    pub detach: bool,
    /// Keep backing services for the next run of the workspace.
    pub keep_services: bool,
    /// The treatment of a detached run of the same components.
    pub existing: ExistingRun,
    /// Condition for keeping the run's resources after its end.
    pub keep: KeepMode,
    /// The ports to publish on this machine's loopback address.
    pub publish: PublishOptions,
    /// The reach of the run.
    pub network: Network,
    /// Mount the component's sources into its container, with this access.
    pub mount: Option<Access>,
    /// Apply changes to its sources while it runs.
    pub watch: bool,
    /// The port of this machine for a debugger; only with a single component.
    pub debug_port: Option<u16>,
    /// Arguments for its command; only with a single component or service.
    pub args: Vec<String>,
    /// The user's variables.
    pub overrides: EnvOverrides,
    /// The names of variables that the guard must not refuse.
    pub allow: Vec<String>,
}

impl<'a> RunRequest<'a> {
    /// Returns a request for one component without options.
    #[must_use]
    pub fn of(component: &'a Component) -> Self {
        Self {
            components: vec![component],
            services: Vec::new(),
            merge_request: None,
            image: None,
            once: false,
            detach: false,
            keep_services: false,
            existing: ExistingRun::default(),
            keep: KeepMode::Never,
            publish: PublishOptions::default(),
            network: Network::default(),
            mount: None,
            watch: false,
            debug_port: None,
            args: Vec::new(),
            overrides: EnvOverrides::default(),
            allow: Vec::new(),
        }
    }

    /// Returns how long what the run starts stays.
    pub(super) fn retention(&self) -> Retention {
        match (self.detach, self.keep) {
            (true, _) => Retention::Retained,
            (false, KeepMode::Never) => Retention::Owner,
            (false, _) => Retention::Decided,
        }
    }

    /// Returns the number of requested components and services.
    #[must_use]
    pub fn count(&self) -> usize {
        self.components.len() + self.services.len()
    }

    /// Returns the name of the first requested component or service.
    #[must_use]
    pub fn first(&self) -> &str {
        let component = self.components.first().map(|component| component.name());
        component.or(self.services.first().copied()).unwrap_or_default()
    }
}

/// Treatment of a detached run of the same components that is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExistingRun {
    /// Leave an identical one as it is; a detached run replaces another one.
    #[default]
    Reuse,
    /// Replace it, with the data of its services.
    Replace,
    /// Start another one.
    Add,
}

/// The ports to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishOptions {
    /// Those that the requested components declare.
    pub declared: bool,
    /// Those that the user asks for.
    pub asked: Vec<PublishRequest>,
}

impl Default for PublishOptions {
    fn default() -> Self {
        Self { declared: true, asked: Vec::new() }
    }
}

/// Access of a container to sources of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read only.
    ReadOnly,
    /// Read and write.
    Writable,
}

/// Condition for keeping a run's containers after its end, until `cki down`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepMode {
    /// Never.
    #[default]
    Never,
    /// After a failure.
    OnFailure,
    /// After any end.
    Always,
}

impl KeepMode {
    /// Returns whether the containers stay after this end; after a panic they never do.
    pub(super) fn applies(self, end: &anyhow::Result<RunExit>) -> bool {
        match (self, end) {
            (_, Ok(RunExit::Detached(_))) | (Self::Never, _) => false,
            (Self::Always, _) | (Self::OnFailure, Err(_)) => true,
            (Self::OnFailure, Ok(RunExit::Exited(code))) => *code != 0,
            (Self::OnFailure, Ok(RunExit::Stopped(_))) => false,
        }
    }
}

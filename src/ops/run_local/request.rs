//! What to run, and how.

use super::outcome::How;
use crate::model::environment::Wishes;
use crate::model::inventory::Component;

/// What to run.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The components, each once; several are one group.
    pub components: Vec<&'a Component>,
    /// From this merge request; of one component alone.
    pub merge_request: Option<u64>,
    /// This image instead of its own; of one component alone.
    pub image: Option<String>,
    /// Do the work once and end.
    pub once: bool,
    /// Go on in the background.
    pub detach: bool,
    /// Keep backing services for the next run of the workspace.
    pub keep_services: bool,
    /// When its end is not the end of what it has made.
    pub keep: Keep,
    /// Make its ports reachable on this machine's loopback address.
    pub publish: bool,
    /// What it may reach.
    pub network: Network,
    /// Its sources are seen in its container.
    pub mount: Option<Access>,
    /// Changes to its sources take effect while it runs.
    pub watch: bool,
    /// A debugger is reached at this port of this machine; of one component alone.
    pub debug_port: Option<u16>,
    /// Arguments for its command; of one component alone.
    pub args: Vec<String>,
    /// The user's variables.
    pub wishes: Wishes,
    /// The names of variables that may be what the guard refuses.
    pub allow: Vec<String>,
}

impl<'a> Request<'a> {
    /// A plain run of a component.
    #[must_use]
    pub fn of(component: &'a Component) -> Self {
        Self {
            components: vec![component],
            merge_request: None,
            image: None,
            once: false,
            detach: false,
            keep_services: false,
            keep: Keep::Never,
            publish: false,
            network: Network::default(),
            mount: None,
            watch: false,
            debug_port: None,
            args: Vec::new(),
            wishes: Wishes::default(),
            allow: Vec::new(),
        }
    }
}

/// What a container may do with sources of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read them.
    ReadOnly,
    /// Change them, too.
    Writable,
}

/// When a run's containers stay after its end, to be looked at, until `cki down`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Nothing stays.
    #[default]
    Never,
    /// When it did not end as it should.
    OnFailure,
    /// However it ended.
    Always,
}

impl Keep {
    /// Whether they stay after this end; of a panic, nothing does.
    pub(super) fn applies(self, end: &anyhow::Result<How>) -> bool {
        match (self, end) {
            (_, Ok(How::Detached(_))) | (Self::Never, _) => false,
            (Self::Always, _) | (Self::OnFailure, Err(_)) => true,
            (Self::OnFailure, Ok(How::Exited(code))) => *code != 0,
            (Self::OnFailure, Ok(How::Stopped(_))) => false,
        }
    }
}

/// What a run may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Network {
    /// What it needs, and nothing else.
    #[default]
    Isolated,
    /// Whatever this machine reaches.
    Internet,
}

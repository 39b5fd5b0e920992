//! A stand-in for a GitLab server, for the demo and for tests: stateful, on loopback, with GitLab's
//! paths, shapes, permissions, pages and limits for the calls that `cki` makes, a bot that answers
//! staging requests, and controls to misbehave. The served data is in `config`.

mod api;
mod api_ci;
mod api_deployed;
mod api_environments;
mod api_revert;
mod asked;
mod bot;
mod ci;
mod config;
mod config_deployments;
mod config_pipelines;
mod control;
mod fault;
mod reply;
mod script;
mod server;
mod started;
mod state;
mod time;
mod viewer;
mod views;
mod views_ci;
mod views_environment;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

pub use config::{
    Bot, CiConfig, EnvironmentConfig, MergeRequestConfig, ProjectConfig, RateLimit, StandInConfig,
};
pub use config::{TokenConfig, TriggerConfig, UserEntry, Visibility};
pub use config_deployments::DeploymentConfig;
pub use config_pipelines::{DownstreamConfig, Earlier, Script, ScriptJob, StagingConfig};
pub use control::{ControlError, ControlFile};
pub use fault::{FaultKind, InjectedFault};
use server::{SharedState, lock};
use state::ServerState;
use time::Time;
pub use time::TimeScale;

/// Options for the start of a stand-in.
#[derive(Debug)]
pub struct StandInOptions {
    /// The data to serve.
    pub config: StandInConfig,
    /// The pace of its clock.
    pub pace: TimeScale,
    /// The time on its clock at the start.
    pub began: jiff::Timestamp,
    /// The port on the loopback address; 0 picks a free one.
    pub port: u16,
}

/// A running stand-in. Dropping it closes its port and its connections, and ends its thread.
#[derive(Debug)]
pub struct StandIn {
    url: String,
    state: SharedState,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl StandIn {
    /// Starts a stand-in, which answers as soon as this returns.
    ///
    /// # Errors
    /// Fails when the port is not available.
    pub fn start(options: StandInOptions) -> io::Result<Self> {
        let StandInOptions { config, pace, began, port } = options;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(ServerState::new(config, url.clone(), Time::new(pace, began))));
        let (stop, stopped) = oneshot::channel();
        let shared = state.clone();
        let thread = std::thread::Builder::new()
            .name("gitlab stand-in".to_owned())
            .spawn(move || server::serve(listener, shared, stopped))?;
        Ok(Self { url, state, stop: Some(stop), thread: Some(thread) })
    }

    /// Returns its address: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Applies a control.
    ///
    /// # Errors
    /// Fails when the control names something that does not exist.
    pub fn control(&self, control: ControlFile) -> Result<(), ControlError> {
        lock(&self.state).control(control)
    }

    /// Advances the time.
    pub fn advance(&self, span: Duration) {
        lock(&self.state).advance(span);
    }

    /// Returns the method and path of every received request.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        lock(&self.state).requests.clone()
    }

    /// Returns the comments of a merge request, oldest first: number, user, text.
    #[must_use]
    pub fn comments(&self, project: &str, iid: u64) -> Vec<(u64, String, String)> {
        let mut state = lock(&self.state);
        state.settle();
        state.notes_of(project, iid).map(|note| (note.id, note.author.clone(), note.body.clone())).collect()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has closed its connections.
            let _ = thread.join();
        }
    }
}

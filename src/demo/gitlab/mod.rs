//! A stand-in for a GitLab server, for the demo and for tests: stateful, on loopback, with GitLab's
//! paths, shapes, rights, pages and limits for the calls that `cki` makes, a bot that answers
//! staging requests, and switches to misbehave. What it serves is data (`config`).

mod api;
mod asked;
mod bot;
mod config;
mod control;
mod fault;
mod reply;
mod script;
mod server;
mod state;
mod time;
mod views;
mod views_ci;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

pub use config::{Bot, Config, Earlier, MergeRequest, Project, RateLimit, Script, ScriptJob, Staging};
pub use config::{Token, User, Visibility};
pub use control::{Control, ControlError};
pub use fault::{Fault, How};
use server::{SharedState, lock};
use state::State;
pub use time::Pace;
use time::Time;

/// How a stand-in is started.
#[derive(Debug)]
pub struct Options {
    /// What it serves.
    pub config: Config,
    /// How its time goes.
    pub pace: Pace,
    /// What time it is at the start.
    pub began: jiff::Timestamp,
    /// The port on the loopback address; 0 is any free one.
    pub port: u16,
}

/// A running stand-in. When it is dropped, its port, its connections and its thread are gone.
#[derive(Debug)]
pub struct StandIn {
    url: String,
    state: SharedState,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl StandIn {
    /// Starts one. It answers as soon as this returns.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub fn start(options: Options) -> io::Result<Self> {
        let Options { config, pace, began, port } = options;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let state = Arc::new(Mutex::new(State::new(config, url.clone(), Time::new(pace, began))));
        let (stop, stopped) = oneshot::channel();
        let shared = state.clone();
        let thread = std::thread::Builder::new()
            .name("gitlab stand-in".to_owned())
            .spawn(move || server::serve(listener, shared, stopped))?;
        Ok(Self { url, state, stop: Some(stop), thread: Some(thread) })
    }

    /// Its address: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Does what no request of the API does.
    ///
    /// # Errors
    /// When it names what is not there.
    pub fn control(&self, control: Control) -> Result<(), ControlError> {
        lock(&self.state).control(control)
    }

    /// Lets time pass.
    pub fn advance(&self, span: Duration) {
        lock(&self.state).advance(span);
    }

    /// The requests that came: method and path.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        lock(&self.state).requests.clone()
    }

    /// The comments of a merge request, oldest first: number, user, text.
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
            // A thread that failed has closed what it had.
            let _ = thread.join();
        }
    }
}

//! An instance: a container or a process of this machine, independent of the command that started it. The
//! decision between the two is made in this directory alone. Starting an instance is in `containers` and
//! `processes`.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::net::TcpStream;

use super::dialer::Dialer;
use super::error::InstanceError;
use crate::base::secret::Secret;
use crate::model::container::CopyIn;
use crate::model::environment::{DIRECTORY, hidden_parts};
use crate::model::log::{LogPiece, LogRequest};
use crate::systems::engine::ContainerEngine;
use crate::systems::native::{Native, ProcessFacts};

/// A container or a process.
#[derive(Debug, Clone)]
pub(in crate::ops) struct Instance {
    pub(super) backend: Backend,
    /// The way to its ports, if it is known; otherwise it is found for each connection.
    dialer: Option<Dialer>,
}

/// The system that runs an instance.
#[derive(Debug, Clone)]
pub(super) enum Backend {
    /// A container, by its ID.
    Container(ContainerEngine, String),
    /// A process of this machine.
    Process(Native, Box<ProcessFacts>),
}

/// Recorded output.
pub(in crate::ops) type LogPieces = BoxStream<'static, Result<LogPiece, InstanceError>>;

impl Instance {
    /// Returns the container with an ID.
    pub(super) fn container(engine: &ContainerEngine, id: impl Into<String>) -> Self {
        Self { backend: Backend::Container(engine.clone(), id.into()), dialer: None }
    }

    /// Returns a process.
    pub(super) fn process(native: &Native, facts: ProcessFacts) -> Self {
        Self { backend: Backend::Process(native.clone(), Box::new(facts)), dialer: None }
    }

    /// Sets the way to its ports.
    pub(super) fn reached_by(self, dialer: Dialer) -> Self {
        Self { dialer: Some(dialer), ..self }
    }

    /// Returns the way to its ports, if it is known.
    pub(super) fn dialer(&self) -> Dialer {
        self.dialer.clone().unwrap_or(Dialer::Nothing)
    }

    /// Returns whether this is the same container or process.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.backend, &other.backend) {
            (Backend::Container(_, id), Backend::Container(_, other)) => id == other,
            (Backend::Process(_, facts), Backend::Process(_, other)) => {
                let (one, other) = (&facts.identity, &other.identity);
                (&one.run, &one.name) == (&other.run, &other.name)
            }
            _ => false,
        }
    }

    /// Returns whether `cki shell` can start a copy of it after its end.
    pub(in crate::ops) fn can_be_copied(&self) -> bool {
        matches!(self.backend, Backend::Container(..))
    }

    /// Returns the ID of its container, if it is one.
    pub(super) fn container_id(&self) -> Option<&str> {
        match &self.backend {
            Backend::Container(_, id) => Some(id),
            Backend::Process(..) => None,
        }
    }

    /// Connects to one of its ports.
    ///
    /// # Errors
    /// Fails when nothing listens there, or there is no way.
    pub(in crate::ops) async fn dial(&self, port: u16) -> io::Result<TcpStream> {
        let found = match (&self.dialer, &self.backend) {
            (Some(known), _) => return known.dial(port).await,
            (None, Backend::Container(engine, id)) => {
                let inside = engine.inside(id).await.map_err(io::Error::other)?;
                Dialer::best(engine, id, &inside).await.map_err(io::Error::other)?
            }
            (None, Backend::Process(native, facts)) => {
                Dialer::Sandbox(native.space(facts).map_err(io::Error::other)?)
            }
        };
        found.dial(port).await
    }

    /// Returns whether the engine records when each line was written.
    pub(in crate::ops) fn records_times(&self) -> bool {
        matches!(self.backend, Backend::Container(..))
    }

    /// Returns its output so far, and while following also its further output.
    ///
    /// # Errors
    /// Fails when it does not exist.
    pub(in crate::ops) async fn logs(&self, request: LogRequest) -> Result<LogPieces, InstanceError> {
        match &self.backend {
            Backend::Container(engine, id) => {
                let output = engine.logs(id, request).await?;
                let pieces = futures_util::stream::unfold(output, |mut output| async move {
                    let piece = output.next().await?;
                    Some((piece.map(LogPiece::from).map_err(InstanceError::from), output))
                });
                Ok(pieces.boxed())
            }
            Backend::Process(native, facts) => Ok(native.logs(facts, request)?.map(Ok).boxed()),
        }
    }

    /// Returns the secrets in its environment; `names` are its secret variables.
    ///
    /// # Errors
    /// Fails when the environment cannot be read.
    pub(super) async fn secrets(&self, names: &[String]) -> Result<Vec<Secret>, InstanceError> {
        match &self.backend {
            Backend::Container(engine, id) => {
                let inside = engine.inside(id).await?;
                let values = names.iter().filter_map(|name| inside.environment.get(name));
                let mut secrets: Vec<Secret> = values.map(Secret::new).collect();
                if inside.environment.values().any(|value| value.contains(DIRECTORY)) {
                    secrets.extend(engine.files(id, DIRECTORY).await?.iter().flat_map(hidden_parts));
                }
                Ok(secrets)
            }
            Backend::Process(native, facts) => Ok(native.secrets(facts)?),
        }
    }

    /// Copies changed files into it. A process reads the files of this machine anyway.
    ///
    /// # Errors
    /// Fails when the container does not take them.
    pub(in crate::ops) async fn copy_in(
        &self,
        copies: &[CopyIn],
        files: &[PathBuf],
    ) -> Result<(), InstanceError> {
        match &self.backend {
            Backend::Container(engine, id) => Ok(engine.copy_in(id, copies, files).await?),
            Backend::Process(..) => Ok(()),
        }
    }

    /// Stops it, and kills it after a grace period. What it has written stays.
    ///
    /// # Errors
    /// Fails when it cannot be stopped.
    pub(in crate::ops) async fn stop(&self, grace: Duration) -> Result<(), InstanceError> {
        match &self.backend {
            Backend::Container(engine, id) => Ok(engine.stop(id, grace).await?),
            Backend::Process(native, facts) => Ok(native.stop(facts, grace).await?),
        }
    }

    /// Removes it after its end.
    ///
    /// # Errors
    /// Fails when something of it is left.
    pub(in crate::ops) async fn remove(&self) -> Result<(), InstanceError> {
        match &self.backend {
            Backend::Container(engine, id) => Ok(engine.remove(id).await?),
            Backend::Process(native, facts) => Ok(native.remove(facts).await?),
        }
    }
}

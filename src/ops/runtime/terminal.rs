//! Commands on a terminal: in an instance, or in a new container like one that has ended. The user's own
//! terminal is in `ops::exec::interact`.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::error::InstanceError;
use super::exec::check_user;
use super::instance::{Backend, Instance};
use crate::host::tty::{self, PtyMaster, Size};
use crate::model::container::{ContainerInspect, ExecSettings};
use crate::model::guard::{GatePass, PolicyViolation};
use crate::systems::engine::{DebugCopy, TerminalExec, TerminalReader, TerminalWriter};
use crate::systems::native::{ExecSpec, Process};

/// A command on a terminal of its own.
pub(in crate::ops) enum RemoteTerminal {
    Container(Box<TerminalExec>, TerminalReader, TerminalWriter),
    Process(Box<Process>, PtyMaster),
}

impl Instance {
    /// Runs a command in it, on a terminal of the type `term`.
    ///
    /// # Errors
    /// Fails when it has ended.
    pub(in crate::ops) async fn exec_on_terminal(
        &self,
        command: GatePass<Vec<String>>,
        settings: ExecSettings,
        term: Option<&str>,
        size: Size,
    ) -> Result<RemoteTerminal, InstanceError> {
        match &self.backend {
            Backend::Container(engine, id) => {
                let (exec, reader, writer) = engine.exec_on_terminal(id, command, settings, term).await?;
                exec.resize(size.0, size.1).await;
                Ok(RemoteTerminal::Container(Box::new(exec), reader, writer))
            }
            Backend::Process(native, facts) => {
                let ExecSettings { workdir, user, environment } = settings;
                check_user(facts, user)?;
                let (inner, screen) = tty::open(size).map_err(InstanceError::Terminal)?;
                let (workdir, terminal) = (workdir.map(Into::into), Some(inner));
                let spec = ExecSpec { command: &command, workdir, environment, input: false, terminal, term };
                Ok(RemoteTerminal::Process(Box::new(native.exec(facts, spec)?), screen))
            }
        }
    }

    /// Runs a command on a terminal in a new container like this one, which has ended. The new container is
    /// started only if it passes the guard.
    ///
    /// # Errors
    /// Fails when this is no container, or the guard or the engine refuses.
    pub(in crate::ops) async fn copy_on_terminal(
        &self,
        copy: DebugCopy<'_>,
        pass: impl FnOnce(ContainerInspect) -> Result<GatePass<ContainerInspect>, PolicyViolation>,
        size: Size,
    ) -> Result<RemoteTerminal, InstanceError> {
        let copy = DebugCopy { terminal: true, ..copy };
        let (exec, reader, writer) = self
            .copy(copy, pass, async |engine, passed| Ok(engine.start_on_terminal(&passed).await?))
            .await?;
        exec.resize(size.0, size.1).await;
        Ok(RemoteTerminal::Container(Box::new(exec), reader, writer))
    }
}

impl RemoteTerminal {
    /// Returns the next output; empty at the end.
    pub(in crate::ops) async fn shown(&mut self) -> std::io::Result<Vec<u8>> {
        match self {
            Self::Container(_, reader, _) => {
                let mut buffer = Vec::with_capacity(16 << 10);
                reader.read_buf(&mut buffer).await?;
                Ok(buffer)
            }
            Self::Process(_, screen) => screen.shown().await,
        }
    }

    /// Passes on keys; the end of a command is noticed elsewhere, so a failure is ignored.
    pub(in crate::ops) async fn type_in(&mut self, keys: &[u8]) {
        let _ = match self {
            Self::Container(_, _, writer) => writer.write_all(keys).await,
            Self::Process(_, screen) => screen.type_in(keys).await,
        };
    }

    /// Sets the size of its terminal.
    pub(in crate::ops) async fn resize(&self, size: Size) {
        match self {
            Self::Container(exec, ..) => exec.resize(size.0, size.1).await,
            Self::Process(_, screen) => screen.resize(size),
        }
    }

    /// Ends the command after the user has gone.
    ///
    /// # Errors
    /// Fails when the command cannot be ended.
    pub(in crate::ops) async fn give_up(self) -> Result<(), InstanceError> {
        match self {
            Self::Container(exec, ..) => Ok(exec.remove().await?),
            Self::Process(mut process, _) => {
                process.kill()?;
                process.wait().await?;
                Ok(())
            }
        }
    }

    /// Waits for the end of the command, and returns its exit code.
    ///
    /// # Errors
    /// Fails when the code is not known.
    pub(in crate::ops) async fn wait(self) -> Result<i64, InstanceError> {
        match self {
            Self::Container(exec, ..) => Ok(exec.wait().await?),
            Self::Process(mut process, _) => Ok(process.wait().await?.into()),
        }
    }
}

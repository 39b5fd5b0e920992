//! A started process: its output and its end. Dropping its value ends it with all its descendants.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, BoxStream, StreamExt as _};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, ChildStdin};

use super::error::NativeError;
use super::state_dir::ProcessFacts;
use super::supervisor::{END, RELEASE};
use super::{logs, orphans, private_directory};
use crate::model::event::Stream;
use crate::model::identity::Retention;

/// Output of a process, in pieces as they come; it ends when the process and all its descendants have.
pub type ProcessOutput = BoxStream<'static, (Stream, Bytes)>;

/// Log of a process that is not detached. The caller writes it, so that its lines are masked.
#[derive(Debug, Clone)]
pub struct ProcessLog(Arc<File>);

impl ProcessLog {
    /// Appends output, masked by the caller.
    ///
    /// # Errors
    /// Fails if it cannot be written.
    pub fn append<'a>(&self, output: impl IntoIterator<Item = (Stream, &'a [u8])>) -> io::Result<()> {
        logs::append(&self.0, output)
    }
}

/// A started process. Dropping it kills the process and all its descendants and removes its directory, unless
/// it is detached; if a later decision may keep the directory, that stays for the decider.
#[derive(Debug)]
pub struct Process {
    name: String,
    /// Supervisor.
    child: Child,
    /// Lifeline; the supervisor holds its other end until everything has ended.
    lifeline: Option<UnixStream>,
    record: Option<(ProcessFacts, Arc<File>)>,
}

impl Process {
    pub(super) fn new(child: Child, lifeline: UnixStream, name: String) -> Self {
        Self { name, child, lifeline: Some(lifeline), record: None }
    }

    /// Returns the supervisor's PID.
    pub(super) fn supervisor(&self) -> Option<u32> {
        self.child.id()
    }

    /// Stores the facts of its directory, and its log.
    pub(super) fn keep(&mut self, facts: ProcessFacts, log: File) {
        self.record = Some((facts, Arc::new(log)));
    }

    /// Detaches it, so that it outlives this program.
    pub(super) fn detach(&mut self) -> Result<(), NativeError> {
        let Some(mut lifeline) = self.lifeline.take() else { return Ok(()) };
        match lifeline.write_all(&[RELEASE]) {
            // The process has already ended.
            Err(source) if source.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(source) => {
                self.lifeline = Some(lifeline);
                Err(self.failed("detach from", source))
            }
            Ok(()) => Ok(()),
        }
    }

    /// Returns the facts of the process, unless it is a command in the space of another process.
    #[must_use]
    pub fn facts(&self) -> Option<&ProcessFacts> {
        self.record.as_ref().map(|(facts, _)| facts)
    }

    /// Returns its output, once, unless that goes to its log. The caller must read it, or the process blocks
    /// when the pipe is full.
    pub fn output(&mut self) -> Option<ProcessOutput> {
        let (stdout, stderr) = (self.child.stdout.take()?, self.child.stderr.take()?);
        Some(stream::select(pieces(stdout, Stream::Stdout), pieces(stderr, Stream::Stderr)).boxed())
    }

    /// Returns its standard input, once, if it was started with one. Dropping it ends the input.
    pub fn input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Returns the log for its masked lines, unless it is detached and writes its own log, or is a command in
    /// the space of another process.
    #[must_use]
    pub fn log(&self) -> Option<ProcessLog> {
        self.lifeline.as_ref()?;
        self.record.as_ref().map(|(_, log)| ProcessLog(Arc::clone(log)))
    }

    /// Waits for its end, and that of all its descendants. Returns its exit code, or 128 plus the number of
    /// the signal that ended it.
    ///
    /// # Errors
    /// Fails if the kernel does not report the exit code.
    pub async fn wait(&mut self) -> Result<u8, NativeError> {
        let status = self.child.wait().await.map_err(|source| self.failed("wait for", source))?;
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        Ok(u8::try_from(code & 0xff).unwrap_or(u8::MAX))
    }

    /// Sends SIGTERM to its process group. Succeeds if it has already ended.
    ///
    /// # Errors
    /// Fails if the kernel refuses.
    pub fn terminate(&self) -> Result<(), NativeError> {
        self.signal(Signal::SIGTERM)
    }

    /// Kills it and all its descendants.
    ///
    /// # Errors
    /// Fails if the kernel refuses.
    pub fn kill(&self) -> Result<(), NativeError> {
        self.signal(END)
    }

    fn signal(&self, signal: Signal) -> Result<(), NativeError> {
        // The PID is known only until the process is reaped, so it cannot belong to another one.
        let Some(pid) = self.child.id().and_then(|pid| i32::try_from(pid).ok()) else { return Ok(()) };
        kill(Pid::from_raw(pid), signal).map_err(|errno| self.failed("signal", errno.into()))
    }

    fn failed(&self, verb: &'static str, source: io::Error) -> NativeError {
        NativeError::Process { verb, name: self.name.clone(), source }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(mut lifeline) = self.lifeline.take() else { return };
        // The supervisor sees this end closed and kills all; its own end closes when all are gone.
        let _ = lifeline.shutdown(Shutdown::Write);
        let _ = lifeline.set_read_timeout(Some(orphans::PATIENCE));
        // With a timeout, a signal handler interrupts the call, which is not restarted (signal(7)).
        let gone = loop {
            match lifeline.read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.is_ok(),
            }
        };
        let _ = self.child.try_wait();
        if let Some((facts, _)) = &self.record
            && gone
            && facts.identity.lifetime != Retention::Decided
        {
            // The next command removes what remains.
            let _ = private_directory::remove(&facts.directory);
        }
    }
}

fn pieces(
    source: impl AsyncRead + Send + Unpin + 'static,
    which: Stream,
) -> impl futures_util::Stream<Item = (Stream, Bytes)> + Send {
    stream::unfold(source, move |mut source| async move {
        let mut buffer = BytesMut::with_capacity(16 << 10);
        match source.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(((which, buffer.freeze()), source)),
        }
    })
}

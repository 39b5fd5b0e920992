//! A process of this program's own: its output, its end, and that nothing of it outlives the value
//! that stands for it.

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
use super::runs::ProcessFacts;
use super::supervisor::{END, RELEASE};
use super::{logs, remains, runs};
use crate::model::event::Stream;
use crate::model::identity::Lifetime;

/// What a process writes, in pieces as they come; it ends when the process and all that it started
/// have.
pub type Output = BoxStream<'static, (Stream, Bytes)>;

/// The log of a process that is not detached: it writes none itself, so that what others read has
/// been masked.
#[derive(Debug, Clone)]
pub struct ProcessLog(Arc<File>);

impl ProcessLog {
    /// Appends lines, masked by the caller.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn append(&self, lines: &[u8]) -> io::Result<()> {
        logs::append(&self.0, lines)
    }
}

/// A process that was started. When this is dropped, the process and all that it started are
/// killed and its folder removed, unless it was started to go on; where it is decided later whether
/// the folder is kept, it stays for whoever decides.
#[derive(Debug)]
pub struct Process {
    name: String,
    /// The supervisor.
    child: Child,
    /// Its other end is held by the supervisor until everything has ended.
    lifeline: Option<UnixStream>,
    record: Option<(ProcessFacts, Arc<File>)>,
}

impl Process {
    pub(super) fn new(child: Child, lifeline: UnixStream, name: String) -> Self {
        Self { name, child, lifeline: Some(lifeline), record: None }
    }

    /// The supervisor's number.
    pub(super) fn supervisor(&self) -> Option<u32> {
        self.child.id()
    }

    /// Gives it the folder that goes with it.
    pub(super) fn keep(&mut self, facts: ProcessFacts, log: File) {
        self.record = Some((facts, Arc::new(log)));
    }

    /// Lets it go on without this program.
    pub(super) fn release(&mut self) -> Result<(), NativeError> {
        let Some(mut lifeline) = self.lifeline.take() else { return Ok(()) };
        match lifeline.write_all(&[RELEASE]) {
            // It has ended already, by itself.
            Err(source) if source.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(source) => {
                self.lifeline = Some(lifeline);
                Err(self.failed("detach from", source))
            }
            Ok(()) => Ok(()),
        }
    }

    /// What is known of it, unless it is a command in somebody else's space.
    #[must_use]
    pub fn facts(&self) -> Option<&ProcessFacts> {
        self.record.as_ref().map(|(facts, _)| facts)
    }

    /// Its output, once, unless that goes to its log. Somebody has to read it, or the process stops
    /// when it has written more than the system keeps for it.
    pub fn output(&mut self) -> Option<Output> {
        let (stdout, stderr) = (self.child.stdout.take()?, self.child.stderr.take()?);
        Some(stream::select(pieces(stdout, Stream::Stdout), pieces(stderr, Stream::Stderr)).boxed())
    }

    /// Where to write what it reads, once, if it was started so. It reads to the end when this is
    /// dropped.
    pub fn input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// What takes the lines of its output, unless it writes them itself, being detached, or is a
    /// command in somebody else's space.
    #[must_use]
    pub fn log(&self) -> Option<ProcessLog> {
        self.lifeline.as_ref()?;
        self.record.as_ref().map(|(_, log)| ProcessLog(Arc::clone(log)))
    }

    /// Waits for its end: its exit code, or 128 and the number of the signal that ended it. All
    /// that it started has ended then, too.
    ///
    /// # Errors
    /// When the system does not tell.
    pub async fn wait(&mut self) -> Result<u8, NativeError> {
        let status = self.child.wait().await.map_err(|source| self.failed("wait for", source))?;
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
        Ok(u8::try_from(code & 0xff).unwrap_or(u8::MAX))
    }

    /// Asks it to end: SIGTERM to its group. One that has ended already is none the worse.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn terminate(&self) -> Result<(), NativeError> {
        self.signal(Signal::SIGTERM)
    }

    /// Kills it, and all that it started.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&self) -> Result<(), NativeError> {
        self.signal(END)
    }

    fn signal(&self, signal: Signal) -> Result<(), NativeError> {
        // There is a number only until somebody waited for it, so that it cannot be another's.
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
        // The supervisor sees this end closed, kills, and its own end closes when all are gone.
        let _ = lifeline.shutdown(Shutdown::Write);
        let _ = lifeline.set_read_timeout(Some(remains::PATIENCE));
        // Where there is a time limit, the signal of the very end interrupts the call (signal(7)).
        let gone = loop {
            match lifeline.read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.is_ok(),
            }
        };
        let _ = self.child.try_wait();
        if let Some((facts, _)) = &self.record
            && gone
            && facts.identity.lifetime != Lifetime::Decided
        {
            // What cannot be removed now is found by the next sweep.
            let _ = runs::remove(&facts.folder);
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

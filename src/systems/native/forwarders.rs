//! Forwarder processes: copies of this program that keep the published ports of a detached run open. Each has a
//! record below the directory of forwarders, which counts only while exactly that process lives. What a
//! forwarder does belongs in `ops::runtime::ports`.
//!
//! A forwarder gets nothing by its arguments and environment. Its standard input is a socket, by which it
//! receives a message and the sockets that it listens on, and by which it answers once.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::setsid;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::error::NativeError;
use super::kernel::{self, PidFd};
use super::{Native, namespace_holder, private_directory, state_dir};
use crate::base::files;
use crate::base::process_ref::ProcessRef;
use crate::host;
use crate::model::identity::ResourceLabels;
use crate::model::port::PublishedPort;

/// Maximum bytes of a message and of a record.
const LONGEST: u64 = 1 << 20;
/// Time limit of a forwarder's answer.
const ANSWER: Duration = Duration::from_secs(30);
/// Time that a forwarder has to end after a signal.
const PATIENCE: Duration = Duration::from_secs(2);
/// The whole answer of a forwarder that works; any other is the reason why it does not.
const WELL: &[u8] = b"forwarding";

/// A forwarder with a record.
#[derive(Debug, Clone)]
pub struct ForwarderFacts {
    /// Identity of the instance to which it forwards.
    pub identity: ResourceLabels,
    /// Its ports.
    pub ports: Vec<PublishedPort>,
    /// Address of the instance's engine; `None` for a process.
    pub engine: Option<String>,
    process: ProcessRef,
    file: PathBuf,
}

impl ForwarderFacts {
    /// Returns whether it lives.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        host::is_alive(&self.process)
    }
}

/// Stored form.
#[derive(Debug, Serialize, Deserialize)]
struct ForwarderRecord {
    labels: BTreeMap<String, String>,
    ports: String,
    engine: Option<String>,
    process: String,
}

/// The record of this process, which is removed when this is dropped.
#[derive(Debug)]
pub struct RegisteredForwarder(PathBuf);

impl Drop for RegisteredForwarder {
    fn drop(&mut self) {
        // A record without its process is removed later.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The other end of this process's standard input, in a forwarder.
#[derive(Debug)]
pub struct ForwarderChannel(UnixStream);

impl ForwarderChannel {
    /// Opens it.
    ///
    /// # Errors
    /// Fails if standard input is no socket of `cki`.
    pub fn open() -> io::Result<Self> {
        let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        stream.set_read_timeout(Some(ANSWER))?;
        Ok(Self(stream))
    }

    /// Receives the message.
    ///
    /// # Errors
    /// Fails if there is none.
    pub fn message(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 8];
        self.0.read_exact(&mut length)?;
        let length = u64::from_be_bytes(length);
        if length > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut message = vec![0; usize::try_from(length).unwrap_or_default()];
        self.0.read_exact(&mut message)?;
        Ok(message)
    }

    /// Receives the next socket.
    ///
    /// # Errors
    /// Fails if there is none.
    pub fn socket(&mut self) -> io::Result<OwnedFd> {
        namespace_holder::receive_file(&self.0)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Answers that this process forwards, or why it does not.
    ///
    /// # Errors
    /// Fails if nobody listens.
    pub fn answer(mut self, answer: Result<(), String>) -> io::Result<()> {
        match answer {
            Ok(()) => self.0.write_all(WELL)?,
            Err(why) => self.0.write_all(why.as_bytes())?,
        }
        // Standard input stays open, and this ends it all the same.
        self.0.shutdown(Shutdown::Both)
    }
}

impl Native {
    /// Starts a forwarder in a session of its own, which outlives this process, and waits until it forwards.
    ///
    /// # Errors
    /// Fails with its own reason if it does not.
    pub fn start_forwarder(
        arguments: &[&str],
        message: &[u8],
        listeners: &[OwnedFd],
    ) -> Result<(), io::Error> {
        let (mut ours, theirs) = UnixStream::pair()?;
        // The same file, even if a newer version has replaced it by now.
        let mut command = Command::new("/proc/self/exe");
        command.arg0("cki").args(arguments).env_clear().env("HOME", "/").current_dir("/");
        command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
        kernel::before_exec(&mut command, || {
            setsid()?;
            kernel::default_signals();
            kernel::close_on_exec_from(3);
            Ok(())
        });
        let mut child = command.spawn()?;
        // It holds the other end of the channel.
        drop(command);
        let mut hand_over = || -> io::Result<Vec<u8>> {
            ours.set_read_timeout(Some(ANSWER))?;
            ours.set_write_timeout(Some(ANSWER))?;
            ours.write_all(&(message.len() as u64).to_be_bytes())?;
            ours.write_all(message)?;
            for listener in listeners {
                kernel::send_file(ours.as_fd(), listener.as_fd())?;
            }
            let mut answer = Vec::new();
            (&ours).take(LONGEST).read_to_end(&mut answer)?;
            Ok(answer)
        };
        let why = match hand_over() {
            Ok(answer) if answer == WELL => return Ok(()),
            Ok(answer) => io::Error::other(String::from_utf8_lossy(&answer).into_owned()),
            Err(error) => error,
        };
        let _ = child.kill();
        let _ = child.wait();
        Err(why)
    }

    /// Writes the record of this process, which forwards to an instance.
    ///
    /// # Errors
    /// Fails if the record cannot be written.
    pub fn register_forwarder(
        &self,
        identity: &ResourceLabels,
        ports: &[PublishedPort],
        engine: Option<&str>,
    ) -> Result<RegisteredForwarder, NativeError> {
        let directory = self.forwarders_directory();
        private_directory::make_runs_directory(&directory)?;
        let file = directory.join(state_dir::directory_name(identity));
        let process = host::owner(std::process::id()).map(|process| process.to_label());
        let record = ForwarderRecord {
            labels: identity.to_labels(),
            ports: PublishedPort::to_label(ports),
            engine: engine.map(str::to_owned),
            process: process.unwrap_or_default(),
        };
        state_dir::write_json(&file, &record)?;
        Ok(RegisteredForwarder(file))
    }

    /// Returns all forwarders with a record, living or dead.
    ///
    /// # Errors
    /// Fails if the directory of forwarders cannot be read.
    pub fn forwarders(&self) -> Result<Vec<ForwarderFacts>, NativeError> {
        let directory = self.forwarders_directory();
        let read = |name: String| {
            let file = directory.join(&name);
            let record: ForwarderRecord =
                serde_json::from_str(&files::read_text(&file, LONGEST).ok()?).ok()?;
            let identity = ResourceLabels::from_labels(&record.labels)?;
            // A file that was moved here from elsewhere is not trusted.
            (name == state_dir::directory_name(&identity)).then_some(())?;
            let ports = PublishedPort::from_label(&record.ports);
            let process = ProcessRef::parse(&record.process)?;
            Some(ForwarderFacts { identity, ports, engine: record.engine, process, file })
        };
        Ok(files::list_dir(&directory)?.into_iter().filter_map(read).collect())
    }

    /// Ends a forwarder, and waits for its end.
    ///
    /// # Errors
    /// Fails if the kernel refuses.
    pub async fn end_forwarder(&self, facts: &ForwarderFacts) -> Result<(), NativeError> {
        if let Some(process) = PidFd::find(&facts.process) {
            let name = &facts.identity.name;
            let failed =
                |source| NativeError::Process { verb: "end the forwarder of", name: name.clone(), source };
            for signal in [Signal::SIGTERM, Signal::SIGKILL] {
                process.signal(signal).map_err(failed)?;
                if let Ok(ended) = timeout(PATIENCE, process.ended()).await {
                    ended.map_err(failed)?;
                    break;
                }
            }
        }
        // It is gone already if the process had the time.
        let _ = std::fs::remove_file(&facts.file);
        Ok(())
    }

    fn forwarders_directory(&self) -> PathBuf {
        self.directory.with_file_name("forwarders")
    }
}

/// Waits for the end of the process that has this PID now.
///
/// # Errors
/// Fails if there is none, or it is not visible.
pub async fn process_ended(pid: u32) -> io::Result<()> {
    PidFd::with_number(pid)?.ended().await
}

//! One call of the program: its own session without a terminal, bounded output, a time limit. The arguments are up to the
//! parent module, the meaning of a failure to `error`.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};

use super::error::{KubectlError, last_line};
use super::leash::{self, Leash};
use crate::host::{Env, programs};

/// Maximum bytes of the output: lists of objects may be long.
const MOST_OUTPUT: u64 = 32 << 20;
/// Maximum bytes of the errors.
const MOST_ERRORS: u64 = 64 << 10;

/// A finished call.
pub(super) struct Finished {
    pub(super) status: ExitStatus,
    pub(super) output: String,
    pub(super) errors: String,
}

/// Ends the program with its login plugins if the caller gives up, or is killed.
pub(super) struct ProcessGroup {
    group: Option<Pid>,
    leash: Option<Leash>,
}

impl ProcessGroup {
    /// Returns the guard of a child that leads its group.
    pub(super) fn of(child: &Child, leash: Leash) -> Self {
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        Self { group, leash: Some(leash) }
    }

    /// Leaves the group alone: the program has ended.
    fn release(mut self) {
        self.group = None;
        self.leash.take().into_iter().for_each(Leash::release);
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.group {
            // It may have ended at this moment; then nothing receives the signal.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Returns the program with its arguments, in a session of its own, with its output to read.
pub(super) fn prepare(
    (program, env): (&Path, &Env),
    arguments: &[impl AsRef<OsStr>],
) -> io::Result<(Command, Leash)> {
    let (leash, reader) = Leash::new()?;
    let mut command = Command::from(programs::command(env, program));
    command
        .args(arguments)
        // Failures are read in this language.
        .env("LC_ALL", "C")
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    let parent = nix::unistd::getpid();
    #[expect(unsafe_code, reason = "only system calls that are allowed between fork and exec")]
    unsafe {
        command.pre_exec(move || {
            detach(parent)?;
            leash::watch(&reader);
            Ok(())
        })
    };
    Ok((command, leash))
}

/// Starts a session without a terminal, so that the program and its login plugins cannot wait for an answer there, and
/// makes the program end if `cki` is killed.
fn detach(parent: Pid) -> io::Result<()> {
    nix::unistd::setsid()?;
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    // The parent may have died before the line above.
    if nix::unistd::getppid() == parent { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}

/// Calls the program and waits for its end.
pub(super) async fn run(
    (program, env): (&Path, &Env),
    arguments: &[&str],
    input: Option<&[u8]>,
    limit: Duration,
) -> Result<Finished, KubectlError> {
    let start = |source| KubectlError::Start { program: program.to_owned(), source };
    let (mut command, leash) = prepare((program, env), arguments).map_err(start)?;
    let mut child = command
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stderr(Stdio::piped())
        .spawn()
        .map_err(start)?;
    drop(command);
    let group = ProcessGroup::of(&child, leash);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feed = async {
        if let (Some(mut stdin), Some(input)) = (stdin, input) {
            // A program that ends early says why itself.
            let _ = stdin.write_all(input).await;
        }
    };
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let work = async {
        let ((), is_whole, _) = tokio::join!(
            feed,
            read(stdout, MOST_OUTPUT, &mut output),
            read(stderr, MOST_ERRORS, &mut errors)
        );
        (child.wait().await, is_whole)
    };
    let Ok((status, is_whole)) = tokio::time::timeout(limit, work).await else {
        // A login plugin may have written what it waits for.
        let last = last_line(&String::from_utf8_lossy(&errors));
        return Err(KubectlError::TimedOut { limit, last });
    };
    group.release();
    let [output, errors] = [output, errors].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let status = status.map_err(start)?;
    if !is_whole {
        return Err(KubectlError::Output(format!("more than {} MiB", MOST_OUTPUT >> 20)));
    }
    Ok(Finished { status, output, errors })
}

/// Reads a stream into `bytes`, and drops what exceeds the limit. Returns whether all was kept.
async fn read(stream: Option<impl AsyncRead + Unpin>, most: u64, bytes: &mut Vec<u8>) -> bool {
    let Some(stream) = stream else { return true };
    let mut rest = stream.take(most);
    // A broken read is like the end: the exit status decides.
    let _ = rest.read_to_end(bytes).await;
    tokio::io::copy(&mut rest.into_inner(), &mut tokio::io::sink()).await.unwrap_or(0) == 0
}

//! `gitlab.token_command`: a command from the user's own settings that prints the token.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::error::TokenError;
use crate::base::secret::Secret;
use crate::base::text::duration;
use crate::host::{Env, programs};

/// Runs a command and returns the first line of its output. With `patience`, it has this timeout and must not ask the
/// user.
pub(super) fn run(
    line: &str,
    (env, cwd): (&Env, &Path),
    patience: Option<Duration>,
) -> Result<Secret, TokenError> {
    let failed = |why: String| TokenError::Command(why);
    let words = shell_words::split(line).map_err(|error| failed(error.to_string()))?;
    let (program, args) = words.split_first().ok_or_else(|| failed("it is empty".to_owned()))?;
    let file = programs::find(env, program).ok_or_else(|| failed(format!("{program}: not found")))?;
    let mut command = programs::command(env, file);
    command.args(args).current_dir(cwd).stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::inherit());
    if patience.is_some() {
        command.stderr(Stdio::null()).process_group(0);
    }
    let child = command.spawn().map_err(|error| failed(format!("{program}: {error}")))?;
    let output = match patience {
        None => child.wait_with_output(),
        Some(patience) => wait(child, patience),
    };
    let output = output.map_err(|error| failed(format!("{program}: {error}")))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() {
        return Err(failed("it printed nothing".to_owned()));
    }
    Ok(Secret::new(token))
}

/// Waits for a child that leads a process group, and kills the group at the timeout.
fn wait(child: Child, patience: Duration) -> io::Result<Output> {
    let group = i32::try_from(child.id()).map(Pid::from_raw).map_err(io::Error::other)?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // The receiver may have given up.
        let _ = sender.send(child.wait_with_output());
    });
    receiver.recv_timeout(patience).unwrap_or_else(|_| {
        // The group may have just ended, so a failure is ignored.
        let _ = killpg(group, Signal::SIGKILL);
        Err(io::Error::other(format!("it does not end within {}", duration(patience))))
    })
}

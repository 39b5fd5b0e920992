//! One command of the demo: types it, shows its output, and checks that the output has what the demo is
//! about. A demo whose output lacks it has failed. The list of commands is in `walk`.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context as _;
use nix::sys::signal::{Signal as Kill, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;

use super::session::Demo;
use crate::base::exit::Exit;
use crate::base::text::safe_line;
use crate::host::signals::Signal;
use crate::ui::Ui;

/// Minimum time to show the service, from its first line on.
const WATCH: Duration = Duration::from_secs(4);
/// Timeout for a service to show the expected output.
const PATIENCE: Duration = Duration::from_secs(120);
/// Timeout for reading the rest of the output of a command that has ended.
const DRAIN: Duration = Duration::from_secs(5);
/// Timeout for a command of the demo.
const LIMIT: Duration = Duration::from_secs(600);

/// Directories of the user that a command of the demo has below the demo's own: nothing of the user's decides, and
/// nothing stays.
const OWN_DIRECTORIES: [(&str, &str); 2] = [("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")];

/// End of a step.
pub(super) enum DemoStep {
    /// The next step can begin.
    Done,
    /// A signal came.
    Stopped(Signal),
    /// A command failed, whose exit code becomes that of the demo; or its output lacked something.
    Failed(Exit),
}

/// The one command that runs until a signal ends it.
const SERVICE: [&str; 2] = ["run-local", "pipeline-herder"];

/// The progress of a command's output.
struct SeenOutput {
    lines: usize,
    /// Expected texts that have not appeared yet.
    missing: Vec<String>,
}

/// Types one command. A service runs on: it is shown until its output has everything expected, and then
/// interrupted, as by Ctrl-C.
pub(super) async fn step(
    demo: &Demo<'_>,
    args: &[&str],
    cwd: &Path,
    shows: &[&str],
) -> anyhow::Result<DemoStep> {
    let mut child = start(demo, args, cwd, !shows.is_empty())?;
    let (id, output) = (child.id(), child.stdout.take());
    let missing = shows.iter().map(|text| (*text).to_owned()).collect();
    let (seen, watched) = watch::channel(SeenOutput { lines: 0, missing });
    let is_service = *args == SERVICE;
    let interrupt = || {
        let pid = id.and_then(|id| i32::try_from(id).ok());
        // A command that has just ended needs no signal.
        pid.map(|pid| kill(Pid::from_raw(pid), Kill::SIGINT))
    };
    let life = async {
        let watching = async {
            if is_service {
                was_watched(watched, WATCH, PATIENCE).await;
                interrupt();
            }
            std::future::pending::<()>().await;
        };
        let living = async {
            let showing = show(demo.ui, output, &seen);
            tokio::pin!(showing);
            let mut is_open = true;
            let status = loop {
                tokio::select! {
                    status = child.wait() => break status,
                    () = &mut showing, if is_open => is_open = false,
                }
            };
            if is_open {
                // This does not wait for an orphaned process that holds the output open.
                let _ = tokio::time::timeout(DRAIN, showing).await;
            }
            status.map_err(anyhow::Error::from)
        };
        tokio::select! {
            status = living => status,
            () = watching => unreachable!("it waits for ever"),
        }
    };
    tokio::pin!(life);
    let signal = tokio::select! {
        status = tokio::time::timeout(LIMIT, &mut life) => {
            let wanted = if is_service { Exit::Interrupted } else { Exit::Done };
            return Ok(judge(demo.ui, args, status??, wanted, &seen.borrow().missing));
        }
        signal = demo.stop.requested() => signal,
    };
    interrupt();
    // The command cleans up after itself. A second signal of the user is passed on to it.
    tokio::select! {
        _ = &mut life => {}
        _ = demo.stop.force_requested() => {
            interrupt();
            life.await?;
        }
    }
    Ok(DemoStep::Stopped(signal))
}

/// Shows the output of a command line by line, and records it.
async fn show(ui: &Ui, output: Option<ChildStdout>, seen: &watch::Sender<SeenOutput>) {
    let Some(output) = output else { return };
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        ui.data(&line);
        let plain = safe_line(&line);
        seen.send_modify(|seen| {
            seen.lines += 1;
            seen.missing.retain(|text| !plain.contains(text.as_str()));
        });
    }
}

/// Waits until a service has shown everything expected and the minimum time is over, or until the
/// timeout.
async fn was_watched(mut seen: watch::Receiver<SeenOutput>, least: Duration, most: Duration) {
    let shown = async {
        // The sender lives as long as the command.
        let _ = seen.wait_for(|seen| seen.lines > 0).await;
        let watching = tokio::time::sleep(least);
        let _ = seen.wait_for(|seen| seen.missing.is_empty()).await;
        watching.await;
    };
    let _ = tokio::time::timeout(most, shown).await;
}

fn judge(ui: &Ui, args: &[&str], status: ExitStatus, wanted: Exit, absent: &[String]) -> DemoStep {
    if status.code() != Some(i32::from(wanted.code())) {
        let hint = "its output is above; `cki doctor` looks at this machine.".to_owned();
        ui.error(&format!("`cki {}` did not end as it should: {status}.", args.join(" ")), &[], &[hint]);
        return DemoStep::Failed(exit_of(status));
    }
    match absent {
        [] => DemoStep::Done,
        [text, ..] => DemoStep::Failed(missing(ui, args, &format!("it did not print `{text}`"))),
    }
}

/// Returns the exit code of the demo after a command that did not end as it should: a script can tell a network that
/// fails (6) from a command that lacks what it shows.
fn exit_of(status: ExitStatus) -> Exit {
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        // It ended on its own, where it should have been interrupted; or a signal killed it.
        Some(0) | None => Exit::Failed,
        Some(code) => Exit::Component(code),
    }
}

/// Reports the text that a successful command did not print.
pub(super) fn missing(ui: &Ui, args: &[&str], what: &str) -> Exit {
    let hint = "its output is above; `cki doctor` looks at this machine.".to_owned();
    ui.error(&format!("`cki {}` did not do what the demo is to show: {what}.", args.join(" ")), &[], &[hint]);
    Exit::Failed
}

/// Starts this program with the demo's settings and none of the user's own.
fn start(demo: &Demo<'_>, args: &[&str], cwd: &Path, is_looked_at: bool) -> anyhow::Result<Child> {
    let Demo { host, directory, .. } = demo;
    let ours = |name: &std::ffi::OsStr| {
        let name = name.to_string_lossy();
        name.starts_with("CKI_") || OWN_DIRECTORIES.iter().any(|(variable, _)| *variable == name)
    };
    let mut command = Command::new(&host.executable);
    command
        .args(args)
        .current_dir(cwd)
        .env_clear()
        .envs(host.env.iter().filter(|(name, _)| !ours(name)))
        .envs(OWN_DIRECTORIES.iter().map(|(variable, name)| (variable, directory.join(name))))
        .env("CKI_ENGINE", demo.engine.name())
        .stdin(Stdio::null())
        // Ctrl-C reaches this program alone, which passes it on.
        .process_group(0)
        .kill_on_drop(true);
    // Output that is not checked goes straight to the terminal, which decides the width of tables.
    if is_looked_at {
        command.stdout(Stdio::piped());
    }
    die_with_us(&mut command);
    command.spawn().with_context(|| format!("cannot start `{}`", host.executable.display()))
}

/// Sends the child a signal if this program is killed (prctl(2)).
fn die_with_us(command: &mut Command) {
    #[expect(unsafe_code, reason = "between fork and exec, only one system call is made")]
    // SAFETY: prctl is safe to call after a fork, and this allocates nothing.
    unsafe {
        command.pre_exec(|| {
            nix::libc::prctl(nix::libc::PR_SET_PDEATHSIG, nix::libc::SIGTERM);
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    #[test]
    fn exit_of_passes_on_the_code_of_the_command() {
        let exit = |raw| exit_of(ExitStatus::from_raw(raw)).code();
        assert_eq!([exit(6 << 8), exit(1 << 8), exit(130 << 8), exit(0), exit(9)], [6, 1, 130, 1, 1]);
    }

    #[tokio::test]
    async fn was_watched_waits_for_output_up_to_limit() {
        let missing = || vec!["one".to_owned()];
        let (short, long) = (Duration::from_millis(1), Duration::from_secs(600));
        let (seen, watched) = watch::channel(SeenOutput { lines: 1, missing: missing() });
        let mut watching = tokio::spawn(was_watched(watched, short, long));
        assert!(tokio::time::timeout(Duration::from_millis(30), &mut watching).await.is_err());
        seen.send_modify(|seen| seen.missing.clear());
        watching.await.expect("ends");
        let (_seen, watched) = watch::channel(SeenOutput { lines: 1, missing: missing() });
        was_watched(watched, short, short).await;
    }
}

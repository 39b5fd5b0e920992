//! Ends commands in containers. No engine can do that, and a command outlives its client (moby#9098). So each
//! command carries a mark in its environment, which its descendants inherit: a shell of the container finds
//! and signals the processes with the mark. In a container without a shell, only the command itself is ended,
//! if it is a process of this machine.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::Instant;

use super::ContainerEngine;
use super::container::short;
use super::error::EngineError;
use super::exec_request::ExecRequest;
use crate::base::process_ref::ProcessRef;
use crate::host;
use crate::model::guard::GatePass;

/// Variable that holds the mark.
const VARIABLE: &str = "CKI_EXEC";

/// Time between SIGTERM and SIGKILL.
const PATIENCE: Duration = Duration::from_secs(1);
/// Time limit for ending a command, kills included.
const LIMIT: Duration = Duration::from_secs(5);

/// Prints the mark of each process that has one and sends it the signal of the second argument, if its mark
/// is the first argument. Needs only a POSIX shell, whose `read` drops the separators of variables.
const SCRIPT: &str = r#"for d in /proc/[0-9]*; do
  x=
  { while IFS= read -r l || [ -n "$l" ]; do x=$x$l; done <"$d/environ"; } 2>/dev/null
  case $x in *CKI_EXEC=*)
    m=${x##*CKI_EXEC=}; m=${m%%;*}; echo "$m"
    [ "$m" != "$1" ] || [ "$2" = 0 ] || kill -s "$2" "${d#/proc/}" 2>/dev/null
  esac
done"#;

/// Mark of one command: the process that has started it, and a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark(String);

impl Mark {
    /// Creates a new mark of this process.
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let owner = host::owner(std::process::id()).map(|owner| owner.to_label()).unwrap_or_default();
        Self(format!("{}/{owner}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// Returns it as a variable, with an end marker.
    pub(super) fn variable(&self) -> String {
        format!("{VARIABLE}={};", self.0)
    }

    /// Returns the process that has started the command; `None` for text that is not a mark of `cki`.
    fn owner(&self) -> Option<ProcessRef> {
        ProcessRef::parse(self.0.split_once('/')?.1)
    }
}

/// Means to end a command and its descendants.
#[derive(Debug, Clone)]
pub struct Ender {
    pub(super) engine: ContainerEngine,
    pub(super) container: String,
    /// Id of the command on the engine, unless it was found by its mark.
    pub(super) exec: Option<String>,
    pub(super) mark: Mark,
}

impl Ender {
    /// Sends SIGTERM, and SIGKILL after a second. Succeeds if it has already ended.
    ///
    /// # Errors
    /// Fails if the command continues.
    pub async fn end(&self) -> Result<(), EngineError> {
        let began = Instant::now();
        let mut signal = "TERM";
        let mut pause = Duration::from_millis(20);
        loop {
            let marks = match self.engine.signal_marked(&self.container, Some((&self.mark, signal))).await {
                // The processes of a container end with it.
                Err(EngineError::NotRunning { .. } | EngineError::NotFound { .. }) => return Ok(()),
                marks => marks?,
            };
            match marks {
                None if self.kill_from_outside().await => return Ok(()),
                Some(marks) if !marks.contains(&self.mark) => return Ok(()),
                Some(_) if began.elapsed() < LIMIT => {}
                _ => return Err(EngineError::GoesOn { container: short(&self.container).to_owned() }),
            }
            signal = if began.elapsed() < PATIENCE { "0" } else { "KILL" };
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    /// Kills the command as a process of this machine. Returns whether there is nothing left to kill.
    async fn kill_from_outside(&self) -> bool {
        let Some(exec) = &self.exec else { return false };
        let doing = format!("look at a command in container `{}`", short(&self.container));
        let inspect = || self.engine.docker.inspect_exec(exec);
        let Ok(facts) = self.engine.read(&doing, inspect).await else { return false };
        if facts.running != Some(true) {
            return true;
        }
        let Some(pid) = facts.pid.and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 1) else {
            return false;
        };
        // On another machine, the PID is that of another process: its control group tells.
        let group = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        group.contains(&self.container) && kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok()
    }
}

impl ContainerEngine {
    /// Returns the commands in a running container whose client, a process of this machine, has ended.
    ///
    /// # Errors
    /// Fails if the engine does not answer.
    pub async fn abandoned_commands(&self, id: &str) -> Result<Vec<Ender>, EngineError> {
        let runs_commands = |facts: &serde_json::Value| {
            facts["ExecIDs"].as_array().is_some_and(|commands| !commands.is_empty())
        };
        if !runs_commands(&self.described(id).await?) {
            return Ok(Vec::new());
        }
        let mut marks = self.signal_marked(id, None).await?.unwrap_or_default();
        marks.dedup();
        marks.retain(|mark| mark.owner().is_some_and(|owner| !host::is_alive(&owner)));
        let ender = |mark| Ender { engine: self.clone(), container: id.to_owned(), exec: None, mark };
        Ok(marks.into_iter().map(ender).collect())
    }

    /// Returns the marks of the processes in a container, without duplicates; signals those with the given
    /// one. Returns `None` if the container has no shell.
    async fn signal_marked(
        &self,
        id: &str,
        to: Option<(&Mark, &str)>,
    ) -> Result<Option<Vec<Mark>>, EngineError> {
        let (mark, signal) = to.map_or(("", "0"), |(mark, signal)| (mark.0.as_str(), signal));
        let command = ["sh", "-c", SCRIPT, "sh", mark, signal].map(str::to_owned).to_vec();
        let mut exec = self.exec(id, ExecRequest::new(GatePass::own(command))).await?;
        let own = exec.mark().clone();
        let mut said = Vec::new();
        while let Some(chunk) = exec.output.next().await {
            said.extend_from_slice(&chunk?.bytes);
        }
        // Exit codes of engines and shells for a missing program.
        if matches!(exec.wait().await?, 126 | 127) {
            return Ok(None);
        }
        let said = String::from_utf8_lossy(&said);
        Ok(Some(said.lines().map(|line| Mark(line.to_owned())).filter(|mark| *mark != own).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mark_names_its_owner_and_is_unique() {
        let (one, other) = (Mark::new(), Mark::new());
        assert_ne!(one, other);
        assert_eq!(one.owner(), host::owner(std::process::id()));
        assert!(Mark("x".to_owned()).owner().is_none());
    }

    #[test]
    fn kill_script_ends_marked_processes_in_every_shell() {
        for shell in ["dash", "bash", "busybox"] {
            let mark = Mark::new();
            let (name, value) = ("CKI_EXEC", format!("{};", mark.0));
            let mut marked = std::process::Command::new("sleep");
            let Ok(mut marked) =
                marked.arg("1000").env("BEFORE", "a\nb").env(name, value).env("Z", "\n").spawn()
            else {
                panic!("`sleep` is there");
            };
            let mut command = std::process::Command::new(shell);
            if shell == "busybox" {
                command.arg("sh");
            }
            let output = command.args(["-c", SCRIPT, "sh", &mark.0, "KILL"]).output().expect("is there");
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.lines().any(|line| line == mark.0), "{shell}: {said}");
            let status = marked.wait().expect("ends");
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{shell}");
        }
    }
}

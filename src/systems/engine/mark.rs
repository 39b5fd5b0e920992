//! Ends commands in containers. No engine can do that, and a command outlives its client (moby#9098). So each
//! command carries a mark in its environment, which its descendants inherit: a shell of the container finds
//! and signals the processes with the mark, the command itself by its PID, and the children of all of them, since a
//! program may drop its environment. In a container without a shell, only the command itself is ended,
//! if it is a process of this machine.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::Instant;

use super::ContainerEngine;
use super::container::short;
use super::error::EngineError;
use super::exec_record::{ExecRecord, recorded_commands};
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

/// Prints `m MARK` for each process that has a mark, and `p PID:START` for each process of a command: the processes with
/// the mark of the first argument, those in the list of the third argument, and all their descendants. Sends them the
/// signal of the second argument. Needs only a POSIX shell, whose `read` drops the separators of variables.
const SCRIPT: &str = r#"mark=$1 signal=$2 known=" $3 " all= ours=" "
for d in /proc/[0-9]*; do
  p=${d#/proc/} x= s=
  { while IFS= read -r l || [ -n "$l" ]; do s=$s$l; done <"$d/stat"; } 2>/dev/null
  set -f; set -- ${s##*) }; set +f
  [ $# -ge 20 ] && [ "$1" != Z ] && [ "$p" != 1 ] || continue
  shift; parent=$1; shift 18; start=$1
  { while IFS= read -r l || [ -n "$l" ]; do x=$x$l; done <"$d/environ"; } 2>/dev/null
  m=
  case $x in *CKI_EXEC=*) m=${x##*CKI_EXEC=}; m=${m%%;*}; echo "m $m";; esac
  all="$all $p:$parent:$start"
  case "$known" in *" $p:$start "*) m=$mark;; esac
  [ -z "$mark" ] || [ "$m" != "$mark" ] || ours="$ours$p "
done
[ -n "$mark" ] || exit 0
more=1
while [ "$more" ]; do
  more=
  for e in $all; do
    p=${e%%:*} r=${e#*:}
    case "$ours" in *" $p "*) continue;; *" ${r%%:*} "*) ours="$ours$p " more=1;; esac
  done
done
for e in $all; do
  p=${e%%:*}
  case "$ours" in *" $p "*)
    echo "p $p:${e##*:}"
    [ "$signal" = 0 ] || kill -s "$signal" "$p" 2>/dev/null
  esac
done
exit 0"#;

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

    /// Returns the mark with this text.
    pub(super) fn parse(text: String) -> Self {
        Self(text)
    }

    /// Returns its text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns it as a variable, with an end marker.
    pub(super) fn variable(&self) -> String {
        format!("{VARIABLE}={};", self.0)
    }

    /// Returns the process that has started the command; `None` for text that is not a mark of `cki`.
    pub(super) fn owner(&self) -> Option<ProcessRef> {
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
    /// Record of the command.
    pub(super) record: Option<ExecRecord>,
    /// User of the command, if not the container's own: its processes obey the signals of no other.
    pub(super) user: Option<String>,
}

/// Processes in a container.
#[derive(Debug, Default)]
struct MarkedProcesses {
    /// Marks that some process has.
    marks: Vec<Mark>,
    /// Processes of the command, each with its start time.
    of_command: Vec<String>,
}

/// First process of a command.
enum MainProcess {
    /// It has ended.
    Ended,
    /// A process of this machine.
    Here(i32),
    /// It cannot be found from here.
    Elsewhere,
}

impl Ender {
    /// Sends SIGTERM, and SIGKILL after a second. Succeeds if it has already ended.
    ///
    /// # Errors
    /// Fails if the command continues.
    pub async fn end(&self) -> Result<(), EngineError> {
        self.end_processes().await?;
        self.forget();
        Ok(())
    }

    /// Removes the record of the command, which has ended.
    pub(super) fn forget(&self) {
        if let Some(record) = &self.record {
            record.remove();
        }
    }

    async fn end_processes(&self) -> Result<(), EngineError> {
        let began = Instant::now();
        let mut signal = "TERM";
        let mut pause = Duration::from_millis(20);
        let mut known = self.main_inside().await.into_iter().collect::<Vec<_>>();
        loop {
            let to = Some((&self.mark, signal, known.as_slice()));
            let found = match self.engine.signal_marked(&self.container, self.user.clone(), to).await {
                // The processes of a container end with it.
                Err(EngineError::NotRunning { .. } | EngineError::NotFound { .. }) => return Ok(()),
                found => found?,
            };
            match found {
                None if self.kill_from_outside().await => return Ok(()),
                Some(found) if found.of_command.is_empty() => return Ok(()),
                // A process whose parent has ended is found again by its PID.
                Some(found) if began.elapsed() < LIMIT => known = found.of_command,
                _ => return Err(EngineError::GoesOn { container: short(&self.container).to_owned() }),
            }
            signal = if began.elapsed() < PATIENCE { "0" } else { "KILL" };
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }

    /// Kills the command as a process of this machine. Returns whether there is nothing left to kill.
    async fn kill_from_outside(&self) -> bool {
        match self.main().await {
            MainProcess::Ended => true,
            MainProcess::Here(pid) => kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok(),
            MainProcess::Elsewhere => false,
        }
    }

    /// Returns the PID of the command within the container, with its start time.
    async fn main_inside(&self) -> Option<String> {
        let MainProcess::Here(pid) = self.main().await else { return None };
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let started = host::process_start_time(u32::try_from(pid).ok()?)?;
        Some(format!("{}:{started}", inner_pid(&status)?))
    }

    /// Finds the first process of the command.
    async fn main(&self) -> MainProcess {
        let Some(exec) = &self.exec else { return MainProcess::Elsewhere };
        let doing = format!("look at a command in container `{}`", short(&self.container));
        let inspect = || self.engine.docker.inspect_exec(exec);
        let facts = match self.engine.read(&doing, inspect).await {
            Ok(facts) => facts,
            Err(error) if error.status() == Some(404) => return MainProcess::Ended,
            Err(_) => return MainProcess::Elsewhere,
        };
        if facts.running != Some(true) {
            return MainProcess::Ended;
        }
        let Some(pid) = facts.pid.and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 1) else {
            return MainProcess::Elsewhere;
        };
        // On another machine, the PID is that of another process: its control group tells.
        let group = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        if group.contains(&self.container) { MainProcess::Here(pid) } else { MainProcess::Elsewhere }
    }
}

/// Returns the PID of a process in its innermost namespace, from its `/proc/PID/status` (proc(5)).
fn inner_pid(status: &str) -> Option<u32> {
    status.lines().find_map(|line| line.strip_prefix("NSpid:"))?.split_ascii_whitespace().last()?.parse().ok()
}

impl ContainerEngine {
    /// Returns the commands on this engine whose client, a process of this machine, was killed, by their records, with
    /// the ids of their containers.
    #[must_use]
    pub fn commands_of_killed_clients(&self) -> Vec<(String, Ender)> {
        let abandoned = |(container, exec, mark, record): (String, String, String, ExecRecord)| {
            let mark = Mark::parse(mark);
            mark.owner().filter(|owner| !host::is_alive(owner))?;
            let (engine, id) = (self.clone(), container.clone());
            let record = Some(record);
            Some((container, Ender { engine, container: id, exec: Some(exec), mark, record, user: None }))
        };
        recorded_commands(self).into_iter().filter_map(abandoned).collect()
    }

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
        let recorded = self.commands_of_killed_clients().into_iter();
        let mut enders: Vec<Ender> =
            recorded.filter(|(container, _)| container == id).map(|(_, ender)| ender).collect();
        let mut marks = self.signal_marked(id, None, None).await?.unwrap_or_default().marks;
        marks.dedup();
        marks.retain(|mark| mark.owner().is_some_and(|owner| !host::is_alive(&owner)));
        marks.retain(|mark| !enders.iter().any(|ender| ender.mark == *mark));
        let ender = |mark| {
            let (engine, container) = (self.clone(), id.to_owned());
            Ender { engine, container, exec: None, mark, record: None, user: None }
        };
        enders.extend(marks.into_iter().map(ender));
        Ok(enders)
    }

    /// Returns the marks of the processes in a container, and the processes of the command with the given mark, after a
    /// signal to them: those with the mark, the given ones, and all their descendants. Returns `None` if the
    /// container has no shell.
    async fn signal_marked(
        &self,
        id: &str,
        user: Option<String>,
        to: Option<(&Mark, &str, &[String])>,
    ) -> Result<Option<MarkedProcesses>, EngineError> {
        let (mark, signal, known) = to.map_or(("", "0", String::new()), |(mark, signal, known)| {
            (mark.as_str(), signal, known.join(" "))
        });
        let command = ["sh", "-c", SCRIPT, "sh", mark, signal, &known].map(str::to_owned).to_vec();
        let mut request = ExecRequest::new(GatePass::own(command));
        request.settings.user = user;
        let mut exec = self.exec_unrecorded(id, request).await?;
        let own = exec.mark().clone();
        let mut said = Vec::new();
        while let Some(chunk) = exec.output.next().await {
            said.extend_from_slice(&chunk?.bytes);
        }
        // Exit codes of engines and shells for a missing program.
        if matches!(exec.wait().await?, 126 | 127) {
            return Ok(None);
        }
        let mut found = MarkedProcesses::default();
        for line in String::from_utf8_lossy(&said).lines() {
            match line.split_once(' ') {
                Some(("m", mark)) if mark != own.as_str() => found.marks.push(Mark::parse(mark.to_owned())),
                Some(("p", process)) => found.of_command.push(process.to_owned()),
                _ => {}
            }
        }
        Ok(Some(found))
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
    fn inner_pid_is_that_of_the_innermost_namespace() {
        assert_eq!(inner_pid("Name:\tsleep\nNSpid:\t4711\t12\nNSpgid:\t4711\t1\n"), Some(12));
        assert_eq!(inner_pid("NSpid:\t4711\n"), Some(4711));
        assert_eq!(inner_pid(""), None);
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
            // Without the mark, it is found by its PID, and its child by its parent.
            let mut bare = std::process::Command::new("sh")
                .args(["-c", "sleep 1000 & echo; wait"])
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .stdout(std::process::Stdio::piped())
                .spawn()
                .expect("starts");
            std::io::Read::read_exact(bare.stdout.as_mut().expect("is a pipe"), &mut [0])
                .expect("has a child");
            let mut command = std::process::Command::new(shell);
            if shell == "busybox" {
                command.arg("sh");
            }
            let started = host::process_start_time(bare.id()).expect("lives");
            let known = format!("7:1 {}:{started}", bare.id());
            let output =
                command.args(["-c", SCRIPT, "sh", &mark.0, "KILL", &known]).output().expect("is there");
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.lines().any(|line| line == format!("m {}", mark.0)), "{shell}: {said}");
            assert_eq!(said.lines().filter(|line| line.starts_with("p ")).count(), 3, "{shell}: {said}");
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&bare.wait().expect("ends")), Some(9));
            let status = marked.wait().expect("ends");
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{shell}");
        }
    }
}

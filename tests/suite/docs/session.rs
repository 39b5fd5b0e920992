//! Types what a `console` block shows, and compares what comes out.
//!
//! - A line that begins with `$ ` is a command for `sh`, with the built `cki` first in PATH. What
//!   follows ` # ` is a comment; `# exits with 7` says how it ends, which is otherwise with 0.
//! - The lines after it are what it prints, in this order. A line that is only `…` stands for any
//!   lines, and none; within a line it stands for any text. Lines that are not shown may be there.
//! - `^C` interrupts the command as soon as the lines before it were printed.
//! - `cd` changes the directory of all commands that follow.
//! - The home directory is called `/home/you`. Times, dates, ids of runs and commits, and ports of
//!   the loopback address differ from day to day, and count as equal; so do spaces.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use regex::Regex;

use crate::support::clean_env;
use crate::support::engine::Engine;

/// Name of the home directory on the pages.
const HOME: &str = "/home/you";
/// No command says nothing for longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// A person's home, and where the person is.
pub(super) struct Session {
    home: PathBuf,
    cwd: PathBuf,
    engine: Engine,
}

/// One command of a block.
#[derive(Debug, Default, PartialEq)]
struct Step {
    command: String,
    code: i32,
    before: Vec<String>,
    /// Output after `^C`, if the session types it.
    interrupted: Option<Vec<String>>,
}

impl Session {
    /// Begins in a home directory, in which everything of the session stays but what an engine has.
    pub(super) fn new(home: &Path, engine: Engine) -> Self {
        for directory in [".run", ".tmp"] {
            std::fs::create_dir_all(home.join(directory)).expect("makes");
        }
        Self { home: home.to_owned(), cwd: home.to_owned(), engine }
    }

    /// The path of a file that a page names.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.cwd.join(name)
    }

    /// Writes a file that a page shows.
    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("is in a directory")).expect("makes");
        std::fs::write(path, text.replace(HOME, &self.home.display().to_string())).expect("writes");
    }

    /// Starts a program in the person's environment, with both outputs in one.
    pub(super) fn start(&self, line: &str) -> (Child, Receiver<String>) {
        let (reader, writer) = std::io::pipe().expect("makes a pipe");
        let cki = Path::new(env!("CARGO_BIN_EXE_cki")).parent().expect("is in a directory").display();
        let env = clean_env(&self.home);
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .current_dir(&self.cwd)
            .env_clear()
            .envs(env.iter())
            .env("PATH", format!("{cki}:{}", env.get("PATH").expect("is set")))
            .env("XDG_RUNTIME_DIR", self.home.join(".run"))
            .env("TMPDIR", self.home.join(".tmp"))
            .env("LC_ALL", "C.UTF-8")
            // No page may take an engine that happens to be there.
            .envs([self.engine.variable()])
            .stdin(Stdio::null())
            .stdout(writer.try_clone().expect("clones"))
            .stderr(writer)
            .process_group(0);
        let child = command.spawn().expect("there is a shell");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        (child, lines)
    }

    /// Types the commands of a block. What is not as shown is told.
    pub(super) fn run(&mut self, text: &str) -> Result<(), String> {
        steps(text).iter().try_for_each(|step| match step.command.strip_prefix("cd ") {
            Some(directory) => {
                self.cwd = self.path(&directory.replace('~', &self.home.display().to_string()));
                Ok(())
            }
            None => self.step(step),
        })
    }

    fn step(&self, step: &Step) -> Result<(), String> {
        let interrupts = step.interrupted.is_some();
        // The shell gives way to a program that is to be interrupted, whose exit code is then seen.
        let exec = if interrupts { "exec " } else { "" };
        let (mut child, lines) = self.start(&format!("{exec}{}", step.command));
        let group = Pid::from_raw(i32::try_from(child.id()).expect("is a process id"));
        let mut seen = Vec::new();
        let mut typed = false;
        let ended = loop {
            if interrupts && !typed && self.missing(&step.before, &seen).is_none() {
                killpg(group, Signal::SIGINT).expect("is its own group");
                typed = true;
            }
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => seen.push(line),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break true,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => break false,
            }
        };
        if !ended {
            killpg(group, Signal::SIGKILL).expect("is its own group");
        }
        let status = child.wait().expect("was started");
        let wanted = [step.before.as_slice(), step.interrupted.as_deref().unwrap_or_default()].concat();
        let wrong = match self.missing(&wanted, &seen) {
            _ if !ended => format!("does not end within {PATIENCE:?}"),
            Some(line) => format!("does not print `{line}`"),
            None if code(status) != step.code => format!("ends with {status}, not with {}", step.code),
            None => return Ok(()),
        };
        let seen: String = seen.iter().map(|line| format!("    {}\n", self.at_home(line))).collect();
        Err(format!("`{}` {wrong}:\n{seen}", step.command))
    }

    /// The first line that is not there, or not in its place.
    fn missing<'a>(&self, wanted: &'a [String], seen: &[String]) -> Option<&'a str> {
        let mut seen = seen.iter().map(|line| plain(&self.at_home(line)));
        wanted.iter().map(String::as_str).find(|line| {
            let pieces: Vec<String> = line.split('…').map(|piece| plain(piece).trim().to_owned()).collect();
            !seen.any(|seen| {
                let mut rest = seen.as_str();
                pieces.iter().all(|piece| match rest.split_once(piece.as_str()) {
                    Some((_, after)) => {
                        rest = after;
                        true
                    }
                    None => false,
                })
            })
        })
    }

    fn at_home(&self, line: &str) -> String {
        line.replace(&self.home.display().to_string(), HOME)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What was detached goes on if a block fails before it says `cki down`. An engine has runs of others,
        // also of the built-in inventory: what has a `cki.toml` is ours.
        let scope = match self.engine {
            Engine::Native => "--all",
            _ if self.path("cki.toml").exists() => "",
            _ => return,
        };
        let (mut child, _lines) = self.start(&format!("exec cki --quiet down --yes {scope}"));
        let _ = child.wait();
    }
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default())
}

/// A line without what differs from day to day.
fn plain(line: &str) -> String {
    static DAILY: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"\b\d+(\.\d+)? (ms|s|min|h)\b", "TIME"),
            (r"\b\d{4}-\d\d-\d\dT[0-9:.]+Z", "DATE"),
            (r"\b127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
            (r"\b[0-9a-f]{7,40}\b", "ID"),
            (r"\s+", " "),
        ]
        .map(|(pattern, text)| (Regex::new(pattern).expect("a constant"), text))
        .into()
    });
    DAILY.iter().fold(line.to_owned(), |line, (regex, text)| regex.replace_all(&line, *text).into_owned())
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in text.lines() {
        if let Some(line) = line.strip_prefix("$ ") {
            let (command, comment) = line.split_once(" # ").unwrap_or((line, ""));
            let code = comment.strip_prefix("exits with ").and_then(|code| code.trim().parse().ok());
            let command = command.trim().to_owned();
            steps.push(Step { command, code: code.unwrap_or_default(), ..Step::default() });
            continue;
        }
        let step = steps.last_mut().expect("a block begins with a command");
        match (&mut step.interrupted, line.trim()) {
            (_, "" | "…") => {}
            (interrupted, "^C") => {
                *interrupted = Some(Vec::new());
                step.code = 130;
            }
            (Some(after), _) => after.push(line.to_owned()),
            (None, _) => step.before.push(line.to_owned()),
        }
    }
    steps
}

#[test]
fn steps_splits_commands_and_output() {
    let steps = steps("$ a b   # why\n x\n…\n$ c # exits with 7\n$ d\ny\n^C\nz\n");
    let step = |command: &str, code| Step { command: command.into(), code, ..Step::default() };
    let x = Step { before: vec![" x".into()], ..step("a b", 0) };
    let y = Step { before: vec!["y".into()], interrupted: Some(vec!["z".into()]), ..step("d", 130) };
    assert_eq!(steps, [x, step("c", 7), y]);
}

#[test]
fn session_reports_differing_output() {
    let home = tempfile::tempdir().expect("a directory");
    let mut session = Session::new(home.path(), Engine::Native);
    let block = "$ printf 'run 0123abcdef\\nafter 3.5 s\\nin %s\\n' \"$HOME\"\nrun 9876543210\nafter 2 s\nin /home/you\n";
    assert_eq!(session.run(block), Ok(()));
    for (wrong, why) in [
        ("$ echo a; echo b\nb\na\n", "does not print `a`"),
        ("$ echo one two\n…two one\n", "does not print"),
        ("$ false\n", "ends with exit status: 1"),
        ("$ true # exits with 1\n", "ends with exit status: 0"),
    ] {
        let told = session.run(wrong).expect_err(wrong);
        assert!(told.contains(why), "{told}");
    }
    assert_eq!(session.run("$ sh -c 'echo on; exec sleep 60'\non\n^C\n"), Ok(()));
}

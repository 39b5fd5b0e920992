//! The system's package manager: which it is, what packages are called there, and running it. The
//! table is a template, `packages.yaml`. What is missing, and whether it shall be installed, is for
//! `ops`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal as Number, kill};
use nix::unistd::{Pid, User, geteuid, getuid};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{Child, Command};

use crate::base::assets::Assets;
use crate::base::files::FileError;
use crate::base::text::{LineSplitter, command_line};
use crate::base::yaml::{self, YamlError};
use crate::host::signals::{Signal, Stop};
use crate::host::{Env, programs};
use crate::model::event::{Event, Events, Stream};

/// The template.
const TEMPLATE: &str = "packages.yaml";
/// Where programs of root are, which the `PATH` of others commonly leaves out.
const ROOTS_FOLDERS: [&str; 2] = ["/usr/sbin", "/sbin"];
/// What gives others the rights of root.
const RAISERS: [&str; 2] = ["sudo", "doas"];
/// Lines are cut here.
const LONGEST_LINE: usize = 4 << 10;
/// So long after its end, what a command has written is waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// systemd runs where this is (sd_booted(3)).
const SYSTEMD: &str = "/run/systemd/system";

/// A package manager that cannot be used, or has failed.
#[derive(Debug, thiserror::Error)]
pub enum PackagesError {
    /// The template cannot be read.
    #[error(transparent)]
    Template(#[from] YamlError),
    /// The template cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// A program cannot be run.
    #[error("`{program}` cannot be run")]
    Program {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It has failed.
    #[error("`{command}` failed: {status}")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// It was asked to end.
    #[error("`{command}` was stopped")]
    Stopped {
        /// The command.
        command: String,
        /// By what.
        signal: Signal,
    },
}

/// A package manager.
#[derive(Debug, Clone, Deserialize)]
pub struct Manager {
    /// Its program.
    pub program: String,
    /// Whether it wants to run as root.
    #[serde(default = "yes")]
    pub root: bool,
    /// The command that brings its lists up to date, where that must be asked for.
    pub refresh: Option<Vec<String>>,
    /// The command to which packages are added.
    pub install: Vec<String>,
    /// The engine that is at home there.
    pub engine: String,
    packages: BTreeMap<String, Vec<String>>,
}

impl Manager {
    /// The packages with a thing: an engine by its name, `cpp`, `git`, `certificates`. `None` if it
    /// has none.
    #[must_use]
    pub fn packages(&self, thing: &str) -> Option<&[String]> {
        self.packages.get(thing).map(Vec::as_slice).filter(|packages| !packages.is_empty())
    }
}

/// How an engine is brought to life.
#[derive(Debug, Clone, Deserialize)]
pub struct EngineFacts {
    /// The program that shows that it is installed.
    pub program: String,
    /// How systemd starts its service, if it has one.
    #[serde(default)]
    pub start: Vec<String>,
    /// What starts it without systemd.
    #[serde(default)]
    pub by_hand: Vec<String>,
    /// To what a user's name is added for the right to use it.
    #[serde(default)]
    pub join: Vec<String>,
}

/// The table.
#[derive(Debug, Clone, Deserialize)]
pub struct Packages {
    /// The managers, in the order in which they are looked for.
    pub managers: Vec<Manager>,
    engines: BTreeMap<String, EngineFacts>,
}

fn yes() -> bool {
    true
}

impl Packages {
    /// Reads the table.
    ///
    /// # Errors
    /// When the template is not what it should be.
    pub fn read(assets: &Assets) -> Result<Self, PackagesError> {
        let (file, text) = match assets.text(TEMPLATE)? {
            Some(asset) => (asset.origin, asset.text),
            None => (TEMPLATE.to_owned(), "{managers: [], engines: {}}".into()),
        };
        Ok(yaml::parse(&file, &text)?.0)
    }

    /// The manager of this machine.
    #[must_use]
    pub fn manager(&self, env: &Env) -> Option<&Manager> {
        self.managers.iter().find(|manager| programs::find(env, &manager.program).is_some())
    }

    /// What is known of an engine.
    #[must_use]
    pub fn engine(&self, name: &str) -> Option<&EngineFacts> {
        self.engines.get(name)
    }

    /// The program of an engine, if that is installed.
    #[must_use]
    pub fn installed(&self, env: &Env, engine: &str) -> Option<PathBuf> {
        let program = &self.engine(engine)?.program;
        programs::find(env, program).or_else(|| {
            let places = ROOTS_FOLDERS.iter().map(|folder| format!("{folder}/{program}"));
            places.into_iter().find_map(|place| programs::find(env, &place))
        })
    }
}

/// Whether systemd runs this machine's services.
#[must_use]
pub fn has_systemd() -> bool {
    Path::new(SYSTEMD).is_dir()
}

/// A command as it is run with the rights of root: as it is for root, else behind `sudo` or `doas`,
/// whichever is installed.
#[must_use]
pub fn as_root(env: &Env, argv: &[String]) -> Vec<String> {
    if is_root() {
        return argv.to_vec();
    }
    let raise = raiser(env).unwrap_or(RAISERS[0]);
    std::iter::once(raise.to_owned()).chain(argv.iter().cloned()).collect()
}

/// Whether this process has the rights of root.
#[must_use]
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// Whether commands can be run with the rights of root.
#[must_use]
pub fn can_be_root(env: &Env) -> bool {
    is_root() || raiser(env).is_some()
}

fn raiser(env: &Env) -> Option<&'static str> {
    RAISERS.into_iter().find(|name| programs::find(env, name).is_some())
}

/// The name of the user of this process, or the number where there is no name.
#[must_use]
pub fn user() -> String {
    let user = getuid();
    User::from_uid(user).ok().flatten().map_or_else(|| user.to_string(), |user| user.name)
}

/// Runs a command to its end: no shell, nothing to read from, each line that it writes an event of
/// `who`. A first signal is passed on to it, a second one kills it; in between it is waited for,
/// since a package manager that is cut off leaves packages half installed. It stays in the group of
/// this process, so that `sudo` may ask for a password.
///
/// # Errors
/// When it cannot be run, fails or was stopped.
pub async fn run(
    who: &str,
    argv: &[String],
    env: &Env,
    events: &Events,
    stop: &Stop,
) -> Result<(), PackagesError> {
    let (program, args) = argv.split_first().map_or(("", [].as_slice()), |(first, rest)| (first, rest));
    let cannot = |source| PackagesError::Program { program: program.to_owned(), source };
    let file = programs::find(env, program).ok_or_else(|| cannot(std::io::ErrorKind::NotFound.into()))?;
    let mut child = Command::new(file)
        .args(args)
        .env_clear()
        .envs(env.iter())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(cannot)?;
    let outputs = (child.stdout.take(), child.stderr.take());
    let mut shown = pin!(async { tokio::join!(show(outputs.0, who, events), show(outputs.1, who, events)) });
    let status = {
        let mut ended = pin!(end(&mut child, stop));
        tokio::select! {
            status = &mut ended => {
                // A service that was started along the way may hold the pipes for ever.
                let _ = tokio::time::timeout(LAST_WORDS, &mut shown).await;
                status
            }
            _ = &mut shown => ended.await,
        }
    };
    let command = command_line(argv);
    match (stop.now(), status.map_err(cannot)?) {
        (None, status) if status.success() => Ok(()),
        (None, status) => Err(PackagesError::Failed { command, status }),
        (Some(signal), _) => Err(PackagesError::Stopped { command, signal }),
    }
}

/// Waits for a child. A signal is passed on to it; only a second one kills it.
async fn end(child: &mut Child, stop: &Stop) -> std::io::Result<ExitStatus> {
    let signal = tokio::select! {
        status = child.wait() => return status,
        signal = stop.requested() => signal,
    };
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        let number = match signal {
            Signal::HangUp => Number::SIGHUP,
            Signal::Interrupt => Number::SIGINT,
            Signal::Terminate | Signal::Quit | Signal::Pipe => Number::SIGTERM,
        };
        // Refused for a child of root; a Ctrl-C at the terminal has reached that one already.
        let _ = kill(Pid::from_raw(pid), number);
    }
    tokio::select! {
        status = child.wait() => status,
        _ = stop.forced() => {
            child.start_kill()?;
            child.wait().await
        }
    }
}

/// Sends what is written as events, line by line.
async fn show(output: Option<impl AsyncRead + Unpin>, subject: &str, events: &Events) {
    let Some(mut output) = output else { return };
    let mut lines = LineSplitter::new(LONGEST_LINE);
    let mut buffer = [0; 4096];
    let mut line = |text: &str| {
        // A progress bar redraws its line; its last state is enough.
        let text = text.rsplit('\r').next().unwrap_or(text).to_owned();
        events.send(Event::Line { subject: subject.to_owned(), stream: Stream::Stderr, text });
    };
    while let Ok(count @ 1..) = output.read(&mut buffer).await {
        lines.push(&buffer[..count], &mut line);
    }
    lines.finish(&mut line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let packages = Packages::read(&Assets::default()).expect("is good");
        let names: Vec<&str> = packages.managers.iter().map(|manager| manager.program.as_str()).collect();
        assert_eq!(names, ["apt-get", "dnf", "zypper", "pacman", "apk", "brew"]);
        for manager in &packages.managers {
            assert!(manager.install.contains(&manager.program), "{}", manager.program);
            assert!(manager.packages(&manager.engine).is_some(), "{}", manager.program);
            assert!(packages.engine(&manager.engine).is_some(), "{}", manager.program);
            assert!(manager.packages("git").is_some(), "{}", manager.program);
            assert_eq!(manager.root, manager.program != "brew");
        }
        assert_eq!(packages.managers[0].packages("docker"), Some(["docker.io".to_owned()].as_slice()));
        assert_eq!(packages.managers[0].packages("emacs"), None);
    }

    #[test]
    fn a_manager_is_known_by_its_program() {
        let packages = Packages::read(&Assets::default()).expect("is good");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().display().to_string();
        let env = Env::new([("PATH", path)]);
        assert!(packages.manager(&env).is_none());
        crate::base::files::write_whole(&folder.path().join("zypper"), b"", 0o755).expect("writes");
        assert_eq!(packages.manager(&env).map(|manager| manager.program.as_str()), Some("zypper"));
    }

    #[tokio::test]
    async fn a_command_tells_its_lines_and_how_it_ended() {
        let env = Env::new([("PATH", "/usr/bin:/bin")]);
        let argv = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let (sink, stop) = (Events::silent(), Stop::new());
        run("x", &argv(&["true"]), &env, &sink, &stop).await.expect("is true");
        let error = run("x", &argv(&["sh", "-c", "exit 3"]), &env, &sink, &stop).await.expect_err("fails");
        assert_eq!(error.to_string(), "`sh -c 'exit 3'` failed: exit status: 3");
        let error = run("x", &argv(&["no-such-program"]), &env, &sink, &stop).await.expect_err("is missing");
        assert!(matches!(error, PackagesError::Program { .. }));
        stop.raise(Signal::Terminate);
        let error = run("x", &argv(&["sleep", "1000"]), &env, &sink, &stop).await.expect_err("is stopped");
        assert!(matches!(error, PackagesError::Stopped { signal: Signal::Terminate, .. }));
    }
}

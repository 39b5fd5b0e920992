//! Floor 1: the machine as `cki` sees it: arguments, environment, directories, streams, terminal,
//! signals, child processes. Everything that differs between a user's terminal and a test comes from here;
//! the rest of the program never asks the operating system for it directly.

pub mod arguments;
pub mod browser;
pub mod capabilities;
pub mod directories;
pub mod env;
pub mod executable;
pub mod firewall;
pub mod foreground;
pub mod netns;
pub mod notifier;
pub mod programs;
pub mod scratch;
pub mod signals;
pub mod streams;
pub mod tty;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use crate::base::digest;
use crate::base::files::FileError;
use crate::base::process_ref::ProcessRef;
use crate::base::secret::Secret;
pub use env::Env;
use signals::{Shutdown, Signal};
pub use streams::{OutputSink, StreamTerminal};

/// The machine from the view of one process.
#[derive(Debug, Clone)]
pub struct Host {
    /// Arguments, with the program's name first.
    pub args: Vec<OsString>,
    /// Environment.
    pub env: Env,
    /// Working directory.
    pub cwd: PathBuf,
    /// File of the running program.
    pub executable: PathBuf,
    /// Stream for data.
    pub stdout: OutputSink,
    /// Stream for everything else.
    pub stderr: OutputSink,
    /// Properties of the terminals at the streams.
    pub terminal: StreamTerminal,
    /// Clock: a function, so that a test can stop it.
    pub now: fn() -> jiff::Timestamp,
}

/// Time between two looks for a signal while a question is open; too short to notice.
const BLINK: Duration = Duration::from_millis(20);

/// Working directory after its removal: relative paths must lead nowhere, instead of to `/`.
pub const DELETED_DIRECTORY: &str = "/proc/self/cwd";

impl Host {
    /// Returns the real machine.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
    pub fn real() -> Self {
        let env = with_home(Env::new(std::env::vars_os()));
        Self {
            args: std::env::args_os().collect(),
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(DELETED_DIRECTORY)),
            executable: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("cki")),
            stdout: OutputSink::stdout(),
            stderr: OutputSink::stderr(),
            terminal: StreamTerminal::of_this_process(&env),
            env,
            now: jiff::Timestamp::now,
        }
    }

    /// Masks a secret in all later output.
    pub fn hide(&self, secret: &Secret) {
        self.stdout.hide([secret]);
        self.stderr.hide([secret]);
    }

    /// Masks the logins in addresses of the environment: those of engines and of proxies.
    pub fn hide_logins(&self) {
        for (name, value) in self.env.iter() {
            let name = name.to_string_lossy().to_ascii_uppercase();
            if matches!(name.as_str(), "DOCKER_HOST" | "CONTAINER_HOST" | "CKI_GITLAB_URL")
                || name.ends_with("_PROXY")
            {
                self.hide_login(&value.to_string_lossy());
            }
        }
    }

    /// Masks the login of an address, if it has one.
    pub fn hide_login(&self, address: &str) {
        self.hide_logins_of([address]);
    }

    /// Masks the logins of addresses.
    pub fn hide_logins_of<'a>(&self, addresses: impl IntoIterator<Item = &'a str>) {
        let secrets: Vec<Secret> = addresses.into_iter().flat_map(logins_of).collect();
        self.stdout.hide(&secrets);
        self.stderr.hide(&secrets);
    }

    /// Returns the time zone of this machine.
    #[must_use]
    pub fn zone(&self) -> jiff::tz::TimeZone {
        jiff::tz::TimeZone::try_system().unwrap_or(jiff::tz::TimeZone::UTC)
    }

    /// Returns this process, as the owner of the resources that it creates.
    #[must_use]
    pub fn owner(&self) -> ProcessRef {
        let pid = std::process::id();
        ProcessRef { pid, started: process_start_time(pid).unwrap_or(0), boot: boot_id(), place: place() }
    }

    /// Returns whether the process that a label names is still alive.
    #[must_use]
    pub fn is_alive(&self, owner: &ProcessRef) -> bool {
        is_alive(owner)
    }

    /// Reads standard input to its end as text, but at most `limit` bytes.
    ///
    /// # Errors
    /// Fails if it cannot be read, or is not UTF-8.
    pub fn read_input(&self, limit: u64) -> Result<String, FileError> {
        use std::io::Read as _;
        let mut text = String::new();
        let read = std::io::stdin().take(limit).read_to_string(&mut text);
        read.map_err(|source| FileError::new("read", "standard input", source))?;
        Ok(text)
    }

    /// Reads a line from standard input, as the answer to a question; `None` at its end.
    ///
    /// # Errors
    /// Returns the signal that arrived before the answer, at once. The line that is still awaited then goes
    /// to nobody.
    pub fn read_answer(&self, stop: Option<&Shutdown>) -> Result<Option<String>, Signal> {
        let (answer, answers) = mpsc::channel();
        let read = move || {
            let mut line = String::new();
            let read = match std::io::stdin().read_line(&mut line) {
                Ok(0) | Err(_) => None,
                Ok(_) => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
            };
            let _ = answer.send(read);
        };
        let Ok(_) = std::thread::Builder::new().name("answer".to_owned()).spawn(read) else {
            return Ok(None);
        };
        loop {
            match answers.recv_timeout(BLINK) {
                Ok(line) => return Ok(line),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {
                    if let Some(signal) = stop.and_then(Shutdown::now) {
                        return Err(signal);
                    }
                }
            }
        }
    }
}

/// Returns whether standard input is a socket.
#[must_use]
pub fn stdin_is_socket() -> bool {
    use nix::sys::stat::{SFlag, fstat};
    fstat(std::io::stdin())
        .is_ok_and(|facts| SFlag::from_bits_truncate(facts.st_mode & SFlag::S_IFMT.bits()) == SFlag::S_IFSOCK)
}

/// Returns the environment with a home directory: if `HOME` is missing or relative, that of the user's
/// entry in passwd(5).
fn with_home(env: Env) -> Env {
    if env.home().is_some_and(|home| home.is_absolute()) {
        return env;
    }
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten();
    match user.map(|user| user.dir).filter(|home| home.is_absolute()) {
        Some(home) => env.with("HOME", home),
        None => env,
    }
}

/// Returns the secret parts of an address: the password of its login, or a login without a password, which
/// may be a token. A password may contain `/` and `@` although an address may not, so that some addresses
/// have two readings.
fn logins_of(address: &str) -> Vec<Secret> {
    let (scheme, rest) =
        address.split_once("://").map_or((None, address), |(scheme, rest)| (Some(scheme), rest));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_password = authority.split_once(':').is_some_and(|(_, port)| !is_number(port));
    let login = authority.rsplit_once('@').map(|(login, _)| login);
    let longer = rest.rsplit_once('@').map(|(login, _)| login).filter(|_| has_password);
    let mut logins: Vec<&str> = login.into_iter().chain(longer).collect();
    logins.dedup();
    let secret = |login: &str| match (login.split_once(':'), scheme) {
        (Some((_, password)), _) => Some(Secret::new(password)),
        (None, None | Some("ssh" | "git+ssh")) => None,
        (None, Some(_)) => Some(Secret::new(login)).filter(|_| login.len() >= 8),
    };
    logins.into_iter().filter_map(secret).collect()
}

/// Returns whether a process named earlier is still alive. A process of another machine or PID namespace
/// counts as alive, since this process cannot see its end; so does one whose state cannot be read, since the
/// answer decides what is removed.
#[must_use]
pub fn is_alive(owner: &ProcessRef) -> bool {
    if !owner.place.is_empty() && owner.place != place() {
        return true;
    }
    let boot = boot_id();
    if ![&boot, &owner.boot].iter().any(|id| id.is_empty()) && owner.boot != boot {
        return false;
    }
    match std::fs::read_to_string(format!("/proc/{}/stat", owner.pid)) {
        Ok(stat) => start_time(&stat) == Some(owner.started),
        // Without a mounted `/proc`, nothing is known.
        Err(error) => !is_no_such_process(&error) || !std::path::Path::new("/proc/self/stat").exists(),
    }
}

/// Returns whether a PID named earlier is one of this machine, this boot and this PID namespace.
#[must_use]
pub fn is_here(owner: &ProcessRef) -> bool {
    owner.place == place() && owner.boot == boot_id()
}

/// Returns whether reading a file of a process failed because the process is gone.
fn is_no_such_process(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound || error.raw_os_error() == Some(nix::libc::ESRCH)
}

/// Returns the owner data of a living process.
#[must_use]
pub fn owner(pid: u32) -> Option<ProcessRef> {
    Some(ProcessRef { pid, started: process_start_time(pid)?, boot: boot_id(), place: place() })
}

/// Returns the start time of a living process, in clock ticks since the boot: field 22 of `/proc/PID/stat`
/// (proc(5)). A zombie does not count as alive.
#[must_use]
pub fn process_start_time(pid: u32) -> Option<u64> {
    start_time(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn start_time(stat: &str) -> Option<u64> {
    // The second field is a name in brackets that may contain anything, even brackets.
    let mut after_name = stat[stat.rfind(')')? + 1..].split_whitespace();
    let state = after_name.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    after_name.nth(18)?.parse().ok()
}

/// Returns an ID of this machine, from machine-id(5) or else its name, and of the PID namespace of this
/// process. An engine may be shared: containers mount its socket, or clients reach it over a network.
pub(crate) fn place() -> String {
    static PLACE: LazyLock<String> = LazyLock::new(|| {
        let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
        let machine = match machine.trim() {
            "" => nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned(),
            id => id.to_owned(),
        };
        let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let mut whole = digest::sha256_hex([machine.as_str(), &namespace.to_string_lossy()]);
        whole.truncate(12);
        whole
    });
    PLACE.clone()
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_of_finds_secret_part_of_url() {
        let of = |address: &str| {
            let secrets: Vec<String> =
                logins_of(address).iter().map(|secret| secret.expose().to_owned()).collect();
            secrets.last().cloned()
        };
        assert_eq!(of("tcp://user:hunter2@h:1"), Some("hunter2".to_owned()));
        assert_eq!(of("http://user:p@ss/w:rd@h:1/x"), Some("p@ss/w:rd".to_owned()));
        assert_eq!(of("http://alice:s3cr3t/Tok3n@127.0.0.1:1/x"), Some("s3cr3t/Tok3n".to_owned()));
        assert_eq!(of("https://glpat-0123456789@h"), Some("glpat-0123456789".to_owned()));
        let none = ["https://h/@scope/x", "https://h:8080/a@b", "git@host.example:a/b.git", "https://h"];
        assert!(none.iter().all(|address| of(address).is_none()));
        // The address is ambiguous, so that both readings count.
        assert_eq!(logins_of("https://u:word@h/@scope/x").len(), 2);
        assert_eq!((of("ssh://somebody@h"), of("unix:///run/x"), of("tcp://h:1")), (None, None, None));
    }

    #[test]
    fn is_alive_compares_start_time_and_boot() {
        let host = Host::real();
        let owner = host.owner();
        assert!(host.is_alive(&owner));
        assert!(!host.is_alive(&ProcessRef { boot: "other".into(), ..owner.clone() }));
        assert!(!host.is_alive(&ProcessRef { started: owner.started + 1, ..owner.clone() }));
        // A process elsewhere counts as alive.
        let elsewhere = ProcessRef { place: "another".into(), boot: "other".into(), ..owner };
        assert!(host.is_alive(&elsewhere));
        assert_eq!(ProcessRef::parse(&elsewhere.to_label()), Some(elsewhere));
    }

    #[test]
    fn only_a_missing_process_counts_as_dead() {
        let failure = std::io::Error::from_raw_os_error;
        assert!([nix::libc::ENOENT, nix::libc::ESRCH].iter().all(|code| is_no_such_process(&failure(*code))));
        let unknown = [nix::libc::EMFILE, nix::libc::ENFILE, nix::libc::ENOMEM, nix::libc::EACCES];
        assert!(!unknown.iter().any(|code| is_no_such_process(&failure(*code))));
    }
}

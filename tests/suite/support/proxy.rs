//! A proxy for an engine's socket that tests can remove or block: a process forwards connections until it is
//! killed. It runs in the engine's resource limits, since the listening process counts as the engine.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cki::host::Host;

/// The socket to listen on, and that of the engine.
const HERE: &str = "PROXY_HERE";
const THERE: &str = "PROXY_THERE";
/// Request to hold, and the file that reports it held.
const HOLD: &str = "PROXY_HOLD";
const HELD: &str = "PROXY_HELD";

/// A request that gets stuck.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hold {
    /// On its way to the engine, which never sees it.
    Request(&'static str),
    /// The engine has done it, and the answer does not arrive.
    Answer(&'static str),
    /// It is only noted that the engine was asked.
    Nothing(&'static str),
}

/// A socket in front of an engine's.
pub(crate) struct Proxy {
    path: PathBuf,
    child: Child,
}

impl Proxy {
    /// Before the engine at `unix:///…`.
    pub(crate) fn before(address: &str, path: &Path) -> Self {
        Self::start(address, path, None)
    }

    /// The same, which holds the requests that begin with a method and hold a part of a path.
    pub(crate) fn holding(address: &str, path: &Path, hold: Hold) -> Self {
        Self::start(address, path, Some(hold))
    }

    fn start(address: &str, path: &Path, hold: Option<Hold>) -> Self {
        let hold = match hold {
            None => String::new(),
            Some(Hold::Request(what)) => format!("request {what}"),
            Some(Hold::Answer(what)) => format!("answer {what}"),
            Some(Hold::Nothing(what)) => format!("nothing {what}"),
        };
        let engine = address.strip_prefix("unix://").expect("a socket");
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", owner(engine))).expect("lives");
        let hard = |name: &str| {
            let line = limits.lines().find_map(|line| line.strip_prefix(name)).expect("has a limit");
            line.split_whitespace().nth(1).expect("has a hard limit").to_owned()
        };
        let child = Command::new("prlimit")
            .args([
                format!("--nofile={}", hard("Max open files")),
                format!("--nproc={}", hard("Max processes")),
            ])
            .arg(Host::real().executable)
            .env(super::part::PART, "proxy")
            .envs([(HERE, path.as_os_str()), (THERE, engine.as_ref())])
            .env(HELD, held(path))
            .env(HOLD, hold)
            .stdout(Stdio::null())
            .spawn()
            .expect("util-linux is installed");
        Self { path: path.to_owned(), child }
    }

    /// Returns its address.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    pub(crate) fn listens(&self) -> bool {
        UnixStream::connect(&self.path).is_ok()
    }

    /// Returns whether a request is held, or has been noted.
    pub(crate) fn holds(&self) -> bool {
        held(&self.path).exists()
    }

    /// Stops answering, without closing anything.
    pub(crate) fn freeze(&self) {
        let id = i32::try_from(self.child.id()).expect("a process id");
        let stop = nix::sys::signal::Signal::SIGSTOP;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), stop).expect("is there");
    }

    /// Takes the engine away: no connection is left, and none is made any more.
    pub(crate) fn cut(self) {
        drop(self);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.child.kill().expect("is not waited for yet");
        self.child.wait().expect("has ended");
    }
}

/// The process that listens on a socket.
fn owner(socket: &str) -> i32 {
    let stream = UnixStream::connect(socket).expect("the engine listens");
    let owner = nix::sys::socket::getsockopt(&stream.as_fd(), nix::sys::socket::sockopt::PeerCredentials);
    owner.expect("the system tells").pid()
}

fn held(path: &Path) -> PathBuf {
    path.with_extension("held")
}

/// Acts as the program that a proxy runs.
pub(crate) fn part() {
    let env = Host::real().env;
    let here = env.get(HERE).expect("is given");
    let there = env.get(THERE).expect("is given").to_owned();
    let listener = UnixListener::bind(here).expect("binds");
    for outer in listener.incoming().map_while(Result::ok) {
        let inner = UnixStream::connect(&there).expect("the engine listens");
        let env = env.clone();
        std::thread::spawn(move || pass(outer, inner, env.get(HOLD), env.get(HELD)));
    }
}

/// Passes on what comes on one connection.
fn pass(mut outer: UnixStream, mut inner: UnixStream, hold: Option<&str>, held: Option<&str>) {
    let copy = |stream: &UnixStream| stream.try_clone().expect("has room for another descriptor");
    if let (Some((mode, what)), Some(held)) = (hold.and_then(|hold| hold.split_once(' ')), held) {
        let mut head = vec![0; 64 << 10];
        let Ok(length @ 1..) = outer.read(&mut head) else { return };
        let line = String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or_default().to_owned();
        let (method, part) = what.split_once(' ').expect("a method and a part of a path");
        let stuck = || {
            std::fs::write(held, "").expect("says so");
            loop {
                std::thread::park();
            }
        };
        let is_meant = line.starts_with(method) && line.contains(part);
        if is_meant && mode == "request" {
            stuck();
        }
        inner.write_all(&head[..length]).expect("the engine reads");
        if is_meant && mode == "nothing" {
            std::fs::write(held, "").expect("says so");
        } else if is_meant {
            let (mut from, mut to) = (copy(&outer), copy(&inner));
            std::thread::spawn(move || drop(io::copy(&mut from, &mut to)));
            let _ = inner.read(&mut [0]);
            stuck();
        }
    }
    let (mut from, mut to) = (copy(&inner), copy(&outer));
    std::thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    // anyone who ends first, the other is told.
    let _ = io::copy(&mut outer, &mut inner);
    let _ = inner.shutdown(Shutdown::Write);
}

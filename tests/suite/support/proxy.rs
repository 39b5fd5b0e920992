//! An engine's socket that can be taken away: a process passes on what comes in, until it is killed.
//! It runs within the limits of the engine, since who listens is taken for the engine.

use std::io;
use std::net::Shutdown;
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use cki::host::Host;

const PART: &str = "support::proxy::part";
/// The socket to listen on, and that of the engine.
const HERE: &str = "PROXY_HERE";
const THERE: &str = "PROXY_THERE";

/// A socket in front of an engine's.
pub(crate) struct Proxy {
    path: PathBuf,
    child: Child,
}

impl Proxy {
    /// Before the engine at `unix:///…`.
    pub(crate) fn before(address: &str, path: &Path) -> Self {
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
            .args(["--exact", PART, "--nocapture"])
            .envs([(HERE, path.as_os_str()), (THERE, engine.as_ref())])
            .stdout(Stdio::null())
            .spawn()
            .expect("util-linux is installed");
        Self { path: path.to_owned(), child }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> String {
        format!("unix://{}", self.path.display())
    }

    pub(crate) fn listens(&self) -> bool {
        UnixStream::connect(&self.path).is_ok()
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

/// What this program does when it is run by a proxy.
#[test]
fn part() {
    let env = Host::real().env;
    let (Some(here), Some(there)) = (env.get(HERE), env.get(THERE)) else { return };
    let listener = UnixListener::bind(here).expect("binds");
    for outer in listener.incoming().map_while(Result::ok) {
        let inner = UnixStream::connect(there).expect("the engine listens");
        let copy = |stream: &UnixStream| stream.try_clone().expect("has room for another descriptor");
        for (mut from, mut to) in [(copy(&outer), copy(&inner)), (copy(&inner), copy(&outer))] {
            std::thread::spawn(move || {
                // Whoever ends first, the other is told.
                let _ = io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
        }
    }
}

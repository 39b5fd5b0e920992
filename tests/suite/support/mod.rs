//! What the tests share: what `tests/run` has set up on this machine, and how a test says that it
//! is missing. Asking is all that happens here; tests of behaviour are in the files beside.

pub(crate) mod beyond;
pub(crate) mod call;
pub(crate) mod cli;
pub(crate) mod engine;
pub(crate) mod git_server;
pub(crate) mod lookalike;
pub(crate) mod person;
pub(crate) mod proxy;
pub(crate) mod repository;

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cki::host::{Env, Host};

/// The variables that `tests/run` sets. Each is read here and nowhere else.
#[expect(
    clippy::disallowed_methods,
    reason = "the tests have no `Host`: this is where they meet the machine"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The address of a Docker engine that belongs to the tests: `unix:///…`.
pub(crate) fn docker() -> Option<String> {
    variable("CKI_TEST_DOCKER")
}

/// The address of a Podman service that belongs to the tests: `unix:///…`.
pub(crate) fn podman() -> Option<String> {
    variable("CKI_TEST_PODMAN")
}

/// The environment in which a `podman` program works on the same storage as the service.
pub(crate) fn podman_environment() -> Option<[(&'static str, String); 2]> {
    Some([
        ("CONTAINERS_CONF", variable("CKI_TEST_CONTAINERS_CONF")?),
        ("CONTAINERS_STORAGE_CONF", variable("CKI_TEST_CONTAINERS_STORAGE_CONF")?),
    ])
}

/// A Python that has the independent clients: python-gitlab and pika.
pub(crate) fn python() -> Option<String> {
    variable("CKI_TEST_PYTHON")
}

/// Whether files that come from the program are to be written anew instead of compared.
pub(crate) fn blesses() -> bool {
    variable("CKI_TEST_BLESS").is_some()
}

/// Says that something is not tested here, and why. Under `tests/run`, which should have set up all
/// that is needed, a skip is a failure.
pub(crate) fn skip(what: &str, why: &str) {
    let line = format!("SKIPPED {what}: {why}\n");
    // Written to the stream itself: the test harness keeps what the macros print of a test that passes.
    let _ = std::io::stderr().write_all(line.as_bytes());
    let Some(path) = variable("CKI_TEST_SKIPS") else { return };
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("notes the skip for tests/run");
}

/// An environment with nothing of the person's who runs the tests but the programs.
pub(crate) fn clean_env(home: &Path) -> Env {
    let path = Host::real().env.get_os("PATH").expect("PATH is set").to_owned();
    Env::new([("PATH", path), ("HOME", home.as_os_str().to_owned()), ("GIT_CONFIG_NOSYSTEM", "1".into())])
}

/// The installed `git`, which knows nothing of the person who runs the tests.
pub(crate) fn git_command(home: &Path) -> Command {
    let mut command = Command::new("git");
    command.env_clear().envs(clean_env(home).iter()).current_dir(home);
    command
}

/// A folder with these files.
pub(crate) fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("is below a folder")).expect("makes folders");
        std::fs::write(path, text).expect("writes");
    }
    folder
}

/// Waits until something is so, and says whether it ever was.
pub(crate) fn comes_true(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + call::LIMIT;
    while !is_so() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

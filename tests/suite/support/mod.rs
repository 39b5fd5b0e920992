//! Shared parts of the tests: the prerequisites that `tests/run` has set up. A test that needs one is ignored
//! with that as the reason, and fails where it is asked for all the same. Asking is all that happens
//! here; tests of behaviour are in the files beside.

pub(crate) mod call;
pub(crate) mod cli;
pub(crate) mod engine;
pub(crate) mod firewalled_engine;
pub(crate) mod foreign_resources;
pub(crate) mod gate;
pub(crate) mod git_server;
pub(crate) mod hints;
pub(crate) mod limit;
mod limit_test;
pub(crate) mod network_targets;
pub(crate) mod part;
pub(crate) mod ports;
pub(crate) mod proxy;
pub(crate) mod repository;
pub(crate) mod stand_in;
pub(crate) mod terminal_session;
pub(crate) mod web_server;

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

/// Returns a prerequisite of a test. Such a test is `#[ignore = "needs … (bash tests/run)"]`, and `tests/run`,
/// which sets all of it up, includes the ignored ones.
#[track_caller]
pub(crate) fn needed(name: &str) -> String {
    variable(name).unwrap_or_else(|| panic!("{name} is not set: `bash tests/run` sets up what this needs"))
}

/// The address of a Docker engine that belongs to the tests: `unix:///…`.
#[track_caller]
pub(crate) fn docker() -> String {
    needed("CKI_TEST_DOCKER")
}

/// The address of a Podman service that belongs to the tests: `unix:///…`.
#[track_caller]
pub(crate) fn podman() -> String {
    needed("CKI_TEST_PODMAN")
}

/// The environment in which a `podman` program works on the same storage as the service.
#[track_caller]
pub(crate) fn podman_environment() -> [(&'static str, String); 2] {
    [
        ("CONTAINERS_CONF", needed("CKI_TEST_CONTAINERS_CONF")),
        ("CONTAINERS_STORAGE_CONF", needed("CKI_TEST_CONTAINERS_STORAGE_CONF")),
    ]
}

/// A Python that has the independent clients: python-gitlab, pika and jsonschema.
#[track_caller]
pub(crate) fn python() -> String {
    needed("CKI_TEST_PYTHON")
}

/// Docker Compose 2, as a program of its own.
#[track_caller]
pub(crate) fn compose() -> String {
    needed("CKI_TEST_COMPOSE")
}

/// A `kubectl`, whose kustomize and whose reading of objects `cki` is compared with.
#[track_caller]
pub(crate) fn kubectl() -> String {
    needed("CKI_TEST_KUBECTL")
}

/// The directory with etcd, the servers of Kubernetes and a registry.
#[track_caller]
pub(crate) fn kubernetes() -> String {
    variable("CKI_TEST_KUBERNETES").unwrap_or_else(|| {
        panic!("CKI_TEST_KUBERNETES is not set: `bash tests/run --kubernetes` sets up what this needs")
    })
}

/// The script of axe-core, which checks whether a page is accessible.
#[track_caller]
pub(crate) fn axe() -> String {
    needed("CKI_TEST_AXE")
}

/// Returns the number of cases for a test against another program, if one is set.
pub(crate) fn cases() -> Option<u32> {
    variable("CKI_TEST_CASES")?.parse().ok()
}

/// Makes the cases of a comparison with another program: always the same ones in `tests/run`, so that
/// it does not fail by chance for what nobody changed, and new ones with `CKI_TEST_CASES`.
pub(crate) fn runner(config: proptest::test_runner::Config) -> proptest::test_runner::TestRunner {
    use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
    match cases() {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    }
}

/// Returns whether generated files are to be written again instead of compared.
pub(crate) fn blesses() -> bool {
    variable("CKI_TEST_BLESS").is_some()
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

/// A directory with these files.
pub(crate) fn directory_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (path, text) in files {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().expect("is below a directory")).expect("makes directories");
        std::fs::write(path, text).expect("writes");
    }
    directory
}

/// Waits until something is so, and says whether it ever was.
pub(crate) fn comes_true(mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + call::LIMIT;
    while !is_so() {
        if Instant::now() > deadline {
            return false;
        }
        // Polls: the condition is any state of the machine, with no event for it.
        std::thread::sleep(Duration::from_millis(20));
    }
    true
}

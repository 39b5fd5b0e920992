//! Finding an engine, and a Podman service of our own.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use cki::host::{Env, Host, programs};
use cki::systems::engine::{AddressKind, Discovery, DiscoveryOutcome, EngineChoice, EngineOrigin, discover};

use super::lab::{Lab, eventually};
use super::on_both;
use crate::support::part;

on_both!(discover_finds_the_requested_kind_only);

async fn discover_finds_the_requested_kind_only(lab: Arc<Lab>) {
    let (address, kind) = (lab.engine.address().to_owned(), lab.engine.kind());
    let env =
        Env::new([("DOCKER_HOST", address.as_str()), ("PATH", "/nowhere"), ("XDG_RUNTIME_DIR", "/nowhere")]);
    let (wanted, other) = if kind == AddressKind::Docker {
        (EngineChoice::Docker, EngineChoice::Podman)
    } else {
        (EngineChoice::Podman, EngineChoice::Docker)
    };
    for wanted in [EngineChoice::Auto, wanted] {
        let found = discover(&env, wanted).await;
        let engine = found.engine.expect("answers");
        assert_eq!((engine.kind(), engine.address()), (kind, address.as_str()));
        assert_eq!(found.candidates[0].origin, EngineOrigin::Variable("DOCKER_HOST"));
        assert_eq!(found.candidates[0].outcome.to_string(), format!("{kind} {}", engine.version()));
    }
    let found = discover(&env, other).await;
    assert_eq!(found.candidates[0].outcome, DiscoveryOutcome::OtherKind(kind));
}

/// An environment in which there is nothing but the program `podman`, with storage of its own.
fn only_podman(directory: &Path) -> Env {
    let host = Host::real();
    assert!(programs::find(&host.env, "podman").is_some(), "podman is not installed");
    let first = "/run/podman/podman.sock";
    assert!(
        !Path::new(first).exists(),
        "`{first}` would be found first: stop the service that listens there"
    );
    assert!(nix::unistd::geteuid().is_root(), "storage of its own needs root");
    let storage = directory.join("storage.conf");
    let text = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/root\"\nrunroot = \"{0}/run\"\n",
        directory.display()
    );
    std::fs::write(&storage, text).expect("writes");
    let runtime = directory.join("xdg");
    std::fs::create_dir_all(&runtime).expect("makes a directory");
    Env::new([
        ("PATH", host.env.get_os("PATH").unwrap_or_default().to_owned()),
        ("HOME", directory.as_os_str().to_owned()),
        ("XDG_RUNTIME_DIR", runtime.into_os_string()),
        ("CONTAINERS_STORAGE_CONF", storage.into_os_string()),
    ])
}

fn socket_of(found: &Discovery) -> PathBuf {
    let engine = found.engine.as_ref().unwrap_or_else(|| panic!("is started: {:?}", found.candidates));
    PathBuf::from(engine.address().strip_prefix("unix://").expect("is a socket"))
}

fn left_in(directory: &Path) -> usize {
    std::fs::read_dir(directory.join("xdg/cki")).map_or(0, Iterator::count)
}

#[tokio::test]
#[ignore = "needs podman and root (bash tests/run)"]
async fn discover_runs_podman_for_as_long_as_it_is_used() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let found = discover(&only_podman(directory.path()), EngineChoice::Podman).await;
    let socket = socket_of(&found);
    let used = found.candidates.last().expect("was tried");
    assert_eq!(used.origin, EngineOrigin::PodmanProgram);
    assert!(matches!(used.outcome, DiscoveryOutcome::Used { kind: AddressKind::Podman, .. }));
    let engine = found.engine.expect("is started");
    let clone = engine.clone();
    drop(engine);
    assert!(clone.list(None).await.expect("still answers").is_empty());
    assert_eq!(left_in(directory.path()), 1);
    drop(clone);
    assert!(!socket.exists());
    assert_eq!(left_in(directory.path()), 0);
}

/// Runs in a process of its own, for the next test to kill.
#[tokio::main]
pub(crate) async fn hold_podman_service() {
    let host = Host::real();
    let directory = PathBuf::from(host.env.get("CKI_TEST_DIRECTORY").expect("is given"));
    let found = discover(&only_podman(&directory), EngineChoice::Podman).await;
    std::fs::write(directory.join("ready"), socket_of(&found).as_os_str().as_encoded_bytes())
        .expect("writes");
    std::future::pending::<()>().await;
}

#[tokio::test]
#[ignore = "needs podman and root (bash tests/run)"]
async fn podman_service_ends_with_a_killed_process() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut child = part::command("hold podman service")
        .env("CKI_TEST_DIRECTORY", directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("runs");
    let ready = directory.path().join("ready");
    eventually("the service is up", || async { ready.exists() }).await;
    let socket = PathBuf::from(std::fs::read_to_string(&ready).expect("is text"));
    let answers = || std::os::unix::net::UnixStream::connect(&socket).is_ok();
    assert!(answers());
    child.kill().expect("kills");
    assert_eq!(child.wait().expect("ends").signal(), Some(9));
    eventually("the service ends", || async { !answers() }).await;
    // Its directory is still there, until the next one comes.
    let found = discover(&only_podman(directory.path()), EngineChoice::Podman).await;
    assert_ne!(socket_of(&found), socket);
    assert_eq!(left_in(directory.path()), 1);
}

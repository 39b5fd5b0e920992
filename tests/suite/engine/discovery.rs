//! Finding an engine, and a Podman service of our own.

use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use cki::host::{Env, Host, programs};
use cki::systems::engine::{Discovery, Kind, Origin, Outcome, Wanted, discover};

use super::lab::{Lab, eventually};
use super::on_both;
use crate::support;

on_both!(the_kind_that_is_wanted_is_found_or_refused);

async fn the_kind_that_is_wanted_is_found_or_refused(lab: Arc<Lab>) {
    let (address, kind) = (lab.engine.address().to_owned(), lab.engine.kind());
    let env =
        Env::new([("DOCKER_HOST", address.as_str()), ("PATH", "/nowhere"), ("XDG_RUNTIME_DIR", "/nowhere")]);
    let (wanted, other) = if kind == Kind::Docker {
        (Wanted::Docker, Wanted::Podman)
    } else {
        (Wanted::Podman, Wanted::Docker)
    };
    for wanted in [Wanted::Auto, wanted] {
        let found = discover(&env, wanted).await;
        let engine = found.engine.expect("answers");
        assert_eq!((engine.kind(), engine.address()), (kind, address.as_str()));
        assert_eq!(found.candidates[0].origin, Origin::Variable("DOCKER_HOST"));
        assert_eq!(found.candidates[0].outcome.to_string(), format!("{kind} {}", engine.version()));
    }
    let found = discover(&env, other).await;
    assert_eq!(found.candidates[0].outcome, Outcome::OtherKind(kind));
}

/// An environment in which there is nothing but the program `podman`, with storage of its own.
fn only_podman(folder: &Path) -> Result<Env, &'static str> {
    let host = Host::real();
    if programs::find(&host.env, "podman").is_none() {
        return Err("podman is not installed");
    }
    if Path::new("/run/podman/podman.sock").exists() {
        return Err("podman listens already, and would be found first");
    }
    if !nix::unistd::geteuid().is_root() {
        return Err("storage of its own needs root");
    }
    let storage = folder.join("storage.conf");
    let text = format!(
        "[storage]\ndriver = \"vfs\"\ngraphroot = \"{0}/root\"\nrunroot = \"{0}/run\"\n",
        folder.display()
    );
    std::fs::write(&storage, text).expect("writes");
    let runtime = folder.join("xdg");
    std::fs::create_dir_all(&runtime).expect("makes a folder");
    Ok(Env::new([
        ("PATH", host.env.get_os("PATH").unwrap_or_default().to_owned()),
        ("HOME", folder.as_os_str().to_owned()),
        ("XDG_RUNTIME_DIR", runtime.into_os_string()),
        ("CONTAINERS_STORAGE_CONF", storage.into_os_string()),
    ]))
}

fn socket_of(found: &Discovery) -> PathBuf {
    let engine = found.engine.as_ref().unwrap_or_else(|| panic!("is started: {:?}", found.candidates));
    PathBuf::from(engine.address().strip_prefix("unix://").expect("is a socket"))
}

fn left_in(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("xdg/cki")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn a_podman_without_a_socket_gets_one_for_as_long_as_it_is_needed() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let env = match only_podman(folder.path()) {
        Ok(env) => env,
        Err(why) => return support::skip("podman service", why),
    };
    let found = discover(&env, Wanted::Podman).await;
    let socket = socket_of(&found);
    let used = found.candidates.last().expect("was tried");
    assert_eq!(used.origin, Origin::PodmanProgram);
    assert!(matches!(used.outcome, Outcome::Used { kind: Kind::Podman, .. }));
    let engine = found.engine.expect("is started");
    let clone = engine.clone();
    drop(engine);
    assert!(clone.list(None).await.expect("still answers").is_empty());
    assert_eq!(left_in(folder.path()), 1);
    drop(clone);
    assert!(!socket.exists());
    assert_eq!(left_in(folder.path()), 0);
}

/// What the next test runs in a process of its own, to kill it.
#[tokio::test]
#[ignore = "run by `a_killed_process_takes_its_podman_with_it`"]
async fn hold_a_podman() {
    let host = Host::real();
    let folder = PathBuf::from(host.env.get("CKI_TEST_FOLDER").expect("is given"));
    let found = discover(&only_podman(&folder).expect("can be had"), Wanted::Podman).await;
    std::fs::write(folder.join("ready"), socket_of(&found).as_os_str().as_encoded_bytes()).expect("writes");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn a_killed_process_takes_its_podman_with_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    if let Err(why) = only_podman(folder.path()) {
        return support::skip("podman service", why);
    }
    let mut child = Command::new(Host::real().executable)
        .args(["--exact", "engine::discovery::hold_a_podman", "--ignored"])
        .env("CKI_TEST_FOLDER", folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("runs");
    let ready = folder.path().join("ready");
    eventually("the service is up", || async { ready.exists() }).await;
    let socket = PathBuf::from(std::fs::read_to_string(&ready).expect("is text"));
    let answers = || std::os::unix::net::UnixStream::connect(&socket).is_ok();
    assert!(answers());
    child.kill().expect("kills");
    assert_eq!(child.wait().expect("ends").signal(), Some(9));
    eventually("the service ends", || async { !answers() }).await;
    // Its folder is still there, until the next one comes.
    let found = discover(&only_podman(folder.path()).expect("can be had"), Wanted::Podman).await;
    assert_ne!(socket_of(&found), socket);
    assert_eq!(left_in(folder.path()), 1);
}

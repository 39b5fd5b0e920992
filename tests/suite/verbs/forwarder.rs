//! The process that keeps the published ports of a detached run open: it lives as long as the run, whatever
//! happens to either. What a run in the foreground publishes is in `publish`.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use super::publish::{assert_many, count, counter};
use crate::support::cli::Cli;
use crate::support::engine::{Engine, on};

/// Starts the counting server in the background, and returns the PID of its forwarder.
fn detached(cli: &Cli, flags: &str) -> i32 {
    counter(cli);
    let outcome = cli.run(&format!("run-local app --detach {flags}")).ends_with(0);
    let outcome = outcome.says("  app          ready  127.0.0.1:~PORT");
    assert_eq!(outcome.stderr.matches("127.0.0.1:").count(), 1, "the address is said once: {outcome}");
    assert_eq!(count(cli.port, 1000), "1000");
    forwarder(cli)
}

/// Returns the PID of the only forwarder.
fn forwarder(cli: &Cli) -> i32 {
    let directory = cli.directory().join("runtime/cki/forwarders");
    let files: Vec<_> = std::fs::read_dir(directory).expect("is there").flatten().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    pid_of(&files[0].path())
}

/// Returns the directory of the only process without an engine.
fn run_directory(cli: &Cli) -> PathBuf {
    let all = std::fs::read_dir(cli.directory().join("runtime/cki/native")).expect("is there");
    all.flatten().next().expect("runs").path()
}

/// Returns the PID of its supervisor.
fn supervisor(cli: &Cli) -> i32 {
    pid_of(&run_directory(cli).join("process.json"))
}

/// Returns the PID in a record.
fn pid_of(record: &Path) -> i32 {
    let record = std::fs::read_to_string(record).expect("is readable");
    let record: serde_json::Value = serde_json::from_str(&record).expect("is JSON");
    let process = record["process"].as_str().expect("is a text");
    process.split('.').next().and_then(|pid| pid.parse().ok()).expect("is a PID")
}

fn lives(process: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

fn assert_nothing_listens(cli: &Cli, process: i32) {
    assert!(!lives(process), "the forwarder has ended");
    assert!(TcpListener::bind(("127.0.0.1", cli.port)).is_ok(), "nothing listens");
}

on!(docker, podman, native: run_local_detach_keeps_its_ports_until_down);
fn run_local_detach_keeps_its_ports_until_down(cli: &Cli) {
    let process = detached(cli, "");
    assert_many(cli.port);
    // It knows nothing, and has no right but that to enter networks.
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{process}/{name}")).expect("is readable");
    assert_eq!(read("environ"), "HOME=/\0");
    assert!(read("cmdline").starts_with("cki\0forward\0"), "{}", read("cmdline"));
    let status = read("status");
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).expect("is there").trim();
    let rights = u64::from_str_radix(field("CapEff:"), 16).expect("is a number");
    assert_eq!((rights & !(1 << 21 | 1 << 19), field("NoNewPrivs:")), (0, "1"));
    let session = nix::unistd::getsid(Some(Pid::from_raw(process))).expect("lives");
    assert_eq!(session.as_raw(), process);

    let ps = cli.run("ps -o json").ends_with(0).json();
    let wanted = json!([{"host": "127.0.0.1", "host_port": cli.port, "container_port": cli.port}]);
    assert!(ps["instances"].as_array().expect("is a list").iter().any(|one| one["ports"] == wanted), "{ps}");
    cli.run("down app").ends_with(0);
    assert_nothing_listens(cli, process);
}

on!(docker: down_leaves_the_ports_of_runs_on_other_engines);
fn down_leaves_the_ports_of_runs_on_other_engines(cli: &Cli) {
    let process = detached(cli, "");
    cli.run("down --engine native").ends_with(0);
    assert_eq!(count(cli.port, 1000), "1000");
    cli.run("down").ends_with(0);
    assert_nothing_listens(cli, process);
}

on!(docker, podman, native: run_local_detach_publishes_on_an_open_network);
fn run_local_detach_publishes_on_an_open_network(cli: &Cli) {
    counter(cli);
    cli.run("run-local app --detach --network internet").ends_with(0).says("  ready  127.0.0.1:~PORT");
    assert_eq!(count(cli.port, 1000), "1000");
    let said = cli.run("ps").ends_with(0).stdout;
    assert!(said.contains(&format!("127.0.0.1:{}", cli.port)), "{said}");
    cli.run("down app").ends_with(0);
    assert!(TcpListener::bind(("127.0.0.1", cli.port)).is_ok(), "nothing listens");
}

on!(docker, podman, native: ps_shows_the_ports_of_a_killed_forwarder_as_gone);
fn ps_shows_the_ports_of_a_killed_forwarder_as_gone(cli: &Cli) {
    let process = detached(cli, "");
    kill(Pid::from_raw(process), Signal::SIGKILL).expect("is ours");
    cli.wait_for("the forwarder to end", || !lives(process));
    let said = cli.run("ps").ends_with(0).stdout;
    assert!(said.contains(&format!("127.0.0.1:{} (gone)", cli.port)), "{said}");
    let ps = cli.run("ps -o json").ends_with(0).json();
    let own = ps["instances"]
        .as_array()
        .expect("is a list")
        .iter()
        .find(|one| one["lost_ports"][0]["host_port"] == cli.port && one["ports"] == json!([]));
    assert!(own.is_some(), "{ps}");
    cli.run("down app").ends_with(0);
    assert_nothing_listens(cli, process);
}

on!(docker, podman: forwarder_ends_when_its_container_is_removed_by_hand);
fn forwarder_ends_when_its_container_is_removed_by_hand(cli: &Cli) {
    let process = detached(cli, "");
    cli.remove_by_hand("app");
    cli.wait_for("the forwarder to end", || !lives(process));
    assert_nothing_listens(cli, process);
    cli.run("gc").ends_with(0);
}

on!(docker, podman: forwarder_keeps_the_address_of_a_restarted_container);
fn forwarder_keeps_the_address_of_a_restarted_container(cli: &Cli) {
    let process = detached(cli, "");
    let network = || std::fs::read_link(format!("/proc/{process}/ns/net")).expect("lives");
    let before = network();
    cli.restart_by_hand("app");
    let port = cli.port;
    cli.wait_for("it to answer again", || {
        std::panic::catch_unwind(|| count(port, 10)).is_ok_and(|answer| answer == "10")
    });
    assert_eq!((forwarder(cli), network()), (process, before));
    cli.run("down app").ends_with(0);
    assert_nothing_listens(cli, process);
}

on!(docker, podman, native: forwarder_ends_with_its_instance);
fn forwarder_ends_with_its_instance(cli: &Cli) {
    let process = detached(cli, "");
    match cli.engine {
        Engine::Native => kill(Pid::from_raw(supervisor(cli)), Signal::SIGKILL).expect("is ours"),
        // The engine's init passes the signal on.
        Engine::Docker | Engine::Podman => drop(cli.run("exec app -- sh -c 'kill 1'")),
    }
    cli.wait_for("the forwarder to end", || !lives(process));
    assert_nothing_listens(cli, process);
    assert!(TcpStream::connect(("127.0.0.1", cli.port)).is_err());
    cli.run("down app").ends_with(0);
}

on!(docker, podman, native: gc_ends_a_forwarder_that_has_not_noticed);
fn gc_ends_a_forwarder_that_has_not_noticed(cli: &Cli) {
    let process = detached(cli, "");
    // It cannot notice anything.
    kill(Pid::from_raw(process), Signal::SIGSTOP).expect("is ours");
    match cli.engine {
        Engine::Native => {
            kill(Pid::from_raw(supervisor(cli)), Signal::SIGKILL).expect("is ours");
            std::fs::remove_dir_all(run_directory(cli)).expect("is ours");
        }
        Engine::Docker | Engine::Podman => cli.remove_by_hand("app"),
    }
    let found = cli.run("gc --dry-run").ends_with(0);
    assert!(found.stdout.contains("app"), "{found}");
    assert!(lives(process));
    cli.run("gc").ends_with(0);
    assert_nothing_listens(cli, process);
}

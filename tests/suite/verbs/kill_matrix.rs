//! Kills `cki` in every phase of a run, on every engine, and interrupts it in the phases that handle signals: the
//! next command removes exactly the leftovers. A phase is recognised by output, by existing resources, or by a
//! request that the engine's socket holds, never by elapsed time.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use nix::sys::signal::Signal;

use super::app;
use crate::support::call::StartedRun;
use crate::support::cli::Cli;
use crate::support::engine::Engine;
use crate::support::foreign_resources::ForeignResources;
use crate::support::proxy::{Hold, Proxy};
use crate::support::repository::Repositories;

/// So many cells at a time.
const AT_ONCE: usize = 4;

/// Phase in the life of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Cloning,
    Building,
    /// The engine has made the network, and nobody knows yet.
    Network,
    /// The engine has made a container, and nobody knows yet.
    Container,
    /// The dependency runs, and is not ready.
    Starting,
    Running,
    /// The component does not listen.
    Stopping,
    /// The first container is about to be removed.
    Removing,
}

const CONTAINERS: [Phase; 8] = [
    Phase::Cloning,
    Phase::Building,
    Phase::Network,
    Phase::Container,
    Phase::Starting,
    Phase::Running,
    Phase::Stopping,
    Phase::Removing,
];
const PROCESSES: [Phase; 4] = [Phase::Cloning, Phase::Starting, Phase::Running, Phase::Stopping];

/// One cell of the matrix.
type Cell = (Phase, Signal);

fn cells(phases: &[Phase]) -> Vec<Cell> {
    let killed = phases.iter().map(|phase| (*phase, Signal::SIGKILL));
    let asked = [Phase::Starting, Phase::Running].into_iter().flat_map(|phase| {
        [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT].map(|signal| (phase, signal))
    });
    killed.chain(asked).collect()
}

fn code(signal: Signal) -> i32 {
    match signal {
        Signal::SIGINT => 130,
        Signal::SIGTERM => 143,
        Signal::SIGHUP => 129,
        Signal::SIGQUIT => 131,
        _ => -9,
    }
}

#[test]
#[ignore = "needs CKI_TEST_DOCKER (bash tests/run)"]
fn next_command_removes_a_run_killed_in_any_phase_on_docker() {
    run_matrix_on_engine(&Cli::docker(), &cells(&CONTAINERS), Cli::docker);
}

#[test]
#[ignore = "needs CKI_TEST_PODMAN (bash tests/run)"]
fn next_command_removes_a_run_killed_in_any_phase_on_podman() {
    run_matrix_on_engine(&Cli::podman(), &cells(&CONTAINERS), Cli::podman);
}

#[test]
fn next_command_removes_a_run_killed_in_any_phase_without_an_engine() {
    run_matrix(&cells(&PROCESSES), Cli::new);
}

/// Beside what is foreign, all of which is as it was in the end.
fn run_matrix_on_engine(cli: &Cli, cells: &[Cell], new: impl Fn() -> Cli + Sync) {
    let foreign = ForeignResources::new(cli.bench(), &cli.id);
    run_matrix(cells, new);
    foreign.are_untouched();
}

fn run_matrix(cells: &[Cell], new: impl Fn() -> Cli + Sync) {
    let next = AtomicUsize::new(0);
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        let work = || {
            while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                if std::panic::catch_unwind(AssertUnwindSafe(|| kill_in_phase(&new(), *cell))).is_err() {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).push(*cell);
                }
            }
        };
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    assert!(failed.is_empty(), "something is left, as said above: {failed:?}");
}

/// One that needs another; neither listens to anybody.
fn inventory_that_ignores_signals(cli: &Cli, ready: &str) {
    let script = "trap 'echo asked' TERM HUP INT; echo up; while :; do sleep 0.1; done";
    app(cli, "service", script, "needs: [web]");
    let web = serde_json::json!(["sh", "-c", script]);
    cli.inventory_more(&format!(
        "  - {{name: web, category: x, image: '{{busybox}}', run: {{command: {web}, ready: {{log: {ready}}}}}}}\n"
    ));
}

fn kill_in_phase(cli: &Cli, (phase, signal): Cell) {
    match phase {
        Phase::Cloning => kill_while_cloning(cli),
        Phase::Building => kill_while_building(cli),
        Phase::Network => kill_while_request_is_held(cli, Hold::Answer("POST /networks/create")),
        Phase::Container => kill_while_request_is_held(cli, Hold::Answer("POST /containers/create")),
        Phase::Starting => {
            inventory_that_ignores_signals(cli, "never");
            let mut run = cli.call("run-local app").set("CKI_RUN_STOP_GRACE", "1").start();
            run.until("network ");
            cli.wait_for("it to start something", || {
                cli.left_of(&run).iter().any(|left| left.contains("web"))
            });
            end(run, signal);
        }
        Phase::Running => {
            inventory_that_ignores_signals(cli, "up");
            let mut run = cli.call("run-local app").set("CKI_RUN_STOP_GRACE", "1").start();
            run.until("up\n");
            end(run, signal);
        }
        Phase::Stopping => {
            inventory_that_ignores_signals(cli, "up");
            let mut run = cli.call("run-local app").set("CKI_RUN_STOP_GRACE", "600").start();
            run.until("up\n");
            run.signal(Signal::SIGINT);
            run.until("asked\n");
            end(run, signal);
        }
        Phase::Removing => kill_while_request_is_held(cli, Hold::Request("DELETE /containers/")),
    }
    assert_nothing_is_left(cli);
}

/// Ends it by a signal.
fn end(run: StartedRun<'_>, signal: Signal) {
    run.signal(signal);
    run.end().ends_with(code(signal));
}

/// Kills it while the engine's socket holds a request.
fn kill_while_request_is_held(cli: &Cli, hold: Hold) {
    // Only what needs something has a network on every engine.
    app(cli, "job", "echo done", "needs: [web]");
    let web = serde_json::json!(["sh", "-c", "echo up; exec sleep 1000"]);
    cli.inventory_more(&format!(
        "  - {{name: web, category: x, image: '{{busybox}}', run: {{command: {web}, ready: {{log: up}}}}}}\n"
    ));
    let address = cli.engine.address().expect("is one");
    let proxy = Proxy::holding(&address, &cli.directory().join("engine.sock"), hold);
    cli.wait_for("the socket", || proxy.listens());
    let variable = if cli.engine == Engine::Docker { "DOCKER_HOST" } else { "CONTAINER_HOST" };
    let run = cli.call("run-local app").set(variable, proxy.address()).start();
    cli.wait_for("the request", || proxy.holds());
    end(run, Signal::SIGKILL);
}

fn kill_while_building(cli: &Cli) {
    let repositories = Repositories::new(cli);
    let slow = "FROM {busybox}\nRUN echo {id} has begun; sleep 3\n";
    repositories.commit("tools", &[("Dockerfile", slow)]);
    cli.inventory("repos: {tools: '{served}/tools.git'}\ncomponents: [{name: made-{id}, category: x, build: {repo: tools}, run: {command: ['true']}}]\n");
    let mut build = cli.start("build made-{id}");
    build.until("{id} has begun");
    end(build, Signal::SIGKILL);
    // What it was sending was a file without a name.
    assert_eq!(cki::base::files::list_dir(&cli.directory().join("temporary")).expect("reads"), [""; 0]);
    assert!(
        cli.bench().images(&cli.fill("cki.component=x/made-{id}")).is_empty(),
        "no half image has a name"
    );
}

fn kill_while_cloning(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit_noise("tools", 1 << 20);
    repositories.commit("tools", &[("Dockerfile", "FROM {busybox}\n")]);
    let server = repositories.serve();
    cli.inventory("repos: {tools: '{server}/stall/tools.git'}\ncomponents: [{name: made, category: x, sources: [{repo: tools}], image: '{busybox}', build: {repo: tools}, run: {command: ['true']}}]\n");
    let run = cli.start("run-local made");
    server.stalled();
    end(run, Signal::SIGKILL);
    assert_eq!(partial_clones(cli).len(), 1, "it was on its way");
}

fn partial_clones(cli: &Cli) -> Vec<String> {
    let names = cki::base::files::list_dir(&cli.workspace()).expect("reads");
    names.into_iter().filter(|name| name.starts_with('.')).collect()
}

/// The next `cki` has removed all of it.
#[track_caller]
fn assert_nothing_is_left(cli: &Cli) {
    cli.run("ps -q").ends_with(0);
    // Without an engine, processes are killed by their own supervisor, and with one, another `cki`
    // may be at it.
    cli.wait_for("it to be gone", || cli.leftovers().is_empty());
    assert_eq!(partial_clones(cli), [""; 0]);
    for directory in ["temporary", "runtime/cki/native"] {
        assert_eq!(cki::base::files::list_dir(&cli.directory().join(directory)).expect("reads"), [""; 0]);
    }
    cli.run("gc -o json").ends_with(0);
}

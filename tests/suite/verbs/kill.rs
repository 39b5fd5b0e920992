//! Leftovers of a `cki` that is killed in the midst of its work: the next one removes
//! exactly that.

use nix::sys::signal::Signal;

use super::app;
use crate::support::call::StartedRun;
use crate::support::cli::Cli;
use crate::support::engine::on;
use crate::support::repository::Repositories;

/// Kills a `cki` without a warning.
fn kill(run: StartedRun<'_>) {
    run.signal(Signal::SIGKILL);
    run.end().ends_with(-9);
}

/// A run that goes on meanwhile, and what there is of it.
struct OtherRun<'a>(StartedRun<'a>, Vec<String>);

impl OtherRun<'_> {
    /// Nothing is left of any other run once the next `cki` has looked at the engine.
    fn assert_only_one_left(&mut self, cli: &Cli) {
        cli.run("ps -q").ends_with(0);
        cli.wait_for("it to be gone", || leftovers(cli) == self.1);
        assert!(!self.1.is_empty() && !self.0.has_ended(), "the living one is not touched");
    }

    fn end(self) {
        self.0.signal(Signal::SIGTERM);
        self.0.end().ends_with(143);
    }
}

/// Returns the leftovers, without the facts that change in the life of a process.
fn leftovers(cli: &Cli) -> Vec<String> {
    cli.leftovers().iter().map(|left| left.split(':').next().unwrap_or(left).to_owned()).collect()
}

fn start_other(cli: &Cli) -> OtherRun<'_> {
    let before = std::fs::read_to_string(cli.project().join("inventory.yaml")).expect("is there");
    app(cli, "service", "echo other is up; exec sleep 1000", "");
    let mut other = cli.start("run-local app");
    other.until("other is up");
    cli.inventory(&before);
    OtherRun(other, leftovers(cli))
}

on!(docker, podman, native: next_command_removes_a_run_killed_while_running);
fn next_command_removes_a_run_killed_while_running(cli: &Cli) {
    app(cli, "service", "trap '' TERM HUP INT; echo up; while :; do sleep 1; done", "needs: [web]");
    let web = serde_json::json!(["sh", "-c", "echo ready; sleep 1000"]);
    cli.inventory_more(&format!("  - {{name: web, category: x, image: '{{busybox}}', run: {{command: {web}, ready: {{log: ready}}}}}}\n"));
    let mut other = start_other(cli);
    let mut run = cli.start("run-local app");
    run.until("up");
    kill(run);
    other.assert_only_one_left(cli);
    other.end();
}

on!(docker, podman, native: next_command_removes_a_run_killed_while_starting);
fn next_command_removes_a_run_killed_while_starting(cli: &Cli) {
    app(cli, "job", "echo never", "needs: [web]");
    let web = serde_json::json!(["sh", "-c", "sleep 1000"]);
    cli.inventory_more(&format!("  - {{name: web, category: x, image: '{{busybox}}', run: {{command: {web}, ready: {{log: never}}}}}}\n"));
    let mut other = start_other(cli);
    let mut run = cli.start("run-local app");
    run.until("network ");
    cli.wait_for("it to start something", || cli.left_of(&run).iter().any(|left| left.contains("web")));
    kill(run);
    other.assert_only_one_left(cli);
    other.end();
}

on!(docker, podman: next_command_removes_leftovers_of_a_killed_build);
fn next_command_removes_leftovers_of_a_killed_build(cli: &Cli) {
    let repositories = Repositories::new(cli);
    let slow = "FROM {busybox}\nRUN echo {id} has begun; sleep 5\n";
    repositories.commit("tools", &[("Dockerfile", slow)]);
    cli.inventory("repos: {tools: '{served}/tools.git'}\ncomponents: [{name: made, category: x, build: {repo: tools}, run: {command: ['true']}}]\n");
    let mut build = cli.start("build made");
    build.until("{id} has begun");
    kill(build);
    // What it was sending was a file without a name.
    assert_eq!(cki::base::files::list_dir(&cli.directory().join("temporary")).expect("reads"), [""; 0]);
    cli.run("ps -q").ends_with(0);
    assert_eq!(cli.leftovers(), [""; 0]);
    assert!(cli.bench().images("cki.component=x/made").is_empty(), "no half image has a name");
    repositories.commit("tools", &[("Dockerfile", "FROM {busybox}\n")]);
    cli.run("clone made").ends_with(0);
    cli.run("run-local made --once").ends_with(0);
}

on!(docker, podman, native: next_command_removes_leftovers_of_a_killed_clone);
fn next_command_removes_leftovers_of_a_killed_clone(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit_noise("tools", 1 << 20);
    repositories.commit("tools", &[("Dockerfile", "FROM {busybox}\n")]);
    let server = repositories.serve();
    let inventory = "repos: {tools: '{server}/stall/tools.git'}\ncomponents: [{name: made, category: x, sources: [{repo: tools}], image: '{busybox}', build: {repo: tools}, run: {command: ['true']}}]\n";
    cli.inventory(inventory);
    let run = cli.start("run-local made");
    server.stalled();
    kill(run);
    assert_eq!(cli.leftovers(), [""; 0], "nothing was started yet");
    cli.inventory(&inventory.replace("stall/", ""));
    cli.run("run-local made").ends_with(0);
    assert_eq!(cki::base::files::list_dir(&cli.workspace()).expect("reads"), ["tools"]);
}

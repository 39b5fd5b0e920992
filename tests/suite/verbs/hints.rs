//! The commands that hints name: each is typed, with what it names, and does something. Whether every one of the program's
//! texts can be understood is tested in `support::hints`.

use nix::sys::signal::Signal;

use crate::support::cli::{BUSYBOX, Cli, Outcome};
use crate::support::engine::on;

/// Types the commands of an outcome's hints: none may be misunderstood, or about something that does not exist.
#[track_caller]
fn type_hints(cli: &Cli, outcome: &Outcome) -> usize {
    let hints = outcome.stderr.lines().filter(|line| line.starts_with("hint:"));
    let commands: Vec<String> = hints
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .filter_map(|quoted| quoted.strip_prefix("cki "))
        .map(|command| command.replace("COMMAND", "true").replace("=VALUE", "=x").replace("IMAGE", BUSYBOX))
        // Without an engine, there are no images.
        .filter(|command| cli.engine.has_images() || !command.contains("--image"))
        .collect();
    for command in &commands {
        let typed = cli.run(command);
        assert!(![2, 3, 4, 70].contains(&typed.code), "`cki {command}` of: {outcome}\n{typed}");
    }
    commands.len()
}

fn inventory(cli: &Cli) {
    cli.inventory(
        "components:\n\
         \x20 - {name: web-{id}, category: x, image: '{busybox}', run: {command: [sh, -c, \"trap 'exit 0' TERM; echo up; sleep 1000 & wait\"], ready: {log: up}}}\n\
         \x20 - {name: ends-{id}, category: x, image: '{busybox}', run: {command: [sh, -c, 'echo bye; exit 5']}}\n\
         \x20 - {name: page-{id}, category: x}\n",
    );
}

on!(docker, native: hints_about_what_does_not_run_can_be_typed);
fn hints_about_what_does_not_run_can_be_typed(cli: &Cli) {
    inventory(cli);
    let nothing = cli.run("logs").ends_with(0).says("Nothing is running.");
    assert_eq!(type_hints(cli, &nothing), 0);
    for command in ["logs", "exec web-{id} true", "shell", "open", "ps"] {
        let line = if command.contains(' ') { command.to_owned() } else { format!("{command} web-{{id}}") };
        let outcome = cli.run(&line).ends_with(3).says("`web-TESTID` is not running");
        assert!(type_hints(cli, &outcome) >= 1, "{outcome}");
        cli.run("down").ends_with(0);
        // A mistyped name is no component that has ended.
        let line = line.replace("web-{id}", "wbe-{id}");
        cli.run(&line).ends_with(3).says("did you mean `web-TESTID`");
        // What cannot be run is not offered to be.
        let line = line.replace("wbe-{id}", "page-{id}");
        let outcome = cli.run(&line).ends_with(3);
        assert!(!outcome.stderr.contains("run-local"), "{outcome}");
        type_hints(cli, &outcome);
    }
    let build = cli.run("build ends-{id}").ends_with(4).says("names the image");
    assert_eq!(type_hints(cli, &build), 1);
    type_hints(cli, &cli.run("build page-{id}").ends_with(4));
    type_hints(cli, &cli.run("run-local page-{id}").ends_with(4));
    cli.run("init /").ends_with(3).says("`cki init PATH`");
    let missing = cli.run("init /no-such-directory").ends_with(3).says("there is no directory");
    assert!(!missing.stderr.contains("git init"), "{missing}");
    cli.run("--inventory nowhere.yaml list").ends_with(3).says("name a file or a directory that exists");
}

on!(docker, podman: hints_about_what_has_ended_can_be_typed);
fn hints_about_what_has_ended_can_be_typed(cli: &Cli) {
    inventory(cli);
    let failed = cli.run("run-local ends-{id} --keep on-failure").ends_with(5);
    assert!(type_hints(cli, &failed) >= 1);
    for line in ["exec ends-{id} true", "open ends-{id}"] {
        let outcome = cli.run(line).ends_with(3).says("`ends-TESTID` has ended");
        assert!(type_hints(cli, &outcome) >= 1);
    }
    cli.run("down ends-{id}").ends_with(0);
}

on!(docker, native: two_runs_of_one_name_are_told_apart_everywhere);
fn two_runs_of_one_name_are_told_apart_everywhere(cli: &Cli) {
    inventory(cli);
    cli.run("run-local web-{id} --detach").ends_with(0).says("cki logs -f web-TESTID");
    let second = cli.run("run-local web-{id} --detach --new").ends_with(0);
    let status: Vec<&str> = second.stderr.lines().filter(|line| line.contains("cki logs -f ")).collect();
    let run = status[0].split(' ').nth(3).expect("names the run").to_owned();
    assert_eq!(run.len(), 10, "a name that means two runs is not offered: {second}");
    for line in ["logs web-{id}", "exec web-{id} true", "shell web-{id}", "open web-{id}", "down web-{id}"] {
        let outcome = cli.run(line).ends_with(2).says("`web-TESTID` is running 2 times");
        assert_eq!(outcome.stderr.matches(&run).count(), 1, "{outcome}");
        if !line.starts_with("down") && !line.starts_with("open") {
            assert!(type_hints(cli, &outcome) >= 2, "{outcome}");
        }
    }
    let names = cli.run("ps -o name").ends_with(0).stdout;
    for name in names.lines() {
        assert_eq!(cli.run(&format!("exec {name} true")).ends_with(0).stdout, "", "{name}");
    }
    assert_eq!(names.lines().count(), 2, "{names}");
    cli.run(&format!("down {run}")).ends_with(0).says("Removed `web-TESTID`.");
    cli.run("down web-{id}").ends_with(0).says("Removed `web-TESTID`.");
}

on!(docker, native: hints_repeat_the_flags_of_the_user);
fn hints_repeat_the_flags_of_the_user(cli: &Cli) {
    inventory(cli);
    // No setting names this inventory.
    cli.write("cki.toml", "");
    cli.write(
        "inventory.yaml",
        "components:\n\
         \x20 - {name: web-{id}, category: x, image: '{busybox}', run: {command: [sh, -c, \"trap 'exit 0' TERM; sleep 1000 & wait\"], ports: [{port}]}, environment: [{name: NEEDED, required: true}]}\n\
         \x20 - {name: ends-{id}, category: x, image: '{busybox}', run: {command: [sh, -c, 'exit 5']}, environment: [{name: NEEDED, required: true}]}\n",
    );
    let stopped = cli.run("logs web-{id} --inventory inventory.yaml").ends_with(3);
    let start = "`cki run-local web-TESTID -e NEEDED=VALUE --detach --inventory inventory.yaml`";
    assert_eq!(type_hints(cli, &stopped.says(start)), 2);
    let ended =
        cli.run("--inventory=inventory.yaml run-local ends-{id} -e NEEDED=a -e A_TOKEN=hush").ends_with(5);
    assert!(!ended.stderr.contains("hush"), "{ended}");
    ended.says(
        "`cki run-local ends-TESTID --keep on-failure -e NEEDED=a -e 'A_TOKEN=…' --inventory inventory.yaml`",
    );
    cli.run("down --inventory inventory.yaml").ends_with(0);
    let closed = cli
        .run("run-local web-{id} --detach -e NEEDED=a --no-publish --inventory inventory.yaml")
        .ends_with(0);
    closed.says("cki logs -f web-TESTID --inventory inventory.yaml");
    let unpublished =
        cli.run("open web-{id} --inventory inventory.yaml").ends_with(3).says("with `--no-publish`");
    // The second command is of no use before the first.
    assert_eq!(type_hints(cli, &unpublished), 2);
    cli.run("open web-{id} --inventory inventory.yaml --no-browser").ends_with(0);
    cli.run("run-local web-{id} --detach --new -e NEEDED=a --inventory inventory.yaml").ends_with(0);
    let which = cli.run("exec --inventory inventory.yaml web-{id} echo web-{id}").ends_with(2);
    assert!(which.stderr.matches(" echo web-").count() == 2, "{which}");
    cli.run("down --inventory inventory.yaml").ends_with(0);
}

on!(docker, native: down_of_one_component_leaves_the_rest_of_its_run);
fn down_of_one_component_leaves_the_rest_of_its_run(cli: &Cli) {
    inventory(cli);
    cli.inventory_more("  - {name: other-{id}, category: x, image: '{busybox}', run: {command: [sh, -c, \"trap 'exit 0' TERM; sleep 1000 & wait\"]}}\n");
    cli.run("run-local web-{id} other-{id} --detach").ends_with(0);
    let ended = cli.run("down web-{id}").ends_with(0).says("Removed `web-TESTID`.");
    ended.says("`other-TESTID` of run RUN------- continues");
    assert_eq!(cli.run("ps -o name").ends_with(0).stdout, format!("other-{}\n", cli.id));
    cli.run("exec other-{id} true").ends_with(0);
    assert!(!cli.run("down other-{id}").ends_with(0).stderr.contains("continues"));
    assert_eq!(cli.leftovers(), [""; 0], "the last component ends the run");
}

on!(docker, podman, native: run_local_says_that_down_ended_it);
fn run_local_says_that_down_ended_it(cli: &Cli) {
    inventory(cli);
    let mut run = cli.start("run-local web-{id}");
    run.until("ready");
    cli.run("down web-{id}").ends_with(0).says("Removed `web-TESTID`.");
    let ended = run.end().ends_with(143).says("was stopped by `cki down`");
    assert!(!ended.stderr.contains("exit code"), "{ended}");
    let mut run = cli.start("run-local web-{id}");
    run.until("ready");
    run.signal(Signal::SIGTERM);
    run.end().ends_with(143).says("was stopped after");
}

on!(docker, native: env_of_a_running_service_has_its_published_port);
fn env_of_a_running_service_has_its_published_port(cli: &Cli) {
    cli.inventory("services: {redis: {image: '{valkey}'}}\ncomponents: [{name: a, category: x, image: y}]\n");
    let declared =
        cli.run("env redis -o shell").ends_with(0).says("is not running: `cki run-local redis --detach`");
    assert!(declared.stdout.contains("127.0.0.1:6379"), "{declared}");
    cli.run("env postgres").ends_with(0).says("`cki env postgres --reveal` shows the logins");
    if cli.engine.has_images() {
        cli.run("run-local redis --detach --publish {port}:6379").ends_with(0);
        let running = cli.run("env redis -o shell").ends_with(0);
        assert!(running.stdout.contains(&format!("127.0.0.1:{}", cli.port)), "{running}");
        assert!(running.stdout.contains(&format!("REDIS_PORT={}", cli.port)), "{running}");
        assert_eq!(running.stderr, "");
        cli.run("down redis").ends_with(0);
    }
}

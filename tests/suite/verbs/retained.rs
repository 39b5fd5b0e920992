//! Tests of `cki run-local --keep`: resources stay until `cki down`, and `cki gc` leaves them alone.

use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::comes_true;
use crate::support::engine::{Engine, on};
use crate::support::terminal_session::TerminalSession;

/// Something that ends with a code, beside something that it needs.
fn inventory(cli: &Cli, script: &str) {
    let command = serde_json::json!(["sh", "-c", script]);
    let web = serde_json::json!(["sh", "-c", "echo up; exec busybox httpd -f -p 8000 -h /etc"]);
    cli.inventory(&format!(
        "components:
  - {{name: app-{{id}}, category: x, kind: job, image: '{{busybox}}', environment: [{{name: WHO, default: me}}, {{name: API_TOKEN, secret: true}}], run: {{command: {command}, needs: [web-{{id}}]}}}}
  - {{name: web-{{id}}, category: x, image: '{{busybox}}', run: {{command: {web}, ready: {{log: up}}}}}}
"
    ));
}

/// Returns the instances of this test by `cki ps`: name, state, and whether each is retained.
fn instances(cli: &Cli) -> Vec<(String, String, bool)> {
    let all = cli.run("ps --ended -o json").ends_with(0).json();
    let all = all["instances"].as_array().expect("is a list").clone();
    let ours = all.into_iter().filter(|one| one["name"].as_str().is_some_and(|name| name.contains(&cli.id)));
    ours.map(|one| {
        let text = |key: &str| one[key].as_str().expect("is text").replace(&format!("-{}", cli.id), "");
        (text("name"), text("state"), one["retained"] == true)
    })
    .collect()
}

on!(docker, podman, native: run_local_keep_on_failure_retains_a_failed_run);
fn run_local_keep_on_failure_retains_a_failed_run(cli: &Cli) {
    inventory(cli, "echo trouble with $API_TOKEN; exit 3");
    let ended = cli.run("run-local app-{id} --keep on-failure").ends_with(3);
    let ended = ended.says("  retained     run RUN-------: cki logs app-TESTID · ");
    ended.says("`app-TESTID` ended with exit code 3 after TIME, everything retained.");
    // Nothing that comes later removes it.
    cli.run("gc").ends_with(0);
    let all = instances(cli);
    assert_eq!((all[0].0.as_str(), all[0].1.as_str()), ("app", "exited"), "{all:?}");
    assert_eq!(cli.run("logs app-{id}").ends_with(0).stdout, "trouble with ••••••••\n");
    if cli.engine == Engine::Native {
        cli.run("shell app-{id}").ends_with(3).says("has ended, and without a container engine");
    } else {
        assert_eq!(all[0], ("app".to_owned(), "exited".to_owned(), true));
        assert_eq!(all[1], ("web".to_owned(), "running".to_owned(), true));
        assert_shell_opens_a_copy(cli);
        assert_eq!(instances(cli).len(), 2, "the shell has left nothing");
    }
    cli.run("down app-{id}").ends_with(0);
    assert_eq!(cli.leftovers(), [""; 0]);
}

/// A shell in a new container like the one that has ended.
fn assert_shell_opens_a_copy(cli: &Cli) {
    let mut terminal = TerminalSession::start(cli, "shell app-{id}");
    terminal.until("has ended: this is a new container like it");
    terminal.type_keys("echo =$WHO=$API_TOKEN= $(stty size)\n");
    terminal.until("=me=••••••••= 33 111");
    terminal.type_keys("printf 'GET /passwd HTTP/1.0\\r\\n\\r\\n' | nc -w 3 web-");
    terminal.type_keys(&format!("{} 8000 | tail -n 1\n", cli.id));
    terminal.until("nobody:x:65534");
    // Its network is as closed as that of the component, IPv6 included.
    terminal.type_keys("echo six: $(cat /proc/net/if_inet6 2>/dev/null | wc -l) $(cat /proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null || echo 1)\n");
    terminal.until("six: 0 1");
    terminal.type_keys("exit 5\n");
    terminal.ends_with(5);
    let terminal = TerminalSession::start(cli, "shell app-{id}");
    terminal.until("has ended");
    cli.wait_for("the new container", || cli.leftovers().iter().any(|left| left.ends_with("-shell")));
    terminal.send_signal(Signal::SIGKILL);
    terminal.ends_with_signal();
    cli.run("ps -q").ends_with(0);
    cli.wait_for("it to be gone", || !cli.leftovers().iter().any(|left| left.ends_with("-shell")));
}

on!(docker, podman, native: run_local_keep_on_failure_removes_a_successful_run);
fn run_local_keep_on_failure_removes_a_successful_run(cli: &Cli) {
    inventory(cli, "echo done");
    cli.run("run-local app-{id} --keep on-failure").ends_with(0).says("nothing left behind");
    assert_eq!(cli.leftovers(), [""; 0]);
    cli.run("run-local app-{id} --keep always").ends_with(0).says("everything retained");
    assert_eq!(instances(cli)[0].1, "exited");
    cli.run("down app-{id}").ends_with(0);
    // Who is killed has decided nothing.
    inventory(cli, "echo begins; sleep 1000");
    let mut run = cli.start("run-local app-{id} --keep always");
    run.until("begins");
    run.signal(Signal::SIGKILL);
    run.end().ends_with(-9);
    cli.run("ps -q").ends_with(0);
    cli.wait_for("it to be gone", || cli.leftovers().is_empty());
    cli.run("run-local app-{id} --keep always --detach").ends_with(2);
}

on!(docker, podman, native: gc_removes_leftovers_of_a_killed_run);
fn gc_removes_leftovers_of_a_killed_run(cli: &Cli) {
    inventory(cli, "echo begins; sleep 1000");
    // On an engine that other tests use as well, any `cki` of theirs may be quicker, then or now.
    let removed = (0..10).find_map(|_| {
        let removed = removed_after_a_kill(cli);
        cli.wait_for("it to be gone", || cli.leftovers().is_empty());
        Some(removed).filter(|removed| removed.len() >= 2)
    });
    let mut kinds = removed.expect("what is removed is listed");
    kinds.sort();
    match cli.engine {
        Engine::Native => {
            assert_eq!(kinds, ["process app", "process web"]);
            cli.run("gc").ends_with(0).says("Nothing is left of runs that were killed.");
        }
        _ => assert!(
            kinds.iter().any(|kind| kind.starts_with("container cki-") && kind.ends_with("-app")),
            "{kinds:?}"
        ),
    }
}

/// Returns the kinds and names that `cki gc` removes of a run killed just before.
fn removed_after_a_kill(cli: &Cli) -> Vec<String> {
    let mut run = cli.start("run-local app-{id}");
    run.until("begins");
    run.signal(Signal::SIGKILL);
    run.end().ends_with(-9);
    let outcome = cli.run("gc -o json").ends_with(0);
    let removed = outcome.json();
    assert_eq!(
        (&removed["dry_run"], &removed["remaining"]),
        (&false.into(), &serde_json::json!([])),
        "{outcome}"
    );
    let all = removed["removed"].as_array().expect("is a list").iter();
    let ours = all.filter(|one| one.to_string().contains(&cli.id));
    let text = |one: &serde_json::Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    ours.map(|one| {
        format!("{} {}", text(one, "kind"), text(one, "name").replace(&format!("-{}", cli.id), ""))
    })
    .collect()
}

on!(native: gc_dry_run_removes_nothing);
fn gc_dry_run_removes_nothing(cli: &Cli) {
    inventory(cli, "echo begins; sleep 1000");
    let mut run = cli.start("run-local app-{id}");
    run.until("begins");
    run.signal(Signal::SIGKILL);
    run.end().ends_with(-9);
    let would = cli.run("gc --dry-run -o json").ends_with(0).json();
    assert_eq!(would["dry_run"], true);
    assert_eq!(would["removed"].as_array().map(Vec::len), Some(2), "{would}");
    assert!(!cli.leftovers().is_empty());
    cli.run("gc").ends_with(0);
    cli.wait_for("it to be gone", || cli.leftovers().is_empty());
}

on!(docker, podman: gc_images_keeps_the_newest_image);
fn gc_images_keeps_the_newest_image(cli: &Cli) {
    let repositories = crate::support::repository::Repositories::new(cli);
    cli.inventory("repos: {tools: '{served}/tools.git'}\ncomponents: [{name: made-{id}, category: x, build: {repo: tools}, run: {command: ['true']}}]\n");
    for text in ["one", "two"] {
        repositories.commit("tools", &[("Dockerfile", &format!("FROM {{busybox}}\nENV X={text}\n"))]);
        cli.run("clone made-{id}").ends_with(0);
        cli.run("build made-{id}").ends_with(0);
        // The engine knows the second in which it made one: the next is made in another.
        let made = jiff::Timestamp::now().as_second();
        assert!(comes_true(|| jiff::Timestamp::now().as_second() > made));
    }
    let label = cli.fill("cki.component=x/made-{id}");
    let newest = cli.bench().images(&label);
    assert_eq!(newest.len(), 2);
    cli.run("gc").ends_with(0);
    assert_eq!(cli.bench().images(&label).len(), 2);
    cli.run("gc --images --dry-run").ends_with(0).says("image");
    cli.run("gc --images").ends_with(0).says("localhost/cki/made-TESTID:COMMIT1");
    let left = cli.bench().images(&label);
    assert_eq!(left.len(), 1);
    assert!(newest.contains(&left[0]));
    cli.run("gc --images").ends_with(0);
    assert_eq!(cli.bench().images(&label), left);
}

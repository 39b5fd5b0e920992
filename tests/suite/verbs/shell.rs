//! Tests of `cki shell`, and of `cki exec` with a terminal or in another directory: input arrives inside, output
//! is masked, and the terminal gets back its earlier settings.

use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::engine::on;
use crate::support::terminal_session::TerminalSession;

const MASK: &str = "••••••••";

/// Something that runs on and knows a secret.
fn start_component(cli: &Cli) {
    cli.inventory("components: [{name: web-{id}, category: x, image: '{busybox}', environment: [{name: API_TOKEN, secret: true}], run: {command: [sh, -c, 'echo up; sleep 1000'], ready: {log: up}}}]\n");
    cli.run("run-local web-{id} --detach").ends_with(0);
}

on!(docker, podman, native: shell_forwards_keys_size_and_signals);
fn shell_forwards_keys_size_and_signals(cli: &Cli) {
    start_component(cli);
    let mut terminal = TerminalSession::start(cli, "shell web-{id}");
    terminal.type_keys("echo $((40+2)) $(stty size)\n");
    terminal.until("42 33 111");
    assert!(!terminal.is_terminal_restored(), "every key goes inside");
    terminal.resize(20, 70);
    // The size goes its own way, which may be longer than that of a key.
    terminal.type_keys("until [ \"$(stty size)\" = '20 70' ]; do sleep 0.1; done; echo has $((20*70))\n");
    terminal.until("has 1400");
    terminal.type_keys("echo =$API_TOKEN=\n");
    terminal.until(&format!("={MASK}="));
    terminal.type_keys("PS1='ne''xt> '\n");
    terminal.until("next> ");
    let prompts = |terminal: &TerminalSession| terminal.output().matches("next> ").count();
    terminal.type_keys("sh -c 'echo be''gan; exec sleep 1000'\n");
    terminal.until("began");
    let before = prompts(&terminal);
    terminal.type_keys("\u{3}");
    cli.wait_for("the shell to go on", || prompts(&terminal) > before);
    terminal.type_keys("echo st$((1))ill $TERM\n");
    terminal.until("st1ill xterm");
    terminal.type_keys("exit 7\n");
    terminal.ends_with(7);
    // Whatever ends it, the terminal comes back.
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let mut terminal = TerminalSession::start(cli, "shell web-{id}");
        terminal.type_keys("echo $((40+2))\n");
        terminal.until("42");
        terminal.send_signal(signal);
        terminal.ends_with(code);
    }
    cli.run("down web-{id}").ends_with(0);
}

on!(docker, podman, native: exec_allocates_a_terminal);
fn exec_allocates_a_terminal(cli: &Cli) {
    start_component(cli);
    let terminal = TerminalSession::start(
        cli,
        "exec -it --workdir /tmp web-{id} -- sh -c '[ -t 0 ] && [ -t 1 ] && pwd; exit 3'",
    );
    terminal.until("/tmp");
    terminal.ends_with(3);
    // Without a terminal, a shell would end at once.
    let mut terminal = TerminalSession::start(cli, "exec web-{id} sh");
    terminal.type_keys("echo $((40+2)); exit 5\n");
    terminal.until("42");
    terminal.ends_with(5);
    // Small numbers are no heads of frames.
    let mut terminal = TerminalSession::start(
        cli,
        "exec -t web-{id} -- sh -c 'printf \"\\001\\000\\000smaller\"; read x; echo got $x'",
    );
    terminal.until("\u{1}\0\0smaller");
    terminal.type_keys("it\n");
    terminal.until("got it");
    terminal.ends_with(0);
    let inside = cli.run("exec --workdir /tmp web-{id} -- sh -c 'pwd; exit 4'").ends_with(4);
    assert_eq!(inside.stdout, "/tmp\n");
    cli.run("exec -t web-{id} -- true").ends_with(2).says("error: there is no terminal to type at.");
    // A shell reads its commands from where they come.
    cli.call("shell web-{id}").stdin("exit 5\n").end().ends_with(5);
    cli.run("shell web-{id}").ends_with(0);
    cli.run("down web-{id}").ends_with(0);
}

on!(docker, podman: shell_reads_commands_for_an_ended_component);
fn shell_reads_commands_for_an_ended_component(cli: &Cli) {
    cli.inventory("components: [{name: job-{id}, category: x, kind: job, image: '{busybox}', environment: [{name: API_TOKEN, secret: true}], run: {command: [sh, -c, 'exit 3']}}]\n");
    cli.run("run-local --keep on-failure job-{id}")
        .ends_with(3)
        .says("`cki shell job-TESTID` opens a shell like it");
    let ended =
        cli.call("shell job-{id}").stdin("echo =$API_TOKEN=\necho no >&2\nexit 5\n").end().ends_with(5);
    assert_eq!(ended.stdout, format!("={MASK}=\n"));
    ended.says("`job-TESTID` has ended: this is a new container like it").says("\nno\n");
    cli.run("shell job-{id}").ends_with(0);
    let mut asleep = cli.call("shell job-{id}").stdin("echo u''p; sleep 1000\n").start();
    asleep.until("up");
    asleep.signal(Signal::SIGTERM);
    asleep.end().ends_with(143);
    cli.run("down job-{id}").ends_with(0);
}

on!(native: shell_is_not_offered_for_an_ended_process);
fn shell_is_not_offered_for_an_ended_process(cli: &Cli) {
    cli.inventory(
        "components: [{name: job-{id}, category: x, kind: job, run: {command: [sh, -c, 'exit 3']}}]\n",
    );
    let ended = cli.run("run-local --keep on-failure job-{id}").ends_with(3);
    assert!(!ended.stderr.contains("cki shell"), "{ended}");
    let refused = cli.call("shell job-{id}").stdin("exit 5\n").end().ends_with(3);
    assert!(!refused.stderr.contains("a new container"), "{refused}");
    refused.says("`job-TESTID` has ended, and without a container engine nothing like it can be started");
    cli.run("down job-{id}").ends_with(0);
}

/// A command whose descendants have sessions of their own; one of them ignores signals.
const FAMILY: &str =
    "sh -c 'setsid sleep 7701 & (trap \"\" TERM HUP INT; echo is $((40+2)); while :; do sleep 0.1; done)'";

/// Returns whether a process of the family still lives.
fn family_is_alive(cli: &Cli) -> bool {
    let all = cli.run("exec web-{id} -- sh -c 'cat /proc/[0-9]*/cmdline 2>/dev/null | tr \"\\0\" \" \"'");
    let all = all.ends_with(0);
    all.stdout.contains("sleep 7701") || all.stdout.contains("echo is")
}

on!(docker, podman, native: exec_and_shell_kill_their_descendants_on_a_signal);
fn exec_and_shell_kill_their_descendants_on_a_signal(cli: &Cli) {
    start_component(cli);
    let signals =
        [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGQUIT, 131)];
    for (signal, code) in signals {
        let mut command = cli.start(&format!("exec web-{{id}} -- {FAMILY}"));
        command.until("is 42");
        command.signal(signal);
        command.end().ends_with(code);
        assert!(!family_is_alive(cli), "{signal}: {}", cli.run("exec web-{id} -- ps -ef").stdout);
    }
    let mut terminal = TerminalSession::start(cli, "shell web-{id}");
    terminal.type_keys(&format!("{FAMILY}\n"));
    terminal.until("is 42");
    terminal.send_signal(Signal::SIGHUP);
    terminal.ends_with(129);
    assert!(!family_is_alive(cli), "closed terminal");
    cli.run("down web-{id}").ends_with(0);
}

/// Starts the family without any environment, and ends in a program of that kind.
const BARE_FAMILY: &str = "env -i sh -c 'setsid sleep 7701 & trap \"\" TERM HUP INT; echo is $((40+2)); while :; do sleep 0.1; done'";

on!(docker, podman: next_command_ends_the_commands_of_a_killed_client);
fn next_command_ends_the_commands_of_a_killed_client(cli: &Cli) {
    start_component(cli);
    for family in [FAMILY, BARE_FAMILY] {
        let mut command = cli.start(&format!("exec web-{{id}} -- {family}"));
        command.until("is 42");
        assert!(family_is_alive(cli));
        command.signal(Signal::SIGKILL);
        command.end();
        cli.run("gc --dry-run").ends_with(0).says("command");
        cli.run("ps -v").ends_with(0).says("removed `command in ");
        assert!(!family_is_alive(cli), "{family}");
        let again = cli.run("ps -v").ends_with(0);
        assert!(!again.stderr.contains("command in"), "{again}");
    }
    let mut terminal = TerminalSession::start(cli, "exec -it web-{id} sh");
    terminal.type_keys(&format!("{BARE_FAMILY}\n"));
    terminal.until("is 42");
    terminal.send_signal(Signal::SIGKILL);
    assert!(!family_is_alive(cli), "the look itself ends it");
    cli.run("exec web-{id} -- true").ends_with(0);
    cli.run("down web-{id}").ends_with(0);
}

on!(docker, podman, native: exec_ends_a_command_without_environment);
fn exec_ends_a_command_without_environment(cli: &Cli) {
    start_component(cli);
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let mut command = cli.start(&format!("exec web-{{id}} -- {BARE_FAMILY}"));
        command.until("is 42");
        command.signal(signal);
        command.end().ends_with(code);
        assert!(!family_is_alive(cli), "{signal}");
    }
    cli.run("down web-{id}").ends_with(0);
}

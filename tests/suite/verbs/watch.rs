//! Tests of `cki run-local` for development: `--watch`, `--mount` and `--debug-port`.

use std::path::PathBuf;

use nix::sys::signal::Signal;

use crate::support::call::StartedRun;
use crate::support::cli::Cli;
use crate::support::engine::on;
use crate::support::ports::free_port;
use crate::support::repository::Repositories;

const APP: &str = "echo version one of $(cat part 2>/dev/null); exec sleep 1000\n";

/// An entry with a command and more, and nothing else.
fn entry(cli: &Cli, command: &str, more: &str) {
    cli.inventory(&format!(
        "repos: {{tools: '{{served}}/tools.git'}}
components: [{{name: app, category: service, kind: service, {more}, run: {{command: {command}}}}}]\n"
    ));
}

/// A component with a clone: `more` is what its entry says beside the command.
fn component(cli: &Cli, command: &str, more: &str) -> PathBuf {
    let repositories = Repositories::new(cli);
    repositories.commit(
        "tools",
        &[
            ("Dockerfile", "FROM {busybox}\nCOPY . /code/\n"),
            ("app.sh", APP),
            ("part", "a part\n"),
            (".gitignore", "*.log\nmade/\n"),
            (".dockerignore", "notes\n"),
        ],
    );
    entry(cli, command, more);
    cli.workspace().join("tools")
}

fn write(clone: &std::path::Path, file: &str, text: &str) {
    // As editors do it.
    std::fs::write(clone.join("4913"), "").expect("writes");
    std::fs::remove_file(clone.join("4913")).expect("removes");
    std::fs::write(clone.join(format!(".{file}.swp")), text).expect("writes");
    std::fs::write(clone.join(format!("{file}~")), text).expect("writes");
    std::fs::rename(clone.join(format!("{file}~")), clone.join(file)).expect("renames");
}

/// Edits, and sees that what runs is always what was written last.
fn assert_edits_restart(cli: &Cli, mut run: StartedRun<'_>, clone: &std::path::Path) {
    run.until("version one of a part");
    run.until("  watching     ");
    write(clone, "app.sh", "echo version two; exit 3\n");
    run.until("  changed      app.sh: ");
    run.until("version two");
    run.until("  app          ended with exit code 3; waiting for a change");
    write(clone, "app.sh", "echo version three; exec sleep 1000\n");
    run.until("version three");
    // Nothing of this is a change.
    write(clone, "x.log", "a log");
    std::fs::create_dir_all(clone.join("made/deep")).expect("makes");
    std::fs::write(clone.join("made/deep/x"), "").expect("writes");
    // Many at once, as when a branch is checked out, are one: `cki` sees them all at the same moment.
    let before = run.changes();
    run.signal(Signal::SIGSTOP);
    for number in 0..500 {
        let directory = clone.join(format!("more-{}", number % 10));
        std::fs::create_dir_all(&directory).expect("makes");
        std::fs::write(directory.join(number.to_string()), "x").expect("writes");
    }
    write(clone, "app.sh", "echo version four; exec sleep 1000\n");
    run.signal(Signal::SIGCONT);
    run.until("version four");
    run.signal(Signal::SIGINT);
    let outcome = run.end().ends_with(130).says("`app` was stopped after TIME, nothing left behind.");
    assert!(!outcome.stderr.contains("x.log") && !outcome.stderr.contains("4913"), "{outcome}");
    assert_eq!(outcome.stderr.matches("  changed ").count(), before + 1, "{outcome}");
    assert_eq!(before, 2, "two edits before that: {outcome}");
    assert_eq!(cli.leftovers(), [""; 0]);
}

on!(docker, podman: watch_restarts_with_synced_sources);
fn watch_restarts_with_synced_sources(cli: &Cli) {
    let more = "workdir: /code, watch: {sync: [{from: ., to: /code}]}";
    let clone =
        component(cli, &format!("[sh, app.sh], {more}"), "sources: [{repo: tools}], image: '{busybox}'");
    assert_edits_restart(cli, cli.start("run-local app --watch"), &clone);
}

on!(docker, podman: watch_syncs_into_a_running_container);
fn watch_syncs_into_a_running_container(cli: &Cli) {
    let script = "test -e other && echo both are there; while test -e part; do cat part; sleep 0.1; done";
    let watch = "workdir: /code, read_only: true, watch: {restart: false, sync: [{from: ., to: /code}]}";
    let clone = component(cli, &format!("[sh, -c, '{script}'], {watch}"), "build: {repo: tools}");
    cli.run("clone app").ends_with(0);
    std::fs::write(clone.join("other"), "").expect("writes");
    let mut run = cli.start("run-local app --watch");
    run.until("The file system of `app` can be written in this run");
    run.until("both are there");
    run.until("a part");
    run.until("  watching     ");
    write(&clone, "part", "another part\n");
    run.until("  changed      part: copied to app");
    run.until("another part");
    // The image has what is deleted, too.
    std::fs::remove_file(clone.join("other")).expect("removes");
    run.until("  changed      other: building app");
    std::fs::remove_file(clone.join("part")).expect("removes");
    run.until("  app          ended with exit code 0; waiting for a change");
    run.signal(Signal::SIGINT);
    let outcome = run.end().ends_with(130);
    assert_eq!(outcome.stdout.matches("both are there").count(), 1, "{outcome}");
}

on!(docker, podman: watch_mount_restarts_on_changes);
fn watch_mount_restarts_on_changes(cli: &Cli) {
    let clone =
        component(cli, "[sh, app.sh], workdir: /code", "sources: [{repo: tools}], image: '{busybox}'");
    assert_edits_restart(cli, cli.start("run-local app --watch --mount"), &clone);
}

on!(native: watch_native_restarts_processes_on_changes);
fn watch_native_restarts_processes_on_changes(cli: &Cli) {
    let clone = component(cli, "[sh, app.sh]", "sources: [{repo: tools}]");
    assert_edits_restart(cli, cli.start("run-local app --watch"), &clone);
}

on!(native: watch_keeps_the_debug_port_across_restarts);
fn watch_keeps_the_debug_port_across_restarts(cli: &Cli) {
    let command = "[sh, -c, 'cat part; exec busybox httpd -f -p {port} -h .'], debug: {port: {port}}";
    let clone = component(cli, command, "sources: [{repo: tools}]");
    let port = free_port();
    let mut run = cli.start(&format!("run-local app --watch --debug-port {port}"));
    run.until("  watching     ");
    for part in ["the first part", "the second part", "the third part", "the fourth part"] {
        write(&clone, "part", &format!("{part}\n"));
        run.until(part);
        cli.wait_for("it to listen", || {
            std::panic::catch_unwind(|| super::get(port, "/part")).is_ok_and(|answer| answer.contains(part))
        });
    }
    run.signal(Signal::SIGINT);
    let outcome = run.end().ends_with(130);
    assert!(!outcome.stderr.contains("cannot be published"), "{outcome}");
}

on!(native: watch_waits_for_deleted_sources_to_return);
fn watch_waits_for_deleted_sources_to_return(cli: &Cli) {
    let clone = component(cli, "[sh, app.sh]", "sources: [{repo: tools}]");
    let mut run = cli.start("run-local app --watch");
    run.until("version one of a part");
    run.until("  watching     ");
    std::fs::remove_dir_all(cli.workspace()).expect("removes");
    run.until("`app` does not run: ");
    std::fs::create_dir_all(&clone).expect("makes");
    std::fs::write(clone.join("app.sh"), "echo version two; exec sleep 1000\n").expect("writes");
    run.until("version two");
    run.signal(Signal::SIGINT);
    run.end().ends_with(130).says("nothing left behind");
}

on!(docker, podman: watch_rebuilds_after_a_synced_file_is_deleted);
fn watch_rebuilds_after_a_synced_file_is_deleted(cli: &Cli) {
    let script = "[sh, -c, 'test -e late && echo it is there || echo it is not; exec sleep 1000']";
    let watch = "workdir: /code, watch: {sync: [{from: ., to: /code}]}";
    let clone = component(cli, &format!("{script}, {watch}"), "build: {repo: tools}");
    let mut run = cli.start("run-local app --watch");
    run.until("it is not");
    run.until("  watching     ");
    std::fs::write(clone.join("late"), "").expect("writes");
    run.until("  changed      late: restarting app");
    run.until("it is there");
    // The image is the one that there was.
    std::fs::remove_file(clone.join("late")).expect("removes");
    run.until("  changed      late: building app");
    run.until("it is not");
    run.signal(Signal::SIGINT);
    run.end().ends_with(130).says("nothing left behind");
}

on!(docker, podman: watch_warns_that_a_deleted_file_stays);
fn watch_warns_that_a_deleted_file_stays(cli: &Cli) {
    let watch = "workdir: /code, watch: {restart: false, sync: [{from: ., to: /code}]}";
    let script = "[sh, -c, 'while sleep 0.1; do cat part; done']";
    let more = "sources: [{repo: tools}], image: '{busybox}'";
    let clone = component(cli, &format!("{script}, {watch}"), more);
    let mut run = cli.start("run-local app --watch");
    run.until("  watching     ");
    std::fs::remove_file(clone.join("app.sh")).expect("removes");
    run.until("`app.sh` stays in `app`, which is not started again.");
    write(&clone, "part", "another part\n");
    run.until("  changed      part: copied to app");
    run.until("another part");
    run.signal(Signal::SIGINT);
    let outcome = run.end().ends_with(130);
    assert!(!outcome.stderr.contains("app.sh: copied"), "{outcome}");
}

on!(docker, podman: watch_rebuilds_the_image_on_changes);
fn watch_rebuilds_the_image_on_changes(cli: &Cli) {
    let clone = component(cli, "[sh, /code/app.sh]", "build: {repo: tools}");
    let mut run = cli.start("run-local app --watch");
    run.until("  watching     ");
    write(&clone, "app.sh", "echo version two; exec sleep 1000\n");
    run.until("  changed      app.sh: building app");
    run.until("version two");
    // What does not get into the image changes nothing; what cannot be built leaves what runs.
    write(&clone, "Dockerfile", "FROM {nonsense\n");
    run.until("`app` is as it was: ");
    assert!(!run.has_ended());
    write(&clone, "Dockerfile", &cli.fill("FROM {busybox}\nCOPY app.sh /code/app.sh\n"));
    write(&clone, "app.sh", "echo version three; exec sleep 1000\n");
    run.until("version three");
    run.signal(Signal::SIGTERM);
    run.end().ends_with(143).says("nothing left behind");
}

on!(docker, podman: mount_is_read_only_by_default);
fn mount_is_read_only_by_default(cli: &Cli) {
    let script = "[sh, -c, 'cat part; echo mine > own 2>/dev/null; cat own; exit 0']";
    let more = "sources: [{repo: tools}], image: '{busybox}'";
    let clone = component(cli, &format!("{script}, workdir: /code"), more);
    let outcome = cli.run("run-local app --mount -q").ends_with(0);
    assert_eq!(outcome.stdout, "a part\n");
    cli.run("run-local app --mount rw").ends_with(2).says("write `--mount=rw`");
    let outcome = cli.run("run-local app --mount=rw -q").ends_with(0);
    assert_eq!(outcome.stdout, "a part\nmine\n");
    assert!(clone.join("own").exists());
    entry(cli, &format!("{script}, mount: {{nowhere: /code}}"), more);
    let outcome = cli.run("run-local app --mount -q").ends_with(3);
    outcome.says("error: the sources of `app` have no ");
    assert!(!clone.join("nowhere").exists(), "the engine made what is missing");
    entry(cli, &format!("{script}, mount: {{../..: /code}}"), more);
    cli.run("run-local app --mount -q").ends_with(4).says("`../..` leads out of the repository");
    entry(cli, script, more);
    cli.run("run-local app --mount -q").ends_with(4).says("hint: add `workdir` or `mount`");
    cli.run("run-local app --watch -q").ends_with(4).says("would do nothing: it runs a published image");
    cli.run("run-local app --debug-port 5678 -q").ends_with(4).says("has no `run.debug`");
}

on!(docker, podman: mount_hides_git_directories);
fn mount_hides_git_directories(cli: &Cli) {
    let script = "[sh, -c, 'cd /code; ls -A .git sub/.git; cat linked/.git; \
                  for x in .git sub/.git; do echo evil > $x/config 2>/dev/null; done; \
                  echo evil > linked/.git; mv .git moved; rm -rf .git sub/.git linked; exit 0']";
    let more = "sources: [{repo: tools}], image: '{busybox}'";
    let clone = component(cli, &format!("{script}, workdir: /code"), more);
    cli.run("clone app").ends_with(0);
    for directory in ["sub/.git", "linked"] {
        std::fs::create_dir_all(clone.join(directory)).expect("makes");
    }
    std::fs::write(clone.join("sub/.git/config"), "mine").expect("writes");
    std::fs::write(clone.join("linked/.git"), "gitdir: ../elsewhere").expect("writes");
    let config = std::fs::read_to_string(clone.join(".git/config")).expect("reads");
    for mount in ["--mount", "--mount=rw"] {
        let outcome = cli.run(&format!("run-local app {mount} -q")).ends_with(0);
        assert_eq!(outcome.stdout, ".git:\n\nsub/.git:\n", "{mount}: {outcome}");
        let read = |file: &str| std::fs::read_to_string(clone.join(file)).expect("reads");
        assert_eq!((read(".git/config"), read("sub/.git/config")), (config.clone(), "mine".to_owned()));
        assert_eq!(read("linked/.git"), "gitdir: ../elsewhere", "{mount}");
        assert!(!clone.join("moved").exists());
    }
    std::os::unix::fs::symlink(".git", clone.join("link")).expect("links");
    for (path, code) in [(".git", 4), ("sub/.GIT/hooks", 4), ("link", 3)] {
        entry(cli, &format!("{script}, mount: {{{path}: /code}}"), more);
        cli.run("run-local app --mount=rw -q").ends_with(code);
    }
}

on!(docker, podman, native: debug_port_reaches_the_debugger);
fn debug_port_reaches_the_debugger(cli: &Cli) {
    let debug = "debug: {port: {port}, environment: {DEBUGGED: 'yes'}, command: [sh, -c, 'echo $DEBUGGED $0 $*; exec busybox httpd -f -p {port} -h /etc', '{command}']}";
    component(cli, &format!("[the, usual], {debug}"), "sources: [{repo: tools}], image: '{busybox}'");
    let port = free_port();
    let mut run = cli.start(&format!("run-local app --debug-port {port}"));
    run.until("yes the usual");
    run.until(&format!("  app          started  127.0.0.1:{port}\n"));
    cli.wait_for("it to listen", || {
        std::panic::catch_unwind(|| super::get(port, "/passwd")).is_ok_and(|answer| answer.contains("root:"))
    });
    // It is taken now.
    let second = cli.run(&format!("run-local app --debug-port {port}")).fails();
    assert!(second.stderr.contains(&port.to_string()), "{second}");
    run.signal(Signal::SIGINT);
    run.end().ends_with(130);
}

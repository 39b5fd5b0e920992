//! Clones that hold pipes, sockets and devices where git has files: `cki` says which, at once, and never
//! opens one.

use std::os::unix::fs::symlink;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::repository::Repositories;

const INVENTORY: &str = "\
repos: {tools: '{served}/tools.git'}
components:
  - {name: app, category: service, kind: job, sources: [{repo: tools}], build: {repo: tools},
     run: {command: ['true'], mount: {.: /m}}}
";

fn pipe(path: &Path) {
    std::fs::create_dir_all(path.parent().expect("is in one")).expect("makes");
    let _ = std::fs::remove_file(path);
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).expect("makes");
}

fn cloned(cli: &Cli) -> Repositories<'_> {
    let repositories = Repositories::new(cli);
    cli.inventory(INVENTORY);
    repositories.commit("tools", &[("Dockerfile", "FROM {busybox}\n"), ("sub/a.py", "import os\n")]);
    cli.run("clone app").ends_with(0);
    repositories
}

/// The places in a clone that libgit2 opens, or walks by.
const PLACES: [&str; 17] = [
    ".git/config",
    ".git/config.worktree",
    ".git/packed-refs",
    ".git/index",
    ".git/info/exclude",
    ".git/info/attributes",
    ".git/HEAD",
    ".git/shallow",
    ".git/commondir",
    ".git/refs/heads/other",
    ".git/objects/info/alternates",
    ".git/objects/pack/pack-x.idx",
    ".git/modules/x/config",
    ".gitattributes",
    ".gitignore",
    "sub/.gitignore",
    ".gitmodules",
];

#[test]
fn clone_env_and_run_local_refuse_a_pipe_in_a_clone() {
    for place in PLACES {
        let cli = Cli::new();
        let _repositories = cloned(&cli);
        let path = cli.workspace().join("tools").join(place);
        pipe(&path);
        let says = format!("`{}`: it is a pipe, not a file", path.display());
        for line in ["run-local app --mount", "clone app"] {
            let outcome = cli.run(line).fails();
            assert!(outcome.code != 130 && outcome.stderr.contains(&says), "{place}: {outcome}");
        }
        // A scan asks the clone for its address alone, so it may pass by.
        let scanned = cli.run("env app --scan");
        assert!(scanned.code == 0 || scanned.stderr.contains(&says), "{place}: {scanned}");
        cli.run("run-local app --mount").ends_with(4);
    }
}

#[test]
fn clone_refuses_special_files_that_a_clone_refers_to() {
    let cli = Cli::new();
    let _repositories = cloned(&cli);
    let clone = cli.workspace().join("tools");
    let far = cli.directory().join("far");
    let (config, git) = (clone.join(".git/config"), clone.join(".git"));
    let before = std::fs::read_to_string(&config).expect("is there");
    pipe(&far);
    for more in [
        format!("[include]\n\tpath = {}\n", far.display()),
        format!("[includeIf \"gitdir:/\"] path = \"{}\" # why\n", far.display()),
        format!("[core]\n\texcludesFile = {}\n", far.display()),
        format!("[core]\n\tattributesfile = \"{}\"\n", far.display()),
        "[include]\n\tpath = ../../../../far\n".to_owned(),
    ] {
        std::fs::write(&config, format!("{before}{more}")).expect("writes");
        cli.run("run-local app --mount").ends_with(4).says("far`: it is a pipe, not a file");
    }
    std::fs::write(&config, &before).expect("writes");
    for (name, why) in [("/dev/zero", "a device"), ("{far}", "a pipe")] {
        symlink(name.replace("{far}", &far.display().to_string()), git.join("refs/heads/x")).expect("links");
        cli.run("clone app").ends_with(4).says(&format!("refs/heads/x`: it is {why}, not a file"));
        std::fs::remove_file(git.join("refs/heads/x")).expect("removes");
    }
    let _socket = std::os::unix::net::UnixListener::bind(git.join("packed-refs")).expect("binds");
    cli.run("clone app").ends_with(4).says("packed-refs`: it is a socket, not a file");
    std::fs::remove_file(git.join("packed-refs")).expect("removes");

    // Of another repository: one that lends objects, that of a submodule, the one that is cloned from.
    let other = cli.directory().join("other");
    pipe(&other.join("pack/pack-1.pack"));
    std::fs::write(git.join("objects/info/alternates"), format!("{}\n", other.display())).expect("writes");
    cli.run("clone app").ends_with(4).says("pack-1.pack`: it is a pipe, not a file");
    std::fs::remove_file(git.join("objects/info/alternates")).expect("removes");
    std::fs::write(clone.join("sub/.git"), format!("gitdir: {}\n", other.display())).expect("writes");
    cli.run("clone app").ends_with(4).says("pack-1.pack`: it is a pipe, not a file");
    std::fs::remove_file(clone.join("sub/.git")).expect("removes");
    pipe(&cli.directory().join("served/tools.git/objects/info/alternates"));
    cli.run("clone app").ends_with(4).says("alternates`: it is a pipe, not a file");
    std::fs::remove_file(cli.directory().join("served/tools.git/objects/info/alternates")).expect("removes");
    // What git's own monitor leaves, and ordinary links, are fine.
    let _monitor = std::os::unix::net::UnixListener::bind(git.join("fsmonitor--daemon.ipc")).expect("binds");
    symlink("/nowhere", git.join("dangling")).expect("links");
    symlink(".", git.join("loop")).expect("links");
    cli.run("clone app").ends_with(0);
}

#[test]
fn shutdown_ends_blocked_threads_on_the_second_signal() {
    let mut stuck = crate::support::part::command("block all threads");
    let mut child = stuck.stdout(std::process::Stdio::piped()).spawn().expect("runs itself");
    let mut said = std::io::BufReader::new(child.stdout.take().expect("is piped"));
    let mut line = String::new();
    while !line.contains("at work") {
        line.clear();
        let length = std::io::BufRead::read_line(&mut said, &mut line).expect("reads");
        assert!(length > 0, "it ended before it began");
    }
    let id = nix::unistd::Pid::from_raw(i32::try_from(child.id()).expect("is one"));
    for _ in 0..2 {
        nix::sys::signal::kill(id, Signal::SIGINT).expect("is there");
        let mut line = String::new();
        std::io::BufRead::read_line(&mut said, &mut line).expect("heard it");
    }
    assert_eq!(child.wait().expect("ends").code(), Some(130));
}

/// Blocks every thread of a runtime, and tells of each signal that is heard all the same.
#[expect(clippy::disallowed_macros, reason = "the test reads it")]
pub(crate) fn block_all_threads() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let (work, report) = (runtime().expect("starts"), runtime().expect("starts"));
    let stop = cki::host::signals::Shutdown::listen().expect("listens");
    let heard = stop.clone();
    report.spawn(async move {
        heard.requested().await;
        println!("once");
        heard.force_requested().await;
        println!("twice");
    });
    work.block_on(async {
        tokio::spawn(async {
            println!("at work");
            loop {
                std::thread::park();
            }
        });
        loop {
            std::thread::park();
        }
    });
    drop(stop);
}

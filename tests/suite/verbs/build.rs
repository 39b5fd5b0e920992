//! `cki build`: what gets into an image, what is written on it, and when there is nothing to do.

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::engine::{Engine, on};
use crate::support::repository::Repositories;

const INVENTORY: &str = "\
repos: {tools: '{served}/tools.git'}
components:
  - name: plain
    category: job
    kind: job
    build: {repo: tools, args: {GREETING: hello}}
    run: {command: [sh, -c, 'cd /code; find . -type f | sort; cat /greeting']}
  - name: made
    category: job
    kind: job
    build: {repo: tools, file: builds/made.in}
    run: {command: [cat, /made]}
  - {name: failing, category: job, build: {repo: tools, file: builds/failing}}
  - {name: slow, category: job, build: {repo: tools, file: builds/slow}}
  - {name: stage, category: job, build: {repo: tools, file: builds/stages, target: first}}
  - {name: absent, category: job, build: {repo: tools, file: builds/absent}}
  - {name: outside, category: job, build: {repo: tools, file: ../../etc/passwd}}
  - {name: nowhere, category: job, image: registry.example.org/x}
";

const FILES: [(&str, &str); 11] = [
    ("Dockerfile", "FROM {busybox}\nARG GREETING=none\nRUN echo \"$GREETING\" > /greeting\nCOPY . /code\n"),
    (".dockerignore", "*.secret\n!kept.secret\nbuilds\n# a comment\n**/*.pyc\n"),
    ("main.sh", "echo main\n"),
    ("one.secret", "hunter2"),
    ("kept.secret", "harmless"),
    ("deep/cache.pyc", "x"),
    ("deep/code.py", "x"),
    ("builds/made.in", "#define WHO cki\n#include \"snippet\"\nRUN echo made by WHO > /made\n"),
    ("builds/snippet", "/* what all have in common */\nFROM {busybox}\n"),
    ("builds/failing", "FROM {busybox}\nRUN echo doing; echo what it says >&2; exit 7\n"),
    ("builds/slow", "FROM {busybox}\nRUN echo {id} has begun; sleep 8\n"),
];

fn repositories(cli: &Cli) -> Repositories<'_> {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &FILES);
    cli.inventory(INVENTORY);
    repositories
}

on!(docker, podman: built_once_and_not_again);
fn built_once_and_not_again(cli: &Cli) {
    let _repositories = repositories(cli);
    assert_snapshot!(cli.run("build plain"), @"");
    assert_snapshot!(cli.run("build plain"), @"");
}

on!(docker, podman: failing);
fn failing(cli: &Cli) {
    let _repositories = repositories(cli);
    assert_snapshot!(cli.run("build failing"), @"");
}

on!(docker, podman: made);
fn made(cli: &Cli) {
    let _repositories = repositories(cli);
    assert_snapshot!(cli.run("build made"), @"");
    assert_snapshot!(cli.run("run-local made"), @"");
    assert_snapshot!(cli.run("run-local plain"), @"");
}

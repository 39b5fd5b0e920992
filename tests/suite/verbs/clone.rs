//! Tests of `cki clone`: new clones, clones that it leaves unchanged, and repositories that it cannot reach.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use crate::support::cli::Cli;
use crate::support::git_command;
use crate::support::git_server::TOKEN;
use crate::support::repository::{Repositories, Server};

const INVENTORY: &str = "\
repos:
  one: '{server}/one.git'
  two: '{server}/moved/two.git'
  three: '{served}/three.git'
  private: '{server}/private/one.git'
  internal: 'http://127.0.0.1:1/group/internal'
  far: 'https://git.example.org/far'
  gone: '{server}/nothing.git'
  slow: '{server}/stall/one.git'
  slower: '{server}/stall/two.git'
components:
  - {name: whole, category: x, sources: [{repo: one}, {repo: two, path: sub}, {repo: three}]}
  - {name: single, category: x, sources: [{repo: one}]}
  - {name: hidden, category: x, sources: [{repo: private}]}
  - {name: mixed, category: x, sources: [{repo: internal}, {repo: one}]}
  - {name: lost, category: x, sources: [{repo: gone}]}
  - {name: waiting, category: x, sources: [{repo: slow}, {repo: slower}]}
  - {name: nothing, category: x}
  - {name: distant, category: x, sources: [{repo: far}, {repo: one}]}
";

/// Three repositories on a server, and an inventory that names them.
fn served(cli: &Cli) -> (Repositories<'_>, Server) {
    let repositories = Repositories::new(cli);
    for name in ["one", "two", "three"] {
        repositories.commit(name, &[("a.txt", name), ("b.txt", "b\n")]);
    }
    let server = repositories.serve();
    cli.inventory(INVENTORY);
    (repositories, server)
}

fn read(cli: &Cli, path: &str) -> String {
    std::fs::read_to_string(cli.workspace().join(path)).expect("is there")
}

fn names(directory: &Path) -> Vec<String> {
    cki::base::files::list_dir(directory).expect("reads")
}

fn git(cli: &Cli, repository: &str, arguments: &[&str]) -> String {
    let mut command = git_command(cli.directory());
    command.args(["-c", "user.name=P", "-c", "user.email=p@example.com"]).args(arguments);
    let output = command.current_dir(cli.workspace().join(repository)).output().expect("git is installed");
    assert_eq!(output.status.into_raw(), 0, "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn clone_clones_once_and_then_updates() {
    let cli = Cli::new();
    let (repositories, _server) = served(&cli);
    assert_snapshot!(cli.run("clone whole -j 1"), @"
    --- stderr
      one          cloned, at COMMIT1 (main)
      two          cloned, at COMMIT2 (main)
      three        cloned, at COMMIT3 (main)
    3 repositories: 3 changed
    --- exit 0
    ");
    assert_eq!(names(&cli.workspace()), ["one", "three", "two"]);
    assert_eq!(read(&cli, "three/a.txt"), "three");
    assert_snapshot!(cli.run("clone whole -j 1"), @"
    --- stderr
      one          unchanged
      two          unchanged
      three        unchanged
    3 repositories: 3 unchanged
    --- exit 0
    ");
    repositories.commit("two", &[("a.txt", "newer")]);
    assert_snapshot!(cli.run("clone whole -j 1"), @"
    --- stderr
      one          unchanged
      two          updated, COMMIT2 → COMMIT4
      three        unchanged
    3 repositories: 1 changed, 2 unchanged
    --- exit 0
    ");
    assert_eq!(read(&cli, "two/a.txt"), "newer");
    assert!(!cli.workspace().join("two/b.txt").exists());
    let shown = cli.run("show whole -o json").ends_with(0).json();
    assert!(shown["sources"][1]["clone"].as_str().is_some_and(|path| path.ends_with("/home/cki/two")));
}

#[test]
fn clone_prints_json() {
    let cli = Cli::new();
    let (_repositories, _server) = served(&cli);
    assert_snapshot!(cli.run("clone single lost -j 1 -o json --workspace ../elsewhere"), @r#"
    {
      "schema_version": 2,
      "repositories": [
        {
          "name": "one",
          "url": "http://127.0.0.1:~PORT/one.git",
          "path": "/tmp/cki-TESTID/project/../elsewhere/one",
          "state": "done",
          "detail": "cloned, at COMMIT1 (main)",
          "head": "COMMIT1…",
          "branch": "main"
        },
        {
          "name": "gone",
          "url": "http://127.0.0.1:~PORT/nothing.git",
          "path": "/tmp/cki-TESTID/project/../elsewhere/gone",
          "state": "skipped",
          "detail": "skipped: there is no repository at `http://127.0.0.1:~PORT/nothing.git`, or it is hidden",
          "head": null,
          "branch": null
        }
      ]
    }
    --- stderr
      one          cloned, at COMMIT1 (main)
      gone         skipped: there is no repository at `http://127.0.0.1:~PORT/nothing.git`, or it is hidden
    hint: a private repository looks like this without a login, too.
    --- exit 3
    "#);
    assert_eq!(names(&cli.directory().join("elsewhere")), ["one"]);
}

#[test]
fn clone_keeps_local_changes_and_commits() {
    let cli = Cli::new();
    let (repositories, _server) = served(&cli);
    cli.run("clone whole").ends_with(0);
    // Three of the many ways: a file changed, a commit made, and both.
    std::fs::write(cli.workspace().join("one/a.txt"), "mine").expect("writes");
    std::fs::write(cli.workspace().join("two/mine.txt"), "mine").expect("writes");
    git(&cli, "two", &["add", "mine.txt"]);
    git(&cli, "two", &["commit", "-qm", "mine"]);
    std::fs::write(cli.workspace().join("three/untracked.txt"), "mine").expect("writes");
    for name in ["one", "two", "three"] {
        repositories.commit(name, &[("a.txt", "theirs"), ("b.txt", "b\n")]);
    }
    assert_snapshot!(cli.run("clone whole -j 1"), @"
    --- stderr
      one          left alone: it has uncommitted changes, 1 behind
      two          left alone: it has diverged, 1 ahead, 1 behind
      three        updated, COMMIT3 → COMMIT6
    3 repositories: 1 changed, 2 skipped
    --- exit 0
    ");
    assert_eq!((read(&cli, "one/a.txt"), read(&cli, "two/mine.txt")), ("mine".into(), "mine".into()));
    assert_eq!(
        (read(&cli, "three/untracked.txt"), read(&cli, "three/a.txt")),
        ("mine".into(), "theirs".into())
    );
    // What would be overwritten stays as well.
    std::fs::write(cli.workspace().join("three/new.txt"), "mine").expect("writes");
    repositories.commit("three", &[("a.txt", "theirs"), ("b.txt", "b\n"), ("new.txt", "theirs")]);
    cli.run("clone whole").ends_with(0).says("would be overwritten");
    assert_eq!(read(&cli, "three/new.txt"), "mine");
}

#[test]
fn clone_mr_switches_to_its_own_branch() {
    let cli = Cli::new();
    let (repositories, _server) = served(&cli);
    repositories.commit_to("one", "refs/merge-requests/7/head", &[("a.txt", "mr"), ("b.txt", "b\n")]);
    assert_snapshot!(cli.run("clone single --mr 7"), @"
    --- stderr
      one          cloned, at COMMIT4 (mr-7)
    warning: `/tmp/cki-TESTID/home/cki/one` is at merge request !7; `git -C /tmp/cki-TESTID/home/cki/one switch main` goes back.
    1 repository: 1 changed
    --- exit 0
    ");
    assert_eq!(read(&cli, "one/a.txt"), "mr");
    assert_eq!(git(&cli, "one", &["branch", "--show-current"]), "mr-7");
    cli.run("clone single --mr 7").ends_with(0).says("unchanged");
    assert_snapshot!(cli.run("clone single --mr 8"), @"
    --- stderr
      one          `http://127.0.0.1:~PORT/one.git` has no merge request !8
    1 repository: 1 failed
    hint: look at its number on the server again.
    --- exit 3
    ");
    assert_eq!(git(&cli, "one", &["branch", "--show-current"]), "mr-7", "as before");
    std::fs::write(cli.workspace().join("one/b.txt"), "mine").expect("writes");
    git(&cli, "one", &["switch", "-q", "main"]);
    std::fs::write(cli.workspace().join("one/a.txt"), "mine").expect("writes");
    assert_snapshot!(cli.run("clone single --mr 7"), @"
    --- stderr
      one          left alone: it has uncommitted changes
    1 repository: 1 skipped
    hint: commit, stash or remove the changes in `/tmp/cki-TESTID/home/cki/one`; `cki` never touches them.
    --- exit 7
    ");
    assert_eq!(read(&cli, "one/a.txt"), "mine");
}

#[test]
fn clone_mr_uses_the_configured_merge_request_ref() {
    let cli = Cli::new();
    let (repositories, _server) = served(&cli);
    repositories.commit_to("one", "refs/pull/7/head", &[("a.txt", "pull")]);
    cli.call("clone single --mr 7").set("CKI_MERGE_REQUEST_REF", "refs/pull/{n}/head").end().ends_with(0);
    assert_eq!(read(&cli, "one/a.txt"), "pull");
}

#[test]
fn clone_sends_the_token_to_its_server_only() {
    let mut cli = Cli::new();
    let url = {
        let (_repositories, server) = served(&cli);
        assert_snapshot!(cli.run("clone hidden"), @"
        --- stderr
          private      skipped: `http://127.0.0.1:~PORT/private/one.git` wants a login
        1 repository: 1 skipped
        hint: keep a token with `cki login`, or let `git` know the login; `cki doctor` says which is used.
        --- exit 5
        ");
        let url = cli.fill("{server}");
        let with = |token: &str, url: &str| {
            cli.call("clone hidden").set("CKI_GITLAB_TOKEN", token).set("CKI_GITLAB_URL", url).end()
        };
        with("glpat-not-this-one", &url).ends_with(5).says("refuses the login");
        // A token is for one server, and no other one sees it.
        server.seen();
        with(TOKEN, "https://gitlab.example.org").ends_with(5);
        assert!(server.seen().iter().all(|request| !request.login));
        with(TOKEN, &url).ends_with(0).says("cloned");
        url
    };
    assert_eq!(read(&cli, "private/a.txt"), "one");
    cli.set("CKI_GITLAB_TOKEN", TOKEN);
    cli.set("CKI_GITLAB_URL", url);
    let config = git(&cli, "private", &["config", "--list"]);
    assert!(!config.contains(TOKEN), "{config}");
    assert!(!cli.run("config").stdout.contains(TOKEN));
}

#[test]
fn clone_continues_past_unreachable_repositories() {
    let cli = Cli::new();
    let (_repositories, _server) = served(&cli);
    assert_snapshot!(cli.run("clone mixed lost -j 1"), @"
    --- stderr
      internal     skipped: cannot reach `http://127.0.0.1:1/group/internal`: Connection refused (os error 111)
      one          cloned, at COMMIT1 (main)
      gone         skipped: there is no repository at `http://127.0.0.1:~PORT/nothing.git`, or it is hidden
    3 repositories: 1 changed, 2 skipped
    --- exit 6
    ");
    assert_eq!(names(&cli.workspace()), ["one"]);
    assert_snapshot!(cli.run("clone nothing"), @"
    --- stderr
    error: the inventory names no repository of nothing.
    hint: add `sources` to the entry.
    --- exit 3
    ");
    assert_snapshot!(cli.run("clone distant --offline -j 1"), @"
    --- stderr
      far          skipped: `https://git.example.org/far` is on another machine, and connections are turned off
      one          unchanged
    2 repositories: 1 unchanged, 1 skipped
    hint: leave `--offline` out.
    --- exit 6
    ");
    cli.inventory("components: [{name: nowhere, category: x, sources: [{repo: unknown}]}]\n");
    assert_snapshot!(cli.run("clone nowhere"), @"
    --- stderr
    warning: /tmp/cki-TESTID/project/inventory.yaml:1:54: there is no repository `unknown`
    warning: The inventory has no address for `unknown`.
    --- exit 4
    ");
}

#[test]
fn clone_refuses_a_destination_that_exists() {
    let cli = Cli::new();
    let (_repositories, _server) = served(&cli);
    std::fs::create_dir_all(cli.workspace().join("one")).expect("makes");
    std::fs::write(cli.workspace().join("one/thesis.txt"), "mine").expect("writes");
    assert_snapshot!(cli.run("clone single"), @"
    --- stderr
      one          `/tmp/cki-TESTID/home/cki/one` is in the way: it is not a clone
    1 repository: 1 failed
    --- exit 7
    ");
    assert_eq!(names(&cli.workspace().join("one")), ["thesis.txt"]);
    std::fs::remove_dir_all(cli.workspace().join("one")).expect("removes");
    cli.run("clone whole").ends_with(0);
    git(&cli, "one", &["remote", "set-url", "origin", "https://example.org/other"]);
    assert_snapshot!(cli.run("clone single"), @"
    --- stderr
      one          `/tmp/cki-TESTID/home/cki/one` is a clone of `https://example.org/other`, not of `http://127.0.0.1:~PORT/one.git`
    1 repository: 1 failed
    hint: if it is a fork of yours, or `http://127.0.0.1:~PORT/one.git` is its new address: `git -C /tmp/cki-TESTID/home/cki/one remote add upstream http://127.0.0.1:~PORT/one.git`.
    hint: otherwise move `/tmp/cki-TESTID/home/cki/one` away, or use another `--workspace`.
    --- exit 7
    ");
}

#[test]
fn clone_depth_makes_a_shallow_clone() {
    let cli = Cli::new();
    let (repositories, _server) = served(&cli);
    repositories.commit("one", &[("a.txt", "second")]);
    cli.run("clone single --depth 1").ends_with(0);
    assert_eq!(git(&cli, "one", &["rev-list", "--count", "HEAD"]), "1");
    repositories.commit("one", &[("a.txt", "third")]);
    cli.run("clone single").ends_with(0);
    assert_eq!(read(&cli, "one/a.txt"), "third");
}

/// Two clones that both stand still in the middle, which shows that they are made side by side.
fn stalled<'a>(
    cli: &'a Cli,
    repositories: &Repositories<'_>,
    server: &Server,
) -> crate::support::call::StartedRun<'a> {
    for name in ["one", "two"] {
        repositories.commit_noise(name, 1 << 20);
    }
    let clone = cli.start("clone waiting");
    server.stalled();
    server.stalled();
    clone
}

#[test]
fn clone_leaves_nothing_when_interrupted() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let cli = Cli::new();
        let (repositories, server) = served(&cli);
        let clone = stalled(&cli, &repositories, &server);
        clone.signal(signal);
        clone.end().ends_with(code);
        assert_eq!(names(&cli.workspace()), [""; 0]);
    }
}

#[test]
fn clone_recovers_after_a_kill() {
    let cli = Cli::new();
    let (repositories, server) = served(&cli);
    let clone = stalled(&cli, &repositories, &server);
    clone.signal(Signal::SIGKILL);
    clone.end().ends_with(-9);
    assert!(names(&cli.workspace()).iter().all(|name| name.starts_with('.')), "none stands in its place");
    cli.inventory(&INVENTORY.replace("stall/", ""));
    cli.run("clone waiting").ends_with(0);
    assert_eq!(names(&cli.workspace()), ["slow", "slower"]);
    assert_eq!(git(&cli, "slow", &["fsck", "--strict"]), "");
}

#[test]
fn list_and_clone_refuse_unsafe_repository_names() {
    for name in ["../x", "a/b", ".ssh", "-x", "a b", "a\\nb", ".."] {
        let cli = Cli::new();
        cli.inventory(&format!(
            "repos: {{\"{name}\": 'https://h/x'}}\ncomponents: [{{name: a, category: x, sources: [{{repo: x}}]}}]\n"
        ));
        cli.run("list").ends_with(4).says("is no name of a repository");
        cli.run("clone a").ends_with(4);
        assert_eq!(names(&cli.workspace()), [""; 0]);
    }
}

#[test]
fn clone_refuses_a_symlink_as_destination() {
    let cli = Cli::new();
    let (_repositories, _server) = served(&cli);
    let elsewhere = cli.directory().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).expect("makes");
    std::fs::create_dir_all(cli.workspace()).expect("makes");
    for to in [elsewhere.as_path(), Path::new("/nowhere/at/all")] {
        std::os::unix::fs::symlink(to, cli.workspace().join("one")).expect("links");
        cli.run("clone single").ends_with(7).says("is in the way");
        assert_eq!(names(&elsewhere), [""; 0]);
        std::fs::remove_file(cli.workspace().join("one")).expect("removes");
    }
}

#[test]
fn clone_hints_a_working_command_for_a_deleted_branch() {
    let cli = Cli::new();
    let (repositories, _server) = served(&cli);
    repositories.commit_to("one", "refs/heads/topic", &[("a.txt", "topic")]);
    cli.run("clone single").ends_with(0);
    git(&cli, "one", &["checkout", "-q", "-b", "topic", "--track", "origin/topic"]);
    git(&cli, "one", &["branch", "-q", "other", "--track", "origin/main"]);
    std::fs::remove_file(cli.directory().join("served/one.git/refs/heads/topic")).expect("removes");
    git(&cli, "one", &["branch", "-q", "-D", "main"]);
    let found = cli.run("clone single").ends_with(3).says("`topic` follows `topic`, which is no longer");
    let hint = found.stderr.lines().find_map(|line| line.strip_prefix("hint: `git -C ")).expect("a hint");
    let command = hint.split('`').next().expect("a command");
    let words = shell_words::split(command).expect("is one");
    let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    assert_eq!(words, ["switch", "-c", "main", "--track", "origin/main"]);
    git(&cli, "one", &words);
    cli.run("clone single").ends_with(0).says("unchanged");
}

#[test]
fn clone_warns_of_deleted_branches_and_moved_tags() {
    let cli = Cli::new();
    let (repositories, _server) = served(&cli);
    repositories.commit_to("one", "refs/heads/topic", &[("a.txt", "topic")]);
    repositories.commit_to("one", "refs/tags/v1", &[("a.txt", "tag")]);
    cli.run("clone single").ends_with(0);
    let served = cli.directory().join("served/one.git").display().to_string();
    git(&cli, "one", &["fetch", "-q", &served, "refs/tags/v1:refs/tags/v1"]);
    git(&cli, "one", &["branch", "-q", "topic", "--track", "origin/topic"]);
    std::fs::remove_file(cli.directory().join("served/one.git/refs/heads/topic")).expect("removes");
    repositories.commit_to("one", "refs/tags/v1", &[("a.txt", "another")]);
    let found = cli.run("clone single").ends_with(0).says("`origin/topic` is gone from the server");
    let (_, after) = found.stderr.split_once("not what the server has now; `").expect("the tag is told");
    let words = shell_words::split(after.split('`').next().expect("a command")).expect("is one");
    let words: Vec<&str> = words.iter().skip(3).map(String::as_str).collect();
    assert_eq!(words[..2], ["fetch", "--force"]);
}

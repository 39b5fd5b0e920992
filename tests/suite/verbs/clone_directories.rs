//! The directory of a clone stands for one repository: no command uses the clone of another one, and
//! no two addresses share a directory.

use std::path::Path;

use crate::support::cli::Cli;
use crate::support::git_command;
use crate::support::repository::Repositories;

/// Two repositories whose addresses end alike, each with a job, a deployment and code that tells them
/// apart.
const TEAMS: &str = "\
components:
  - {name: a, category: x, kind: job, sources: [{repo: '{served}/team-a/api.git'}], run: {command: [sh, main.sh]}, deployment: [{repo: '{served}/team-a/api.git', path: deploy.yaml}]}
  - {name: b, category: x, kind: job, sources: [{repo: '{served}/team-b/api.git'}], run: {command: [sh, main.sh]}, deployment: [{repo: '{served}/team-b/api.git', path: deploy.yaml}]}
";

fn teams(cli: &Cli) -> Repositories<'_> {
    let repositories = Repositories::new(cli);
    for team in ["a", "b"] {
        let deployment = format!(
            "kind: Pod\napiVersion: v1\nmetadata: {{name: {team}}}\nspec:\n  containers:\n  - name: {team}\n    env: [{{name: TEAM, value: team-{team}}}]\n"
        );
        let code = format!("echo code of team {team}\n");
        repositories.commit(&format!("team-{team}/api"), &[("main.sh", &code), ("deploy.yaml", &deployment)]);
    }
    repositories
}

fn git(cli: &Cli, directory: &Path, arguments: &[&str]) {
    let output = git_command(cli.directory())
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Runs a command as a person's shell would.
fn run_in_shell(cli: &Cli, line: &str) {
    let git = git_command(cli.directory());
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", line]).env_clear();
    shell.envs(git.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let output = shell.output().expect("there is a shell");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The command between backquotes in the hint that has `word`.
fn hinted_command(said: &str, word: &str) -> String {
    let line = said.lines().find(|line| line.starts_with("hint:") && line.contains(word)).expect("a hint");
    let from = line.find(&format!("`{word}")).expect("a command") + 1;
    line[from..].split('`').next().unwrap_or_default().to_owned()
}

#[test]
fn clone_separates_repositories_of_the_same_name() {
    for order in ["clone a b -j 1", "clone b a -j 1"] {
        let cli = Cli::native();
        let _repositories = teams(&cli);
        cli.inventory(TEAMS);
        cli.run(order).ends_with(0);
        let names = cki::base::files::list_dir(&cli.workspace()).expect("reads");
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names.iter().all(|name| name.starts_with("api-") && name.len() == 12), "{names:?}");
        for team in ["a", "b"] {
            let run = cli.run(&format!("run-local {team}")).ends_with(0);
            assert_eq!(run.stdout, format!("code of team {team}\n"));
            assert!(cli.run(&format!("env {team}")).ends_with(0).stdout.contains(&format!("team-{team}")));
            let shown = cli.run(&format!("show {team} -o json")).ends_with(0).json();
            let clone = shown["sources"][0]["clone"].as_str().expect("is cloned").to_owned();
            assert!(std::fs::read_to_string(format!("{clone}/main.sh")).expect("reads").contains(team));
            cli.run(&format!("clone {team}")).ends_with(0).says("unchanged");
        }
    }
}

#[test]
fn run_local_reuses_a_clone_of_the_short_name() {
    let cli = Cli::native();
    let _repositories = teams(&cli);
    std::fs::create_dir_all(cli.workspace()).expect("makes");
    let of_a = cli.fill("{served}/team-a/api.git");
    git(&cli, &cli.workspace(), &["clone", "-q", &of_a, "api"]);
    cli.inventory(TEAMS);
    assert_eq!(cli.run("run-local a").ends_with(0).stdout, "code of team a\n");
    assert_eq!(cli.run("run-local b").ends_with(0).stdout, "code of team b\n");
    let names = cki::base::files::list_dir(&cli.workspace()).expect("reads");
    assert!(names.len() == 2 && names[0] == "api", "{names:?}");
}

#[test]
fn run_local_separates_repositories_of_two_inventories() {
    let cli = Cli::native();
    let _repositories = teams(&cli);
    for team in ["a", "b"] {
        cli.write(
            &format!("i-{team}.yaml"),
            &format!(
                "repos: {{tools: '{{served}}/team-{team}/api.git'}}\ncomponents: [{{name: x, category: x, kind: job, sources: [{{repo: tools}}], run: {{command: [sh, main.sh]}}}}]\n"
            ),
        );
    }
    for _ in 0..2 {
        for team in ["a", "b"] {
            let run = cli.run(&format!("run-local x --inventory i-{team}.yaml")).ends_with(0);
            assert_eq!(run.stdout, format!("code of team {team}\n"));
        }
    }
    assert!(cli.workspace().join("tools").exists(), "the first one keeps the name");
}

#[test]
fn every_command_refuses_the_clone_of_another_repository() {
    let cli = Cli::native();
    let _repositories = teams(&cli);
    std::fs::create_dir_all(cli.workspace()).expect("makes");
    let of_b = cli.fill("{served}/team-b/api.git");
    git(&cli, &cli.workspace(), &["clone", "-q", &of_b, "api"]);
    // An entry of a alone: nothing in the inventory is of the same name.
    cli.inventory(&TEAMS.lines().take(2).map(|line| format!("{line}\n")).collect::<String>());
    for line in [
        "clone a",
        "run-local a",
        "run-local a --watch",
        "run-local a --dry-run",
        "run-local a --print compose",
        "env a --scan",
        "env a --diff deployment",
    ] {
        let said = cli.run(line).ends_with(7).says("is a clone of `file://").stderr;
        assert!(
            said.contains("team-b/api.git`, not of `file://") && said.contains("hint: if it is a fork"),
            "{said}"
        );
    }
    let checked = cli.run("doctor --offline").ends_with(1).stdout;
    assert!(checked.contains("remote add upstream") && checked.contains("mv "), "{checked}");
    let shown = cli.run("show a").ends_with(0).stdout;
    assert!(shown.contains("is a clone of `file://"), "{shown}");
    assert!(cli.run("show a -o json").json()["sources"][0]["clone"].is_null());
    // What the hint says does it, for anyone who has a fork.
    let said = cli.run("clone a").stderr;
    run_in_shell(&cli, &hinted_command(&said, "git -C"));
    cli.run("clone a").ends_with(0);
    assert_eq!(cli.run("run-local a").ends_with(0).stdout, "code of team b\n", "the fork's code");
}

#[test]
fn clone_treats_equivalent_addresses_as_one_repository() {
    let cli = Cli::new();
    let repositories = teams(&cli);
    let _server = repositories.serve();
    std::fs::create_dir_all(cli.workspace()).expect("makes");
    let address = cli.fill("{server}/team-a/api.git");
    let (_, rest) = address.split_once("://").expect("has a scheme");
    let rewriting = cli.fill("url.{server}/.insteadOf");
    git(&cli, &cli.workspace(), &["clone", "-q", &address, "api"]);
    let home = cli.directory().join("home/.gitconfig");
    std::fs::write(&home, "").expect("writes");
    git(&cli, cli.directory(), &["config", "--file", &home.display().to_string(), &rewriting, "short:"]);
    for spelling in [
        format!("http://{}", rest.trim_end_matches(".git")),
        format!("http://{rest}/"),
        format!("http://somebody@{rest}"),
        format!("http://{}", rest.replacen("team-a", "/team-a", 1)),
        "short:team-a/api".to_owned(),
    ] {
        cli.inventory(&format!(
            "repos: {{api: '{spelling}'}}\ncomponents: [{{name: a, category: x, sources: [{{repo: api}}]}}]\n"
        ));
        cli.run("clone a").ends_with(0).says("unchanged");
    }
}

#[test]
fn run_local_warns_of_a_checked_out_merge_request() {
    let cli = Cli::native();
    let repositories = teams(&cli);
    let deployment = "kind: Pod\napiVersion: v1\nmetadata: {name: a}\nspec: {containers: [{name: a}]}\n";
    let files = [("main.sh", "echo merge request\n"), ("deploy.yaml", deployment)];
    repositories.commit_to("team-a/api", "refs/merge-requests/7/head", &files);
    cli.inventory(&TEAMS.lines().take(2).map(|line| format!("{line}\n")).collect::<String>());
    cli.run("clone a --mr 7").ends_with(0).says("is at merge request !7");
    let run = cli.run("run-local a").ends_with(0).says("is at merge request !7");
    assert_eq!(run.stdout, "merge request\n");
    let back = run.stderr.split('`').find(|part| part.starts_with("git -C")).expect("a command").to_owned();
    run_in_shell(&cli, &back);
    let run = cli.run("run-local a").ends_with(0);
    assert_eq!(run.stdout, "code of team a\n");
    assert!(!run.stderr.contains("merge request"), "{}", run.stderr);
}

#[test]
fn clone_and_run_local_hint_at_submodules_and_lfs() {
    let cli = Cli::native();
    let _repositories = teams(&cli);
    let source = cli.directory().join("work");
    let of_a = cli.fill("{served}/team-a/api.git");
    git(&cli, cli.directory(), &["clone", "-q", &of_a, "work"]);
    let of_b = cli.fill("{served}/team-b/api.git");
    git(&cli, &source, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &of_b, "lib"]);
    std::fs::write(source.join(".gitattributes"), "*.bin -filter\n*.dat filter=lfs\n").expect("writes");
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    std::fs::write(source.join("x.dat"), pointer).expect("writes");
    let config = ["-c", "user.name=P", "-c", "user.email=p@example.com", "-c", "filter.lfs.clean=cat"];
    git(&cli, &source, &[&config[..], &["add", "-A"]].concat());
    git(&cli, &source, &[&config[..], &["commit", "-qm", "more"]].concat());
    git(&cli, &source, &["push", "-q", "origin", "HEAD:main"]);
    let one = TEAMS.lines().take(2).map(|line| format!("{line}\n")).collect::<String>();
    let second = "  - {name: c, category: x, kind: job, sources: [{repo: '{served}/team-a/api.git'}], run: {command: [sh, main.sh]}}\n";
    cli.inventory(&format!("{one}{second}"));
    for line in ["clone a", "run-local a", "run-local a c"] {
        let said = cli.run(line).ends_with(0).stderr;
        assert!(
            said.contains("1 submodule not fetched (lib)") && said.contains("submodule update --init"),
            "{said}"
        );
        assert!(said.contains("(x.dat)") && said.contains("lfs pull"), "{said}");
        assert_eq!(said.matches("not fetched (").count(), 2, "once for each repository: {said}");
    }
}

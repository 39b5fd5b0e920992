//! Working trees of the user: commands use the one that they are called in, or that the inventory names, in
//! place of a clone, name it, and change nothing in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::cli::{Cli, Outcome};
use crate::support::engine::on;
use crate::support::repository::Repositories;

const ADDRESS: &str = "https://git.example.org/team/tools";
const FILES: [(&str, &str); 3] = [
    ("main.sh", "echo the commit\n"),
    ("Dockerfile", "FROM {busybox}\nCOPY . /code\nWORKDIR /code\n"),
    (".gitignore", "ignored\n"),
];

/// Writes an inventory whose component comes from a repository of this address.
fn inventory(cli: &Cli, address: &str, more: &str) {
    cli.inventory(&format!(
        "repos: {{tools: '{address}'}}
components: [{{name: app, category: x, kind: job, sources: [{{repo: tools}}]{more}, run: {{command: [sh, main.sh]}}}}]\n"
    ));
}

/// Clones the served repository into a directory, as a user would, and gives it an address.
fn tree(cli: &Cli, directory: &Path, address: &str) {
    let repository = git2::Repository::clone(&cli.fill("{served}/tools.git"), directory).expect("clones");
    repository.remote_set_url("origin", address).expect("sets the address");
}

fn git(tree: &Path, words: &[&str]) -> String {
    let done = Command::new("git").arg("-C").arg(tree).args(words).output().expect("git is installed");
    assert!(done.status.success(), "{words:?}: {done:?}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// Returns everything that `cki` could have changed in a tree.
fn state(tree: &Path) -> (String, String, Vec<PathBuf>) {
    let names = |directory: &Path| {
        let mut names: Vec<PathBuf> =
            std::fs::read_dir(directory).expect("lists").flatten().map(|entry| entry.path()).collect();
        names.sort();
        names
    };
    let files = names(tree).into_iter().chain(names(&tree.join(".git"))).collect();
    let config = std::fs::read_to_string(tree.join(".git/config")).expect("reads");
    (git(tree, &["for-each-ref"]), config, files)
}

fn runs(outcome: Outcome, line: &str, source: &str) -> Outcome {
    let outcome = outcome.ends_with(0).says(&format!("  source       {source}\n"));
    assert!(outcome.stdout.contains(line), "{outcome}");
    outcome
}

on!(native: run_local_runs_the_tree_that_it_stands_in);
fn run_local_runs_the_tree_that_it_stands_in(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &FILES);
    let project = cli.project();
    std::fs::remove_dir(&project).expect("is empty");
    tree(cli, &project, "git@git.example.org:team/tools.git");
    inventory(cli, ADDRESS, "");
    std::fs::write(project.join(".git/info/exclude"), "cki.toml\ninventory.yaml\n").expect("writes");
    cli.run("trust").ends_with(0);
    let before = state(&project);
    let here = "/tmp/cki-TESTID/project  main COMMIT1";
    runs(cli.run("run-local app"), "the commit\n", here);
    std::fs::write(project.join("main.sh"), "echo my change\n").expect("writes");
    let changed = format!("{here}, changed");
    runs(cli.run("run-local app"), "my change\n", &changed);
    cli.run("run-local app --dry-run").ends_with(0).says(&format!("  source       {changed}\n"));
    let plan = cli.run("run-local app --dry-run -o json").json();
    assert_eq!(plan["sources"][0]["changed"], true, "{plan}");
    cli.run("show app").ends_with(0).says("/project");
    cli.run("clone app").ends_with(0).says("used in place, at COMMIT1 (main)");
    assert_eq!(state(&project), before);
    assert!(!cli.workspace().exists(), "nothing was cloned");
}

on!(docker, podman: build_uses_the_tree_in_place);
fn build_uses_the_tree_in_place(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &FILES);
    let mine = cli.directory().join("code");
    tree(cli, &mine, ADDRESS);
    std::fs::write(mine.join("main.sh"), "echo built from my tree\n").expect("writes");
    inventory(cli, &mine.display().to_string(), ", build: {repo: tools}");
    cli.run("trust").ends_with(0);
    let source = "  source       /tmp/cki-TESTID/code  main COMMIT1, changed\n";
    cli.run("build app").ends_with(0).says(source).says("localhost/cki/app:COMMIT1-dirty-STATE");
    runs(cli.run("run-local app"), "built from my tree\n", "/tmp/cki-TESTID/code  main COMMIT1, changed");
}

on!(native: run_local_runs_a_local_path_in_place_and_clones_a_bare_one);
fn run_local_runs_a_local_path_in_place_and_clones_a_bare_one(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &FILES);
    let mine = cli.directory().join("code");
    tree(cli, &mine, ADDRESS);
    std::fs::write(mine.join("main.sh"), "echo mine\n").expect("writes");
    for address in [mine.display().to_string(), "../code".to_owned()] {
        inventory(cli, &address, "");
        cli.run("trust").ends_with(0);
        runs(cli.run("run-local app"), "mine\n", "/tmp/cki-TESTID/code  main COMMIT1, changed");
    }
    assert!(!cli.workspace().exists(), "nothing was cloned");
    for address in
        [cli.directory().join("served/tools.git").display().to_string(), cli.fill("{served}/tools")]
    {
        inventory(cli, &address, "");
        cli.run("trust").ends_with(0);
        runs(cli.run("run-local app"), "the commit\n", "/tmp/cki-TESTID/home/cki/tools  main COMMIT1");
    }
}

on!(native: run_local_of_a_merge_request_leaves_the_tree_alone);
fn run_local_of_a_merge_request_leaves_the_tree_alone(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &FILES);
    let proposed = [("main.sh", "echo the merge request\n")];
    repositories.commit_to("tools", "refs/merge-requests/7/head", &proposed);
    let project = cli.project();
    std::fs::remove_dir(&project).expect("is empty");
    tree(cli, &project, &cli.fill("{served}/tools.git"));
    inventory(cli, "{served}/tools.git", "");
    cli.run("trust").ends_with(0);
    let before = state(&project);
    let clone = "/tmp/cki-TESTID/home/cki/tools";
    let there = format!("{clone}  mr-7 COMMIT2");
    let outcome = runs(cli.run("run-local app --mr 7"), "the merge request\n", &there);
    assert_eq!(state(&project), before);
    runs(cli.run("run-local app"), "the commit\n", "/tmp/cki-TESTID/project  main COMMIT1, changed");
    // Elsewhere the clone runs, and says how to go back; the command works as it is printed.
    let elsewhere = cli.directory().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("makes a directory");
    let flags = format!("--inventory {}/inventory.yaml", cli.project().display());
    std::fs::rename(project.join(".git"), elsewhere.join("git")).expect("moves");
    let later = runs(cli.run(&format!("{flags} run-local app")), "the merge request\n", &there);
    let back = format!("git -C {clone} switch main");
    later.says(&format!("`{clone}` is at merge request !7; `{back}` goes back."));
    outcome.says(&format!("`{back}` goes back."));
    git(&cli.workspace().join("tools"), &["switch", "main"]);
    runs(cli.run(&format!("{flags} run-local app")), "the commit\n", &format!("{clone}  main COMMIT1"));
}

on!(native: run_local_obeys_no_configuration_of_a_tree);
fn run_local_obeys_no_configuration_of_a_tree(cli: &Cli) {
    let repositories = Repositories::new(cli);
    repositories.commit("tools", &FILES);
    let mine = cli.directory().join("code");
    tree(cli, &mine, ADDRESS);
    inventory(cli, &mine.display().to_string(), "");
    cli.run("trust").ends_with(0);
    let trap = cli.directory().join("trap");
    let touch = format!("touch {}", trap.display());
    for (key, value) in [
        ("core.fsmonitor", touch.as_str()),
        ("core.hooksPath", "/nonexistent"),
        ("core.sshCommand", &touch),
        ("filter.x.clean", &touch),
        ("filter.x.smudge", &touch),
        ("diff.external", &touch),
    ] {
        git2::Config::open(&mine.join(".git/config"))
            .and_then(|mut config| config.set_str(key, value))
            .expect(key);
    }
    std::fs::write(mine.join(".git/info/attributes"), "* filter=x\n").expect("writes");
    std::fs::write(mine.join("main.sh"), "echo mine\n").expect("writes");
    runs(cli.run("run-local app"), "mine\n", "/tmp/cki-TESTID/code  main COMMIT1, changed");
    assert!(!trap.exists(), "a command of the tree's configuration was run");
    // Its files may not be elsewhere.
    let elsewhere = cli.directory().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("makes a directory");
    let config = mine.join(".git/config");
    let place = elsewhere.display().to_string();
    git2::Config::open(&config).and_then(|mut config| config.set_str("core.worktree", &place)).expect("sets");
    cli.run("run-local app").ends_with(7);
}

//! `cki setup` with package managers that only write down how they were called, in a PATH that holds
//! nothing else: what it plans, asks, runs and writes, and what it says afterwards.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::support::cli::Cli;

/// A machine with an `apt-get` that does what a script says, and notes its arguments before that.
struct Machine {
    cli: Cli,
    programs: PathBuf,
}

impl Machine {
    fn new(script: &str) -> Self {
        let mut cli = Cli::new();
        let programs = cli.folder().join("programs");
        std::fs::create_dir(&programs).expect("makes");
        cli.set("PATH", programs.clone());
        cli.set("SHELL", "/bin/bash");
        // Neither the engine nor the server is what this is about.
        cli.set("CKI_OFFLINE", "true");
        cli.inventory("repos: {a: 'git@git.example.org:a.git'}\ncomponents: [{name: a, category: x}]");
        std::os::unix::fs::symlink("/usr/bin/env", programs.join("env")).expect("links");
        let machine = Self { cli, programs };
        machine.program("apt-get", script);
        // Whoever is not root asks it.
        machine.program("sudo", "exec \"$@\"");
        machine
    }

    /// Puts a program there.
    fn program(&self, name: &str, script: &str) {
        let log = self.log();
        let text = format!("#!/bin/sh\necho \"{name} $*\" >>'{}'\n{script}\n", log.display());
        let file = self.programs.join(name);
        std::fs::write(&file, text).expect("writes");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("sets the mode");
    }

    fn log(&self) -> PathBuf {
        self.cli.folder().join("called")
    }

    /// How the programs were called; `sudo`, by which others were, is left out.
    fn called(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        log.lines().filter(|line| !line.starts_with("sudo ")).map(str::to_owned).collect()
    }

    fn bashrc(&self) -> PathBuf {
        self.cli.folder().join("home/.bashrc")
    }
}

const INSTALL_GIT: &str = "apt-get install --yes git";

#[test]
fn a_dry_run_shows_all_and_changes_nothing() {
    let machine = Machine::new("");
    let outcome = machine.cli.run("setup --dry-run").ends_with(0);
    for line in ["apt-get update", INSTALL_GIT, "# added by `cki setup`"] {
        assert!(outcome.stdout.contains(line), "{outcome}");
    }
    let plan = machine.cli.run("setup --dry-run -o json").ends_with(0).json();
    assert_eq!(plan["type"], "plan");
    let command = plan["steps"][1]["command"].as_array().expect("is a command");
    assert!(command.ends_with(&["apt-get".into(), "install".into(), "--yes".into(), "git".into()]), "{plan}");
    assert_eq!(plan["steps"][2]["file"], machine.bashrc().display().to_string());
    assert_eq!(machine.called(), Vec::<String>::new());
    assert!(!machine.bashrc().exists());
}

#[test]
fn without_a_terminal_nobody_has_agreed() {
    let machine = Machine::new("");
    let outcome =
        machine.cli.run("setup").ends_with(2).says("hint: `cki setup --yes` does it without asking");
    assert!(outcome.stdout.contains(INSTALL_GIT), "{outcome}");
    machine.cli.run("setup --yes --dry-run").ends_with(2);
    assert_eq!(machine.called(), Vec::<String>::new());
    assert!(!machine.bashrc().exists());
}

/// At a terminal, with an answer to what is asked.
fn answered(machine: &Machine, answer: &str) -> String {
    let line = format!("stty cols 100; exec '{}' setup", env!("CARGO_BIN_EXE_cki"));
    let mut script = Command::new("script")
        .args(["-q", "-e", "-c", &line, "/dev/null"])
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", machine.programs.display()))
        .env("HOME", machine.cli.folder().join("home"))
        .envs([
            ("SHELL", "/bin/bash"),
            ("CKI_ENGINE", "native"),
            ("CKI_OFFLINE", "true"),
            ("LC_ALL", "C.UTF-8"),
        ])
        .current_dir(machine.cli.project())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts a terminal");
    script.stdin.as_mut().expect("is piped").write_all(answer.as_bytes()).expect("types");
    let output = script.wait_with_output().expect("ends");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_person_is_asked_and_no_is_no() {
    let machine = Machine::new("");
    for answer in ["n\n", "\n", "what?\nno\n"] {
        let said = answered(&machine, answer);
        assert!(said.contains("Do this? [y/N]") && said.contains("Nothing was changed."), "{said}");
    }
    assert!(!machine.bashrc().exists());
    let said = answered(&machine, "y\n");
    assert!(said.contains("Everything was checked again"), "{said}");
    assert!(machine.bashrc().exists());
}

#[test]
fn what_is_missing_is_installed_and_checked_again() {
    let machine = Machine::new("");
    std::fs::write(machine.bashrc(), "alias x=y").expect("writes");
    std::fs::set_permissions(machine.bashrc(), std::fs::Permissions::from_mode(0o600))
        .expect("sets the mode");
    // Debian's own would put `git` there.
    let git = format!("[ \"$1\" = update ] || /bin/ln -s /bin/true '{}/git'", machine.programs.display());
    machine.program("apt-get", &git);
    let outcome = machine.cli.run("setup --yes").ends_with(0).says("What is left:");
    assert_eq!(machine.called(), ["apt-get update", INSTALL_GIT]);
    // `cki` itself is not in PATH here, and it says so.
    assert!(!outcome.stdout.contains("\ngit "), "{outcome}");
    outcome.says("`cki` is not in PATH");
    let text = std::fs::read_to_string(machine.bashrc()).expect("is there");
    assert_eq!(text.matches("cki completions bash").count(), 1);
    assert!(text.starts_with("alias x=y\n"), "{text}");
    let mode = machine.bashrc().metadata().expect("is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The second time there is nothing to do, and nobody is asked.
    machine.cli.run("setup").ends_with(0).says("Nothing is missing");
    assert_eq!(machine.called().len(), 2);
}

#[test]
fn a_manager_that_fails_or_does_nothing_is_not_taken_for_success() {
    let machine = Machine::new("echo 'E: no such package' >&2; exit 100");
    let outcome = machine.cli.run("setup --yes").ends_with(1);
    let outcome = outcome
        .says("E: no such package")
        .says("failed: exit status: 100")
        .says("2 steps of 3 were not done");
    assert!(outcome.stdout.contains("git            ✘ failed"), "{outcome}");
    // The shell has nothing to do with packages.
    assert!(machine.bashrc().exists());
    machine.program("apt-get", "");
    let result = machine.cli.run("setup --yes -o json").ends_with(1);
    let last = result.stdout.lines().last().expect("prints a result");
    let result: serde_json::Value = serde_json::from_str(last).expect("is JSON");
    assert_eq!(
        (result["type"].as_str(), result["steps"][1]["state"].as_str()),
        (Some("result"), Some("done"))
    );
    let git = result["checks"].as_array().expect("a list").iter().find(|check| check["name"] == "git");
    assert_eq!(git.map(|check| check["state"].clone()), Some("failed".into()));
}

#[test]
fn the_engine_that_is_wanted_is_installed_by_the_manager_that_is_there() {
    let mut machine = Machine::new("");
    machine.cli.set("CKI_ENGINE", "podman");
    // The Podman of this machine, if one listens, would be found.
    let setup = || match Path::new("/run/podman") {
        folder if folder.exists() => machine.cli.call("setup --yes").cramped(folder, 64).end(),
        _ => machine.cli.run("setup --yes"),
    };
    setup().ends_with(1).says("no Podman engine answers");
    assert_eq!(machine.called(), ["apt-get update", "apt-get install --yes podman git"]);
    std::fs::remove_file(machine.programs.join("apt-get")).expect("removes");
    machine.program("dnf", "");
    setup();
    assert_eq!(machine.called()[2..], ["dnf install --assumeyes podman git"]);
    std::fs::remove_file(machine.programs.join("dnf")).expect("removes");
    let outcome = machine.cli.run("setup").ends_with(1);
    assert!(
        outcome
            .stdout
            .contains("install a container engine: of apt-get, dnf, zypper, pacman, apk, brew, none is here"),
        "{outcome}"
    );
}

#[test]
fn a_signal_is_passed_on_and_waited_for() {
    let machine =
        Machine::new("trap 'echo cleaned up; exit 1' INT; echo begun; while :; do /bin/sleep 0.05; done");
    let mut setup = machine.cli.start("setup --yes");
    setup.until("begun");
    setup.signal(Signal::SIGINT);
    let outcome = setup.end().ends_with(130).says("cleaned up");
    assert_eq!(machine.called(), ["apt-get update"], "{outcome}");
    assert!(!machine.bashrc().exists());
}

#[test]
fn the_tables_of_a_project_are_not_used() {
    let machine = Machine::new("");
    machine.program("evil", "");
    machine.cli.write("cki.toml", "inventory = 'inventory.yaml'\ntemplates = 'templates'\n");
    machine.cli.write(
        "templates/packages.yaml",
        "managers: [{program: evil, install: [evil], engine: x, packages: {git: [git]}}]\nengines: {}\n",
    );
    machine
        .cli
        .write("templates/shells.yaml", "shells: [{name: bash, file: '{{ home }}/.bashrc', line: evil}]\n");
    machine.cli.run("setup --yes");
    assert_eq!(machine.called(), ["apt-get update", INSTALL_GIT]);
    assert!(!std::fs::read_to_string(machine.bashrc()).expect("is there").contains("evil"));
}

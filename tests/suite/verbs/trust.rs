//! Decisions of a project's files, and when they take effect: nothing that they name starts, sends, builds or
//! writes before the person trusts their directory.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use insta::assert_snapshot;

use crate::support::cli::Cli;

const JOB: &str = "
version: 1
title: Team
components:
  - {name: job, category: service, kind: job, run: {command: [sh, -c, 'echo it ran; touch ran']}}
";

#[test]
fn run_local_needs_trust_and_list_does_not() {
    let cli = Cli::new();
    cli.inventory(JOB);
    let untrusting = |line: &str| cli.call(line).untrusting().end();
    assert_eq!(untrusting("list").code, 0);
    assert_eq!(untrusting("show job").code, 0);
    assert_eq!(untrusting("env job").code, 0);
    assert_snapshot!(untrusting("run-local job"), @r"
    --- stderr
    error: `/tmp/cki-TESTID/project/cki.toml` is not trusted, and it decides `inventory`.
    hint: read these files, then `cki trust /tmp/cki-TESTID/project` lets them decide.
    --- exit 7
    ");
    for line in [
        "clone job",
        "build job",
        "stage --mr 1 --project g/p -n",
        "env job -o shell",
        "run-local job --dry-run",
    ] {
        let outcome = untrusting(line);
        assert_eq!(outcome.code, 7, "cki {line}: {outcome}");
        assert!(outcome.stderr.contains("is not trusted"), "cki {line}: {outcome}");
    }
    assert!(!cli.project().join("ran").exists());
    assert_snapshot!(untrusting("trust -n"), @r"
      inventory  /tmp/cki-TESTID/project/inventory.yaml  1 file
    --- stderr
    `/tmp/cki-TESTID/project` is not trusted.
    --- exit 0
    ");
    assert_snapshot!(untrusting("trust"), @r"
      inventory  /tmp/cki-TESTID/project/inventory.yaml  1 file
    --- stderr
    `/tmp/cki-TESTID/project` is trusted until one of these files changes.
    --- exit 0
    ");
    assert!(untrusting("run-local job").stdout.contains("it ran"));
    assert_snapshot!(untrusting("trust"), @r"
      inventory  /tmp/cki-TESTID/project/inventory.yaml  1 file
    --- stderr
    `/tmp/cki-TESTID/project` was trusted already.
    --- exit 0
    ");
    cli.inventory_more("  - {name: other, category: service}\n");
    let changed = untrusting("run-local job");
    assert_eq!(changed.code, 7);
    assert!(changed.stderr.contains("is not trusted any more, since its files have changed"), "{}", changed);
    assert_eq!(untrusting("trust").code, 0);
    assert_eq!(untrusting("run-local job").code, 0);
    assert_eq!(untrusting("trust --remove").code, 0);
    assert_eq!(untrusting("run-local job").code, 7);
}

#[test]
fn run_local_trusts_an_inventory_named_for_one_call() {
    let cli = Cli::new();
    cli.inventory(JOB);
    let outcome = cli.call("run-local job --inventory inventory.yaml").untrusting().end();
    assert_eq!(outcome.code, 0, "{outcome}");
    let outcome = cli.call("run-local job").untrusting().set("CKI_INVENTORY", "inventory.yaml").end();
    assert_eq!(outcome.code, 0, "{outcome}");
    // What else the project decides is not named by that.
    cli.write("templates/services/mine.yaml", "");
    cli.write("cki.toml", "inventory = 'inventory.yaml'\ntemplates = 'templates'\n");
    let outcome = cli.call("run-local job --inventory inventory.yaml").untrusting().end();
    assert_eq!(outcome.code, 7, "{outcome}");
    assert!(outcome.stderr.contains("it decides `templates`"), "{}", outcome);
}

#[test]
fn trust_ends_when_a_template_changes() {
    let cli = Cli::new();
    cli.inventory(JOB);
    cli.write("cki.toml", "inventory = 'inventory.yaml'\ntemplates = 'templates'\n");
    cli.write("templates/services/bus.yaml", "image: localhost/bus:1\n");
    assert_eq!(cli.run("run-local job").code, 0);
    cli.write("templates/services/bus.yaml", "image: localhost/evil:1\n");
    assert_eq!(cli.call("run-local job").untrusting().end().code, 7);
}

#[test]
fn trust_reports_a_missing_project() {
    let cli = Cli::new();
    assert_snapshot!(cli.run("trust"), @r"
    --- stderr
    error: there is no `cki.toml` of a project in `/tmp/cki-TESTID/project` or above it.
    hint: `cki config` shows which files the settings come from.
    --- exit 3
    ");
    cli.write("cki.toml", "output = 'text'\n");
    assert_snapshot!(cli.run("trust"), @r"
    --- stderr
    Its `cki.toml` decides nothing that needs trust.
    --- exit 0
    ");
    assert_eq!(cli.run("run-local nothing").code, 3);
}

#[test]
fn project_file_may_not_set_user_only_settings() {
    let cli = Cli::new();
    symlink(cli.directory(), cli.project().join("out")).expect("links");
    for (text, key) in [
        ("engine = 'native'", "`engine` to `native`"),
        ("offline = false", "`offline` to `false`"),
        ("ca_file = 'ca.pem'", "`ca_file` without `gitlab.url`"),
        ("workspace = '..'", "`workspace` to a place outside its own directory"),
        ("workspace = '/tmp'", "`workspace` to a place outside its own directory"),
        ("workspace = 'out/home/.config'", "`workspace` to a place outside its own directory"),
        ("workspace = 'a/../../home/.config'", "`workspace` to a place outside its own directory"),
        ("[gitlab]\ntoken_command = 'id'", "`gitlab.token_command`"),
        ("[gitlab]\ntoken_file = 'x'", "`gitlab.token_file`"),
    ] {
        cli.write("cki.toml", text);
        let outcome = cli.run("list");
        assert_eq!(outcome.code, 4, "{text}: {outcome}");
        let said = format!("a project's file may not set {key}; only your own may");
        assert!(outcome.stderr.contains(&said), "{text}: {outcome}");
    }
    cli.write("../home/.config/cki/cki.toml", "engine = 'native'\noffline = false\n");
    cli.write("cki.toml", "workspace = 'clones'\n");
    assert_eq!(cli.run("list").code, 0);
}

#[test]
fn config_ignores_a_world_writable_project_file() {
    let cli = Cli::new();
    cli.inventory(JOB);
    let file = cli.project().join("cki.toml");
    std::fs::set_permissions(&file, Permissions::from_mode(0o666)).expect("sets");
    let outcome = cli.run("list kind=job");
    assert!(outcome.stderr.contains("inventory: CKI, built in"), "{}", outcome);
    assert_snapshot!(outcome.stderr.lines().next().unwrap_or_default().replace(&cli.id, "TESTID"), @"warning: `/tmp/cki-TESTID/project/cki.toml` is ignored: every user of this machine can change it.");
    assert_eq!(cli.run("run-local job").code, 3);
}

#[test]
fn trust_refuses_an_inventory_that_others_can_change() {
    let cli = Cli::new();
    cli.inventory(JOB);
    cli.write("cki.toml", "inventory = 'i'\n");
    let file = cli.write("i/inventory.yaml", JOB);
    let set = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("sets");
    };
    for (path, mode, back) in
        [(file.as_path(), 0o666, 0o644), (file.parent().expect("has one"), 0o777, 0o755)]
    {
        // Even if its content was trusted before.
        assert_eq!(cli.run("run-local job").code, 0);
        set(path, mode);
        for line in ["trust", "run-local job"] {
            let outcome = cli.call(line).untrusting().end().ends_with(4).says("names what cannot be trusted");
            assert!(outcome.stderr.contains("every user of this machine can change"), "{outcome}");
            let hint = format!("hint: if its content is yours, `chmod go-w {}`.", path.display());
            assert!(outcome.stderr.contains(&hint), "{outcome}");
        }
        cli.run("list").ends_with(0).says("job");
        set(path, back);
    }
}

#[test]
fn trust_extends_to_files_that_commands_write() {
    let cli = Cli::new();
    cli.inventory(
        "categories: [{id: service, kind: service}]\ncomponents:\n- {name: a, category: service, descripton: A.}\n",
    );
    cli.run("list").ends_with(0);
    let untrusting = |command: &str| cli.call(command).untrusting().end();
    untrusting("inventory check --fix").says("1 fixed");
    untrusting("inventory new service/b").ends_with(0);
    untrusting("clone a").ends_with(3).says("names no repository");
    let file = cli.project().join("inventory.yaml");
    let text = std::fs::read_to_string(&file).expect("reads");
    assert!(text.contains("description: A.") && text.contains("name: b"), "{text}");
    std::fs::write(file, text + "\n").expect("writes");
    untrusting("inventory new service/c").ends_with(7).says("not trusted any more");
}

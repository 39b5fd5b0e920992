//! Tests of `cki config`, `config get`, `set`, `unset`, `edit` and `path`: the origins of settings, changes of the user's
//! own file, and the parts of it that stay unchanged.

use std::path::PathBuf;

use insta::assert_snapshot;
use nix::sys::signal::Signal;

use super::list::cli;
use crate::support::cli::Cli;

/// Returns the directory of the user's own file.
fn directory(cli: &Cli) -> PathBuf {
    cli.directory().join("home/.config/cki")
}

fn own(cli: &Cli) -> String {
    std::fs::read_to_string(directory(cli).join("cki.toml")).unwrap_or_default()
}

#[test]
fn config_sets_gets_and_removes_settings_of_the_user() {
    let cli = Cli::new();
    cli.run("config get color").ends_with(0).says("auto");
    cli.run("config set stage.bot someone").ends_with(0).says("Changed `stage.bot` in ");
    cli.run("config get stage.bot").ends_with(0).says("someone");
    assert_eq!(own(&cli), "[stage]\nbot = \"someone\"\n");
    let path = cli.run("config path").ends_with(0).stdout;
    assert_eq!(path.trim_end(), directory(&cli).join("cki.toml").display().to_string());
    cli.call("config set stage.bot me")
        .set("CKI_STAGE_BOT", "other")
        .end()
        .ends_with(0)
        .says("warning: It has no effect here: CKI_STAGE_BOT sets `stage.bot`.");
    cli.run("config unset stage.bot").ends_with(0);
    cli.run("config get workspace").ends_with(3).says("error: `workspace` has no value.");
    assert_snapshot!(cli.run("config set stage.bott x"), @"
    --- stderr
    error: there is no setting `stage.bott`.
    hint: did you mean `stage.bot` or `stage.context` or `stage.timeout`?
    --- exit 3
    ");
    assert_snapshot!(cli.run("config set gitlab.token glpat-x"), @"
    --- stderr
    error: `gitlab.token` is a secret, which other users would see on the command line.
    hint: write it with `cki config edit`, or set `gitlab.token_command` to a command that prints it.
    --- exit 7
    ");
    assert_snapshot!(cli.run("config set engine rkt"), @"
    --- stderr
    error: `cki config set`: `engine` cannot be `rkt`: it is one of auto, docker, podman, native.
    hint: `cki help settings` describes the settings.
    --- exit 4
    ");
}

#[test]
fn config_edit_replaces_the_file_only_with_a_valid_one() {
    let cli = Cli::new();
    cli.run("config set engine podman").ends_with(0);
    let edit = |with: &str| cli.call("config edit").set("EDITOR", with).end();
    edit("sed -i s/podman/docker/").ends_with(0).says("Changed ");
    assert_eq!(own(&cli), "engine = \"docker\"\n");
    edit("sed -i s/docker/rkt/").ends_with(4).says("`engine` cannot be `rkt`");
    edit("sed -i s/=/==/").ends_with(4).says("cki.toml:1:9");
    edit("false").ends_with(1).says("hint: nothing was changed.");
    edit("true").ends_with(0).says("Nothing was changed.");
    edit("no-such-editor").ends_with(3).says("there is no editor `no-such-editor`");
    assert_eq!(own(&cli), "engine = \"docker\"\n");
    let files: Vec<_> = std::fs::read_dir(directory(&cli)).expect("is there").collect();
    assert_eq!(files.len(), 1, "no copy is left");
}

#[test]
fn config_edit_leaves_no_copy_when_a_signal_ends_it() {
    let cli = Cli::new();
    cli.run("config set engine podman").ends_with(0);
    let temporary = cli.directory().join("scratch");
    std::fs::create_dir(&temporary).expect("makes");
    let copies = || std::fs::read_dir(&temporary).expect("is there").count();
    let edit = || {
        let editor = "sh -c 'echo sec''ret >> \"$0\"; echo edi''ting >&2; exec sleep 1000'";
        let mut edit = cli.call("config edit").set("EDITOR", editor).set("TMPDIR", &temporary).start();
        edit.until("editing");
        assert_eq!(copies(), 1);
        edit
    };
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let edit = edit();
        edit.signal(signal);
        edit.end().ends_with(code).says("nothing was done");
        assert_eq!(copies(), 0, "{signal}");
    }
    let killed = edit();
    killed.signal(Signal::SIGKILL);
    killed.end();
    assert_eq!(copies(), 1);
    cli.call("gc").set("TMPDIR", &temporary).end().ends_with(0).says("Removed 1 thing.");
    assert_eq!((copies(), own(&cli).as_str()), (0, "engine = \"podman\"\n"));
    let files: Vec<_> = std::fs::read_dir(directory(&cli)).expect("is there").collect();
    assert_eq!(files.len(), 1, "no copy is left");
}

#[test]
fn config_prints_the_origin_of_each_setting() {
    let mut cli = cli();
    cli.set("CKI_ENGINE", "podman");
    cli.set("CKI_GITLAB_TOKEN", "glpat-very-secret");
    cli.write(
        "../home/.config/cki/cki.toml",
        "workspace = \"work\"\njobs = 2\n[gitlab]\ntoken_command = \"pass show gitlab\"\n",
    );
    cli.write("cki.toml", "inventory = \"inventory.yaml\"\njobs = 3\n\n[run]\nready_timeout = 5\n");
    assert_snapshot!(cli.run("config --color never"), @"
    SETTING               VALUE                                   FROM                                         MEANING
    inventory             /tmp/cki-TESTID/project/inventory.yaml  /tmp/cki-TESTID/project/cki.toml:1           The inventory: a directory, a file, a git repository, `default`, or a list of these. Without it, the built-in one.
    workspace             /tmp/cki-TESTID/home/.config/cki/work   /tmp/cki-TESTID/home/.config/cki/cki.toml:1  The directory for clones. Without it, `cki` in the home directory.
    templates             –                                       –                                            A directory whose files replace built-in templates of the same path, but not the inventory.
    engine                podman                                  CKI_ENGINE                                   What runs components.
    output                text                                    default                                      The form of results.
    color                 never                                   --color                                      Whether to use colour.
    offline               false                                   default                                      Connect to nothing but this machine.
    jobs                  3                                       /tmp/cki-TESTID/project/cki.toml:2           How many repositories are cloned at the same time.
    ca_file               –                                       –                                            Additional certificates of authorities, in PEM form.
    gitlab.url            https://gitlab.com                      default                                      The GitLab server for staging requests.
    gitlab.token          ••••••••                                CKI_GITLAB_TOKEN                             The access token for it. Only you may read a file of yours that holds it.
    gitlab.token_file     –                                       –                                            A file with the token, readable by its owner only.
    gitlab.token_command  pass show gitlab                        /tmp/cki-TESTID/home/.config/cki/cki.toml:4  A command that prints the token.
    merge_request_ref     refs/merge-requests/{n}/head            default                                      Where a server keeps the head of merge request `{n}`.
    image_tag             latest                                  default                                      The tag of published images to run.
    run.ready_timeout     5                                       /tmp/cki-TESTID/project/cki.toml:5           Seconds until something that is not ready counts as failed.
    run.stop_grace        10                                      default                                      Seconds between asking a component to stop and killing it.
    run.memory            4GiB                                    default                                      Memory that a component may use unless its entry says otherwise.
    stage.bot             cki-ci-bot                              default                                      The user name of the bot that stages merge requests.
    stage.timeout         360                                     default                                      Minutes until a staging request that has not ended is given up.
    stage.context         –                                       –                                            The context of `kubectl` that is meant for staging. Without it, the one that the inventory names.
    stage.namespace       –                                       –                                            The namespace that is meant for staging. Without it, the one that the inventory names.
    stage.kubectl         –                                       –                                            The program that talks to the cluster. Without it, `kubectl`, else `oc`.
    stage.interval        5                                       default                                      Maximum seconds between two looks at a staging request.
    production.context    –                                       –                                            The context of `kubectl` that leads to production. `cki rollback` changes it on request, and `cki stage` refuses it.
    production.namespace  –                                       –                                            The namespace of production in that context.
    production.quiet      –                                       –                                            Times in which `cki rollback` asks once more before it changes production: `fri, 16:00-09:00`.
    --- exit 0
    ");
    let config = cli.run("config -o json").ends_with(0).json();
    let setting = |name: &str| {
        let all = config["settings"].as_array().expect("is a list");
        all.iter().find(|one| one["name"] == name).expect("is there").clone()
    };
    assert_eq!(setting("gitlab.token")["value"], "••••••••");
    assert_eq!(setting("jobs")["variable"], "CKI_JOBS");
    assert!(setting("output")["origin"] == "--output" && setting("templates")["value"].is_null());
}

#[test]
fn config_warns_of_unknown_settings() {
    let mut cli = Cli::new();
    cli.write("cki.toml", "colour = \"never\"\n[stage]\nbto = \"x\"\n");
    cli.set("CKI_WORKSPCE", "/x");
    cli.set("CKI_DEPLOYMENT_ENVIRONMENT", "of a component");
    assert_snapshot!(cli.run("list -q kind=none"), @"
    --- stderr
    warning: /tmp/cki-TESTID/project/cki.toml:1:1: there is no setting `colour`. Did you mean `color`?
    warning: /tmp/cki-TESTID/project/cki.toml:3:1: there is no setting `stage.bto`. Did you mean `stage.bot`?
    warning: There is no setting `CKI_WORKSPCE`. Did you mean `CKI_WORKSPACE`?
    warning: no component has the kind `none`; there is `cronjob` and `service`.
    --- exit 0
    ");
}

#[test]
fn config_errors_name_file_and_line() {
    let cli = Cli::new();
    for text in
        ["jobs = 0", "[gitlab]\nurl = \"ftp://x\"", "jobs = [1]", "engine = \"vm\"", "[run\n", "a = 1\na = 2"]
    {
        cli.write("cki.toml", text);
        cli.run("list").ends_with(4);
    }
    cli.write("cki.toml", "# a comment\n  [run\n");
    assert_snapshot!(cli.run("list"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/cki.toml:2:7: unclosed table, expected `]`.
    hint: `cki help settings` describes the settings.
    --- exit 4
    ");
    cli.write("cki.toml", "\n[stage]\ninterval = \"often\"\n");
    assert_snapshot!(cli.run("list"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/cki.toml:3:12: `stage.interval` cannot be `often`: it is a whole number from 1 to 9999.
    hint: `cki help settings` describes the settings.
    --- exit 4
    ");
    cli.write("cki.toml", "[gitlab]\ntoken_command = \"curl evil.example.org\"\n");
    assert_snapshot!(cli.run("list"), @"
    --- stderr
    error: /tmp/cki-TESTID/project/cki.toml:2:1: a project's file may not set `gitlab.token_command`; only your own may.
    hint: move `gitlab.token_command` to `cki.toml` in your own configuration directory.
    --- exit 4
    ");
}

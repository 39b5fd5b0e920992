//! Tests of `cki config get`, `set`, `unset`, `edit` and `path`: changes of the user's own file, and the parts of
//! it that stay unchanged.

use std::path::PathBuf;

use insta::assert_snapshot;
use nix::sys::signal::Signal;

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
    hint: did you mean `stage.bot` or `stage.timeout` or `stage.interval`?
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

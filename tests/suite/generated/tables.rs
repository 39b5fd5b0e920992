//! The reference of the settings and of the exit codes, each from the one table of the program.

use std::fmt::Write as _;

use cki::base::exit::Exit;
use cki::config::{KEYS, SettingKind};

use super::{golden, head};

/// A file with settings, as one may look.
const EXAMPLE: &str = "\
engine = \"podman\"
jobs = 4

[gitlab]
token_command = \"secret-tool lookup service gitlab.com\"
";

/// The section on tokens.
const TOKENS: &str = "
## Sources of tokens

The first source that has a token for the server of a command is used. `cki auth status` shows which one
that is.

1. `gitlab.token`, then `gitlab.token_file`, for the server in `gitlab.url`.
2. The [environment](environment.md#gitlab): `GITLAB_TOKENS`, `GITLAB_TOKEN`, `CI_JOB_TOKEN`.
3. `gitlab.token_command`, for the server in `gitlab.url`.
4. The login that `cki login` keeps: in the desktop keyring, else in `cki/logins.json` in
   `$XDG_STATE_HOME` (without that variable, `~/.local/state`).
5. The login of `glab`, in its own configuration.

A token goes only to the server that it belongs to, by scheme, host and port, and only over TLS or within
this machine.
";

#[test]
fn settings_reference_is_up_to_date() {
    let mut text = head("Settings");
    text.push_str(
        "
Settings come in layers: the compiled-in default, your own file, the project's file, the environment,
flags. A higher layer wins, and `cki config` shows every value with the place it comes from.

- Your own file is `$XDG_CONFIG_HOME/cki/cki.toml`, without that variable `~/.config/cki/cki.toml`.
- A project's file is `cki.toml` in the working directory, or in the nearest directory above it that has
  one. It may not set what is marked as personal; and your token is not sent to a server that only a
  project's file names.
- A dot in a name stands for a table: `stage.bot` is `bot` in `[stage]`.
- A relative path counts from the file that names it, elsewhere from the working directory. On the
  command line and in a variable, a path need not be UTF-8; every other value is.

An unknown setting is a warning, a value that cannot be is an error; both name file and line.

```toml
",
    );
    text.push_str(EXAMPLE);
    text.push_str(
        "```

| setting | value | default | variable | meaning |
|---|---|---|---|---|
",
    );
    for key in KEYS {
        let kind = match key.kind {
            SettingKind::Text => "text".to_owned(),
            SettingKind::Path => "path".to_owned(),
            SettingKind::Sources => "source, or a list".to_owned(),
            SettingKind::Url => "address".to_owned(),
            SettingKind::Bool => "`true`, `false`".to_owned(),
            SettingKind::Number => "1 to 9999".to_owned(),
            SettingKind::Size => "an amount, as `512MiB`".to_owned(),
            SettingKind::Choice(choices) => {
                choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ")
            }
        };
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        let personal = if key.personal { " Personal." } else { "" };
        let _ = writeln!(
            text,
            "| `{}` | {kind} | {default} | `{}` | {}{personal} |",
            key.name,
            key.variable(),
            key.help
        );
    }
    text.push_str(TOKENS);
    golden("docs/reference/settings.md", &text);
}

#[test]
fn settings_example_is_valid() {
    let home = tempfile::tempdir().expect("a temporary directory");
    std::fs::create_dir_all(home.path().join(".config/cki")).expect("makes");
    std::fs::write(home.path().join(".config/cki/cki.toml"), EXAMPLE).expect("writes");
    let env = crate::support::clean_env(home.path());
    let config = cki::config::Config::load(&env, home.path(), []).expect("is valid");
    assert_eq!(config.warnings, Vec::<String>::new());
    assert_eq!(config.get("jobs").map(|value| value.text).as_deref(), Some("4"));
}

#[test]
fn exit_code_reference_is_up_to_date() {
    let mut text = head("Exit codes");
    text.push_str("\nThey are a promise: a script may count on them.\n\n| code | meaning |\n|---|---|\n");
    for (exit, meaning) in Exit::TABLE {
        let _ = writeln!(text, "| {} | {meaning} |", exit.code());
    }
    text.push_str("\n`cki run-local` passes on the exit code of the component, `cki exec` and `cki shell` that of the command,\n`cki demo` that of its command that failed.\n");
    golden("docs/reference/exit-codes.md", &text);
}

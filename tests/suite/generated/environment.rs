//! The reference of the environment variables: those of the settings, and those that the program
//! reads by a name that others have given. That none is left out is found out from the source.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use cki::config::KEYS;
use regex::Regex;

use super::{golden, head};
use crate::house::rust_files;

/// Variables of other projects, by topic.
const OTHERS: [(&str, &[(&str, &str)]); 7] = [
    (
        "Directories",
        &[
            (
                "HOME",
                "Your home directory; if it is empty or relative, that of your account. Without it, `--workspace` must be given.",
            ),
            ("XDG_CONFIG_HOME", "Where your own `cki.toml` is, in `cki/`; else `~/.config`."),
            (
                "XDG_DATA_HOME",
                "Where completion scripts of other programs are looked for; else `~/.local/share`.",
            ),
            ("XDG_STATE_HOME", "What a later command finds again; else `~/.local/state`."),
            (
                "XDG_CACHE_HOME",
                "Copies and caches of inventories, links that were checked, and titles of open merge requests, for completion; else \
                 `~/.cache`.",
            ),
            (
                "XDG_RUNTIME_DIR",
                "Sockets of engines, and what the native engine runs; else a directory of yours in `TMPDIR`.",
            ),
            ("TMPDIR", "Temporary files; else `/tmp`."),
            (
                "PATH",
                "Where `git`, `cpp`, `podman`, package managers and a component's own programs are. `cki` itself looks only in its absolute directories.",
            ),
        ],
    ),
    (
        "Terminal",
        &[
            ("NO_COLOR", "Set to anything, no colour is used."),
            ("CLICOLOR_FORCE", "Set, and not `0`: colour even where there is no terminal."),
            ("CLICOLOR", "`0`: no colour."),
            ("TERM", "`dumb`: no colour, and nothing moves."),
            ("FORCE_HYPERLINK", "`0`: addresses are no links on a terminal; anything else: they are."),
            ("TERM_PROGRAM", "The terminal, if it displays links; so are the next three read."),
            ("VTE_VERSION", "See `TERM_PROGRAM`."),
            ("KONSOLE_VERSION", "See `TERM_PROGRAM`."),
            ("WT_SESSION", "See `TERM_PROGRAM`."),
            ("COLUMNS", "The width, instead of what the terminal says."),
            (
                "LC_ALL",
                "Whether symbols beyond ASCII can be shown; the first of this and the next two that is set.",
            ),
            ("LC_CTYPE", "See `LC_ALL`."),
            ("LANG", "See `LC_ALL`."),
            (
                "SHELL",
                "The shell that `cki doctor` checks and `cki completions` writes for, if none is named.",
            ),
            (
                "BROWSER",
                "Programs of which `cki open` starts the first that is installed, with `:` between; else that of \
                 the desktop (`DISPLAY`, `WAYLAND_DISPLAY`, `WSL_DISTRO_NAME`), unless over SSH \
                 (`SSH_CONNECTION`, `SSH_TTY`).",
            ),
            ("ZDOTDIR", "Where zsh has its own files; else the home directory."),
            ("VISUAL", "The editor of `cki config edit`."),
            ("EDITOR", "The same, if `VISUAL` is not set; else `vi`."),
            (
                "PAGER",
                "The program that shows a long page of `cki help TOPIC`; else `less`, with `LESS=FRX` if `LESS` is not \
                 set. Empty or `cat`: none.",
            ),
        ],
    ),
    (
        "Container engines",
        &[
            ("DOCKER_HOST", "The engine's address: `unix://…` or `tcp://…`. No other is used in its place."),
            ("CONTAINER_HOST", "The same, for Podman."),
            ("DOCKER_CONTEXT", "Which context of Docker's client counts."),
            ("DOCKER_CONFIG", "Where the contexts of Docker's client are; else `~/.docker`."),
            ("DOCKER_TLS_VERIFY", "Set: an engine behind TLS is meant, which is not supported."),
        ],
    ),
    (
        "Network",
        &[
            ("HTTPS_PROXY", "The proxy for `https`; also in lower case. Never used for this machine."),
            ("HTTP_PROXY", "The proxy for `http`; also in lower case."),
            ("ALL_PROXY", "The proxy for both."),
            ("NO_PROXY", "Hosts that are reached without a proxy; also in lower case."),
            (
                "SSL_CERT_FILE",
                "The certificates of authorities, instead of the system's. `ca_file` adds to them.",
            ),
            ("SSL_CERT_DIR", "A directory with such certificates."),
        ],
    ),
    (
        "GitLab",
        &[
            (
                "GITLAB_TOKENS",
                "Tokens of several servers: a JSON object of servers and the names of the variables with their tokens, \
                 as `{\"gitlab.com\": \"COM_GITLAB_TOKEN\"}`.",
            ),
            (
                "GITLAB_TOKEN",
                "A token for the server that `GITLAB_HOST`, `GITLAB_URI`, `GL_HOST` or `CI_SERVER_URL` names; without \
                 them, for that of your own setting `gitlab.url`.",
            ),
            ("CI_JOB_TOKEN", "The token of a CI job, for the server in `CI_SERVER_URL`."),
            ("GLAB_CONFIG_DIR", "Where `glab` has its configuration; else `glab-cli` in `XDG_CONFIG_HOME`."),
            (
                "DBUS_SESSION_BUS_ADDRESS",
                "The session bus with the desktop keyring; else `bus` in `XDG_RUNTIME_DIR`, if there is one.",
            ),
        ],
    ),
    (
        "Git",
        &[
            (
                "GIT_CONFIG_GLOBAL",
                "Your git configuration, read as `git` reads it, whichever way a transfer takes. So are \
                 `GIT_CONFIG_SYSTEM` and `GIT_CONFIG_NOSYSTEM`.",
            ),
            ("GIT_CONFIG_COUNT", "Git settings in `GIT_CONFIG_KEY_0`, `GIT_CONFIG_VALUE_0` and so on."),
            ("GIT_ALLOW_PROTOCOL", "The only protocols by which repositories are reached, with `:` between."),
        ],
    ),
    (
        "The program itself",
        &[
            ("COMPLETE", "Set by the completion scripts: a shell asks what could be typed next."),
            ("RUST_BACKTRACE", "`1`: a bug in `cki` shows where it happened."),
        ],
    ),
];

#[test]
fn environment_reference_is_up_to_date() {
    let mut text = head("Environment variables");
    text.push_str(
        "\n## Settings\n\nEach setting has a variable; what it means is in [settings.md](settings.md).\n\n",
    );
    text.push_str("| variable | setting |\n|---|---|\n");
    for key in KEYS {
        let _ = writeln!(text, "| `{}` | `{}` |", key.variable(), key.name);
    }
    for (title, variables) in OTHERS {
        let _ = write!(text, "\n## {title}\n\n| variable | meaning |\n|---|---|\n");
        for (name, meaning) in variables {
            let _ = writeln!(text, "| `{name}` | {meaning} |");
        }
    }
    text.push_str(
        "\nA component that runs locally inherits none of this but `PATH`, `TERM` and the locale, and only
outside a container. `cki env COMPONENT --explain` shows what it gets, and why.\n",
    );
    golden("docs/reference/environment.md", &text);
}

#[test]
fn environment_reference_describes_every_variable() {
    let lookup = Regex::new(r#"\b(?:get|get_os|xdg|absolute|directory)\(\s*"([A-Z][A-Z0-9_]{2,})""#)
        .expect("is valid");
    let described: BTreeSet<&str> =
        OTHERS.iter().flat_map(|(_, variables)| variables.iter().map(|(name, _)| *name)).collect();
    let mut without = BTreeSet::new();
    for (path, source) in rust_files("src") {
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        for found in lookup.captures_iter(code) {
            if !described.contains(&found[1]) {
                without.insert(format!("{} in src/{}", &found[1], path.display()));
            }
        }
    }
    assert!(without.is_empty(), "tests/suite/generated/environment.rs says nothing about: {without:?}");
}

//! Every setting: one table, from which the environment variables, the checks and the reference in `docs/`
//! are derived. Typed values are in `settings`.

use crate::base::text;
use crate::model::inventory::Memory;

/// Type of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    /// Any text.
    Text,
    /// A file or directory; relative to the file that names it, or to the working directory.
    Path,
    /// Sources of an inventory, in order: one text, or a list.
    Sources,
    /// An address that begins with `http://` or `https://`.
    Url,
    /// `true` or `false`.
    Bool,
    /// A whole number from 1 to 9999.
    Number,
    /// An amount of memory: `512MiB`.
    Size,
    /// One of these.
    Choice(&'static [&'static str]),
}

impl SettingKind {
    /// Returns the value as settings keep it. The error says what the value has to be.
    pub(super) fn read(self, value: &str) -> Result<String, String> {
        match self {
            Self::Text | Self::Path | Self::Sources => Ok(value.to_owned()),
            Self::Url if value.starts_with("http://") || value.starts_with("https://") => {
                Ok(value.trim_end_matches('/').to_owned())
            }
            Self::Url => Err("it begins with `http://` or `https://`".to_owned()),
            Self::Bool => {
                text::truth(value).map(|truth| truth.to_string()).ok_or_else(|| text::TRUTHS.to_owned())
            }
            Self::Number => match value.parse::<u16>() {
                Ok(number @ 1..=9999) => Ok(number.to_string()),
                _ => Err("it is a whole number from 1 to 9999".to_owned()),
            },
            Self::Size if Memory::parse(value).is_some() => Ok(value.to_owned()),
            Self::Size => Err("it is like `512MiB`, and 8 MiB at least".to_owned()),
            Self::Choice(choices) => {
                let value = value.to_ascii_lowercase();
                match choices.contains(&value.as_str()) {
                    true => Ok(value),
                    false => Err(format!("it is one of {}", choices.join(", "))),
                }
            }
        }
    }
}

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Name in `cki.toml`: `stage.bot` stands for `bot` in the table `[stage]`.
    pub name: &'static str,
    /// Type of its value.
    pub kind: SettingKind,
    /// Compiled-in value; empty for none.
    pub default: &'static str,
    /// The value is never shown.
    pub secret: bool,
    /// Only the user's own file, environment and flags may set it: a project comes from other people.
    pub personal: bool,
    /// The one value that only the user's own file, environment and flags may set.
    pub personal_values: &'static [&'static str],
    /// Decides what runs, is sent, or is written: a project's file may set it once its directory is
    /// trusted.
    pub decisive: bool,
    /// Description, as a sentence.
    pub help: &'static str,
}

impl Key {
    /// Returns the environment variable: `CKI_STAGE_BOT`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("CKI_{}", self.name.replace('.', "_").to_uppercase())
    }
}

const fn key(name: &'static str, kind: SettingKind, default: &'static str, help: &'static str) -> Key {
    Key { name, kind, default, secret: false, personal: false, personal_values: &[], decisive: false, help }
}

const fn decisive(key: Key) -> Key {
    Key { decisive: true, ..key }
}

const fn personal(key: Key) -> Key {
    Key { personal: true, ..key }
}

const fn secret(key: Key) -> Key {
    Key { secret: true, ..key }
}

/// All settings, in the order in which they are shown.
pub const KEYS: &[Key] = &[
    decisive(key(
        "inventory",
        SettingKind::Sources,
        "",
        "The inventory: a directory, a file, a git repository, `default`, or a list of these. Without it, the built-in one.",
    )),
    decisive(key(
        "workspace",
        SettingKind::Path,
        "",
        "The directory for clones. Without it, `cki` in the home directory.",
    )),
    decisive(key(
        "templates",
        SettingKind::Path,
        "",
        "A directory whose files replace built-in templates of the same path, but not the inventory.",
    )),
    Key {
        // `auto` falls back to processes.
        personal_values: &["native", "auto"],
        ..decisive(key(
            "engine",
            SettingKind::Choice(&["auto", "docker", "podman", "native"]),
            "auto",
            "What runs components.",
        ))
    },
    key("output", SettingKind::Choice(&["text", "json", "yaml"]), "text", "The form of results."),
    key("color", SettingKind::Choice(&["auto", "always", "never"]), "auto", "Whether to use colour."),
    Key {
        personal_values: &["false"],
        ..key("offline", SettingKind::Bool, "false", "Connect to nothing but this machine.")
    },
    key("jobs", SettingKind::Number, "8", "How many repositories are cloned at the same time."),
    decisive(key("ca_file", SettingKind::Path, "", "Additional certificates of authorities, in PEM form.")),
    decisive(key(
        "gitlab.url",
        SettingKind::Url,
        "https://gitlab.com",
        "The GitLab server for staging requests.",
    )),
    decisive(secret(key(
        "gitlab.token",
        SettingKind::Text,
        "",
        "The access token for it. Only you may read a file of yours that holds it.",
    ))),
    personal(key(
        "gitlab.token_file",
        SettingKind::Path,
        "",
        "A file with the token, readable by its owner only.",
    )),
    personal(key("gitlab.token_command", SettingKind::Text, "", "A command that prints the token.")),
    decisive(key(
        "merge_request_ref",
        SettingKind::Text,
        "refs/merge-requests/{n}/head",
        "Where a server keeps the head of merge request `{n}`.",
    )),
    decisive(key("image_tag", SettingKind::Text, "latest", "The tag of published images to run.")),
    key(
        "run.ready_timeout",
        SettingKind::Number,
        "120",
        "Seconds until something that is not ready counts as failed.",
    ),
    key(
        "run.stop_grace",
        SettingKind::Number,
        "10",
        "Seconds between asking a component to stop and killing it.",
    ),
    key(
        "run.memory",
        SettingKind::Size,
        "4GiB",
        "Memory that a component may use unless its entry says otherwise.",
    ),
    decisive(key(
        "stage.bot",
        SettingKind::Text,
        "cki-ci-bot",
        "The user name of the bot that stages merge requests.",
    )),
    key(
        "stage.timeout",
        SettingKind::Number,
        "360",
        "Minutes until a staging request that has not ended is given up.",
    ),
    decisive(key(
        "stage.context",
        SettingKind::Text,
        "",
        "The context of `kubectl` that is meant for staging. Without it, the one that the inventory names.",
    )),
    decisive(key(
        "stage.namespace",
        SettingKind::Text,
        "",
        "The namespace that is meant for staging. Without it, the one that the inventory names.",
    )),
    personal(key(
        "stage.kubectl",
        SettingKind::Text,
        "",
        "The program that talks to the cluster. Without it, `kubectl`, else `oc`.",
    )),
    key(
        "stage.interval",
        SettingKind::Number,
        "5",
        "Maximum seconds between two looks at a staging request.",
    ),
    personal(key(
        "production.context",
        SettingKind::Text,
        "",
        "The context of `kubectl` that leads to production. `cki rollback` changes it on request, and `cki stage` refuses it.",
    )),
    personal(key(
        "production.namespace",
        SettingKind::Text,
        "",
        "The namespace of production in that context.",
    )),
    personal(key(
        "production.quiet",
        SettingKind::Text,
        "",
        "Times in which `cki rollback` asks once more before it changes production: `fri, 16:00-09:00`.",
    )),
];

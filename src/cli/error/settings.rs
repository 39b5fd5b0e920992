//! Hints and exit codes of errors of settings: their files, edits of them, and trust.

use std::path::Path;

use super::diagnosis::{Diagnosis, did_you_mean, hint, plain};
use super::systems::of_file;
use crate::base::exit::Exit;
use crate::config::ConfigError;
use crate::config::edit::EditError;
use crate::ops::trust::TrustError;
use crate::systems::editor::EditorError;

pub(super) fn of_config(error: &ConfigError) -> Diagnosis {
    match error {
        ConfigError::Personal { key, .. } => {
            hint(Exit::Invalid, format!("move `{key}` to `cki.toml` in your own configuration directory."))
        }
        ConfigError::File(_) | ConfigError::Toml { .. } | ConfigError::SettingValue { .. } => {
            hint(Exit::Invalid, "`cki help settings` describes the settings.")
        }
    }
}

pub(super) fn of_edit(error: &EditError) -> Diagnosis {
    match error {
        EditError::Unknown { nearest, .. } => {
            hint(Exit::NotFound, did_you_mean(nearest, "`cki config` shows all settings."))
        }
        EditError::NoValue(name) => hint(
            Exit::NotFound,
            format!("`cki config set {name} VALUE` sets it; `cki help settings` describes it."),
        ),
        EditError::Secret(_) => hint(
            Exit::Refused,
            "write it with `cki config edit`, or set `gitlab.token_command` to a command that prints it.",
        ),
        EditError::NoDirectory => hint(Exit::Invalid, "set `HOME`."),
        EditError::NoTable { .. } => hint(Exit::Invalid, "`cki config edit` mends the file."),
        EditError::Config(inner) => of_config(inner),
        EditError::File(inner) => of_file(inner),
    }
}

pub(super) fn of_editor(error: &EditorError) -> Diagnosis {
    match error {
        EditorError::Words { .. } | EditorError::Missing(_) | EditorError::Start { .. } => {
            hint(Exit::NotFound, "set `VISUAL` or `EDITOR` to an editor of yours.")
        }
        EditorError::Failed { .. } => hint(Exit::Failed, "nothing was changed."),
    }
}

pub(super) fn of_trust(error: &TrustError) -> Diagnosis {
    let trust = |file: &Path| {
        let directory = file.parent().unwrap_or(file).display().to_string();
        format!("`cki trust {}`", shell_words::quote(&directory))
    };
    match error {
        TrustError::Untrusted { file, .. } => {
            hint(Exit::Refused, format!("read these files, then {} lets them decide.", trust(file)))
        }
        TrustError::NoProject(_) => {
            hint(Exit::NotFound, "`cki config` shows which files the settings come from.")
        }
        TrustError::NoState => hint(
            Exit::Invalid,
            "set `XDG_STATE_HOME`, or name the inventory for this call with `--inventory`.",
        ),
        TrustError::Named { .. } => {
            hint(Exit::Invalid, "make it readable, or name another place in that file.")
        }
        TrustError::Distrusted { path, why, .. } => match why.remedy(path) {
            Some(words) => {
                hint(Exit::Invalid, format!("if its content is yours, `{}`.", shell_words::join(words)))
            }
            None => plain(Exit::Invalid),
        },
        TrustError::Unchecked { .. } => {
            hint(Exit::Invalid, "run the command again when nothing changes these files.")
        }
        TrustError::File(inner) if ["create", "write", "remove"].contains(&inner.verb) => {
            hint(of_file(inner).exit, "set `XDG_STATE_HOME` to a directory that you can write to.")
        }
        TrustError::File(inner) => of_file(inner),
    }
}

//! The one place where an error becomes an exit code, and gets its hints: what to type next.

use crate::base::exit::Exit;
use crate::base::files::FileError;
use crate::base::http::HttpError;
use crate::base::text;
use crate::config::ConfigError;
use crate::model::environment::EnvironmentError;
use crate::model::inventory::LookupError;
use crate::ops::env::EnvError;
use crate::ops::inventory::LoadError;
use crate::ops::needs::NeedError;
use crate::ui::Ui;

/// A command line that makes no sense although its parts do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct UsageError(pub(super) String);

/// What an error means for the person who sees it.
struct Meaning {
    exit: Exit,
    hints: Vec<String>,
}

fn plain(exit: Exit) -> Meaning {
    Meaning { exit, hints: Vec::new() }
}

fn hint(exit: Exit, hint: impl Into<String>) -> Meaning {
    Meaning { exit, hints: vec![hint.into()] }
}

/// Prints an error with its causes and hints.
pub(super) fn report(ui: &Ui, error: &anyhow::Error) -> Exit {
    let meaning = meaning(error);
    let safe = |text: String| text::safe_line(&text.replace('\n', " ")).into_owned();
    let message = sentence(safe(error.to_string()));
    let mut causes: Vec<String> = Vec::new();
    let mut before = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // A transparent error says the same as its cause.
        if cause != before && !before.contains(&cause) {
            causes.push(sentence(safe(cause.clone())));
        }
        before = cause;
    }
    ui.error(&message, &causes, &meaning.hints);
    meaning.exit
}

fn sentence(text: String) -> String {
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

fn did_you_mean(nearest: &[String], otherwise: &str) -> String {
    match nearest {
        [] => otherwise.to_owned(),
        names => {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("did you mean {}?", names.join(" or "))
        }
    }
}

/// The first cause that says what kind of error it is. An error that only wraps another one does not
/// show that one as its cause, so each enum looks into its own wrappers.
fn meaning(error: &anyhow::Error) -> Meaning {
    error.chain().find_map(of_cause).unwrap_or_else(|| {
        hint(Exit::Bug, "this error is not one that `cki` knows; please report it with the command.")
    })
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Meaning> {
    macro_rules! when {
        ($($type:ty => $meaning:expr),+ $(,)?) => {
            $(if let Some(error) = cause.downcast_ref::<$type>() {
                let meaning: fn(&$type) -> Option<Meaning> = $meaning;
                if let Some(meaning) = meaning(error) {
                    return Some(meaning);
                }
            })+
        };
    }
    when! {
        UsageError => |_| Some(hint(Exit::Usage, "`cki help` and `cki help COMMAND` show what there is.")),
        LookupError => |error| Some(of_lookup(error)),
        LoadError => |error| Some(of_load(error)),
        ConfigError => |error| Some(of_config(error)),
        EnvError => |error| Some(of_env(error)),
        EnvironmentError => |error| Some(of_environment(error)),
        NeedError => |error| Some(of_need(error)),
        HttpError => |_| Some(hint(Exit::Unreachable, "install the package `ca-certificates`, or name a file with `ca_file` in `cki.toml`.")),
        FileError => |error| Some(of_file(error)),
    }
    None
}

fn of_file(error: &FileError) -> Meaning {
    plain(if error.is_missing() { Exit::NotFound } else { Exit::Failed })
}

fn of_lookup(error: &LookupError) -> Meaning {
    match error {
        LookupError::Unknown { nearest, .. } => {
            hint(Exit::NotFound, did_you_mean(nearest, "`cki list` shows all components."))
        }
        LookupError::Ambiguous { candidates, .. } => {
            let first = candidates.first().map(String::as_str).unwrap_or_default();
            hint(Exit::NotFound, format!("say which one, as in `{first}`."))
        }
    }
}

fn of_load(error: &LoadError) -> Meaning {
    match error {
        LoadError::Missing(_) => hint(
            Exit::NotFound,
            "without `--inventory`, the built-in inventory is used; `cki config` shows who named this one.",
        ),
        LoadError::File(_) => plain(Exit::Invalid),
        LoadError::Inventory(_) => {
            hint(Exit::Invalid, "the format is described in docs/reference/inventory.md.")
        }
    }
}

fn of_config(error: &ConfigError) -> Meaning {
    match error {
        ConfigError::NoHome => hint(Exit::Invalid, "name a folder with `--workspace`."),
        ConfigError::Personal { key, .. } => {
            hint(Exit::Invalid, format!("move `{key}` to `cki.toml` in your own configuration folder."))
        }
        _ => hint(Exit::Invalid, "the settings are described in docs/reference/settings.md."),
    }
}

fn of_env(error: &EnvError) -> Meaning {
    match error {
        EnvError::Lacking { variables, .. } => {
            let flags: Vec<String> = variables.iter().map(|(name, _)| format!("-e {name}=…")).collect();
            let place = variables.first().map(|(_, place)| place.as_str()).unwrap_or_default();
            hint(Exit::Invalid, format!("give `{}`, or a default at {place}.", flags.join(" ")))
        }
        EnvError::Assignment { .. } => hint(Exit::Usage, "write `NAME=VALUE`; `#` begins a comment."),
        EnvError::Need(inner) => of_need(inner),
        EnvError::Environment(inner) => of_environment(inner),
        EnvError::File(inner) => of_file(inner),
    }
}

fn of_environment(error: &EnvironmentError) -> Meaning {
    match error {
        EnvironmentError::Locked { name, .. } => hint(
            Exit::Refused,
            format!("leave `{name}` out: a local run never claims production, and nothing overrides that."),
        ),
        EnvironmentError::Rule(_) => plain(Exit::Invalid),
    }
}

fn of_need(error: &NeedError) -> Meaning {
    match error {
        NeedError::Unknown { nearest, .. } => {
            hint(Exit::Invalid, did_you_mean(nearest, "a backing service is a file in `templates/services`."))
        }
        _ => plain(Exit::Invalid),
    }
}

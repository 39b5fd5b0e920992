//! The one mapping from errors to exit codes and hints, which say what to type next.

mod cluster;
mod deployment;
mod diagnosis;
mod draft;
mod environment;
mod inventory;
mod kubernetes;
mod login;
mod rfc;
mod rollback;
mod running;
mod settings;
mod site;
mod staging;
mod systems;
mod typed;
mod unconfirmed;
pub(super) mod usage;

use std::ffi::OsString;

use clap::Command;

use crate::base::exit::Exit;
use crate::base::files::FileError;
use crate::base::http::HttpError;
use crate::base::text;
use crate::config::ConfigError;
use crate::config::edit::EditError;
use crate::host::DELETED_DIRECTORY;
use crate::host::browser::BrowserError;
use crate::model::environment::EnvironmentError;
use crate::model::guard::PolicyViolation;
use crate::model::inventory::{ChoiceError, LookupError, SelectorError};
use crate::model::staging::StagingError;
use crate::ops::build::BuildError;
use crate::ops::clone::CloneError;
use crate::ops::clone::source::SourceError;
use crate::ops::draft::DraftError;
use crate::ops::env::EnvError;
use crate::ops::graph::GraphError;
use crate::ops::init::InitError;
use crate::ops::inventory::check::UnreadableInventory;
use crate::ops::inventory::new::NewEntryError;
use crate::ops::inventory::site::SiteDirectoryError;
use crate::ops::inventory::sync::SyncError;
use crate::ops::login::LoginError;
use crate::ops::mock_services::ListenError;
use crate::ops::rfc::RfcError;
use crate::ops::rollback::{ImageError, RollbackError};
use crate::ops::run_local::RunError;
use crate::ops::runtime::engine::OpenError;
use crate::ops::runtime::error::{InstanceError, StartError};
use crate::ops::scan::ScanError;
use crate::ops::shared::deployment::DeployedError;
use crate::ops::shared::inventory::LoadError;
use crate::ops::shared::need_error::NeedError;
use crate::ops::shared::run_policy::RunPolicyError;
use crate::ops::shared::token::TokenError;
use crate::ops::stage::kubernetes::ReleaseStageError;
use crate::ops::stage::{CancelError, NoteError, StageError, TargetError};
use crate::ops::trust::TrustError;
use crate::ops::unstage::RemovalChanged;
use crate::report::site::SiteError;
use crate::report::staging::PageError;
use crate::systems::editor::EditorError;
use crate::systems::engine::EngineError;
use crate::systems::file_watcher::ChangeError;
use crate::systems::git::GitError;
use crate::systems::gitlab::GitLabError;
use crate::systems::kubectl::KubectlError;
use crate::systems::native::NativeError;
use crate::systems::preprocessor::PreprocessError;
use crate::systems::registry::RegistryError;
use crate::systems::shell::ShellError;
use crate::ui::Ui;
use crate::ui::prompt::Unconfirmed;
use cluster::of_kubectl;
use diagnosis::{Diagnosis, did_you_mean, hint, plain};
pub(super) use diagnosis::{UsageError, commit_or_stash};
use draft::{of_draft, of_init, of_scan};
use environment::{SERVICES, of_env, of_environment, of_need, of_refusal, of_rules};
use inventory::{of_load, of_new, of_sync, of_unreadable};
use kubernetes::{of_registry, of_release, of_removal};
use login::{of_login, of_token};
use rfc::of_rfc;
use rollback::{of_image, of_rollback};
use running::{of_build, of_instance, of_open, of_run, of_start};
use settings::{of_config, of_edit, of_editor, of_trust};
use site::{of_site, of_site_directory};
use staging::{of_cancel, of_note, of_page, of_stage, of_staging, of_target};
use systems::{
    of_change, of_engine, of_file, of_git, of_gitlab, of_native, of_port, of_preprocess, of_source,
};
pub(super) use systems::{of_left_alone, of_worst};
use typed::TypedSecrets;
use unconfirmed::report_unconfirmed;

/// Prints an error with its causes and hints, and returns its exit code.
/// `typed` is the tree of commands with what the user typed, and `command` that up to the command: `cki list`.
pub(super) fn report(
    ui: &Ui,
    error: &anyhow::Error,
    typed: (fn() -> Command, &[OsString]),
    command: impl FnOnce() -> String,
) -> Exit {
    if let Some(unconfirmed) = error.downcast_ref::<Unconfirmed>() {
        return report_unconfirmed(ui, *unconfirmed);
    }
    let meaning = meaning(error);
    // Mask first, so that no later change of the text hides a secret from masking.
    let secrets = TypedSecrets::of(typed.1);
    let safe =
        |text: String| text::safe_line(&secrets.mask(&ui.masked(&text)).replace('\n', " ")).into_owned();
    let message = sentence(safe(error.to_string()));
    let mut causes: Vec<String> = Vec::new();
    let mut before = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // A transparent error has the same message as its cause.
        if cause != before && !before.contains(&cause) {
            causes.push(sentence(safe(cause.clone())));
        }
        before = cause;
    }
    let mut hints = meaning.hints;
    if error.is::<UsageError>() {
        hints.push(format!("`{} --help` shows its usage.", command()));
    } else if let Some(error) = error.chain().find_map(|cause| cause.downcast_ref::<InstanceError>()) {
        hints.extend(running::which_one(error, typed));
    }
    if causes.iter().chain([&message]).any(|text| text.contains(DELETED_DIRECTORY)) {
        // No other hint can be followed there.
        hints = vec!["the working directory was deleted: `cd` to one that exists.".to_owned()];
    }
    let hints: Vec<String> = hints.iter().map(|hint| secrets.mask(hint)).collect();
    ui.error(&message, &causes, &hints);
    meaning.exit
}

/// Returns the exit code of an error.
pub(super) fn exit_of(error: &anyhow::Error) -> Exit {
    meaning(error).exit
}

/// Returns the exit code of a release that is not followed further because of an error.
pub(super) fn of_lost(error: &ReleaseStageError) -> Exit {
    of_release(error).exit
}

fn sentence(text: String) -> String {
    if text.ends_with(['.', '!', '?']) { text } else { format!("{text}.") }
}

/// Returns the diagnosis of the first cause with a known type. A transparent wrapper does not expose the
/// wrapped error as its cause, so each enum looks into its own wrappers.
fn meaning(error: &anyhow::Error) -> Diagnosis {
    error.chain().find_map(of_cause).unwrap_or_else(|| {
        hint(Exit::Bug, "this error is not one that `cki` knows; please report it with the command.")
    })
}

fn of_cause(cause: &(dyn std::error::Error + 'static)) -> Option<Diagnosis> {
    macro_rules! when {
        ($($type:ty => $meaning:expr),+ $(,)?) => {
            $(if let Some(error) = cause.downcast_ref::<$type>() {
                let meaning: fn(&$type) -> Option<Diagnosis> = $meaning;
                if let Some(meaning) = meaning(error) {
                    return Some(meaning);
                }
            })+
        };
    }
    when! {
        UsageError => |_| Some(plain(Exit::Usage)),
        CloneError => |error| Some(of_clone(error)),
        LookupError => |error| Some(of_lookup(error)),
        ChoiceError => |error| Some(of_choice(error)),
        SelectorError => |_| Some(plain(Exit::Usage)),
        GraphError => |error| Some(of_graph(error)),
        BrowserError => |error| Some(hint(
            Exit::Failed,
            format!("the address is {}; `$BROWSER` names another browser.", error.url),
        )),
        LoadError => |error| Some(of_load(error)),
        UnreadableInventory => |error| Some(of_unreadable(error)),
        SyncError => |error| Some(of_sync(error)),
        ConfigError => |error| Some(of_config(error)),
        EditError => |error| Some(of_edit(error)),
        EditorError => |error| Some(of_editor(error)),
        EnvError => |error| Some(of_env(error)),
        EnvironmentError => |error| Some(of_environment(error)),
        NeedError => |error| Some(of_need(error)),
        PolicyViolation => |error| Some(of_refusal(error)),
        RunPolicyError => |error| Some(of_rules(error)),
        TrustError => |error| Some(of_trust(error)),
        NewEntryError => |error| Some(of_new(error)),
        DraftError => |error| Some(of_draft(error)),
        InitError => |error| Some(of_init(error)),
        LoginError => |error| Some(of_login(error)),
        TokenError => |error| Some(of_token(error)),
        DeployedError => |error| Some(deployment::of_deployed(error)),
        BuildError => |error| Some(of_build(error)),
        RunError => |error| Some(of_run(error)),
        InstanceError => |error| Some(of_instance(error)),
        StartError => |error| Some(of_start(error)),
        ScanError => |error| Some(of_scan(error)),
        ShellError => |error| Some(of_shell(error)),
        OpenError => |error| Some(of_open(error)),
        SourceError => |error| Some(of_source(error)),
        PreprocessError => |error| Some(of_preprocess(error)),
        CancelError => |error| Some(of_cancel(error)),
        NoteError => |error| Some(of_note(error)),
        PageError => |error| Some(of_page(error)),
        RollbackError => |error| Some(of_rollback(error)),
        ImageError => |error| Some(of_image(error)),
        ReleaseStageError => |error| Some(of_release(error)),
        RemovalChanged => |error| Some(of_removal(error)),
        KubectlError => |error| Some(of_kubectl(error)),
        RegistryError => |error| Some(of_registry(error)),
        StageError => |error| Some(of_stage(error)),
        StagingError => |error| Some(of_staging(error)),
        TargetError => |error| Some(of_target(error)),
        GitLabError => |error| Some(of_gitlab(error)),
        GitError => |error| Some(of_git(error)),
        EngineError => |error| Some(of_engine(error)),
        NativeError => |error| Some(of_native(error)),
        ListenError => |error| Some(of_port(error.port)),
        ChangeError => |error| Some(of_change(error)),
        HttpError => |_| Some(hint(Exit::Unreachable, "install the package `ca-certificates`, or name a file with `ca_file` in `cki.toml`.")),
        RfcError => |error| Some(of_rfc(error)),
        SiteDirectoryError => |error| Some(of_site_directory(error)),
        SiteError => |error| Some(of_site(error)),
        FileError => |error| Some(of_file(error)),
    }
    None
}

fn of_lookup(error: &LookupError) -> Diagnosis {
    match error {
        LookupError::Unknown { nearest, with_services, .. } => {
            let otherwise = match with_services {
                true => "`cki list` shows all components, and `cki list services` all backing services.",
                false => "`cki list` shows all components.",
            };
            hint(Exit::NotFound, did_you_mean(nearest, otherwise))
        }
        LookupError::IsService { service, .. } => {
            hint(Exit::NotFound, format!("`cki show {service}` shows it, and the command that runs it."))
        }
        LookupError::UnknownService { nearest, .. } => hint(Exit::NotFound, did_you_mean(nearest, SERVICES)),
        LookupError::Ambiguous { candidates, .. } => {
            let first = candidates.first().map(String::as_str).unwrap_or_default();
            hint(Exit::NotFound, format!("say which one, as in `{first}`."))
        }
    }
}

fn of_clone(error: &CloneError) -> Diagnosis {
    match error {
        CloneError::NoRepository(_) => hint(Exit::NotFound, "add `sources` to the entry."),
        CloneError::Unknown { nearest, .. } => {
            hint(Exit::NotFound, did_you_mean(nearest, "`repos` in the inventory names the repositories."))
        }
    }
}

fn of_choice(error: &ChoiceError) -> Diagnosis {
    match error {
        ChoiceError::Lookup(error) => of_lookup(error),
        ChoiceError::Selector(_) => plain(Exit::Usage),
        ChoiceError::Nothing { .. } => hint(
            Exit::NotFound,
            "`cki list` shows all components; `cki list -o wide` shows what selectors choose by.",
        ),
    }
}

fn of_graph(error: &GraphError) -> Diagnosis {
    match error {
        GraphError::Lookup(error) => of_lookup(error),
        GraphError::Choice(error) => of_choice(error),
        GraphError::Verb { nearest, .. } => {
            hint(Exit::NotFound, did_you_mean(nearest, "leave `--verb` out to follow all dependencies."))
        }
        GraphError::Unneeded { .. } | GraphError::NotConnected { .. } => plain(Exit::Failed),
    }
}

fn of_shell(error: &ShellError) -> Diagnosis {
    match error {
        ShellError::Unknown { .. } => hint(Exit::Usage, "name one, as in `cki completions bash`."),
        ShellError::NoHome => hint(Exit::Invalid, "set `HOME` to your home directory."),
        ShellError::Foreign(_) => hint(Exit::Refused, "`cki completions` prints the script."),
        ShellError::File(inner) => of_file(inner),
        ShellError::Template(_) | ShellError::Value { .. } => plain(Exit::Invalid),
    }
}

//! `cki config`: its arguments, and the calls of the settings, the editor and the report. The settings are in
//! `config`.

use std::path::Path;

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;

use crate::base::exit::Exit;
use crate::base::files;
use crate::cli::complete;
use crate::cli::context::Context;
use crate::config::{Config, edit};
use crate::host::scratch::scratch_file;
use crate::report;
use crate::systems::editor;
use crate::ui::prompt::Unconfirmed;

/// Show every setting with its value and origin, or change one
///
/// Changes go to your own `cki.toml`; comments and everything else in it stay. `cki help settings`
/// describes every setting.
///
/// Examples:
///   cki config
///   cki config get workspace
///   cki config set engine podman
///   cki config unset engine
///   cki config edit
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, args_conflicts_with_subcommands = true)]
pub(in crate::cli) struct ConfigArgs {
    #[command(subcommand)]
    command: Option<ConfigCommand>,
}

/// Commands on settings.
#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Show every setting with its value and origin, as `cki config` does
    #[command(visible_alias = "ls")]
    List,
    /// Print the value of a setting
    Get {
        /// Name of the setting
        #[arg(add = ArgValueCandidates::new(complete::settings))]
        name: String,
    },
    /// Set a setting in your own `cki.toml`
    Set {
        /// Name of the setting
        #[arg(add = ArgValueCandidates::new(complete::settings))]
        name: String,
        /// Value
        #[arg(allow_hyphen_values = true, add = ArgValueCandidates::new(complete::setting_values))]
        value: String,
    },
    /// Remove a setting from your own `cki.toml`
    Unset {
        /// Name of the setting
        #[arg(add = ArgValueCandidates::new(complete::settings))]
        name: String,
    },
    /// Edit your own `cki.toml` with `$VISUAL` or `$EDITOR`, and check it before it takes effect
    Edit,
    /// Print the paths of the files that settings come from, your own first
    Path,
}

impl ConfigArgs {
    /// Returns whether the command mends settings, and so has to run with invalid ones.
    pub(in crate::cli) fn mends_settings(&self) -> bool {
        matches!(self.command, Some(ConfigCommand::Edit | ConfigCommand::Path | ConfigCommand::Unset { .. }))
    }
}

pub(in crate::cli) fn run(args: &ConfigArgs, context: &Context) -> anyhow::Result<Exit> {
    let env = &context.host.env;
    match &args.command {
        None | Some(ConfigCommand::List) => {
            report::config::print(&context.ui, &context.config, &context.inventory_copies());
        }
        Some(ConfigCommand::Get { name }) => {
            let key = edit::find_key(name)?;
            let value = context.config.get(key.name).filter(|value| !value.text.is_empty());
            let value = value.ok_or(edit::EditError::NoValue(key.name))?;
            report::config::print_value(&context.ui, key, &value);
        }
        Some(ConfigCommand::Set { name, value }) => change(name, Some(value), context)?,
        Some(ConfigCommand::Unset { name }) => change(name, None, context)?,
        Some(ConfigCommand::Path) => {
            let own = edit::user_file(env).ok();
            report::config::print_paths(&context.ui, own.as_deref(), &context.config);
        }
        Some(ConfigCommand::Edit) => edit_file(&edit::user_file(env)?, context)?,
    }
    Ok(Exit::Done)
}

fn change(name: &str, value: Option<&str>, context: &Context) -> anyhow::Result<()> {
    let key = edit::find_key(name)?;
    let file = edit::user_file(&context.host.env)?;
    let changed = edit::change(&file, key, value, &context.host.cwd)?;
    let higher = match value {
        Some(_) => {
            Config::load(&context.host.env, &context.host.cwd, []).ok().and_then(|now| now.get(key.name))
        }
        None => None,
    };
    report::config::print_change(&context.ui, key, &file, (changed, value.is_some()), higher.as_ref());
    Ok(())
}

/// Lets the user edit a copy, which replaces the file once it is valid.
fn edit_file(file: &Path, context: &Context) -> anyhow::Result<()> {
    let before = match files::read_text(file, 1 << 20) {
        Err(error) if error.is_missing() => String::new(),
        other => other?,
    };
    // In a directory for this user alone, since the file may hold a token, and so may a copy of the editor's.
    let (_directory, copy) = scratch_file(&context.host.env, "cki.toml", before.as_bytes())?;
    loop {
        if let Some(signal) = editor::edit(&context.host.env, &copy)? {
            return Err(Unconfirmed::Cancelled(signal).into());
        }
        let text = files::read_text(&copy, 1 << 20)?;
        match Config::check_text(&text, file) {
            Ok(warnings) => {
                for warning in warnings {
                    context.ui.warning(&warning);
                }
                if text != before {
                    let _lock = files::DirectoryLock::wait_for(file);
                    edit::write(file, &before, &text)?;
                }
                report::config::print_edited(&context.ui, file, text != before);
                return Ok(());
            }
            Err(error) if !context.ui.can_ask() => return Err(error.into()),
            Err(error) => {
                context.ui.error(&format!("{error}."), &[], &[]);
                context.ui.confirm(&context.host, "Edit it again? Otherwise, the change is dropped.")?;
            }
        }
    }
}

//! `cki init`: its arguments, and the calls of the operation and the report.

use std::path::PathBuf;

use clap::Args;

use crate::base::exit::Exit;
use crate::cli::context::Context;
use crate::cli::error::UsageError;
use crate::config::SettingOrigin;
use crate::ops::init::{self, InitError};
use crate::report;

/// Write a `cki.toml` and an inventory for a repository
///
/// Drafts them from the Containerfile or Dockerfile, the Compose file, Kubernetes files, the
/// README and the sources, shows the draft, and asks. Runs nothing, and never replaces a file.
///
/// Examples:
///   cki init
///   cki init ~/src/guestbook --dry-run
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(in crate::cli) struct InitArgs {
    /// Directory in the repository (default: the working directory)
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    path: Option<PathBuf>,
    /// Show the draft without writing it
    #[arg(short = 'n', long, conflicts_with = "yes")]
    dry_run: bool,
    /// Write without asking
    #[arg(short, long)]
    yes: bool,
}

pub(in crate::cli) fn run(args: &InitArgs, context: &Context) -> anyhow::Result<Exit> {
    let cwd = &context.host.cwd;
    let directory = args.path.as_ref().map_or_else(|| cwd.clone(), |path| cwd.join(path));
    let draft = init::draft(&directory, &context.assets, &context.host.env, &context.events())?;
    if !args.dry_run {
        if let Some(path) = init::existing(&draft) {
            return Err(InitError::Exists(path.to_owned()).into());
        }
        if !args.yes && (!context.ui.can_ask() || context.ui.is_structured()) {
            let message = "`cki init` asks before it writes, and there is no terminal to ask on; add `--yes` or `--dry-run`";
            return Err(UsageError(message.to_owned()).into());
        }
    }
    report::init::print(&context.ui, &draft);
    if !args.dry_run {
        if !args.yes {
            context.ui.confirm(&context.host, "Write these files?")?;
        }
        init::write(&draft, &context.host.env)?;
    }
    // The project's own setting comes before that of the user, and after these.
    let inventory = context.config.get("inventory").map(|value| value.origin);
    let is_elsewhere = matches!(inventory, Some(SettingOrigin::Environment(_) | SettingOrigin::Flag(_)));
    report::init::print_end(&context.ui, &draft, !args.dry_run, cwd, is_elsewhere);
    Ok(Exit::Done)
}
